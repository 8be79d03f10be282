"""Where shots begin: hard cuts and dissolves among pans, flashes, fast motion and changes of light, which are none."""

import random
from pathlib import Path

import numpy

import scores
from product import Product
from speech import RATE as SOUND_RATE, write_wave
from tools import Planes, pictures, recording
from video import Made, Material, Video

NAME = "shots"
WIDTH, HEIGHT, RATE = 640, 360, 25
VERSION = 1


class Pictures:
    """Contents for shots, each a function from the number of a picture in it to the picture."""

    def __init__(self, fixtures: Path):
        def film(name: str, frames: int):
            return [Planes.from_rgb(each) for each in pictures(fixtures / name, WIDTH, HEIGHT, frames=frames)]

        def still(name: str, size: int):
            return next(pictures(fixtures / name, size, size))

        self.films = [film("woman.mp4", 400), film("no_face.mp4", 90), film("single_face.mp4", 70)]
        self.stills = [still("astronaut.png", 900), still("camera.png", 900)]

    def shot(self, kind: str, chance: random.Random):
        """A shot of one kind; `chance` draws what differs between two of them."""
        return getattr(self, f"_{kind}")(chance)

    def _film(self, chance):
        film = chance.choice(self.films)
        start, last = chance.randrange(len(film)), len(film) - 1

        def picture(number):
            place = (start + number) % (2 * last)
            return film[place if place <= last else 2 * last - place]
        return picture

    def _pan(self, chance):
        """A camera that moves over a picture, up to ten pixels a picture."""
        image = chance.choice(self.stills)
        top, speed = chance.randrange(0, 540) // 2 * 2, chance.uniform(2, 10)

        def picture(number):
            place = (number * speed) % 520
            left = int(place if place <= 260 else 520 - place)
            return Planes.from_rgb(image[top:top + HEIGHT, left:left + WIDTH])
        return picture

    def _motion(self, chance):
        """A bright thing that crosses the picture in half a second, again and again."""
        colour = numpy.array([chance.randrange(60, 255) for _ in range(3)], numpy.uint8)
        back = numpy.full((HEIGHT, WIDTH, 3), [chance.randrange(20, 120) for _ in range(3)], numpy.uint8)
        back[::24] //= 2
        height, top = chance.randrange(120, 220), chance.randrange(0, 130)

        def picture(number):
            image = back.copy()
            left = number * 50 % (WIDTH + 240) - 240
            image[top:top + height, max(0, left):max(0, left + 240)] = colour
            return Planes.from_rgb(image)
        return picture

    def _light(self, chance):
        """A still whose light goes down and up again within two seconds."""
        image, top = chance.choice(self.stills), chance.randrange(0, 540)
        part = image[top:top + HEIGHT, :WIDTH].astype(numpy.float32)
        return lambda number: Planes.from_rgb(part * (0.7 + 0.3 * numpy.cos(number * numpy.pi / 25)))

    def _flash(self, chance):
        """A film with flashes of two pictures."""
        film = self._film(chance)
        at = chance.randrange(15, 30)

        def picture(number):
            image = film(number)
            if (number - at) % 40 not in (0, 1):
                return image
            return image.mixed(Planes(*(numpy.full_like(plane, level) for plane, level in
                                        ((image.y, 235), (image.u, 128), (image.v, 128)))), 0.85)
        return picture


KINDS = ["film", "pan", "motion", "light", "flash", "film", "pan"]


def plan(chance: random.Random, seconds: float) -> list[tuple[str, int, int]]:
    """Shots as (kind, pictures, pictures of dissolve at their beginning); 0: a hard cut. Every third joint dissolves."""
    shots, total = [], 0
    while total < seconds * RATE:
        # No two of the same film in a row: where there is no difference there is no cut.
        kind = chance.choice([each for each in KINDS if not shots or each != shots[-1][0]])
        if shots and {kind, shots[-1][0]} <= {"film", "flash"} or shots and {kind, shots[-1][0]} <= {"pan", "light"}:
            continue
        # Cutaways are short; nobody dissolves into one.
        is_cutaway = chance.random() < 0.2
        length = chance.randrange(20, 35) if is_cutaway else chance.randrange(55, 130)
        dissolve = chance.randrange(10, 26) if shots and len(shots) % 3 == 2 and not is_cutaway else 0
        shots.append((kind, length, dissolve))
        total += length
    return shots


def make(path: Path, contents: Pictures, seed: int, seconds: float) -> dict:
    chance = random.Random(seed)
    sound = path.with_suffix(".wav")
    noise = numpy.random.default_rng(seed).normal(0, 0.02, int(SOUND_RATE * (seconds + 10)))
    write_wave(sound, noise)
    hard, dissolves, number, before, shown = [], [], 0, None, 0
    with recording(path, WIDTH, HEIGHT, RATE, sound) as take:
        for kind, length, dissolve in plan(chance, seconds):
            shot = contents.shot(kind, chance)
            if before is not None and dissolve:
                dissolves.append((number / RATE, (number + dissolve) / RATE))
            elif before is not None:
                hard.append(number / RATE)
            for index in range(length):
                picture = shot(index)
                if index < dissolve:
                    # The shot before goes on below the one that comes.
                    picture = before(shown + index).mixed(picture, (index + 1) / (dissolve + 1))
                take(picture)
                number += 1
            before, shown = shot, length
    sound.unlink()
    return {"hard": hard, "dissolves": dissolves}


def videos(material: Material) -> list[Video]:
    contents, options = None, {"clipCount": 1, "minSeconds": 3, "maxSeconds": 4, "subtitles": "off"}
    # One video has five dissolves: a figure of one in five says nothing.
    seeds, seconds = ([1, 2, 3], 60) if material.is_quick else ([1, 2, 3], 100)
    made = []
    for seed in seeds:
        def write(path, _):
            nonlocal contents
            contents = contents or Pictures(material.fixtures)
            return make(path, contents, seed, seconds)
        made.append(material.video(f"shots-{seed}-{seconds}s", VERSION, options, write))
    return made


def judge(made: list[Made], product: Product) -> tuple[dict, list[dict]]:
    total, rows = scores.CutCount(), []
    for each in made:
        truth = each.video.truth
        told = product.result(each, "shots", "cuts.json")
        count = scores.count_cuts(told, truth["hard"], [tuple(span) for span in truth["dissolves"]])
        rows.append({"video": each.video.name, **vars(count)})
        total += count
    return total.figures(), rows


def baselines(made: list[Made]) -> dict:
    """A cut every four seconds, wherever they are."""
    total = scores.CutCount()
    for each in made:
        truth, seconds = each.video.truth, each.manifest["source"]["facts"]["durationSeconds"]
        told = [4.0 * number for number in range(1, int(seconds / 4) + 1)]
        total += scores.count_cuts(told, truth["hard"], [tuple(span) for span in truth["dissolves"]])
    return {"a cut every 4 s": total.figures()}
