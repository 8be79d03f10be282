"""When words begin: espeak-ng knows, and the product has to hear it."""

import re
from pathlib import Path

import scores
from product import Product
from speech import Track, Voice
from texts import TALK
from tools import FFMPEG, run
from video import Made, Material, Video

NAME = "captions"
VERSION = 1
VOICES = {"en": [Voice("en-us", pitch=40), Voice("en-us+f3", speed=165, pitch=60)],
          "es": [Voice("es", pitch=40), Voice("es+f3", speed=165, pitch=60)],
          "pt": [Voice("pt", pitch=40), Voice("pt+f3", speed=155, pitch=60)]}
# Hours, minutes and seconds at which a cue begins, and its lines.
CUE = re.compile(r"^(?:(\d+):)?(\d+):([\d.]+) --> .*\n((?:.+\n?)+)", re.MULTILINE)


def make(path: Path, language: str) -> dict:
    track, sound = Track(), path.with_suffix(".wav")
    track.rest(0.6)
    for number, sentence in enumerate(TALK[language]):
        # Pauses of different lengths, so that a grid of windows does not happen to fit.
        track.say(sentence, VOICES[language][number // 4 % 2], pause=0.25 + 0.17 * (number % 4))
    track.write(sound)
    run(*FFMPEG, "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-i", sound, "-shortest", "-c:v", "libx264",
        "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "160k", "-ar", "48000", path)
    sound.unlink()
    return {"language": language, "words": track.words}


def videos(material: Material) -> list[Video]:
    made = []
    for language in VOICES:
        def write(path, _):
            return make(path, language)
        options = {"clipCount": 3, "minSeconds": 12, "maxSeconds": 22, "subtitles": "srt", "smartCrop": False,
                   "language": language}
        made.append(material.video(f"captions-{language}", VERSION, options, write))
    return made


def cues(text: str, start: float = 0) -> list[dict]:
    """The words of all cues of a WebVTT in order. The first of each cue has its `start`; `start`: that of the clip."""
    found = []
    for hours, minutes, seconds, lines in CUE.findall(text):
        words = [{"text": word} for word in re.sub(r"<[^>]*>", "", lines).split() if scores.plain(word)]
        if words:
            words[0]["start"] = start + int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)
        found += words
    return found


def judge(made: list[Made], product: Product) -> tuple[dict, list[dict]]:
    errors, of_cues, truth_words, rows = [], [], 0, []
    for each in made:
        truth = each.video.truth["words"]
        told = product.result(each, "transcript", "transcript.json")["words"]
        mine, matched = scores.onset_errors(told, truth)
        # All clips were asked to have captions: one without has no such file, and the set is not judged.
        cues_told = [cues(each.file(clip, "vtt").read_text(), clip["start"]) for clip in each.clips]
        mine_of_cues = [error for words in cues_told for error in scores.cue_errors(words, truth)]
        count = sum("start" in word for words in cues_told for word in words)
        rows.append({"video": each.video.name, **scores.caption_figures(mine, matched, mine_of_cues), "cues": count,
                     "cuesHeard": len(mine_of_cues)})
        errors, of_cues, truth_words = errors + mine, of_cues + mine_of_cues, truth_words + len(truth)
    return scores.caption_figures(errors, scores.share(len(errors), truth_words), of_cues), rows


def baselines(made: list[Made]) -> dict:
    """Words spread evenly over the sound, as who knows the text and does not listen would do it."""
    errors = []
    for each in made:
        truth = each.video.truth["words"]
        start, end = truth[0]["start"], truth[-1]["end"]
        spread = [{**word, "start": start + (end - start) * number / len(truth)} for number, word in enumerate(truth)]
        errors += scores.onset_errors(spread, truth)[0]
    return {"spread evenly": {name: value for name, value in scores.caption_figures(errors, 1, errors).items()
                              if name in ("onsetMedian", "onsetP90")}}
