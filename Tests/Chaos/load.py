"""A steady load of small jobs, and what its clients were told."""

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from client import Client, GaveUp
from shell import say, start_thread
from videos import Video, own_bytes

ASPECTS = ["16:9", "1:1", "9:16", "4:5"]
ENDED = ("ready", "error", "cancelled")


@dataclass
class Told:
    """What one client knows of one job. `None`: it was never told."""

    key: str
    upload: str | None = None
    job: str | None = None
    status: str | None = None
    cancelled: int | None = None
    deleted: int | None = None
    # An order to delete was sent, whatever became of it.
    wanted_gone: bool = False
    gave_up: list[str] = field(default_factory=list)


class Load:
    def __init__(self, lab, videos: list[Video], seed: int, clients: int, has_speech: bool):
        self.lab, self.videos, self.has_speech = lab, videos, has_speech
        self.answers: Counter = Counter()
        self.told: list[Told] = []
        self.wrong: list[str] = []
        self.stopping = threading.Event()
        self.threads = [start_thread(self.run, random.Random(f"{seed} client {number}")) for number in range(clients)]

    def stop(self, limit: float):
        """No new jobs; waits until the clients have followed theirs to the end."""
        self.stopping.set()
        end = time.monotonic() + limit
        for thread in self.threads:
            thread.join(max(0, end - time.monotonic()))
        if any(thread.is_alive() for thread in self.threads):
            say("some clients still wait for an answer")

    def run(self, chance: random.Random):
        self.lab.enter_hub()
        client = Client(self.lab.nodes, chance, self.answers)
        while not self.stopping.is_set():
            told = Told(key=f"key-{chance.getrandbits(96):x}")
            self.told.append(told)
            try:
                self.one_job(client, told, chance)
            except GaveUp as error:
                told.gave_up.append(str(error))
            except AssertionError as error:
                self.wrong.append(str(error))

    def one_job(self, client: Client, told: Told, chance: random.Random):
        video = chance.choice(self.videos)
        # One in eight sends bytes that were seen before: results are then shared between jobs, also by deletion.
        content = video.bytes if chance.random() < 0.125 else own_bytes(video, chance)
        is_heard = self.has_speech and chance.random() < 0.12
        told.upload = client.upload(content, None if is_heard else video.srt)
        options = {
            "language": "en", "clipCount": 2 if video.seconds >= 7 and chance.random() < 0.3 else 1, "minSeconds": 3,
            "maxSeconds": 3.5, "aspect": chance.choice(ASPECTS), "subtitles": chance.choice(["off", "srt", "burned"]),
            "smartCrop": chance.random() < 0.3}
        told.job = client.submit(told.upload, options, told.key)
        fate = chance.random()
        if fate < 0.08:
            time.sleep(chance.uniform(0, 5))
            told.cancelled = client.cancel(told.job)
        elif fate < 0.16:
            time.sleep(chance.uniform(0, 5))
            self.delete(client, told)
            return
        self.follow(client, told)
        if told.status and chance.random() < 0.2:
            self.delete(client, told)

    @staticmethod
    def delete(client: Client, told: Told):
        told.wanted_gone = True
        told.deleted = client.delete(told.job)

    def follow(self, client: Client, told: Told):
        while True:
            view = client.show(told.job)
            if view is None:
                self.wrong.append(f"{told.job} was taken in and is not there any more")
                return
            if view["job"]["status"] in ENDED:
                told.status = view["job"]["status"]
                return
            # Whatever has not ended by then is for the checker to wait for.
            if self.stopping.is_set():
                return
            time.sleep(0.5)
