# What the page takes for granted in Python.
import os


def address():
    return os.environ["HELLO_ADDRESS"]

