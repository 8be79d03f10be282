"""Which figures are kept to compare the next run with."""

import unittest
from pathlib import Path

from report import Report


class Accepted(unittest.TestCase):
    thresholds = {"shots": {"hardF1": {"atLeast": 0.95}}, "sound": {"insideGate": {"atLeast": 1.0}}}
    previous = {"shots": {"hardF1": 0.97}, "sound": {"insideGate": 1.0}, "speed": {"jobToLength": 0.3}}

    def report(self, **figures):
        report = Report(Path(), self.thresholds, self.previous)
        for name, of_set in figures.items():
            report.add(name, of_set, [], {})
        return report

    def test_a_set_that_was_run_and_missed_nothing_is_replaced_and_others_stay(self):
        self.assertEqual(self.report(shots={"hardF1": 0.99}).accepted(), self.previous | {"shots": {"hardF1": 0.99}})

    def test_a_set_that_missed_keeps_what_it_had_and_stops_no_other(self):
        report = self.report(shots={"hardF1": 0.9}, sound={"insideGate": 1.0, "truePeakMax": -1.3})
        self.assertEqual(report.accepted(), self.previous | {"sound": {"insideGate": 1.0, "truePeakMax": -1.3}})

    def test_a_figure_that_was_not_measured_is_not_accepted(self):
        self.assertEqual(self.report(shots={}).accepted(), self.previous)

    def test_a_set_that_broke_off_keeps_what_it_had(self):
        report = self.report()
        report.add_broken("shots", "a video has no clips")
        self.assertEqual((report.accepted(), len(report.failures)), (self.previous, 1))


if __name__ == "__main__":
    unittest.main()
