"""Clients that never wait: a request goes to each node once at most, to the next as soon as one has not answered well.

When no node did, the request has failed. Well is 2xx, and what says that nothing is left to do: 409 `job_already_ended`
of a cancel, for a job may be quicker than whoever stops it (a cancel that is repeated gets 200), and 404 of a delete
when a node before broke off and may have carried it out. Every POST goes to all nodes with one Idempotency-Key. Other
409s, that a request with this key still runs, are no good answers: they tell a client to wait.
"""

import json
import random
import threading
import time
from collections import Counter

from client import Client, upload_form, upload_taken
from load import ASPECTS, Load, Told
from shell import start_thread
from videos import own_bytes

READERS, READS_EACH_SECOND = 4, 40
# With what `Load` sends from the same address this stays below what one client may begin (`limits.uploadsPerMinute` and
# `limits.jobsPerMinute`: 120 at once, and then two a second). A limit that refuses would be no fault of a restart.
WRITERS, UPLOADS_EACH_SECOND = 4, 2
# The share of a writer's jobs that it lets run to the end. The rest goes again, so that the queue does not grow.
JOBS_KEPT = 0.125
SECONDS_TO_STOP = 60


def is_good(method: str, answer: tuple, may_be_done: bool) -> bool:
    status, _, content = answer
    if method == "DELETE" and status == 404:
        return may_be_done
    return status < 300 or (status == 409 and b'"job_already_ended"' in content)


class Impatient:
    """Threads that take turns, and what became of their requests."""

    def __init__(self, name: str, nodes: list, threads: int, turns_each_second: float, seed: int):
        self.name, self.nodes, self.pause = name, nodes, threads / turns_each_second
        self.stopping, self.lock = threading.Event(), threading.Lock()
        self.asked: Counter = Counter()
        self.elsewhere, self.slowest = 0, 0.0
        self.failed: list[str] = []
        self.threads = [start_thread(self.run, random.Random(f"{seed} {name} {number}")) for number in range(threads)]

    def run(self, chance: random.Random):
        client = Client(self.nodes, chance, Counter())
        start = time.monotonic()
        # A turn that took long does not make the next one wait longer, and is not made up for either.
        while not self.stopping.wait(max(0, start + self.pause * chance.uniform(0.5, 1.5) - time.monotonic())):
            start = time.monotonic()
            try:
                self.turn(client)
            except Exception as error:
                # A good status and an answer that is none. The thread goes on: who asks less sees fewer failures.
                self.fail(f"{type(error).__name__}: {error}")

    def turn(self, client: Client):
        raise NotImplementedError

    def ask(self, client: Client, kind: str, method: str, path: str, body=None, headers=None) -> bytes | None:
        """What the first node that answered well said; None: none did, which is noted."""
        start, bad, may_be_done, answer = time.monotonic(), [], False, None
        for node in client.chance.sample(self.nodes, len(self.nodes)):
            answer = client.once(node, method, path, body, headers)
            if answer and is_good(method, answer, may_be_done):
                break
            bad.append(f"{node.name} {client.ended_with}")
            may_be_done = may_be_done or answer is None or answer[0] >= 500
            answer = None
        with self.lock:
            self.asked[kind] += 1
            self.elsewhere += bool(bad)
            self.slowest = max(self.slowest, time.monotonic() - start)
        if answer is None:
            self.fail(f"{method} {path}: {', '.join(bad)}")
        return answer and answer[2]

    def fail(self, text: str):
        with self.lock:
            self.failed.append(f"{time.strftime('%H:%M:%S')} {text}")

    def stop(self):
        self.stopping.set()
        end = time.monotonic() + SECONDS_TO_STOP
        for thread in self.threads:
            thread.join(max(0, end - time.monotonic()))
        if hanging := sum(thread.is_alive() for thread in self.threads):
            self.fail(f"{hanging} of the {self.name} have no answer {SECONDS_TO_STOP} s after the end")
        if not self.asked:
            self.fail(f"the {self.name} asked for nothing")

    def figures(self) -> dict:
        count = self.asked.total()
        kinds = ", ".join(f"{kind} {number}" for kind, number in sorted(self.asked.items()))
        return {
            f"requests of {self.name}": f"{count} ({kinds})",
            f"requests of {self.name} answered": count - len(self.failed),
            f"requests of {self.name} not answered well by the first node that was asked": self.elsewhere,
            f"slowest answer to {self.name}, s": round(self.slowest, 2)}

    @property
    def wrong(self) -> list[str]:
        return [f"a request of {self.name} failed: {failed}" for failed in self.failed]


class Readers(Impatient):
    PATHS = {"list": "/api/jobs?limit=3", "health": "/api/health", "page": "/"}

    def __init__(self, nodes: list, seed: int):
        super().__init__("readers", nodes, READERS, READS_EACH_SECOND, seed)

    def turn(self, client: Client):
        kind = client.chance.choice(list(self.PATHS))
        self.ask(client, kind, "GET", self.PATHS[kind])


class Writers(Impatient):
    """Each turn is an upload, an order of a job and, mostly, the end of that job. What they are told is for the checker
    to hold the cluster to, like what the clients of `load` are told."""

    def __init__(self, nodes: list, load: Load, seed: int):
        self.load = load
        super().__init__("writers", nodes, WRITERS, UPLOADS_EACH_SECOND, seed)

    def turn(self, client: Client):
        told = Told(key=self.key(client))
        self.load.told.append(told)
        told.upload = self.upload(client)
        if told.upload is None:
            return
        told.job = self.order(client, told)
        if told.job is None or client.chance.random() < JOBS_KEPT:
            return
        # Some jobs are stopped before they begin, and some at work. No request waits for this.
        time.sleep(client.chance.uniform(0, 1.5))
        if client.chance.random() < 0.5:
            self.cancel(client, told)
        else:
            self.delete(client, told)

    @staticmethod
    def key(client: Client) -> str:
        return f"writer-{client.chance.getrandbits(96):x}"

    def upload(self, client: Client) -> str | None:
        video = client.chance.choice(self.load.videos)
        content = own_bytes(video, client.chance)
        body, headers = upload_form(content, video.srt, client.chance)
        headers["Idempotency-Key"] = self.key(client)
        answer = self.ask(client, "upload", "POST", "/api/upload", body, headers)
        return answer and upload_taken(answer, content)

    def order(self, client: Client, told: Told) -> str | None:
        options = {"language": "en", "clipCount": 1, "minSeconds": 3, "maxSeconds": 3.5,
                   "aspect": client.chance.choice(ASPECTS), "subtitles": "srt", "smartCrop": False}
        headers = {"Content-Type": "application/json", "Idempotency-Key": told.key}
        body = json.dumps({"uploadId": told.upload, "options": options})
        answer = self.ask(client, "order", "POST", "/api/jobs", body, headers)
        return answer and json.loads(answer)["jobId"]

    def cancel(self, client: Client, told: Told):
        headers = {"Idempotency-Key": self.key(client)}
        answer = self.ask(client, "cancel", "POST", f"/api/jobs/{told.job}/cancel", None, headers)
        # Not what came too late for a job that had ended: such a job keeps its end.
        if answer and b'"job_already_ended"' not in answer:
            told.cancelled = 200

    def delete(self, client: Client, told: Told):
        told.wanted_gone = True
        if self.ask(client, "delete", "DELETE", f"/api/jobs/{told.job}") is not None:
            told.deleted = 204
