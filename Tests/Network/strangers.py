"""Strangers who knock at a node's socket for other nodes, each wrong in one point.

    python3 strangers.py HOST PORT CERTS MEMBER [FLOOD]

CERTS: a folder with what `make_bad_certificates` makes, and with `MEMBER.pem` and its key, copies of a living node's.
Prints one line of JSON: what the node answered to each stranger. With FLOOD, that many of those who need not be waited
for come, and only their number is printed.
"""

import concurrent.futures
import json
import re
import socket
import ssl
import struct
import subprocess
import sys
import time

HELLO, GO_AWAY = 1, 3
MUST_UNDERSTAND = 0x8000
CODES = {1: "malformedHello", 2: "noCommonVersion", 3: "otherCluster", 4: "notCertified", 5: "ownName", 7: "otherLane",
         8: "olderEpoch", 9: "otherPlacement", 12: "tookTooLong", 102: "protocolError", 103: "silent"}


def make_bad_certificates(folder, ca):
    """One good one, and of another CA, expired, without a name. `ca`: the folder of the cluster's CA."""
    script = """
        set -euo pipefail
        cd "$1"
        make() { # NAME SAN CA DAYS
            openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" \\
                -keyout "$1.key" -out "$1.csr"
            openssl x509 -req -in "$1.csr" -CA "$3.pem" -CAkey "$3.key" -set_serial "$RANDOM$RANDOM" -days "$4" \\
                -out "$1.pem" -extfile <(printf '%s\\n' "basicConstraints=critical,CA:FALSE" \\
                    "extendedKeyUsage=serverAuth,clientAuth" ${2:+"subjectAltName=$2"})
        }
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9 -subj "/CN=another CA" \\
            -addext "keyUsage=critical,keyCertSign,cRLSign" -keyout other-ca.key -out other-ca.pem
        make stranger DNS:stranger "$2/ca" 9
        make unknown DNS:stranger other-ca 9
        make nameless "" "$2/ca" 9
        make expired DNS:stranger "$2/ca" -1
    """
    subprocess.run(["bash", "-c", script, "-", folder, ca], check=True, capture_output=True, timeout=30)


def frame(kind, payload, stream=0, version=0, flags=MUST_UNDERSTAND):
    return struct.pack(">IBBHI", 8 + len(payload), version, kind, flags, stream) + payload


def hello(name="stranger", epoch=1, cluster="lab", versions=(1, 1), placement="none"):
    """docs/protocol.md, "Hello"; on the lane for calls."""
    fields = [
        (1, bytes(versions)), (2, cluster.encode()), (3, name.encode()), (4, struct.pack(">Q", epoch)),
        (5, b"\x02\x00"), (6, bytes(16)), (7, placement.encode()), (8, struct.pack(">4I", 1 << 20, 1024, 64, 1 << 18)),
    ]
    return frame(HELLO, b"TJRA" + b"".join(struct.pack(">BH", tag, len(value)) + value for tag, value in fields))


def go_away(heard):
    """The reason and the text of the node's farewell."""
    while len(heard) >= 12:
        length, _, kind, _, _ = struct.unpack(">IBBHI", heard[:12])
        payload, heard = heard[12:4 + length], heard[4 + length:]
        if kind == GO_AWAY and len(payload) >= 2:
            code = struct.unpack(">H", payload[:2])[0]
            return CODES.get(code, str(code)), payload[2:].decode()
    return "closed", ""


class Door:
    def __init__(self, host, port, certs):
        self.address, self.certs = (host, port), certs

    def connect(self, limit=10.0):
        return socket.create_connection(self.address, timeout=limit)

    def context(self, certificate):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["tijera/1"])
        if certificate:
            context.load_cert_chain(f"{self.certs}/{certificate}.pem", f"{self.certs}/{certificate}.key")
        return context

    @staticmethod
    def listen(connection):
        """All that comes until the node closes, in whichever way it does."""
        heard = b""
        try:
            while more := connection.recv(65536):
                heard += more
        except OSError as error:
            if isinstance(error, TimeoutError):
                return heard, "still open"
        return heard, "closed"

    def plain(self, *pieces, pause=0.0):
        with self.connect() as connection:
            try:
                for piece in pieces:
                    connection.sendall(piece)
                    if pause:
                        time.sleep(pause)
            except OSError:
                return "closed"
            return self.listen(connection)[1]

    def after_tls(self, pieces, certificate="stranger", pause=0.0):
        """What the node says to bytes that come over good TLS: its reason for closing, and the text."""
        try:
            with self.connect() as raw, self.context(certificate).wrap_socket(raw) as connection:
                try:
                    for piece in pieces:
                        connection.sendall(piece)
                        if pause:
                            time.sleep(pause)
                except OSError:
                    # It has closed; its reason was said before.
                    pass
                heard, end = self.listen(connection)
                reason, text = go_away(heard)
                return (reason if end == "closed" else end), text
        except OSError as error:
            return "closed", str(error)

    def recorded(self):
        """The bytes of a conversation that the node would take, as they go over the wire."""
        inbound, outbound = ssl.MemoryBIO(), ssl.MemoryBIO()
        talk = self.context("stranger").wrap_bio(inbound, outbound)
        sent = b""
        with self.connect() as connection:
            while True:
                try:
                    talk.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    piece = outbound.read()
                    sent += piece
                    connection.sendall(piece)
                    inbound.write(connection.recv(65536))
            talk.write(hello())
            sent += outbound.read()
        return sent


def placement(door):
    """Who asks with another one is told the node's own."""
    text = door.after_tls([hello()])[1]
    return re.search(r"places keys by (\S+), ", text).group(1)


def strangers(door, member):
    """Name and deed of each."""
    slowly = [bytes([byte]) for byte in hello()]
    client_hello = door.recorded()[:200]
    own = placement(door)
    return {
        "garbage before TLS": lambda: door.plain(bytes(range(256)) * 16),
        "another protocol": lambda: door.plain(b"GET / HTTP/1.1\r\nHost: node\r\n\r\n"),
        "no certificate": lambda: door.after_tls([hello()], certificate=None)[0],
        "another CA": lambda: door.after_tls([hello()], certificate="unknown")[0],
        "an expired certificate": lambda: door.after_tls([hello()], certificate="expired")[0],
        "a certificate without a name": lambda: door.after_tls([hello()], certificate="nameless")[0],
        "a recording": lambda: door.plain(door.recorded()),
        "one byte of TLS at a time": lambda: door.plain(*(bytes([byte]) for byte in client_hello), pause=0.25),
        "garbage after TLS": lambda: door.after_tls([bytes(range(255, -1, -1))])[0],
        "a frame of two gigabytes": lambda: door.after_tls([b"\x7f\xff\xff\xff" + frame(HELLO, b"")[4:]])[0],
        "one byte of hello at a time": lambda: door.after_tls(slowly, pause=0.25)[0],
        "another cluster": lambda: door.after_tls([hello(cluster="staging")])[0],
        "a future version": lambda: door.after_tls([hello(versions=(7, 9))])[0],
        "another's name": lambda: door.after_tls([hello(name=member, placement=own)])[0],
        "an old life of a node": lambda: door.after_tls([hello(name=member, placement=own)], certificate=member)[0],
    }


def main(arguments):
    host, port, certs, member = arguments[0], int(arguments[1]), arguments[2], arguments[3]
    door = Door(host, port, certs)
    deeds = strangers(door, member)
    if len(arguments) > 4:
        quick = [deed for name, deed in deeds.items() if "at a time" not in name]
        count = int(arguments[4])
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            ends = list(pool.map(lambda number: quick[number % len(quick)](), range(count)))
        print(json.dumps({"closed": sum(end != "still open" for end in ends)}))
        return
    with concurrent.futures.ThreadPoolExecutor(len(deeds)) as pool:
        told = {name: pool.submit(deed) for name, deed in deeds.items()}
        print(json.dumps({name: end.result() for name, end in told.items()}))


if __name__ == "__main__":
    main(sys.argv[1:])
