"""Whether the moments that were planted in a dull talk are among the clips, and no clip begins or ends inside a word.

Each talk hides five: a story that makes people laugh, one that is applauded, one told with a livelier voice, one that
only its words give away, and one that matters only because the client named its keywords.
"""

import random
from pathlib import Path

import numpy

import scores
from moments import DULL, KEYWORDS, STORIES
from product import Product
from speech import RATE, Track, Voice
from tools import FFMPEG, run
from video import Made, Material, Video

NAME = "highlights"
VERSION = 1
VOICES = {"en": "en-us", "es": "es"}
KINDS = ["laughter", "applause", "voice", "words", "keyword"]
DULL_SECONDS = (48, 66)


def reaction(kind: str, chance: numpy.random.Generator) -> numpy.ndarray:
    """A room that laughs in bursts, or claps: noise without words."""
    seconds = 2.4
    time = numpy.arange(int(seconds * RATE)) / RATE
    noise = chance.normal(0, 1, len(time))
    # Without the lowest and the highest, as a room full of people sounds.
    noise = numpy.convolve(noise, numpy.ones(4) / 4, "same") - numpy.convolve(noise, numpy.ones(60) / 60, "same")
    shape = numpy.minimum(1, time / 0.2) * numpy.minimum(1, (seconds - time) / 0.9)
    if kind == "laughter":
        shape = shape * (0.35 + 0.65 * numpy.abs(numpy.sin(2 * numpy.pi * 2.4 * time)))
    return (0.5 * noise * shape).astype(numpy.float32)


def dull(track: Track, language: str, chance: random.Random, seconds: float, used: set):
    voice = Voice(VOICES[language], speed=145, pitch=38, melody=25, gain=0.55)
    words, end = DULL[language], track.seconds + seconds
    while track.seconds < end:
        filled = {name: chance.choice(words[name]) for name in "abcd"}
        sentence = chance.choice(words["sentences"]).format(**filled)
        if sentence not in used:
            used.add(sentence)
            track.say(sentence, voice, pause=chance.uniform(0.35, 0.7))


def moment(track: Track, language: str, kind: str, story: list[str], noise) -> tuple[float, float]:
    lively = {"speed": 165, "pitch": 55, "melody": 85, "gain": 1.0}
    flat = {"speed": 150, "pitch": 38, "melody": 30, "gain": 0.55}
    voice = Voice(VOICES[language], **(flat if kind in ("words", "keyword") else lively))
    if kind == "keyword":
        story = KEYWORDS[language][1]
    start = track.seconds
    for sentence in story:
        _, end = track.say(sentence, voice, pause=0.25)
    if kind in ("laughter", "applause"):
        _, end = track.play(reaction(kind, noise), pause=0.6)
    track.rest(0.4)
    return start, end


def make(path: Path, language: str, seed: int) -> dict:
    chance, noise, track, sound = random.Random(seed), numpy.random.default_rng(seed), Track(), path.with_suffix(".wav")
    kinds, stories, planted, used = KINDS[:], STORIES[language][:], [], set()
    chance.shuffle(kinds)
    chance.shuffle(stories)
    for kind, story in zip(kinds, stories):
        dull(track, language, chance, chance.uniform(*DULL_SECONDS), used)
        start, end = moment(track, language, kind, story, noise)
        planted.append({"kind": kind, "start": start, "end": end})
    dull(track, language, chance, chance.uniform(*DULL_SECONDS), used)
    track.write(sound)
    run(*FFMPEG, "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=12", "-i", sound, "-shortest", "-c:v", "libx264",
        "-preset", "ultrafast", "-crf", 30, "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "128k", "-ar", "48000", path)
    sound.unlink()
    return {"planted": planted, "words": track.words, "seconds": track.seconds}


def videos(material: Material) -> list[Video]:
    made = []
    for language, seed in (("en", 1), ("es", 2), ("en", 3), ("es", 4)):
        def write(path, _):
            return make(path, language, seed)
        options = {"clipCount": len(KINDS), "durationPreset": "short", "subtitles": "off", "smartCrop": False,
                   "language": language, "keywords": [KEYWORDS[language][0]]}
        made.append(material.video(f"highlights-{language}-{seed}", VERSION, options, write))
    return made


def ranges(clips: list[dict]) -> list[tuple[float, float]]:
    return [(each["start"], each["end"]) for each in clips]


def judge(made: list[Made], product: Product) -> tuple[dict, list[dict]]:
    found = planted = borders = 0
    chance, rows = [], []
    for each in made:
        truth, clips = each.video.truth, ranges(each.clips)
        moments = ranges(truth["planted"])
        mine, wrong = scores.hits(clips, moments), scores.borders_in_words(clips, truth["words"])
        lucky = scores.random_hits([end - start for start, end in clips], moments, truth["seconds"], 1)
        missed = [one["kind"] for one in truth["planted"] if not scores.hits(clips, [(one["start"], one["end"])])]
        rows.append({"video": each.video.name, "clips": len(clips), "found": mine, "planted": len(moments),
                     "missed": " ".join(missed), "bordersInWords": wrong, "randomFound": lucky})
        found, planted, borders, chance = found + mine, planted + len(moments), borders + wrong, [*chance, lucky]
    return {"foundInTop": scores.share(found, planted), "randomFound": sum(chance) / len(chance),
            "bordersInWords": borders}, rows


def baselines(made: list[Made]) -> dict:
    """Clips of the same lengths, one after the other from the beginning."""
    found = planted = 0
    for each in made:
        at, clips = 0.0, []
        for clip in each.clips:
            clips.append((at, at + clip["durationSeconds"]))
            at = clips[-1][1]
        moments = ranges(each.video.truth["planted"])
        found, planted = found + scores.hits(clips, moments), planted + len(moments)
    return {"from the beginning": {"foundInTop": scores.share(found, planted)}}
