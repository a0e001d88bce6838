"""What a scenario needs inside the booted container: the service under test, and functions that observe it.

Every step and result is written to standard output, the transcript. Its last line is PASSED only if the scenario
passed.
"""

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
import traceback

import manual_unit

UNIT = "web"
BIN = "/test/bin"
TIMEOUT = 20  # seconds for a condition to become true


def log(text):
    print(f"{time.monotonic():9.3f} {text}", flush=True)


def systemctl(*words):
    """Runs systemctl with its output in the transcript. Returns the exit status."""
    log(f"$ systemctl {' '.join(words)}")
    return subprocess.run(["systemctl", *words], check=False).returncode


def expect(condition, what):
    if not condition:
        raise AssertionError(f"not true: {what}")
    log(f"ok: {what}")


def wait_until(is_true, what):
    """Polls a condition for which there is no event: the state of the unit in systemd, or a queue that /proc shows."""
    deadline = time.monotonic() + TIMEOUT
    while not is_true():
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {TIMEOUT} s: {what}")
        time.sleep(0.01)
    log(f"ok: {what}")


class Service:
    """The unit of the manual, installed as web.service."""

    def __init__(self, options=None, worker=f"{BIN}/hello-http", settings=""):
        with open("/test/share/manual.service", encoding="utf-8") as manual:
            text = manual.read()
        self.port = manual_unit.listens_on(text)
        self.write("web.service", manual_unit.adapt(text, f"{BIN}/holdfast", options or {}, worker))
        if settings:
            self.write("web.service.d/scenario.conf", f"[Service]\n{settings}\n")
        systemctl("daemon-reload")

    @staticmethod
    def write(name, text):
        path = os.path.join("/run/systemd/system", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    @staticmethod
    def show(name):
        return subprocess.run(
            ["systemctl", "show", "--property", name, "--value", UNIT], check=True, capture_output=True, text=True
        ).stdout.strip()

    def is_state(self, state):
        return self.show("ActiveState") == state

    def main_pid(self):
        return int(self.show("MainPID"))

    def start(self):
        expect(systemctl("start", UNIT) == 0, "the unit starts")

    def get(self, path="/"):
        """Sends one request on a new connection. Returns (status, body, (generation, slot, pid))."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        try:
            connection.request("GET", path)
            return answer_of(connection)
        finally:
            connection.close()

    def ended(self):
        """(exit code, exit status, result) of the main process, as systemd reports them."""
        return self.show("ExecMainCode"), self.show("ExecMainStatus"), self.show("Result")


def answer_of(connection):
    response = connection.getresponse()
    body = response.read()
    worker = tuple(int(number) for number in response.headers["X-Worker"].split("."))
    return response.status, body, worker


class SlowRequest:
    """A request in flight: the worker has read its bytes when the constructor returns."""

    def __init__(self, service, milliseconds):
        self._connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
        self._connection.request("GET", "/")
        self.worker = answer_of(self._connection)[2]
        self._connection.request("GET", f"/?ms={milliseconds}")
        client_port = self._connection.sock.getsockname()[1]
        wait_until(lambda: unread_bytes(service.port, client_port) == 0, f"worker {self.worker} has read the slow request")
        self.outcome = None
        self._thread = threading.Thread(target=self._wait)
        self._thread.start()

    def _wait(self):
        try:
            self.outcome = answer_of(self._connection)
        except (OSError, http.client.HTTPException) as error:
            self.outcome = error
        log(f"the slow request ended: {self.outcome!r}")

    def is_open(self):
        return self.outcome is None

    def result(self):
        self._thread.join()
        return self.outcome

    def is_answered(self):
        """Waits for the outcome. True if the worker that read the request sent a complete response."""
        outcome = self.result()
        return isinstance(outcome, tuple) and outcome[0] == 200 and b"OK" in outcome[1] and outcome[2] == self.worker


def unread_bytes(local_port, remote_port):
    """The unread bytes of the established TCP connection between two ports of this machine; None if there is none."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table, encoding="ascii") as rows:
            for row in rows.readlines()[1:]:
                _, local, remote, state, queues = row.split()[:5]
                ports = int(local.rsplit(":", 1)[1], 16), int(remote.rsplit(":", 1)[1], 16)
                if ports == (local_port, remote_port) and state == "01":
                    return int(queues.split(":")[1], 16)
    return None


def is_alive(pid):
    return os.path.exists(f"/proc/{pid}")


def send_signal(pid, number):
    log(f"kill -{signal.Signals(number).name} {pid}")
    os.kill(pid, number)


def run(name, scenarios):
    """Runs one scenario. The last line of the transcript is PASSED or FAILED in any case."""
    try:
        scenarios[name]()
    except Exception:  # pylint: disable=broad-except
        traceback.print_exc(file=sys.stdout)
        sys.stdout.flush()
        subprocess.run(["systemctl", "status", "--no-pager", "--full", UNIT], check=False)
        subprocess.run(["journalctl", "--no-pager", "--output", "short-monotonic"], check=False)
        print("FAILED", flush=True)
        raise SystemExit(1) from None
    print("PASSED", flush=True)
