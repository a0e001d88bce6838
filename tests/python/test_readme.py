"""The programs of child-sdk/python/README.md: alone, and under the supervisor through every stage, under load."""
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

from harness import SOURCE, TIMEOUT, Process, Supervised, python

PROGRAMS = re.findall(r"^```python\n(.*?)^```$", (SOURCE / "child-sdk/python/README.md").read_text(), re.M | re.S)


def get(address):
    """Returns the answer to a request on a connection of its own."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), TIMEOUT) as client:
        client.sendall(b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        answer = b""
        while not answer.endswith(b"hello\n") and (part := client.recv(4096)):
            answer += part
        return answer


class Clients:
    """Threads that ask without a pause, and note what is no answer."""
    def __init__(self, address):
        self.answers, self.failures, self._address, self._ends = 0, [], address, False
        self._threads = [threading.Thread(target=self._run) for _ in range(4)]
        for thread in self._threads:
            thread.start()

    def _run(self):
        while not self._ends:
            try:
                answer = get(self._address)
                if answer.endswith(b"\r\n\r\nhello\n"):
                    self.answers += 1
                else:
                    self.failures.append(answer)
            except OSError as error:
                self.failures.append(error)

    def finish(self):
        self._ends = True
        for thread in self._threads:
            thread.join()
        return self.failures


class Readme(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="hfb", dir="/tmp")
        self.addCleanup(self.directory.cleanup)
        os.symlink(SOURCE / "child-sdk/python/holdfast.py", f"{self.directory.name}/holdfast.py")

    def write(self, number, text):
        path = pathlib.Path(self.directory.name) / f"program_{number}.py"
        path.write_text(text)
        return path

    def for_each_program(self, test):
        self.assertEqual(len(PROGRAMS), 4)
        for number, text in enumerate(PROGRAMS):
            with self.subTest(program=number):
                test(self.write(number, text), text)

    def test_stand_alone(self):
        """Who was queued is answered; who comes after the signal is refused."""
        def test(path, text):
            listen = 'listener = worker.listen("http", '
            self.assertIn(listen + '":8080")', text)
            path.write_text(re.sub(r'^( *)(listener = worker.listen\("http", )":8080"\)',
                                   r'\1\2"127.0.0.1:0")\n\1print(listener.address, flush=True)', text, flags=re.M))
            with Process(path, stderr=subprocess.DEVNULL) as worker:
                address = worker.read_line()
                self.assertTrue(get(address).endswith(b"\r\n\r\nhello\n"))
                clients = Clients(address)
                while clients.answers < 20:
                    pass
                worker.process.send_signal(signal.SIGTERM)
                self.assertEqual(worker.process.wait(TIMEOUT), 0)
                for failure in clients.finish():
                    self.assertIsInstance(failure, ConnectionRefusedError)

        self.for_each_program(test)

    def test_lose_no_request_under_the_supervisor(self):
        def test(path, _):
            with Supervised(python(path), "--workers", "2") as service:
                clients = Clients(service.address())
                service.command("restart")
                service.command("pause")
                service.command("resume")
                service.command("restart")
                self.assertEqual(clients.finish(), [])
                self.assertEqual(service.stop(), 0)

        self.for_each_program(test)

    def test_lose_no_request_when_a_restart_is_undone(self):
        def test(path, _):
            with Supervised(python(path), "--probation", "60s") as service:
                clients = Clients(service.address())
                service.command("restart", "--no-wait")
                service.wait_for("worker_told", "pause")
                service.command("undo")
                answers = clients.answers
                while clients.answers < answers + 20 and not clients.failures:
                    pass  # answered by the worker that was paused
                self.assertEqual(clients.finish(), [])
                self.assertEqual(service.stop(), 0)

        self.for_each_program(test)


if __name__ == "__main__":
    unittest.main()
