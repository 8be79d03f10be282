"""What failed for good under the faults is tried again when these are over. Every video is good, so it must succeed."""

import json
from dataclasses import dataclass

from client import GaveUp

# How often an operator requeues: of one job five clips are made again at one time.
ROUNDS_MAX = 3


@dataclass(frozen=True)
class Failed:
    """A job in an error, or a clip that its job became ready without."""

    job: str
    ordinal: int | None
    failure: str

    def __str__(self) -> str:
        return self.job if self.ordinal is None else f"clip {self.ordinal} of {self.job}"

    def told(self) -> dict:
        told = json.loads(self.failure)
        return told.get("failure", told)


class Mender:
    """By the clients whose jobs they are, or every other seed by an operator, all at once."""

    def __init__(self, checker):
        self.checker, self.lab = checker, checker.lab

    def run(self, limit: float):
        failed = self.failed()
        for each in failed:
            self.judge(each)
        self.compare(failed)
        if failed:
            # A round's seed is a text.
            (self.by_operator if int(self.checker.seed) % 2 else self.by_clients)(failed, limit)
        still = self.failed()
        for each in still:
            self.checker.stuck.append(f"{each} fails although nothing is broken any more: {each.failure}")
        made = {(each.job, each.ordinal) for each in failed} - {(each.job, each.ordinal) for each in still}
        self.checker.made_again = sum(ordinal is not None for _, ordinal in made)

    def failed(self) -> list[Failed]:
        jobs = self.checker.query("select id, failure::text from job where status = 'error'")
        clips = self.checker.query("""select job, ordinal, clip.failure::text from clip join job on job.id = clip.job
            where job.status = 'ready' and clip.state = 'error'""")
        return ([Failed(job, None, failure) for job, failure in jobs]
                + [Failed(job, int(ordinal), failure) for job, ordinal, failure in clips])

    def judge(self, failed: Failed):
        told = failed.told()
        kind = f"{told.get('code')} ({told.get('class')})" + ("" if failed.ordinal is None else " of a clip")
        self.checker.first_errors[kind] += 1
        if told.get("class") == "poison" and told.get("code") != "stage_crashed_repeatedly":
            self.checker.other.append(f"{failed}: a good video was blamed for a fault of ours: {failed.failure}")

    def compare(self, failed: list[Failed]):
        """Operators are shown the same, neither more nor less."""
        answer = self.ask("GET", "dead-letters?limit=500")
        if answer is None:
            return
        shown = {(job["id"], clip["ordinal"]) for job in answer["jobs"] for clip in job.get("missingClips", [])}
        shown |= {(job["id"], None) for job in answer["jobs"] if "missingClips" not in job}
        there = {(each.job, each.ordinal) for each in failed}
        if shown != there and not answer.get("nextCursor"):
            self.checker.other.append(
                f"dead letters are {sorted(there, key=str)} and shown are {sorted(shown, key=str)}")

    def by_clients(self, failed: list[Failed], limit: float):
        client = self.checker.client
        for each in failed:
            try:
                wished = client.retry(each.job) if each.ordinal is None else client.render_again(each.job, each.ordinal)
            except GaveUp as error:
                wished = error
            if wished not in (200, 201, 202):
                self.checker.stuck.append(f"{each} failed and could not be asked for again: {wished}")
        self.checker.wait_for_the_end(limit)

    def by_operator(self, failed: list[Failed], limit: float):
        skipped = []
        for _ in range(ROUNDS_MAX):
            answer = self.ask("POST", "dead-letters/requeue?limit=500")
            if answer is None:
                return
            skipped += answer["skipped"]
            self.checker.wait_for_the_end(limit)
            if not self.failed():
                # An order that was sent twice, because no answer came in time, passes over what the first one did.
                return
        self.checker.stuck.append(f"dead letters could not be requeued: {skipped}")

    def ask(self, method: str, path: str) -> dict | None:
        answers = []
        for node in self.lab.nodes:
            answer = node.operator(method, path)
            if answer and answer[0] == 200:
                return answer[1]
            answers.append(answer)
        self.checker.other.append(f"no node answers an operator's {method} {path} well: {answers}")
        return None
