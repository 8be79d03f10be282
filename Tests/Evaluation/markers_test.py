"""Whether people are found again in pictures that were cut, scaled and blurred, and only where they are."""

import json
import math
import unittest
from pathlib import Path
from unittest import mock

import numpy

from faces import BARS
from markers import find
from scores import STILL_PIXELS, Frame, count_framing, framing_figures
from sets.people import WIDEST_SCALE, frames_of, frames_of_centre, is_whole, scale_of, window_of
from video import Made, Video

THRESHOLDS = json.loads((Path(__file__).parent / "thresholds.json").read_text())["framing"]
FACTS = {"gap": 150.0, "height": 300}


def scene(people: dict[str, tuple[int, int]]):
    """Bars in a grey room of 1920x1080 with a little noise, as a decoder leaves it."""
    picture = numpy.full((1080, 1920, 3), 120.0)
    for name, (x, y) in people.items():
        for side, colour in zip((-1, 1), BARS[name]):
            left = int(x + side * FACTS["gap"] - 9)
            picture[y - 150:y + 150, max(0, left):max(0, left + 18)] = colour
    picture += numpy.random.default_rng(1).normal(0, 4, picture.shape)
    return numpy.clip(picture, 0, 255).astype(numpy.uint8)


def shrunk(picture, width: int, height: int):
    """As `scale=flags=area` does, by whole numbers of pixels."""
    rows = numpy.linspace(0, picture.shape[0], height + 1).astype(int)[:-1]
    columns = numpy.linspace(0, picture.shape[1], width + 1).astype(int)[:-1]
    summed = numpy.add.reduceat(numpy.add.reduceat(picture.astype(float), rows, 0), columns, 1)
    counts = numpy.diff([*rows, picture.shape[0]])[:, None] * numpy.diff([*columns, picture.shape[1]])[None]
    return (summed / counts[..., None]).astype(numpy.uint8)


def window(picture, left: int):
    """What is looked at of a clip whose window stands at `left`."""
    return shrunk(picture[:, left:left + 608], 360, 640)


class Markers(unittest.TestCase):
    def test_a_person_in_the_window_is_where_the_window_puts_it(self):
        seen = find(window(scene({"first": (1000, 500)}), 700))["first"]
        self.assertTrue(is_whole(seen, FACTS))
        self.assertAlmostEqual(scale_of(seen, FACTS), WIDEST_SCALE, delta=0.02)
        self.assertAlmostEqual((seen.left.x + seen.right.x) / 2, 300 * WIDEST_SCALE, delta=4)

    def test_a_face_that_is_cut_off_is_there_in_part(self):
        seen = find(window(scene({"first": (1000, 500)}), 930))["first"]
        self.assertIsNone(seen.left)
        self.assertFalse(is_whole(seen, FACTS))

    def test_a_face_whose_chin_is_cut_off_is_not_whole(self):
        picture = scene({"first": (1000, 500)})
        picture[560:] = 120
        self.assertFalse(is_whole(find(window(picture, 700))["first"], FACTS))

    def test_who_is_outside_is_not_there(self):
        self.assertEqual(find(window(scene({"first": (1000, 500)}), 0)), {})

    def test_two_are_told_apart(self):
        found = find(shrunk(scene({"first": (400, 500), "second": (1500, 500)}), 640, 360))
        self.assertLess(found["first"].right.x, found["second"].left.x)

    def test_skin_wood_and_a_space_suit_are_no_bars(self):
        for colour in ((224, 172, 140), (120, 80, 50), (240, 100, 50), (90, 110, 130)):
            self.assertEqual(find(numpy.full((640, 360, 3), colour, numpy.uint8)), {})

    def test_the_whole_picture_over_a_blurred_one_is_seen_small(self):
        picture = numpy.full((640, 360, 3), 120, numpy.uint8)
        picture[218:421] = shrunk(scene({"first": (1000, 500)}), 360, 203)
        self.assertAlmostEqual(scale_of(find(picture)["first"], FACTS), 1080 / 1920, delta=0.02)


class Camera(unittest.TestCase):
    """Clips of a person who stands still."""

    place = {"x": 1000, "y": 470}
    scene = scene({"first": (1000, 470)})

    def padded(self, left: int, width: int):
        """A window that is wider than the clip, over something grey."""
        output, height = numpy.full((640, 360, 3), 120, numpy.uint8), 360 * 1080 // width // 2 * 2
        top = (640 - height) // 2
        output[top:top + height] = shrunk(self.scene[:, left:left + width], 360, height)
        return output

    def window(self, picture):
        seen = find(picture)["first"]
        return window_of(seen, self.place, scale_of(seen, FACTS))

    def test_a_window_is_found_whatever_its_width(self):
        for width in (700, 800, 970):
            self.assertAlmostEqual(self.window(self.padded(600, width)), (600 + width / 2) * WIDEST_SCALE, delta=6)
        self.assertAlmostEqual(self.window(window(self.scene, 700)), (700 + 304) * WIDEST_SCALE, delta=6)

    def test_a_window_that_becomes_wider_around_its_middle_has_not_moved(self):
        places = [self.window(self.padded(1000 - width // 2, width)) for width in (700, 970)]
        self.assertAlmostEqual(*places, delta=STILL_PIXELS / 2)

    def test_the_whole_picture_and_two_windows_have_no_camera(self):
        self.assertIsNone(self.window(self.padded(0, 1920)))
        half = shrunk(self.scene[:, 500:1620], 360, 320)
        for upper, lower in ((half, numpy.full_like(half, 120)), (numpy.full_like(half, 120), half)):
            self.assertIsNone(self.window(numpy.concatenate((upper, lower))))

    def figures(self, left):
        """Of a clip of 20 s with two pictures a second."""
        seen = [find(self.padded(left(number / 2), 900)) for number in range(40)]
        truth = {"people": {"first": FACTS}, "places": [{"first": self.place}], "cuts": []}
        made = Made(Video("padded", Path(), truth, {}), {}, [], {}, 0, Path())
        with mock.patch("sets.people.watch", lambda _: seen), mock.patch("sets.people.frame_rate", lambda _: 2):
            frames = frames_of(made, {"ordinal": 0, "start": 0}, lambda time: "first")
        count = count_framing(frames, lambda time: "first", [], WIDEST_SCALE)
        return framing_figures({"still": [count]}, {"still"}, {"still"})

    def test_a_padded_window_that_swings_fails_and_one_that_rests_passes(self):
        swinging = self.figures(lambda time: 550 + int(60 * math.sin(2 * time)))
        self.assertGreater(swinging["reversalsPerSecond"], THRESHOLDS["reversalsPerSecond"]["atMost"])
        self.assertGreater(swinging["travelOnStillSpeaker"], THRESHOLDS["travelOnStillSpeaker"]["atMost"])
        resting = self.figures(lambda time: 550)
        self.assertEqual((resting["reversalsPerSecond"], resting["travelOnStillSpeaker"]), (0, 0))


class CentreCrop(unittest.TestCase):
    def figures(self, x: float):
        truth = {"people": {"first": FACTS}, "places": [{"first": {"x": x, "y": 500}}] * 250}
        frames = frames_of_centre(truth, lambda time: "first")
        count = count_framing(frames, lambda time: "first", [], WIDEST_SCALE)
        return framing_figures({"still": [count]}, {"still"}, {"still"})

    def test_it_has_who_stands_in_the_middle_and_nobody_else(self):
        self.assertEqual(self.figures(960)["subjectInFrame"], 1)
        self.assertEqual(self.figures(1200)["subjectInFrame"], 0)
        self.assertEqual(self.figures(1600)["emptyFrames"], 1)


if __name__ == "__main__":
    unittest.main()
