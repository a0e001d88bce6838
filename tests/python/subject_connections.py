"""A worker for test_connections.py: `subject_connections.py KIND`. Prints its address first, then a line for each
event."""
import asyncio
import os
import pathlib
import ssl
import sys
import threading

from program import emit, holdfast

CERTIFICATE = pathlib.Path(__file__).resolve().parent / "localhost.pem"
ADDRESS = os.environ.get("ADDRESS", "127.0.0.1:0")


def listen(worker):
    listener = worker.listen("http", ADDRESS)
    emit(listener.address)
    return listener


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(CERTIFICATE)
    return made


def echo(connection):
    """Answers each line."""
    with connection.makefile("rb") as lines:
        while connection.wait_for_request(lines) and (line := lines.readline()):
            connection.sendall(line)


def finish(worker):
    worker.ready()
    emit("ready")
    return worker.wait()


def accept_after_reset():
    """Accepts when its standard input says that clients are queued."""
    worker = holdfast.Worker()
    listener = listen(worker)
    sys.stdin.readline()
    connection, peer = listener.accept()
    emit(f"peer {peer[0] if peer else repr(peer)}, {connection.recv(100)}")
    emit(f"{worker.report().sessions} sessions")
    connection.close()
    worker.stop()
    return finish(worker)


def accept_after_shutdown():
    """A loop around accept() ends when its listener has been shut down at the drain. It counts its turns."""
    worker, turns = holdfast.Worker(), []
    listener = listen(worker)
    request = worker.request("GET /")

    def accept():
        while True:
            try:
                turns.append(listener.accept())
            except holdfast.HoldfastError as error:
                emit(f"{error.errno}, {'Worker.connections()' in str(error)}, {len(turns)} clients")
                return request.end()

    threading.Thread(target=accept).start()
    return finish(worker)


def no_thread():
    """The threads of two connections cannot be started, nor one of the library's own."""
    worker, start, left = holdfast.Worker(), threading.Thread.start, [2]

    def start_unless_full(thread):
        if thread.name == "holdfast-ender" or (thread.name.startswith("Thread-") and left[0] > 0):
            left[0] -= thread.name != "holdfast-ender"
            raise RuntimeError("can't start new thread")
        start(thread)

    threading.Thread.start = start_unless_full
    worker.serve_threads(listen(worker), echo)
    return finish(worker)


def tls():
    worker = holdfast.Worker()
    worker.serve_threads(listen(worker), echo, ssl=context())
    return finish(worker)


def tls_wrapped():
    """The handler makes the TLS connection itself."""
    worker = holdfast.Worker()

    def handle(connection):
        with context().wrap_socket(connection, server_side=True) as wrapped, wrapped.makefile("rb") as lines:
            emit(f"{worker.report().sessions} sessions")
            while line := lines.readline():
                wrapped.sendall(line)

    worker.serve_threads(listen(worker), handle)
    return finish(worker)


def tls_accepted():
    """The program drops the connection once it is encrypted; it counts until it is closed."""
    worker, wrapped = holdfast.Worker(), []

    def accepted(connection):
        wrapped.append(context().wrap_socket(connection, server_side=True, do_handshake_on_connect=False))

    worker.accept_on(listen(worker), accepted)

    @worker.on_drain
    def drain():
        emit(f"drain, {worker.report().sessions} sessions")
        threading.Thread(target=close).start()

    def close():
        emit(f"{worker.report().sessions} sessions")
        wrapped.pop().close()

    return finish(worker)


def tls_asyncio():
    async def main():
        worker = holdfast.Worker()

        async def handle(connection):
            while await connection.wait_for_request() and (line := await connection.reader.readline()):
                connection.writer.write(line)
                await connection.writer.drain()

        worker.serve_asyncio(listen(worker), handle, ssl=context())
        worker.ready()
        emit("ready")
        return await worker.wait_async()

    return asyncio.run(main())


def large_asyncio(secure=None):
    """Answers with more than the buffers hold, and is done with it."""
    async def main():
        worker = holdfast.Worker()

        async def handle(connection):
            await connection.reader.readline()
            connection.writer.write(b"x" * (32 << 20))

        worker.serve_asyncio(listen(worker), handle, ssl=secure)
        worker.ready()
        emit("ready")
        return await worker.wait_async()

    return asyncio.run(main())


def large_tls_asyncio():
    return large_asyncio(context())


def iterated():
    """A loop of the program, in which each connection is answered."""
    worker = holdfast.Worker()
    connections = worker.connections(listen(worker))
    worker.ready()
    emit("ready")
    for connection in connections:
        connection.sendall(connection.recv(100))
        connection.finish()
    emit("loop ended")
    return worker.wait()


def iterated_by_nobody():
    """The loop has ended early; who is queued then is closed at the cancel."""
    worker = holdfast.Worker()
    worker.connections(listen(worker))
    worker.on_released(lambda: emit("released"))
    worker.ready()
    while worker.report().sessions == 0:
        pass
    emit("accepted")
    return worker.wait()


def iterated_and_closed():
    worker = holdfast.Worker()
    connections, ended = worker.connections(listen(worker)), threading.Event()
    threading.Thread(target=lambda: list(connections) and None or ended.set()).start()
    worker.ready()
    worker.close()
    ended.wait()
    return 0


sys.exit(globals()[sys.argv[1]]())
