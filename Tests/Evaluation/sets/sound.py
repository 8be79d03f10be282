"""Whether rendered clips are as loud as platforms want them, measured by ffmpeg's ebur128 on the finished files."""

import re
from pathlib import Path

import numpy

import scores
from product import Product
from speech import RATE, Track, Voice, write_wave
from texts import TALK
from tools import FFMPEG, complaints, run
from video import Made, Material, Video

NAME = "sound"
VERSION = 1
OPTIONS = {"clipCount": 2, "minSeconds": 6, "maxSeconds": 9, "subtitles": "off", "language": "en"}


def talk(transcript: Path, seconds: float, gains=(1.0,)) -> numpy.ndarray:
    """Speech whose sentences have one of the gains after the other."""
    track, number = Track(), 0
    while track.seconds < seconds:
        voice = Voice("en-us", pitch=40, gain=gains[number % len(gains)])
        track.say(TALK["en"][number % len(TALK["en"])], voice)
        number += 1
    track.write_transcript(transcript, "en")
    return track.samples()


def music(seconds: float) -> numpy.ndarray:
    """Chords that swell, and a drum: peaks far above the mean."""
    time = numpy.arange(int(seconds * RATE)) / RATE
    whole = numpy.zeros_like(time)
    for bar, chord in enumerate([(220, 277, 330), (196, 247, 294), (175, 220, 262), (196, 247, 330)] * 8):
        inside = (time >= bar * 1.5) & (time < (bar + 1) * 1.5)
        for tone in chord:
            whole[inside] += 0.08 * numpy.sin(2 * numpy.pi * tone * time[inside])
    beat = time % 0.5
    noise = numpy.random.default_rng(1).normal(0, 1, len(time))
    whole += 0.75 * numpy.exp(-beat * 40) * numpy.sin(2 * numpy.pi * 60 * beat)
    whole += 0.2 * numpy.exp(-((beat - 0.25) % 0.5) * 90) * noise
    return whole * (0.75 + 0.25 * numpy.sin(2 * numpy.pi * time / 12))


def sound_of(kind: str, transcript: Path, seconds: float) -> numpy.ndarray:
    if kind == "quiet":
        return talk(transcript, seconds) * 0.06
    if kind == "loud":
        # As an eager compressor leaves it: nothing is soft any more.
        return numpy.tanh(talk(transcript, seconds) * 6) * 0.98
    if kind == "clipped":
        return numpy.clip(talk(transcript, seconds) * 12, -1, 1)
    if kind == "uneven":
        return talk(transcript, seconds, gains=(0.05, 1.0, 0.3))
    return music(seconds)


def make(path: Path, transcript: Path, kind: str, seconds: float) -> dict:
    sound = path.with_suffix(".wav")
    write_wave(sound, sound_of(kind, transcript, seconds))
    run(*FFMPEG, "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-i", sound, "-shortest", "-c:v", "libx264",
        "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "192k", "-ar", "48000", path)
    sound.unlink()
    return {"kind": kind}


def videos(material: Material) -> list[Video]:
    kinds = ["quiet", "clipped"] if material.is_quick else ["quiet", "loud", "clipped", "uneven", "music"]
    seconds, made = 20, []
    for kind in kinds:
        def write(path, transcript):
            return make(path, transcript, kind, seconds)
        # An empty transcript would be refused, so music goes through the recogniser.
        made.append(material.video(f"sound-{kind}", VERSION, OPTIONS, write, has_transcript=kind != "music"))
    return made


def measure(path: Path) -> tuple[float, float]:
    """(LUFS, dBTP) of a file."""
    told = complaints("ffmpeg", "-nostdin", "-hide_banner", "-i", path, "-vn", "-af", "ebur128=peak=true",
                      "-f", "null", "-")
    summary = told[told.rindex("Summary:"):]
    loudness = re.search(r"I:\s+(-?[\d.]+|-inf) LUFS", summary)[1]
    peak = re.search(r"Peak:\s+(-?[\d.]+|-inf) dBFS", summary)[1]
    return float(loudness), float(peak)


def judge(made: list[Made], product: Product) -> tuple[dict, list[dict]]:
    measured, rows = [], []
    for each in made:
        for clip in each.clips:
            loudness, peak = measure(each.file(clip, "mp4"))
            measured.append((loudness, peak))
            rows.append({"video": each.video.name, "clip": clip["ordinal"] + 1, "loudnessLUFS": loudness,
                         "truePeakDBTP": peak})
    return scores.sound_figures(measured), rows


def baselines(made: list[Made]) -> dict:
    """The sound as it came."""
    return {"as it came": scores.sound_figures([measure(each.video.path) for each in made])}
