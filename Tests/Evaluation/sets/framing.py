"""Whether the one who matters is in the rendered picture, large, and under a camera that rests.

Scenes of 1920x1080 in which real faces stand, walk, turn, are small, hang on the wall, come in twos, or jump at a cut.
"""

from pathlib import Path

import scores
from faces import ASTRONAUT, MAN, TURNER, WOMAN, Person
from product import Product
from scene import RATE, Actor, film, room, still
from sets.people import WIDEST_SCALE, facts_of, frames_of, frames_of_centre
from speech import Track, Voice
from texts import TALK
from video import Made, Material, Video

NAME = "framing"
VERSION = 2
OPTIONS = {"clipCount": 2, "minSeconds": 8, "maxSeconds": 12, "subtitles": "off", "language": "en"}
# Nobody walks in these; in those one person should be large.
STILL = {"still", "edge", "turning", "poster", "cut"}
SINGLE = {"still", "edge", "walker", "turning", "small", "poster", "cut"}


def talk(sound: Path, transcript: Path, seconds: float, seed: int) -> Track:
    track, sentences = Track(), TALK["en"]
    voice = Voice("en-us+f3" if seed % 2 else "en", pitch=35 + 5 * (seed % 5))
    while track.seconds < seconds - 3:
        track.say(sentences[(seed + len(track.parts) * 5) % len(sentences)], voice, pause=0.35)
    track.rest(0.5)
    track.write(sound)
    track.write_transcript(transcript, "en")
    return track


def walk(start: float, end: float, seconds: float, y: float):
    """From one side to the other, with a rest in the middle, so there is no reason to turn round."""
    def place(time):
        part = time / seconds
        eased = part * 1.25 if part < 0.4 else 0.5 if part < 0.6 else 0.5 + (part - 0.6) * 1.25
        return start + (end - start) * eased, y
    return place


class Scene:
    """`cast(fixtures, seconds, mouth)` -> the actors at a time; `cuts` are parts of the length."""

    def __init__(self, name: str, seed: int, cast, cuts=()):
        self.name, self.seed, self.cast, self.cuts = name, seed, cast, cuts

    def make(self, path: Path, transcript: Path, fixtures: Path, seconds: float) -> dict:
        sound = path.with_suffix(".wav")
        track = talk(sound, transcript, seconds, self.seed)
        levels = track.envelope(RATE)

        def mouth(number):
            return levels[number] if number < len(levels) else 0

        cuts = [round(part * track.seconds * RATE) / RATE for part in self.cuts]
        shots = self.cast(fixtures, track.seconds, mouth)
        rooms = [room(self.seed * 10 + number) for number in range(len(shots))]

        def at(time):
            shot = sum(time >= cut for cut in cuts)
            return rooms[shot], shots[shot]

        places = film(path, sound, track.seconds, at)
        sound.unlink()
        people = [actor.person for shot in shots for actor in shot if actor.person.bars]
        return {"cuts": cuts, "people": facts_of(people), "places": places}


def one(portrait, height: float, place, is_moving: bool = False):
    """A scene with one person; `place(seconds)` -> where that one is."""
    def cast(fixtures, seconds, mouth):
        return [[Actor(Person(portrait, fixtures, height, "first"), place(seconds), mouth, is_moving)]]
    return cast


def poster(fixtures, seconds, mouth):
    """A large face on the wall that never moves, and a smaller living one."""
    hanging = Actor(Person(ASTRONAUT, fixtures, 300, None), lambda time: (420, 380))
    return [[hanging, Actor(Person(MAN, fixtures, 220, "first"), still(1440, 560), mouth)]]


def pair(fixtures, seconds, mouth):
    """Two who fit into one window; the first one talks."""
    return [[Actor(Person(WOMAN, fixtures, 170, "first"), still(1200, 480), mouth),
             Actor(Person(MAN, fixtures, 160, "second"), still(1480, 500))]]


def cut(fixtures, seconds, mouth):
    person = Person(WOMAN, fixtures, 300, "first")
    return [[Actor(person, still(440, 470), mouth)], [Actor(person, still(1500, 470), mouth)]]


SCENES = [
    Scene("still", 1, one(WOMAN, 320, lambda seconds: still(1330, 470))),
    Scene("walker", 2, one(MAN, 200, lambda seconds: walk(380, 1540, seconds, 520))),
    Scene("poster", 3, poster),
    Scene("cut", 4, cut, cuts=[0.5]),
    Scene("edge", 5, one(ASTRONAUT, 210, lambda seconds: still(330, 420))),
    Scene("turning", 6, one(TURNER, 330, lambda seconds: still(620, 500), is_moving=True)),
    Scene("small", 7, one(MAN, 66, lambda seconds: still(1450, 620))),
    Scene("pair", 8, pair),
]
QUICK = ("still", "walker", "poster", "cut")


def videos(material: Material) -> list[Video]:
    seconds, made = (18 if material.is_quick else 26), []
    for scene in SCENES:
        if scene.name not in QUICK and material.is_quick:
            continue
        def write(path, transcript):
            return scene.make(path, transcript, material.fixtures, seconds)
        made.append(material.video(f"{scene.name}-{seconds}s", VERSION, OPTIONS, write, has_transcript=True))
    return made


def subject(time: float) -> str:
    return "first"


def scene_of(made: Made) -> str:
    return made.video.name.split("-")[0]


def judge(made: list[Made], product: Product) -> tuple[dict, list[dict]]:
    counts, rows = {}, []
    for each in made:
        scene = scene_of(each)
        for clip in each.clips:
            count = scores.count_framing(
                frames_of(each, clip, subject), subject, each.video.truth["cuts"], WIDEST_SCALE)
            counts.setdefault(scene, []).append(count)
        alone = scores.framing_figures({scene: counts.get(scene, [])}, STILL, SINGLE)
        rows.append({"video": each.video.name, **alone})
    return scores.framing_figures(counts, STILL, SINGLE), rows


def baselines(made: list[Made]) -> dict:
    """The crop of the middle."""
    counts = {scene_of(each): [scores.count_framing(
        frames_of_centre(each.video.truth, subject), subject, each.video.truth["cuts"], WIDEST_SCALE)] for each in made}
    return {"centre crop": scores.framing_figures(counts, STILL, SINGLE)}
