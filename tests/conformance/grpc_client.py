"""A client of grpc-hello: as much of gRPC over HTTP/2 as one call at a time on a connection needs."""
import struct

from checks import Failure
from client import Client, Ended, Response

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, ACK, END_HEADERS = 1, 1, 4
EMPTY_MESSAGE = bytes(5)  # not compressed, no bytes
FRAME_HEAD = 9


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def header(name, value):
    """Not indexed, not compressed."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


class GrpcClient(Client):
    """send() is a call, whose "?ms=250" becomes metadata; read_response() reads its answer as if it were HTTP/1.1."""

    def __init__(self, address, receive_buffer=None):
        super().__init__(address, receive_buffer)
        self._stream = -1
        self._frames = []  # that were read and not yet used
        self._is_leaving = False  # the server has sent GOAWAY

    def send(self, method="GET", target="/", headers=(), body=b""):
        begins = PREFACE + frame(SETTINGS, 0, 0) if self._stream < 0 else b""
        self._stream += 2
        fields = {":method": "POST", ":scheme": "http", ":path": "/hello.Hello/Say", ":authority": "test",
                  "content-type": "application/grpc", "te": "trailers"}
        _, _, milliseconds = target.partition("?ms=")
        block = b"".join(header(name, value) for name, value in (fields | {"ms": milliseconds or "0"}).items())
        self.send_bytes(begins + frame(HEADERS, END_HEADERS, self._stream, block) +
                        frame(DATA, END_STREAM, self._stream, EMPTY_MESSAGE))

    def read_response(self, pace=None):
        answer = b""
        while True:
            kind, flags, stream, payload = self._read_frame()
            if stream == self._stream and kind == RST_STREAM:
                raise Failure("a call was reset")
            if stream == self._stream and kind == DATA:
                answer += payload
            if stream == self._stream and kind in (DATA, HEADERS) and flags & END_STREAM:
                break
        if not answer.endswith(b" OK"):
            raise Failure(f"a call was answered {answer!r}")
        return Response(200, {"connection": "close"} if self._is_leaving else {}, 3, b"OK\n")

    def read_end(self):
        try:
            while True:
                self._read_frame()
        except Ended:
            pass

    def has_bytes(self):
        """Whether an answer has arrived, or the end."""
        try:
            while not self._frames and super().has_bytes():
                self._read_next()
        except Ended:
            return True
        return bool(self._frames)

    def _read_frame(self):
        while not self._frames:
            self._read_next()
        return self._frames.pop(0)

    def _read_next(self):
        """Reads a frame. Answers it if it is about the connection itself."""
        head = self._read_exactly(FRAME_HEAD)
        size, kind, flags, stream = int.from_bytes(head[:3], "big"), head[3], head[4], int.from_bytes(head[5:], "big")
        payload = self._read_exactly(size)
        if kind in (SETTINGS, PING) and not flags & ACK:
            self.send_bytes(frame(kind, ACK, 0, payload if kind == PING else b""))
        elif kind == GOAWAY:
            self._is_leaving = True
        elif kind in (DATA, HEADERS, RST_STREAM):
            self._frames.append((kind, flags, stream, payload))

    def _read_exactly(self, size):
        while len(self._bytes) < size:
            self._receive_more("an answer")
        found, self._bytes = self._bytes[:size], self._bytes[size:]
        return found
