"""The table of a run: scenarios × subjects."""
import dataclasses

UNABLE = "-"  # the program is not made for it, whatever the SDK can do; `holes` says why
NOT_TRIED = "·"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What came of one trial."""
    subject: str
    scenario: str
    setting: str
    result: str  # "pass", "hole", "FAIL" or UNABLE
    reason: str = ""
    log: str = ""
    seconds: float = 0


def cell(verdicts):
    """The worst of the settings."""
    results = {verdict.result for verdict in verdicts}
    return next((result for result in ("FAIL", "hole", "pass", UNABLE) if result in results), NOT_TRIED)


def as_table(verdicts):
    subjects = list(dict.fromkeys(verdict.subject for verdict in verdicts))
    scenarios = list(dict.fromkeys(verdict.scenario for verdict in verdicts))
    first = max(map(len, scenarios), default=0)
    # The name of a subject stands in several lines, so that its column is no wider than a verdict.
    headings = [subject.replace("python-", "py-").removesuffix("-http").split("-") for subject in subjects]
    widths = [max(4, *map(len, heading)) for heading in headings]
    lines = []
    for row in range(max(map(len, headings), default=0)):
        names = [heading[row] if row < len(heading) else "" for heading in headings]
        lines.append(" " * first + "".join(f"  {name:<{width}}" for name, width in zip(names, widths)))
    for scenario in scenarios:
        cells = [cell([verdict for verdict in verdicts if (verdict.subject, verdict.scenario) == (subject, scenario)])
                 for subject in subjects]
        lines.append(f"{scenario:<{first}}" + "".join(f"  {text:<{width}}" for text, width in zip(cells, widths)))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def as_list(verdicts, result):
    """The trials with that result, one line for each reason of a subject."""
    reasons = {}
    for verdict in verdicts:
        if verdict.result == result:
            trials = reasons.setdefault((verdict.subject, verdict.reason), {})
            trials.setdefault(verdict.scenario, []).append(verdict.setting)
    lines = []
    for (subject, reason), trials in reasons.items():
        lines.append(f"{result:<4}  {subject}: {reason}")
        if result != UNABLE:
            lines += [f"          {scenario} ({', '.join(settings)})" for scenario, settings in trials.items()]
    return "".join(f"{line}\n" for line in lines)
