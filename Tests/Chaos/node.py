"""One node in a network namespace of its own, and what may be done to it."""

import http.client
import json
import os
import signal
import subprocess
import threading
import time

from shell import Server, everything, run, until

HTTP_PORT, PEER_PORT = 8080, 7400
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


class Node(Server):
    http_port = HTTP_PORT

    def __init__(self, lab, number: int, region: str):
        self.lab, self.region = lab, region
        self.name = f"chaos-{number}"
        super().__init__(
            lab.hub, f"{lab.mark}-{number}", number, f"{lab.net}{number + 1}", lab.folder / self.name)
        # One fault at a time: on a slow machine one may take longer than its plan allowed for.
        self.under_fault = threading.Lock()
        # What the lab wants of it; the supervisor starts again what ended without being told to.
        self.wanted = False
        self.has_been_ready = False
        # Its processes when they were last looked at, by pid: when each began. Two faults may look at one time, and the
        # older look must not have the last word.
        self.known: dict[int, str] = {}
        self.looking = threading.Lock()

    def configure(self, seeds: str):
        self.folder.mkdir(parents=True)
        certs, lab = self.lab.folder / "certs", self.lab
        (self.folder / "node.yaml").write_text(f"""
node:
  name: {self.name}
  region: {self.region}
cluster:
  name: chaos
  host: {self.address}
  port: {PEER_PORT}
  seeds: "{seeds}"
  certificate: "{certs}/{self.name}.pem"
  key: "{certs}/{self.name}.key"
  authorities: "{certs}/ca.pem"
http:
  host: {self.address}
  port: {HTTP_PORT}
limits:
  uploadsPerMinute: 1000000
  jobsPerMinute: 1000000
store:
  url: "{lab.database.url}"
blobs:
  {lab.blobs_of(self)}
  freeBytesMin: {lab.free_bytes_min}
cpu:
  threads: 2
  machineThreads: 2
speech:
  model: "{lab.models}/ggml-base.bin"
vision:
  faceModel: "{lab.models}/face_detection_yunet_2023mar.onnx"
admin:
  tokenFile: "{lab.folder}/admin-token"
""")

    # Its life.

    def start(self, offset: str = ""):
        """`offset`: how far its clock of the day is off, as libfaketime says it."""
        command = [self.lab.tijera, "node", "--config", str(self.folder / "node.yaml")]
        if offset:
            # The monotonic clock stays right, as it does when somebody sets the clock of a machine. The library would
            # set FAKETIME_SHARED itself, which moves the environment, behind which Swift looks for its arguments.
            command = ["env", f"LD_PRELOAD={FAKETIME}", f"FAKETIME={offset}", "FAKETIME_DONT_FAKE_MONOTONIC=1",
                       "FAKETIME_SHARED=/none /none", *command]
        with open(self.folder / "node.log", "ab") as log:
            self.process = subprocess.Popen(
                self.inside(*command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.started_at = time.monotonic()
        self.has_been_ready = False
        self.wanted = True

    def kill(self):
        self.wanted = False
        self.signal(signal.SIGKILL)
        self.process.wait()

    def terminate(self, limit: float = 30):
        """Asks it to go. Seconds it took, or None when it had to be killed."""
        self.wanted = False
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        start = time.monotonic()
        try:
            self.process.wait(limit)
            return time.monotonic() - start
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def is_ready(self) -> bool:
        """Only from a thread in the hub's namespace."""
        connection = http.client.HTTPConnection(self.address, HTTP_PORT, timeout=2)
        try:
            connection.request("GET", "/readyz")
            ready = connection.getresponse().status == 200
            self.has_been_ready = self.has_been_ready or ready
            return ready
        except OSError:
            return False
        except http.client.HTTPException:
            return False
        finally:
            connection.close()

    def wait_ready(self, limit: float = 60):
        return until(limit, self.is_ready)

    def operator(self, method: str, path: str):
        """(status, JSON) of an operator's request, or None; only from a thread in the hub's namespace."""
        connection = http.client.HTTPConnection(self.address, HTTP_PORT, timeout=8)
        try:
            token = (self.lab.folder / "admin-token").read_text().strip()
            connection.request(method, f"/admin/v1/{path}", headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            return None
        finally:
            connection.close()

    def members(self) -> tuple[set[str], str] | None:
        """Whom it takes for alive, and the digest of its view; None when it does not say."""
        answer = self.operator("GET", "cluster")
        if not answer or answer[0] != 200:
            return None
        return {each["id"] for each in answer[1]["nodes"] if each["state"] == "alive"}, answer[1]["view"]["digest"]

    # Its children.

    def processes(self) -> list[tuple[int, str]]:
        """Everything of it that runs, but itself, as (pid, command).

        A tool has a network of its own, without anything in it, so it is found through its parents; one that lost them
        is known from before.
        """
        with self.looking:
            own = self.process.pid if self.runs else 0
            inside = {int(pid) for pid in run("ip", "netns", "pids", self.space, check=False).stdout.split()}
            living = everything()
            below = inside | {pid for pid, began in self.known.items() if pid in living and living[pid].began == began}
            while below:
                inside |= below
                below = {pid for pid, each in living.items() if each.parent in inside} - inside
            self.known = {pid: living[pid].began for pid in inside if pid in living}
            return [(pid, living[pid].command) for pid in sorted(self.known) if pid != own and living[pid].command]

    def tools(self, speech: bool) -> list[int]:
        """Pids of its ffmpegs, or of its speech workers."""
        if speech:
            return [pid for pid, command in self.processes() if "speech-worker" in command and "setpriv" not in command]
        return [pid for pid, command in self.processes() if command.split()[0].endswith(("/ffmpeg", "/ffprobe"))]
