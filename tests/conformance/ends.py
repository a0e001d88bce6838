"""Scenarios of listeners that are not what the program asks for."""
from checks import check
from scenario import SUPERVISED, SUPERVISED_ONCE, scenario
from scripted_supervisor import Supervised


@scenario("two listeners: serves its own", SUPERVISED)
def serves_its_own(trial):
    with trial.service(names=(trial.subject.listener, "admin")) as service:
        service.expect_served()
        with service.client_of(1):
            service.expect_served()
            check(service.has_queued_clients(1), "it accepts from a listener that it has not asked for")
            service.finish()
            service.take_queued_client(1).close()


def expect_refusal(trial, names):
    service = Supervised(trial.subject, trial.place(), names)
    try:
        status = service.process.wait()
        check(status != 0, "a program without its listener ended with 0")
        check("--listen" in service.process.log(), "the message does not name the missing --listen")
    finally:
        Supervised.__exit__(service)


@scenario("a listener of another name", SUPERVISED_ONCE, needs={"names"})
def another_name(trial):
    expect_refusal(trial, ("admin",))


@scenario("two listeners of other names", SUPERVISED_ONCE, needs={"names"})
def other_names(trial):
    expect_refusal(trial, ("admin", "metrics"))
