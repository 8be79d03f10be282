"""Restarts or upgrades a running cluster node by node under load, and checks that nobody noticed.

    python3 Tests/Chaos/rolling.py DATA_FOLDER COMMAND...

DATA_FOLDER: of a cluster that cluster/up started. While COMMAND runs, clients send small jobs and follow them. Beside
them stand readers (health, list and page, 40 requests a second) and writers (two uploads a second, for each an order of
a job, and mostly the cancel or the delete of that job). Each of their requests goes to every node once at most, without
a pause, and has failed when no node answered it well (`impatient`). Then every job must have ended, the writers' too,
whole, with nothing published twice. Prints the figures of readers and of writers, and the tries of the other clients,
who ask again after a pause; exits 1 when anything was wrong.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from check import Checker
from impatient import Readers, Writers
from load import Load
from shell import say, until
from videos import make_videos
from wire import Wire

CLIENTS = 4
SECONDS_TO_END = 180


@dataclass(frozen=True)
class Place:
    """Where a node answers."""

    name: str
    address: str
    http_port: int


class Database:
    def __init__(self, socket: str):
        self.socket = socket

    def query(self, text: str, limit: float = 60) -> list[tuple]:
        wire = Wire(self.socket, limit=limit)
        try:
            return wire.query(text)
        finally:
            wire.close()


class RunningCluster:
    """What the load and the checker want of a lab."""

    def __init__(self, data: Path, folder: Path):
        self.data = data
        told = json.loads((data / "cluster.json").read_text())
        urls = [(node["name"], urllib.parse.urlsplit(node["http"])) for node in told["nodes"]]
        self.nodes = [Place(name, url.hostname, url.port) for name, url in urls]
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(told["database"]).query)
        self.database = Database(query["host"][0])
        self.blobs, self.folder, self.bucket = data / "blobs", folder, None

    def enter_hub(self):
        """Everybody is on this machine."""

    def programs(self) -> str:
        """What the nodes run right now."""
        told = json.loads((self.data / "cluster.json").read_text())
        return ", ".join(sorted({os.readlink(f"/proc/{node['pid']}/exe") for node in told["nodes"]}))


def tries_of_senders(answers: Counter) -> tuple[int, int]:
    """How many there were, and how many of them got a 5xx or no whole answer.

    Keys are as `Client` counts: the method, and then the status or what went wrong. A POST is an upload, a job, or
    now and then the cancelling of one.
    """
    sent = [(key.removeprefix("POST "), count) for key, count in answers.items() if key.startswith("POST ")]
    bad = sum(count for end, count in sent if not end.isdigit() or int(end) >= 500)
    return sum(count for _, count in sent), bad


def play(cluster: RunningCluster, command: list[str], figures: dict) -> list[str]:
    load = Load(cluster, make_videos(cluster.folder / "videos", with_speech=False), 1, CLIENTS, has_speech=False)
    # Work that is under way everywhere, so that every restart meets some.
    if until(60, lambda: len(cluster.database.query("select from stage where state = 'running'")) >= 2, 0.2) is None:
        return ["a minute was not enough for two stages to run at once"]
    askers, start = [Readers(cluster.nodes, 1), Writers(cluster.nodes, load, 1)], time.monotonic()
    figures["program before"] = cluster.programs()
    say(f"begins: {' '.join(command)}")
    done = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=600)
    figures["seconds"] = round(time.monotonic() - start, 1)
    time.sleep(1)
    for each in askers:
        each.stop()
        figures |= each.figures()
    figures["program after"] = cluster.programs()
    wrong = [f"{command[0]} ended with {done.returncode}"] if done.returncode else []
    wrong += [text for each in askers for text in each.wrong]
    say("waiting until every job has ended")
    load.stop(SECONDS_TO_END)
    # No failure: whoever sends tries again, with the same key. Counted over the whole load, not only during COMMAND.
    sent, bad = tries_of_senders(load.answers.copy())
    figures["tries of senders (POST), from the first job to the last"] = sent
    figures["of them answered with 5xx or not at all"] = bad
    checker = Checker(cluster, load, 1)
    checker.wait_for_the_end(SECONDS_TO_END)
    for job, failure in cluster.database.query("select id, failure::text from job where status = 'error'"):
        wrong.append(f"{job} ended in an error: {failure}")
    checker.check_promises()
    checker.check_tables()
    checker.check_bytes()
    figures["jobs taken in"] = checker.counts["jobs taken in"]
    figures["jobs ready at the end"] = checker.counts["jobs ready"]
    figures["stages handed back"] = int(
        cluster.database.query("select count(*) from event where kind = 'stage.released'")[0][0])
    return wrong + checker.wrong


def main(arguments: list[str]) -> int:
    if len(arguments) < 2:
        print(__doc__)
        return 64
    folder, figures = Path(tempfile.mkdtemp(prefix="tijera-rolling.")), {}
    try:
        wrong = play(RunningCluster(Path(arguments[0]), folder), arguments[1:], figures)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("| counted | |\n|---|---|")
    print("\n".join(f"| {name} | {figure} |" for name, figure in figures.items()))
    for each in wrong:
        print(f"WRONG: {each}")
    print(f"rolling: {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
