"""Real nodes in network namespaces whose network breaks: what the others see, and that it heals.

    python3 Tests/Network/network_test.py TIJERA DATA_FOLDER [NODES]

DATA_FOLDER: of a running cluster (cluster/up), whose database, certificates and models are borrowed; its own nodes are
not touched. Makes namespaces `tj-...` with a bridge of their own, starts a node in each, cuts, delays and kills, and
removes everything again. Nothing leaves the namespaces. Needs root, iproute2 and nftables. Prints a table of figures;
exits 0, or 1 with the first thing that was wrong.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

MARK = f"tj-{os.getpid()}"
NET = "10.77.0."


def run(*command, check=True, timeout=30):
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done


class Node:
    def __init__(self, lab, number: int):
        self.lab, self.number = lab, number
        self.name = lab.names[number]
        self.space = f"{MARK}-{number}"
        self.address = f"{NET}{number + 1}"
        self.folder = lab.folder / self.name
        self.process = None

    def inside(self, *command):
        return ["ip", "netns", "exec", self.space, *command]

    def wire(self):
        run("ip", "netns", "add", self.space)
        run("ip", "-n", self.space, "link", "set", "lo", "up")
        # Interface names have 15 characters at most.
        inner, outer = f"i{os.getpid()}-{self.number}", f"o{os.getpid()}-{self.number}"
        run("ip", "-n", self.lab.hub, "link", "add", outer, "type", "veth", "peer", "name", inner)
        run("ip", "-n", self.lab.hub, "link", "set", inner, "netns", self.space)
        run("ip", "-n", self.lab.hub, "link", "set", outer, "master", "br0", "up")
        run("ip", "-n", self.space, "addr", "add", f"{self.address}/24", "dev", inner)
        run("ip", "-n", self.space, "link", "set", inner, "up")
        self.interface = inner

    def configure(self, template: str, seeds: str):
        self.folder.mkdir(parents=True, exist_ok=True)
        certs = self.lab.data / "certs"
        text = re.sub(r"(?ms)^node:.*?(?=^store:)", "", template)
        text = re.sub(r"(?ms)^cpu:.*?(?=^speech:)", "cpu:\n  threads: 1\n  machineThreads: 1\n", text)
        text += f"""
node:
  name: {self.name}
  region: eu
cluster:
  name: lab
  host: {self.address}
  port: 7400
  seeds: "{seeds}"
  certificate: "{certs}/{self.name}.pem"
  key: "{certs}/{self.name}.key"
  authorities: "{certs}/ca.pem"
http:
  host: 127.0.0.1
  port: 8080
"""
        text = re.sub(r'directory: ".*/blobs"', f'directory: "{self.lab.folder}/blobs"', text)
        text = text.replace(self.lab.template_database, self.lab.database)
        (self.folder / "node.yaml").write_text(text)

    def start(self):
        log = open(self.folder / "node.log", "ab")
        self.process = subprocess.Popen(
            self.inside(self.lab.tijera, "node", "--config", str(self.folder / "node.yaml")),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )

    def signal(self, number):
        # `ip netns exec` becomes the program, so the pid is the node's own.
        os.kill(self.process.pid, number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()

    def ask(self, path: str, limit: float = 2.0):
        """The answer as (seconds it took, JSON), or None when there was none."""
        start = time.monotonic()
        done = run(
            *self.inside(
                "curl", "-s", "--max-time", str(limit), "-H", f"Authorization: Bearer {self.lab.token}",
                f"http://127.0.0.1:8080{path}"),
            check=False,
        )
        took = time.monotonic() - start
        try:
            return took, json.loads(done.stdout)
        except json.JSONDecodeError:
            return None

    def states(self) -> dict:
        """What this node believes of each, from its own memory."""
        answer = self.ask("/admin/v1/cluster")
        return {node["id"]: node["state"] for node in answer[1]["nodes"]} if answer and "nodes" in answer[1] else {}

    def view(self):
        answer = self.ask("/admin/v1/cluster")
        return answer[1]["view"]["digest"] if answer and "view" in answer[1] else None

    # Faults, in this node's namespace.

    def rules(self, *lines: str):
        """Replaces all faults by these; none heals."""
        text = "flush ruleset\n"
        if lines:
            text += "table inet faults {\n"
            for hook in ("input", "output"):
                text += f"  chain {hook} {{ type filter hook {hook} priority 0;\n"
                text += "".join(f"    {line[len(hook) + 1:]}\n" for line in lines if line.startswith(hook + " "))
                text += "  }\n"
            text += "}\n"
        path = self.folder / "faults.nft"
        path.write_text(text)
        run(*self.inside("nft", "-f", str(path)))

    def cut_from(self, *others, both=True):
        lines = [f"input ip saddr {other.address} drop" for other in others]
        if both:
            lines += [f"output ip daddr {other.address} drop" for other in others]
        self.rules(*lines)


class Lab:
    def __init__(self, tijera: str, data: str, count: int):
        self.tijera, self.data = tijera, Path(data)
        self.token = (self.data / "admin-token").read_text().strip()
        self.folder = Path(data) / "network-lab"
        self.hub = f"{MARK}-hub"
        cluster = json.loads((self.data / "cluster.json").read_text())
        self.template_database = cluster["database"]
        self.database = cluster["database"].replace("///tijera?", "///network_lab?")
        self.names = [f"lab-{number}" for number in range(count)]
        self.nodes = [Node(self, number) for number in range(count)]
        self.figures: list[tuple[str, str]] = []

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        run("psql", self.template_database, "-qc", "drop database if exists network_lab")
        run("psql", self.template_database, "-qc", "create database network_lab")
        script = '. "$0/cluster/lib/say.sh"; . "$0/cluster/lib/certificates.sh"; make_certificates "$@"'
        home = Path(__file__).resolve().parents[2]
        run("bash", "-c", script, str(home), str(self.data / "certs"), *(f"{name}:eu" for name in self.names))
        run("ip", "netns", "add", self.hub)
        run("ip", "-n", self.hub, "link", "add", "br0", "type", "bridge")
        run("ip", "-n", self.hub, "link", "set", "br0", "up")
        template = next(self.data.glob("nodes/*/node.yaml")).read_text()
        seeds = ",".join(f"{node.address}:7400" for node in self.nodes[:2])
        for node in self.nodes:
            node.wire()
            node.configure(template, seeds)
        for node in self.nodes:
            node.start()
        return self

    def __exit__(self, kind, error, trace):
        for node in self.nodes:
            if node.process and node.process.poll() is None:
                node.signal(signal.SIGCONT)
                node.process.terminate()
        for node in self.nodes:
            if node.process:
                try:
                    node.process.wait(20)
                except subprocess.TimeoutExpired:
                    node.kill()
        if error:
            for node in self.nodes:
                print(f"--- {node.name}", file=sys.stderr)
                lines = (node.folder / "node.log").read_text().splitlines()
                print("\n".join(lines[-25:]), file=sys.stderr)
        for node in self.nodes:
            run("ip", "netns", "del", node.space, check=False)
        run("ip", "netns", "del", self.hub, check=False)

    # What is waited for.

    def until(self, what: str, limit: float, holds):
        """Seconds until `holds`; looks as often as it can."""
        start = time.monotonic()
        while time.monotonic() - start < limit:
            if holds():
                return time.monotonic() - start
            time.sleep(0.02)
        seen = {node.name: node.states() for node in self.nodes if node.process.poll() is None}
        raise AssertionError(f"after {limit} s not: {what}; seen: {json.dumps(seen)}")

    def see(self, watchers, state: str, of):
        states = (state,) if isinstance(state, str) else state
        return all(watcher.states().get(of.name) in states for watcher in watchers)

    def agree(self, nodes=None) -> bool:
        nodes = nodes or self.nodes
        alive = {node.name for node in nodes}
        for node in nodes:
            seen = node.states()
            if {name for name, state in seen.items() if state == "alive"} != alive:
                return False
        return len({node.view() for node in nodes}) == 1

    def note(self, what: str, seconds: float, bound: float):
        self.figures.append((what, f"{seconds:.2f} s, at most {bound:g}"))
        print(f"  {what}: {seconds:.2f} s", file=sys.stderr)
        assert seconds <= bound, f"{what} took {seconds:.2f} s, the bound is {bound} s"

    def all_run(self):
        for node in self.nodes:
            assert node.process.poll() is None, f"{node.name} ended with {node.process.returncode}"


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
    seen = lab.until("silence is seen", 15, lambda: lab.see(others, ("suspect", "unreachable", "unseen", "dead"), victim))
    lab.note("silent black hole seen by all", seen, 6)
    slowest = max(others[0].ask("/admin/v1/cluster")[0] for _ in range(20))
    # curl and `ip netns exec` are in it.
    lab.note("slowest of 20 answers to an operator meanwhile", slowest, 0.2)
    victim.rules()
    lab.note("healed black hole, all agree", lab.until("healed", 30, lab.agree), 30)


def scenario_partition(lab: Lab):
    lone, others = lab.nodes[0], lab.nodes[1:]
    lone.cut_from(*others)
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
    deaf.cut_from(other, both=False)
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
    end = time.monotonic() + 15
    while time.monotonic() < end:
        for watcher in lab.nodes:
            for name, state in watcher.states().items():
                assert state not in ("dead", "left"), f"{watcher.name} took {name} for {state} under 30 % loss"
        time.sleep(0.5)
    for node in lab.nodes:
        node.rules()
    lab.note("after 15 s of 30 % loss, all agree", lab.until("healed", 30, lab.agree), 30)


def scenario_narrow(lab: Lab):
    for node in lab.nodes:
        run(*node.inside("tc", "qdisc", "add", "dev", node.interface, "root", "tbf", "rate", "512kbit",
                         "burst", "16kbit", "latency", "500ms"))
    time.sleep(5)
    assert lab.agree(), "half a megabit a second is enough for gossip"
    for node in lab.nodes:
        run(*node.inside("tc", "qdisc", "del", "dev", node.interface, "root"))
    lab.figures.append(("5 s at 512 kbit/s a node", "nobody is doubted"))


SCENARIOS = [
    scenario_join, scenario_kill, scenario_pause, scenario_black_hole, scenario_partition, scenario_one_way,
    scenario_loss, scenario_narrow,
]


def may_make_namespaces() -> bool:
    name = f"{MARK}-try"
    made = run("ip", "netns", "add", name, check=False).returncode == 0
    run("ip", "netns", "del", name, check=False)
    return os.geteuid() == 0 and made and shutil.which("nft") is not None


def main(arguments: list[str]) -> int:
    if not may_make_namespaces():
        print("skipped: needs root, network namespaces and nftables")
        return 0
    tijera, data = arguments[0], arguments[1]
    count = int(arguments[2]) if len(arguments) > 2 else 4
    try:
        with Lab(tijera, data, count) as lab:
            for scenario in SCENARIOS:
                print(scenario.__name__.removeprefix("scenario_"), file=sys.stderr)
                scenario(lab)
                lab.all_run()
    except AssertionError as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1
    for what, figure in lab.figures:
        print(f"| {what} | {figure} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
