"""How a scenario says that a worker did the wrong thing."""

LIMIT = 20  # seconds to wait for something that must happen; reaching it is a failure


class Failure(Exception):
    """A worker did the wrong thing; the text is the reason in the table."""


def check(condition, reason):
    if not condition:
        raise Failure(reason)


def check_equal(found, expected, what):
    check(found == expected, f"{what}: {found!r} instead of {expected!r}")
