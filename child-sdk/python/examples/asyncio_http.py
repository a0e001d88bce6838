#!/usr/bin/env python3
"""HTTP/1.1 with asyncio: `GET /` and `POST /` answer "OK", `/?ms=250` does so after 250 ms."""
import asyncio
import os
import pathlib
import re
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
import holdfast  # noqa: E402


async def answer(worker, connection):
    """Answers one request. Returns whether the connection stays open."""
    head = (await connection.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    method, target, _ = head.split(" ", 2)
    with worker.request(f"{method} {target}"):
        length = re.search(r"^content-length:\s*(\d+)", head, re.I | re.M)
        await connection.reader.readexactly(int(length[1]) if length else 0)
        milliseconds = re.search(r"\?ms=(\d+)", target)
        await asyncio.sleep(int(milliseconds[1]) / 1000 if milliseconds else 0)
        closes = worker.says_close or re.search(r"^connection:\s*close", head, re.I | re.M)
        lines = ["HTTP/1.1 200 OK", "Content-Length: 3",
                 f"X-Worker: {os.environ.get('HOLDFAST_WORKER', '0.0')}.{os.getpid()}"]
        if closes:
            lines.append("Connection: close")
        connection.writer.write("\r\n".join([*lines, "", "OK\n"]).encode())
        await connection.writer.drain()
    return not closes


async def main():
    worker = holdfast.Worker(drive=holdfast.DISPATCH if "--dispatch" in sys.argv else holdfast.THREAD)

    async def serve(connection):
        while await connection.wait_for_request() and await answer(worker, connection):
            pass

    worker.serve_asyncio(worker.listen("http", ":8080"), serve)
    worker.ready()
    return await worker.wait_async()


sys.exit(asyncio.run(main()))
