"""Commands, time and words."""

import os
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

# What this suite has in common with that of the network.
sys.path.append(str(Path(__file__).resolve().parents[1] / "Network"))

from machine import Machine, make_bridge, may_make_namespaces, remove_namespace, run  # noqa: E402, F401

START = time.monotonic()


class Server(Machine):
    """A machine for one program, whose first process it is."""

    process = None

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        # `ip netns exec` and `env` become the program, so the pid is the program's own.
        if self.runs:
            os.kill(self.process.pid, number)


@dataclass
class Process:
    parent: int
    # In ticks since the machine started: with the pid it names one process.
    began: str
    command: str


def everything() -> dict[int, Process]:
    """All processes of this machine that live, by pid."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                command = file.read().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        if fields[0] != "Z":
            found[int(pid)] = Process(int(fields[1]), fields[19], command)
    return found


def say(text: str):
    print(f"  {time.monotonic() - START:6.1f} s  {text}", file=sys.stderr, flush=True)


def until(limit: float, holds, pause: float = 0.1):
    """Seconds until `holds` is true, or None when it was not within `limit`."""
    start = time.monotonic()
    while time.monotonic() - start < limit:
        if holds():
            return time.monotonic() - start
        time.sleep(pause)
    return None


def start_thread(body, *arguments) -> threading.Thread:
    thread = threading.Thread(target=body, args=arguments, daemon=True)
    thread.start()
    return thread
