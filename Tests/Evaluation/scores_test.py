"""It must be possible to lose: each score gets what a good product would hand in, and then what must not pass.

    python -m unittest discover -s Tests/Evaluation -p '*_test.py'
"""

import json
import math
import random
import unittest
from pathlib import Path

import scores
from scores import Frame, Turn
from sets import captions

THRESHOLDS = json.loads((Path(__file__).parent / "thresholds.json").read_text())
WIDEST = 1920 / 1080


class ScoreTest(unittest.TestCase):
    def missed(self, name: str, figures: dict) -> set[str]:
        """The figures of a set that are not good enough."""
        return {line.split()[0] for line in scores.failures(figures, THRESHOLDS[name])}


class Shots(ScoreTest):
    hard = [2.0 * number for number in range(1, 41)]
    dissolves = [(100.0 + 5 * number, 100.8 + 5 * number) for number in range(15)]

    def figures(self, told):
        return scores.count_cuts(told, self.hard, self.dissolves).figures()

    def test_cuts_that_are_right_to_a_picture_pass(self):
        told = [time + 0.04 for time in self.hard] + [(start + end) / 2 for start, end in self.dissolves]
        self.assertEqual(self.missed("shots", self.figures(told)), set())

    def test_half_a_second_late_is_missed_and_false(self):
        count = scores.count_cuts([time + 0.5 for time in self.hard], self.hard, [])
        self.assertEqual((count.hard_found, count.hard_missed, count.false), (0, 40, 40))

    def test_cuts_at_every_pan_and_flash_fail(self):
        told = self.hard + [start for start, _ in self.dissolves] + [1.0 + 4 * number for number in range(12)]
        self.assertEqual(self.missed("shots", self.figures(told)), {"hardF1", "dissolveF1"})

    def test_who_knows_no_dissolves_fails(self):
        self.assertEqual(self.missed("shots", self.figures(self.hard)), {"dissolveF1"})

    def test_a_dissolve_told_three_times_is_wrong_twice(self):
        self.assertEqual(scores.count_cuts([5.1, 5.3, 5.5], [], [(5.0, 5.6)]).false, 2)

    def test_a_cut_every_second_fails(self):
        self.assertEqual(self.missed("shots", self.figures([float(number) for number in range(180)])),
                         {"hardF1", "dissolveF1"})

    def test_nothing_told_fails(self):
        self.assertEqual(self.missed("shots", self.figures([])), {"hardF1", "dissolveF1"})


def film(window, whole=lambda time: {"first"}, scale=WIDEST, seconds=20):
    """Pictures of a clip whose window stands at `window(time)`."""
    return [Frame(number / 25, frozenset(whole(number / 25)), frozenset(whole(number / 25)), window(number / 25), scale)
            for number in range(seconds * 25)]


class Framing(ScoreTest):
    def figures(self, frames, cuts=()):
        count = scores.count_framing(frames, lambda time: "first", list(cuts), WIDEST)
        return scores.framing_figures({"still": [count]}, still={"still"}, single={"still"})

    def test_a_window_that_breathes_a_little_passes(self):
        self.assertEqual(self.missed("framing", self.figures(film(lambda time: 300 + 5 * math.sin(time)))), set())

    def test_a_jittered_path_fails(self):
        chance = random.Random(1)
        figures = self.figures(film(lambda time: 300 + chance.uniform(-25, 25)))
        self.assertEqual(self.missed("framing", figures), {"reversalsPerSecond", "travelOnStillSpeaker"})

    def test_a_camera_that_swings_slowly_fails(self):
        figures = self.figures(film(lambda time: 300 + 60 * math.sin(2 * time)))
        self.assertEqual(self.missed("framing", figures), {"reversalsPerSecond", "travelOnStillSpeaker"})

    def test_a_jump_at_a_cut_is_no_move_and_one_elsewhere_is(self):
        frames = film(lambda time: 300 if time < 10 else 900)
        self.assertEqual(scores.camera(frames, [10.0]).travel, 0)
        self.assertEqual(scores.camera(frames, [12.0]).travel, 600)

    def test_a_subject_that_is_cut_off_half_a_second_fails(self):
        figures = self.figures(film(lambda time: 300, lambda time: {"first"} if time > 0.5 else set()))
        self.assertEqual(self.missed("framing", figures), {"subjectInFrame", "emptyFrames"})

    def test_the_whole_picture_made_small_fails(self):
        self.assertEqual(self.missed("framing", self.figures(film(lambda time: None, scale=1080 / 1920))),
                         {"subjectLarge"})

    def test_another_person_in_the_window_is_no_subject(self):
        figures = self.figures(film(lambda time: 300, lambda time: {"second"}))
        self.assertEqual(self.missed("framing", figures), {"subjectInFrame"})

    def test_no_clip_at_all_fails(self):
        self.assertIn("emptyFrames", self.missed("framing", scores.framing_figures({}, {"still"}, {"still"})))


class Speaker(ScoreTest):
    turns = [Turn("first", 0, 7), Turn("second", 7.3, 16), Turn("first", 16.3, 25), Turn("second", 25.3, 33)]

    def figures(self, whole):
        return scores.count_speaker(film(lambda time: None, whole, seconds=33), self.turns).figures()

    def speaker(self, time):
        turn = next((turn for turn in self.turns if time < turn.end), self.turns[-1])
        return {turn.speaker}

    def test_the_speaker_a_third_of_a_second_late_passes(self):
        self.assertEqual(self.missed("speaker", self.figures(lambda time: self.speaker(time - 0.3))), set())

    def test_a_second_late_fails(self):
        self.assertIn("switchSecondsP90", self.missed("speaker", self.figures(lambda time: self.speaker(time - 1))))

    def test_always_the_same_one_fails(self):
        self.assertEqual(self.missed("speaker", self.figures(lambda time: {"first"})),
                         {"speakerInFrame", "switchSecondsP90"})

    def test_the_listener_fails(self):
        other = {"first": {"second"}, "second": {"first"}}
        figures = self.figures(lambda time: other[next(iter(self.speaker(time)))])
        self.assertEqual(figures["speakerInFrame"], 0)

    def test_both_all_the_time_fails_in_slow_talk(self):
        self.assertEqual(self.missed("speaker", self.figures(lambda time: {"first", "second"})), {"speakerInFrame"})

    def test_both_is_right_in_fast_talk(self):
        turns = [Turn("first" if number % 2 else "second", 2.0 * number, 2.0 * number + 1.8) for number in range(8)]
        frames = film(lambda time: None, lambda time: {"first", "second"}, seconds=16)
        figures = scores.count_speaker(frames, turns).figures()
        self.assertEqual((figures["speakerInFrame"], figures["bothInFrame"]), (1, 1))

    def test_nobody_there_fails(self):
        self.assertEqual(self.missed("speaker", self.figures(lambda time: set())),
                         {"speakerInFrame", "switchSecondsP90", "emptyFrames"})


class Highlights(ScoreTest):
    planted = [(50.0, 65.0), (140.0, 156.0), (230.0, 244.0), (320.0, 335.0)]
    words = [{"start": 0.5 * number, "end": 0.5 * number + 0.4} for number in range(800)]

    def figures(self, clips):
        lengths = [end - start for start, end in clips]
        return {"foundInTop": scores.hits(clips, self.planted) / len(self.planted),
                "randomFound": scores.random_hits(lengths, self.planted, 400, 1),
                "bordersInWords": scores.borders_in_words(clips, self.words)}

    def test_clips_around_what_was_planted_pass(self):
        clips = [(start - 2.05, end + 2.95) for start, end in self.planted]
        self.assertEqual(self.missed("highlights", self.figures(clips)), set())

    def test_clips_beside_it_fail(self):
        clips = [(start + 25.45, end + 26.45) for start, end in self.planted]
        self.assertIn("foundInTop", self.missed("highlights", self.figures(clips)))

    def test_a_third_of_a_moment_is_no_hit(self):
        self.assertEqual(scores.hits([(60.0, 80.0)], [(50.0, 65.0)]), 0)

    def test_material_on_which_chance_wins_fails(self):
        self.assertIn("randomFound", self.missed("highlights", self.figures([(0.45, 95.45), (100.45, 395.45)])))

    def test_a_border_inside_a_word_fails(self):
        clips = [(start + 0.2, end + 2.95) for start, end in self.planted]
        self.assertIn("bordersInWords", self.missed("highlights", self.figures(clips)))


class Captions(ScoreTest):
    truth = [{"text": f"word{chr(97 + number % 26)}{number}", "start": 0.4 * number} for number in range(200)]

    def figures(self, told, cues=(0.02,)):
        errors, matched = scores.onset_errors(told, self.truth)
        return scores.caption_figures(errors, matched, list(cues))

    def shifted(self, by):
        return [{**word, "start": word["start"] + by(number)} for number, word in enumerate(self.truth)]

    def test_words_within_a_picture_pass(self):
        self.assertEqual(self.missed("captions", self.figures(self.shifted(lambda number: 0.03))), set())

    def test_a_quarter_of_a_second_late_fails(self):
        self.assertEqual(self.missed("captions", self.figures(self.shifted(lambda number: 0.25))),
                         {"onsetMedian", "onsetP90"})

    def test_one_word_in_six_far_off_fails(self):
        self.assertEqual(self.missed("captions", self.figures(self.shifted(lambda number: 0.6 * (number % 6 == 0)))),
                         {"onsetP90"})

    def test_words_left_out_fail(self):
        self.assertEqual(self.missed("captions", self.figures(self.truth[::2])), {"wordsMatched"})

    def test_cues_that_slide_against_the_clip_fail(self):
        self.assertEqual(self.missed("captions", self.figures(self.truth, cues=[0.3])), {"cueOnsetMedian"})

    def test_nothing_recognised_fails(self):
        self.assertEqual(len(self.missed("captions", self.figures([]))), 4)
        self.assertEqual(len(self.missed("captions", self.figures([], cues=()))), 5)

    def test_cues_of_which_one_in_six_stands_elsewhere_fail(self):
        self.assertEqual(self.missed("captions", self.figures(self.truth, cues=[0.02] * 5 + [2.0])), {"cuesMatched"})



class Cues(ScoreTest):
    said = "we opened the bakery and nobody knew the name of the street so we wrote it on the door".split()
    truth = [{"text": word, "start": 10 + 0.4 * number} for number, word in enumerate(said)]

    def vtt(self, slide=0.0, heard=None):
        """A clip that begins at second 9, with a cue of two lines for every six words."""
        heard, parts = heard or self.said, ["WEBVTT\n"]
        for at in range(0, len(heard), 6):
            start, upper, lower = 1 + 0.4 * at + slide, " ".join(heard[at:at + 3]), " ".join(heard[at + 3:at + 6])
            parts.append(f"00:{start:06.3f} --> 00:{start + 2:06.3f}\n<b>{upper}</b>,\n{lower}\n")
        return "\n".join(parts)

    def errors(self, *clips):
        return [error for clip in clips for error in scores.cue_errors(captions.cues(clip, 9), self.truth)]

    def figures(self, *clips):
        return scores.caption_figures([0.02], 1, self.errors(*clips))

    def test_all_words_are_read_and_the_first_of_each_cue_has_its_time(self):
        words = captions.cues("WEBVTT\n\n1\n01:02:03.500 --> 01:02:05.000 align:start\n- <i>Two</i>\nlines\n\n"
                              "00:04.250 --> 00:05.000\nmore\n", 10)
        self.assertEqual(words, [{"text": "Two", "start": 3733.5}, {"text": "lines"}, {"text": "more", "start": 14.25}])

    def test_cues_without_words_are_none(self):
        self.assertEqual(captions.cues("WEBVTT\n\n00:01.000 --> 00:02.000\n- ...\n"), [])
        self.assertEqual(captions.cues(""), [])

    def test_cues_where_they_are_said_pass(self):
        self.assertEqual(self.missed("captions", self.figures(self.vtt(0.02))), set())

    def test_a_word_that_is_said_again_elsewhere_does_not_excuse_a_cue(self):
        # "the" begins a cue and is said three times: the nearest one is not the one that is meant.
        heard = ["we", "opened", "the", "bakery", "and", "nobody"]
        clip = f"00:01.000 --> 00:02.000\n{' '.join(heard[:2])}\n\n00:04.600 --> 00:06.000\n{' '.join(heard[2:])}\n"
        self.assertEqual([round(error, 3) for error in self.errors(clip)], [0, 2.8])

    def test_a_clip_whose_cues_slide_by_two_seconds_fails(self):
        self.assertEqual(self.missed("captions", self.figures(self.vtt(2))), {"cueOnsetMedian", "cuesMatched"})

    def test_one_clip_of_three_that_slides_fails(self):
        self.assertEqual(self.missed("captions", self.figures(self.vtt(), self.vtt(), self.vtt(2))), {"cuesMatched"})

    def test_a_first_word_that_was_misheard_is_left_out(self):
        self.assertEqual(len(self.errors(self.vtt(heard=["me"] + self.said[1:]))), len(self.errors(self.vtt())) - 1)


class Sound(ScoreTest):
    def test_fourteen_below_passes(self):
        self.assertEqual(self.missed("sound", scores.sound_figures([(-14.3, -1.2), (-13.4, -0.6)])), set())

    def test_one_clip_too_quiet_too_loud_or_peaking_fails(self):
        for bad in ((-15.6, -3.0), (-12.5, -1.0), (-14.0, 0.4), (-70.0, -60.0)):
            self.assertEqual(self.missed("sound", scores.sound_figures([(-14.0, -1.0)] * 9 + [bad])), {"insideGate"})


class Thresholds(ScoreTest):
    def test_what_was_not_measured_is_missed(self):
        self.assertEqual(self.missed("speed", {}), {"jobToLength"})

    def test_a_slow_job_fails(self):
        self.assertEqual(self.missed("speed", {"jobToLength": 0.41}), {"jobToLength"})


if __name__ == "__main__":
    unittest.main()
