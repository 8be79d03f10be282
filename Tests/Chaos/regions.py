"""The story of two regions under load: cut apart, one of them cordoned, one of them down and back.

A job is at home in the region whose node took it in. Its stages are begun at home while home has nodes that take work,
and by others when it has none; what runs elsewhere when home is back stays where it runs.
"""

import time

from lab import Lab
from shell import say, until

# What ran in a region that is down is with another so soon. Seconds.
TAKE_OVER = 15
# A stage begins as soon as a thread is free, and nothing that runs is put aside for it: the length of a stage or two.
THREAD_FREE = 60
AGREE = 30
# What only a machine that is busy with other things takes: no promise is in it.
WORK = 180


class Story:
    def __init__(self, lab: Lab, names: tuple[str, str]):
        self.lab = lab
        self.home, self.away = lab.region(names[0]), lab.region(names[1])
        self.region = names[0]
        self.figures: list[tuple[str, str]] = []

    def play(self):
        self.wait_for("both regions make clips", WORK, lambda: all(self.ended(name) for name in self.regions()))
        self.cut_apart()
        self.cordon()
        self.down_and_back()

    # The parts.

    def cut_apart(self):
        began = time.time()
        say("the regions are cut apart")
        for node in self.home:
            node.cut_from([other.address for other in self.away])
        # Each region takes in jobs and ends them while it hears nothing of the other.
        for name in self.regions():
            self.wait_for(f"{name} takes in and ends a job alone", WORK, lambda: self.ended(name, since=began + 3))
            self.note(f"cut apart -> a job taken in after 3 s is ready in {name}", time.time() - began, WORK)
        self.wait_for("the regions miss each other", 30, lambda: not self.lab.agree())
        for node in self.home:
            node.rules()
        self.figures.append(("cut apart for", f"{time.time() - began:.1f} s"))
        self.note("healed, all nodes agree", self.wait_for("all agree", AGREE, self.lab.agree), AGREE)

    def cordon(self):
        say(f"{self.region} is cordoned")
        running = self.running()
        for node in self.home:
            self.order("cordon", node)
        began = time.time()
        self.note(f"{self.region} cordoned -> a stage of its jobs begins elsewhere",
                  self.wait_for("others take over", THREAD_FREE, lambda: self.claims(began, self.away)), THREAD_FREE)
        time.sleep(3)
        begun = self.claims(began, self.home)
        assert not begun, f"{begun} stages began on nodes that are cordoned"
        self.must_end_where_they_run(running, "that ran when their nodes were cordoned")
        for node in self.home:
            self.order("uncordon", node)
        began = time.time()
        self.note(f"{self.region} uncordoned -> a stage of its jobs begins at home",
                  self.wait_for("home goes on", THREAD_FREE, lambda: self.claims(began, self.home)), THREAD_FREE)

    def down_and_back(self):
        began = time.time()
        self.wait_for("work at home", WORK, lambda: any(node in self.names(self.home) for *_, node in self.running()))
        self.figures.append((f"share of stages of {self.region}'s jobs begun at home, before",
                             self.share(began - 10, began)))
        orphans = [stage for stage in self.running() if stage[4] in self.names(self.home)]
        say(f"{self.region} is down; {len(orphans)} stages ran")
        down = time.time()
        for node in self.home:
            node.kill()
        self.note(f"{self.region} down -> all its {len(orphans)} running stages are with others",
                  self.wait_for("others take them", TAKE_OVER, lambda: not self.waiting(orphans)), TAKE_OVER)
        # Something of it has to run elsewhere when home comes back.
        self.wait_for("work elsewhere", WORK, self.elsewhere)
        time.sleep(max(0, down + 8 - time.time()))
        self.wait_for("work elsewhere", WORK, self.elsewhere)
        guests = self.elsewhere()
        for node in self.home:
            node.start()
        self.wait_for("home is ready", 60, lambda: all(node.is_ready() for node in self.home))
        back = time.time()
        guests = sorted({*guests, *self.elsewhere()})
        self.note(f"{self.region} back -> a stage of its jobs begins at home",
                  self.wait_for("home goes on", THREAD_FREE, lambda: self.claims(back, self.home)), THREAD_FREE)
        self.must_end_where_they_run(guests, f"that ran elsewhere when {self.region} came back")
        self.note("all nodes agree again", self.wait_for("all agree", AGREE, self.lab.agree), AGREE)
        time.sleep(max(0, back + 8 - time.time()))
        self.figures.append((f"share of stages of {self.region}'s jobs begun at home, after",
                             self.share(back, time.time())))

    # What is asked.

    def regions(self) -> tuple[str, str]:
        return self.home[0].region, self.away[0].region

    @staticmethod
    def names(nodes) -> list[str]:
        return [node.name for node in nodes]

    def ended(self, region: str, since: float = 0) -> int:
        """How many of its jobs were taken in since then and are ready."""
        return int(self.lab.database.query(f"""select count(*) from job where region = '{region}'
            and status = 'ready' and created_at >= to_timestamp({since})""")[0][0])

    def running(self) -> list[tuple]:
        """Stages of home's jobs that run, as (job, name, index, epoch, node)."""
        return self.lab.database.query(f"""select stage.job, name, index, epoch, holder from stage
            where region = '{self.region}' and state = 'running' order by 1, 2, 3""")

    def elsewhere(self) -> list[tuple]:
        return [stage for stage in self.running() if stage[4] in self.names(self.away)]

    def waiting(self, stages: list[tuple]) -> list[tuple]:
        """Those that nobody holds yet whom we have not killed, and that are still wanted."""
        now = {row[:3]: row[3:] for row in self.lab.database.query(
            "select job, name, index, epoch, state from stage where state in ('ready', 'running')")}
        return [(*key, epoch) for *key, epoch, _ in stages if now.get(tuple(key), (None,))[0] == epoch]

    def claims(self, since: float, nodes, until_then: float | None = None) -> int:
        """Stages of home's jobs that these nodes have begun since then."""
        names = ", ".join(f"'{node.name}'" for node in nodes)
        end = f"and event.at < to_timestamp({until_then})" if until_then else ""
        return int(self.lab.database.query(f"""select count(*) from event join job on job.id = event.job
            where event.kind = 'stage.started' and event.at > to_timestamp({since}) {end}
            and job.region = '{self.region}' and event.node in ({names})""")[0][0])

    def share(self, since: float, until_then: float) -> str:
        at_home = self.claims(since, self.home, until_then)
        every = at_home + self.claims(since, self.away, until_then)
        return f"{at_home} of {every}"

    def must_end_where_they_run(self, stages: list[tuple], which: str):
        ended = self.wait_for(f"the {len(stages)} stages {which} have ended", WORK, lambda: not self.waiting(stages))
        moved = []
        for job, name, index, epoch, node in stages:
            later = self.lab.database.query(f"""select epoch, state from stage
                where job = '{job}' and name = '{name}' and index = {index}""")
            # Gone with its job, which its client may delete at any time; else nobody else has begun it since.
            if later and later[0][0] != epoch:
                moved.append(f"{name}[{index}] of {job} was taken from {node}")
        assert not moved, f"{len(moved)} of {len(stages)} stages {which} were taken away: {moved[:3]}"
        self.figures.append((f"stages {which}, and ended there", f"{len(stages)} within {ended:.1f} s"))

    def order(self, what: str, node):
        answer = node.operator("POST", f"nodes/{node.name}/{what}")
        assert answer and answer[0] == 200, f"{what} {node.name} was answered with {answer}"

    # How it is told.

    def wait_for(self, what: str, limit: float, holds) -> float:
        seconds = until(limit, holds, 0.05)
        assert seconds is not None, f"after {limit} s not: {what}; {self.seen()}"
        return seconds

    def seen(self) -> str:
        """Jobs and what has not ended of them, by region, state and node."""
        rows = self.lab.database.query("""select region, status, '', count(*) from job group by 1, 2 union all
            select region, state, coalesce(holder, ''), count(*) from stage where state in ('ready', 'running')
            group by 1, 2, 3 order by 1, 2, 3""")
        return ", ".join(" ".join(filter(None, row)) for row in rows)

    def note(self, what: str, seconds: float, bound: float):
        say(f"{what}: {seconds:.2f} s")
        self.figures.append((what, f"{seconds:.2f} s, at most {bound:g}"))
        assert seconds <= bound, f"{what} took {seconds:.2f} s, at most {bound} s"

    def lines(self) -> list[str]:
        return ["| what | figure |", "|---|---|", *(f"| {what} | {figure} |" for what, figure in self.figures)]
