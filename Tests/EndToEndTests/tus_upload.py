"""Uploads a file with tuspy through a balancer that sends each request to the next node, and kills one in the middle.

    python3 tus_upload.py FILE CHUNK_BYTES URL PID [URL PID ...]

The first node is killed (SIGKILL) while half of the chunk in the middle of the file has gone to it. tuspy knows none of
this: it has one address and tries again when a request fails. Prints one line of JSON: where the upload is, how many
bytes of bodies went over the wire, how many requests each node got, and how long it took.
"""

import json
import os
import signal
import socket
import sys
import threading
import time
from urllib.parse import urlparse

from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError


class Balancer:
    """Connections to the nodes in turn; one that cannot be reached is passed over."""

    def __init__(self, nodes, victim, kill_at):
        self.nodes, self.victim, self.kill_at = nodes, victim, kill_at
        self.lock = threading.Lock()
        self.turn = 0
        self.body_bytes = 0
        self.requests = {name: 0 for name, _ in nodes}
        self.killed_at = None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def connect(self):
        with self.lock:
            for _ in self.nodes:
                name, address = self.nodes[self.turn % len(self.nodes)]
                self.turn += 1
                try:
                    server = socket.create_connection(address)
                except OSError:
                    continue
                self.requests[name] += 1
                return name, server
        raise OSError("no node can be reached")

    def serve(self, client):
        try:
            name, server = self.connect()
        except OSError:
            client.close()
            return
        back = threading.Thread(target=self.copy_back, args=(server, client), daemon=True)
        back.start()
        head = b""
        try:
            while True:
                block = client.recv(1 << 16)
                if not block:
                    break
                body = len(block)
                if head is not None:
                    # A connection carries one request: what follows its head is its body.
                    head += block
                    end = head.find(b"\r\n\r\n")
                    body = max(0, len(head) - end - 4) if end >= 0 else 0
                    head = None if end >= 0 else head
                with self.lock:
                    self.body_bytes += body
                    due = self.killed_at is None and name == self.victim[0] and self.body_bytes >= self.kill_at
                    if due:
                        self.killed_at = self.body_bytes
                server.sendall(block)
                if due:
                    os.kill(self.victim[1], signal.SIGKILL)
        except OSError:
            pass
        for end in (client, server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        back.join()
        client.close()
        server.close()

    @staticmethod
    def copy_back(server, client):
        try:
            while block := server.recv(1 << 16):
                client.sendall(block)
        except OSError:
            pass
        for end in (client, server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def main():
    path, chunk_bytes = sys.argv[1], int(sys.argv[2])
    nodes = []
    for url, pid in zip(sys.argv[3::2], sys.argv[4::2]):
        parsed = urlparse(url)
        nodes.append((url, (parsed.hostname, parsed.port), int(pid)))
    size = os.path.getsize(path)
    middle = size // 2 // chunk_bytes * chunk_bytes + chunk_bytes // 2
    balancer = Balancer([(url, address) for url, address, _ in nodes], (nodes[0][0], nodes[0][2]), middle)
    began = time.monotonic()
    client = TusClient(balancer.address + "/api/uploads", headers={"Connection": "close"})
    uploader = client.uploader(
        file_path=path, chunk_size=chunk_bytes, retries=20, retry_delay=0.2, metadata={"filename": "talk.mp4"})
    # tuspy tries a chunk again, and asks for the offset first; that request may meet the dying node too.
    for attempt in range(20):
        try:
            uploader.upload()
            break
        except (TusCommunicationError, OSError):
            if attempt == 19:
                raise
            time.sleep(0.2)
            uploader.offset = uploader.get_offset()
    print(json.dumps({
        "upload": uploader.url.rsplit("/", 1)[1], "size": size, "bodyBytes": balancer.body_bytes,
        "killedAt": balancer.killed_at, "requests": balancer.requests,
        "seconds": round(time.monotonic() - began, 3),
    }))


main()
