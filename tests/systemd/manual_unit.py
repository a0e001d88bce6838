"""The unit that the manual prints, so that what users copy is what is tested."""

import re


def extract(manual):
    """The text of the only literal display of the mdoc source `manual` that has a [Service] section."""
    displays = re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed$", manual, re.MULTILINE | re.DOTALL)
    units = [text for text in displays if re.search(r"^\[Service\]$", text, re.MULTILINE)]
    if len(units) != 1:
        raise ValueError(f"cannot find the unit in the manual: {len(units)} displays (.Bd -literal) have [Service], not 1")
    return plain(units[0])


def plain(text):
    """What mandoc would print for lines of text without macros."""
    text = re.sub(r"^\\&", "", text, flags=re.MULTILINE)
    text = text.replace(r"\-", "-").replace(r"\(dq", '"').replace(r"\(aq", "'")
    unknown = re.search(r"^\.\w.*|\\[^e\n].?", text.replace(r"\e", ""), re.MULTILINE)
    if unknown:
        raise ValueError(f"cannot read the unit in the manual: it has '{unknown.group()}', which this test does not know")
    return text.replace(r"\e", "\\")


def adapt(unit, holdfast, options, worker):
    """The unit with the program of this build, other values of `options`, and another worker; all else is the manual's."""
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
    """The port of the unit's first --listen, which is a TCP address."""
    found = re.search(r"--listen[= ](?:\w+=)?\S*?:?(\d+)(?:\s|$)", unit)
    if not found:
        raise ValueError("the manual's unit has no '--listen' with a TCP port")
    return int(found[1])
