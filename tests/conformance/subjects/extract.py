#!/usr/bin/env python3
"""usage: extract.py PAGE LANGUAGE NUMBER AROUND OUTPUT

Makes a program of a code block of a page, so that it can be run as it is printed: the block of that language and
number (from 1) of a Markdown page or a manual page, or a whole source file (LANGUAGE `file`). AROUND is put before it;
it declares what the page takes for granted, and address(), which replaces the address in the block."""
import pathlib
import re
import sys

ADDRESS = re.compile(r"""(['"]):8080\1""")


def markdown_blocks(text, language):
    return re.findall(rf"^```{re.escape(language)}\n(.*?)^```$", text, re.M | re.S)


def manual_blocks(text, language):
    """The blocks that are whole programs or, in C, begin with the worker. Backslashes are escaped in the page."""
    begins = {"cpp": "int main() {", "c": "holdfast_worker *worker;"}[language]
    blocks = [block.replace("\\e", "\\") for block in re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", text, re.M | re.S)]
    return [block for block in blocks if block.startswith(begins)]


def blocks(page, language):
    text = page.read_text(encoding="utf-8")
    if language == "file":
        return [text]
    return markdown_blocks(text, language) if page.suffix == ".md" else manual_blocks(text, language)


def main():
    page, language, number, around, output = sys.argv[1:]
    found = blocks(pathlib.Path(page), language)
    if len(found) < int(number):
        sys.exit(f"extract: cannot find block {number} of {language!r} in {page}: it has {len(found)}")
    program, replaced = ADDRESS.subn("address()", found[int(number) - 1])
    if replaced != 1:
        sys.exit(f"extract: cannot replace the address in block {number} of {page}: it stands there {replaced} times")
    if page.endswith(".3") and language == "c":  # the manual shows the inside of main
        program = f"int main(void) {{\n{program}return status;\n}}\n"
    pathlib.Path(output).write_text(pathlib.Path(around).read_text(encoding="utf-8") + "\n" + program, encoding="utf-8")


main()
