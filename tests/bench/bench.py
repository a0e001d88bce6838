"""usage: bench.py --build FOLDER [start|replacement|command|request|http|idle]...

Compares the costs of holdfast with those of other supervisors on this machine and prints one table. Ratios can be
compared between machines; milliseconds cannot. Exit status 1: a measurement failed. A goal that is not met is reported
in the table and does not change the exit status.
"""

import argparse
import os
import platform
import shutil
import sys
import tempfile

from measurements import MEASUREMENTS, Row
from supervisors import become_subreaper

OWN = {"holdfast": "bin", "static_worker": "bench", "spawn_loop": "bench", "command_latency": "bench",
       "begin_request": "bench", "hello-http": "bin", "strict-client": "bin", "bare_http": "bench"}
NEEDED_BY = {
    "start": ["holdfast", "static_worker", "spawn_loop", "s6-svscan"],
    "replacement": ["holdfast", "static_worker", "runsvdir", "start_server"],
    "command": ["command_latency"],
    "request": ["begin_request"],
    "http": ["hello-http", "bare_http", "strict-client"],
    "idle": ["holdfast", "static_worker"],
}


def find_programs(build, names):
    programs = {}
    for name in names:
        path = os.path.join(build, OWN[name], name) if name in OWN else shutil.which(name)
        if path is None or not os.access(path, os.X_OK):
            raise SystemExit(f"bench: cannot find {path or name}; run scripts/bench, which builds or installs it")
        programs[name] = path
    return programs


def folder_in_memory():
    """A directory on tmpfs, like /run on a normal system; on this machine /run may be on a disk. None if unknown."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def print_table(rows):
    lines = [("figure", "measured", "compared with", "ratio", "goal", "met")]
    for row in rows:
        ratio = f"{row.ratio:.2f}x" if row.ratio is not None else ""
        lines.append((row.figure, row.measured, row.compared, ratio, row.goal, "yes" if row.met else "NO"))
    widths = [max(len(line[column]) for line in lines) for column in range(len(Row.__dataclass_fields__))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n", 1)[0].removeprefix("usage: "))
    parser.add_argument("--build", required=True, type=os.path.abspath)
    parser.add_argument("figures", nargs="*", metavar="FIGURE")
    arguments = parser.parse_args()
    chosen = arguments.figures or list(MEASUREMENTS)
    for name in chosen:
        if name not in MEASUREMENTS:
            raise SystemExit(f"bench: unknown figure '{name}'; use one of {', '.join(MEASUREMENTS)}")
    programs = find_programs(arguments.build, sorted({program for name in chosen for program in NEEDED_BY[name]}))
    become_subreaper()
    rows = []
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-", dir=folder_in_memory()) as folder:
        for name in chosen:
            print(f"bench: measuring {name} ...", file=sys.stderr)
            rows += MEASUREMENTS[name](programs, os.path.join(folder, name))
    print(f"Linux {platform.release()}, {os.cpu_count()} CPUs, medians of one run")
    print_table(rows)


if __name__ == "__main__":
    main()
