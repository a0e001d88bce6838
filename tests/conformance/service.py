"""A worker as a scenario sees it, whoever controls it, and the worker that nobody controls."""
import os
import pathlib
import signal
import time

from checks import LIMIT, check, check_equal
from client import connect, expect_ok, is_refused
from processes import start

HELD_AT_THE_END = 3  # the exit status of a worker that had to abandon something


def clean_environment(extra):
    """The environment of a worker: no variable of another supervisor."""
    ours = {name: value for name, value in os.environ.items()
            if not name.startswith(("HOLDFAST_", "LISTEN_", "NOTIFY_", "WATCHDOG_"))}
    return ours | extra


class Service:
    """What both kinds have in common. Entered when the worker serves; left when its process has ended."""
    is_supervised = False
    address = None  # as client.connect() takes it
    text = None     # as programs take it: "127.0.0.1:8080", "unix:/run/app.sock"
    process = None
    subject = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.close()

    def client(self, **options):
        return self.subject.client(self.address, **options)

    def busy_client(self, milliseconds):
        """A client whose request takes this long."""
        client = self.client()
        client.send("GET", f"/?ms={milliseconds}")
        return client

    def expect_served(self, what="a new client"):
        """A new client is answered. The subject decides whether the connection could take another request."""
        with self.client() as client:
            expect_ok(client.get(), what)

    def is_refused(self):
        return is_refused(self.address)

    def request_drain(self):
        raise NotImplementedError

    def begin_drain(self):
        """Also waits until the worker accepts no more, if it is able to say so."""
        self.request_drain()

    def expect_end(self, status=0):
        """Waits for the end of the process and checks what it leaves behind."""
        check_equal(self.process.wait(), status, "exit status")

    def finish(self):
        """The orderly end of a scenario."""
        self.begin_drain()
        self.expect_end()


class Standalone(Service):
    """A worker without a supervisor, which binds its own socket."""

    def __init__(self, subject, place, environment=()):
        self.subject = subject
        self.address, self.text = place.address, place.text
        variables = {"HELLO_ADDRESS": place.text, "HOLDFAST_KEEP_ALIVE_MIN": "500ms", **dict(environment)}
        self.process = start(subject.command, clean_environment(variables), place.log)

    def __enter__(self):
        try:
            self._wait_until_listening()
            self.expect_served("the first client")
        except BaseException:
            self.process.close()
            raise
        return self

    def _wait_until_listening(self):
        deadline = time.monotonic() + LIMIT
        while True:
            try:
                return connect(self.address).close()
            except (ConnectionRefusedError, FileNotFoundError):
                check(not self.process.has_ended(0.01), "the process ended before it served")
                check(time.monotonic() < deadline, "the process does not listen")

    def request_drain(self):
        self.process.signal(signal.SIGTERM)

    def begin_cancel(self):
        """Comes by itself, at the end of HOLDFAST_GRACE_PERIOD."""


class Place:
    """Where one worker listens: an address that nothing else uses, and a folder."""

    def __init__(self, transport, folder, number):
        self.folder = pathlib.Path(folder)
        self.log = str(self.folder / "log")
        self._transport, self._number = transport, number
        self.address, self.text = self.another(0)

    def another(self, index):
        """A further address: as client.connect() takes it, and as a worker takes it."""
        if self._transport == "unix":
            path = str(self.folder / f"s{index}")
            return path, f"unix:{path}"
        # Below the ephemeral ports, at a loopback address of this run: nobody else binds it.
        pid = os.getpid()
        host, port = f"127.{64 + (pid >> 16 & 63)}.{pid >> 8 & 255}.{pid & 255}", 8000 + 4 * self._number + index
        return (host, port), f"{host}:{port}"
