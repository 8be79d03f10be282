"""Judges the clips of a running cluster on videos with known truth: Tests/Evaluation/run starts one for it."""

import argparse
import json
import sys
import traceback
from pathlib import Path

from product import Product
from report import Report, contact_sheet
from sets import captions, framing, highlights, shots, sound, speaker, speed
from tools import say
from video import Material

HERE = Path(__file__).parent
PREVIOUS = HERE / "previous.json"
ALL = {each.NAME: each for each in (shots, framing, speaker, highlights, captions, sound, speed)}
# Eight minutes of video and nothing beside it: only when it is named.
USUAL = [name for name in ALL if name != "speed"]
QUICK = ["shots", "framing", "sound"]


def arguments():
    parser = argparse.ArgumentParser(prog="cluster/dev eval")
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"any of {', '.join(ALL)}; none: all but speed")
    parser.add_argument("--quick", action="store_true", help=f"small material of {', '.join(QUICK)}")
    parser.add_argument("--accept", action="store_true", help="keep the figures of the sets that missed nothing")
    parser.add_argument("--data", type=Path, required=True, help="data folder of a running cluster")
    parser.add_argument("--cache", type=Path, required=True, help="where videos are generated, once")
    parser.add_argument("--fixtures", type=Path, required=True, help="folder of cluster/lib/fixtures")
    parser.add_argument("--report", type=Path, required=True, help="folder for the table, the clips and the sheets")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.sets if name not in ALL]
    if unknown:
        parser.error(f"there is no set {unknown[0]}; there are {', '.join(ALL)}")
    if chosen.quick and chosen.accept:
        parser.error("figures of a quick run are no measure for the next whole one: --accept goes without --quick")
    chosen.sets = chosen.sets or (QUICK if chosen.quick else USUAL)
    return chosen


def judge(name: str, material: Material, product: Product, report: Report):
    one = ALL[name]
    say(f"{name}: making videos")
    videos = one.videos(material)
    say(f"{name}: {len(videos)} videos go through the cluster")
    made = product.make(videos, name)
    for each in made:
        contact_sheet(each, report.folder / f"{name}-{each.video.name}.png")
    say(f"{name}: measuring")
    figures, rows = one.judge(made, product)
    report.add(name, figures, rows, one.baselines(made))


def main() -> int:
    chosen = arguments()
    chosen.report.mkdir(parents=True, exist_ok=True)
    report = Report(chosen.report, json.loads((HERE / "thresholds.json").read_text()),
                    json.loads(PREVIOUS.read_text()))
    material = Material(chosen.cache, chosen.fixtures, chosen.quick)
    product = Product(chosen.data, chosen.report / "clips")
    for name in chosen.sets:
        try:
            judge(name, material, product, report)
        except Exception as error:  # noqa: BLE001  What breaks one set must not hide the figures of the others.
            traceback.print_exc()
            report.add_broken(name, str(error) or type(error).__name__)
        report.write()
    print(report.table())
    say(f"the report, the clips and a contact sheet of every video: {chosen.report}")
    for line in report.failures:
        say(f"MISSED  {line}")
    if chosen.accept:
        PREVIOUS.write_text(json.dumps(report.accepted(), indent=4, sort_keys=True) + "\n")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
