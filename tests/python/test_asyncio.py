"""Workers in Python whose functions are coroutines. Once more in the debug mode of asyncio."""
import os
import signal
import socket
import subprocess
import unittest

from harness import HERE, TIMEOUT, Process, ScriptedSupervisor

SUBJECT = HERE / "subject_asyncio.py"


class Asyncio(unittest.TestCase):
    environment = {}

    def run_stages(self, kind, *stages):
        """Returns the lines of the subject after "ready", its exit status, and what it wrote on standard error."""
        with ScriptedSupervisor(SUBJECT, kind, environment=self.environment, stderr=subprocess.PIPE) as worker:
            worker.wait_for("READY=1")
            for stage in stages:
                worker.send_stage(stage)
            printed, errors = worker.process.communicate(timeout=TIMEOUT)
            self.assert_no_warning(errors)
            return printed.splitlines(), worker.process.returncode, errors

    def run_alone(self, kind):
        with Process(SUBJECT, kind, environment=self.environment, stderr=subprocess.PIPE) as worker:
            printed, errors = worker.process.communicate(timeout=TIMEOUT)
            self.assert_no_warning(errors)
            return printed.splitlines(), worker.process.returncode

    def assert_no_warning(self, errors):
        for text in ("Warning", "never awaited", "never retrieved", "was destroyed", "Exception ignored",
                     "Exception in thread"):
            self.assertNotIn(text, errors)

    def test_work_that_is_dropped_in_the_loop_is_handed_back_there(self):
        printed, status, _ = self.run_stages("dropped_in_the_loop", "drain")
        self.assertEqual((printed, status), (["handed back", "handed back", "ready"], 0))

    def test_work_that_is_held_after_the_cancel_is_handed_back(self):
        with ScriptedSupervisor(SUBJECT, "held_after_the_cancel", environment=self.environment) as worker:
            worker.wait_for("READY=1")
            self.assertCountEqual([worker.read_line(), worker.read_line()], ["ready", "task runs"])
            worker.send_stage("cancel")
            self.assertCountEqual(worker.read_to_end()[0], ["ours: False", "handed back"])

    def test_a_coroutine_for_a_session_that_leaves_is_awaited(self):
        printed, status, _ = self.run_stages("leaves", "drain")
        self.assertCountEqual(printed, ["ready", "left", "cannot ask a session to leave: no farewell today"])
        self.assertEqual(status, 0)

    def test_tasks_see_the_stop_or_are_cancelled(self):
        with ScriptedSupervisor(SUBJECT, "tasks", environment=self.environment) as worker:
            worker.wait_for("READY=1")
            self.assertEqual(worker.read_line(), "ready")
            worker.send_stage("drain")
            self.assertCountEqual([worker.read_line() for _ in range(3)],
                                  ["sees, True", "cancelled without a parameter", "stubborn"])
            worker.send_stage("cancel")
            self.assertEqual(worker.read_to_end()[0], ["cancelled at the cancel"])

    def test_exceptions_are_reported_by_name(self):
        _, status, errors = self.run_stages("raising", "drain")
        for text in ("a callback for drain failed: ValueError: not today",
                     "cannot close database: ValueError: not today", "job 7"):
            self.assertIn(text, errors)
        self.assertEqual(status, 3)

    def test_a_worker_can_be_closed_in_its_loop(self):
        self.assertEqual(self.run_alone("closed_in_the_loop"), (["sees the stop", "closed", "closed", "cancelled"], 0))

    def test_wait_is_refused_in_the_loop_that_it_would_stop(self):
        printed, status = self.run_alone("waits_in_the_loop")
        self.assertEqual((printed, status), (["cannot wait() in an event loop: it would stop the loop; await wait_async()"], 0))

    def test_wait_can_be_cancelled_and_repeated(self):
        self.assertEqual(self.run_alone("waits_again"), (["still serves"], 0))

    def test_a_worker_older_than_the_loop_serves_or_refuses_at_once(self):
        self.assertEqual(self.run_alone("worker_outside"),
                         (["refused, True"] * 5 + ["hello", "drain", "task stops"], 0))

    def test_coroutines_that_the_loop_would_wait_for_are_refused(self):
        printed, status, _ = self.run_stages("coroutine_in_dispatch", "drain")
        self.assertEqual((printed, status), (["refused, True"] * 3 + ["ready", "task stops"], 0))

    def test_handlers_are_cancelled_at_the_cancel(self):
        environment = {**self.environment, "HOLDFAST_GRACE_PERIOD": "1ms", "HOLDFAST_CANCEL_PERIOD": "60s"}
        with Process(SUBJECT, "cancelled_handlers", environment=environment) as worker:
            host, port = worker.read_line().rsplit(":", 1)
            clients = [socket.create_connection((host, int(port)), TIMEOUT) for _ in range(2)]
            self.assertEqual(worker.read_line(), "ready")
            for client, name in zip(clients, ("polite", "silent")):
                client.sendall(f"{name}\n".encode())
                self.assertEqual(worker.read_line(), f"{name} begins")
            os.kill(worker.process.pid, signal.SIGTERM)
            self.assertCountEqual([worker.read_line(), worker.read_line()],
                                  ["polite is cancelled", "silent is cancelled"])
            self.assertEqual(clients[0].recv(4096), b"goodbye\n")
            for client in clients:
                self.assertEqual(client.recv(4096), b"")
                client.close()
            self.assertEqual(worker.process.wait(TIMEOUT), 3)

    def assert_leaves(self, kind):
        """The overdue one no longer delays the close of the pool, but does delay the end."""
        with socket.create_server(("127.0.0.1", 0)) as listener, \
                ScriptedSupervisor(SUBJECT, kind, listener=listener, environment=self.environment) as worker:
            worker.wait_for("READY=1")
            self.assertEqual((worker.read_line().split(":")[0], worker.read_line()), ("127.0.0.1", "ready"))
            clients = [socket.create_connection(listener.getsockname(), TIMEOUT) for _ in range(2)]
            for client, name in zip(clients, ("polite", "overdue")):
                client.sendall(f"{name}\n".encode())
                self.assertEqual(worker.read_line(), f"['{name}']")
            worker.send_stage("drain")
            for client in clients:
                self.assertEqual(client.recv(4096), b"goodbye\n")
            self.assertEqual(clients[0].recv(4096), b"")
            clients[0].close()
            self.assertEqual(worker.read_line(), "pool closed")
            worker.send_stage("cancel")
            self.assertEqual(worker.read_line(), "cancel")
            self.assertEqual(clients[1].recv(4096), b"")
            clients[1].close()
            self.assertEqual(worker.process.wait(TIMEOUT), 3)

    def test_connections_are_asked_to_leave(self):
        self.assert_leaves("feed")

    def test_connections_are_asked_to_leave_by_the_event_loop(self):
        self.assert_leaves("feed_with_dispatch")


class AsyncioInDebugMode(Asyncio):
    environment = {"PYTHONASYNCIODEBUG": "1", "PYTHONDEVMODE": "1"}


if __name__ == "__main__":
    unittest.main()
