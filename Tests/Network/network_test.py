"""Real nodes in network namespaces whose network breaks: what the others see, and that it heals.

    python3 Tests/Network/network_test.py TIJERA DATA_FOLDER [NODES]

DATA_FOLDER: of a running cluster (cluster/up), whose database, certificates and models are borrowed; its own nodes are
not touched. Makes namespaces `tj-...` with a bridge of their own, starts a node in each, cuts, delays and kills, and
removes everything again. Nothing leaves the namespaces. Needs root, iproute2 and nftables. Prints a table of figures;
exits 0, or 1 with the first thing that was wrong. NETWORK_ONLY=kill,strangers runs these scenarios alone.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from lab import Lab, Node
from machine import may_make_namespaces, run
from strangers import make_bad_certificates


def scenario_join(lab: Lab):
    lab.note("all nodes started and agree", lab.until("all agree", 30, lab.agree), 30)


def scenario_kill(lab: Lab):
    victim, others = lab.nodes[-1], lab.nodes[:-1]
    victim.kill()
    gone = lab.until("the killed node is gone for all", 5, lambda: lab.see(others, ("dead", "left", "unseen"), victim))
    # One look at all nodes takes a tenth of a second here.
    lab.note("kill -9 seen by all", gone, 1.5)
    victim.start()
    lab.note("restarted node is back for all", lab.until("back", 20, lab.agree), 20)


def scenario_pause(lab: Lab):
    victim, others = lab.nodes[-1], lab.nodes[:-1]
    victim.signal(signal.SIGSTOP)
    end = time.monotonic() + 8
    removed = []
    while time.monotonic() < end:
        for other in others:
            state = other.states().get(victim.name)
            # `unseen`: no member any more, though its lease in the database still runs.
            if state in ("dead", "left", "unseen", None):
                removed.append((other.name, state))
        time.sleep(0.1)
    victim.signal(signal.SIGCONT)
    assert not removed, f"a node that was stopped for 8 s was removed: {removed[:3]}"
    lab.note("a node stopped for 8 s is alive for all again", lab.until("alive again", 15, lab.agree), 15)


def scenario_black_hole(lab: Lab):
    victim, others = lab.nodes[-1], lab.nodes[:-1]
    victim.rules("input iifname != lo drop", "output oifname != lo drop")
    doubted = ("suspect", "unreachable", "unseen", "dead")
    seen = lab.until("silence is seen", 15, lambda: lab.see(others, doubted, victim))
    lab.note("silent black hole seen by all", seen, 6)
    slowest = max(others[0].ask("/admin/v1/cluster")[0] for _ in range(20))
    # curl and `ip netns exec` are in it.
    lab.note("slowest of 20 answers to an operator meanwhile", slowest, 0.2)
    victim.rules()
    lab.note("healed black hole, all agree", lab.until("healed", 30, lab.agree), 30)


def scenario_partition(lab: Lab):
    lone, others = lab.nodes[0], lab.nodes[1:]
    lone.cut_from([other.address for other in others])
    lab.until("both sides see the cut", 15, lambda: not lab.agree([lone, *others]))
    time_to_settle = lab.until(
        "the larger side has no node in doubt but the lone one", 20,
        lambda: all(
            state == "alive" for other in others for name, state in other.states().items() if name != lone.name))
    lab.note("the larger side of a partition is calm", time_to_settle, 20)
    lone.rules()
    lab.note("healed partition, all agree", lab.until("healed", 30, lab.agree), 30)


def scenario_one_way(lab: Lab):
    deaf, other = lab.nodes[0], lab.nodes[1]
    deaf.cut_from([other.address], ways=("input",))
    end = time.monotonic() + 8
    while time.monotonic() < end:
        for watcher in lab.nodes[2:]:
            for name, state in watcher.states().items():
                assert state not in ("dead", "left"), f"{watcher.name} took {name} for {state} in a one-way cut"
        time.sleep(0.2)
    deaf.rules()
    lab.note("healed one-way cut, all agree", lab.until("healed", 30, lab.agree), 30)


def scenario_loss(lab: Lab):
    for node in lab.nodes:
        node.rules("input iifname != lo numgen random mod 100 < 30 drop")
    end = time.monotonic() + 10
    while time.monotonic() < end:
        for watcher in lab.nodes:
            for name, state in watcher.states().items():
                assert state not in ("dead", "left"), f"{watcher.name} took {name} for {state} under 30 % loss"
        time.sleep(0.5)
    for node in lab.nodes:
        node.rules()
    lab.note("after 10 s of 30 % loss, all agree", lab.until("healed", 30, lab.agree), 30)


def scenario_narrow(lab: Lab):
    for node in lab.nodes:
        run(*node.inside("tc", "qdisc", "add", "dev", node.interface, "root", "tbf", "rate", "512kbit",
                         "burst", "16kbit", "latency", "500ms"))
    time.sleep(5)
    assert lab.agree(), "half a megabit a second is enough for gossip"
    for node in lab.nodes:
        run(*node.inside("tc", "qdisc", "del", "dev", node.interface, "root"))
    lab.figures.append(("5 s at 512 kbit/s a node", "nobody is doubted"))


# Who is wrong in one point, and where the node says so: `peer refused` is the transport's word, by `reason`;
# `connection refused` that of the cluster's handshake, by `code`.
REFUSED = {
    "garbage before TLS": "plaintext", "another protocol": "plaintext", "no certificate": "no_certificate",
    "another CA": "untrusted", "an expired certificate": "expired", "a certificate without a name": "nameless",
    "a recording": "handshake_failed", "one byte of TLS at a time": "handshake_timed_out",
}
TOLD = {
    "garbage after TLS": "malformedHello", "a frame of two gigabytes": "malformedHello",
    "one byte of hello at a time": "tookTooLong", "another cluster": "otherCluster",
    "a future version": "noCommonVersion", "another's name": "notCertified", "an old life of a node": "olderEpoch",
}


def scenario_strangers(lab: Lab):
    victim, member = lab.nodes[0], lab.nodes[1]
    certs = lab.folder / "strangers"
    certs.mkdir()
    make_bad_certificates(str(certs), str(lab.data / "certs"))
    for end in ("pem", "key"):
        shutil.copy(member.certs / f"{member.name}.{end}", certs)
    command = ["ip", "netns", "exec", lab.hub, sys.executable, str(Path(__file__).with_name("strangers.py")),
               victim.address, "7400", str(certs), member.name]
    since, handshakes = victim.log_bytes(), "cluster_handshakes_refused_total"
    before, peers_before = victim.counts(handshakes), victim.counts("cluster_peers_refused_total")
    told = json.loads(run(*command, timeout=60).stdout)
    assert told.keys() == REFUSED.keys() | TOLD.keys(), f"not expected: {told}"
    after, peers = victim.counts(handshakes), victim.counts("cluster_peers_refused_total")
    for who, reason in REFUSED.items():
        assert told[who] == "closed", f"{who} was answered {told[who]}"
        assert victim.logged("peer refused", since, reason=reason), f"{who}: no line says {reason}"
        assert peers.get(reason, 0) > peers_before.get(reason, 0), f"{who}: {reason} is not counted"
    for who, code in TOLD.items():
        assert told[who] == code, f"{who} was told {told[who]}, not {code}"
        assert victim.logged("connection refused", since, code=code), f"{who}: no line says {code}"
        assert after.get(code, 0) > before.get(code, 0), f"{who}: {code} is not counted"
    lab.figures.append((f"{len(told)} strangers, each wrong in one point", "refused with its reason, and counted"))
    # Each flood makes the allocator's arenas larger for a while, and what leaks grows with every one of them: one that
    # leaves next to nothing shows that there is no leak.
    growths = []
    for _ in range(6):
        resident, start = victim.resident_kilobytes(), time.monotonic()
        assert json.loads(run(*command, "1000", timeout=60).stdout) == {"closed": 1000}
        took, grown = time.monotonic() - start, victim.resident_kilobytes() - resident
        growths.append(grown)
        print(f"  1,000 bad connections in {took:.1f} s: {grown:+} KiB of {resident}", file=sys.stderr)
        # One KiB each: a connection that is not freed holds many times that.
        if len(growths) > 1 and grown < 1000:
            break
    else:
        raise AssertionError(f"floods of 1,000 bad connections left {growths} KiB")
    lab.figures.append((f"{len(growths)},000 more of them", f"memory {sum(growths) / 1024:+.1f} MiB"))
    assert lab.agree(), "strangers do not disturb the members"


def scenario_twin(lab: Lab):
    """A second machine is given a node's name and certificate: the newer life counts, the older one ends."""
    first, others = lab.nodes[-1], lab.nodes[:-1]
    since = first.log_bytes()
    twin = Node(lab, len(lab.nodes), first.name)
    lab.nodes.append(twin)
    twin.wire()
    twin.configure(lab.template, "seeds.lab:7400")
    twin.start()
    ended = lab.until("the older of two nodes of one name ends", 20, lambda: first.process.poll() is not None)
    lab.note("older of two nodes of one name ends", ended, 20)
    said = first.logged("node cannot go on", since)
    assert said and "newer life" in said[0]["error"], f"its log does not say why: {said}"
    lab.remove(first)
    lab.note("all agree on the newer one", lab.until("all agree", 20, lambda: lab.agree([*others, twin])), 20)


def scenario_credentials(lab: Lab):
    """A certificate is denied, a second CA comes, and the denied node gets a certificate of it; nobody restarts."""
    victim, others = lab.nodes[-1], lab.nodes[:-1]
    second = lab.folder / "second-ca"
    lab.make_certificates(second, [victim.name])
    both = second / "both.pem"
    both.write_text((lab.data / "certs" / "ca.pem").read_text() + (second / "ca.pem").read_text())
    denied = second / "denied"
    denied.write_text("# lost\nsha256:" + fingerprint(victim.certs / f"{victim.name}.pem") + "\n")
    since = {node.name: node.log_bytes() for node in lab.nodes}
    for node in lab.nodes:
        node.put("ca.pem", both)
    for node in others:
        node.put("denied", denied)
    # Files are looked at every 10 s.
    cut = lab.until(
        "the denied node is cut off", 20,
        lambda: all(node.logged("peer refused", since[node.name], reason="denied") for node in others)
        and not any(node.states().get(victim.name) == "alive" for node in others))
    lab.note("denied certificate cut off by all", cut, 20)
    pids = [node.process.pid for node in lab.nodes]
    victim.put(f"{victim.name}.key", second / f"{victim.name}.key")
    victim.put(f"{victim.name}.pem", second / f"{victim.name}.pem")
    back = lab.until("the node with a certificate of the second CA is back", 30, lab.agree)
    lab.note("new certificate of a second CA served, all agree", back, 30)
    for node in lab.nodes:
        news = node.logged("credentials replaced", since[node.name], authorities="2")
        assert news, f"{node.name} did not take the second CA"
    lab.all_run()
    assert pids == [node.process.pid for node in lab.nodes]


def scenario_limits(lab: Lab):
    """A client at ten times its limit over all nodes, while a node that owns a part of the keys is killed."""
    burst, rate, seconds = 50, 5, 24
    asker = Path(__file__).with_name("asker.py")

    def ask(source: str, each_second: float):
        return [
            subprocess.Popen(node.inside(sys.executable, asker, source, each_second, seconds), stdout=subprocess.PIPE,
                             text=True)
            for node in lab.nodes]

    # Addresses of the loopback. The node that owns the bucket of the first is the one to be killed.
    flooders = [f"127.0.0.{number}" for number in range(10, 14)]
    floods = {source: ask(source, 10 * rate / len(lab.nodes)) for source in flooders}
    neighbour = ask("127.0.0.99", 0.8 * rate / len(lab.nodes))
    time.sleep(seconds / 2)
    told = lab.nodes[0].ask(f"/admin/v1/ring/explain?key=address:{flooders[0]}&kind=limit%2Flist")
    victim = next(node for node in lab.nodes if told and node.name == told[1]["owner"])
    killed_at = time.monotonic()
    victim.kill()
    answers = {source: sorted(read_answers(askers)) for source, askers in floods.items()}
    for source, told in answers.items():
        admitted = [at for at, status in told if status == 200]
        assert len(told) > 5 * rate * seconds, f"{source} asked only {len(told)} times"
        before = most_over(rate, [at for at in admitted if at < killed_at])
        over = most_over(rate, admitted)
        lab.figures.append((f"admitted beyond {rate} a second of {source}, before the kill and over it",
                            f"{before:.0f} and {over:.0f}, at most {1.5 * burst:.0f} and {2.5 * burst:.0f}"))
        # docs/limits.md, "The bound": B + S, and one more B for an owner that was lost. One for the edges of clocks.
        assert before <= 1.5 * burst + 1, f"{source} was admitted {before:.0f} beyond its rate"
        assert over <= 2.5 * burst + 1, f"{source} was admitted {over:.0f} beyond its rate over a kill"
        assert len(admitted) >= rate * seconds, f"{source} got {len(admitted)} of what it may"
    told = read_answers(neighbour)
    refused = [status for at, status in told if status not in (200, 0)]
    assert not refused, f"a neighbour within its limit was refused {len(refused)} of {len(told)} times: {refused[:5]}"
    lab.figures.append(("refused of a neighbour's requests meanwhile", f"0 of {len(told)}"))
    victim.start()
    lab.note("the killed owner is back for all", lab.until("back", 20, lab.agree), 20)


def read_answers(askers) -> list[tuple[float, int]]:
    lines = [line.split() for asker in askers for line in asker.communicate(timeout=120)[0].splitlines()]
    return [(float(at), int(status)) for at, status in lines]


def most_over(rate: float, times: list[float]) -> float:
    """The most, over all windows, by which the events of a window exceed the rate times its length."""
    # The count of events i...j less rate x (t_j - t_i), for all pairs: the largest rise of a walk.
    most, lowest = 0.0, float("inf")
    for number, at in enumerate(times):
        lowest = min(lowest, number - rate * at)
        most = max(most, number + 1 - rate * at - lowest)
    return most


def fingerprint(certificate: Path) -> str:
    done = run("openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", str(certificate))
    return done.stdout.split("=")[1].strip()


SCENARIOS = [
    scenario_join, scenario_kill, scenario_pause, scenario_black_hole, scenario_partition, scenario_one_way,
    scenario_loss, scenario_narrow, scenario_strangers, scenario_twin, scenario_credentials, scenario_limits,
]


def main(arguments: list[str]) -> int:
    if os.geteuid() != 0 or not may_make_namespaces() or shutil.which("nft") is None:
        print("skipped: needs root, network namespaces and nftables")
        return 0
    tijera, data = arguments[0], arguments[1]
    count = int(arguments[2]) if len(arguments) > 2 else 4
    only = os.environ.get("NETWORK_ONLY", "").split(",")
    chosen = [one for one in SCENARIOS if only == [""] or one.__name__.removeprefix("scenario_") in only]
    try:
        with Lab(tijera, data, count) as lab:
            for scenario in chosen:
                print(scenario.__name__.removeprefix("scenario_"), file=sys.stderr)
                scenario(lab)
                lab.all_run()
    except (AssertionError, RuntimeError) as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1
    for what, figure in lab.figures:
        print(f"| {what} | {figure} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
