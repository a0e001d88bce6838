"""README.md as the tests read it: its fenced blocks, each known by its language and by what it
stands below: a heading, or a paragraph that begins in bold."""
import dataclasses
import os
import pathlib
import re

SOURCE = pathlib.Path(os.environ["HOLDFAST_SOURCE"])
HEADING = re.compile(r"(?:#+ |\*\*)([^*]+)")
TEXT = (SOURCE / "README.md").read_text(encoding="utf-8")


@dataclasses.dataclass(frozen=True)
class Block:
    heading: str
    language: str  # what follows the opening fence; empty for a picture
    text: str


def blocks():
    """All blocks, in the order of the page."""
    found, heading, language, lines = [], "", None, []
    for line in TEXT.splitlines():
        if line.startswith("```") and language is None:
            language, lines = line[3:], []
        elif line == "```":
            found.append(Block(heading, language, "".join(lines)))
            language = None
        elif language is not None:
            lines.append(line + "\n")
        elif HEADING.match(line):
            heading = HEADING.match(line)[1]
    if language is not None:
        raise AssertionError(f"a block below {heading!r} is not closed")
    return found


def block(heading, language):
    """The text of the one block of that language below that heading."""
    texts = [found.text for found in blocks() if (found.heading, found.language) == (heading, language)]
    if len(texts) != 1:
        raise AssertionError(f"README.md has {len(texts)} blocks of {language!r} below {heading!r} instead of one")
    return texts[0]


def prose():
    """The page without its blocks."""
    text = TEXT
    for found in blocks():
        text = text.replace(found.text, "")
    return text
