"""A video whose truth is known because it was made from it, and what the product made of it."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Video:
    name: str
    path: Path
    truth: dict
    # What the job is asked for.
    options: dict
    # Sent with the video instead of recognising its speech, where that is not what is judged.
    transcript: Path | None = None


@dataclass
class Made:
    """A finished job of a video: the answers of the API, and its files in a folder of this machine."""

    video: Video
    job: dict
    clips: list[dict]
    manifest: dict
    seconds: float
    folder: Path

    def file(self, clip: dict, suffix: str) -> Path:
        return self.folder / f"clip-{clip['ordinal'] + 1}.{suffix}"


class Material:
    """A folder of generated videos. What is there is kept: making a video again from the same truth changes nothing."""

    def __init__(self, folder: Path, fixtures: Path, is_quick: bool):
        self.folder, self.fixtures, self.is_quick = folder, fixtures, is_quick
        folder.mkdir(parents=True, exist_ok=True)

    def video(self, name: str, version: int, options: dict, make, has_transcript: bool = False) -> Video:
        """`make(path, transcript)` writes the file and returns its truth; `version` is raised when it changes."""
        stem = self.folder / f"{name}-{version}"
        path, truth, transcript = (stem.with_suffix(suffix) for suffix in (".mp4", ".truth.json", ".words.json"))
        if not (path.exists() and truth.exists() and (transcript.exists() or not has_transcript)):
            # The truth is written last: a video without it was not finished.
            truth.write_text(json.dumps(make(path, transcript), ensure_ascii=False, indent=1))
        return Video(name, path, json.loads(truth.read_text()), options, transcript if has_transcript else None)
