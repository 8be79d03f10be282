"""What is shown at the end of a run."""

from collections import Counter, defaultdict

from faults import Injected
from measure import Measurements, quantile


# A kind of fault that never finds its victim in so many tries is not injected at all.
TRIES_TO_HIT = 20


class Report:
    """Sums up all rounds."""

    def __init__(self):
        self.faults: dict[str, list[Injected]] = defaultdict(list)
        self.measurements = Measurements()
        self.counts: Counter = Counter()
        self.answers: Counter = Counter()
        self.first_errors: Counter = Counter()
        # What ended the tools that hung.
        self.endings: Counter = Counter()
        self.lost: list[str] = []
        self.twice: list[str] = []
        self.stuck: list[str] = []
        self.other: list[str] = []
        self.blind: set[str] = set()
        # Clips that their jobs became ready without, and that were made when they were asked for again.
        self.made_again = 0

    @property
    def injected(self) -> int:
        return sum(1 for each in self.faults.values() for fault in each if fault.result)

    @property
    def wrong(self) -> list[str]:
        return [*self.lost, *self.twice, *self.stuck, *self.other]

    def add(self, faults: list[Injected], checker, load):
        for fault in faults:
            self.faults[fault.fault.kind].append(fault)
            self.other += [f"{fault.fault.kind}: {wrong}" for wrong in fault.wrong]
            if fault.ended_by:
                self.endings[fault.ended_by] += 1
        self.counts += checker.counts
        self.answers += load.answers
        self.first_errors += checker.first_errors
        self.made_again += checker.made_again
        for name in ("lost", "twice", "stuck", "other"):
            getattr(self, name).extend(getattr(checker, name))
        for kind, tries in self.faults.items():
            if len(tries) >= TRIES_TO_HIT and not any(fault.result for fault in tries) and kind not in self.blind:
                # Whoever breaks nothing finds nothing: tools may have moved out of sight of this suite.
                self.blind.add(kind)
                self.other.append(f"{kind}: nothing to hit in {len(tries)} tries, so this suite does not see it")

    def text(self) -> str:
        lines = ["| fault | times | nothing to hit | back after, p50 s | longest s | wrong |", "|---" * 6 + "|"]
        for kind, faults in sorted(self.faults.items()):
            hit = [fault for fault in faults if fault.result]
            back = [fault.back for fault in hit if fault.back is not None]
            figures = f"{quantile(back, 0.5):.1f} | {max(back):.1f}" if back else "- | -"
            wrong = sum(len(fault.wrong) for fault in faults)
            lines.append(f"| {kind} | {len(hit)} | {len(faults) - len(hit)} | {figures} | {wrong} |")
        lines += ["", *self.measurements.lines(), "", "| counted | |", "|---|---|"]
        lines += [f"| {name} | {count} |" for name, count in self.counts.items()]
        lines += [f"| answer to a client: {name} | {count} |" for name, count in sorted(self.answers.items())]
        lines += [f"| jobs that first failed as {name} and succeeded when retried | {count} |"
                  for name, count in sorted(self.first_errors.items())]
        lines += [f"| tools that hung and were ended by {name} | {count} |"
                  for name, count in sorted(self.endings.items())]
        return "\n".join(lines) + "\n"

    def verdict(self) -> str:
        text = f"chaos: {self.injected} faults, {len(self.lost)} lost, {len(self.twice)} published twice, " \
               f"{len(self.stuck)} stuck; {self.made_again} clips were made only when asked for again"
        return text + (f", {len(self.other)} otherwise wrong" if self.other else "")
