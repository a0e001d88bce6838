"""The list of scenarios, and one trial of a scenario: with one subject, one kind of control, one kind of socket."""
import contextlib
import dataclasses
import tempfile
import typing

from checks import Failure
from real_supervisor import RealSupervisor
from scripted_supervisor import Supervised
from service import Place, Standalone

# Who controls the worker, and how clients reach it.
EVERYWHERE = [("alone", "tcp"), ("alone", "unix"), ("supervised", "tcp"), ("supervised", "unix")]
CROSSED = [("alone", "unix"), ("supervised", "tcp")]  # each of the four once: for what depends on neither
ALONE = [("alone", "tcp"), ("alone", "unix")]
SUPERVISED = [("supervised", "tcp"), ("supervised", "unix")]
SUPERVISED_ONCE = [("supervised", "tcp")]
REAL = [("real", "tcp")]
ORPHANED = [("real", "tcp"), ("real", "unix")]


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    settings: list
    needs: set  # what the subject must be able to do, see subjects.py
    run: typing.Callable
    is_long: bool


SCENARIOS = []


def scenario(name, settings, needs=(), is_long=False):
    """Adds the function to the list. It is passed a Trial, and raises a Failure if the worker did the wrong thing."""
    def add(function):
        SCENARIOS.append(Scenario(name, settings, set(needs), function, is_long))
        return function

    return add


class Trial:
    """One scenario with one subject in one setting. `number` differs between all trials of a run."""

    def __init__(self, subject, which, control, transport, number):
        self.subject, self.scenario, self.control, self.transport = subject, which, control, transport
        self._number = number
        self.folder = None
        self.log = ""

    @property
    def setting(self):
        return f"{self.control}/{self.transport}"

    def missing(self):
        """What this trial needs and the subject cannot do."""
        needs = self.scenario.needs | ({"alone"} if self.control == "alone" else set())
        return sorted(needs - self.subject.can)

    def run(self):
        """Returns the reason of a failure; nothing if the worker did everything right."""
        with tempfile.TemporaryDirectory(prefix="hfc", dir="/tmp") as self.folder:
            try:
                self.scenario.run(self)
                return None
            except Failure as failure:
                return str(failure)
            except Exception as error:  # the client met what no scenario expects
                return f"{type(error).__name__}: {error}"
            finally:
                with contextlib.suppress(OSError), open(f"{self.folder}/log", encoding="utf-8") as log:
                    self.log = log.read()

    def place(self):
        return Place(self.transport, self.folder, self._number)

    def service(self, **options):
        """The worker, started as this trial says. Options of the constructors."""
        kinds = {"alone": Standalone, "supervised": Supervised, "real": RealSupervisor}
        return kinds[self.control](self.subject, self.place(), **options)
