"""The list of what is known not to work, with the reason: the file `holes` beside this one."""
import dataclasses
import fnmatch
import pathlib


@dataclasses.dataclass(frozen=True)
class Hole:
    subject: str
    scenario: str  # "NAME", "NAME CONTROL/SOCKET" for one setting, "cannot CAPABILITY" for all that need it
    reason: str

    def covers(self, trial):
        lacks = [f"cannot {capability}" for capability in trial.missing()]
        names = [trial.scenario.name, f"{trial.scenario.name} {trial.setting}", *lacks]
        return fnmatch.fnmatchcase(trial.subject.name, self.subject) and any(
            fnmatch.fnmatchcase(name, self.scenario) for name in names)


def read_holes(path=pathlib.Path(__file__).with_name("holes")):
    """Each line: SUBJECT | SCENARIO | one sentence. Both names may have the wildcards of the shell."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    parts = [[part.strip() for part in line.split("|", 2)] for line in lines if line and not line.startswith("#")]
    malformed = [part for part in parts if len(part) != 3 or not part[2].endswith(".")]
    if malformed:
        raise ValueError(f"cannot read the list of holes: {malformed[0]} is not SUBJECT | SCENARIO | SENTENCE.")
    return [Hole(*part) for part in parts]
