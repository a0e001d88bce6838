"""Shared code of the tests of the bindings: a real supervisor with its parsed log, the strict client, a scripted
supervisor for stages that no command sends, and a worker that stands alone. The build sets the paths: HOLDFAST_BIN
(programs), HOLDFAST_LIBRARY, HOLDFAST_SOURCE."""
import fcntl
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

TIMEOUT = 30  # seconds to wait for a condition; a timeout is a failure
BIN = pathlib.Path(os.environ["HOLDFAST_BIN"])
LIBRARY = os.environ["HOLDFAST_LIBRARY"]
SOURCE = pathlib.Path(os.environ["HOLDFAST_SOURCE"])
HERE = pathlib.Path(__file__).resolve().parent


def python(*arguments, **environment):
    """The command of a worker in Python. The supervisor removes HOLDFAST_ variables from the environment, so env(1)
    sets the library and the others."""
    environment = {"HOLDFAST_LIBRARY": LIBRARY, **environment}
    return ["env", *("=".join(item) for item in environment.items()), sys.executable, "-B", *map(str, arguments)]


class Supervised:
    """A real `holdfast run` and its parsed log."""
    def __init__(self, command, *options):
        self._directory = tempfile.TemporaryDirectory(prefix="hfb", dir="/tmp")
        self._entries, self._changed, self._ended = [], threading.Condition(), False
        self.process = subprocess.Popen(
            [BIN / "holdfast", "run", "--name", "web", "--runtime-dir", self._directory.name,
             "--state-dir", f"{self._directory.name}/state", "--log-format", "json",
             "--listen", "http=127.0.0.1:0", "--settle", "1ms", *options, "--", *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            try:
                entry = json.loads(line)
            except ValueError:
                entry = {"event": "", "text": line}  # output of a worker
            with self._changed:
                self._entries.append(entry)
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stderr.close()
        self._directory.cleanup()

    def log(self):
        with self._changed:
            return "\n".join(str(entry.get("worker", "")) + " " + entry["text"].rstrip() for entry in self._entries)

    def wait_for(self, event, text=""):
        """Waits for an entry of that event (\"\": output of a worker) that contains the text, and returns it."""
        def found():
            fits = [entry for entry in self._entries if entry["event"] == event and text in entry["text"]]
            return fits[0] if fits else None

        with self._changed:
            if not self._changed.wait_for(lambda: found() or self._ended, TIMEOUT) or not found():
                raise AssertionError(f"the log has no entry {event!r} with {text!r}:\n" +
                                     "\n".join(str(entry) for entry in self._entries))
            return found()

    def address(self):
        """Returns the address of the listener, once the service is ready."""
        self.wait_for("service_ready")
        status = json.loads(self.command("status", "--json").stdout)
        return (status[0] if isinstance(status, list) else status)["listeners"][0]["address"]

    def worker_pid(self):
        return self.wait_for("worker_ready")["pid"]

    def command(self, verb, *arguments):
        return subprocess.run([BIN / "holdfast", verb, *arguments, "--runtime-dir", self._directory.name, "web"],
                              check=True, capture_output=True, text=True, timeout=TIMEOUT)

    def stop(self):
        """Sends SIGTERM and returns the exit status. The log is complete afterwards."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(TIMEOUT)
        self._reader.join()
        return status


class Load:
    """The strict client: never retries, and reports each failure."""
    def __init__(self, address, *options):
        self._process = subprocess.Popen(
            [BIN / "strict-client", address, "--announce", "--post", "hello", "--path", "/?ms={0..200}", *options],
            stdout=subprocess.PIPE, text=True)
        self._process.stdout.readline()  # the first request has been sent

    def finish(self):
        """Returns the report. Raises if a request failed."""
        self._process.send_signal(signal.SIGINT)
        report, _ = self._process.communicate(timeout=TIMEOUT)
        if self._process.returncode != 0:
            raise AssertionError(report)
        return report


class Process:
    """A program whose standard output is read line by line. It is killed at the end of the `with` statement."""
    def __init__(self, *arguments, interpreter=(sys.executable, "-B"), environment=None, stderr=None, **options):
        self.process = subprocess.Popen([*interpreter, *map(str, arguments)], env={**os.environ, **(environment or {})},
                                        stdout=subprocess.PIPE, stderr=stderr, text=True, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def read_line(self):
        """Returns the program's next line on standard output; "" if it has ended, or prints none within TIMEOUT."""
        watchdog = threading.Timer(TIMEOUT, self.process.kill)
        watchdog.start()
        try:
            return self.process.stdout.readline().rstrip("\n")
        finally:
            watchdog.cancel()

    def read_to_end(self):
        """Returns the lines that are left, and the exit status."""
        printed, _ = self.process.communicate(timeout=TIMEOUT)
        return printed.splitlines(), self.process.returncode


class ScriptedSupervisor(Process):
    """A supervisor that is this test: starts a worker, with one listener if given, and exchanges single messages of the
    protocol with it."""
    def __init__(self, *arguments, listener=None, environment=None, **options):
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        control = fcntl.fcntl(theirs, fcntl.F_DUPFD, 10)
        environment = {"HOLDFAST_CONTROL_FD": str(control), "HOLDFAST_CONTROL_INODE": str(os.fstat(control).st_ino),
                       **(environment or {})}
        options["pass_fds"] = [control]
        if listener is not None:
            environment.update(LISTEN_FDS="1", LISTEN_PID="1", LISTEN_FDNAMES="http")
            options["pass_fds"].append(3)
            options["preexec_fn"] = lambda: os.dup2(listener.fileno(), 3)
        super().__init__(*arguments, environment=environment, **options)
        os.close(control)
        theirs.close()

    def __exit__(self, *_):
        super().__exit__()
        self._ours.close()

    def send_stage(self, stage, seconds=60):
        usec = round((time.monotonic() + seconds) * 1e6)
        times = "" if stage == "run" else f"\nDEADLINE_USEC={usec}\nKILL_USEC={usec}"
        self._ours.send(f"STAGE={stage}{times}".encode())

    def wait_for(self, line):
        """Waits for a message of the worker that contains this line, and returns it."""
        while select.select([self._ours], [], [], TIMEOUT)[0]:
            message = self._ours.recv(65536).decode()
            if line in message.split("\n"):
                return message
            if not message:
                break
        raise AssertionError(f"the worker did not send {line}")
