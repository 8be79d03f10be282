"""Nodes in network namespaces, one machine each, and what can be done to them and asked of them."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from machine import Machine, make_bridge, remove_namespace, run

MARK = f"tj-{os.getpid()}"
NET = "10.77.0."


class Node(Machine):
    def __init__(self, lab, number: int, name: str):
        self.lab, self.name = lab, name
        super().__init__(lab.hub, f"{MARK}-{number}", number, f"{NET}{number + 1}", lab.folder / f"{number}-{name}")
        self.certs = self.folder / "certs"
        self.resolver = Path("/etc/netns") / self.space
        self.process = None

    def configure(self, template: str, seeds: str):
        self.certs.mkdir(parents=True, exist_ok=True)
        # Of its own, because they are exchanged under it.
        for name in (f"{self.name}.pem", f"{self.name}.key", "ca.pem"):
            shutil.copy(self.lab.data / "certs" / name, self.certs / name)
        (self.certs / "denied").write_text("")
        # What `ip netns exec` puts in the place of /etc/hosts.
        self.resolver.mkdir(parents=True, exist_ok=True)
        (self.resolver / "hosts").write_text(
            "127.0.0.1 localhost\n" + "".join(f"{address} seeds.lab\n" for address in self.lab.seeds))
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
  certificate: "{self.certs}/{self.name}.pem"
  key: "{self.certs}/{self.name}.key"
  authorities: "{self.certs}/ca.pem"
  denyList: "{self.certs}/denied"
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
            env={**os.environ, "TIJERA_LIMITS_RULES": self.lab.limit_rules},
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

    def put(self, name: str, source: Path):
        """Replaces a certificate file as a careful operator does: beside it, then renamed into place."""
        shutil.copy(source, self.certs / f"{name}.new")
        os.replace(self.certs / f"{name}.new", self.certs / name)

    def counts(self, metric: str) -> dict:
        """The series of a counter by its one label."""
        text = run(*self.inside("curl", "-s", "--max-time", "2", "http://127.0.0.1:8080/api/metrics")).stdout
        assert f"# TYPE {metric} counter" in text, f"{metric} is not among the metrics"
        series = re.findall(rf'^{metric}\{{\w+="([^"]*)"\}} ([0-9.e+]+)$', text, re.M)
        return {label: float(value) for label, value in series}

    def logged(self, message: str, since: int = 0, **facts: str) -> list:
        """Lines of the log, from its byte `since`, with this message and these facts."""
        with open(self.folder / "node.log", "rb") as log:
            log.seek(since)
            records = [json.loads(line) for line in log if line.startswith(b"{")]
        return [one for one in records if one["message"] == message and facts.items() <= one.items()]

    def log_bytes(self) -> int:
        return (self.folder / "node.log").stat().st_size

    def resident_kilobytes(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))


class Lab:
    # Of what nobody but `scenario_limits` asks for: a bucket of 50, five a second.
    limit_rules = "list GET /api/jobs 50/10"

    def __init__(self, tijera: str, data: str, count: int):
        self.tijera, self.data = tijera, Path(data)
        self.token = (self.data / "admin-token").read_text().strip()
        self.folder = Path(data) / "network-lab"
        self.hub = f"{MARK}-hub"
        cluster = json.loads((self.data / "cluster.json").read_text())
        self.template_database = cluster["database"]
        self.database = cluster["database"].replace("///tijera?", "///network_lab?")
        self.names = [f"lab-{number}" for number in range(count)]
        self.nodes = [Node(self, number, name) for number, name in enumerate(self.names)]
        # One name for all, as a headless service has it: at the first address nobody lives, at one lives who asks.
        self.seeds = [f"{NET}200"] + [node.address for node in self.nodes]
        self.stranger = f"{NET}254"
        self.figures: list[tuple[str, str]] = []

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        run("psql", self.template_database, "-qc", "drop database if exists network_lab")
        run("psql", self.template_database, "-qc", "create database network_lab")
        self.make_certificates(self.data / "certs", self.names)
        make_bridge(self.hub, self.stranger)
        self.template = next(self.data.glob("nodes/*/node.yaml")).read_text()
        for node in self.nodes:
            node.wire()
            node.configure(self.template, "seeds.lab:7400")
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
                log = node.folder / "node.log"
                lines = log.read_text().splitlines() if log.exists() else []
                print("\n".join(lines[-25:]), file=sys.stderr)
        for node in list(self.nodes):
            self.remove(node)
        remove_namespace(self.hub)

    def remove(self, node: Node):
        """Its machine; the node has ended."""
        self.nodes.remove(node)
        node.unwire()
        shutil.rmtree(node.resolver, ignore_errors=True)

    @staticmethod
    def make_certificates(folder: Path, names: list[str]):
        script = '. "$0/cluster/lib/say.sh"; . "$0/cluster/lib/certificates.sh"; make_certificates "$@"'
        home = Path(__file__).resolve().parents[2]
        run("bash", "-c", script, str(home), str(folder), *(f"{name}:eu" for name in names))

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
