"""What a worker in Node does at each stage, which a scripted supervisor sends."""
import pathlib
import sys
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "python"))
from harness import TIMEOUT, ScriptedSupervisor  # noqa: E402

SUBJECT = pathlib.Path(__file__).resolve().parent / "subject.js"


def node(kind):
    return ScriptedSupervisor(SUBJECT, kind, interpreter=["node"])


def run_stage(kind, stage):
    with node(kind) as worker:
        worker.wait_for("READY=1")
        worker.send_stage(stage)
        printed, _ = worker.process.communicate(timeout=TIMEOUT)
        return printed.splitlines(), worker.process.returncode


class Stages(unittest.TestCase):
    def test_each_callback_is_called_and_a_session_is_asked_to_leave(self):
        with node("stages") as worker:
            worker.wait_for("READY=1")
            for stage, line in [("lame-duck", "lame-duck"), ("pause", "pause"), ("run", "run, undefined"),
                                ("drain", "drain, some time, true")]:
                worker.send_stage(stage)
                self.assertEqual(worker.read_line(), line)
            self.assertEqual(worker.read_line(), "leave")
            self.assertEqual(worker.read_line(), "released")
            self.assertEqual(worker.process.wait(TIMEOUT), 0)

    def test_pause_and_run_are_answered(self):
        with node("stages") as worker:
            worker.wait_for("READY=1")
            worker.send_stage("pause")
            worker.wait_for("X_HOLDFAST_ACCEPTING=0")
            worker.send_stage("run")
            worker.wait_for("X_HOLDFAST_ACCEPTING=1")

    def test_tasks_stop_and_resources_close_in_the_order_of_use(self):
        printed, status = run_stage("resources", "drain")
        self.assertCountEqual(printed[:2], ["task runs", "cycle: EPERM"])
        self.assertEqual((printed[2:], status), (["task stops", "pool closed", "cache closed"], 0))

    def test_work_is_handed_back_unless_it_is_finished(self):
        printed, _ = run_stage("work", "cancel")
        self.assertCountEqual(printed[:2], ["dropped", "finish true"])
        self.assertEqual(printed[2:], ["handed back", "finish false, handed back 2"])

    def test_a_task_that_fails_ends_the_process_as_an_uncaught_exception(self):
        with node("taskFails") as worker:
            self.assertEqual(worker.process.wait(TIMEOUT), 1)

    def test_misuse_throws_an_error_with_a_message(self):
        with node("misuse") as worker:
            worker.wait_for("STOPPING=1")
            worker.send_stage("drain")
            printed, _ = worker.process.communicate(timeout=TIMEOUT)
        self.assertEqual(printed.splitlines(), [
            "ready twice: EPERM", "unknown listener: ENOENT", "unknown stage: EINVAL", "second worker: EPERM",
            "held: request GET /", "request after the release: ESHUTDOWN"])

    def test_a_child_is_not_a_worker(self):
        printed, status = run_stage("child", "drain")
        self.assertEqual((printed, status), (["a child sees the control pipe: false"], 0))


if __name__ == "__main__":
    unittest.main()
