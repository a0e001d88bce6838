"""The rules of the suite itself: what is a hole, and when a run fails."""
import pathlib
import tempfile
import types
import unittest

import conformance
from checks import Failure
from holes import Hole, read_holes
from scenario import Scenario, Trial
from subjects import Subject
from table import UNABLE, Verdict, as_list, as_table, cell


def trial_of(run, can=("alone",), needs=()):
    scenario = Scenario("drain: idle connections", [("alone", "tcp")], set(needs), run, False)
    return Trial(Subject("epoll-http", ["epoll-http"], frozenset(can)), scenario, "alone", "tcp", 0)


def fails(_):
    raise Failure("it hangs")


def passes(_):
    pass


class Rules(unittest.TestCase):
    def judged(self, *arguments, hole=None):
        holes = [Hole("epoll-*", hole, "It is known.")] if hole else []
        verdict = conformance.judge(trial_of(*arguments), holes)
        return verdict.result, verdict.reason

    def test_what_fails_is_a_failure_unless_it_is_listed(self):
        self.assertEqual(self.judged(passes), ("pass", ""))
        self.assertEqual(self.judged(fails), ("FAIL", "it hangs"))
        for hole in ("drain: idle connections", "drain: *", "drain: idle connections alone/*"):
            self.assertEqual(self.judged(fails, hole=hole), ("hole", "It is known."), hole)
        self.assertEqual(self.judged(fails, hole="drain: idle connections supervised/*"), ("FAIL", "it hangs"))

    def test_what_is_listed_and_works_is_a_failure(self):
        self.assertEqual(self.judged(passes, hole="drain: *")[0], "FAIL")

    def test_what_the_program_is_not_made_for_has_to_be_listed(self):
        self.assertEqual(self.judged(passes, (), hole="cannot alone")[0], UNABLE)
        self.assertEqual(self.judged(passes, ("alone",), {"bytes"}), ("FAIL", "the program is not able to: bytes"))

    def test_an_entry_that_says_nothing_about_any_trial_is_a_failure(self):
        whole_run = types.SimpleNamespace(subject=None, scenario=None, setting=None)
        stale, used = Hole("epoll-http", "drain: *", "Stale."), Hole("epoll-*", "cannot alone", "Used.")
        found = conformance.pointless([stale, used], [trial_of(passes, ())], whole_run)
        self.assertEqual([(verdict.subject, verdict.result) for verdict in found], [])
        found = conformance.pointless([stale, used], [trial_of(passes)], whole_run)
        self.assertEqual([(verdict.subject, verdict.result) for verdict in found], [("epoll-*", "FAIL")])

    def test_the_list_has_a_sentence_for_each_entry(self):
        self.assertTrue(read_holes())
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "holes")
            path.write_text("epoll-http | drain: * | \n", encoding="utf-8")
            with self.assertRaisesRegex(ValueError, "is not SUBJECT"):
                read_holes(path)

    def test_a_cell_shows_the_worst_setting(self):
        verdicts = [Verdict("epoll-http", "fresh", setting, result, "why")
                    for setting, result in [("alone/tcp", "pass"), ("alone/unix", "hole"), ("supervised/tcp", "FAIL")]]
        self.assertEqual([cell(verdicts[:1]), cell(verdicts[:2]), cell(verdicts)], ["pass", "hole", "FAIL"])
        self.assertEqual(as_table(verdicts), "       epoll\nfresh  FAIL\n")
        self.assertEqual(as_list(verdicts, "FAIL"), "FAIL  epoll-http: why\n          fresh (supervised/tcp)\n")


if __name__ == "__main__":
    unittest.main()
