"""The programs that take part: every example of the SDK, and every program of README.md and the manual."""
import dataclasses
import os
import pathlib

from client import Client
from grpc_client import GrpcClient

BIN = pathlib.Path(os.environ["HOLDFAST_BIN"])
# What a subject can do, so that a scenario may need it.
SERVER = frozenset({
    "http1",       # speaks HTTP/1.1
    "alone",       # binds its own socket at HELLO_ADDRESS
    "stages",      # can be paused and taken back
    "concurrent",  # serves several clients at a time
    "names",       # asks for its listener by name
    "counts",      # counts each request with the SDK
    "keep-alive",  # takes more than one request on a connection
    "slow",        # GET /?ms=250 takes 250 ms
    "bytes",       # GET /bytes?n=1000 answers 1000 bytes
    "count",       # POST /count answers the size of the body
    "patient",     # in a drain, waits for an upload that pauses
})

SMALL = frozenset({"http1", "alone", "stages", "names", "counts"})  # one answer on each connection


@dataclasses.dataclass(frozen=True)
class Subject:
    name: str
    command: list
    can: frozenset = SERVER
    client: type = Client
    listener: str = "http"  # the name that it asks for


def program(name, can=SERVER):
    return Subject(name, [str(BIN / name)], can)


SUBJECTS = [
    program("hello-http"),
    program("threads-http"),
    program("httplib-http"),
    program("epoll-http"),
    program("libuv-http"),
    program("libevent-http", SERVER - {"patient"}),
    program("microhttpd-http"),
    Subject("grpc-hello", [str(BIN / "grpc-hello")], SERVER - {"http1", "keep-alive", "bytes", "count", "patient"},
            GrpcClient, "grpc"),
    program("python-threads-http"),
    program("python-asyncio-http"),
    program("node-http"),
    program("c-http"),
    program("plain-worker", frozenset({"http1", "stages"})),
    program("example-minimal", SMALL),
    program("readme-worker", SMALL),
    program("readme-hello", frozenset({"http1", "alone", "stages", "names", "concurrent"})),
    program("readme-python-threads", SMALL | {"concurrent"}),
    program("readme-python-asyncio", SMALL | {"concurrent"}),
    program("readme-python-connections", SMALL | {"concurrent"}),
    program("readme-python-accepts", SMALL | {"concurrent"}),
    program("readme-node", SMALL | {"concurrent", "keep-alive"}),
    program("manual-worker", SMALL),
    program("manual-c-worker", SMALL - {"counts"}),
]
