"""The score table, and the contact sheets that a person should look at before believing it."""

import json
import math
import tempfile
from pathlib import Path

import scores
from tools import FFMPEG, run
from video import Made

SHEET_COLUMNS = 8


def shown(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}".rstrip("0").rstrip(".") if math.isfinite(value) else str(value)


class Report:
    def __init__(self, folder: Path, thresholds: dict, previous: dict):
        self.folder, self.thresholds, self.previous = folder, thresholds, previous
        self.figures: dict[str, dict] = {}
        self.baselines: dict[str, dict] = {}
        self.rows: dict[str, list[dict]] = {}
        self.broken: dict[str, str] = {}

    def add(self, name: str, figures: dict, rows: list[dict], baselines: dict):
        self.figures[name], self.rows[name], self.baselines[name] = figures, rows, baselines

    def add_broken(self, name: str, why: str):
        """A set that could not be judged has failed."""
        self.broken[name] = why

    @property
    def failures(self) -> list[str]:
        wrong = [f"{name}: {why.splitlines()[0]}" for name, why in self.broken.items()]
        for name in self.figures:
            wrong += [f"{name}: {line}" for line in self.missed(name)]
        return wrong

    def missed(self, name: str) -> list[str]:
        """What a set that was judged has missed."""
        return scores.failures(self.figures[name], self.thresholds.get(name, {}))

    def accepted(self) -> dict[str, dict]:
        """The figures to compare the next run with: sets that were not run, or missed something, keep what they had."""
        good = {name: figures for name, figures in self.figures.items() if not self.missed(name)}
        return self.previous | good

    def table(self) -> str:
        """Figures beside what is asked of them, what a simple way would get, and what was accepted last."""
        lines = ["| figure | measured | threshold | baseline | previous | |", "|---|---|---|---|---|---|"]
        for name, figures in self.figures.items():
            bounds = self.thresholds.get(name, {})
            for figure, value in figures.items():
                bound = bounds.get(figure, {})
                asked = " ".join(f"{'>=' if kind == 'atLeast' else '<='} {limit}" for kind, limit in bound.items())
                others = ", ".join(f"{shown(each[figure])} ({way})" for way, each in self.baselines[name].items()
                                   if figure in each)
                is_missed = bool(bound) and bool(scores.failures(figures, {figure: bound}))
                verdict = "MISSED" if is_missed else "ok" if bound else ""
                before = shown(self.previous.get(name, {}).get(figure))
                lines.append(f"| {name}.{figure} | {shown(value)} | {asked} | {others} | {before} | {verdict} |")
        lines += [f"| {name} | not judged: {why.splitlines()[0][:120]} | | | | MISSED |"
                  for name, why in self.broken.items()]
        return "\n".join(lines)

    def details(self) -> str:
        parts = []
        for name, rows in self.rows.items():
            if not rows:
                continue
            columns = list(dict.fromkeys(column for row in rows for column in row))
            parts += [f"\n## {name}\n", f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
            for row in rows:
                cells = [shown(value) if isinstance(value, (int, float)) else str(value)
                         for value in (row.get(column, "") for column in columns)]
                parts.append(f"| {' | '.join(cells)} |")
        return "\n".join(parts)

    def write(self):
        whole = {"figures": self.figures, "baselines": self.baselines, "rows": self.rows, "broken": self.broken,
                 "failures": self.failures}
        (self.folder / "report.json").write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
        (self.folder / "report.md").write_text(f"# Evaluation\n\n{self.table()}\n{self.details()}\n")


def contact_sheet(made: Made, path: Path):
    """One picture of a video: a row of pictures for each of its clips, from its beginning to its end."""
    clips = [(made.file(clip, "mp4"), clip["durationSeconds"]) for clip in made.clips]
    if not clips:
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for number, (clip, seconds) in enumerate(clips):
            row = Path(folder) / f"{number}.png"
            run(*FFMPEG, "-i", clip, "-vf",
                f"fps={SHEET_COLUMNS / seconds:.5f},scale=160:-2,tile={SHEET_COLUMNS}x1", "-frames:v", 1, row)
            rows.append(row)
        stacked = f"vstack=inputs={len(rows)}" if len(rows) > 1 else "null"
        inputs = [part for row in rows for part in ("-i", row)]
        run(*FFMPEG, *inputs, "-filter_complex", stacked, "-frames:v", 1, path)
