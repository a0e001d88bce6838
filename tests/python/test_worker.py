"""What a worker in Python does at each stage, which a scripted supervisor sends."""
import errno
import os
import signal
import socket
import unittest

from harness import HERE, TIMEOUT, Process, ScriptedSupervisor

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

    def test_a_task_starts_and_ends_as_its_options_say(self):
        with ScriptedSupervisor(SUBJECT, "task_options") as worker:
            worker.wait_for("READY=1")
            self.assertEqual(worker.read_line(), "warm")
            self.assertRegex(worker.read_line(), "mail.*LookupError: no mail today.*False")
            worker.wait_for("STOPPING=1")  # the required one has ended
            worker.send_stage("drain")
            self.assertEqual(worker.read_to_end(), ([], 3))

    def test_a_task_can_abort_the_process(self):
        with ScriptedSupervisor(SUBJECT, "task_aborts") as worker:
            self.assertEqual(worker.process.wait(TIMEOUT), -signal.SIGABRT)

    def test_work_whose_hand_back_raises_is_lost(self):
        printed, status = run_stages("lost_work", "drain")
        self.assertRegex(printed[0], r"^1 handed back, 1 lost, \[.*job 1 is lost.*\]$")
        self.assertEqual(status, 3)

    def test_accepts_is_all_that_pause_run_and_drain_need(self):
        with ScriptedSupervisor(SUBJECT, "accepts") as worker:
            worker.wait_for("X_HOLDFAST_STAGES=lame-duck,pause,run,drain,cancel")
            worker.wait_for("READY=1")
            for stage, line in [("pause", "stop"), ("run", "start, None"), ("drain", "stop")]:
                worker.send_stage(stage)
                self.assertEqual(worker.read_line(), line)
            self.assertEqual(worker.read_to_end(), ([], 0))

    def test_a_program_that_cannot_pause_does_not_announce_it(self):
        with ScriptedSupervisor(SUBJECT, "resources") as worker:
            worker.wait_for("X_HOLDFAST_STAGES=lame-duck,drain,cancel")
            worker.wait_for("READY=1")
            worker.send_stage("drain")
            self.assertEqual(worker.process.wait(TIMEOUT), 0)

    def test_a_session_can_be_renamed_and_hurried(self):
        with ScriptedSupervisor(SUBJECT, "renamed_session") as worker:
            worker.wait_for("READY=1")
            self.assertEqual(worker.read_line(), "['GET /feed']")
            worker.send_stage("drain")
            self.assertEqual(worker.read_line(), "leave")
            worker.wait_for("X_HOLDFAST_RELEASING=1")  # although the session is still open: it is overdue

    def test_wait_can_return_after_the_last_deadline(self):
        with Process(SUBJECT, "gives_up") as worker:
            self.assertEqual(worker.read_to_end(), (["3"], 0))

    def test_misuse_raises_an_error_with_a_message(self):
        with ScriptedSupervisor(SUBJECT, "misuse") as worker:
            worker.wait_for("STOPPING=1")
            worker.send_stage("drain")
            printed, _ = worker.process.communicate(timeout=TIMEOUT)
        self.assertEqual(printed.splitlines(), [
            f"ready twice: {errno.EPERM}", f"unknown listener: {errno.ENOENT}",
            f"request after the release: {errno.ESHUTDOWN}", f"after close: {errno.EINVAL}",
            "start is 'soon'", "on_exception is None", "need is True"])


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
