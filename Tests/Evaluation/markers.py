"""Finds the coloured bars of `faces` in rendered pictures, however the picture was cut, scaled and put together."""

from dataclasses import dataclass
from pathlib import Path

import numpy

from faces import BARS
from tools import pictures

# Rendered clips are looked at this small; what is found is told in pixels of a picture that is 1080 wide.
LOOK_WIDTH = 540
OUTPUT_WIDTH = 1080
# How far apart a colour's parts have to be (0 to 255), and how near in hue, to be of a bar and not of what is blurred.
PURITY_MIN = 86
HUE_COSINE_MIN = 0.93
PIXELS_MIN = 8


@dataclass(frozen=True)
class Bar:
    """Where a bar is and how high, in pixels of the output."""

    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Seen:
    """What is to be seen of a person: one bar, or both."""

    left: Bar | None
    right: Bar | None


def _directions() -> dict:
    directions = {}
    for name, pair in BARS.items():
        for side, colour in zip(("left", "right"), pair):
            vector = numpy.array(colour, numpy.float32)
            vector -= vector.mean()
            directions[name, side] = vector / numpy.linalg.norm(vector)
    return directions


DIRECTIONS = _directions()


def find(picture) -> dict[str, Seen]:
    """The people in a picture by the names of their bars; who is not there is left out."""
    red, green, blue = (picture[..., channel] for channel in range(3))
    highest, lowest = numpy.maximum(numpy.maximum(red, green), blue), numpy.minimum(numpy.minimum(red, green), blue)
    rows, columns = numpy.nonzero(highest - lowest > PURITY_MIN)
    colours = picture[rows, columns].astype(numpy.float32)
    colours -= colours.mean(axis=1, keepdims=True)
    strengths = numpy.linalg.norm(colours, axis=1)
    scale, people = OUTPUT_WIDTH / picture.shape[1], {}
    for (name, side), direction in DIRECTIONS.items():
        mine = colours @ direction > HUE_COSINE_MIN * strengths
        bar = _bar(rows[mine], columns[mine], scale)
        if bar:
            people.setdefault(name, {})[side] = bar
    return {name: Seen(sides.get("left"), sides.get("right")) for name, sides in people.items()}


def _bar(rows, columns, scale: float) -> Bar | None:
    """The largest upright heap of pixels: what lies apart is something else of that colour."""
    for _ in range(2):
        kept = _longest_heap(columns)
        rows, columns = rows[kept], columns[kept]
        kept = _longest_heap(rows)
        rows, columns = rows[kept], columns[kept]
    if len(rows) < PIXELS_MIN:
        return None
    # Ends of a bar are half-coloured pixels: the spread of what is inside tells its height better.
    height = (rows.max() - rows.min() + 1) * scale
    return Bar((columns.mean() + 0.5) * scale, (rows.mean() + 0.5) * scale, height)


def _longest_heap(values):
    """Which values belong to the most populous run without a gap of more than two."""
    if len(values) == 0:
        return numpy.zeros(0, bool)
    counts = numpy.bincount(values)
    filled = numpy.flatnonzero(counts)
    runs = numpy.split(filled, numpy.flatnonzero(numpy.diff(filled) > 3) + 1)
    best = max(runs, key=lambda run: counts[run[0]:run[-1] + 1].sum())
    return (values >= best[0]) & (values <= best[-1])


def watch(path: Path, width: int = LOOK_WIDTH) -> list[dict[str, Seen]]:
    """What is to be seen in each picture of a clip of 9:16."""
    return [find(picture) for picture in pictures(path, width, width * 16 // 9)]
