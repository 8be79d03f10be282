"""The product, from outside: a video goes in by HTTP, clips and their manifest come out."""

import http.client
import json
import time
import uuid
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from tools import say
from video import Made, Video

ENDED = ("ready", "error", "cancelled")
# Too often, or the node is too busy to serve just now.
LATER = (429, 503)
REFUSED_SECONDS_MAX = 300


class Product:
    def __init__(self, data: Path, results: Path, patience: float = 1800):
        """`data`: the folder of a running cluster (`cluster/up --data`); `results`: where clips are put."""
        self.data, self.results, self.patience = data, results, patience
        cluster = json.loads((data / "cluster.json").read_text())
        self.host = urlsplit(cluster["nodes"][0]["http"]).netloc

    def ask(self, method: str, path: str, body=None, headers=None) -> bytes:
        """The body of a good answer. Who is told to come later comes later: it did nothing."""
        end = time.monotonic() + REFUSED_SECONDS_MAX
        while True:
            connection = http.client.HTTPConnection(self.host, timeout=300)
            try:
                connection.request(method, path, body=body, headers=headers or {})
                answer = connection.getresponse()
                content = answer.read()
            finally:
                connection.close()
            if answer.status not in LATER or time.monotonic() > end:
                break
            time.sleep(int(answer.headers.get("Retry-After", "1")))
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path} was answered with {answer.status}: {content[:500]!r}")
        return content

    def submit(self, video: Video) -> str:
        boundary = uuid.uuid4().hex
        parts = [("file", "video.mp4", "video/mp4", video.path)]
        if video.transcript:
            parts.append(("transcript", "words.json", "application/json", video.transcript))
        body = b"".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\n'
            f"Content-Type: {kind}\r\n\r\n".encode() + path.read_bytes() + b"\r\n" for name, file, kind, path in parts)
        body += f"--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        upload = json.loads(self.ask("POST", "/api/upload", body, headers))["uploadId"]
        job = json.dumps({"uploadId": upload, "options": video.options})
        return json.loads(self.ask("POST", "/api/jobs", job, {"Content-Type": "application/json"}))["jobId"]

    def make(self, videos: list[Video], set_name: str) -> list[Made]:
        """Hands all videos in and waits for all."""
        jobs = [(video, self.submit(video)) for video in videos]
        return [self.collect(video, job, set_name) for video, job in jobs]

    def collect(self, video: Video, job: str, set_name: str) -> Made:
        end = time.monotonic() + self.patience
        while (view := json.loads(self.ask("GET", f"/api/jobs/{job}")))["job"]["status"] not in ENDED:
            if time.monotonic() > end:
                raise RuntimeError(f"{video.name} is not ready after {self.patience:.0f} s: {view['job']['status']}")
            time.sleep(0.5)
        if view["job"]["status"] != "ready":
            raise RuntimeError(f"{video.name} ended as {view['job']['status']}: {view['job'].get('error')}")
        clips = whole(view["clips"], video.name)
        folder = self.results / set_name / video.name
        folder.mkdir(parents=True, exist_ok=True)
        manifest = json.loads(self.ask("GET", f"/api/jobs/{job}/manifest"))
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False))
        made = Made(video, view["job"], clips, manifest, _seconds(view["job"]), folder)
        for clip in clips:
            made.file(clip, "mp4").write_bytes(self.ask("GET", clip["links"]["download"]))
            if clip["hasSubtitles"]:
                vtt = self.ask("GET", f"/api/clips/{clip['id']}/subtitles?format=vtt")
                made.file(clip, "vtt").write_bytes(vtt)
        say(f"{set_name}/{video.name}: {len(clips)} clips in {made.seconds:.0f} s")
        return made

    def waterfall(self, made: Made) -> dict:
        return json.loads(self.ask("GET", f"/api/jobs/{made.job['id']}/waterfall"))["waterfall"]

    def result(self, made: Made, stage: str, file: str):
        """What a stage left and the API does not show, from the folder of the cluster's blobs."""
        folder = self.data / "blobs/objects/results" / made.job["id"].removeprefix("job_")
        found = sorted(folder.glob(f"{stage}-0/*/{file}"))
        if not found:
            raise RuntimeError(f"{made.video.name}: there is no {file} of the stage {stage} in {folder}")
        return json.loads(found[-1].read_text())


def whole(clips: list[dict], name: str) -> list[dict]:
    """The clips of a job that ended well. A clip that failed, and a job without any, must not make the figures better
    by being left out. Fewer than `clipCount` are no mistake by themselves: a short video has no room for more."""
    if not clips:
        raise RuntimeError(f"{name} has no clips")
    for clip in clips:
        if clip["state"] != "ready":
            raise RuntimeError(f"clip {clip['ordinal'] + 1} of {name} ended as {clip['state']}: {clip.get('error')}")
    return clips


def _seconds(job: dict) -> float:
    started, ended = (datetime.fromisoformat(job[name].replace("Z", "+00:00")) for name in ("startedAt", "endedAt"))
    return (ended - started).total_seconds()
