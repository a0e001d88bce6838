"""What a worker in Python does at each stage, told word by word."""
import errno
import os
import signal
import unittest

from harness import HERE, TIMEOUT, Alone

SUBJECT = HERE / "subject.py"


def heard(kind, *stages):
    """What a subject says when it is told the stages, one after another once it is ready; and its exit status."""
    with Alone(SUBJECT, kind) as worker:
        worker.wait_for("READY=1")
        for stage in stages:
            worker.tell(stage)
        said, _ = worker.process.communicate(timeout=TIMEOUT)
        return said.splitlines(), worker.process.returncode


class Stages(unittest.TestCase):
    def test_each_callback_is_called_and_a_session_is_told_to_leave(self):
        with Alone(SUBJECT, "stages") as worker:
            worker.wait_for("READY=1")
            for stage, word in [("lame-duck", "lame-duck"), ("pause", "pause"), ("run", "run, None"),
                                ("drain", "drain, some time")]:
                worker.tell(stage)
                self.assertEqual(worker.says(), word)
            self.assertEqual(worker.says(), "leave, True, True")
            self.assertEqual(worker.says(), "released")
            self.assertEqual(worker.process.wait(TIMEOUT), 0)

    def test_pause_and_run_are_answered(self):
        with Alone(SUBJECT, "stages") as worker:
            worker.wait_for("READY=1")
            worker.tell("pause")
            worker.wait_for("X_HOLDFAST_ACCEPTING=0")
            worker.tell("run")
            worker.wait_for("X_HOLDFAST_ACCEPTING=1")

    def test_tasks_stop_and_resources_close_in_the_order_of_their_use(self):
        said, status = heard("resources", "drain")
        self.assertCountEqual(said[:2], ["task runs", f"errno {errno.EPERM}, True"])
        self.assertLess(said.index("task stops, True"), said.index("pool closed"))
        self.assertIn("server closed", said)
        self.assertEqual(status, 0)

    def test_work_is_handed_back_unless_it_is_finished(self):
        said, _ = heard("work", "cancel")
        self.assertEqual(said, ["dropped", "finish True", "handed back", "finish False, handed back 2"])

    def test_a_task_that_raises_ends_the_process(self):
        with Alone(SUBJECT, "task_raises") as worker:
            self.assertEqual(worker.process.wait(TIMEOUT), -signal.SIGABRT)

    def test_misuse_raises_what_to_do(self):
        with Alone(SUBJECT, "misuse") as worker:
            worker.wait_for("STOPPING=1")
            worker.tell("drain")
            said, _ = worker.process.communicate(timeout=TIMEOUT)
        self.assertEqual(said.splitlines(), [
            f"ready twice: {errno.EPERM}", f"unknown listener: {errno.ENOENT}",
            f"request after the release: {errno.ESHUTDOWN}", f"after close: {errno.EINVAL}"])


class Surroundings(unittest.TestCase):
    def test_a_signal_handler_of_python_runs_while_wait_waits(self):
        with Alone(SUBJECT, "handler") as worker:
            worker.wait_for("READY=1")
            os.kill(worker.process.pid, signal.SIGUSR1)
            self.assertEqual(worker.says(), "SIGUSR1 handled")
            worker.tell("drain")
            self.assertEqual(worker.process.wait(TIMEOUT), 0)

    def test_the_timeout_of_a_listener_is_no_flag_that_others_share(self):
        with Alone(SUBJECT, "shared_flags") as worker:
            said, _ = worker.process.communicate(timeout=TIMEOUT)
            self.assertEqual(said.splitlines(), ["flags changed: False", "timed out"])

    def test_a_forked_child_is_not_the_worker(self):
        with Alone(SUBJECT, "fork") as worker:
            message = worker.wait_for("READY=1")
            self.assertIn("X_HOLDFAST_SERVED=0", message.split("\n"))
            worker.tell("drain")
            said, _ = worker.process.communicate(timeout=TIMEOUT)
            self.assertEqual(said.splitlines(), [f"child: errno {errno.EPERM}, True", "child ended with 0"])
            self.assertEqual(worker.process.returncode, 0)


class Asyncio(unittest.TestCase):
    def test_coroutine_functions_run_in_the_loop_and_are_waited_for(self):
        said, status = heard("async_thread", "drain")
        self.assertCountEqual(said[:2], ["task runs", "drain"])
        self.assertEqual((said[2:], status), (["task stops", "pool closed"], 0))

    def test_the_loop_can_drive_the_worker(self):
        said, status = heard("async_dispatch", "drain")
        self.assertEqual((said, status), (["drain", "pool closed"], 0))


if __name__ == "__main__":
    unittest.main()
