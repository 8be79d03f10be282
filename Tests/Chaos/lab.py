"""A cluster of its own to be broken: namespaces on one bridge, a PostgreSQL, a small disk for the blobs, some nodes."""

import contextlib
import ctypes
import os
import secrets
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

from bucket import NAME, PORTS, Bucket
from database import Database
from node import FAKETIME, PEER_PORT, Node
from shell import make_bridge, remove_namespace, run, say, start_thread, until

MIB = 1 << 20
CLONE_NEWNET = 0x40000000


class Lab:
    net = "10.78.0."
    free_bytes_min = 64 * MIB
    disk_bytes = 2048 * MIB

    def __init__(self, tijera: str, folder: Path, regions: list[str], blobs: str = "directory"):
        """`regions`: that of each node. `blobs`: `directory`, a disk that all share, or `s3`."""
        self.tijera, self.folder = tijera, folder
        self.mark = f"tjc-{os.getpid()}"
        self.hub, self.blobs, self.disk = f"{self.mark}-hub", folder / "blobs", folder / "disk.img"
        cache = os.environ.get("TIJERA_CACHE") or os.path.expanduser("~/.cache/tijera")
        self.models = Path(cache) / "models"
        self.database = Database(self.hub, f"{self.mark}-db", f"{self.net}253", folder)
        self.bucket = None
        if blobs == "s3":
            (folder / "bucket").mkdir()
            self.bucket = Bucket(self.hub, f"{self.mark}-s3", f"{self.net}252", folder / "bucket")
        self.nodes = [Node(self, number, region) for number, region in enumerate(regions)]
        # As that of a node. What needs nothing alone needs no lock either.
        self.under_fault = {"database": threading.Lock(), "disk": threading.Lock(),
                            "store": threading.Lock(), None: contextlib.nullcontext()}
        # (node, exit code, was it ready before): ends that nobody asked for.
        self.ends: list[tuple[str, int, bool]] = []
        self.is_supervising = False
        # After the last thaw nothing may freeze: the folder would then be one of this machine's own disk.
        self.may_freeze, self.freezing = True, threading.Lock()
        self.has_faketime = os.path.exists(FAKETIME)

    # Making and removing.

    def __enter__(self):
        try:
            self.make()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def make(self):
        (self.folder / "admin-token").write_text(secrets.token_hex(24))
        self.wire_up()
        if self.bucket:
            self.bucket.create()
        else:
            self.make_disk()
        self.make_certificates()
        self.database.create()
        if self.bucket:
            self.make_bucket()
        seeds = ",".join(f"{node.address}:{PEER_PORT}" for node in self.nodes[:2])
        for node in self.nodes:
            node.configure(seeds)
        for node in self.nodes:
            node.start()
        self.is_supervising = True
        start_thread(self.supervise)

    def wire_up(self):
        make_bridge(self.hub, f"{self.net}254")
        for machine in [*self.nodes, self.database, *([self.bucket] if self.bucket else [])]:
            machine.wire()

    def make_disk(self):
        self.blobs.mkdir()
        with open(self.disk, "wb") as file:
            file.truncate(self.disk_bytes)
        run("mkfs.ext4", "-q", "-m", "0", self.disk)
        run("mount", "-o", "loop", self.disk, self.blobs)

    def make_bucket(self):
        """On a thread of its own, because this one has to stay where it is."""
        wrong: list[Exception] = []

        def make():
            try:
                self.enter_hub()
                self.bucket.make()
            except (OSError, RuntimeError) as error:
                wrong.append(error)

        start_thread(make).join()
        if wrong:
            raise wrong[0]

    def blobs_of(self, node: Node) -> str:
        """The part of the node's configuration that says where blobs stand."""
        if not self.bucket:
            return f'directory: "{self.blobs}"'
        return f"""kind: s3
  directory: "{node.folder}/local"
  s3:
    endpoint: "http://{self.bucket.address}:{PORTS['s3']}"
    bucket: {NAME}
    accessKey: {NAME}
    secretKey: "{self.bucket.secret}"
    credentials: settings"""

    def make_certificates(self):
        home = Path(__file__).resolve().parents[2]
        script = '. "$0/cluster/lib/say.sh"; . "$0/cluster/lib/certificates.sh"; make_certificates "$@"'
        # Issued three hours ago where that can be, so that a node whose clock is an hour late believes them.
        early = ["env", f"LD_PRELOAD={FAKETIME}", "FAKETIME=-3h"] if self.has_faketime else []
        for tries_left in (2, 1, 0):
            try:
                run(*early, "bash", "-c", script, home, self.folder / "certs",
                    *(f"{node.name}:{node.region}" for node in self.nodes))
                return
            except RuntimeError as error:
                # Its semaphores are named by pid, and now and then one finds that of a process that is just ending.
                if "libfaketime" not in str(error) or not tries_left:
                    raise

    def __exit__(self, kind, error, trace):
        self.is_supervising = False
        with self.freezing:
            self.may_freeze = False
        self.thaw()
        for node in self.nodes:
            if node.process:
                node.kill()
        try:
            if self.database.data.exists():
                self.database.stop()
        except (RuntimeError, subprocess.TimeoutExpired):
            say("PostgreSQL was down already")
        if self.bucket:
            self.bucket.kill()
        run("umount", self.blobs, check=False)
        # A node's mount namespace may hold it for a moment longer.
        until(10, lambda: run("losetup", "-j", self.disk, check=False).stdout == "")
        for space in [*(node.space for node in self.nodes), self.database.space,
                      *([self.bucket.space] if self.bucket else []), self.hub]:
            remove_namespace(space)

    def erase(self, keep_logs_in: Path | None):
        if keep_logs_in:
            keep_logs_in.mkdir(parents=True, exist_ok=True)
            for node in self.nodes:
                if (node.folder / "node.log").exists():
                    shutil.copy(node.folder / "node.log", keep_logs_in / f"{node.name}.log")
            if self.database.log.exists():
                shutil.copy(self.database.log, keep_logs_in / "postgres.log")
            if self.bucket and self.bucket.log.exists():
                shutil.copy(self.bucket.log, keep_logs_in / "seaweed.log")
        shutil.rmtree(self.folder, ignore_errors=True)

    # Looking after it.

    def enter_hub(self):
        """From here on this thread speaks to nodes as a client on the bridge does."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open(f"/run/netns/{self.hub}") as space:
            if libc.setns(space.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    def supervise(self):
        """As an init system does: what ended by itself is started again after a second, and noted."""
        self.enter_hub()
        while self.is_supervising:
            for node in self.nodes:
                if node.wanted and not node.has_been_ready:
                    node.is_ready()
                if node.wanted and not node.runs and self.is_supervising:
                    self.ends.append((node.name, node.process.returncode, node.has_been_ready))
                    say(f"{node.name} ended by itself with {node.process.returncode}")
                    time.sleep(1)
                    if node.wanted and not node.runs:
                        node.start()
            time.sleep(0.2)

    def region(self, name: str) -> list[Node]:
        return [node for node in self.nodes if node.region == name]

    def agree(self) -> bool:
        """Every node takes every node for alive, and all have one view."""
        seen = [node.members() for node in self.nodes]
        names = {node.name for node in self.nodes}
        return all(told and told[0] == names for told in seen) and len({told[1] for told in seen}) == 1

    def wait_ready(self, limit: float = 60):
        slow = [node.name for node in self.nodes if node.wait_ready(limit) is None]
        if slow:
            raise RuntimeError(f"not ready after {limit} s: {', '.join(slow)}")

    def heal(self):
        """Whatever is broken, whole again; harmless where it is."""
        self.thaw()
        if self.bucket:
            self.bucket.heal()
        (self.blobs / "filler").unlink(missing_ok=True)
        for node in self.nodes:
            node.rules()
            node.signal(signal.SIGCONT)
            for pid, _ in node.processes():
                try:
                    os.kill(pid, signal.SIGCONT)
                except ProcessLookupError:
                    pass
            if not node.runs and not node.wanted:
                node.start()

    def freeze(self) -> bool:
        """False when the lab is being taken down."""
        with self.freezing:
            if self.may_freeze:
                run("fsfreeze", "--freeze", self.blobs)
            return self.may_freeze

    def thaw(self):
        if self.bucket:
            return
        run("fsfreeze", "--unfreeze", self.blobs, check=False)
