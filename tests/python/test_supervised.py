"""Workers in Python under the real supervisor."""
import os
import signal
import socket
import unittest

from harness import HERE, SOURCE, TIMEOUT, Load, Supervised, python

EXAMPLES = SOURCE / "child-sdk/python/examples"


class Restart(unittest.TestCase):
    def loses_nothing(self, *example):
        with Supervised(python(*example)) as service:
            address = service.address()
            fresh = Load(address, "--clients", "8")
            kept = Load(address, "--clients", "24", "--keep-alive", "--pause-high", "800")
            for _ in range(3):
                service.command("restart")
            for load in (fresh, kept):
                self.assertIn("answered by generation 4", load.finish())
            self.assertEqual(service.stop(), 0)
            self.assertNotIn("listener_revived", service.log())

    def test_of_the_threads_example_loses_no_request(self):
        self.loses_nothing(EXAMPLES / "threads_http.py")

    def test_of_the_asyncio_example_loses_no_request(self):
        self.loses_nothing(EXAMPLES / "asyncio_http.py")

    def test_of_the_asyncio_example_that_drives_the_worker_itself_loses_no_request(self):
        self.loses_nothing(EXAMPLES / "asyncio_http.py", "--dispatch")


class Etiquette(unittest.TestCase):
    """An idle connection is still served once after the worker began to leave, and told that it was the last time."""
    def answers_once_more(self, *example):
        with Supervised(python(*example)) as service:
            host, port = service.address().rsplit(":", 1)
            with socket.create_connection((host, int(port)), TIMEOUT) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertNotIn(b"connection: close", client.recv(4096).lower())
                service.process.send_signal(signal.SIGTERM)
                service.wait_for("worker_told", "drain")
                client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertIn(b"connection: close", client.recv(4096).lower())
                self.assertEqual(client.recv(4096), b"")
            self.assertEqual(service.process.wait(TIMEOUT), 0)

    def test_of_threads(self):
        self.answers_once_more(EXAMPLES / "threads_http.py")

    def test_of_asyncio(self):
        self.answers_once_more(EXAMPLES / "asyncio_http.py")


class Leaving(unittest.TestCase):
    def test_a_sigterm_from_elsewhere_is_a_wish_and_a_successor_comes(self):
        with Supervised(python(EXAMPLES / "threads_http.py")) as service:
            service.wait_for("service_ready")
            os.kill(service.worker_pid(), signal.SIGTERM)
            service.wait_for("worker_gone", "exited with status 0")
            self.assertEqual(service.stop(), 0)

    def test_a_stuck_request_is_named_when_its_time_is_up(self):
        with Supervised(python(HERE / "subject.py", "stuck"), "--grace-period", "200ms",
                        "--cancel-period", "200ms") as service:
            service.wait_for("service_ready")
            service.stop()
            self.assertIn("GET /stuck", service.log())

    def test_what_callbacks_raise_is_named_and_stops_nothing(self):
        with Supervised(python(HERE / "subject.py", "raises")) as service:
            service.wait_for("service_ready")
            service.stop()
            for words in ("no drain today", "the disk is full", "database"):
                self.assertIn(words, service.log())
            self.assertIn("exited with status 3", service.log())


if __name__ == "__main__":
    unittest.main()
