"""Whether what the product did not make is noticed."""

import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from product import Product
from video import Video

JOB = {"id": "job_1", "status": "ready", "startedAt": "2026-01-01T00:00:00Z", "endedAt": "2026-01-01T00:00:09Z"}


class Collected(unittest.TestCase):
    def collect(self, *states: str):
        clips = [{"id": f"clip_{number}", "ordinal": number, "state": state, "hasSubtitles": False,
                  "links": {"download": f"/api/clips/clip_{number}/download"}} for number, state in enumerate(states)]

        def answer(_, method, path):
            if path.endswith("/download"):
                return b"a film"
            return json.dumps({} if path.endswith("/manifest") else {"job": JOB, "clips": clips}).encode()

        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder)
            (data / "cluster.json").write_text(json.dumps({"nodes": [{"http": "http://127.0.0.1:1"}]}))
            with mock.patch.object(Product, "ask", answer), mock.patch("product.say"):
                made = Product(data, data / "results").collect(Video("talk", data / "talk.mp4", {}, {}), "job_1", "set")
            return [made.file(clip, "mp4").name for clip in made.clips]

    def test_clips_that_are_ready_are_kept(self):
        self.assertEqual(self.collect("ready", "ready"), ["clip-1.mp4", "clip-2.mp4"])

    def test_a_clip_that_is_not_ready_fails_and_is_not_left_out(self):
        for state in ("error", "rendering"):
            with self.assertRaisesRegex(RuntimeError, f"clip 2 of talk ended as {state}"):
                self.collect("ready", state)

    def test_a_video_without_clips_fails(self):
        with self.assertRaisesRegex(RuntimeError, "talk has no clips"):
            self.collect()


if __name__ == "__main__":
    unittest.main()
