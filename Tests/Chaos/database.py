"""A real PostgreSQL in a namespace of its own: what is committed is on the disk, and nodes reach it over the bridge."""

import os
import pwd
from pathlib import Path

from shell import Machine, run, until
from wire import ServerError, Wire

CONNECTIONS_MAX = 60


class Database(Machine):
    def __init__(self, hub: str, space: str, address: str, folder: Path):
        super().__init__(hub, space, 253, address, folder)
        self.data, self.socket, self.log = folder / "postgres", folder / "socket", folder / "postgres.log"
        self.programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[0]

    def command(self, program: str, *arguments):
        """As the user postgres, who alone may run the server, and in the server's namespace."""
        return self.inside("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "env", "HOME=/tmp",
                           self.programs / program, *arguments)

    def create(self):
        user = pwd.getpwnam("postgres")
        for folder in (self.data, self.socket):
            folder.mkdir()
            os.chown(folder, user.pw_uid, user.pw_gid)
            folder.chmod(0o700)
        self.log.touch()
        os.chown(self.log, user.pw_uid, user.pw_gid)
        run(*self.command("initdb", "--pgdata", self.data, "--username", "tijera", "--auth", "trust", "--encoding",
                          "UTF8", "--locale", "C.UTF-8", "--data-checksums"))
        with open(self.data / "postgresql.conf", "a") as settings:
            settings.write(f"""
listen_addresses = '{self.address}'
unix_socket_directories = '{self.socket}'
max_connections = {CONNECTIONS_MAX}
shared_buffers = '64MB'
fsync = on
synchronous_commit = on
full_page_writes = on
log_line_prefix = '%m [%p] %a '
""")
        with open(self.data / "pg_hba.conf", "a") as rules:
            rules.write("host all all 10.78.0.0/24 trust\n")
        self.start()
        # Nodes are no superusers, so the last slots of the server stay ours when they or the fault take all others.
        with_server = Wire(str(self.socket), database="postgres")
        with_server.query("create role node login")
        with_server.query("create database tijera owner node")
        with_server.close()

    @property
    def url(self) -> str:
        return f"postgresql://node@{self.address}/tijera"

    def control(self, *arguments):
        # pg_ctl hands its standard output on to the server, which would keep our pipe open.
        text = " ".join(f"'{part}'" for part in self.command("pg_ctl", "-D", self.data, "-l", self.log, "-w", "-t", 60,
                                                             *arguments))
        run("bash", "-c", f"{text} </dev/null >/dev/null 2>&1", timeout=90)

    def start(self):
        self.control("start")

    def restart_at_once(self):
        """As a power cut of the server alone: no process of it may say goodbye."""
        self.control("-m", "immediate", "restart")

    def stop(self):
        self.control("-m", "immediate", "stop")

    def query(self, text: str, limit: float = 60) -> list[tuple]:
        wire = Wire(str(self.socket), limit=limit)
        try:
            return wire.query(text)
        finally:
            wire.close()

    def query_patiently(self, text: str) -> list[tuple]:
        """Through a restart of the server."""
        answer = []

        def asked() -> bool:
            try:
                answer.append(self.query(text))
                return True
            except ServerError:
                return False

        if until(60, asked, 0.05) is None:
            raise RuntimeError("the database did not come back within 60 s")
        return answer[0]
