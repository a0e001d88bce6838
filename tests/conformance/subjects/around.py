# What the page takes for granted in Python.
import os
import types


def address():
    return os.environ["HELLO_ADDRESS"]


def consume(stop):
    stop.wait()


def handle(connection):
    if connection.wait_for_request():
        with worker.request("GET /"):
            received = b""
            while b"\r\n\r\n" not in received:
                part = connection.recv(65536)
                if not part:
                    return
                received += part
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nOK\n")


queue = types.SimpleNamespace(stop_taking=lambda: None)
pool = types.SimpleNamespace(close=lambda: None)

