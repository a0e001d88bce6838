"""Callbacks and handles in Python: what is kept as long as C may use it, and not longer."""
import os
import random
import unittest

from harness import HERE, Process, ScriptedSupervisor

SUBJECT = HERE / "subject_lifetimes.py"
ITEMS = 20
SEEDS = int(os.environ.get("SEEDS", 10))


class Work(unittest.TestCase):
    def test_items_that_are_ended_during_the_hand_back_of_others_are_handed_back(self):
        with ScriptedSupervisor(SUBJECT, "cancelled_work") as worker:
            worker.wait_for("READY=1")
            worker.send_stage("cancel")
            printed, _ = worker.read_to_end()
        self.assertCountEqual(printed, [*(f"back {number}" for number in range(ITEMS)),
                                        *(f"finish {number}: False" for number in range(2, ITEMS, 2))])


    def test_each_item_is_either_committed_or_handed_back_once(self):
        for seed in range(SEEDS):
            with self.subTest(seed=seed), ScriptedSupervisor(SUBJECT, "random_work", str(seed)) as worker:
                chooses = random.Random(seed)
                worker.wait_for("READY=1")
                for stage in chooses.choice((("cancel",), ("drain", "cancel"), ("drain",))):
                    worker.send_stage(stage)
                self.assertEqual(worker.read_to_end()[0], ["taken True, True"])


class Drain(unittest.TestCase):
    def lines_of(self, kind):
        with ScriptedSupervisor(SUBJECT, kind) as worker:
            worker.wait_for("READY=1")
            worker.send_stage("drain")
            printed, status = worker.read_to_end()
        self.assertEqual(status, 0)
        return printed

    def test_a_session_may_end_while_its_function_is_registered(self):
        self.assertEqual(self.lines_of("leaves_at_once"), ["late leaves, True, None"])

    def test_a_callback_cannot_close_or_wait(self):
        self.assertEqual(self.lines_of("closed_in_a_callback"), ["refused, True"] * 2)


class Lifetimes(unittest.TestCase):
    def lines_of(self, kind):
        with Process(SUBJECT, kind) as worker:
            printed, status = worker.read_to_end()
        self.assertEqual(status, 0)
        return printed

    def test_a_function_is_released_when_it_can_no_longer_be_called(self):
        self.assertEqual(self.lines_of("released_functions"), [
            "before ready: []",
            "serving: ['stage', 'acceptor', 'resource', 'task', 'session that leaves', 'item that is held']",
            "released: ['stage', 'acceptor']", "closed: []"])

    def test_a_posted_function_runs_once(self):
        self.assertEqual(self.lines_of("posted_functions"), ["drain", "{'refused'}"])

    def test_garbage_ends_on_another_thread(self):
        self.assertEqual(self.lines_of("garbage"), ["handed back, elsewhere"])

    def test_a_handle_can_be_ended_by_two_threads(self):
        self.assertEqual(self.lines_of("ended_twice"), ["[], 0 requests, 0 sessions, 300 handed back"])


if __name__ == "__main__":
    unittest.main()
