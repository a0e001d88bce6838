"""A worker under the real `holdfast run`."""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import time

from checks import LIMIT, Failure, check, check_equal
from service import Service, clean_environment
from processes import Process, start

BIN = pathlib.Path(os.environ["HOLDFAST_BIN"])


class RealSupervisor(Service):
    """One worker, whose successor takes over as soon as it is ready."""

    def __init__(self, subject, place, environment=()):
        self.subject = subject
        self.address, self.text, self._folder = place.address, place.text, str(place.folder)
        self._entries, self._unread = [], ""
        variables = {"HOLDFAST_KEEP_ALIVE_MIN": "500ms", "HELLO_ADDRESS": place.text, **dict(environment)}
        command = [str(BIN / "holdfast"), "run", "--name", "web", *self._folders(), "--state-dir",
                   f"{self._folder}/state", "--log-format", "json", "--listen",
                   f"{subject.listener}={place.text}", "--settle", "1ms", "--ready-when", "notify",
                   *(f"--env={name}={value}" for name, value in variables.items()),
                   "--", *subject.command]
        self.process = start(command, clean_environment({}), place.log)

    def __enter__(self):
        try:
            self.wait_for("service_ready")
        except BaseException:
            self.process.close()
            raise
        return self

    def __exit__(self, *_):
        if not self.process.has_ended():
            self.process.signal(signal.SIGTERM)  # a SIGKILL would leave the workers behind
            if not self.process.has_ended(LIMIT):
                self.process.signal(signal.SIGTERM)
                self.process.has_ended(LIMIT)
        self.process.close()

    def _folders(self):
        return ["--runtime-dir", self._folder]

    def entries(self, event, text=""):
        """The entries of the log so far."""
        lines = self._unread + self.process.read_log()
        *lines, self._unread = lines.split("\n")
        for line in lines:
            with contextlib.suppress(ValueError):  # output of a worker
                self._entries.append(json.loads(line))
        return [entry for entry in self._entries if entry.get("event") == event and text in entry["text"]]

    def wait_for(self, event, text="", count=1):
        """Waits until the log has that many entries."""
        deadline = time.monotonic() + LIMIT
        while len(self.entries(event, text)) < count:
            check(not self.process.has_ended(0.01), f"the supervisor ended before the log had {event!r}")
            check(time.monotonic() < deadline, f"the log has no {event!r} {text!r}")

    def kill(self):
        """Kills the supervisor alone. Returns its worker, which the suite inherits."""
        worker = Process(self.entries("worker_ready")[-1]["pid"], self.process.log_path)
        self.process.signal(signal.SIGKILL)
        self.process.wait()
        return worker

    def start_command(self, verb):
        return subprocess.Popen([BIN / "holdfast", verb, *self._folders(), "web"], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def command(self, verb):
        expect_outcome(self.start_command(verb), 0, verb)

    def request_drain(self):
        self.process.signal(signal.SIGTERM)

    def expect_end(self, status=0):
        super().expect_end(status)
        killed = self.entries("worker_killed")
        check_equal([entry["text"] for entry in killed], [], "killed workers")


def expect_outcome(command, status, verb):
    """Waits for a command and checks its exit status."""
    try:
        output, _ = command.communicate(timeout=2 * LIMIT)
    except subprocess.TimeoutExpired:
        command.kill()
        command.communicate()
        raise Failure(f"holdfast {verb} does not end") from None
    check_equal(command.returncode, status, f"exit status of holdfast {verb}, which said {output.strip()!r}")
