"""A worker for test_asyncio.py: `subject_asyncio.py KIND`. Each kind prints a line for each event."""
import asyncio
import os
import signal
import sys
import threading

from program import emit, holdfast


async def until(condition):
    while not condition():
        await asyncio.sleep(0)


async def finish(worker):
    worker.ready()
    emit("ready")
    return await worker.wait_async()


async def dropped_in_the_loop():
    worker = holdfast.Worker()

    async def hand_back():
        await asyncio.sleep(0)
        emit("handed back")

    with worker.work("job", hand_back):
        pass
    item = worker.work("job", hand_back)
    del item
    await until(lambda: worker.report().handed_back == 2)
    return await finish(worker)


async def held_after_the_cancel():
    worker, is_cancelled = holdfast.Worker(), threading.Event()
    worker.on_cancel(is_cancelled.set)
    blocks = worker.request("GET /")

    async def hand_back():
        await asyncio.sleep(0)
        emit("handed back")

    async def consume(stop):
        emit("task runs")
        try:
            await until(is_cancelled.is_set)
        except asyncio.CancelledError:
            await until(is_cancelled.is_set)
        item = worker.work("late", hand_back)
        emit(f"ours: {item.finish()}")
        blocks.end()

    worker.start_task("consumer", consume)
    return await finish(worker)


async def leaves():
    worker = holdfast.Worker()
    session, failing = worker.session("stream"), worker.session("other")

    @session.on_leave
    async def leave():
        await asyncio.sleep(0)
        emit("left")
        session.end()

    @failing.on_leave
    async def fail():
        failing.end()
        raise ValueError("no farewell today")

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: emit(f"{context['message']}: {context['exception']}"))
    return await finish(worker)


async def tasks():
    """One that sees the stop, one that is cancelled at once, and one that is cancelled at the cancel."""
    worker = holdfast.Worker()

    async def sees(stop):
        await stop.wait_async()
        emit(f"sees, {stop.is_set()}")

    async def has_no_parameter():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            emit("cancelled without a parameter")
            raise

    async def stubborn(stop):
        try:
            await stop.wait_async()
            emit("stubborn")
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            emit("cancelled at the cancel")

    for function in (sees, has_no_parameter, stubborn):
        worker.start_task(function.__name__, function)
    return await finish(worker)


async def raising():
    """Each is reported by its name."""
    worker = holdfast.Worker()

    async def fail(*_):
        raise ValueError("not today")

    worker.on_drain(fail)
    worker.close_last("database", fail)
    item = worker.work("job 7", fail)
    item.end()
    await until(lambda: worker.report().work == 0)
    return await finish(worker)


async def closed_in_the_loop():
    """close() cannot wait for a coroutine in its own loop; `async with` can."""
    runs, ends = asyncio.Event(), asyncio.Event()

    async def consume(stop):
        runs.set()
        try:
            await stop.wait_async()
            emit("sees the stop")
        except asyncio.CancelledError:
            emit("cancelled")
        ends.set()

    async with holdfast.Worker() as worker:
        worker.start_task("consumer", consume)
        worker.ready()
        await runs.wait()
    emit("closed")
    runs.clear(), ends.clear()
    with holdfast.Worker() as worker:
        worker.start_task("consumer", consume)
        worker.ready()
        await runs.wait()
    emit("closed")
    await ends.wait()
    return 0


async def waits_in_the_loop():
    worker = holdfast.Worker()
    worker.ready()
    try:
        worker.wait()
    except holdfast.HoldfastError as error:
        emit(error.strerror)
    worker.stop()
    return await worker.wait_async()


async def waits_again():
    worker = holdfast.Worker()
    worker.ready()
    try:
        await asyncio.wait_for(worker.wait_async(), 0.01)
    except asyncio.TimeoutError:
        emit("still serves")
    worker.stop()
    return await worker.wait_async()


def worker_outside():
    """The Worker is older than the loop. What cannot work says so at once."""
    worker = holdfast.Worker()

    async def handle(connection):
        connection.writer.write(await connection.reader.readline())

    async def on_drain():
        emit("drain")

    async def consume(stop):
        await stop.wait_async()
        emit("task stops")

    listener = worker.listen("http", "127.0.0.1:0")
    for register in (lambda: worker.on_drain(on_drain), lambda: worker.start_task("consumer", consume),
                     lambda: worker.resource("pool", on_drain), lambda: worker.work("job", on_drain),
                     lambda: worker.serve_asyncio(listener, handle)):
        try:
            register()
            emit("registered")
        except TypeError as error:
            emit(f"refused, {'no event loop is running' in str(error)}")

    async def main():
        worker.on_drain(on_drain)
        worker.start_task("consumer", consume)
        worker.serve_asyncio(listener, handle)
        worker.ready()
        host, port = listener.address.rsplit(":", 1)
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"hello\n")
        emit((await reader.readline()).decode().strip())
        writer.close()
        os.kill(os.getpid(), signal.SIGINT)
        return await worker.wait_async()

    return asyncio.run(main())


async def cancelled_handlers():
    """One handler ends when it is cancelled, the other says goodbye to its client first."""
    worker = holdfast.Worker(grace_period=60)
    listener = worker.listen("http", "127.0.0.1:0")

    async def handle(connection):
        name = (await connection.reader.readline()).decode().strip()
        emit(f"{name} begins")
        try:
            with worker.request(name):
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            emit(f"{name} is cancelled")
            if name == "polite":
                connection.writer.write(b"goodbye\n")
            raise

    worker.serve_asyncio(listener, handle)
    emit(listener.address)
    return await finish(worker)


async def feed(drive=holdfast.THREAD):
    """Each connection is a stream, which says goodbye when it is asked to leave; one is overdue."""
    worker = holdfast.Worker(drive=drive)
    listener = worker.listen("http", "127.0.0.1:0")

    async def handle(connection):
        name = (await connection.reader.readline()).decode().strip()
        left = asyncio.Event()
        connection.session.set_name(name)

        @connection.session.on_leave
        async def leave():
            connection.writer.write(b"goodbye\n")
            await connection.writer.drain()
            if name == "polite":
                left.set()

        if name == "overdue":
            connection.session.set_leave_within(0)
        emit([held.name for held in worker.report().waiting if held.name == name])
        await left.wait()

    worker.serve_asyncio(listener, handle)
    worker.on_cancel(lambda: emit("cancel"))
    worker.resource("pool", lambda: emit("pool closed")).used_by(holdfast.REQUESTS)
    emit(listener.address)
    return await finish(worker)


async def feed_with_dispatch():
    return await feed(holdfast.DISPATCH)


async def coroutine_in_dispatch():
    worker = holdfast.Worker(drive=holdfast.DISPATCH)

    async def function(*_):
        pass

    async def consume(stop):
        await stop.wait_async()
        emit("task stops")

    for register in (lambda: worker.on_drain(function), lambda: worker.resource("pool", function),
                     lambda: worker.work("job", function)):
        try:
            register()
        except TypeError as error:
            emit(f"refused, {'drive=DISPATCH' in str(error)}")
    worker.start_task("consumer", consume)
    return await finish(worker)


kind = globals()[sys.argv[1]]
sys.exit(asyncio.run(kind()) if asyncio.iscoroutinefunction(kind) else kind())
