"""Scenarios of clients that go away at each step. Nothing of them may be left, and no other client may notice."""
from checks import check, check_equal
from scenario import CROSSED, SUPERVISED, scenario

CLIENTS = 8
MILLISECONDS = 4000  # of the work that goes on


def go_away(trial, step):
    """Each client takes the step and goes away; the worker then serves and ends as if nothing had happened."""
    with trial.service() as service:
        clients = [service.client() for _ in range(CLIENTS)]
        for client in clients:
            step(client)
        for client in clients:
            client.reset()
        service.expect_served("a client after the resets")
        service.finish()


@scenario("reset: connected", CROSSED)
def connected(trial):
    go_away(trial, lambda client: None)


@scenario("reset: half a request", CROSSED, needs={"http1"})
def half_a_request(trial):
    go_away(trial, lambda client: client.send_bytes(b"GET / HTTP/1.1\r\nHo"))


@scenario("reset: half a body", CROSSED, needs={"count"})
def half_a_body(trial):
    go_away(trial, lambda client: client.send("POST", "/count", ["Content-Length: 1000000"], bytes(1000)))


@scenario("reset: request sent", CROSSED)
def request_sent(trial):
    go_away(trial, lambda client: client.send())


def begin_to_read(client):
    client.send("GET", f"/bytes?n={16 << 20}")
    client.wait_for_bytes()


@scenario("reset: during the answer", CROSSED, needs={"bytes"})
def during_the_answer(trial):
    go_away(trial, begin_to_read)


# The count belongs to the work of the handler, which goes on: a pool that it uses must not be closed.
@scenario("reset: during the work", SUPERVISED, needs={"slow"})
def during_the_work(trial):
    with trial.service() as service:
        clients = [service.busy_client(MILLISECONDS) for _ in range(CLIENTS)]
        service.wait_until_in_flight(CLIENTS)
        for client in clients:
            client.reset()
        for _ in range(3):  # by then the worker has noticed
            service.expect_served("a client after the resets")
        # An answer can be here before its request has left the count.
        counts = [service.requests_in_flight() for _ in range(5)]
        check(CLIENTS in counts, f"{min(counts)} of {CLIENTS} requests are in flight after their clients went away")
        service.finish()
        check_equal(service.messages[-1].number("X_HOLDFAST_SERVED"), CLIENTS + 3, "requests served")
