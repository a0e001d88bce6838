"""What a worker in Node does at each stage, told word by word."""
import pathlib
import sys
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "python"))
from harness import TIMEOUT, Alone  # noqa: E402

SUBJECT = pathlib.Path(__file__).resolve().parent / "subject.js"


def node(kind):
    return Alone(SUBJECT, kind, interpreter=["node"])


def heard(kind, stage):
    with node(kind) as worker:
        worker.wait_for("READY=1")
        worker.tell(stage)
        said, _ = worker.process.communicate(timeout=TIMEOUT)
        return said.splitlines(), worker.process.returncode


class Stages(unittest.TestCase):
    def test_each_callback_is_called_and_a_session_is_told_to_leave(self):
        with node("stages") as worker:
            worker.wait_for("READY=1")
            for stage, word in [("lame-duck", "lame-duck"), ("pause", "pause"), ("run", "run, undefined"),
                                ("drain", "drain, some time, true")]:
                worker.tell(stage)
                self.assertEqual(worker.says(), word)
            self.assertEqual(worker.says(), "leave")
            self.assertEqual(worker.says(), "released")
            self.assertEqual(worker.process.wait(TIMEOUT), 0)

    def test_pause_and_run_are_answered(self):
        with node("stages") as worker:
            worker.wait_for("READY=1")
            worker.tell("pause")
            worker.wait_for("X_HOLDFAST_ACCEPTING=0")
            worker.tell("run")
            worker.wait_for("X_HOLDFAST_ACCEPTING=1")

    def test_tasks_stop_and_resources_close_in_the_order_of_their_use(self):
        said, status = heard("resources", "drain")
        self.assertCountEqual(said[:2], ["task runs", "circle: EPERM"])
        self.assertEqual((said[2:], status), (["task stops", "pool closed", "cache closed"], 0))

    def test_work_is_handed_back_unless_it_is_finished(self):
        said, _ = heard("work", "cancel")
        self.assertCountEqual(said[:2], ["dropped", "finish true"])
        self.assertEqual(said[2:], ["handed back", "finish false, handed back 2"])

    def test_a_task_that_fails_ends_the_process_as_an_uncaught_exception(self):
        with node("taskFails") as worker:
            self.assertEqual(worker.process.wait(TIMEOUT), 1)

    def test_misuse_throws_what_to_do(self):
        with node("misuse") as worker:
            worker.wait_for("STOPPING=1")
            worker.tell("drain")
            said, _ = worker.process.communicate(timeout=TIMEOUT)
        self.assertEqual(said.splitlines(), [
            "ready twice: EPERM", "unknown listener: ENOENT", "unknown stage: EINVAL", "second worker: EPERM",
            "held: request GET /", "request after the release: ESHUTDOWN"])

    def test_a_child_is_not_the_worker(self):
        said, status = heard("child", "drain")
        self.assertEqual((said, status), (["a child sees the control pipe: false"], 0))


if __name__ == "__main__":
    unittest.main()
