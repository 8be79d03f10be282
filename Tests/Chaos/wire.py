"""Enough of PostgreSQL's protocol to ask questions and to hold connections: simple queries, texts back, no password."""

import socket
import struct


class ServerError(Exception):
    """The server refused, or is gone."""


class Wire:
    def __init__(self, folder: str, user: str = "tijera", database: str = "tijera", limit: float = 10):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(limit)
        self.buffer = b""
        try:
            self.socket.connect(f"{folder}/.s.PGSQL.5432")
            fields = f"user\0{user}\0database\0{database}\0application_name\0chaos\0\0".encode()
            self.socket.sendall(struct.pack("!ii", len(fields) + 8, 196608) + fields)
            self._answer()
        except OSError as error:
            self.close()
            raise ServerError(str(error)) from error
        except ServerError:
            self.close()
            raise

    def query(self, text: str) -> list[tuple]:
        """The rows of the last statement of `text`; every value is a text or None."""
        body = text.encode() + b"\0"
        try:
            self.socket.sendall(b"Q" + struct.pack("!i", len(body) + 4) + body)
            return self._answer()
        except OSError as error:
            raise ServerError(str(error)) from error

    def close(self):
        self.socket.close()

    def _read(self, count: int) -> bytes:
        while len(self.buffer) < count:
            more = self.socket.recv(1 << 16)
            if not more:
                raise ServerError("the server closed the connection")
            self.buffer += more
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def _answer(self) -> list[tuple]:
        rows, error = [], None
        while True:
            kind, length = struct.unpack("!ci", self._read(5))
            body = self._read(length - 4)
            if kind == b"D":
                rows.append(_row(body))
            elif kind == b"T":
                rows = []
            elif kind == b"E":
                fields = dict((part[:1], part[1:].decode()) for part in body.split(b"\0") if part)
                error = ServerError(f"{fields.get(b'C')}: {fields.get(b'M')}")
                # Before the first ReadyForQuery an error ends the connection.
                if fields.get(b"S") == "FATAL":
                    raise error
            elif kind == b"Z":
                if error:
                    raise error
                return rows


def _row(body: bytes) -> tuple:
    count, position, values = struct.unpack("!h", body[:2])[0], 2, []
    for _ in range(count):
        length = struct.unpack("!i", body[position:position + 4])[0]
        position += 4
        values.append(None if length < 0 else body[position:position + length].decode())
        position += max(0, length)
    return tuple(values)
