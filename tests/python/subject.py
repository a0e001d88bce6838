"""A worker for the tests: `subject.py KIND`. Each kind is one behaviour; what it does it prints, a line each."""
import asyncio
import os
import pathlib
import resource
import signal
import socket
import sys

sys.path.append(os.environ.get("HOLDFAST_PYTHON", str(pathlib.Path(__file__).resolve().parents[2] / "child-sdk/python")))
import holdfast  # noqa: E402


def say(word):
    os.write(1, f"{word}\n".encode())  # at once and in one piece, whatever thread says it


def serve(worker):
    worker.ready()
    return worker.wait()


def stages():
    worker = holdfast.Worker()

    @worker.on_drain
    def drain(remaining):
        say(f"drain, {'some time' if remaining > 0 else 'no time'}")

    worker.on_lame_duck(lambda: say("lame-duck"))
    worker.on_pause(lambda: say("pause"))
    worker.on_run(lambda remaining: say(f"run, {remaining}"))
    worker.on_cancel(lambda: say("cancel"))
    worker.on_released(lambda: say("released"))
    held = worker.session("stream")
    held.on_leave(lambda: say(f"leave, {held.has_to_leave}, {held.deadline is not None}") or held.end())
    return serve(worker)


def resources():
    worker = holdfast.Worker()

    def consume(stop):
        say("task runs")
        stop.wait()
        say(f"task stops, {stop.is_set()}")

    task = worker.start_task("consumer", consume)
    pool = worker.resource("pool", lambda: say("pool closed")).used_by(task, holdfast.REQUESTS).within(2)
    worker.resource("server", lambda: say("server closed")).used_by(pool)
    try:
        pool.used_by(worker.resource("cache", lambda: say("cache closed")).used_by(pool))
    except holdfast.HoldfastError as error:
        say(f"errno {error.errno}, {'cache' in str(error)}")
    return serve(worker)


def work():
    worker = holdfast.Worker()
    with worker.work("dropped", lambda: say("dropped")):
        pass
    with worker.work("finished", lambda: say("finished?")) as item:
        say(f"finish {item.finish()}")
    held = worker.work("held", lambda: say("handed back"))
    status = serve(worker)
    say(f"finish {held.finish()}, handed back {worker.report().handed_back}")
    return status


def stuck():
    worker = holdfast.Worker()
    stuck.request = worker.request("GET /stuck")
    return serve(worker)


def raises():
    worker = holdfast.Worker()

    @worker.on_drain
    def drain():
        raise ValueError("no drain today")

    def close():
        raise RuntimeError("the disk is full")

    worker.close_last("database", close)
    return serve(worker)


def task_raises():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the test wants no core of it
    worker = holdfast.Worker()

    def consume(stop):
        raise LookupError("the queue is gone")

    worker.start_task("consumer", consume)
    return serve(worker)


def fork():
    worker = holdfast.Worker()
    pid = os.fork()
    if pid == 0:
        with worker.request("GET / in a child"):
            pass
        try:
            worker.ready()
        except holdfast.HoldfastError as error:
            say(f"child: errno {error.errno}, {'forked child' in str(error)}")
        worker.close()
        sys.exit(0)  # with the handlers of atexit
    say(f"child ended with {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}")
    return serve(worker)


def handler():
    """A signal handler of Python runs while the main thread waits."""
    worker = holdfast.Worker()
    signal.signal(signal.SIGUSR1, lambda *_: say("SIGUSR1 handled"))
    return serve(worker)


def misuse():
    worker = holdfast.Worker()

    def error_of(function, *arguments):
        try:
            function(*arguments)
            return "none"
        except holdfast.HoldfastError as error:
            return error.errno if str(error) else "without a message"

    worker.ready()
    say(f"ready twice: {error_of(worker.ready)}")
    say(f"unknown listener: {error_of(worker.listener, 'admin')}")
    worker.stop()
    status = worker.wait()
    say(f"request after the release: {error_of(worker.request, 'GET /')}")
    worker.close()
    say(f"after close: {error_of(worker.ready)}")
    return status


def shared_flags():
    """A timeout of ours is no flag of the socket that others share."""
    worker = holdfast.Worker()
    listener = worker.listen("http", "127.0.0.1:0")
    before = os.get_blocking(listener.fileno())
    listener.setblocking(False)
    listener.settimeout(0.001)
    say(f"flags changed: {os.get_blocking(listener.fileno()) != before}")
    try:
        listener.accept()
    except socket.timeout:
        say("timed out")
    worker.close()
    return 0


def run_async(drive):
    async def main():
        worker = holdfast.Worker(drive=drive)

        async def consume(stop):
            say("task runs")
            await stop.wait_async()
            say("task stops")

        async def close():
            await asyncio.sleep(0)
            say("pool closed")

        if drive == holdfast.THREAD:
            worker.resource("pool", close).used_by(worker.start_task("consumer", consume))
        else:
            worker.resource("pool", lambda: say("pool closed"))
        worker.on_drain(lambda: say("drain"))
        worker.ready()
        return await worker.wait_async()

    return asyncio.run(main())


def async_thread():
    return run_async(holdfast.THREAD)


def async_dispatch():
    return run_async(holdfast.DISPATCH)


sys.exit(globals()[sys.argv[1]]())
