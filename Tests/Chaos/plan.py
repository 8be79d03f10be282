"""Which fault comes when: drawn from a seed before the run, so that a run can be repeated."""

import random
from dataclasses import dataclass

# Away for less than the lease, or for longer than that and the sweep after it: both have to go well, and a length in
# between tells nothing.
SHORT_OR_LONG = ((0.5, 5), (9, 13))

# kind: (weight, what it needs alone, ranges of seconds that it lasts, seconds until the next of the same need)
KINDS = {
    "kill -9 of a node": (10, "node", SHORT_OR_LONG, 8),
    "SIGSTOP of a node": (8, "node", SHORT_OR_LONG, 3),
    "node asked to stop": (3, "node", ((0.2, 3),), 10),
    "clock of a node +1 h": (2, "node", ((5, 12),), 10),
    "clock of a node -1 h": (2, "node", ((5, 12),), 10),
    "node cut from nodes": (5, "node", ((2, 10),), 2),
    "node cut from nodes, one way": (4, "node", ((2, 10),), 2),
    "node cut from PostgreSQL": (5, "node", ((2, 12),), 2),
    "node cut from PostgreSQL, one way": (4, "node", ((2, 12),), 2),
    "PostgreSQL restarted at once": (5, "database", ((0, 0),), 10),
    "connections ended by the server": (5, "database", ((0.2, 3),), 3),
    "all connections taken": (4, "database", ((2, 6),), 3),
    "ffmpeg killed": (9, None, ((0, 0),), 0),
    "ffmpeg stopped": (5, None, ((1, 12),), 0),
    "speech worker killed": (3, None, ((0, 0),), 0),
    "speech worker stopped": (2, None, ((1, 12),), 0),
    "disk full": (4, "disk", ((2, 8),), 3),
    "disk stalled": (4, "disk", ((0.5, 5),), 3),
}


@dataclass(frozen=True)
class Fault:
    at: float
    kind: str
    node: int
    seconds: float
    # One more number for whatever has to be chosen on the spot.
    luck: float


def draw_plan(seed: int, count: int, nodes: int, seconds_between: float, without: set[str]) -> list[Fault]:
    """Faults overlap, but no two of them on one node, one database or one disk, and one node is always left alone."""
    chance = random.Random(f"{seed} plan")
    kinds = [kind for kind in KINDS if kind not in without]
    chance.shuffle(kinds)
    weights = [KINDS[kind][0] for kind in kinds]
    free_at: dict[object, float] = {}
    plan: list[Fault] = []
    now = 2.0
    while len(plan) < count:
        # Every kind once before chance decides, so that a short run leaves none out.
        first = kinds[len(plan)] if len(plan) < len(kinds) and count >= len(kinds) else None
        kind = first or chance.choices(kinds, weights)[0]
        _, need, ranges, rest = KINDS[kind]
        node, seconds, luck = chance.randrange(nodes), chance.uniform(*chance.choice(ranges)), chance.random()
        if need == "node":
            idle = [number for number in range(nodes) if free_at.get(number, 0) <= now]
            while len(idle) < 2:
                now = min(end for end in (free_at.get(number, 0) for number in range(nodes)) if end > now)
                idle = [number for number in range(nodes) if free_at.get(number, 0) <= now]
            node = idle[int(luck * len(idle))]
            free_at[node] = now + seconds + rest
        elif need:
            now = max(now, free_at.get(need, 0))
            free_at[need] = now + seconds + rest
        plan.append(Fault(round(now, 2), kind, node, round(seconds, 2), luck))
        now += chance.expovariate(1 / seconds_between)
    return plan
