"""The unit of the manual, so that the unit that users copy is tested."""

import re


def extract(manual):
    """Returns the text of the only literal display of the mdoc source `manual` that has a [Service] section."""
    displays = re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed$", manual, re.MULTILINE | re.DOTALL)
    units = [text for text in displays if re.search(r"^\[Service\]$", text, re.MULTILINE)]
    if len(units) != 1:
        raise ValueError(f"cannot find the unit in the manual: {len(units)} displays have [Service], expected 1")
    return plain(units[0])


def plain(text):
    """Returns what mandoc would print for text lines without macros."""
    text = re.sub(r"^\\&", "", text, flags=re.MULTILINE)
    text = text.replace(r"\-", "-").replace(r"\(dq", '"').replace(r"\(aq", "'")
    unknown = re.search(r"^\.\w.*|\\[^e\n].?", text.replace(r"\e", ""), re.MULTILINE)
    if unknown:
        raise ValueError(f"cannot read the unit in the manual: '{unknown.group()}' is not supported by this test")
    return text.replace(r"\e", "\\")


def adapt(unit, holdfast, options, worker):
    """Returns the unit with the program of this build, these `options` and this worker, otherwise unchanged."""
    unit = unit.replace("\\\n", " ")
    unit = re.sub(r"^(Exec\w+=[-+!:@]*)/\S*/holdfast\b", rf"\1{holdfast}", unit, flags=re.MULTILINE)
    start = re.compile(r"^(ExecStart=.*?)\s-- .*$", re.MULTILINE)
    if not start.search(unit) or holdfast not in unit:
        raise ValueError("the manual's unit has no line 'ExecStart=/.../holdfast run ... -- COMMAND'")
    for option in options:
        unit = re.sub(rf"^(ExecStart=.*?)\s{option}[= ]\S+", r"\1", unit, flags=re.MULTILINE)
    added = " ".join(f"{option} {value}" for option, value in options.items())
    return start.sub(lambda found: f"{found[1]} {added} -- {worker}", unit)


def listens_on(unit):
    """Returns the TCP port of the first --listen of the unit."""
    found = re.search(r"--listen[= ](?:\w+=)?\S*?:?(\d+)(?:\s|$)", unit)
    if not found:
        raise ValueError("the manual's unit has no '--listen' with a TCP port")
    return int(found[1])
