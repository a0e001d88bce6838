"""Scenarios under the real supervisor: restarts, and undo of a restart and of a stop, while clients never retry."""
import contextlib

from held_request import HeldRequest
from load import Load
from real_supervisor import expect_outcome
from scenario import REAL, scenario

RESTARTS = 3


@contextlib.contextmanager
def clients(trial, service):
    """The loads of the scenario, which lose nothing."""
    slow = ["--path", "/?ms={0..30}"] if "slow" in trial.subject.can else []
    kept = ["--keep-alive", "--pause-high", "300"] if "keep-alive" in trial.subject.can else []
    with Load(service.text, *slow) as fresh, Load(service.text, *slow, *kept) as other:
        yield
        fresh.expect_nothing_lost()
        other.expect_nothing_lost()


def change_and_undo(trial, service, verb):
    """Takes the change back while the old worker drains."""
    with HeldRequest(trial, service) as held:
        changing = service.start_command(verb)
        service.wait_for("worker_told", "told to drain")
        undoing = service.start_command("undo")
        service.wait_for("worker_told", "told to accept again")
        held.finish()
        expect_outcome(undoing, 0, "undo")
        expect_outcome(changing, 1, verb)


@scenario("holdfast restart under load", REAL, needs={"http1"})
def restart(trial):
    with trial.service() as service:
        with clients(trial, service):
            for _ in range(RESTARTS):
                service.command("restart")
        service.finish()


# A client that has only connected is idle, and an idle connection would be closed after HOLDFAST_KEEP_ALIVE_MIN.
@scenario("holdfast undo of a restart", REAL, needs={"http1", "stages"})
def undo_of_a_restart(trial):
    with trial.service(environment={"HOLDFAST_KEEP_ALIVE_MIN": "5s"}) as service:
        with clients(trial, service):
            change_and_undo(trial, service, "restart")
        with clients(trial, service):
            service.command("restart")
        service.finish()


@scenario("holdfast undo of a stop", REAL, needs={"http1", "stages"})
def undo_of_a_stop(trial):
    with trial.service(environment={"HOLDFAST_KEEP_ALIVE_MIN": "5s"}) as service:
        change_and_undo(trial, service, "stop")
        with clients(trial, service):
            service.expect_served("a client after the undo")
            service.command("restart")
        service.finish()
