"""Scenarios of the stages before the drain, and of a drain that is taken back."""
import time

from checks import check
from client import expect_ok
from held_request import HeldRequest
from load import Load
from queued_clients import QueuedClients
from scenario import SUPERVISED, SUPERVISED_ONCE, scenario

ROUNDS = 3
PATH = ["--path", "/?ms={0..30}"]
LOOKS = 20
TIME_TO_ACCEPT = 0.2  # seconds; a worker that accepts needs less than one of these looks


@scenario("lame duck", SUPERVISED_ONCE, needs={"stages"})
def lame_duck(trial):
    with trial.service() as service:
        service.send("lame-duck")
        for _ in range(3):
            service.expect_served("a client of a lame duck")
        service.exchange("run", 1)
        service.expect_served()
        service.finish()


@scenario("pause empties the queue", SUPERVISED, needs={"stages"})
def pause_empties_the_queue(trial):
    with trial.service() as service:
        with QueuedClients(service) as clients:
            service.send("pause")
            if "concurrent" in trial.subject.can:  # another one serves them before it can say anything
                service.wait_for("X_HOLDFAST_ACCEPTING=0")
                check(not service.has_queued_clients(), "ACCEPTING=0 although a client waits in the queue")
                clients.expect_served()
            else:
                clients.expect_served()
                service.wait_for("X_HOLDFAST_ACCEPTING=0")
        service.finish()


# Whether the worker still accepts is not left to chance: the scenario takes the client from the queue itself.
@scenario("pause, then run", SUPERVISED, needs={"stages"})
def pause_then_run(trial):
    with trial.service() as service:
        for _ in range(ROUNDS):
            service.exchange("pause", 0)
            with service.client() as queued, service.client() as waiting:
                expect_left_in_the_queue(service)
                service.take_queued_client().close()  # `queued`
                waiting.send()
                service.exchange("run", 1)
                expect_ok(waiting.read_response(), "a client that waited in the queue until run")
                queued.read_end()
            service.expect_served("a client after run")
        service.finish()


def expect_left_in_the_queue(service):
    """Gives a worker that accepts the time to do so."""
    for _ in range(LOOKS):
        check(service.has_queued_clients(), "a client was accepted after ACCEPTING=0")
        time.sleep(TIME_TO_ACCEPT / LOOKS)


@scenario("pause serves open connections", SUPERVISED, needs={"stages", "keep-alive", "slow"})
def pause_serves_open_connections(trial):
    with trial.service() as service, service.client() as idle, service.busy_client(2000) as busy:
        expect_ok(idle.get())
        service.wait_until_in_flight(1)
        service.exchange("pause", 0)
        expect_ok(busy.read_response(), "the request in flight at the pause")
        for _ in range(3):
            expect_ok(idle.get(), "a request on an open connection during the pause")
        service.exchange("run", 1)
        expect_ok(idle.get())
        service.finish()


# A drain in which nothing is in flight releases at once, and cannot be taken back.
@scenario("drain, then run", SUPERVISED, needs={"stages"})
def drain_then_run(trial):
    with trial.service(environment={"HOLDFAST_KEEP_ALIVE_MIN": "5s"}) as service:
        for _ in range(ROUNDS):
            with HeldRequest(trial, service) as held:
                take_a_drain_back(trial, service, held)
            service.expect_served("a client after the undo")
        service.finish()


def take_a_drain_back(trial, service, held):
    if "concurrent" in trial.subject.can:
        service.exchange("drain", 0)
        service.exchange("run", 1)
        held.finish()
    else:
        service.forget_messages()
        service.send("drain")
        service.receive()  # a report: the callback waits for the client
        service.send("run")
        service.wait_until_read()
        held.finish()
        service.wait_for("X_HOLDFAST_ACCEPTING=1")


@scenario("drain, then run, under load", SUPERVISED, needs={"stages", "slow", "keep-alive"})
def undo_under_load(trial):
    with trial.service() as service:
        kept = ["--keep-alive", "--pause-high", "100"]
        with Load(service.text, *PATH) as fresh, Load(service.text, *PATH, *kept) as reused:
            for _ in range(ROUNDS):
                with HeldRequest(trial, service) as held:
                    service.exchange("drain", 0)
                    service.exchange("run", 1)
                    held.finish()
            fresh.expect_nothing_lost()
            reused.expect_nothing_lost()
        service.finish()
