"""Commands, pictures that flow between Python and ffmpeg, and words to the person at the terminal."""

import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy

START = time.monotonic()
FFMPEG = ["ffmpeg", "-nostdin", "-v", "error", "-y"]


def say(text: str):
    print(f"  {time.monotonic() - START:6.1f} s  {text}", file=sys.stderr, flush=True)


def run(*command, limit: float = 900) -> str:
    """Standard output of a command that succeeds; what it complained about is in the error when it does not."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=limit)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))[:300]}\n{done.stderr[-2000:]}")
    return done.stdout


def complaints(*command, limit: float = 900) -> str:
    """Standard error of a command that succeeds: where ffmpeg's filters write their figures."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=limit)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))[:300]}\n{done.stderr[-2000:]}")
    return done.stderr


def probe(path: Path) -> dict:
    return json.loads(run("ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", path))


def frame_rate(path: Path) -> float:
    for stream in probe(path)["streams"]:
        if stream["codec_type"] == "video":
            above, below = stream["avg_frame_rate"].split("/")
            return int(above) / int(below)
    raise RuntimeError(f"{path} has no picture")


def pictures(path: Path, width: int, height: int, filters: str = "", start: float = 0, frames: int | None = None):
    """Frames of a file as arrays of height x width x 3 (RGB), scaled to the size by averaging."""
    chain = f"{filters + ',' if filters else ''}scale={width}:{height}:flags=area"
    few = ["-frames:v", str(frames)] if frames else []
    command = [*FFMPEG, "-ss", str(start), "-i", str(path), "-an", "-vf", chain, *few,
               "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        size = width * height * 3
        while len(content := process.stdout.read(size)) == size:
            yield numpy.frombuffer(content, numpy.uint8).reshape(height, width, 3)
    if process.returncode != 0:
        raise RuntimeError(f"ffmpeg could not read {path}")


class Planes:
    """A picture as ffmpeg's yuv420p: three arrays, the colours at half the size."""

    def __init__(self, y, u, v):
        self.y, self.u, self.v = y, u, v

    @classmethod
    def from_rgb(cls, rgb) -> "Planes":
        """BT.709, limited range. The picture must have even sides."""
        r, g, b = (rgb[..., channel].astype(numpy.float32) for channel in range(3))
        luma = 0.2126 * r + 0.7152 * g + 0.0722 * b
        blue, red = (b - luma) / 1.8556, (r - luma) / 1.5748

        def half(plane):
            return (plane[::2, ::2] + plane[1::2, ::2] + plane[::2, 1::2] + plane[1::2, 1::2]) / 4

        def whole(plane, scale: float, offset: float):
            return numpy.clip(numpy.rint(plane * scale + offset), 0, 255).astype(numpy.uint8)

        return cls(whole(luma, 219 / 255, 16), whole(half(blue), 224 / 255, 128), whole(half(red), 224 / 255, 128))

    @property
    def size(self) -> tuple[int, int]:
        return self.y.shape[1], self.y.shape[0]

    def copy(self) -> "Planes":
        return Planes(self.y.copy(), self.u.copy(), self.v.copy())

    def paste(self, other: "Planes", x: int, y: int):
        """Lays `other` over this picture with its top left corner at an even place; what hangs over is cut off."""
        x, y = x // 2 * 2, y // 2 * 2
        for mine, its, step in ((self.y, other.y, 1), (self.u, other.u, 2), (self.v, other.v, 2)):
            left, top = x // step, y // step
            from_x, from_y = max(0, -left), max(0, -top)
            to_x = min(its.shape[1], mine.shape[1] - left)
            to_y = min(its.shape[0], mine.shape[0] - top)
            if from_x < to_x and from_y < to_y:
                mine[top + from_y:top + to_y, left + from_x:left + to_x] = its[from_y:to_y, from_x:to_x]

    def mixed(self, other: "Planes", share: float) -> "Planes":
        """This picture with `share` of the other in it, as a dissolve does."""
        def mix(one, two):
            return numpy.rint(one * (1 - share) + two * share).astype(numpy.uint8)
        return Planes(mix(self.y, other.y), mix(self.u, other.u), mix(self.v, other.v))

    def bytes(self) -> bytes:
        return self.y.tobytes() + self.u.tobytes() + self.v.tobytes()


@contextlib.contextmanager
def recording(path: Path, width: int, height: int, rate: int, sound: Path):
    """Takes `Planes`, one call a frame, and leaves an MP4; a file that was not finished does not stay."""
    unfinished = path.with_suffix(".new.mp4")
    heard = ["-i", str(sound), "-map", "0:v", "-map", "1:a", "-c:a", "aac", "-b:a", "160k", "-ar", "48000"]
    command = [*FFMPEG, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{width}x{height}", "-r", str(rate),
               "-color_range", "tv", "-colorspace", "bt709", "-i", "pipe:0", *heard, "-c:v", "libx264",
               "-preset", "ultrafast", "-crf", "20", "-color_range", "tv", "-colorspace", "bt709",
               "-color_primaries", "bt709", "-color_trc", "bt709", "-movflags", "+faststart", str(unfinished)]
    command.remove("-nostdin")
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    try:
        yield lambda picture: process.stdin.write(picture.bytes())
    except BaseException:
        process.kill()
        process.wait()
        unfinished.unlink(missing_ok=True)
        raise
    process.stdin.close()
    if process.wait() != 0:
        raise RuntimeError(f"ffmpeg could not write {path}")
    unfinished.rename(path)
