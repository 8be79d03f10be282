"""A machine that is a network namespace: it hangs on a bridge that is in one, too, and its network can be broken.

Used by Tests/Network and by Tests/Chaos.
"""

import os
import subprocess
from pathlib import Path


def run(*command, check=True, timeout=60):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=timeout)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}")
    return done


def make_bridge(hub: str, address: str):
    """A namespace with a bridge, on which `address` is that of whoever is in it."""
    run("ip", "netns", "add", hub)
    run("ip", "-n", hub, "link", "add", "br0", "type", "bridge")
    run("ip", "-n", hub, "addr", "add", f"{address}/24", "dev", "br0")
    run("ip", "-n", hub, "link", "set", "br0", "up")


def remove_namespace(space: str):
    run("ip", "netns", "del", space, check=False)


def may_make_namespaces() -> bool:
    name = f"tijera-{os.getpid()}-try"
    made = run("ip", "netns", "add", name, check=False).returncode == 0
    remove_namespace(name)
    return made


class Machine:
    def __init__(self, hub: str, space: str, number: int, address: str, folder: Path):
        """`number`: another one for each machine on the bridge. `folder`: where its files are."""
        self.hub, self.space, self.address, self.folder = hub, space, address, folder
        self.interface, self.plug = f"in{number}", f"out{number}"

    def wire(self):
        run("ip", "netns", "add", self.space)
        run("ip", "-n", self.space, "link", "set", "lo", "up")
        run("ip", "-n", self.hub, "link", "add", self.plug, "type", "veth", "peer", "name", self.interface)
        run("ip", "-n", self.hub, "link", "set", self.interface, "netns", self.space)
        run("ip", "-n", self.hub, "link", "set", self.plug, "master", "br0", "up")
        run("ip", "-n", self.space, "addr", "add", f"{self.address}/24", "dev", self.interface)
        run("ip", "-n", self.space, "link", "set", self.interface, "up")

    def unwire(self):
        remove_namespace(self.space)

    def inside(self, *command) -> list[str]:
        return ["ip", "netns", "exec", self.space, *map(str, command)]

    # Faults of its network.

    def rules(self, *lines: str):
        """Replaces all of them by these; none heals."""
        text = "flush ruleset\n"
        if lines:
            text += "table inet faults {\n"
            for hook in ("input", "output"):
                text += f"  chain {hook} {{ type filter hook {hook} priority 0;\n"
                text += "".join(f"    {line[len(hook) + 1:]}\n" for line in lines if line.startswith(hook + " "))
                text += "  }\n"
            text += "}\n"
        path = self.folder / "faults.nft"
        path.write_text(text)
        run(*self.inside("nft", "-f", path))

    def cut_from(self, others: list[str], ways=("input", "output")):
        """Drops what comes from these addresses, what goes to them, or both."""
        lines = []
        for address in others:
            lines += [f"input ip saddr {address} drop"] if "input" in ways else []
            lines += [f"output ip daddr {address} drop"] if "output" in ways else []
        self.rules(*lines)
