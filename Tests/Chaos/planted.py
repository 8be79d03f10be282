"""Damage done on purpose, to see that the checker sees it: `cluster/chaos --planted`."""

import subprocess
from dataclasses import dataclass
from typing import Callable

from check import Checker
from shell import run, say, until


# In which a process that was started is there, on a machine that does other things.
SECONDS_TO_BE_SEEN = 30


@dataclass(frozen=True)
class Planted:
    name: str
    # How the checker must put it.
    seen_as: str
    plant: Callable


def _ready(checker: Checker, place: int) -> str:
    """The job of a ready clip; every damage takes another one, so that none hides another."""
    return checker.query("select id from job where status = 'ready' order by id")[place][0]


def _lose_job(checker: Checker):
    checker.query(f"delete from job where id = '{_ready(checker, 0)}'")


def _publish_twice(checker: Checker):
    checker.query(f"""insert into event (job, at, kind, stage_name, stage_index) select job, now(), kind, stage_name,
        stage_index from event where job = '{_ready(checker, 1)}' and kind = 'stage.done' limit 1""")


def _raise_epoch(checker: Checker):
    checker.query(f"update stage set epoch = epoch + 1 where job = '{_ready(checker, 2)}' and name = 'probe'")


def _change_bytes(checker: Checker):
    blob = checker.query(f"""select body::jsonb->>'video' from stage join result on result.id = stage.result
        where job = '{_ready(checker, 3)}' and name = 'render' and index = 0""")[0][0]
    path = checker.objects / blob
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _leave_blob(checker: Checker):
    folder = checker.objects / "results/01aaaaaaaaaaaaaaaaaaaaaaaa/render-0/1"
    folder.mkdir(parents=True)
    (folder / "clip.mp4").write_bytes(b"nobody's")


def _leave_child(checker: Checker):
    """As a tool is left: with a network of its own, by a parent that is gone."""
    node = checker.lab.nodes[0]
    parent = subprocess.Popen(node.inside("sh", "-c", "unshare --net sleep 600 & wait"), stdin=subprocess.DEVNULL,
                              start_new_session=True)
    try:
        # Once its parent is gone it is known only to who has seen it before.
        if until(SECONDS_TO_BE_SEEN, lambda: any(command == "sleep 600" for _, command in node.processes())) is None:
            raise RuntimeError(f"the planted child was not seen in the space of {node.name} within "
                               f"{SECONDS_TO_BE_SEEN} s; there are: {node.processes()[:5]}")
    finally:
        parent.kill()
        parent.wait()


def _take_two_jobs(checker: Checker):
    checker.query(f"""insert into job (id, upload, region, tenant, options, status, notes, created_at, ended_at)
        select id || 'x', upload, region, tenant, options, status, notes, created_at, ended_at
        from job where id = '{_ready(checker, 4)}'""")


def _hang(checker: Checker):
    checker.query(f"""update job set status = 'processing', ended_at = null where id = '{_ready(checker, 5)}'""")


ALL = [
    Planted("a job is gone", "was taken in and is not there any more", _lose_job),
    Planted("a stage was published twice", "was published 2 times", _publish_twice),
    Planted("an epoch that nobody claimed", "a report of epoch", _raise_epoch),
    Planted("another byte in a clip", "has other bytes than were published", _change_bytes),
    Planted("a blob that nobody names", "of a deleted job stay after the sweep", _leave_blob),
    Planted("a child that outlives its node", "orphans in the space of", _leave_child),
    Planted("one order made two jobs", "one order with one key made 2 jobs", _take_two_jobs),
    Planted("a job that never ends", "is processing", _hang),
]


def plant_all(checker: Checker):
    for planted in ALL:
        planted.plant(checker)
        say(f"planted: {planted.name}")


def missed(wrong: list[str]) -> list[str]:
    return [planted.name for planted in ALL if not any(planted.seen_as in each for each in wrong)]


def clean_up(checker: Checker):
    for node in checker.lab.nodes:
        for pid, command in node.processes():
            if command == "sleep 600":
                run("kill", "-9", pid, check=False)
