"""People for scenes: real faces whose mouths are opened by a sound, between two coloured bars that tell where they are.

The bars are what is found again in the rendered clips: a face detector that judged another face detector would share
its mistakes. They stand close beside the face and are as high, so where both are whole the face is.
"""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy

from tools import Planes, pictures

# Pure colours a sixth of the circle apart; none is near to skin, wood or a space suit. Left and right bar of a person.
BARS = {"first": ((230, 0, 230), (0, 200, 0)), "second": ((0, 215, 215), (30, 30, 255))}
# In pixels of the scene; those of small faces are narrower, so that they stand beside the face and not in it.
BAR_WIDTHS = (8, 18)
MOUTH_STEPS = 8


@dataclass(frozen=True)
class Portrait:
    """Where a face is in its material: found by looking, in pixels of the cut-out."""

    file: str
    # Size of the file's picture, and the cut-out as x, y, width, height.
    size: tuple[int, int]
    cut: tuple[int, int, int, int]
    # Left, top, right, bottom.
    face: tuple[int, int, int, int]
    # Left, right, and the line at which it opens.
    mouth: tuple[int, int, int]
    start: float = 0
    # Frames of the file that are played to and fro where it is not to talk; the first is the one that talks.
    frames: int = 1


WOMAN = Portrait("woman.mp4", (640, 360), (300, 0, 340, 360), (51, 20, 257, 321), (108, 203, 247), start=10.4)
MAN = Portrait("single_face.mp4", (640, 360), (110, 0, 360, 360), (109, 78, 265, 301), (164, 219, 252))
# Smiles and shows teeth, and says nothing.
SMILER = Portrait("single_face.mp4", (640, 360), (110, 0, 360, 360), (109, 78, 265, 301), (164, 219, 252), start=0.3,
                  frames=54)
# Looks up, tilts and turns her head: the box is what her face needs in all of it.
TURNER = Portrait("woman.mp4", (640, 360), (240, 0, 400, 360), (80, 15, 335, 330), (150, 260, 245), start=10.4,
                  frames=210)
ASTRONAUT = Portrait("astronaut.png", (512, 512), (70, 0, 300, 300), (112, 79, 200, 183), (134, 172, 148))


class Person:
    """A portrait at one size, as pictures that can be pasted into a scene."""

    def __init__(self, portrait: Portrait, fixtures: Path, face_height: float, bars: str | None):
        """`bars`: which pair of colours stands beside the face; None: nobody has to be found again."""
        self.portrait, self.bars = portrait, bars
        x, y, width, height = portrait.cut
        scale = face_height / (portrait.face[3] - portrait.face[1])
        self.width, self.height = (int(round(side * scale / 2)) * 2 for side in (width, height))
        self.scale = self.width / width
        cut = f"scale={portrait.size[0]}:{portrait.size[1]},crop={width}:{height}:{x}:{y}"
        self.originals = list(pictures(
            fixtures / portrait.file, width, height, cut, portrait.start, portrait.frames))
        left, top, right, bottom = (side * self.scale for side in portrait.face)
        self.face_height = bottom - top
        # From the top left corner of the picture to the middle of the face.
        self.middle = ((left + right) / 2, (top + bottom) / 2)
        # From the middle of the face to the middle of a bar.
        self.gap = (right - left) / 2 + 0.12 * face_height

    @functools.lru_cache(maxsize=512)
    def picture(self, frame: int, mouth: int) -> Planes:
        """`frame` of the material, with the mouth `mouth` of `MOUTH_STEPS` open."""
        image = self.originals[frame]
        if mouth:
            image = _open_mouth(image, self.portrait, mouth / MOUTH_STEPS)
        image = _resized(image, self.width, self.height)
        return Planes.from_rgb(image)

    def swinging(self, number: int) -> int:
        """The frame of the material at picture `number`, played to and fro."""
        last = len(self.originals) - 1
        place = number % (2 * last) if last else 0
        return place if place <= last else 2 * last - place

    def bar_pictures(self) -> list[tuple[float, Planes]]:
        """(distance of its middle from the middle of the face, picture) of each bar."""
        if self.bars is None:
            return []
        height = int(self.face_height // 2) * 2
        width = int(min(max(self.face_height * 0.1, BAR_WIDTHS[0]), BAR_WIDTHS[1]) // 2) * 2
        return [(side * self.gap, Planes.from_rgb(numpy.full((height, width, 3), colour, numpy.uint8)))
                for side, colour in zip((-1, 1), BARS[self.bars])]


def _open_mouth(image, portrait: Portrait, amount: float):
    """Moves what is below the mouth's line down, most in the middle, and fills the gap with the dark of a mouth."""
    left, right, line = portrait.mouth
    chin, face_height = portrait.face[3], portrait.face[3] - portrait.face[1]
    wide, out = (right - left) * 0.45, image.copy()
    middle, deepest = (left + right) / 2, amount * 0.13 * face_height
    for column in range(max(0, int(middle - 2 * wide)), min(image.shape[1], int(middle + 2 * wide) + 1)):
        depth = deepest * (0.5 + 0.5 * numpy.cos(numpy.pi * (column - middle) / (2 * wide)))
        rows = numpy.arange(line, chin)
        source = line + (rows - line - depth) * (chin - line) / (chin - line - depth)
        moved = image[numpy.clip(numpy.rint(source).astype(int), line, chin - 1), column]
        inside = abs(column - middle) < wide
        out[line:chin, column] = numpy.where(((source < line) & inside)[:, None], (58, 20, 26), moved)
    return out


def _resized(image, width: int, height: int):
    """By straight lines between the pixels."""
    rows = numpy.clip((numpy.arange(height) + 0.5) * image.shape[0] / height - 0.5, 0, image.shape[0] - 1)
    columns = numpy.clip((numpy.arange(width) + 0.5) * image.shape[1] / width - 0.5, 0, image.shape[1] - 1)
    top, left = rows.astype(int), columns.astype(int)
    below, right = numpy.minimum(top + 1, image.shape[0] - 1), numpy.minimum(left + 1, image.shape[1] - 1)
    down, across = (rows - top)[:, None, None], (columns - left)[None, :, None]
    image = image.astype(numpy.float32)
    upper = image[top][:, left] * (1 - across) + image[top][:, right] * across
    lower = image[below][:, left] * (1 - across) + image[below][:, right] * across
    return numpy.rint(upper * (1 - down) + lower * down).astype(numpy.uint8)
