"""What a worker in Node does at each stage, which a scripted supervisor sends."""
import http.client
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "python"))
from harness import TIMEOUT, ScriptedSupervisor  # noqa: E402

SUBJECT = pathlib.Path(__file__).resolve().parent / "subject.js"


EXAMPLE = SUBJECT.parent.parent.parent / "child-sdk/node/examples/http.js"


def node(*arguments, **options):
    return ScriptedSupervisor(SUBJECT, *arguments, interpreter=["node"], **options)


def listen():
    return socket.create_server(("127.0.0.1", 0))


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

    def test_accepting_stops_and_starts_by_two_functions(self):
        with node("accepts") as worker:
            worker.wait_for("X_HOLDFAST_STAGES=lame-duck,pause,run,drain,cancel")
            worker.wait_for("READY=1")
            worker.send_stage("pause")
            worker.wait_for("X_HOLDFAST_ACCEPTING=0")
            worker.send_stage("run")
            worker.wait_for("X_HOLDFAST_ACCEPTING=1")
            worker.send_stage("drain")
            self.assertEqual(worker.read_to_end(), (["stop", "start", "stop"], 0))

    def test_a_task_that_fails_stops_the_worker_gracefully(self):
        with node("taskFails") as worker:
            worker.wait_for("STOPPING=1")
            worker.send_stage("drain")
            [failed], status = worker.read_to_end()
        self.assertRegex(failed, "consumer.*the queue is gone")
        self.assertEqual(status, 3)

    def test_a_task_that_fails_is_ignored_or_ends_the_process(self):
        with node("taskFails", "ignore") as worker:
            worker.wait_for("READY=1")
            worker.send_stage("drain")
            [failed], status = worker.read_to_end()
            self.assertRegex(failed, "the queue is gone")
            self.assertEqual(status, 3)
        with node("taskFails", "abort") as worker:
            self.assertEqual(worker.process.wait(TIMEOUT), -signal.SIGABRT)

    def test_a_task_that_is_needed_stops_the_worker_when_it_returns(self):
        with node("taskReturns", "required") as worker:
            worker.wait_for("STOPPING=1")
            worker.send_stage("drain")
            self.assertEqual(worker.read_to_end(), (["task runs"], 3))

    def test_a_warm_up_runs_before_the_worker_is_ready(self):
        self.assertEqual(run_stage("warmUp", "drain"), (["warm-up", "is ready", "consumer"], 0))

    def test_work_that_cannot_be_handed_back_is_lost(self):
        printed, status = run_stage("lost", "drain")
        self.assertEqual(printed[0], "held 1")
        self.assertRegex(printed[1], "lost 1, handed back 0, .*job 7")
        self.assertEqual(status, 3)

    def test_a_session_is_renamed_and_leaves_within_another_time(self):
        self.assertEqual(run_stage("sessions", "drain"), (["GET /chat"], 0))

    def test_callbacks_that_fail_do_not_end_the_process(self):
        with listen() as listener, node("rejects", listener=listener, stderr=subprocess.PIPE) as worker:
            worker.wait_for("READY=1")
            for _ in range(2):
                with socket.create_connection(listener.getsockname()):
                    self.assertEqual(worker.read_line(), "accepted")
            worker.send_stage("pause")
            self.assertEqual(worker.read_line(), "pause")
            worker.send_stage("drain")
            _, errors = worker.process.communicate(timeout=TIMEOUT)
            self.assertEqual(worker.process.returncode, 0)
        for text in ["no connection", "no stop", "no pause"]:
            self.assertIn(text, errors)

    def test_a_request_is_counted_until_its_handler_has_ended(self):
        with listen() as listener, node("handler", listener=listener) as worker:
            worker.wait_for("READY=1")
            with socket.create_connection(listener.getsockname()) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertEqual(worker.read_line(), "sessions true")
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing resets
            self.assertEqual(worker.read_line(), "requests 1, cancelled false")
            self.assertEqual(worker.read_line(), "requests 0")
            worker.send_stage("drain")
            self.assertEqual(worker.process.wait(TIMEOUT), 0)

    def test_a_handler_that_fails_is_answered_and_does_not_end_the_process(self):
        with listen() as listener, node("handler", listener=listener) as worker:
            worker.wait_for("READY=1")
            for path, answer in [("/fail", b"HTTP/1.1 500"), ("/late", b"HTTP/1.1 200")]:
                with socket.create_connection(listener.getsockname(), TIMEOUT) as client:
                    client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                    received = b"".join(iter(lambda client=client: client.recv(4096), b""))
                    self.assertTrue(received.startswith(answer), received)
            worker.send_stage("drain")
            self.assertEqual(worker.process.wait(TIMEOUT), 0)

    def test_a_handler_that_fails_because_its_client_has_gone_is_not_reported(self):
        with listen() as listener, node("handler", listener=listener, stderr=subprocess.PIPE) as worker:
            worker.wait_for("READY=1")
            with socket.create_connection(listener.getsockname(), TIMEOUT) as client:
                client.sendall(b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1")
                self.assertEqual(worker.read_line(), "body 1")
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing resets
            self.assertEqual(worker.read_line(), "the client has gone")
            worker.send_stage("drain")
            _, errors = worker.process.communicate(timeout=TIMEOUT)
            self.assertEqual((errors, worker.process.returncode), ("", 0))

    def test_a_signal_has_its_previous_effect_after_the_release(self):
        self.assertEqual(run_stage("signalAfterwards", "drain"), ([], -signal.SIGTERM))
        self.assertEqual(run_stage("listenerAfterwards", "drain"), (["the listener was called"], 7))

    def test_the_example_is_taken_through_all_stages_and_back(self):
        def get(path="/"):
            connection = http.client.HTTPConnection(*listener.getsockname(), timeout=TIMEOUT)
            connection.request("GET", path, headers={"Connection": "close"})
            return connection.getresponse().read()

        with listen() as listener, ScriptedSupervisor(EXAMPLE, interpreter=["node"], listener=listener) as worker:
            worker.wait_for("X_HOLDFAST_STAGES=lame-duck,pause,run,drain,cancel")
            worker.wait_for("READY=1")
            self.assertEqual(get(), b"OK\n")
            for stage in ["lame-duck", "pause", "drain"]:  # a held request keeps the drain from its release
                with socket.create_connection(listener.getsockname()) as held:
                    held.sendall(b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n1")
                    self.assertEqual(get(), b"OK\n")
                    worker.send_stage(stage)
                    if stage != "lame-duck":
                        worker.wait_for("X_HOLDFAST_ACCEPTING=0")
                    worker.send_stage("run")
                    worker.wait_for("X_HOLDFAST_ACCEPTING=1")
                    self.assertEqual(get(), b"OK\n", f"after {stage} was taken back")
                    held.sendall(b"2")
                    self.assertTrue(held.recv(4096).startswith(b"HTTP/1.1 200"))
            worker.send_stage("drain")
            self.assertEqual(worker.process.wait(TIMEOUT), 0)

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
