"""A client of a worker: HTTP/1.1 over TCP or a unix socket, one step at a time."""
import contextlib
import dataclasses
import select
import socket
import struct
import time

from checks import LIMIT, Failure

ANSWERS = b"OK\n", b"hello\n"  # of the subjects, to an ordinary request
KEPT_BYTES = 256  # how much of a body a Response keeps


@dataclasses.dataclass(frozen=True)
class Pace:
    """How fast a body is read or written: so many bytes, then a pause."""
    bytes: int
    seconds: float


FULL_SPEED = Pace(1 << 20, 0)


@dataclasses.dataclass(frozen=True)
class Response:
    status: int
    headers: dict
    size: int    # of the body
    text: bytes  # its beginning

    @property
    def closes(self):
        return self.headers.get("connection", "").lower() == "close"


def connect(address, receive_buffer=None, seconds=LIMIT):
    """Raises what connect(2) fails with."""
    is_unix = isinstance(address, str)
    connection = socket.socket(socket.AF_UNIX if is_unix else socket.AF_INET)
    connection.settimeout(seconds)
    if receive_buffer is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    try:
        connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection


def is_refused(address):
    """Whether new clients are refused. The client that is not sends nothing and goes away."""
    try:
        connect(address).close()
        return False
    except (ConnectionRefusedError, FileNotFoundError):
        return True


class Ended(Failure):
    """The server has closed the connection in order, but too early."""


class Client:
    """One connection. Everything that the server may not do is a Failure."""

    def __init__(self, address, receive_buffer=None):
        self.socket = connect(address, receive_buffer)
        self._bytes = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, method="GET", target="/", headers=(), body=b""):
        """Sends a request."""
        lines = [f"{method} {target} HTTP/1.1", "Host: test", *headers]
        if method == "POST" and not any(line.startswith("Content-Length") for line in lines):
            lines.append(f"Content-Length: {len(body)}")
        self.send_bytes("\r\n".join([*lines, "", ""]).encode() + body)

    def send_bytes(self, data, pace=FULL_SPEED):
        try:
            for start in range(0, len(data), pace.bytes):
                self.socket.sendall(data[start:start + pace.bytes])
                time.sleep(pace.seconds)
        except ConnectionError as error:
            raise Failure(f"the connection was lost while the client sent: {error}") from None
        except TimeoutError:
            raise Failure("the server does not read") from None

    def get(self, target="/"):
        self.send("GET", target)
        return self.read_response()

    def read_head(self):
        """Returns status and headers of a response."""
        while b"\r\n\r\n" not in self._bytes:
            self._receive_more("a response")
        head, _, self._bytes = self._bytes.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return int(line.split()[1]), headers

    def read_response(self, pace=FULL_SPEED):
        """Reads one response, its body at that pace."""
        status, headers = self.read_head()
        if headers.get("transfer-encoding", "").lower() == "chunked":
            size, text = self._read_chunks(pace)
        elif "content-length" not in headers:
            size, text = self._read_to_the_end()
        else:
            size, text = self._read_body(int(headers["content-length"]), pace)
        return Response(status, headers, size, text)

    def read_end(self):
        """Waits until the server has closed the connection, without a reset and without another byte."""
        try:
            rest = self._bytes or self.socket.recv(1)
        except TimeoutError:
            raise Failure("the server does not close the connection") from None
        except ConnectionError as error:
            raise Failure(f"the connection was not closed in order: {error}") from None
        if rest:
            raise Failure("the server sends although it owes nothing")

    def wait_until_cut(self):
        """Waits until the connection is over, in whatever way."""
        try:
            while self.socket.recv(1 << 16):
                continue
        except ConnectionError:
            pass
        except TimeoutError:
            raise Failure("the connection of a client is still open after the cancel") from None

    def has_bytes(self):
        """Whether anything has arrived that was not read: bytes or the end."""
        return bool(self._bytes or select.select([self.socket], [], [], 0)[0])

    def wait_for_bytes(self):
        """Waits until the server has begun to answer; reads nothing."""
        try:
            self.socket.recv(1, socket.MSG_PEEK)
        except (TimeoutError, ConnectionError) as error:
            raise Failure(f"no byte of an answer comes: {error}") from None

    def reset(self):
        """Goes away as a process that is killed: a reset over TCP, the end of the stream over a unix socket."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _receive_more(self, what):
        try:
            more = self.socket.recv(1 << 18)
        except TimeoutError:
            raise Failure(f"the client waits in vain for {what}") from None
        except ConnectionError as error:
            raise Failure(f"the connection was lost while the client waited for {what}: {error}") from None
        if not more:
            raise Ended(f"the server closed the connection in the middle of {what}" if self._bytes else
                          f"the server closed the connection instead of sending {what}")
        self._bytes += more

    def _read_body(self, size, pace):
        text, left, until_pause = b"", size, pace.bytes
        while left > 0:
            if not self._bytes:
                self._receive_more(f"a body, {left} of {size} bytes are missing")
            part = self._bytes[:min(left, until_pause)]
            self._bytes = self._bytes[len(part):]
            text = text or part[:KEPT_BYTES]
            left -= len(part)
            until_pause -= len(part)
            if until_pause == 0:
                until_pause = pace.bytes
                time.sleep(pace.seconds)
        return size, text

    def _read_to_the_end(self):
        """The body of a response in HTTP/1.0."""
        with contextlib.suppress(Ended):
            while True:
                self._receive_more("the end of a body")
        text, self._bytes = self._bytes, b""
        return len(text), text[:KEPT_BYTES]

    def _read_chunks(self, pace):
        size, text = 0, b""
        while True:
            while b"\r\n" not in self._bytes:
                self._receive_more("a chunk")
            line, _, self._bytes = self._bytes.partition(b"\r\n")
            length = int(line.split(b";")[0], 16)
            _, part = self._read_body(length + 2, pace)
            if length == 0:
                return size, text
            size += length
            text = text or part[:min(length, KEPT_BYTES)]


def expect_ok(response, what="a request"):
    """Checks the answer of a subject to an ordinary request."""
    if response.status != 200 or response.text not in ANSWERS:
        raise Failure(f"{what} was answered {response.status} {response.text!r}")
    return response
