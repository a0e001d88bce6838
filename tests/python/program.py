"""What the programs of the tests share. HOLDFAST_PYTHON is the directory of another holdfast.py."""
import os
import pathlib
import sys

CHILD_SDK = pathlib.Path(__file__).resolve().parents[2] / "child-sdk"
sys.path.append(os.environ.get("HOLDFAST_PYTHON", str(CHILD_SDK / "python")))
import holdfast  # noqa: E402, F401


def emit(line):
    os.write(1, f"{line}\n".encode())  # a single unbuffered write, so that lines of threads do not mix


def serve(worker):
    worker.ready()
    return worker.wait()
