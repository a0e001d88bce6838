"""How a program in Python ends: by signals, by exceptions, and with threads, tasks and children that still run."""
import signal
import subprocess
import unittest

from harness import HERE, TIMEOUT, Process

SUBJECT = HERE / "subject_exit.py"


class Exit(unittest.TestCase):
    def run_to_end(self, kind):
        """Returns the lines of the subject, its exit status, and what it wrote on standard error."""
        with Process(SUBJECT, kind, stderr=subprocess.PIPE) as worker:
            printed, errors = worker.process.communicate(timeout=TIMEOUT)
            return printed.splitlines(), worker.process.returncode, errors

    def test_keyboard_interrupt_leaves_wait_and_joins_the_tasks(self):
        with Process(SUBJECT, "interrupted", stderr=subprocess.PIPE) as worker:
            self.assertEqual(worker.read_line(), "waits")
            worker.process.send_signal(signal.SIGINT)
            printed, errors = worker.process.communicate(timeout=TIMEOUT)
            self.assertEqual((printed, worker.process.returncode), ("task stops\n", -signal.SIGINT))
            self.assertIn("KeyboardInterrupt", errors)

    def test_a_second_keyboard_interrupt_ends_the_process(self):
        with Process(SUBJECT, "interrupted_twice", stderr=subprocess.PIPE) as worker:
            self.assertEqual(worker.read_line(), "waits")
            worker.process.send_signal(signal.SIGINT)
            self.assertEqual(worker.read_line(), "drain")
            worker.process.send_signal(signal.SIGINT)
            printed, _ = worker.process.communicate(timeout=TIMEOUT)
            self.assertEqual((printed, worker.process.returncode), ("", 1))

    def test_a_program_that_fails_before_it_waits_ends(self):
        printed, status, errors = self.run_to_end("no_wait")
        self.assertEqual((printed, status), (["task stops"], 1))
        self.assertIn("the configuration is gone", errors)

    def test_a_task_whose_event_loop_was_closed_does_not_hang_the_exit(self):
        self.assertEqual(self.run_to_end("closed_loop")[:2], ([], 0))

    def test_a_task_whose_event_loop_was_stopped_does_not_hang_the_exit(self):
        self.assertEqual(self.run_to_end("stopped_loop")[:2], ([], 0))

    def test_a_program_may_handle_sigterm_itself(self):
        with Process(SUBJECT, "own_handler") as worker:
            self.assertEqual(worker.read_line(), "waits")
            worker.process.send_signal(signal.SIGTERM)
            self.assertEqual(worker.read_to_end(), (["SIGTERM handled"], 0))

    def test_children_by_fork_neither_count_nor_hang(self):
        with Process(SUBJECT, "children") as worker:
            self.assertEqual(worker.read_line(), "children: 10")
            self.assertEqual(worker.read_line(), "exit 0, 1 sessions, 1 work, 1 requests")
            self.assertEqual(worker.read_line(), "handed back")
            worker.process.send_signal(signal.SIGTERM)
            self.assertEqual(worker.read_to_end(), (["task stops"], 0))


if __name__ == "__main__":
    unittest.main()
