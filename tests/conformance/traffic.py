"""Scenarios of a worker in ordinary service."""
import contextlib

from checks import Failure, check, check_equal
from client import Pace, expect_ok
from scenario import CROSSED, SUPERVISED_ONCE, scenario

MIB = 1 << 20
REQUESTS = 20
STEADY = Pace(2 * MIB, 0.03)    # a reader that is slower than the server, and always reads on
PATIENT = Pace(64 << 10, 0.03)  # 64 MiB take half a minute: longer than any deadline of one write may be
LARGEST_BODY = 64 * MIB         # that a subject takes
SMALL_BUFFER = 64 << 10         # so that the server has to wait for the reader


@scenario("fresh connections", CROSSED)
def fresh(trial):
    with trial.service() as service:
        for _ in range(REQUESTS):
            service.expect_served()
        service.finish()
        if service.is_supervised and "counts" in trial.subject.can:
            check_equal(service.messages[-1].number("X_HOLDFAST_SERVED"), REQUESTS, "requests served")


@scenario("keep-alive", CROSSED, needs={"keep-alive"})
def keep_alive(trial):
    with trial.service() as service, service.client() as client:
        for _ in range(REQUESTS):
            check(not expect_ok(client.get()).closes, "a response in service says Connection: close")
        service.finish()
        client.read_end()


@scenario("pipelining", CROSSED, needs={"keep-alive"})
def pipelining(trial):
    with trial.service() as service, service.client() as client:
        client.send_bytes(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n" * 3)
        for _ in range(3):
            expect_ok(client.read_response(), "a pipelined request")
        service.finish()


@scenario("slow sender", CROSSED, needs={"http1"})
def slow_sender(trial):
    with trial.service() as service, service.client() as client:
        client.send_bytes(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n", Pace(6, 0.02))
        expect_ok(client.read_response())
        client.socket.close()
        service.finish()


def download(client, mib, pace):
    client.send("GET", f"/bytes?n={mib * MIB}")
    response = client.read_response(pace)
    check_equal((response.status, response.size), (200, mib * MIB), "status and size of a download")


def upload(client, mib, pace):
    client.send("POST", "/count", [f"Content-Length: {mib * MIB}"])
    client.send_bytes(bytes(mib * MIB), pace)
    response = client.read_response()
    check_equal((response.status, response.text.strip()), (200, str(mib * MIB).encode()), "answer to an upload")


@scenario("64 MiB down, slow reader", CROSSED, needs={"bytes"})
def large_download(trial):
    with trial.service() as service, service.client(receive_buffer=SMALL_BUFFER) as client:
        download(client, 64, STEADY)
        service.finish()


@scenario("16 MiB up", CROSSED, needs={"count"})
def large_upload(trial):
    with trial.service() as service, service.client() as client:
        upload(client, 16, STEADY)
        service.finish()


@scenario("half a minute down", SUPERVISED_ONCE, needs={"bytes"}, is_long=True)
def long_download(trial):
    with trial.service() as service, service.client(receive_buffer=SMALL_BUFFER) as client:
        download(client, 72, PATIENT)
        service.finish()


@scenario("half a minute up", SUPERVISED_ONCE, needs={"count"}, is_long=True)
def long_upload(trial):
    with trial.service() as service, service.client() as client:
        upload(client, 16, Pace(16 << 10, 0.033))
        service.finish()


@scenario("too long a head: 431", CROSSED, needs={"keep-alive", "http1"})
def long_head(trial):
    with trial.service() as service, service.client() as client:
        client.send_bytes(b"GET / HTTP/1.1\r\nHost: test\r\nX-Long: " + b"a" * (80 << 10) + b"\r\n\r\n")
        check_equal(client.read_head()[0], 431, "answer to a head of 80 KiB")
        service.expect_served()
        service.finish()


@scenario("too long a body: 413", CROSSED, needs={"count"})
def long_body(trial):
    with trial.service() as service, service.client() as client:
        client.send("POST", "/count", ["Content-Length: 1000000000000"])
        with contextlib.suppress(Failure):  # the answer counts, also if the server has not read everything
            for _ in range(2 * LARGEST_BODY // MIB):
                if client.has_bytes():
                    break
                client.send_bytes(bytes(MIB))
        check_equal(client.read_head()[0], 413, "answer to a body of 1 TB")
        service.expect_served()
        service.finish()
