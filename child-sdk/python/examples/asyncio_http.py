#!/usr/bin/env python3
"""HTTP/1.1 with asyncio: `GET /` answers "OK", `/?ms=250` does so after 250 ms; `GET /bytes?n=1000` answers that many
bytes, and `POST /count` the size of its body. Listens at HELLO_ADDRESS or :8080. `--tls FILE`: HTTPS, with the
key and the certificate in the file. `--dispatch`: the event loop runs the worker."""
import asyncio
import os
import pathlib
import re
import ssl
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
import holdfast  # noqa: E402

MAX_BODY_BYTES = 64 << 20
BLOCK = b"x" * 65536


def number(pattern, text):
    """The number that the pattern finds in the text; 0 if there is none."""
    found = re.search(pattern, text, re.I | re.M)
    return int(found[1]) if found else 0


async def read_body(reader, size):
    while size > 0:
        part = await reader.read(min(size, len(BLOCK)))
        if not part:
            raise asyncio.IncompleteReadError(part, size)
        size -= len(part)


async def send(worker, connection, status, size, body=None, closes=False):
    """Sends a response: `body`, or `size` bytes. Returns whether the connection stays open."""
    closes = closes or worker.says_close
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {size}",
             f"X-Worker: {os.environ.get('HOLDFAST_WORKER', '0.0')}.{os.getpid()}"]
    if closes:
        lines.append("Connection: close")
    connection.writer.write("\r\n".join([*lines, "", ""]).encode() + (body or b""))
    await connection.writer.drain()
    while body is None and size > 0:
        connection.writer.write(BLOCK[:size])
        await connection.writer.drain()
        size -= len(BLOCK)
    return not closes


async def answer(worker, connection):
    """Answers one request. Returns whether the connection stays open."""
    try:
        head = (await connection.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.LimitOverrunError:
        return await send(worker, connection, "431 Request Header Fields Too Large", 0, b"", closes=True)
    method, target, _ = head.split(" ", 2)
    closes = bool(re.search(r"^connection:\s*close", head, re.I | re.M))
    with worker.request(f"{method} {target}"):
        length = number(r"^content-length:\s*(\d+)", head)
        if length > MAX_BODY_BYTES:
            return await send(worker, connection, "413 Content Too Large", 0, b"", closes=True)
        await read_body(connection.reader, length)
        await asyncio.sleep(number(r"\?ms=(\d+)", target) / 1000)
        if target.startswith("/bytes?n="):
            return await send(worker, connection, "200 OK", number(r"\?n=(\d+)", target), closes=closes)
        body = str(length).encode() if target == "/count" else b"OK\n"
        return await send(worker, connection, "200 OK", len(body), body, closes)


def tls_context():
    if "--tls" not in sys.argv:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[sys.argv.index("--tls") + 1])
    return context


async def main():
    worker = holdfast.Worker(drive=holdfast.DISPATCH if "--dispatch" in sys.argv else holdfast.THREAD)

    async def serve(connection):
        while await connection.wait_for_request() and await answer(worker, connection):
            pass

    listener = worker.listen("http", os.environ.get("HELLO_ADDRESS", ":8080"))
    worker.serve_asyncio(listener, serve, ssl=tls_context())
    worker.ready()
    return await worker.wait_async()


sys.exit(asyncio.run(main()))
