"""How long the cluster took: from the events of the database, whose clock is that of this machine."""

from collections import defaultdict

from faults import Injected

# A fault counts as alone when no other that reaches further than one tool or the gossip began or ended near it.
HARMLESS = ("ffmpeg", "hung ffmpeg", "speech worker", "node cut from nodes")

# Which end the work of a node without its help.
AWAY = ("kill -9 of a node", "SIGSTOP of a node", "region down")

# How long the work of a node may wait for another one, 99 of 100 times; docs/reliability.md. Seconds.
SAMPLES_MIN = 15
BOUNDS = {"kill -9 of a node": 3, "SIGSTOP of a node": 15}

# Longer than a lease and the sweep after it: who is away for so long cannot have taken its own work back.
SECONDS_AWAY = 8.5


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def is_alone(injected: Injected, all_faults: list[Injected], seconds_after: float) -> bool:
    low, high = injected.began - 8, injected.began + seconds_after
    return not any(
        other is not injected and not other.fault.kind.startswith(HARMLESS)
        and other.began < high and other.ended > low for other in all_faults)


class Measurements:
    def __init__(self):
        # name -> [(seconds, was the fault alone)]
        self.values: dict[str, list[tuple[float, bool]]] = defaultdict(list)

    def take(self, events: list[tuple], faults: list[Injected]):
        started: dict[tuple, list[tuple[float, str]]] = defaultdict(list)
        released: dict[tuple, list[float]] = defaultdict(list)
        times = []
        for job, kind, name, index, node, at, _ in events:
            if kind == "stage.started":
                started[job, name, index].append((float(at), node))
                times.append(float(at))
            elif kind == "stage.released":
                released[job, name, index].append(float(at))
        times.sort()
        for injected in faults:
            self._rescues(injected, faults, started, released)
            if injected.fault.kind == "PostgreSQL restarted at once" and injected.result:
                self._full_rate(injected, faults, times)

    def _rescues(self, injected, faults, started, released):
        kind = injected.fault.kind
        if kind not in AWAY:
            return
        # A stop shorter than the lease leaves the work where it is, and a node that is back soon takes its work itself.
        if injected.fault.seconds < SECONDS_AWAY:
            return
        alone = is_alone(injected, faults, 15)
        for job, name, index, _ in injected.running:
            freed = [at for at in released[job, name, index] if at > injected.began]
            claims = [at for at, _ in started[job, name, index] if at > injected.began]
            # Without both the job was cancelled or deleted meanwhile, or the stage ended in that very moment.
            if freed and claims and claims[0] >= freed[0] - 0.001:
                self.values[f"{kind} -> its stages are free"].append((freed[0] - injected.began, alone))
                self.values[f"{kind} -> its stages are claimed again"].append((claims[0] - injected.began, alone))

    def _full_rate(self, injected, faults, times):
        """Until two seconds follow in which stages begin at 80 % of the rate of the ten seconds before."""
        begun, up = injected.began, injected.ended
        before = sum(begun - 10 <= at < begun for at in times) / 10
        if before < 0.5:
            return
        first = next((at for at in times if at >= up), None)
        if first is not None:
            self.values["PostgreSQL accepts again -> first claim"].append((first - up, is_alone(injected, faults, 10)))
        for at in (at for at in times if at >= up):
            if sum(at <= other < at + 2 for other in times) / 2 >= 0.8 * before:
                self.values["PostgreSQL accepts again -> full rate"].append((at - up, is_alone(injected, faults, 10)))
                return

    def alone(self, name: str) -> list[float]:
        return [value for value, is_alone in self.values[name] if is_alone]

    def missed(self, kinds: set[str]) -> list[str]:
        """Bounds of these kinds that were passed, and those that too little was measured for."""
        missed = []
        for kind in sorted(kinds & set(BOUNDS)):
            name, bound = f"{kind} -> its stages are claimed again", BOUNDS[kind]
            values = self.alone(name)
            if len(values) < SAMPLES_MIN:
                missed.append(f"{name}: measured {len(values)} times, at least {SAMPLES_MIN} are needed")
            elif quantile(values, 0.99) > bound:
                missed.append(f"{name}: p99 is {quantile(values, 0.99):.2f} s, at most {bound} s")
        return missed

    def lines(self) -> list[str]:
        lines = ["| from -> to | count | p50 s | p99 s | longest s | alone: count | p50 s | p99 s | longest s |",
                 "|---" * 9 + "|"]
        for name, values in sorted(self.values.items()):
            every, alone = [value for value, _ in values], self.alone(name)
            figures = [f"{quantile(part, 0.5):.2f} | {quantile(part, 0.99):.2f} | {max(part):.2f}" if part
                       else "- | - | -" for part in (every, alone)]
            lines.append(f"| {name} | {len(every)} | {figures[0]} | {len(alone)} | {figures[1]} |")
        return lines
