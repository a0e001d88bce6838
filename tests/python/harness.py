"""What the tests of the bindings share: the real supervisor, its log as facts, the strict client; and a supervisor of
words for the stages that no command asks for. The build gives the paths:
HOLDFAST_BIN (programs), HOLDFAST_LIBRARY, HOLDFAST_SOURCE."""
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

TIMEOUT = 30  # seconds for a fact to come true: reaching it means failure
BIN = pathlib.Path(os.environ["HOLDFAST_BIN"])
LIBRARY = os.environ["HOLDFAST_LIBRARY"]
SOURCE = pathlib.Path(os.environ["HOLDFAST_SOURCE"])
HERE = pathlib.Path(__file__).resolve().parent


def python(*arguments):
    """A worker in Python. The supervisor takes HOLDFAST_ out of the environment, so env(1) puts the library into it."""
    return ["env", f"HOLDFAST_LIBRARY={LIBRARY}", sys.executable, "-B", *map(str, arguments)]


class Supervised:
    """A real `holdfast run`, and its log."""
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
                entry = {"event": "", "text": line}  # a worker's own words
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
        """The first entry of that event (\"\": a worker's words) in which the text stands."""
        def found():
            fits = [entry for entry in self._entries if entry["event"] == event and text in entry["text"]]
            return fits[0] if fits else None

        with self._changed:
            if not self._changed.wait_for(lambda: found() or self._ended, TIMEOUT) or not found():
                raise AssertionError(f"the log does not say {event!r} {text!r}:\n" +
                                     "\n".join(str(entry) for entry in self._entries))
            return found()

    def address(self):
        """Of the listener, once the service is ready."""
        self.wait_for("service_ready")
        status = json.loads(self.command("status", "--json").stdout)
        return (status[0] if isinstance(status, list) else status)["listeners"][0]["address"]

    def worker_pid(self):
        return self.wait_for("worker_ready")["pid"]

    def command(self, verb, *arguments):
        return subprocess.run([BIN / "holdfast", verb, *arguments, "--runtime-dir", self._directory.name, "web"],
                              check=True, capture_output=True, text=True, timeout=TIMEOUT)

    def stop(self):
        """SIGTERM, and the exit status. The log is complete then."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(TIMEOUT)
        self._reader.join()
        return status


class Load:
    """The strict client: never retries, and tells each failure."""
    def __init__(self, address, *options):
        self._process = subprocess.Popen(
            [BIN / "strict-client", address, "--announce", "--post", "hello", "--path", "/?ms={0..200}", *options],
            stdout=subprocess.PIPE, text=True)
        self._process.stdout.readline()  # the first request has been sent

    def finish(self):
        """The report; failed requests raise."""
        self._process.send_signal(signal.SIGINT)
        report, _ = self._process.communicate(timeout=TIMEOUT)
        if self._process.returncode != 0:
            raise AssertionError(report)
        return report


class Alone:
    """A worker whose supervisor is this test: it speaks the protocol word by word."""
    def __init__(self, *arguments, interpreter=(sys.executable, "-B")):
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = dict(os.environ, HOLDFAST_CONTROL_FD=str(theirs.fileno()),
                           HOLDFAST_CONTROL_INODE=str(os.fstat(theirs.fileno()).st_ino))
        self.process = subprocess.Popen([*interpreter, *map(str, arguments)], env=environment,
                                        pass_fds=[theirs.fileno()], stdout=subprocess.PIPE, text=True)
        theirs.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self._ours.close()

    def tell(self, stage, seconds=60):
        usec = round((time.monotonic() + seconds) * 1e6)
        times = "" if stage == "run" else f"\nDEADLINE_USEC={usec}\nKILL_USEC={usec}"
        self._ours.send(f"STAGE={stage}{times}".encode())

    def wait_for(self, line):
        """A message of the worker that has this line."""
        while select.select([self._ours], [], [], TIMEOUT)[0]:
            message = self._ours.recv(65536).decode()
            if line in message.split("\n"):
                return message
            if not message:
                break
        raise AssertionError(f"the worker did not say {line}")

    def says(self):
        """The next line on standard output."""
        return self.process.stdout.readline().rstrip("\n")
