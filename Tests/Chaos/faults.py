"""The faults of a plan, done to a lab."""

import contextlib
import os
import random
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field

from lab import MIB, Lab
from node import Node
from plan import KINDS, Fault
from shell import everything, run, say, start_thread, until
from wire import ServerError, Wire

# A tool that hangs is ended by its silence, 120 to 150 s; at the latest by its own limit, 180 s and 6 s for each second of
# a video of at most 8 s.
HUNG_SECONDS_MAX = 420
# Failures that say that a limit ended what hung.
LIMITS = ("tool_silent", "tool_wall_limit", "stage_time_limit", "stage_silent")
# In which a node that lives tells the database why its stage ended.
SECONDS_TO_REPORT = 30
# In which a fault has to end after the last has begun.
SECONDS_TO_END, SECONDS_TO_END_HUNG = 180, HUNG_SECONDS_MAX + 180

# A stage of a run, as (job, name, index, epoch).
Stage = tuple


@dataclass
class Injected:
    fault: Fault
    # Time of the day, as the events of the database have it.
    began: float = 0
    ended: float = 0
    # None: there was nothing to do it to.
    result: str | None = None
    # Seconds from the end of the fault until what was hit worked again.
    back: float | None = None
    wrong: list[str] = field(default_factory=list)
    # What the node ran when it was hit.
    running: list[Stage] = field(default_factory=list)
    # Of a tool that hung: the limit, or what else.
    ended_by: str | None = None


class Faults:
    def __init__(self, lab: Lab, plan: list[Fault], waits_for_work: bool = False):
        """`waits_for_work`: a node that is to be hit has up to six seconds to begin something that can be rescued."""
        self.lab, self.plan, self.waits_for_work = lab, plan, waits_for_work
        self.done: list[Injected] = []
        # Tools that hang now, or are being hit, as (pid, when it began). No other fault takes one of them, so that it
        # is known how each ended.
        self.hung: set[tuple[int, str]] = set()
        self.choosing = threading.Lock()

    def run(self):
        """Returns when the last fault is over."""
        start, threads = time.monotonic(), []
        for fault in self.plan:
            time.sleep(max(0, start + fault.at - time.monotonic()))
            threads.append((fault, start_thread(self.inject, fault)))
        for fault, thread in threads:
            limit = SECONDS_TO_END_HUNG if fault.kind == "hung ffmpeg" else SECONDS_TO_END
            thread.join(limit)
            if thread.is_alive():
                raise RuntimeError(f"a fault did not end within {limit} s: {fault.kind}")

    def inject(self, fault: Fault):
        self.lab.enter_hub()
        injected = Injected(fault, began=time.time())
        self.done.append(injected)
        node, need = self.lab.nodes[fault.node], KINDS[fault.kind][1]
        hit = {"node": [node], "region": self.lab.region(node.region)}.get(need, [])
        try:
            with contextlib.ExitStack() as held:
                # By number, so that two faults never wait for each other.
                for lock in [each.under_fault for each in hit] or [self.lab.under_fault[need]]:
                    held.enter_context(lock)
                injected.began = time.time()
                DEEDS[fault.kind](self, injected, node)
        except (RuntimeError, OSError, ServerError, subprocess.TimeoutExpired) as error:
            injected.wrong.append(f"{type(error).__name__}: {error}")
        injected.ended = injected.ended or time.time()
        where = f" ({', '.join(each.name for each in hit)})" if hit else ""
        back = f", back after {injected.back:.1f} s" if injected.back is not None else ""
        say(f"{fault.kind}{where}: {injected.result or 'nothing to hit'}{back}"
            + "".join(f"; WRONG: {wrong}" for wrong in injected.wrong))

    # Nodes.

    def running_on(self, node: Node) -> list[Stage]:
        """Empty when the database cannot be asked right now."""
        running = self.asked(node)
        if not running and self.waits_for_work:
            until(6, lambda: running.extend(self.asked(node)) or running, 0.05)
        return running

    def asked(self, node: Node) -> list[Stage]:
        try:
            return self.lab.database.query(
                f"select job, name, index, epoch from stage where state = 'running' and holder = '{node.name}'", 2)
        except ServerError:
            return []

    def must_be_ready(self, injected: Injected, *nodes: Node):
        injected.ended = time.time()
        for node in nodes:
            if node.wait_ready(90) is None:
                injected.wrong.append(f"{node.name} was not ready within 90 s")
                return
        injected.back = time.time() - injected.ended

    def take_down(self, injected: Injected, *nodes: Node):
        injected.running = [stage for node in nodes for stage in self.running_on(node)]
        injected.began = time.time()
        for node in nodes:
            # Those that are to be gone.
            node.processes()
            node.kill()
        for node in nodes:
            if until(5, lambda: not node.processes()) is None:
                injected.wrong.append(f"children of {node.name} outlived it: {node.processes()[:3]}")

    def kill(self, injected: Injected, node: Node):
        self.take_down(injected, node)
        time.sleep(injected.fault.seconds)
        node.start()
        injected.result = f"down for {injected.fault.seconds:.1f} s, {len(injected.running)} stages ran"
        self.must_be_ready(injected, node)

    def pause(self, injected: Injected, node: Node):
        injected.running = self.running_on(node)
        injected.began = time.time()
        node.signal(signal.SIGSTOP)
        time.sleep(injected.fault.seconds)
        node.signal(signal.SIGCONT)
        injected.result = f"stood for {injected.fault.seconds:.1f} s, {len(injected.running)} stages ran"
        self.must_be_ready(injected, node)

    def ask_to_stop(self, injected: Injected, node: Node):
        node.processes()
        took = node.terminate()
        if took is None:
            injected.wrong.append(f"{node.name} did not stop within 30 s and was killed")
        elif node.process.returncode != 0:
            injected.wrong.append(f"{node.name} was asked to stop and ended with {node.process.returncode}")
        if until(5, lambda: not node.processes()) is None:
            injected.wrong.append(f"children of {node.name} outlived it: {node.processes()[:3]}")
        time.sleep(injected.fault.seconds)
        node.start()
        injected.result = f"gone within {took or 30:.1f} s"
        self.must_be_ready(injected, node)

    def shift_clock(self, injected: Injected, node: Node):
        offset = "+1h" if "+1 h" in injected.fault.kind else "-1h"
        self.take_down(injected, node)
        node.start(offset)
        node.wait_ready(30)
        time.sleep(injected.fault.seconds)
        node.kill()
        node.start()
        injected.result = f"{offset} for {injected.fault.seconds:.1f} s"
        self.must_be_ready(injected, node)

    def cut(self, injected: Injected, node: Node):
        kind = injected.fault.kind
        addresses = [other.address for other in self.lab.nodes if other is not node]
        if "PostgreSQL" in kind:
            addresses = [self.lab.database.address]
        elif "object store" in kind:
            addresses = [self.lab.bucket.address]
        ways = ("input", "output")
        if "one way" in kind:
            ways = ("input",) if injected.fault.luck < 0.5 else ("output",)
        node.cut_from(addresses, ways)
        time.sleep(injected.fault.seconds)
        node.rules()
        injected.result = f"{' and '.join(ways)} for {injected.fault.seconds:.1f} s"
        self.must_be_ready(injected, node)

    # Regions.

    def cut_regions(self, injected: Injected, node: Node):
        """The nodes of one region hear nobody outside it; all still reach PostgreSQL."""
        inside = self.lab.region(node.region)
        outside = [other.address for other in self.lab.nodes if other not in inside]
        for each in inside:
            each.cut_from(outside)
        time.sleep(injected.fault.seconds)
        for each in inside:
            each.rules()
        injected.result = f"{node.region} cut off for {injected.fault.seconds:.1f} s"
        self.must_be_ready(injected, *inside)

    def take_region_down(self, injected: Injected, node: Node):
        inside = self.lab.region(node.region)
        self.take_down(injected, *inside)
        time.sleep(injected.fault.seconds)
        for each in inside:
            each.start()
        injected.result = f"{node.region} down for {injected.fault.seconds:.1f} s, {len(injected.running)} stages ran"
        self.must_be_ready(injected, *inside)

    # The database.

    def must_answer(self, injected: Injected):
        injected.ended = time.time()
        self.lab.database.query_patiently("select 1")
        injected.back = time.time() - injected.ended

    def restart_database(self, injected: Injected, _: Node):
        self.lab.database.restart_at_once()
        self.must_answer(injected)
        injected.result = f"took {injected.ended - injected.began:.1f} s"

    END_CONNECTIONS = """select count(pg_terminate_backend(pid)) from pg_stat_activity
        where usename = 'node' and application_name like 'tijera%'"""

    def end_connections(self, injected: Injected, _: Node):
        end, ended = time.monotonic() + injected.fault.seconds, 0
        while True:
            ended += int(self.lab.database.query_patiently(self.END_CONNECTIONS)[0][0])
            if time.monotonic() >= end:
                break
            time.sleep(0.2)
        injected.result = f"{ended} ended"

    def take_connections(self, injected: Injected, _: Node):
        held: list[Wire] = []
        end = time.monotonic() + injected.fault.seconds
        # What the nodes hold is taken from them, and whatever becomes free is taken before they come back.
        self.lab.database.query_patiently(self.END_CONNECTIONS)
        while time.monotonic() < end:
            try:
                held.append(Wire(str(self.lab.database.socket), user="node", limit=5))
            except ServerError:
                time.sleep(0.01)
        for wire in held:
            wire.close()
        injected.result = f"{len(held)} held for {injected.fault.seconds:.1f} s"
        self.must_answer(injected)

    # Tools.

    def choose_tool(self, injected: Injected) -> tuple[Node, int, str] | None:
        """(its node, pid, when it began) of one that runs, now in `hung`; None when none did for 15 s."""
        kind, luck = injected.fault.kind, random.Random(injected.fault.luck)
        victims: list[tuple[Node, int]] = []

        def found() -> bool:
            victims.extend((node, pid) for node in self.lab.nodes for pid in node.tools(speech="speech" in kind))
            return bool(victims)

        end = time.monotonic() + 15
        while until(max(0, end - time.monotonic()), found, 0.05) is not None:
            living = everything()
            with self.choosing:
                able = [(node, pid, living[pid].began) for node, pid in victims
                        if pid in living and (pid, living[pid].began) not in self.hung]
                if able:
                    node, pid, began = luck.choice(able)
                    self.hung.add((pid, began))
                    return node, pid, began
            victims.clear()
            time.sleep(0.05)
        return None

    def hit_tool(self, injected: Injected, _: Node):
        if (chosen := self.choose_tool(injected)) is None:
            return
        _, pid, began = chosen
        try:
            if "killed" in injected.fault.kind:
                os.kill(pid, signal.SIGKILL)
                injected.result = "one killed"
                return
            os.kill(pid, signal.SIGSTOP)
            injected.result = f"one stood for {injected.fault.seconds:.1f} s"
            time.sleep(injected.fault.seconds)
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            # It ended by itself, or with its node, in this moment.
            injected.result = injected.result or None
        finally:
            self.hung.discard((pid, began))

    def hang_tool(self, injected: Injected, _: Node):
        """Nobody continues it: only a limit, or the end of its job or its node, can end it."""
        if (chosen := self.choose_tool(injected)) is None:
            return
        node, pid, began = chosen
        try:
            self.hang(injected, node, pid, began)
        except ProcessLookupError:
            # It ended by itself, or with its node, in this moment.
            injected.result = None
        finally:
            self.hung.discard((pid, began))

    def hang(self, injected: Injected, node: Node, pid: int, began: str):
        def is_gone() -> bool:
            process = everything().get(pid)
            return process is None or process.began != began

        process = everything().get(pid)
        command, life, since = process.command[:200] if process else "", node.process.pid, time.time()
        os.kill(pid, signal.SIGSTOP)
        # What is stopped does not go by itself. What was about to go takes no signal and is still there for a moment.
        time.sleep(0.2)
        if is_gone():
            raise ProcessLookupError
        # Its stage is one of these: it cannot end meanwhile.
        injected.running = self.lab.database.query_patiently(
            f"select job, name, index, epoch from stage where state = 'running' and holder = '{node.name}'")
        injected.result = "one hung"
        seconds = until(HUNG_SECONDS_MAX, is_gone, 1)
        if seconds is None:
            injected.wrong.append(f"a tool that hung was not ended within {HUNG_SECONDS_MAX} s: {command}")
            os.kill(pid, signal.SIGCONT)
            return
        by = self.what_ended(injected, node, life, since)
        injected.ended_by = " or ".join(by) or "nothing"
        injected.result = f"one hung, gone after {seconds:.0f} s, ended by {injected.ended_by}"
        if not by:
            injected.wrong.append(f"a tool that hung was gone after {seconds:.0f} s, ended by nothing: {command}")

    def what_ended(self, injected: Injected, node: Node, life: int, since: float) -> list[str]:
        """The limit, as the events of its job tell it; else an end of its attempt from outside."""
        if not node.runs or node.process.pid != life:
            return ["the end of its node"]
        if not injected.running:
            return ["its node, which ran no stage with it"]
        jobs = {job for job, _, _, _ in injected.running}
        stages = ", ".join(f"('{job}', '{name}', {index})" for job, name, index, _ in injected.running)
        codes: set[str] = set()

        def is_told() -> bool:
            events = self.lab.database.query_patiently(f"""
                select distinct coalesce(failure->>'code', kind) from event where at > to_timestamp({since})
                    and (job, stage_name, stage_index) in ({stages})
                    and kind in ('stage.retried', 'stage.failed', 'stage.released')""")
            codes.update(code for code, in events)
            return not codes.isdisjoint(LIMITS)

        # Of two stages on the node the other one may be heard of first.
        if until(SECONDS_TO_REPORT, is_told, 0.5) is not None:
            return sorted(codes.intersection(LIMITS))
        names = ", ".join(f"'{job}'" for job in jobs)
        ended = self.lab.database.query_patiently(f"""
            select job from event where at > to_timestamp({since}) and job in ({names})
                and kind in ('job.failed', 'job.cancelled')""")
        kept = self.lab.database.query_patiently(f"select id from job where id in ({names})")
        if ended or len(kept) < len(jobs):
            return ["the end of its job"]
        return sorted(codes)

    # The disk.

    def fill_disk(self, injected: Injected, _: Node):
        filler = self.lab.blobs / "filler"
        disk = os.statvfs(self.lab.blobs)
        # Half of the time nothing at all is left, else so little that nothing new may begin.
        left = 0 if injected.fault.luck < 0.5 else self.lab.free_bytes_min // 2
        run("fallocate", "-l", max(MIB, disk.f_bavail * disk.f_frsize - left - MIB), filler)
        if left == 0:
            # Byte by byte, because what was promised to others is not told by statvfs.
            run("dd", "if=/dev/zero", f"of={filler}", "bs=64k", "oflag=append", "conv=notrunc", check=False)
        time.sleep(injected.fault.seconds)
        filler.unlink()
        injected.result = f"{left // MIB} MiB left for {injected.fault.seconds:.1f} s"

    def stall_disk(self, injected: Injected, _: Node):
        try:
            self.lab.freeze()
            time.sleep(injected.fault.seconds)
        finally:
            self.lab.thaw()
        injected.result = f"no write for {injected.fault.seconds:.1f} s"

    def slow_disk(self, injected: Injected, _: Node):
        """Writes get through in the moments between."""
        end, freezes = time.monotonic() + injected.fault.seconds, 0
        try:
            while time.monotonic() < end and self.lab.freeze():
                freezes += 1
                time.sleep(0.2)
                self.lab.thaw()
                time.sleep(0.05)
        finally:
            self.lab.thaw()
        injected.result = f"slow for {injected.fault.seconds:.1f} s, frozen {freezes} times"

    # The object store.

    def kill_store(self, injected: Injected, _: Node):
        self.lab.bucket.kill()
        time.sleep(injected.fault.seconds)
        self.lab.bucket.start()
        injected.ended = time.time()
        self.lab.bucket.make()
        injected.back = time.time() - injected.ended
        injected.result = f"down for {injected.fault.seconds:.1f} s"

    def pause_store(self, injected: Injected, _: Node):
        self.lab.bucket.signal(signal.SIGSTOP)
        time.sleep(injected.fault.seconds)
        self.lab.bucket.signal(signal.SIGCONT)
        injected.result = f"stood for {injected.fault.seconds:.1f} s"


# What is done for each kind of a plan.
DEEDS = {
    "kill -9 of a node": Faults.kill,
    "SIGSTOP of a node": Faults.pause,
    "node asked to stop": Faults.ask_to_stop,
    "clock of a node +1 h": Faults.shift_clock,
    "clock of a node -1 h": Faults.shift_clock,
    "node cut from nodes": Faults.cut,
    "node cut from nodes, one way": Faults.cut,
    "node cut from PostgreSQL": Faults.cut,
    "node cut from PostgreSQL, one way": Faults.cut,
    "regions cut apart": Faults.cut_regions,
    "region down": Faults.take_region_down,
    "PostgreSQL restarted at once": Faults.restart_database,
    "connections ended by the server": Faults.end_connections,
    "all connections taken": Faults.take_connections,
    "ffmpeg killed": Faults.hit_tool,
    "ffmpeg stopped": Faults.hit_tool,
    "hung ffmpeg": Faults.hang_tool,
    "speech worker killed": Faults.hit_tool,
    "speech worker stopped": Faults.hit_tool,
    "disk full": Faults.fill_disk,
    "disk stalled": Faults.stall_disk,
    "disk slow": Faults.slow_disk,
    "kill -9 of the object store": Faults.kill_store,
    "SIGSTOP of the object store": Faults.pause_store,
    "node cut from the object store": Faults.cut,
}
