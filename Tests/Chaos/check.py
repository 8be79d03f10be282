"""What must hold after everything: over the tables, the events, the disk, the processes and what clients were told."""

import hashlib
import os
import random
import time
from collections import Counter, defaultdict
from pathlib import Path

from client import Client, GaveUp
from lab import Lab
from load import ENDED, Load, Told
from mend import Mender
from shell import run, say, until

# Events of a job, oldest first.
EVENTS = """select job, kind, coalesce(stage_name, ''), coalesce(stage_index, 0), coalesce(node, ''),
    extract(epoch from at)::float8, id from event order by job, id"""


class Checker:
    def __init__(self, lab: Lab, load: Load, seed: int | str):
        self.lab, self.load, self.seed = lab, load, seed
        self.lost: list[str] = []
        self.twice: list[str] = []
        self.stuck: list[str] = []
        self.other: list[str] = []
        # Figures for the report.
        self.counts: Counter = Counter()
        self.first_errors: Counter = Counter()
        self.made_again = 0
        self.client = Client(lab.nodes, random.Random(f"{seed} checker"), Counter())

    def query(self, text: str) -> list[tuple]:
        return self.lab.database.query(text)

    @property
    def wrong(self) -> list[str]:
        return [*self.lost, *self.twice, *self.stuck, *self.other]

    # Waiting for the end of the work.

    def wait_for_the_end(self, limit: float):
        def open_jobs() -> list[tuple]:
            return self.query("select id, status from job where status in ('pending', 'processing')")

        took = until(limit, lambda: not open_jobs(), 0.5)
        self.counts["seconds until all had ended"] = round(took or limit, 1)
        for job, status in open_jobs():
            stages = self.query(f"""select name, index, state, attempts, holder, failure->>'code' from stage
                where job = '{job}' and state in ('ready', 'running')""")
            self.stuck.append(f"{job} is {status} {limit:.0f} s after the last fault; {stages}")

    # What clients were told.

    def check_promises(self):
        jobs = dict(self.query("select id, status from job"))
        self.counts["jobs taken in"] = sum(1 for told in self.load.told if told.job)
        for told in self.load.told:
            self._check_promise(told, jobs)
        self.counts["jobs that are there at the end"] = len(jobs)
        self.counts["clients that gave up on one request"] = sum(len(told.gave_up) for told in self.load.told)
        for upload, count in self.query("select upload, count(*) from job group by upload having count(*) > 1"):
            self.twice.append(f"one order with one key made {count} jobs of {upload}")
        for told_wrong in self.load.wrong:
            self.lost.append(told_wrong)
        known = {told.upload for told in self.load.told if told.upload and not told.wanted_gone}
        uploads = {row[0] for row in self.query("select id from upload")}
        for upload in sorted(known - uploads):
            self.lost.append(f"{upload} was taken in and is not there any more")

    def _check_promise(self, told: Told, jobs: dict):
        if told.job is None:
            return
        if told.job not in jobs:
            if not told.wanted_gone:
                self.lost.append(f"{told.job} was taken in and is not there any more")
            return
        status = jobs[told.job]
        if told.deleted in (204, 404):
            self.other.append(f"{told.job} was deleted ({told.deleted}) and is {status}")
        if told.cancelled == 200 and status != "cancelled":
            self.other.append(f"{told.job} was cancelled and is {status}")
        if status == "cancelled" and told.cancelled is None and not told.gave_up:
            self.other.append(f"{told.job} is cancelled and nobody asked for it")
        if told.status and told.status != "error" and told.status != status:
            self.other.append(f"{told.job} was {told.status} for its client and is {status}")
        if status not in ENDED and not self.stuck:
            self.stuck.append(f"{told.job} is {status}")
        self.counts[f"jobs {status}"] += 1

    # What the tables and the events say.

    def check_tables(self):
        self._check_events()
        self._check_tally()
        for row in self.query("""select job, name, index, epoch, settled_epoch, reused, result.blobs[1] from stage
                join result on result.id = stage.result where state = 'done'"""):
            self._check_result(*row)
        self.counts["stages done"] = int(self.query("select count(*) from stage where state = 'done'")[0][0])
        left = int(self.query("""select count(*) from result
            where not exists (select from stage where stage.result = result.id)""")[0][0])
        self.counts["results that no stage names"] = left
        bad_ends = """select job.id, job.status, count(*) from job join stage on stage.job = job.id
            where job.status in ('ready', 'error', 'cancelled') and stage.state in ('ready', 'running')
            group by 1, 2"""
        for job, status, count in self.query(bad_ends):
            self.stuck.append(f"{job} is {status} and {count} of its stages have not ended")
        for job, ordinal, state in self.query("""select job, ordinal, clip.state from clip join job on job.id = clip.job
                where job.status = 'ready' and clip.state <> 'ready'"""):
            self.lost.append(f"clip {ordinal} of {job} is {state} though the job is ready")

    def _check_events(self):
        done, started, ready, last_kind = Counter(), Counter(), Counter(), {}
        revised: Counter = Counter()
        for job, kind, name, index, node, at, number in self.query(EVENTS):
            if kind == "stage.done":
                done[job, name, index] += 1
            elif kind == "stage.started":
                started[job, name, index] += 1
            elif kind == "job.ready":
                ready[job] += 1
            elif kind == "job.revised":
                revised[job] += 1
            if kind.startswith("job."):
                last_kind[job] = kind
        self.twice += [f"{key} was published {count} times" for key, count in done.items() if count > 1]
        self.twice += [f"{job} became ready {count} times" for job, count in ready.items() if count > 1 + revised[job]]
        for job, name, index, state, epoch in self.query("select job, name, index, state, epoch from stage"):
            key = (job, name, index)
            if started[key] != int(epoch):
                self.other.append(f"{key} has epoch {epoch} after {started[key]} claims")
            if (state == "done") != (done[key] == 1):
                self.other.append(f"{key} is {state} and was published {done[key]} times")
        kinds = {"ready": "job.ready", "error": "job.failed", "cancelled": "job.cancelled"}
        for job, status in self.query("select id, status from job"):
            if status in kinds and last_kind.get(job) != kinds[status]:
                self.other.append(f"{job} is {status} but its last event is {last_kind.get(job)}")
        self.counts["claims"] = sum(started.values())

    def _check_tally(self):
        """A job becomes ready once, so it is counted once. Deleted jobs stay counted and cannot be looked up."""
        counted = int(self.query("""select (select coalesce(sum(count), 0) from tally where name = 'jobs_ready')
            + (select coalesce(sum((effect->'counts'->>'jobs_ready')::int), 0) from outbox)""")[0][0])
        there = int(self.query("select count(*) from job where status = 'ready'")[0][0])
        known = {row[0] for row in self.query("select id from job")}
        gone = sum(1 for told in self.load.told if told.job and told.job not in known)
        self.counts["ready jobs counted through the outbox"] = counted
        if counted < there:
            self.lost.append(f"{there} jobs are ready and {counted} were counted")
        if counted > there + gone:
            self.twice.append(f"{there} jobs are ready, {gone} are gone, and {counted} were counted")

    def _check_result(self, job, name, index, epoch, settled_epoch, reused, blob):
        if settled_epoch != epoch:
            self.other.append(f"{job} {name}[{index}]: a report of epoch {settled_epoch} counted in epoch {epoch}")
        if reused == "f" and blob:
            expected = f"results/{job.removeprefix('job_')}/{name}-{index}/{epoch}/"
            if not blob.startswith(expected):
                self.other.append(f"{job} {name}[{index}] in epoch {epoch} published {blob}")

    # The bytes.

    def check_bytes(self):
        there = self.stored()
        for blob in sorted(self.named_blobs() - there):
            self.lost.append(f"the blob {blob} is named and is not there")
        clips = self.query("""select clip.job, ordinal from clip join job on job.id = clip.job
            where job.status = 'ready' and clip.state = 'ready' order by 1, 2""")
        sample = set(random.Random(self.seed).sample(range(len(clips)), min(8, len(clips))))
        views: dict[str, dict] = {}
        for number, (job, ordinal) in enumerate(clips):
            view = views.setdefault(job, self.client.show(job) or {"clips": []})
            found = [clip for clip in view["clips"] if clip["ordinal"] == int(ordinal)]
            if not found:
                self.lost.append(f"clip {ordinal} of {job} is ready and is not shown")
                continue
            self._check_clip(found[0], number in sample)
        self.counts["clips downloaded and compared"] = len(clips)

    def _check_clip(self, clip: dict, is_probed: bool):
        try:
            headers, content = self.client.download(clip["links"]["download"])
            digest = hashlib.sha256(content).hexdigest()
            if int(headers["Content-Length"]) != len(content) or len(content) != clip["videoBytes"]:
                self.lost.append(f"{clip['id']} has {len(content)} bytes, should have {clip['videoBytes']}")
            if digest != clip["videoSHA256"]:
                self.lost.append(f"{clip['id']} has other bytes than were published")
            for kind in ("srt", "vtt", "thumbnail"):
                if clip["links"].get(kind):
                    self.client.download(clip["links"][kind])
        except (AssertionError, GaveUp) as error:
            self.lost.append(f"{clip['id']}: {error}")
            return
        if is_probed:
            path = self.lab.folder / "sample.mp4"
            path.write_bytes(content)
            probe = run("ffprobe", "-v", "error", "-show_entries", "format=duration:stream=codec_type", "-of", "csv",
                        path, check=False)
            if probe.returncode or "video" not in probe.stdout or probe.stderr:
                self.lost.append(f"{clip['id']} is no video: {probe.stdout}{probe.stderr}")
            self.counts["clips probed"] += 1

    @property
    def objects(self) -> Path:
        return self.lab.blobs / "objects"

    def named_blobs(self) -> set[str]:
        results = self.query("select distinct unnest(blobs) from result")
        uploads = self.query("select blob from upload union select transcript->>'blob' from upload")
        return {row[0] for row in results + uploads if row[0]}

    # What is left behind.

    def stop_nodes(self):
        self.lab.is_supervising = False
        for node in self.lab.nodes:
            if node.runs and node.terminate() is None:
                self.stuck.append(f"{node.name} did not stop within 30 s")
            if until(5, lambda: not node.processes()) is None:
                self.other.append(f"orphans in the space of {node.name}: {node.processes()[:5]}")

    def check_leftovers(self):
        """After the sweep: nodes sweep what is an hour old when they start, so all is made two hours old."""
        before = self.leftovers()
        self.counts["blobs that nothing names, before the sweep"] = len(before)
        self.stop_nodes()
        if self.lab.bucket:
            # There nothing is old enough before 25 hours have passed, and nobody can set the time of an object.
            return
        then = time.time() - 2 * 3600
        for folder, _, files in os.walk(self.objects):
            for file in files:
                os.utime(os.path.join(folder, file), (then, then))
        for node in self.lab.nodes:
            node.start()
        self.lab.wait_ready()
        until(20, lambda: not self.leftovers(), 0.5)
        after = self.leftovers()
        jobs = {row[0] for row in self.query("select id from job")}
        sorts: dict[str, list[str]] = defaultdict(list)
        for blob in sorted(after):
            parts = blob.split("/")
            if parts[0] == "uploads":
                sorts["of an upload without a row"].append(blob)
            else:
                exists = "job_" + parts[1] in jobs
                sorts["of a job that is there" if exists else "of a deleted job"].append(blob)
        self.counts["blobs that nothing names, after the sweep"] = len(after)
        for sort, blobs in sorts.items():
            self.other.append(f"{len(blobs)} blobs {sort} stay after the sweep: {', '.join(blobs[:3])}")
        for blob in sorted(self.named_blobs() - self.stored()):
            self.lost.append(f"the sweep removed {blob}, which is named")
        rooms = [name for name in os.listdir(self.lab.blobs / "scratch") if name.startswith("life-")]
        if len(rooms) > len(self.lab.nodes):
            self.other.append(f"{len(rooms)} rooms of scratch for {len(self.lab.nodes)} nodes")

    def stored(self) -> set[str]:
        """Names of all blobs that are there."""
        if self.lab.bucket:
            return self.lab.bucket.objects()
        return {os.path.relpath(os.path.join(folder, file), self.objects)
                for folder, _, files in os.walk(self.objects) for file in files}

    def leftovers(self) -> set[str]:
        found = self.stored()
        # Marks by which nodes see that they share the folder are named nowhere.
        return {blob for blob in found - self.named_blobs() if not blob.startswith("cluster/")}

    def check_agreement(self):
        """All nodes are members for all again."""
        if until(60, self.lab.agree, 0.5) is None:
            self.other.append("60 s after the last fault the nodes do not agree who is a member")

    def run(self, limit: float):
        say("healed; waiting until every job has ended")
        self.wait_for_the_end(limit)
        Mender(self).run(limit)
        self.check_agreement()
        self.check_promises()
        self.check_tables()
        say("comparing bytes")
        self.check_bytes()
        say("sweeping")
        self.check_leftovers()
        self.stop_nodes()
        for name, code, was_ready in self.lab.ends:
            self.counts["nodes that ended by themselves, " + ("running" if was_ready else "starting")] += 1
            if was_ready or code < 0:
                self.other.append(f"{name} ended by itself with {code}")
