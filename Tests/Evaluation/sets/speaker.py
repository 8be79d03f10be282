"""Two people far apart who take turns: is the one who speaks in the picture, and how soon.

Voices come from espeak-ng, mouths open with them. Who listens sways, nods, or smiles with the teeth showing.
"""

import math
import random
from dataclasses import dataclass
from pathlib import Path

import scores
from faces import ASTRONAUT, MAN, SMILER, WOMAN, Person, Portrait
from product import Product
from scene import RATE, Actor, film, room, still
from scores import Turn
from sets.people import facts_of, frames_of, frames_of_centre
from speech import Track, Voice
from texts import TALK
from video import Made, Material, Video

NAME = "speaker"
VERSION = 1
OPTIONS = {"clipCount": 3, "minSeconds": 12, "maxSeconds": 20, "subtitles": "off"}


@dataclass(frozen=True)
class Talk:
    name: str
    seed: int
    language: str
    # (portrait, height of the face, place of its middle) of those two.
    people: dict[str, tuple[Portrait, float, tuple[float, float]]]
    voices: dict[str, Voice]
    # Sentences of a turn: one of these each time.
    sentences: tuple[int, ...]
    # Who smiles at the camera while the other one speaks, by the material for it.
    smiling: dict[str, Portrait]
    is_nodding: bool = False


FAR = {"first": (WOMAN, 300, (430, 480)), "second": (MAN, 280, (1480, 520))}
UNLIKE = {"first": (ASTRONAUT, 150, (400, 430)), "second": (WOMAN, 340, (1470, 480))}
PLAIN = {"first": Voice("en-us+f3", pitch=65), "second": Voice("en-us+m3", pitch=30)}
SPANISH = {"first": Voice("es+f3", pitch=65), "second": Voice("es+m3", pitch=30)}
TALKS = [
    Talk("turns", 1, "en", FAR, PLAIN, (1, 2, 2, 3), {}),
    Talk("smiles", 2, "es", FAR, SPANISH, (1, 2, 3), {"second": SMILER}, is_nodding=True),
    Talk("unlike", 3, "en", UNLIKE, PLAIN, (2, 2, 3), {}, is_nodding=True),
    Talk("fast", 4, "es", FAR, SPANISH, (1,), {}),
]


def converse(talk: Talk, seconds: float) -> tuple[Track, list[Turn]]:
    chance, track, turns = random.Random(talk.seed), Track(), []
    sentences, said = TALK[talk.language], 0
    while track.seconds < seconds:
        speaker = ("first", "second")[len(turns) % 2]
        start = end = None
        for _ in range(chance.choice(talk.sentences)):
            begins, end = track.say(sentences[said * 7 % len(sentences)], talk.voices[speaker], pause=0.2)
            start, said = begins if start is None else start, said + 1
        turns.append(Turn(speaker, start, end))
        track.rest(0.2)
    return track, turns


def nodding(x: float, y: float):
    """Two seconds of every six."""
    def place(time):
        depth = 9 * math.sin(2 * math.pi * 0.9 * time) if time % 6 < 2 else 0
        return x + 3 * math.sin(1.1 * time), y + depth
    return place


def make(path: Path, transcript: Path, talk: Talk, fixtures: Path, seconds: float) -> dict:
    track, turns = converse(talk, seconds)
    sound, levels = path.with_suffix(".wav"), track.envelope(RATE)
    track.write(sound)
    track.write_transcript(transcript, talk.language)

    def speaker_at(time):
        return next((turn.speaker for turn in turns if turn.start <= time < turn.end), None)

    def mouth_of(name):
        return lambda number: levels[number] if number < len(levels) and speaker_at(number / RATE) == name else 0

    speaking, listening = {}, {}
    for name, (portrait, height, (x, y)) in talk.people.items():
        person = Person(portrait, fixtures, height, name)
        speaking[name] = Actor(person, still(x, y), mouth_of(name))
        place = nodding(x, y) if talk.is_nodding else still(x, y)
        listening[name] = Actor(person, place)
        if name in talk.smiling:
            listening[name] = Actor(Person(talk.smiling[name], fixtures, height, name), place, is_moving=True)
    background = room(talk.seed + 100)

    def at(time):
        speaker = speaker_at(time)
        return background, [(speaking if name == speaker else listening)[name] for name in talk.people]

    places = film(path, sound, track.seconds, at)
    sound.unlink()
    return {"turns": [vars(turn) for turn in turns], "places": places,
            "people": facts_of([actor.person for actor in speaking.values()])}


def videos(material: Material) -> list[Video]:
    made = []
    for talk in TALKS:
        def write(path, transcript):
            return make(path, transcript, talk, material.fixtures, 60)
        options = OPTIONS | {"language": talk.language}
        made.append(material.video(f"speaker-{talk.name}", VERSION, options, write, has_transcript=True))
    return made


def turns_of(made: Made) -> list[Turn]:
    return [Turn(**turn) for turn in made.video.truth["turns"]]


def last_speaker(turns: list[Turn]):
    def subject(time):
        begun = [turn.speaker for turn in turns if turn.start <= time]
        return begun[-1] if begun else turns[0].speaker
    return subject


def judge(made: list[Made], product: Product) -> tuple[dict, list[dict]]:
    total, rows = scores.SpeakerCount(), []
    for each in made:
        turns, count = turns_of(each), scores.SpeakerCount()
        for clip in each.clips:
            count += scores.count_speaker(frames_of(each, clip, last_speaker(turns)), turns)
        rows.append({"video": each.video.name, **count.figures(),
                     "switches": " ".join(f"{seconds:.2f}" for seconds in count.switches)})
        total += count
    return total.figures(), rows


def baselines(made: list[Made]) -> dict:
    """The crop of the middle, and always the first of the two."""
    centre = first = scores.SpeakerCount()
    for each in made:
        turns = turns_of(each)
        frames = frames_of_centre(each.video.truth, last_speaker(turns))
        centre += scores.count_speaker(frames, turns)
        one = frozenset({"first"})
        first += scores.count_speaker([scores.Frame(frame.time, one, one) for frame in frames], turns)
    return {"centre crop": centre.figures(), "always the same": first.figures()}
