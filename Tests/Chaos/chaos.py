"""Breaks a real cluster in every way that happens in production, and checks that nothing was lost.

    python3 Tests/Chaos/chaos.py TIJERA [--faults N] [--seed S] [--nodes N] [--minutes M] [--report FILE]
        [--blobs directory|s3] [--only KINDS] [--without KINDS] [--seconds-between S] [--clients N]
        [--measure | --regions | --planted]

Runs in rounds: each makes a cluster of its own (lab.py) under a steady load (load.py), injects faults by a plan drawn
from the seed (plan.py, faults.py), heals everything and checks (check.py). Needs root, namespaces, nftables, loop
devices, PostgreSQL and ffmpeg. The last line is the verdict; exits 1 when anything was wrong.
"""

import argparse
import os
import random
import shlex
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import planted
import regions
from check import EVENTS, Checker
from faults import Faults
from lab import Lab
from load import Load
from measure import BOUNDS
from plan import KINDS, ON_REQUEST, Fault, draw_plan
from report import Report
from shell import may_make_namespaces, run, say, until
from videos import make_videos

FAULTS_PER_ROUND = 200
# A run of so many planned faults, of which fewer than this share hit something, has not shown what it seems to.
FAULTS_TO_JUDGE, HITS_MIN = 40, 0.5
SECONDS_TO_END = 240
REGIONS = ("eu", "us")
# One fault at a time, each longer than a lease, and few clients, so that what is free finds a free thread.
MEASURE = {"seconds_between": 6, "clients": 3}
LENGTHS, SECONDS_ALONE = [(9, 10)], 20


def may_run() -> bool:
    """Namespaces, loop devices and the user postgres are root's."""
    if os.geteuid() != 0 or not shutil.which("nft"):
        return False
    return may_make_namespaces() and run("losetup", "--find", check=False).returncode == 0


def impossible_here(lab: Lab, has_speech: bool) -> set[str]:
    without = set()
    if not lab.has_faketime:
        without |= {kind for kind in KINDS if kind.startswith("clock")}
    if not has_speech:
        without |= {kind for kind in KINDS if kind.startswith("speech")}
    if not shutil.which("fsfreeze"):
        without |= {"disk stalled", "disk slow"}
    return without


def of_another_place(blobs: str) -> set[str]:
    """Faults of what this cluster's blobs do not stand on."""
    return {kind for kind in KINDS if ("object store" in kind if blobs == "directory" else kind.startswith("disk"))}


def unwanted_here(options) -> set[str]:
    without = unwanted(options.only, options.without) | of_another_place(options.blobs)
    return without


def unwanted(only: str, without: str) -> set[str]:
    """Those that are not asked for, or are left out."""
    def wanted(kind: str) -> bool:
        return any(is_named(kind, part) for part in parts(only)) if only else kind not in ON_REQUEST

    return {kind for kind in KINDS if not wanted(kind) or any(is_named(kind, part) for part in parts(without))}


def parts(text: str) -> list[str]:
    """What is named, with commas between; some kinds have a comma of their own."""
    whole = text.strip()
    return [whole] if whole in KINDS else [part.strip() for part in text.split(",") if part.strip()]


def is_named(kind: str, part: str) -> bool:
    """By the beginning of its name, or by the whole."""
    return kind == part if kind in ON_REQUEST else kind.startswith(part)


def unknown(text: str) -> list[str]:
    return [part for part in parts(text) if not any(is_named(kind, part) for kind in KINDS)]


def make_lab(options) -> Lab:
    folder = Path(tempfile.mkdtemp(prefix="tijera-chaos."))
    folder.chmod(0o711)
    regions = [REGIONS[number % len(REGIONS)] for number in range(options.nodes)]
    return Lab(options.tijera, folder, regions, options.blobs)


def plan_round(options, seed: str, count: int, lab: Lab, without: set[str]) -> list[Fault]:
    its = [node.region for node in lab.nodes]
    if not options.measure:
        return draw_plan(seed, count, its, options.seconds_between, without)
    # Each alone: the plan has the nodes and the lengths, the times are these.
    plan = draw_plan(seed, count, its, options.seconds_between, without, lengths=LENGTHS)
    return [replace(fault, at=2 + number * SECONDS_ALONE) for number, fault in enumerate(plan)]


def play_round(options, seed: str, count: int, report: Report, keep: Path):
    has_speech = shutil.which("espeak-ng") is not None
    lab = make_lab(options)
    wrong_before = len(report.wrong)
    try:
        with lab:
            without = impossible_here(lab, has_speech)
            if without:
                say(f"left out, because the tools are missing: {', '.join(sorted(without))}")
            videos = make_videos(lab.folder / "videos", has_speech)
            lab.enter_hub()
            lab.wait_ready()
            say(f"{options.nodes} nodes are ready; round {seed} begins with {count} faults")
            load = Load(lab, videos, seed, options.clients, has_speech)
            time.sleep(options.warm_up)
            without |= unwanted_here(options)
            faults = Faults(lab, plan_round(options, seed, count, lab, without), waits_for_work=options.measure)
            faults.run()
            # Some peace at the end, so that a late fault does not pass for a job that hangs.
            time.sleep(2)
            lab.heal()
            load.stop(SECONDS_TO_END)
            checker = Checker(lab, load, seed)
            report.measurements.take(checker.query(EVENTS), faults.done)
            checker.run(SECONDS_TO_END)
            report.add(faults.done, checker, load)
    except BaseException as error:
        report.other.append(f"the round broke off: {type(error).__name__}: {error}")
        if not isinstance(error, Exception):
            raise
    finally:
        wrong = len(report.wrong) - wrong_before
        say(f"round {seed} is over: {wrong} wrong")
        lab.erase(keep / f"round-{seed}" if wrong else None)


def try_checker(options) -> int:
    """Damage instead of faults: each must be seen."""
    lab = make_lab(options)
    try:
        with lab:
            videos = make_videos(lab.folder / "videos", shutil.which("espeak-ng") is not None)
            lab.enter_hub()
            lab.wait_ready()
            load = Load(lab, videos, options.seed, options.clients, has_speech=False)
            ready = "select count(*) from job where status = 'ready'"
            if until(300, lambda: int(lab.database.query(ready)[0][0]) >= len(planted.ALL), 1) is None:
                raise RuntimeError("five minutes were not enough for a few jobs")
            load.stop(SECONDS_TO_END)
            checker = Checker(lab, load, options.seed)
            checker.wait_for_the_end(SECONDS_TO_END)
            try:
                planted.plant_all(checker)
                checker.run(10)
            finally:
                planted.clean_up(checker)
    finally:
        lab.erase(None)
    for wrong in checker.wrong:
        say(f"seen: {wrong[:160]}")
    missed = planted.missed(checker.wrong)
    print(f"planted: {len(planted.ALL) - len(missed)} of {len(planted.ALL)} seen"
          + "".join(f"; MISSED: {name}" for name in missed) + (f"; again: {shlex.join(options.again)}" if missed else ""))
    return 1 if missed else 0


def try_regions(options, keep: Path) -> int:
    """A story instead of chance: two regions cut apart, one cordoned, one down and back."""
    lab, wrong, story = make_lab(options), [], None
    try:
        with lab:
            videos = make_videos(lab.folder / "videos", with_speech=False)
            lab.enter_hub()
            lab.wait_ready()
            load = Load(lab, videos, options.seed, options.clients, has_speech=False)
            story = regions.Story(lab, REGIONS)
            story.play()
            lab.heal()
            load.stop(SECONDS_TO_END)
            checker = Checker(lab, load, options.seed)
            checker.run(SECONDS_TO_END)
            wrong = checker.wrong
    except Exception as error:
        wrong = [*wrong, f"{type(error).__name__}: {error}"]
    finally:
        lab.erase(keep if wrong else None)
    print("\n".join(story.lines() if story else []))
    for each in wrong:
        print(f"WRONG: {each}")
    print(f"regions: {len(wrong)} wrong"
          + (f"; again: {shlex.join(options.again)}; logs of the nodes: {keep}" if wrong else ""))
    return 1 if wrong else 0


def parse(arguments: list[str]):
    parser = argparse.ArgumentParser(prog="cluster/chaos")
    parser.add_argument("tijera")
    parser.add_argument("--faults", type=int, default=30)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--nodes", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=None, help="no new round begins after this")
    parser.add_argument("--report", type=Path, default=None)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--blobs", choices=["directory", "s3"], default="directory",
                        help="where blobs stand: on a disk that all nodes share, or in a SeaweedFS")
    parser.add_argument("--warm-up", type=float, default=6)
    parser.add_argument("--seconds-between", type=float, default=1.5, help="between faults, on average")
    parser.add_argument("--measure", action="store_true",
                        help="one node at a time is killed or stopped, for long: is its work with others in time?")
    parser.add_argument("--regions", action="store_true", help="two regions: cut apart, cordoned, down and back")
    parser.add_argument("--planted", action="store_true", help="no faults: is damage that is done on purpose seen?")
    parser.add_argument("--only", default="", help="kinds of faults by the beginnings of their names, with commas; "
                        + " and ".join(f"'{kind}'" for kind in sorted(ON_REQUEST)) + " come only so, by the whole name")
    parser.add_argument("--without", default="", help="the same for kinds that are left out")
    options = parser.parse_args(arguments)
    if options.measure:
        vars(options).update(MEASURE, only=options.only or ",".join(BOUNDS))
    if nameless := unknown(options.only) + unknown(options.without):
        parser.error(f"no kind of fault is called {' or '.join(map(repr, nameless))}; there are: {'; '.join(KINDS)}"
                     f" (in full only: {'; '.join(sorted(ON_REQUEST))})")
    if len(unwanted_here(options)) == len(KINDS):
        parser.error("no kind of fault is left")
    if options.planted and options.blobs != "directory":
        parser.error("--planted damages files of a folder, which --blobs s3 does not have")
    if options.regions and options.nodes < 4:
        parser.error("--regions needs two nodes in each of two regions")
    if not 2 <= options.nodes <= 9 or options.faults < 1 or options.clients < 1:
        parser.error("--nodes must be 2 to 9, --faults and --clients at least 1")
    options.again = ["cluster/chaos", *arguments[1:]]
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1_000_000)
        options.again += ["--seed", str(options.seed)]
    return options


def end(*_):
    """Whoever ends the run, a disk that is frozen and the namespaces must not stay; nor when it is ended twice."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(128 + signal.SIGTERM)


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    if not may_run():
        print("skipped: needs root, network namespaces, nftables and loop devices")
        return 0
    signal.signal(signal.SIGTERM, end)
    keep = Path(tempfile.gettempdir()) / f"tijera-chaos-{options.seed}"
    say(f"seed {options.seed}")
    if options.planted:
        return try_checker(options)
    if options.regions:
        return try_regions(options, keep)
    report, start, left, number = Report(), time.monotonic(), options.faults, 0
    while left > 0 and (options.minutes is None or number == 0 or time.monotonic() - start < options.minutes * 60):
        count = min(left, FAULTS_PER_ROUND)
        # The first round is that of the seed itself, so that one round can be repeated alone.
        play_round(options, f"{options.seed + number}", count, report, keep)
        left, number = left - count, number + 1
    planned = sum(len(faults) for faults in report.faults.values())
    if not report.injected or (planned >= FAULTS_TO_JUDGE and report.injected < planned * HITS_MIN):
        report.other.append(f"only {report.injected} of {planned} faults hit anything")
    if options.measure:
        report.other += report.measurements.missed(set(report.faults))
    text = report.text()
    print(text)
    if options.report:
        options.report.write_text(f"Seed {options.seed}, {number} rounds, {time.monotonic() - start:.0f} s.\n\n{text}\n"
                                  f"{report.verdict()}\n")
    for wrong in report.wrong:
        print(f"WRONG: {wrong}")
    print(report.verdict())
    if report.wrong:
        print(f"chaos: FAILED; again: {shlex.join(options.again)}; logs of the nodes: {keep}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
