"""Workers in Python under the real supervisor."""
import http.client
import os
import random
import signal
import socket
import ssl
import threading
import time
import unittest

from harness import HERE, SOURCE, TIMEOUT, Load, Supervised, python

EXAMPLES = SOURCE / "child-sdk/python/examples"
CERTIFICATE = HERE / "localhost.pem"


class Restart(unittest.TestCase):
    def assert_no_lost_requests(self, *example):
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

    def test_loses_no_requests_with_threads(self):
        self.assert_no_lost_requests(EXAMPLES / "threads_http.py")

    def test_loses_no_requests_with_asyncio(self):
        self.assert_no_lost_requests(EXAMPLES / "asyncio_http.py")

    def test_loses_no_requests_with_asyncio_and_dispatch(self):
        self.assert_no_lost_requests(EXAMPLES / "asyncio_http.py", "--dispatch")


class TLSClients:
    """Threads that ask over TLS, on connections that they keep for a while, and note each failure."""
    PAUSES = 0, 0, 0.05, 0.3, 0.7

    def __init__(self, address):
        self.answers, self.failures, self._address, self._ends = 0, [], address, False
        self._threads = [threading.Thread(target=self._run, args=(seed,)) for seed in range(8)]
        for thread in self._threads:
            thread.start()

    def _run(self, seed):
        host, port = self._address.rsplit(":", 1)
        context = ssl.create_default_context(cafile=CERTIFICATE)
        context.check_hostname = False
        chooses, client = random.Random(seed), None
        while not self._ends:
            client = client or http.client.HTTPSConnection(host, int(port), context=context, timeout=TIMEOUT)
            try:
                client.request("GET", "/")
                answer = client.getresponse()
                if answer.read() != b"OK\n":
                    raise AssertionError(f"answered with {answer.status}")
                self.answers += 1
            except (OSError, http.client.HTTPException, AssertionError) as error:
                self.failures.append(error)
                client.close()
                continue
            if answer.getheader("Connection") == "close" or chooses.random() < 0.1:
                client.close()
            time.sleep(chooses.choice(self.PAUSES))  # an idle client
        client.close()

    def finish(self):
        self._ends = True
        for thread in self._threads:
            thread.join()
        return self.failures


class TLSRestart(unittest.TestCase):
    def assert_no_lost_requests(self, example):
        with Supervised(python(example, "--tls", CERTIFICATE)) as service:
            clients = TLSClients(service.address())
            for _ in range(3):
                service.command("restart")
            self.assertEqual(clients.finish(), [])
            self.assertGreater(clients.answers, 0)
            self.assertEqual(service.stop(), 0)

    def test_loses_no_requests_with_threads(self):
        self.assert_no_lost_requests(EXAMPLES / "threads_http.py")

    def test_loses_no_requests_with_asyncio(self):
        self.assert_no_lost_requests(EXAMPLES / "asyncio_http.py")


class IdleConnection(unittest.TestCase):
    """During a drain an idle connection is answered once more, with "Connection: close"."""
    def assert_answered_once_more(self, *example):
        with Supervised(python(*example, HOLDFAST_KEEP_ALIVE_MIN="30s")) as service:
            host, port = service.address().rsplit(":", 1)
            with socket.create_connection((host, int(port)), TIMEOUT) as client:
                self.assertNotIn(b"connection: close", self.ask(client))
                service.process.send_signal(signal.SIGTERM)
                while b"connection: close" not in self.ask(client):
                    pass  # the worker has not read the command yet
                self.assertEqual(client.recv(4096), b"")
            self.assertEqual(service.process.wait(TIMEOUT), 0)

    def ask(self, client):
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = client.recv(4096).lower()
        self.assertIn(b"200 ok", answer)
        return answer

    def test_is_answered_once_more_with_threads(self):
        self.assert_answered_once_more(EXAMPLES / "threads_http.py")

    def test_is_answered_once_more_with_asyncio(self):
        self.assert_answered_once_more(EXAMPLES / "asyncio_http.py")


class Shutdown(unittest.TestCase):
    def test_sigterm_to_a_worker_starts_a_successor(self):
        with Supervised(python(EXAMPLES / "threads_http.py")) as service:
            service.wait_for("service_ready")
            os.kill(service.worker_pid(), signal.SIGTERM)
            service.wait_for("worker_gone", "exited with status 0")
            self.assertEqual(service.stop(), 0)

    def test_a_stuck_request_is_named_after_the_deadline(self):
        with Supervised(python(HERE / "subject.py", "stuck"), "--grace-period", "200ms",
                        "--cancel-period", "200ms") as service:
            service.wait_for("service_ready")
            service.stop()
            self.assertIn("GET /stuck", service.log())

    def test_exceptions_in_callbacks_are_logged_and_stop_nothing(self):
        with Supervised(python(HERE / "subject.py", "raises")) as service:
            service.wait_for("service_ready")
            service.stop()
            for text in ("no drain today", "the disk is full", "database"):
                self.assertIn(text, service.log())
            self.assertIn("exited with status 3", service.log())


if __name__ == "__main__":
    unittest.main()
