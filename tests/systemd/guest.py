"""What a scenario needs inside the booted container: the service under test, and eyes.

Everything done and seen goes to standard output, the transcript; its last line is PASSED only if everything held.
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
TIMEOUT = 20  # seconds for any fact to come true


def log(text):
    print(f"{time.monotonic():9.3f} {text}", flush=True)


def systemctl(*words):
    """Exit status of systemctl; what it says goes to the transcript."""
    log(f"$ systemctl {' '.join(words)}")
    return subprocess.run(["systemctl", *words], check=False).returncode


def expect(condition, what):
    if not condition:
        raise AssertionError(f"not so: {what}")
    log(f"ok: {what}")


def wait_until(is_true, what):
    """For what nobody announces in here: systemd's view of the unit, and queues that only /proc shows."""
    deadline = time.monotonic() + TIMEOUT
    while not is_true():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {TIMEOUT} s: {what}")
        time.sleep(0.01)
    log(f"ok: {what}")


class Service:
    """The manual's unit, as web.service."""

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

    def ask(self, path="/"):
        """(status, body, (generation, slot, pid)) of one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        try:
            connection.request("GET", path)
            return answer_of(connection)
        finally:
            connection.close()

    def ended(self):
        """(how, status, systemd's verdict) of the main process."""
        return self.show("ExecMainCode"), self.show("ExecMainStatus"), self.show("Result")


def answer_of(connection):
    response = connection.getresponse()
    body = response.read()
    worker = tuple(int(number) for number in response.headers["X-Worker"].split("."))
    return response.status, body, worker


class SlowRequest:
    """A request that a worker is serving: its bytes were read by the worker when the constructor returns."""

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
        """Waits for the end; whether it was answered in full, and by the worker that had begun."""
        outcome = self.result()
        return isinstance(outcome, tuple) and outcome[0] == 200 and b"OK" in outcome[1] and outcome[2] == self.worker


def unread_bytes(local_port, remote_port):
    """What lies unread in the established TCP connection between two ports of this machine; None without one."""
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
    """Plays one scenario; the transcript's last line is the verdict, whatever went wrong."""
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
