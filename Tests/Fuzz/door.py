"""Sends a node's door what no client should send: door.py HOST PORT SECONDS SEED.

Four clients write requests by hand: heads, multipart uploads, resumable uploads (tus and the IETF's), JSON and paths, whole or broken
at random. Whatever comes, the node answers with no 5xx, tells every refusal as application/problem+json with code, detail and hint, and
goes on answering others. Ends with 1 and the requests, in hexadecimal, when it does not. The same seed sends the same.
"""

import collections
import json
import random
import socket
import sys
import threading
import time

HOST, PORT, SECONDS, SEED = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
FAILURES_MAX = 5
counts = collections.Counter()
failures = []
lock = threading.Lock()

TOKENS = [
    b"\0", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b":", b";", b",", b"=", b'"', b"\\", b"%", b"%00", b"%2e%2e%2f", b"../", b"//", b"?", b"#",
    b"\xff", b"\xc3\x28", "ñ".encode(), "\u202e".encode(), b"-1", b"0", b"00", b"+1", b"1e9", b"0x10", b"9223372036854775807",
    b"9223372036854775808", b"99999999999999999999999", b"chunked", b"gzip", b"*", b"bytes=0-", b"bytes=-1", b"bytes=0-0,1-1,2-2", b"--", b" ",
    b"\t", b"a" * 300, b"a" * 5000, b"{}", b"[]", b"null", b"true", b'{"a":' * 50,
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW", "get"]
HEADERS = [
    "Accept", "Accept-Encoding", "Authorization", "Content-Type", "Content-Encoding", "Content-Disposition", "Cookie", "Expect", "Forwarded",
    "Idempotency-Key", "If-Match", "If-None-Match", "If-Range", "Last-Event-ID", "Origin", "Range", "Referer", "Tus-Resumable", "Upload-Length",
    "Upload-Offset", "Upload-Metadata", "Upload-Checksum", "Upload-Concat", "Upload-Complete", "Upload-Defer-Length", "Upload-Draft-Interop-Version",
    "X-API-Key", "X-Forwarded-For", "X-HTTP-Method-Override", "X-Request-Id", "Access-Control-Request-Method", "Access-Control-Request-Headers",
]


def paths(draw, known):
    job = draw.choice(known["jobs"] + ["job_06f2k3m9x4q8t1v5w7y0z2a6b8", "job_", "x", "%00", "..%2f..%2fetc%2fpasswd"])
    upload = draw.choice(known["uploads"] + ["upload_06f2k3m9x4q8t1v5w7y0z2a6b8", "upload_", "x"])
    clip = job.replace("job_", "clip_") + "_" + draw.choice(["0", "-1", "99999999999999999999", "a"])
    return draw.choice([
        "/", "/livez", "/readyz", "/api/health", "/api/metrics", "/api/openapi.json", "/api/jobs", "/api/jobs?limit=%s&cursor=%s" % (
            draw.choice(["1", "0", "-1", "x", "1000000"]), draw.choice(["", "x", job])), f"/api/jobs/{job}", f"/api/jobs/{job}/events",
        f"/api/jobs/{job}/manifest", f"/api/jobs/{job}/archive", f"/api/jobs/{job}/waterfall", f"/api/jobs/{job}/cancel", f"/api/jobs/{job}/retry",
        f"/api/clips/{clip}", f"/api/clips/{clip}/download", f"/api/clips/{clip}/subtitles?format=x", f"/api/clips/{clip}/thumbnail",
        f"/api/clips/{clip}/link", f"/api/uploads/{upload}", "/api/uploads", "/api/upload", "/api/imports", "/api/usage", "/admin/v1/status",
        "/admin/v1/keys", "/nowhere", "/api/nowhere", "//", "/%", "/api/%ff", "*",
    ])


def value(draw):
    return bytes(draw.choice(TOKENS)) if draw.random() < 0.5 else bytes(draw.randrange(32, 127) for _ in range(draw.randrange(0, 30)))


def head(draw, method, path, fields, body):
    lines = [f"{method} {path} HTTP/1.1".encode(), f"Host: {HOST}:{PORT}".encode(), b"Connection: close"]
    lines += [name.encode() + b": " + (text if isinstance(text, bytes) else str(text).encode()) for name, text in fields]
    if body is not None:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")


def heads(draw, known):
    fields = [(draw.choice(HEADERS), value(draw)) for _ in range(draw.randrange(0, 8))]
    body = draw.choice([None, None, b"", value(draw)])
    return head(draw, draw.choice(METHODS), paths(draw, known), fields, body)


def multipart(draw, known):
    boundary = draw.choice([b"b", b"b" * 70, b"b" * 71, b"", b"--", b"a b", b"\xff"])
    parts = []
    for _ in range(draw.randrange(0, 4)):
        name = draw.choice([b"file", b"transcript", b"other", b"", value(draw)])
        parts.append(
            b"--" + boundary + b'\r\nContent-Disposition: form-data; name="' + name + b'"; filename="' + value(draw) + b'"\r\n'
            + draw.choice([b"", b"Content-Type: video/mp4\r\n", value(draw) + b"\r\n"]) + b"\r\n"
            + draw.choice([known["video"], known["video"][:500], b"", b"abc", value(draw) * 10]) + b"\r\n")
    body = b"".join(parts) + draw.choice([b"--" + boundary + b"--\r\n", b"--" + boundary, b""])
    return head(draw, "POST", "/api/upload", [("Content-Type", b"multipart/form-data; boundary=" + boundary)], body)


def tus(draw, known):
    video, ietf = known["video"], draw.random() < 0.4
    version = [("Upload-Draft-Interop-Version", draw.choice(["8", "9", "x"]))] if ietf else [
        ("Tus-Resumable", draw.choice(["1.0.0", "1.0.0", "1.0.0", "0.2.2", ""]))]
    numbers = [0, 1, len(video), len(video) - 1, -1, 10**19, "x", ""]
    fields = version + draw.sample([
        ("Upload-Length", draw.choice(numbers)), ("Upload-Offset", draw.choice(numbers)), ("Upload-Defer-Length", draw.choice([1, 0, "x"])),
        ("Upload-Metadata", draw.choice([b"filename dGFsaw==", b"filename", b"filename !", b",,", value(draw)])),
        ("Upload-Checksum", draw.choice([b"sha1 AAAA", b"sha256 x", b"crc32 AAAA", value(draw)])),
        ("Upload-Concat", draw.choice([b"partial", b"final;", b"final;/api/uploads/x", value(draw)])),
        ("Upload-Complete", draw.choice(["?1", "?0", "x"])), ("X-HTTP-Method-Override", draw.choice(METHODS)),
    ], draw.randrange(0, 5))
    method = draw.choice(["POST", "PATCH", "HEAD", "DELETE", "OPTIONS", "GET", "PUT"])
    path = "/api/uploads" if draw.random() < 0.4 else "/api/uploads/" + draw.choice(known["uploads"] + ["x", "upload_06f2k3m9x4q8t1v5w7y0z2a6b8"])
    kind = draw.choice(["application/offset+octet-stream", "application/partial-upload", "text/plain"])
    body = draw.choice([None, b"", video, video[:1000], value(draw)]) if method in ("POST", "PATCH", "PUT") else None
    return head(draw, method, path, fields + [("Content-Type", kind)], body)


def documents(draw, known):
    def thing(depth):
        kinds = [
            lambda: draw.choice([0, -1, 1.5, 1e308, 10**30, True, None, "", "x" * 3000, "\u0000", "ñ\ud800".encode("utf-8", "replace").decode()]),
            lambda: [thing(depth - 1) for _ in range(draw.randrange(0, 4))],
            lambda: {draw.choice(names): thing(depth - 1) for _ in range(draw.randrange(0, 5))},
        ]
        return draw.choice(kinds if depth > 0 else kinds[:1])()

    names = ["uploadId", "sourceUrl", "options", "priority", "clipCount", "minSeconds", "maxSeconds", "aspectRatio", "subtitles", "language",
             "keywords", "file", "expiresInSeconds", "format", "fileName", ""]
    body = thing(4)
    if isinstance(body, dict) and draw.random() < 0.5 and known["uploads"]:
        body["uploadId"] = draw.choice(known["uploads"])
    text = json.dumps(body).encode() if draw.random() < 0.9 else b"[" * draw.randrange(1, 5000)
    path = draw.choice(["/api/jobs", "/api/imports", "/api/clips/clip_06f2k3m9x4q8t1v5w7y0z2a6b8_0/link"])
    fields = [("Content-Type", draw.choice(["application/json", "application/json; charset=x", "text/plain", value(draw)]))]
    if draw.random() < 0.3:
        fields.append(("Idempotency-Key", draw.choice([b"k", b'"k"', value(draw)])))
    return head(draw, "POST", path, fields, text)


def broken(draw, request):
    request = bytearray(request)
    for _ in range(draw.choice([0, 0, 1, 1, 2, 5])):
        place = draw.randrange(0, len(request) + 1)
        # Where something is looked at, not in the middle of a video.
        if draw.random() < 0.7:
            place = min(place, request.find(b"\r\n\r\n") % (len(request) + 1))
        kind = draw.randrange(0, 5)
        if kind == 0 and place < len(request):
            request[place] ^= 1 << draw.randrange(0, 8)
        elif kind == 1:
            del request[place:place + draw.randrange(1, 20)]
        elif kind == 2:
            request[place:place] = draw.choice(TOKENS)
        elif kind == 3:
            request[place:place] = request[place:place + draw.randrange(1, 200)]
        else:
            del request[place:]
    return bytes(request)


def ask(request, draw, patience):
    """The answer's bytes: whole, or as far as they came before the node waited for more or closed."""
    with socket.create_connection((HOST, PORT), timeout=10) as wire:
        wire.settimeout(5)
        try:
            if draw.random() < 0.2:
                cut = draw.randrange(0, len(request) + 1)
                wire.sendall(request[:cut])
                wire.sendall(request[cut:])
            else:
                wire.sendall(request)
        except OSError:
            pass  # Refused before all of it was sent; the answer is there all the same.
        answer = b""
        wire.settimeout(patience)
        try:
            while piece := wire.recv(1 << 16):
                answer += piece
                if len(answer) > 1 << 20 or b"text/event-stream" in answer[:2000] or is_whole(request, answer):
                    break
        except OSError:
            pass
        return answer


def is_whole(request, answer):
    """Whether all of an answer is here, as it says itself; one without a body may have said less."""
    lines, end, body = answer.lower().partition(b"\r\n\r\n")
    if not end:
        return False
    length = [line.split(b":")[1] for line in lines.split(b"\r\n") if line.startswith(b"content-length:")]
    return request[:4] == b"HEAD" or lines[9:12] in (b"204", b"304") or (bool(length) and len(body) >= int(length[0]))


def complaint(request, answer):
    """What is wrong with an answer; None: nothing."""
    lines, _, body = answer.partition(b"\r\n\r\n")
    parts = lines.split(b"\r\n")[0].split(b" ")
    if len(parts) < 2 or not parts[1].isdigit():
        return "no HTTP"
    status = int(parts[1])
    counts[status] += 1
    if status >= 500:
        return f"{status}"
    if status < 400 or request[:4] == b"HEAD" or b"method-override: head" in request.lower():
        return None
    fields = dict(line.split(b": ", 1) for line in lines.lower().split(b"\r\n")[1:] if b": " in line)
    if not fields.get(b"content-type", b"").startswith(b"application/problem+json"):
        return f"{status} is told as {fields.get(b'content-type')}"
    if len(body) < int(fields.get(b"content-length", b"0")):
        return None  # We closed first.
    try:
        problem = json.loads(body[:int(fields[b"content-length"])])
        missing = [name for name in ("code", "detail", "hint", "status") if not problem.get(name)]
        return f"{status} lacks {missing}" if missing else None
    except (ValueError, KeyError) as error:
        return f"{status}: {error}"


def run(number, known, end):
    draw = random.Random(SEED * 1000 + number)
    makers = [heads, multipart, tus, documents]
    while time.monotonic() < end and len(failures) < FAILURES_MAX:
        maker = draw.choice(makers)
        whole = maker(draw, known)
        request = broken(draw, whole)
        counts[maker.__name__] += 1
        try:
            # Of what is broken the node may wait for the rest.
            answer = ask(request, draw, patience=5 if request == whole else 0.15)
        except OSError as error:
            with lock:
                failures.append((f"cannot connect: {error}", request))
            return
        if not answer:
            counts["no answer"] += 1
            continue
        text = complaint(request, answer)
        if text:
            with lock:
                failures.append((text, request))
        # Sessions that stand are worth more than names that do not.
        if b"\r\nlocation: /api/uploads/" in answer.lower():
            place = answer.lower().split(b"\r\nlocation: /api/uploads/")[1].split(b"\r\n")[0].decode()
            with lock:
                known["uploads"] = (known["uploads"] + [place])[-20:]


def alive():
    answer = ask(f"GET /livez HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode(), random.Random(0), patience=5)
    return answer.startswith(b"HTTP/1.1 200")


known = {"jobs": [], "uploads": [], "video": open(sys.argv[5], "rb").read()}
end = time.monotonic() + SECONDS
threads = [threading.Thread(target=run, args=(number, known, end)) for number in range(4)]
for thread in threads:
    thread.start()
while any(thread.is_alive() for thread in threads):
    time.sleep(1)
    if not alive():
        with lock:
            failures.append(("the node answers nobody any more", b""))
        break
for thread in threads:
    thread.join()
print(json.dumps({str(key): count for key, count in sorted(counts.items(), key=str)}))
asked = sum(counts[maker] for maker in ("heads", "multipart", "tus", "documents"))
answered = sum(count for key, count in counts.items() if isinstance(key, int))
if not alive():
    failures.append(("the node answers nobody afterwards", b""))
# A run that was refused at the first gate, or answered by nobody, has shown nothing.
if answered < asked / 3 or not all(counts[status] for status in (200, 201, 400, 404)):
    failures.append((f"{answered} of {asked} were answered, too few kinds of answers", b""))
for text, request in failures:
    print(f"FAILED {text}\n  {request[:4000].hex()}")
sys.exit(1 if failures else 0)
