"""Listeners and connections of workers in Python: accept(), threads, TLS, and loops of the program."""
import contextlib
import errno
import os
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import unittest

from harness import HERE, TIMEOUT, Process, ScriptedSupervisor

SUBJECT = HERE / "subject_connections.py"


def connect(address):
    if address.startswith("unix:"):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(TIMEOUT)
        client.connect(address[len("unix:"):])
        return client
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), TIMEOUT)


def reset(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def encrypt(client):
    context = ssl.create_default_context(cafile=HERE / "localhost.pem")
    return context.wrap_socket(client, server_hostname="localhost")


class Connections(unittest.TestCase):
    def start(self, kind, **options):
        worker = self.enterContext(Process(SUBJECT, kind, **options))
        address = worker.read_line()
        return worker, address

    def enterContext(self, manager):  # unittest has it since 3.11
        entered = manager.__enter__()
        self.addCleanup(manager.__exit__, None, None, None)
        return entered

    def start_serving(self, kind, **options):
        worker, address = self.start(kind, **options)
        self.assertEqual(worker.read_line(), "ready")
        return worker, address

    def assert_echoes(self, client, line=b"hello\n"):
        client.sendall(line)
        self.assertEqual(client.recv(100), line)

    def assert_ends(self, worker, status=0, lines=()):
        printed, returned = worker.read_to_end()
        self.assertEqual((printed, returned), (list(lines), status))

    def assert_drains(self, worker, status=0, lines=()):
        os.kill(worker.process.pid, signal.SIGTERM)
        self.assert_ends(worker, status, lines)


class Accept(Connections):
    def test_the_next_client_follows_one_that_was_reset(self):
        worker, address = self.start("accept_after_reset", stdin=subprocess.PIPE)
        reset(connect(address))
        with connect(address) as client:
            client.sendall(b"hello")
            worker.process.stdin.write("queued\n")
            worker.process.stdin.close()
            worker.process.stdin = None
            self.assert_ends(worker, 0, ["peer 127.0.0.1, b'hello'", "1 sessions", "ready"])

    def test_the_peer_of_a_unix_socket_has_no_name(self):
        with tempfile.TemporaryDirectory() as directory:
            worker, address = self.start("accept_after_reset", stdin=subprocess.PIPE,
                                         environment={"ADDRESS": f"unix:{directory}/socket"})
            with connect(address) as client:
                client.sendall(b"hello")
                worker.process.stdin.write("queued\n")
                worker.process.stdin.close()
                worker.process.stdin = None
                self.assert_ends(worker, 0, ["peer '', b'hello'", "1 sessions", "ready"])

    def test_says_so_when_the_drain_has_shut_the_listener_down(self):
        worker, _ = self.start_serving("accept_after_shutdown")
        self.assert_drains(worker, 0, [f"{errno.ESHUTDOWN}, True, 0 clients"])


class Threads(Connections):
    def test_a_connection_without_a_thread_is_closed(self):
        worker, address = self.start_serving("no_thread", stderr=subprocess.PIPE)
        for _ in range(2):
            with connect(address) as client:
                self.assertEqual(client.recv(100), b"")
        with connect(address) as client:
            self.assert_echoes(client)
        os.kill(worker.process.pid, signal.SIGTERM)
        _, errors = worker.process.communicate(timeout=TIMEOUT)
        self.assertEqual(worker.process.returncode, 0)
        self.assertIn("cannot start a thread for a connection, closing it", errors)


class TLS(Connections):
    def assert_serves(self, kind, *lines):
        """Serves an idle client, and others that reset, do not encrypt, and do not say a word; and drains."""
        worker, address = self.start_serving(kind)
        with encrypt(connect(address)) as client, connect(address) as silent:
            self.assertEqual([worker.read_line() for _ in lines], list(lines))
            self.assert_echoes(client)
            reset(connect(address))
            with connect(address) as plain:
                plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
                with contextlib.suppress(ConnectionResetError):
                    while plain.recv(4096):
                        pass
            self.assert_echoes(client)
            os.kill(worker.process.pid, signal.SIGTERM)
            self.assertEqual(client.recv(100), b"")
            self.assertEqual(silent.recv(100), b"")
        self.assertEqual(worker.process.wait(TIMEOUT), 0)

    def test_with_threads(self):
        self.assert_serves("tls")

    def test_with_asyncio(self):
        self.assert_serves("tls_asyncio")

    def test_that_the_handler_begins(self):
        worker, address = self.start_serving("tls_wrapped")
        with encrypt(connect(address)) as client:
            self.assertEqual(worker.read_line(), "1 sessions")
            self.assert_echoes(client)
            os.kill(worker.process.pid, signal.SIGTERM)
            self.assert_echoes(client)
        self.assertEqual(worker.process.wait(TIMEOUT), 0)

    def test_that_the_handler_begins_ends_at_the_cancel(self):
        worker, address = self.start_serving("tls_wrapped", environment={
            "HOLDFAST_GRACE_PERIOD": "1ms", "HOLDFAST_CANCEL_PERIOD": "60s"})
        with encrypt(connect(address)) as client:
            self.assertEqual(worker.read_line(), "1 sessions")
            self.assert_echoes(client)
            os.kill(worker.process.pid, signal.SIGTERM)
            self.assertEqual(client.recv(100), b"")
        self.assertEqual(worker.process.wait(TIMEOUT), 3)

    def test_that_the_program_begins_counts_until_it_is_closed(self):
        worker, address = self.start_serving("tls_accepted")
        with connect(address) as client:
            client.sendall(b"x")
            self.assert_drains(worker, 0, ["drain, 1 sessions", "1 sessions"])


class LargeResponses(Connections):
    """The handler has returned long before the client has read the response."""
    def assert_is_complete(self, client, worker):
        client.sendall(b"hello\n")
        os.kill(worker.process.pid, signal.SIGTERM)
        size = 0
        while part := client.recv(1 << 20):
            size += len(part)
        self.assertEqual(size, 32 << 20)
        client.close()
        self.assertEqual(worker.process.wait(TIMEOUT), 0)

    def test_are_complete_with_asyncio(self):
        worker, address = self.start_serving("large_asyncio")
        self.assert_is_complete(connect(address), worker)

    def test_are_complete_with_asyncio_and_tls(self):
        worker, address = self.start_serving("large_tls_asyncio")
        self.assert_is_complete(encrypt(connect(address)), worker)


class Iteration(Connections):
    def test_stops_and_starts_with_the_stages(self):
        with socket.create_server(("127.0.0.1", 0)) as listener, \
                ScriptedSupervisor(SUBJECT, "iterated", listener=listener) as worker:
            worker.wait_for("X_HOLDFAST_STAGES=lame-duck,pause,run,drain,cancel")
            worker.wait_for("READY=1")
            address = worker.read_line()
            self.assertEqual(worker.read_line(), "ready")
            for stage in ("pause", "drain"):
                with connect(address) as client:
                    self.assert_echoes(client)
                    self.assertEqual(client.recv(100), b"")
                worker.send_stage(stage)
                worker.wait_for("X_HOLDFAST_ACCEPTING=0")
                if stage == "pause":
                    with connect(address) as client:
                        worker.send_stage("run")
                        worker.wait_for("X_HOLDFAST_ACCEPTING=1")
                        self.assert_echoes(client)
            self.assertEqual(worker.read_to_end(), (["loop ended"], 0))

    def test_serves_who_is_queued_at_the_drain(self):
        worker, address = self.start_serving("iterated")
        with connect(address) as first, connect(address) as second, connect(address) as third:
            os.kill(worker.process.pid, signal.SIGTERM)
            for client in (first, second, third):
                self.assert_echoes(client)
                client.close()
        self.assert_ends(worker, 0, ["loop ended"])

    def test_closes_at_the_cancel_who_was_not_taken(self):
        worker, address = self.start("iterated_by_nobody", environment={
            "HOLDFAST_GRACE_PERIOD": "1ms", "HOLDFAST_CANCEL_PERIOD": "60s"})
        with connect(address) as client:
            self.assertEqual(worker.read_line(), "accepted")
            os.kill(worker.process.pid, signal.SIGTERM)
            self.assertEqual(client.recv(100), b"")
        self.assert_ends(worker, 3, ["released"])

    def test_ends_when_the_worker_is_closed(self):
        worker, _ = self.start("iterated_and_closed")
        self.assert_ends(worker)


if __name__ == "__main__":
    unittest.main()
