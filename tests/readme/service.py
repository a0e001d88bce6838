"""A service that is started by a block of README.md: in a folder of its own, at a free port instead of 8080, with the
programs of this build first in PATH. The test stands in for the service manager: READY=1 tells it when the service is
ready, so nothing waits for a duration.

The build gives the paths: HOLDFAST_BIN (programs) and HOLDFAST_SOURCE."""
import os
import pathlib
import select
import signal
import socket
import subprocess
import tempfile
import urllib.request

TIMEOUT = 60  # seconds; reaching it is a failure
BIN = os.environ["HOLDFAST_BIN"]


def free_port():
    with socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::", 0))
        return probe.getsockname()[1]


class Folder:
    """Where blocks are run. /srv/web and port 8080 of README.md are this folder and a free port."""

    def __init__(self):
        self._directory = tempfile.TemporaryDirectory(prefix="hfreadme", dir="/tmp")
        self.path = pathlib.Path(self._directory.name)
        self.port = free_port()
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("HOLDFAST_", "LISTEN_"))}
        self.environment = ours | {
            "PATH": f"{BIN}:{ours['PATH']}:/usr/sbin", "HOME": str(self.path), "TERM": "xterm", "NO_COLOR": "1",
            "RUNTIME_DIRECTORY": f"{self.path}/run", "STATE_DIRECTORY": f"{self.path}/state"}

    def close(self):
        self._directory.cleanup()

    def with_port(self, text):
        return text.replace("8080", str(self.port))

    def write(self, name, text):
        (self.path / name).write_text(self.with_port(text), encoding="utf-8")

    def run(self, text):
        """Runs shell lines; stops at the first that fails."""
        return subprocess.run(["bash", "-ec", self.with_port(text)], cwd=self.path, env=self.environment, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=False)

    def get(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=TIMEOUT) as answer:
            return answer.read().decode()


class Service:
    """A block whose last command is `holdfast run`. Entered when the service is ready; left when nothing runs."""

    def __init__(self, folder, block):
        self._folder = folder
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(str(folder.path / "notify"))
        self._log = folder.path / "log"
        with self._log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                ["bash", "-ec", folder.with_port(block)], cwd=folder.path, start_new_session=True,
                env=folder.environment | {"NOTIFY_SOCKET": str(folder.path / "notify")},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def __enter__(self):
        try:
            self._wait_until_ready()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_):
        self._end()

    def log(self):
        return self._log.read_text(encoding="utf-8")

    def wait(self):
        """The exit status of the block."""
        return self._process.wait(TIMEOUT)

    def _wait_until_ready(self):
        ended = os.pidfd_open(self._process.pid)
        try:
            while True:
                readable, _, _ = select.select([self._notify, ended], [], [], TIMEOUT)
                if self._notify in readable:
                    if b"READY=1" in self._notify.recv(65536).split(b"\n"):
                        return
                else:
                    raise AssertionError(f"the service did not get ready:\n{self.log()}")
        finally:
            os.close(ended)

    def _end(self):
        """The block's processes are a group of their own, and the supervisor ends its workers."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(TIMEOUT)
        self._notify.close()
