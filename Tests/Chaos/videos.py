"""Short videos to work on: a few are made, and every upload gets bytes of its own so that no result is found ready."""

import random
import struct
from dataclasses import dataclass
from pathlib import Path

from shell import run

SENTENCES = [
    "Nothing is lost when a machine stops in the middle of its work.",
    "Every answer that was given is kept, and every promise is held.",
    "The quick brown fox jumps over the lazy dog and runs away.",
    "What one node began another node finishes, as if nothing had been.",
    "A cable is cut, a disk is full, a clock is wrong, and the work goes on.",
    "We count what goes in and we count what comes out of the machine.",
]


@dataclass
class Video:
    bytes: bytes
    # Subtitles make a job quick: nothing has to be heard. None: a speech worker listens.
    srt: bytes | None
    seconds: float


def make_videos(folder: Path, with_speech: bool) -> list[Video]:
    """`with_speech`: whether espeak-ng is there; else tones must do, and nothing is left to be heard."""
    folder.mkdir()
    return [_make(folder, number, 4 + number % 5, with_speech) for number in range(len(SENTENCES))]


def _make(folder: Path, number: int, seconds: int, with_speech: bool) -> Video:
    picture = ["testsrc=size=320x180:rate=10", "smptebars=size=320x180:rate=10", "rgbtestsrc=size=320x180:rate=10"]
    sound, path = folder / f"{number}.wav", folder / f"{number}.mp4"
    if with_speech:
        run("espeak-ng", "-s", "150", "-w", sound, SENTENCES[number])
    else:
        run("ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", f"sine=frequency={200 + 50 * number}",
            "-t", seconds, sound)
    run("ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", picture[number % len(picture)], "-i", sound,
        "-af", "apad", "-t", seconds, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac",
        "-ac", "1", "-movflags", "+faststart", path)
    return Video(path.read_bytes(), _subtitles(SENTENCES[number], seconds), seconds)


def _subtitles(sentence: str, seconds: float) -> bytes:
    words = sentence.split()
    middle = len(words) // 2
    halves = [(0, seconds / 2, words[:middle]), (seconds / 2, seconds, words[middle:])]
    cues = [f"{index + 1}\n{_stamp(start)} --> {_stamp(end)}\n{' '.join(text)}\n"
            for index, (start, end, text) in enumerate(halves)]
    return "\n".join(cues).encode()


def _stamp(seconds: float) -> str:
    return f"00:00:{int(seconds):02},{int(seconds * 1000) % 1000:03}"


def own_bytes(video: Video, chance: random.Random) -> bytes:
    """The same video with a box at its end that every player skips."""
    noise = chance.randbytes(16)
    return video.bytes + struct.pack("!I", 8 + len(noise)) + b"free" + noise
