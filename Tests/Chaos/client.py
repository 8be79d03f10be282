"""A good client: it asks again, of another node, with the same Idempotency-Key, until it has an answer."""

import hashlib
import http.client
import json
import random
import socket
import time
from collections import Counter


class GaveUp(Exception):
    """No answer that settles the question came in time."""


def upload_form(content: bytes, srt: bytes | None, chance: random.Random) -> tuple[bytes, dict]:
    """Body and headers of `POST /api/upload`."""
    boundary = f"chaos{chance.getrandbits(64):x}"
    parts = [("file", "talk.mp4", "video/mp4", content)]
    if srt:
        parts.append(("transcript", "talk.srt", "application/x-subrip", srt))
    body = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\n'
        f"Content-Type: {kind}\r\n\r\n".encode() + data + b"\r\n" for name, file, kind, data in parts)
    body += f"--{boundary}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def upload_taken(answer: bytes, content: bytes) -> str:
    """The id of the upload, which must be of these bytes."""
    told = json.loads(answer)
    if told["bytes"] != len(content) or told["sha256"] != hashlib.sha256(content).hexdigest():
        raise AssertionError(f"an upload of {len(content)} bytes was taken for {told}")
    return told["uploadId"]


def problem_code(content: bytes) -> str:
    """What an answer says of itself; nothing when it is no problem of ours, but of a proxy or cut short."""
    try:
        return json.loads(content)["code"]
    except (ValueError, KeyError, TypeError):
        return ""


class Client:
    def __init__(self, nodes, chance: random.Random, answers: Counter, patience: float = 120):
        self.nodes, self.chance, self.answers, self.patience = nodes, chance, answers, patience
        # How the last try ended, in words for people.
        self.ended_with = ""

    def once(self, node, method: str, path: str, body=None, headers=None, limit: float = 8):
        """(status, headers, bytes) of one try at one node, or None when there was no whole answer."""
        connection = http.client.HTTPConnection(node.address, node.http_port, timeout=limit)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            content = answer.read()
            self.answers[f"{method} {answer.status}"] += 1
            self.ended_with = f"{answer.status} {problem_code(content) if answer.status >= 400 else ''}".rstrip()
            return answer.status, answer.headers, content
        except (OSError, http.client.HTTPException) as error:
            kind = "no answer in time" if isinstance(error, socket.timeout) else type(error).__name__
            self.answers[f"{method} {kind}"] += 1
            self.ended_with = kind
            return None
        finally:
            connection.close()

    def ask(self, method: str, path: str, body=None, headers=None, settled=lambda status: status < 500):
        """The first answer that is `settled`, from whatever node; sent again until then."""
        end, pause = time.monotonic() + self.patience, 0.1
        while time.monotonic() < end:
            answer = self.once(self.chance.choice(self.nodes), method, path, body, headers)
            # Another request of ours with this key may still run: its answer is asked for again, as it says.
            if answer and settled(answer[0]) and answer[0] != 429 and b"idempotency_key_in_use" not in answer[2]:
                return answer
            time.sleep(pause * (0.5 + self.chance.random()))
            pause = min(2, pause * 2)
        raise GaveUp(f"{method} {path}")

    # What a client wants.

    def upload(self, content: bytes, srt: bytes | None) -> str:
        body, headers = upload_form(content, srt, self.chance)
        status, _, answer = self.ask("POST", "/api/upload", body, headers)
        if status != 201:
            raise AssertionError(f"an upload was answered with {status}: {answer[:300]!r}")
        return upload_taken(answer, content)

    def submit(self, upload: str, options: dict, key: str) -> str:
        body = json.dumps({"uploadId": upload, "options": options})
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        status, _, answer = self.ask("POST", "/api/jobs", body, headers)
        if status not in (200, 201, 202):
            raise AssertionError(f"a job was answered with {status}: {answer[:300]!r}")
        return json.loads(answer)["jobId"]

    def show(self, job: str) -> dict | None:
        """The job with its clips; None when there is no such job."""
        status, _, answer = self.ask("GET", f"/api/jobs/{job}")
        return json.loads(answer) if status == 200 else None

    def cancel(self, job: str) -> int:
        return self.ask("POST", f"/api/jobs/{job}/cancel")[0]

    def retry(self, job: str) -> int:
        return self.ask("POST", f"/api/jobs/{job}/retry")[0]

    def render_again(self, job: str, ordinal: int) -> int:
        wish = json.dumps({"clipId": f"clip_{job.removeprefix('job_')}_{ordinal}"}).encode()
        return self.ask("POST", f"/api/jobs/{job}/rerender", wish, {"Content-Type": "application/json"})[0]

    def delete(self, job: str) -> int:
        return self.ask("DELETE", f"/api/jobs/{job}")[0]

    def download(self, path: str) -> tuple[dict, bytes]:
        status, headers, content = self.ask("GET", path)
        if status != 200:
            raise AssertionError(f"GET {path} was answered with {status}: {content[:300]!r}")
        return headers, content
