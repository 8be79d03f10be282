"""Speech with known words: espeak-ng says when each word begins, so nobody has to listen."""

import ctypes
import functools
import json
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy

RATE = 22050
# Quieter than this is no speech: espeak-ng's pauses are digital silence.
SILENCE = 0.004


class _Event(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("uid", ctypes.c_uint), ("text_position", ctypes.c_int),
                ("length", ctypes.c_int), ("audio_position", ctypes.c_int), ("sample", ctypes.c_int),
                ("user_data", ctypes.c_void_p), ("id", ctypes.c_char * 8)]


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
_WORD, _END_OF_LIST = 1, 0
_SYNCHRONOUS, _UTF8, _BY_CHARACTER = 2, 1, 1
_SPEED, _PITCH, _RANGE = 1, 3, 4


@functools.cache
def _library():
    library = ctypes.CDLL("libespeak-ng.so.1")
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, None, 0)
    if rate != RATE:
        raise RuntimeError(f"espeak-ng speaks at {rate} Hz, not at {RATE}")
    return library


@dataclass(frozen=True)
class Voice:
    name: str
    speed: int = 150
    pitch: int = 50
    # How much the pitch moves: 0 is a machine's drone.
    melody: int = 50
    gain: float = 1.0


@dataclass(frozen=True)
class Spoken:
    """One utterance: samples from its first sound to its last, and its words as (text, start, end) in seconds."""

    samples: numpy.ndarray
    words: list[tuple[str, float, float]]

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE


def speak(text: str, voice: Voice) -> Spoken:
    library, heard, events = _library(), bytearray(), []

    def take(samples, count, event):
        if samples and count > 0:
            heard.extend(ctypes.string_at(samples, count * 2))
        index = 0
        while event[index].type != _END_OF_LIST:
            if event[index].type == _WORD:
                events.append((event[index].text_position, event[index].length, event[index].audio_position / 1000))
            index += 1
        return 0

    callback = _CALLBACK(take)
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(voice.name.encode()) != 0:
        raise RuntimeError(f"espeak-ng has no voice {voice.name}")
    for parameter, value in ((_SPEED, voice.speed), (_PITCH, voice.pitch), (_RANGE, voice.melody)):
        library.espeak_SetParameter(parameter, value, 0)
    content = text.encode()
    library.espeak_Synth(content, len(content) + 1, 0, _BY_CHARACTER, 0, _UTF8, None, None)
    library.espeak_Synchronize()
    samples = numpy.frombuffer(bytes(heard), numpy.int16).astype(numpy.float32) / 32768
    loud = numpy.flatnonzero(numpy.abs(samples) > SILENCE)
    first, last = int(loud[0]), int(loud[-1]) + 1
    # It also tells of pauses, as words without a letter.
    told = [(text[place - 1:place - 1 + length].strip(), max(0.0, at - first / RATE)) for place, length, at in events]
    told = [(word, at) for word, at in told if any(map(str.isalnum, word))]
    ends = [*(at for _, at in told[1:]), (last - first) / RATE]
    words = [(word, start, end) for (word, start), end in zip(told, ends)]
    return Spoken(samples[first:last] * voice.gain, words)


class Track:
    """Sound on one line of time, with what is said in it."""

    def __init__(self):
        self.parts: list[tuple[float, numpy.ndarray]] = []
        # {"text", "start", "end"} of each word, in order.
        self.words: list[dict] = []
        self.seconds = 0.0

    def say(self, text: str, voice: Voice, pause: float = 0.3) -> tuple[float, float]:
        """Adds an utterance and a pause behind it; where the utterance lies."""
        spoken, start = speak(text, voice), self.seconds
        self.parts.append((start, spoken.samples))
        self.words += [{"text": word, "start": round(start + begins, 3), "end": round(start + ends, 3)}
                       for word, begins, ends in spoken.words]
        self.seconds = start + spoken.seconds + pause
        return start, start + spoken.seconds

    def rest(self, seconds: float):
        self.seconds += seconds

    def play(self, samples: numpy.ndarray, pause: float = 0.3) -> tuple[float, float]:
        start = self.seconds
        self.parts.append((start, samples))
        self.seconds = start + len(samples) / RATE + pause
        return start, start + len(samples) / RATE

    def samples(self) -> numpy.ndarray:
        whole = numpy.zeros(int(self.seconds * RATE) + 1, numpy.float32)
        for start, part in self.parts:
            at = int(start * RATE)
            whole[at:at + len(part)] += part[:len(whole) - at]
        return whole

    def envelope(self, rate: int) -> numpy.ndarray:
        """How loud each frame of a picture is, 0 to 1: what opens a mouth."""
        step = RATE // rate
        whole = self.samples()
        levels = numpy.sqrt(numpy.mean(whole[:len(whole) // step * step].reshape(-1, step) ** 2, axis=1))
        return numpy.clip(levels / (numpy.quantile(levels, 0.95) + 1e-6), 0, 1)

    def write(self, path: Path):
        write_wave(path, self.samples())

    def write_transcript(self, path: Path, language: str):
        """In the form in which a client may send what is said."""
        path.write_text(json.dumps({"language": language, "words": self.words}, ensure_ascii=False))


def write_wave(path: Path, samples: numpy.ndarray):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((numpy.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
