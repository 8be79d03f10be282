"""What was measured becomes figures here, and nothing else: no file, no product.

`scores_test.py` holds bad input against each of them.
"""

import difflib
import random
import statistics
import unicodedata
from dataclasses import dataclass

# Two times of a cut are the same within two pictures of 25 a second, and a little.
CUT_SECONDS = 0.1
# Around a dissolve: it has no sharp beginning.
DISSOLVE_SECONDS = 0.2
# A camera that moves less than this has not moved, in pixels of an output that is 1080 wide.
STILL_PIXELS = 16
# A window this much wider than the narrowest one does not show the subject large any more.
FILLED_SHARE = 0.8
# When two take turns as fast as this, showing both is right.
FAST_TURN_SECONDS = 6
# Shorter turns are interjections: nobody cuts to them.
TURN_SECONDS_MIN = 1.5
# How much of a planted moment a clip has to hold.
HIT_SHARE = 0.5
# The recogniser is about as exact; a cut this near to a word's edge cuts nothing that can be heard.
BORDER_SECONDS = 0.06
# A cue further from where its first word is said stands at something else.
CUE_SECONDS = 1.5
LOUDNESS_LUFS, LOUDNESS_TOLERANCE, TRUE_PEAK_MAX = -14, 1, -0.3


def share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0


def quantile(values: list[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


# Shots.

@dataclass(frozen=True)
class CutCount:
    """Found, missed and wrongly told; counts of several videos can be added."""

    hard_found: int = 0
    hard_missed: int = 0
    dissolves_found: int = 0
    dissolves_missed: int = 0
    # At which there is nothing, or which tell a second time what was told.
    false: int = 0

    def __add__(self, other: "CutCount") -> "CutCount":
        return CutCount(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    def figures(self) -> dict:
        return {"hardF1": _f1(self.hard_found, self.hard_missed, self.false),
                "dissolveF1": _f1(self.dissolves_found, self.dissolves_missed, self.false)}


def _f1(found: int, missed: int, false: int) -> float:
    return share(2 * found, 2 * found + missed + false)


def count_cuts(told: list[float], hard: list[float], dissolves: list[tuple[float, float]]) -> CutCount:
    """Each cut of the truth takes the nearest told one that is left; all else that was told is false."""
    left, found = sorted(told), 0
    for cut in hard:
        near = [time for time in left if abs(time - cut) <= CUT_SECONDS]
        if near:
            left.remove(min(near, key=lambda time: abs(time - cut)))
            found += 1
    found_dissolves = 0
    for start, end in dissolves:
        inside = [time for time in left if start - DISSOLVE_SECONDS <= time <= end + DISSOLVE_SECONDS]
        if inside:
            left.remove(min(inside, key=lambda time: abs(time - (start + end) / 2)))
            found_dissolves += 1
    return CutCount(found, len(hard) - found, found_dissolves, len(dissolves) - found_dissolves, len(left))


# Framing.

@dataclass(frozen=True)
class Frame:
    """One picture of a rendered clip."""

    # Where it is from, in seconds of the source.
    time: float
    # Who is in it with the whole face, and who at least in part.
    whole: frozenset[str]
    partly: frozenset[str]
    # Middle of the window in pixels of an output whose window is as high as the source, where there is a camera.
    window: float | None = None
    # Pixels of the output for one of the source, where that can be told.
    scale: float | None = None


@dataclass(frozen=True)
class CameraCount:
    seconds: float = 0
    reversals: int = 0
    travel: float = 0


def camera(frames: list[Frame], cuts: list[float]) -> CameraCount:
    """How often the camera turned round, and how far it went. At a cut of the source it begins anew."""
    if len(frames) < 2:
        return CameraCount()
    step = (frames[-1].time - frames[0].time) / (len(frames) - 1)
    reversals, travel, start = 0, 0.0, 0
    for index in range(1, len(frames) + 1):
        if index == len(frames) or any(frames[index - 1].time < cut - step / 2 <= frames[index].time for cut in cuts):
            turned, went = _moves([frame.window for frame in frames[start:index] if frame.window is not None])
            reversals, travel, start = reversals + turned, travel + went, index
    return CameraCount(frames[-1].time - frames[0].time + step, reversals, travel)


def _moves(path: list[float]) -> tuple[int, float]:
    """Changes of direction and way of a path whose trembling below `STILL_PIXELS` is left out."""
    if not path:
        return 0, 0.0
    low = high = anchor = path[0]
    direction, reversals, travel = 0, 0, 0.0
    for place in path:
        if direction == 0:
            low, high = min(low, place), max(high, place)
            if high - low > STILL_PIXELS:
                direction = 1 if place == high else -1
                anchor = place
                travel += high - low
        elif (place - anchor) * direction > 0:
            travel += abs(place - anchor)
            anchor = place
        elif abs(place - anchor) > STILL_PIXELS:
            direction, reversals = -direction, reversals + 1
            travel += abs(place - anchor)
            anchor = place
    return reversals, travel


@dataclass(frozen=True)
class FramingCount:
    frames: int
    # Pictures with all of the face of the one who matters; with nobody at all; in which the subject is large.
    with_subject: int
    empty: int
    filled: int
    camera: CameraCount


def count_framing(frames: list[Frame], subject, cuts: list[float], widest_scale: float) -> FramingCount:
    """`subject(time)`: who matters. `widest_scale`: that of a window as high as the source."""
    return FramingCount(
        len(frames), sum(subject(frame.time) in frame.whole for frame in frames),
        sum(not frame.partly for frame in frames),
        sum(frame.scale is not None and frame.scale >= FILLED_SHARE * widest_scale for frame in frames),
        camera(frames, cuts))


def framing_figures(counts: dict[str, list[FramingCount]], still: set[str], single: set[str]) -> dict:
    """`still`: scenes in which nobody walks; `single`: in which one person should be shown large."""
    every = [count for scene in counts.values() for count in scene]
    moving = [count.camera for scene in still for count in counts.get(scene, [])]
    alone = [count for scene in single for count in counts.get(scene, [])]
    frames, way = sum(count.frames for count in every), sum(count.travel for count in moving)
    return {"subjectInFrame": share(sum(count.with_subject for count in every), frames),
            "emptyFrames": share(sum(count.empty for count in every), frames) if frames else 1.0,
            "reversalsPerSecond": share(sum(count.camera.reversals for count in every),
                                        sum(count.camera.seconds for count in every)),
            "travelOnStillSpeaker": share(way, sum(count.seconds for count in moving)),
            "subjectLarge": share(sum(count.filled for count in alone), sum(count.frames for count in alone))}


# Who speaks.

@dataclass(frozen=True)
class Turn:
    speaker: str
    start: float
    end: float


@dataclass(frozen=True)
class SpeakerCount:
    spoken: int = 0
    right: int = 0
    both: int = 0
    empty: int = 0
    frames: int = 0
    # Seconds from the beginning of a turn until the speaker is there, for each change of speaker.
    switches: tuple[float, ...] = ()

    def __add__(self, other: "SpeakerCount") -> "SpeakerCount":
        return SpeakerCount(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    def figures(self) -> dict:
        return {"speakerInFrame": share(self.right, self.spoken),
                "switchSecondsP90": quantile(self.switches, 0.9) if self.switches else 99.0,
                "emptyFrames": share(self.empty, self.frames) if self.frames else 1.0,
                "bothInFrame": share(self.both, self.spoken)}


def is_fast(turns: list[Turn], index: int) -> bool:
    """Whether this turn and a neighbour follow each other so fast that both may be shown."""
    if turns[index].end - turns[index].start >= FAST_TURN_SECONDS:
        return False
    near = [other for other in (index - 1, index + 1) if 0 <= other < len(turns)]
    return any(turns[other].speaker != turns[index].speaker
               and turns[other].end - turns[other].start < FAST_TURN_SECONDS for other in near)


def count_speaker(frames: list[Frame], turns: list[Turn]) -> SpeakerCount:
    spoken = right = both = 0
    for frame in frames:
        index = next((at for at, turn in enumerate(turns) if turn.start <= frame.time < turn.end), None)
        if index is None:
            continue
        spoken += 1
        are_both = len(frame.whole) > 1
        both += are_both
        right += turns[index].speaker in frame.whole and (not are_both or is_fast(turns, index))
    switches = []
    for before, turn in zip(turns, turns[1:]):
        pictures = [frame for frame in frames if turn.start <= frame.time < turn.end]
        covers = pictures and frames[0].time < turn.start and turn.end - turn.start >= TURN_SECONDS_MIN
        if covers and before.speaker != turn.speaker:
            there = next((frame.time for frame in pictures if turn.speaker in frame.whole), turn.end)
            switches.append(there - turn.start)
    return SpeakerCount(spoken, right, both, sum(not frame.partly for frame in frames), len(frames), tuple(switches))


# Highlights.

def hits(clips: list[tuple[float, float]], planted: list[tuple[float, float]]) -> int:
    """Planted moments of which some clip holds at least half."""
    def is_held(start, end):
        return any(min(end, to) - max(start, since) >= HIT_SHARE * (end - start) for since, to in clips)
    return sum(is_held(*moment) for moment in planted)


def random_hits(lengths: list[float], planted: list[tuple[float, float]], seconds: float, seed: int) -> float:
    """The share of planted moments that clips of these lengths find when they are thrown in without overlap."""
    chance, found, tries = random.Random(seed), 0, 400
    for _ in range(tries):
        thrown: list[tuple[float, float]] = []
        for length in lengths:
            for _ in range(100):
                start = chance.uniform(0, max(0, seconds - length))
                if all(start >= end or start + length <= since for since, end in thrown):
                    thrown.append((start, start + length))
                    break
        found += hits(thrown, planted)
    return share(found, tries * len(planted))


def borders_in_words(clips: list[tuple[float, float]], words: list[dict]) -> int:
    """Starts and ends of clips at which a word is being said."""
    def is_inside(time):
        return any(word["start"] + BORDER_SECONDS < time < word["end"] - BORDER_SECONDS for word in words)
    return sum(is_inside(time) for clip in clips for time in clip)


# Captions.

def plain(word: str) -> str:
    """Without marks, accents and capitals: how a word is written is not what is judged."""
    letters = unicodedata.normalize("NFD", word.lower())
    return "".join(letter for letter in letters if letter.isalnum())


def same_words(told: list[dict], truth: list[dict]) -> list[tuple[dict, dict]]:
    """Words that were recognised, each with the one that was said.
    They are matched by their order, so a word that is said twice is not taken for another."""
    said, heard = [plain(word["text"]) for word in truth], [plain(word["text"]) for word in told]
    blocks = difflib.SequenceMatcher(None, said, heard, autojunk=False).get_matching_blocks()
    return [(told[block.b + at], truth[block.a + at]) for block in blocks for at in range(block.size)]


def onset_errors(told: list[dict], truth: list[dict]) -> tuple[list[float], float]:
    """Seconds by which words that were recognised begin too early or late, and the share that was recognised."""
    errors = [abs(heard["start"] - said["start"]) for heard, said in same_words(told, truth)]
    return errors, share(len(errors), len(truth))


def cue_errors(told: list[dict], truth: list[dict]) -> list[float]:
    """Seconds by which the cues of a clip begin too early or late, of those whose first word was recognised.
    `told`: the words of all cues; only the first word of each has a `start`. None is too far off to count."""
    return [abs(heard["start"] - said["start"]) for heard, said in same_words(told, truth) if "start" in heard]


def caption_figures(errors: list[float], matched: float, cue_errors: list[float]) -> dict:
    """`cuesMatched`: the share of the cues that stand where their first word is said, and not elsewhere."""
    there = share(sum(error < CUE_SECONDS for error in cue_errors), len(cue_errors))
    figures = {"onsetMedian": 99.0, "onsetP90": 99.0, "wordsMatched": matched, "cueOnsetMedian": 99.0,
               "cuesMatched": there}
    if not errors or not cue_errors:
        return figures
    return figures | {"onsetMedian": statistics.median(errors), "onsetP90": quantile(errors, 0.9),
                      "cueOnsetMedian": statistics.median(cue_errors)}


# Sound.

def sounds_right(loudness: float, true_peak: float) -> bool:
    return abs(loudness - LOUDNESS_LUFS) <= LOUDNESS_TOLERANCE and true_peak <= TRUE_PEAK_MAX


def sound_figures(measured: list[tuple[float, float]]) -> dict:
    """`measured`: integrated loudness in LUFS and true peak in dBTP of each clip."""
    return {"insideGate": share(sum(sounds_right(*each) for each in measured), len(measured)),
            "truePeakMax": max((peak for _, peak in measured), default=99.0)}


# Thresholds.

def failures(figures: dict, thresholds: dict) -> list[str]:
    """What is missed, in words. A figure that is not there is missed too."""
    wrong = []
    for name, bound in thresholds.items():
        value = figures.get(name)
        if value is None:
            wrong.append(f"{name} was not measured")
        elif value < bound.get("atLeast", value):
            wrong.append(f"{name} is {value:.3f}, at least {bound['atLeast']} is needed")
        elif value > bound.get("atMost", value):
            wrong.append(f"{name} is {value:.3f}, at most {bound['atMost']} is allowed")
    return wrong
