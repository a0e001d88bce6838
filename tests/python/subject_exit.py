"""A worker for test_exit.py: `subject_exit.py KIND`. Each kind is one way in which a program ends."""
import asyncio
import multiprocessing
import signal
import sys
import threading

from program import emit, holdfast, serve


def with_task(worker):
    """Starts a task that runs until it is asked to stop. Returns when it runs."""
    runs = threading.Event()

    def consume(stop):
        runs.set()
        stop.wait()
        emit("task stops")

    worker.start_task("consumer", consume)
    worker.ready()
    runs.wait()


def interrupted():
    """The program wants KeyboardInterrupt, and waits. wait() starts the task, with the lock that report() needs."""
    worker = holdfast.Worker()
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def consume(stop):
        worker.report()
        emit("waits")
        stop.wait()
        emit("task stops")

    worker.start_task("consumer", consume)
    worker.wait()


def interrupted_twice():
    """A request holds up the stop that follows the first interrupt."""
    worker = holdfast.Worker()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupted_twice.request = worker.request("GET /stuck")
    worker.on_drain(lambda: emit("drain"))

    def consume(stop):
        worker.report()
        emit("waits")
        stop.wait()

    worker.start_task("consumer", consume)
    worker.wait()


def no_wait():
    """The program fails before it waits, while other threads use the worker."""
    worker, asked = holdfast.Worker(), threading.Event()

    def ask():
        while True:
            with worker.request("GET /"):
                worker.report()
            asked.set()

    threading.Thread(target=ask, daemon=True).start()
    with_task(worker)
    asked.wait()
    raise LookupError("the configuration is gone")


def closed_loop():
    """The event loop of a task ends before the program does."""
    worker = holdfast.Worker()

    async def main():
        runs = asyncio.Event()

        async def consume(stop):
            runs.set()
            await asyncio.Event().wait()

        worker.start_task("consumer", consume)
        worker.ready()
        await runs.wait()

    asyncio.run(main())
    return 0


def stopped_loop():
    """The event loop is stopped, but neither closed nor emptied."""
    worker, loop = holdfast.Worker(), asyncio.new_event_loop()

    async def main():
        runs = asyncio.Event()

        async def consume(stop):
            runs.set()
            await stop.wait_async()

        worker.start_task("consumer", consume)
        worker.ready()
        await runs.wait()

    loop.run_until_complete(main())
    return 0


def own_handler():
    """The program replaces the SDK's handler of SIGTERM by one that stops the worker."""
    worker = holdfast.Worker()

    def on_sigterm(*_):
        emit("SIGTERM handled")
        worker.stop()

    signal.signal(signal.SIGTERM, on_sigterm)
    emit("waits")
    return serve(worker)


def in_child(number):
    return number


def children():
    """Processes that are forked while the worker's threads run."""
    worker = holdfast.Worker()
    with_task(worker)
    held = [worker.session("stream"), worker.work("job", lambda: emit("handed back")), worker.request("GET /")]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        emit(f"children: {sum(pool.map(in_child, range(5)))}")
    process = multiprocessing.get_context("fork").Process(target=held.clear)
    process.start()
    process.join()
    report = worker.report()
    emit(f"exit {process.exitcode}, {report.sessions} sessions, {report.work} work, {report.requests} requests")
    for handle in held:
        handle.end()
    return worker.wait()


sys.exit(globals()[sys.argv[1]]())
