"""Which fault comes when: drawn from a seed before the run, so that a run can be repeated."""

import random
from dataclasses import dataclass

# Away for less than the lease, or for longer than that and the sweep after it: both have to go well, and a length in
# between tells nothing.
SHORT_OR_LONG = ((0.5, 5), (9, 13))

# kind: (weight, what it needs alone, ranges of seconds that it lasts, seconds until the next of the same need)
KINDS = {
    "kill -9 of a node": (10, "node", SHORT_OR_LONG, 5),
    "SIGSTOP of a node": (8, "node", SHORT_OR_LONG, 3),
    "node asked to stop": (3, "node", ((0.2, 3),), 5),
    "clock of a node +1 h": (2, "node", ((5, 12),), 6),
    "clock of a node -1 h": (2, "node", ((5, 12),), 6),
    "node cut from nodes": (5, "node", ((2, 10),), 2),
    "node cut from nodes, one way": (4, "node", ((2, 10),), 2),
    "node cut from PostgreSQL": (5, "node", ((2, 12),), 2),
    "node cut from PostgreSQL, one way": (4, "node", ((2, 12),), 2),
    "regions cut apart": (2, "region", ((3, 10),), 2),
    "region down": (2, "region", SHORT_OR_LONG, 5),
    "PostgreSQL restarted at once": (5, "database", ((0, 0),), 10),
    "connections ended by the server": (5, "database", ((0.2, 3),), 3),
    "all connections taken": (4, "database", ((2, 6),), 3),
    "ffmpeg killed": (9, None, ((0, 0),), 0),
    "ffmpeg stopped": (5, None, ((1, 12),), 0),
    "hung ffmpeg": (1, None, ((0, 0),), 0),
    "speech worker killed": (3, None, ((0, 0),), 0),
    "speech worker stopped": (2, None, ((1, 12),), 0),
    "disk full": (4, "disk", ((2, 8),), 3),
    "disk stalled": (4, "disk", ((0.5, 5),), 3),
    "disk slow": (4, "disk", ((5, 15),), 3),
    "kill -9 of the object store": (4, "store", SHORT_OR_LONG, 16),
    "SIGSTOP of the object store": (4, "store", ((0.5, 20),), 5),
    "node cut from the object store": (4, "node", ((2, 12),), 2),
}

# Only when they are named, and in full: a tool that hangs takes minutes, and the plans of older seeds stay as they
# were.
ON_REQUEST = {"disk slow", "hung ffmpeg"}


@dataclass(frozen=True)
class Fault:
    at: float
    kind: str
    # Which node; for a fault of a whole region, one of its nodes.
    node: int
    seconds: float
    # One more number for whatever has to be chosen on the spot.
    luck: float


class Idle:
    """What no fault holds: nodes by number; the database, the disk and the object store by name."""

    def __init__(self, regions: list[str]):
        self.regions = regions
        self.free_at: dict[object, float] = {}

    def is_free(self, what: object, now: float) -> bool:
        return self.free_at.get(what, 0) <= now

    def victims(self, need: str | None, now: float) -> list[list[int]] | None:
        """Which nodes the fault may be done to, as alternatives; None when it has to wait. One node stays alone."""
        if need not in ("node", "region"):
            return [[]] if need is None or self.is_free(need, now) else None
        idle = [number for number in range(len(self.regions)) if self.is_free(number, now)]
        if need == "node":
            groups = [[number] for number in idle]
        else:
            groups = [[number for number, its in enumerate(self.regions) if its == region]
                      for region in sorted(set(self.regions))]
        return [group for group in groups if set(group) < set(idle)] or None

    def next_change(self, now: float) -> float:
        return min(end for end in self.free_at.values() if end > now)


def draw_plan(seed: int, count: int, regions: list[str], seconds_between: float, without: set[str],
              lengths=None) -> list[Fault]:
    """Faults overlap, but no two of them on one node, one database or one disk, and one node is always left alone.

    `regions`: that of each node. `lengths`: ranges of seconds in the place of those of the kinds.
    """
    chance = random.Random(f"{seed} plan")
    if len(set(regions)) < 2:
        without = without | {kind for kind, (_, need, _, _) in KINDS.items() if need == "region"}
    kinds = [kind for kind in KINDS if kind not in without]
    chance.shuffle(kinds)
    idle, plan, now = Idle(regions), [], 2.0
    while len(plan) < count:
        # Every kind once before chance decides, so that a short run leaves none out.
        is_first = len(plan) < len(kinds) <= count
        wanted = [kinds[len(plan)]] if is_first else kinds
        while not (open_kinds := [kind for kind in wanted if idle.victims(KINDS[kind][1], now)]):
            now = idle.next_change(now)
        kind = chance.choices(open_kinds, [KINDS[kind][0] for kind in open_kinds])[0]
        _, need, ranges, rest = KINDS[kind]
        seconds, luck = chance.uniform(*chance.choice(lengths or ranges)), chance.random()
        group = chance.choice(idle.victims(need, now))
        for held in group or [need]:
            if held is not None:
                idle.free_at[held] = now + seconds + rest
        plan.append(Fault(round(now, 2), kind, group[0] if group else 0, round(seconds, 2), luck))
        now += chance.expovariate(1 / seconds_between)
    return plan
