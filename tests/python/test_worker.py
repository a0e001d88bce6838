"""What a worker in Python does at each stage, which a scripted supervisor sends."""
import errno
import os
import signal
import socket
import unittest

from harness import HERE, TIMEOUT, ScriptedSupervisor

SUBJECT = HERE / "subject.py"


def run_stages(kind, *stages):
    """Sends the stages to a subject once it is ready. Returns the lines that it prints, and its exit status."""
    with ScriptedSupervisor(SUBJECT, kind) as worker:
        worker.wait_for("READY=1")
        for stage in stages:
            worker.send_stage(stage)
        printed, _ = worker.process.communicate(timeout=TIMEOUT)
        return printed.splitlines(), worker.process.returncode


class Stages(unittest.TestCase):
    def test_each_callback_is_called_and_a_session_is_asked_to_leave(self):
        with ScriptedSupervisor(SUBJECT, "stages") as worker:
            worker.wait_for("READY=1")
            for stage, line in [("lame-duck", "lame-duck"), ("pause", "pause"), ("run", "run, None"),
                                ("drain", "drain, some time")]:
                worker.send_stage(stage)
                self.assertEqual(worker.read_line(), line)
            self.assertEqual(worker.read_line(), "leave, True, True")
            self.assertEqual(worker.read_line(), "released")
            self.assertEqual(worker.process.wait(TIMEOUT), 0)

    def test_pause_and_run_are_answered(self):
        with ScriptedSupervisor(SUBJECT, "stages") as worker:
            worker.wait_for("READY=1")
            worker.send_stage("pause")
            worker.wait_for("X_HOLDFAST_ACCEPTING=0")
            worker.send_stage("run")
            worker.wait_for("X_HOLDFAST_ACCEPTING=1")

    def test_tasks_stop_and_resources_close_in_the_order_of_use(self):
        printed, status = run_stages("resources", "drain")
        self.assertCountEqual(printed[:2], ["task runs", f"errno {errno.EPERM}, True"])
        self.assertLess(printed.index("task stops, True"), printed.index("pool closed"))
        self.assertIn("server closed", printed)
        self.assertEqual(status, 0)

    def test_work_is_handed_back_unless_it_is_finished(self):
        printed, _ = run_stages("work", "cancel")
        self.assertEqual(printed, ["dropped", "finish True", "handed back", "finish False, handed back 2"])

    def test_a_task_that_raises_stops_the_worker(self):
        with ScriptedSupervisor(SUBJECT, "task_raises") as worker:
            worker.wait_for("STOPPING=1")
            worker.send_stage("drain")
            self.assertEqual(worker.process.wait(TIMEOUT), 3)

    def test_misuse_raises_an_error_with_a_message(self):
        with ScriptedSupervisor(SUBJECT, "misuse") as worker:
            worker.wait_for("STOPPING=1")
            worker.send_stage("drain")
            printed, _ = worker.process.communicate(timeout=TIMEOUT)
        self.assertEqual(printed.splitlines(), [
            f"ready twice: {errno.EPERM}", f"unknown listener: {errno.ENOENT}",
            f"request after the release: {errno.ESHUTDOWN}", f"after close: {errno.EINVAL}"])


class Integration(unittest.TestCase):
    def test_a_signal_handler_of_python_runs_during_wait(self):
        with ScriptedSupervisor(SUBJECT, "handler") as worker:
            worker.wait_for("READY=1")
            os.kill(worker.process.pid, signal.SIGUSR1)
            self.assertEqual(worker.read_line(), "SIGUSR1 handled")
            worker.send_stage("drain")
            self.assertEqual(worker.process.wait(TIMEOUT), 0)

    def test_the_timeout_of_a_listener_does_not_change_shared_flags(self):
        with socket.create_server(("127.0.0.1", 0)) as listener, \
                ScriptedSupervisor(SUBJECT, "shared_flags", listener=listener) as worker:
            printed, _ = worker.process.communicate(timeout=TIMEOUT)
            self.assertEqual(printed.splitlines(), ["flags changed: False", "timed out"])

    def test_a_forked_child_is_not_a_worker(self):
        with ScriptedSupervisor(SUBJECT, "fork") as worker:
            message = worker.wait_for("READY=1")
            self.assertIn("X_HOLDFAST_SERVED=0", message.split("\n"))
            worker.send_stage("drain")
            printed, _ = worker.process.communicate(timeout=TIMEOUT)
            self.assertEqual(printed.splitlines(), [f"child: errno {errno.EPERM}, True", "child ended with 0"])
            self.assertEqual(worker.process.returncode, 0)


class Asyncio(unittest.TestCase):
    def test_coroutine_functions_run_in_the_event_loop_and_are_awaited(self):
        printed, status = run_stages("async_thread", "drain")
        self.assertCountEqual(printed[:2], ["task runs", "drain"])
        self.assertEqual((printed[2:], status), (["task stops", "pool closed"], 0))

    def test_the_event_loop_can_run_the_worker(self):
        printed, status = run_stages("async_dispatch", "drain")
        self.assertEqual((printed, status), (["drain", "pool closed"], 0))


if __name__ == "__main__":
    unittest.main()
