"""A real SeaweedFS in a namespace of its own: the only place of the blobs when nodes share no disk."""

import json
import os
import secrets
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from shell import Server, run, until

NAME = "tijera"
PORTS = {"master": 9333, "volume": 8081, "filer": 8888, "s3": 8333}


class Bucket(Server):
    def __init__(self, hub: str, space: str, address: str, folder: Path):
        super().__init__(hub, space, 252, address, folder)
        cache = os.environ.get("TIJERA_CACHE") or os.path.expanduser("~/.cache/tijera")
        self.program = Path(cache) / "s3-servers/bin/weed"
        if not self.program.exists():
            raise RuntimeError(f"there is no SeaweedFS at {self.program}; cluster/chaos --blobs s3 installs it")
        self.data, self.log = folder / "data", folder / "weed.log"
        self.secret = secrets.token_hex(24)

    def create(self):
        self.data.mkdir(parents=True)
        identity = {"name": NAME, "credentials": [{"accessKey": NAME, "secretKey": self.secret}],
                    "actions": ["Admin", "Read", "List", "Tagging", "Write"]}
        (self.folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        self.start()

    def start(self):
        ports = [f"-{kind}.port={port}" for kind, port in PORTS.items()]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.inside(self.program, "server", f"-dir={self.data}", f"-ip={self.address}",
                            f"-ip.bind={self.address}", *ports, "-filer", "-s3", f"-s3.config={self.folder}/s3.json",
                            "-master.volumeSizeLimitMB=128", "-volume.max=200", "-volume.preStopSeconds=0",
                            "-s3.port.iceberg=0", "-s3.port.lance=0"),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def make(self):
        """From a thread in the hub's namespace: the first write is answered when all parts of the server have met."""
        def made() -> bool:
            answer = run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", "PUT", "--aws-sigv4",
                         "aws:amz:us-east-1:s3", "--user", f"{NAME}:{self.secret}",
                         f"http://{self.address}:{PORTS['s3']}/{NAME}", check=False).stdout
            return answer in ("200", "409")

        if until(60, made, 0.2) is None:
            raise RuntimeError(f"SeaweedFS did not make a bucket within 60 s; its log: {self.log}")

    def kill(self):
        self.signal(signal.SIGKILL)
        if self.process:
            self.process.wait()

    def heal(self):
        self.rules()
        self.signal(signal.SIGCONT)
        if not self.runs:
            self.start()

    def objects(self) -> set[str]:
        """Names of everything in the bucket, as the server's filer has them."""
        found, open_folders = set(), [""]
        while open_folders:
            folder, last = open_folders.pop(), ""
            while True:
                page = self._page(folder, last)
                for entry in page.get("Entries") or []:
                    name = entry["FullPath"].removeprefix(f"/buckets/{NAME}/")
                    # Uploads in parts stand in a folder of the server's own until they are whole.
                    if entry["Mode"] & 1 << 31 == 0:
                        found.add(name)
                    elif not name.startswith(".uploads"):
                        open_folders.append(name)
                if not page.get("ShouldDisplayLoadMore"):
                    break
                last = page["LastFileName"]
        return found

    def _page(self, folder: str, last: str) -> dict:
        request = urllib.request.Request(
            f"http://{self.address}:{PORTS['filer']}/buckets/{NAME}/{folder}{'/' if folder else ''}"
            f"?limit=1000&lastFileName={last}", headers={"Accept": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return {}
            raise
