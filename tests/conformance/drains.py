"""Scenarios of a drain: at SIGTERM alone, at the stage of a supervisor."""
import contextlib
import time

from checks import LIMIT, check, check_equal
from client import Pace, expect_ok
from held_request import HeldRequest
from queued_clients import QueuedClients
from scenario import ALONE, CROSSED, EVERYWHERE, ORPHANED, SUPERVISED, scenario
from service import HELD_AT_THE_END
from traffic import MIB, SMALL_BUFFER

CLIENTS = 5
QUIET_SHARE = 0.1  # of the time that passes in a quiet drain, at most this much may be spent computing
TICK = 0.01


@scenario("drain: requests in flight", EVERYWHERE, needs={"slow"})
def requests_in_flight(trial):
    with trial.service() as service:
        clients = [service.busy_client(600) for _ in range(CLIENTS)]
        service.begin_drain()
        for client in clients:
            expect_ok(client.read_response(), "a request in flight at the drain")
            client.read_end()
        service.expect_end()


@scenario("drain: idle connections", EVERYWHERE, needs={"keep-alive"})
def idle_connections(trial):
    with trial.service(environment={"HOLDFAST_KEEP_ALIVE_MIN": "700ms"}) as service:
        with service.client() as late, service.client() as idle:
            expect_ok(late.get()), expect_ok(idle.get())
            began = time.monotonic()
            service.begin_drain()
            check(not idle.has_bytes(), "an idle connection was closed at once")
            response = expect_ok(late.get(), "a request on an idle connection at the drain")
            check(trial.control == "alone" or response.closes, "its response does not say Connection: close")
            if response.closes:
                late.read_end()
            idle.read_end()
            check(time.monotonic() - began >= 0.7, "an idle connection was closed before HOLDFAST_KEEP_ALIVE_MIN")
        service.expect_end()


@scenario("drain: queued clients", EVERYWHERE)
def queued_clients(trial):
    with trial.service() as service, QueuedClients(service) as clients:
        service.request_drain()
        clients.expect_served()
        service.expect_end()


def connect_until_refused(service, held):
    """Clients come one after the other. Each is answered or refused, and refused while `held` is in flight."""
    deadline = time.monotonic() + LIMIT
    while True:
        check(time.monotonic() < deadline and not held.has_bytes(), "new clients are not refused")
        try:
            client = service.client()
        except (ConnectionRefusedError, FileNotFoundError):
            return
        with client:
            client.send(headers=["Connection: close"])
            expect_ok(client.read_response(), "a client that came during the drain and was not refused")


@scenario("drain: new clients are refused", ALONE, needs={"slow"})
def new_clients_are_refused(trial):
    with trial.service() as service, HeldRequest(trial, service) as held:
        service.begin_drain()
        connect_until_refused(service, held)
        held.finish()
        service.expect_end()


@scenario("drain: new clients stay in the queue", SUPERVISED, needs={"slow"})
def new_clients_stay_in_the_queue(trial):
    with trial.service() as service, HeldRequest(trial, service) as held:
        service.begin_drain()
        with service.client():
            held.finish()
            service.expect_end()
            service.take_queued_client().close()


@scenario("drain: a download goes on", CROSSED, needs={"bytes"})
def download_goes_on(trial):
    with trial.service() as service, service.client(receive_buffer=SMALL_BUFFER) as client:
        client.send("GET", f"/bytes?n={16 * MIB}")
        client.wait_for_bytes()
        service.begin_drain()
        response = client.read_response(Pace(MIB // 4, 0.01))
        check_equal((response.status, response.size), (200, 16 * MIB), "status and size of a download")
        service.expect_end()


@scenario("drain: an upload goes on", CROSSED, needs={"count"})
def upload_goes_on(trial):
    half = bytes(MIB // 2)
    with trial.service() as service, service.client() as client:
        client.send("POST", "/count", [f"Content-Length: {2 * len(half)}"], half)
        service.begin_drain()
        client.send_bytes(half)
        response = client.read_response()
        check_equal((response.status, response.text.strip()), (200, str(MIB).encode()), "answer to an upload")
        service.expect_end()


@scenario("drain: an upload pauses", CROSSED, needs={"count"})
def upload_pauses(trial):
    with trial.service() as service, service.client() as client:
        client.send("POST", "/count", ["Content-Length: 2"], b"1")
        service.begin_drain()
        time.sleep(2)  # four times as long as an idle connection is kept open
        client.send_bytes(b"2")
        response = client.read_response()
        check_equal((response.status, response.text.strip()), (200, b"2"), "answer to an upload")
        service.expect_end()


@scenario("drain: no spinning", EVERYWHERE, needs={"slow", "keep-alive"})
def no_spinning(trial):
    with trial.service(environment={"HOLDFAST_KEEP_ALIVE_MIN": "3s"}) as service:
        with service.busy_client(1600) as busy, service.client() as idle:
            expect_ok(idle.get())
            service.begin_drain()
            before, began = service.process.cpu_seconds(), time.monotonic()
            expect_ok(busy.read_response())
            spent, passed = service.process.cpu_seconds() - before, time.monotonic() - began
            check(spent <= passed * QUIET_SHARE + 2 * TICK,
                  f"a quiet drain of {passed:.2f} s took {spent:.2f} s of processor time")
            idle.socket.close()
        service.expect_end()


@scenario("cancel: requests in flight", EVERYWHERE, needs={"slow"})
def cancel(trial):
    milliseconds = 6000
    with trial.service(environment={"HOLDFAST_GRACE_PERIOD": "200ms", "HOLDFAST_CANCEL_PERIOD": "15s"}) as service:
        with service.busy_client(milliseconds) as busy:
            began = time.monotonic()
            service.begin_drain()
            service.begin_cancel()
            busy.wait_until_cut()
            check(time.monotonic() - began < milliseconds / 1000, "the cancel did not cut a request in flight")
        service.expect_end(HELD_AT_THE_END)


@scenario("cancel: a reader that has stopped", CROSSED, needs={"bytes"})
def stalled_reader(trial):
    with trial.service(environment={"HOLDFAST_GRACE_PERIOD": "200ms", "HOLDFAST_CANCEL_PERIOD": "15s"}) as service:
        with service.client(receive_buffer=SMALL_BUFFER) as client:
            client.send("GET", f"/bytes?n={64 * MIB}")
            client.wait_for_bytes()
            service.begin_drain()
            service.begin_cancel()
            service.expect_end(HELD_AT_THE_END)


@scenario("SIGTERM is for the supervisor to decide", SUPERVISED)
def stop_signal(trial):
    with trial.service() as service:
        service.process.signal(15)
        service.wait_for("STOPPING=1")
        service.expect_served("a client after SIGTERM")
        service.finish()


@scenario("the control pipe ends", SUPERVISED, needs={"slow"})
def control_pipe_ends(trial):
    with trial.service() as service, HeldRequest(trial, service) as held, service.client() as queued:
        queued.send(headers=["Connection: close"])
        service.close_control_pipe()
        expect_ok(queued.read_response(), "a client that was queued when the control pipe ended")
        queued.socket.close()
        held.finish()
        check_equal(service.process.wait(), 0, "exit status")


# Nobody else keeps the listener open: who is refused is refused by the worker.
@scenario("the supervisor is killed", ORPHANED, needs={"slow"})
def supervisor_is_killed(trial):
    with trial.service() as service, HeldRequest(trial, service) as held, contextlib.closing(service.kill()) as worker:
        connect_until_refused(service, held)
        held.finish()
        check_equal(worker.wait(), 0, "exit status of the worker")
