"""A supervisor whose every step is in the scenario: it holds the listeners and the control pipe of one worker."""
import fcntl
import os
import select
import socket
import struct
import termios
import time

from checks import LIMIT, Failure, check, check_equal
from service import Service, clean_environment
from processes import FIRST_INHERITED, start

ALL_STAGES = "lame-duck,pause,run,drain,cancel"
MESSAGE_BYTES = 1 << 16
TIME_TO_ACT = 0.05  # seconds between reading a command and acting on it; far less is needed


class Message:
    """One packet of the worker."""

    def __init__(self, text):
        self.text = text
        self._lines = [line.partition("=")[::2] for line in text.split("\n")]

    def __contains__(self, line):
        return tuple(line.split("=", 1)) in self._lines

    def all(self, key):
        return [value for name, value in self._lines if name == key]

    def get(self, key):
        """The last value; None without one."""
        return next(reversed(self.all(key)), None)

    def number(self, key):
        return int(self.get(key) or 0)


def listen(address):
    listener = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
    listener.bind(address)
    listener.listen(128)
    return listener


class Supervised(Service):
    """A worker of this supervisor. `names`: of its listeners, if they are others than the one that it asks for; the
    first one is the service's."""
    is_supervised = True

    def __init__(self, subject, place, names=None, environment=()):
        self.subject, names = subject, names or (subject.listener,)
        self.messages = []
        self._addresses = [place.another(index)[0] for index, _ in enumerate(names)]
        self.listeners = [listen(address) for address in self._addresses]
        self.address, self.text = place.address, place.text
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        variables = {"LISTEN_FDS": str(len(names)), "LISTEN_PID": "1", "LISTEN_FDNAMES": ":".join(names),
                     "HOLDFAST_CONTROL_FD": str(FIRST_INHERITED + len(names)),
                     "HOLDFAST_CONTROL_INODE": str(os.fstat(theirs.fileno()).st_ino),
                     "HOLDFAST_WORKER": "1.0", "HOLDFAST_KEEP_ALIVE_MIN": "500ms",
                     "HELLO_ADDRESS": place.text, **dict(environment)}
        with theirs:
            self.process = start(subject.command, clean_environment(variables), place.log,
                                 [*(listener.fileno() for listener in self.listeners), theirs.fileno()])

    def __enter__(self):
        try:
            self.wait_for("READY=1")
            hello = [message for message in self.messages if "HELLO=1" in message]
            check(hello, "the worker has not sent HELLO")
            check_equal(hello[-1].get("X_HOLDFAST_STAGES"), ALL_STAGES, "stages of HELLO")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.close()
        self.close_control_pipe()
        for listener in self.listeners:
            listener.close()

    # ------------------------------------------------------------------------------------------------ control pipe

    def send(self, stage, seconds=60, reason="restart"):
        """The stage ends in `seconds`, and the process is to be killed then."""
        usec = round((time.monotonic() + seconds) * 1e6)
        times = "" if stage == "run" else f"\nDEADLINE_USEC={usec}\nKILL_USEC={usec}\nREASON={reason}"
        try:
            self._control.send(f"STAGE={stage}{times}".encode())
        except (BrokenPipeError, ConnectionResetError):
            raise Failure(f"the process has ended before it was sent {stage}") from None

    def wait_until_read(self):
        """Waits until the worker has read every command."""
        deadline = time.monotonic() + LIMIT
        while struct.unpack("i", fcntl.ioctl(self._control, termios.TIOCOUTQ, bytes(4)))[0] > 0:
            check(time.monotonic() < deadline, "the worker does not read its commands")
            time.sleep(0.01)
        time.sleep(TIME_TO_ACT)

    def receive(self, seconds=LIMIT):
        """The next message; None at the end of the pipe, or if none comes."""
        if not select.select([self._control], [], [], seconds)[0]:
            return None
        try:
            text = self._control.recv(MESSAGE_BYTES).decode()
        except ConnectionResetError:
            return None
        if not text:
            return None
        self.messages.append(Message(text))
        return self.messages[-1]

    def wait_for(self, line):
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            message = self.receive()
            if message is None:
                break
            if line in message:
                return message
        raise Failure(f"the worker did not send {line}")

    def forget_messages(self):
        """Drops what has arrived already: an answer is what comes after a question."""
        while self.receive(0):
            continue

    def exchange(self, stage, accepting):
        """Sends the stage and returns the worker's answer."""
        self.forget_messages()
        self.send(stage)
        return self.wait_for(f"X_HOLDFAST_ACCEPTING={accepting}")

    def requests_in_flight(self):
        """Asks the worker, by taking a pause back."""
        self.exchange("pause", 0)
        return self.exchange("run", 1).number("X_HOLDFAST_IN_FLIGHT")

    def wait_until_in_flight(self, count):
        deadline = time.monotonic() + LIMIT
        while (found := self.requests_in_flight()) != count:
            check(time.monotonic() < deadline, f"the worker counts {found} requests in flight instead of {count}")

    def close_control_pipe(self):
        self._control.close()

    # --------------------------------------------------------------------------------------------------- listeners

    def client_of(self, index):
        """A client of that listener."""
        return self.subject.client(self._addresses[index])

    def has_queued_clients(self, index=0):
        """Whether a client waits in the accept queue."""
        return bool(select.select([self.listeners[index]], [], [], 0)[0])

    def take_queued_client(self, index=0):
        """Accepts a client itself, as another worker would. Call it only if one is queued."""
        check(self.has_queued_clients(index), "no client waits in the queue")
        return self.listeners[index].accept()[0]

    # ---------------------------------------------------------------------------------------------------- the end

    def request_drain(self):
        self.send("drain")

    def begin_drain(self):
        self.exchange("drain", 0)

    def begin_cancel(self):
        self.send("cancel", seconds=LIMIT)

    def expect_end(self, status=0):
        deadline = time.monotonic() + LIMIT
        while self.receive(max(0, deadline - time.monotonic())):
            check(time.monotonic() < deadline, f"the process does not end; it last sent {self.messages[-1].text!r}")
        check_equal(self.process.wait(), status, "exit status")
        if status != 0:
            return  # something was still held
        last = self.messages[-1]
        check("X_HOLDFAST_DRAINED=1" in last, f"the last message is {last.text!r} instead of DRAINED")
        left = last.number("X_HOLDFAST_IN_FLIGHT"), last.all("X_HOLDFAST_WAITING")
        check_equal(left, (0, []), "left in the last report")
