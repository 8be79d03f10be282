"""Scenes of 1920x1080 in which it is known, picture by picture, where everybody is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import numpy

from faces import MOUTH_STEPS, Person
from tools import Planes, recording

WIDTH, HEIGHT, RATE = 1920, 1080, 25


@dataclass
class Actor:
    person: Person
    # Where the middle of the face is at a time, in pixels of the scene; None: not on screen.
    place: Callable[[float], tuple[float, float] | None]
    # How far the mouth is open at picture n, 0 to 1.
    mouth: Callable[[int], float] = lambda number: 0
    # Plays its material whatever is said.
    is_moving: bool = False


def room(seed: int) -> Planes:
    """A wall with broad shadows, panels and grain: no face, little colour, something to see everywhere."""
    chance = numpy.random.default_rng(seed)
    rough = chance.uniform(90, 170, (7, 12))
    rows, columns = numpy.linspace(0, 5.999, HEIGHT), numpy.linspace(0, 10.999, WIDTH)
    top, left = rows.astype(int), columns.astype(int)
    down, across = (rows - top)[:, None], (columns - left)[None, :]
    wall = (rough[top][:, left] * (1 - down) + rough[top + 1][:, left] * down) * (1 - across) \
        + (rough[top][:, left + 1] * (1 - down) + rough[top + 1][:, left + 1] * down) * across
    for at in range(0, WIDTH, 240):
        wall[:, at:at + 6] -= 25
    wall[760:772] -= 30
    wall += chance.normal(0, 3, wall.shape)
    tint = chance.uniform(0.9, 1.1, 3)
    return Planes.from_rgb(numpy.clip(wall[..., None] * tint, 0, 255))


def still(x: float, y: float, sway: float = 3) -> Callable[[float], tuple[float, float]]:
    """Somebody who sits: nobody sits like a stone."""
    return lambda time: (x + sway * numpy.sin(1.1 * time), y + sway * numpy.sin(0.7 * time + 1))


def draw(picture: Planes, actor: Actor, number: int) -> dict | None:
    """Puts the actor into picture `number`, and tells where the middle of the face is."""
    place = actor.place(number / RATE)
    if place is None:
        return None
    person = actor.person
    x, y = (int(side // 2) * 2 for side in place)
    left, top = (int((side - middle) // 2) * 2 for side, middle in zip((x, y), person.middle))
    frame = person.swinging(number) if actor.is_moving else 0
    mouth = 0 if actor.is_moving else int(round(actor.mouth(number) * MOUTH_STEPS))
    picture.paste(person.picture(frame, mouth), left, top)
    for distance, bar in person.bar_pictures():
        width, height = bar.size
        picture.paste(bar, int(x + distance - width / 2), int(y - height / 2))
    return {"x": x, "y": y}


def film(path: Path, sound: Path, seconds: float, cast: Callable[[float], tuple[Planes, list[Actor]]]) -> list[dict]:
    """Writes the scene; for each picture, where each pair of bars is: {"first": {"x", "y"}, ...}."""
    places = []
    with recording(path, WIDTH, HEIGHT, RATE, sound) as take:
        for number in range(int(seconds * RATE)):
            background, actors = cast(number / RATE)
            picture, seen = background.copy(), {}
            for actor in actors:
                place = draw(picture, actor, number)
                if place and actor.person.bars:
                    seen[actor.person.bars] = place
            take(picture)
            places.append(seen)
    return places
