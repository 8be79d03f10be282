"""How long the whole job of an eight-minute video takes with default options, and where the time goes."""

from collections import defaultdict
from pathlib import Path

from product import Product
from tools import FFMPEG, run
from video import Made, Material, Video

NAME = "speed"
VERSION = 1
# The demo video of about 98 s, so many times over.
TIMES = 5


def make(path: Path, demo: Path) -> dict:
    listed = path.with_suffix(".txt")
    listed.write_text(f"file '{demo}'\n" * TIMES)
    run(*FFMPEG, "-f", "concat", "-safe", "0", "-i", listed, "-c", "copy", "-movflags", "+faststart", path)
    listed.unlink()
    return {}


def videos(material: Material) -> list[Video]:
    demo = material.fixtures.parent / "demo" / "demo.mp4"
    return [material.video("speed-8min", VERSION, {}, lambda path, _: make(path, demo))]


def judge(made: list[Made], product: Product) -> tuple[dict, list[dict]]:
    (one,) = made
    length = one.manifest["source"]["facts"]["durationSeconds"]
    stages: dict[str, list[dict]] = defaultdict(list)
    for stage in product.waterfall(one)["stages"]:
        stages[stage["name"]] += [attempt for attempt in stage["attempts"] if "runSeconds" in attempt]
    rows = [{"stage": name, "runs": len(attempts), "runSeconds": sum(each["runSeconds"] for each in attempts),
             "cpuSeconds": sum(each.get("cpuSeconds", 0) for each in attempts)} for name, attempts in stages.items()]
    rows.sort(key=lambda row: -row["runSeconds"])
    return {"jobToLength": one.seconds / length, "seconds": one.seconds, "lengthSeconds": length}, rows


def baselines(made: list[Made]) -> dict:
    return {}
