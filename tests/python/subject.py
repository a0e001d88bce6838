"""A worker for the tests: `subject.py KIND`. Each kind is one behaviour, which prints a line for each event."""
import asyncio
import os
import resource
import signal
import socket
import sys
import threading

from program import emit, holdfast, serve


def stages():
    worker = holdfast.Worker()

    @worker.on_drain
    def drain(remaining):
        emit(f"drain, {'some time' if remaining > 0 else 'no time'}")

    worker.on_lame_duck(lambda: emit("lame-duck"))
    worker.on_pause(lambda: emit("pause"))
    worker.on_run(lambda remaining: emit(f"run, {remaining}"))
    worker.on_cancel(lambda: emit("cancel"))
    worker.on_released(lambda: emit("released"))
    held = worker.session("stream")
    held.on_leave(lambda: emit(f"leave, {held.has_to_leave}, {held.deadline is not None}") or held.end())
    return serve(worker)


def resources():
    worker = holdfast.Worker()

    def consume(stop):
        emit("task runs")
        stop.wait()
        emit(f"task stops, {stop.is_set()}")

    task = worker.start_task("consumer", consume)
    pool = worker.resource("pool", lambda: emit("pool closed")).used_by(task, holdfast.REQUESTS).within(2)
    worker.resource("server", lambda: emit("server closed")).used_by(pool)
    try:
        pool.used_by(worker.resource("cache", lambda: emit("cache closed")).used_by(pool))
    except holdfast.HoldfastError as error:
        emit(f"errno {error.errno}, {'cache' in str(error)}")
    return serve(worker)


def work():
    worker = holdfast.Worker()
    with worker.work("dropped", lambda: emit("dropped")):
        pass
    with worker.work("finished", lambda: emit("finished?")) as item:
        emit(f"finish {item.finish()}")
    held = worker.work("held", lambda: emit("handed back"))
    status = serve(worker)
    emit(f"finish {held.finish()}, handed back {worker.report().handed_back}")
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
    worker = holdfast.Worker()

    def consume(stop):
        raise LookupError("the queue is gone")

    worker.start_task("consumer", consume)
    return serve(worker)


def task_options():
    """A warm-up before ready(), a task whose exception is ignored, and one that is needed."""
    worker, fails, ends = holdfast.Worker(), threading.Event(), threading.Event()
    warm = threading.Event()

    def fail(stop):
        fails.wait()
        raise LookupError("no mail today")

    worker.start_task("warm-up", lambda stop: warm.set(), start="now", need="finite")
    warm.wait()
    emit("warm")
    worker.start_task("mail", fail, on_exception="ignore")
    worker.start_task("consumer", lambda stop: ends.wait() and None, need="required")
    worker.ready()
    fails.set()
    while not worker.report().failed:
        pass
    emit(f"{worker.report().failed}, {worker.draining}")
    ends.set()
    return worker.wait()


def task_aborts():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # no core dump
    worker = holdfast.Worker()

    def fail(stop):
        raise LookupError("the queue is gone")

    worker.start_task("consumer", fail, on_exception="abort")
    return serve(worker)


def lost_work():
    worker = holdfast.Worker()

    def fail():
        raise ConnectionError("the queue is gone")

    with worker.work("job 1", fail), worker.work("job 2", lambda: None):
        pass
    report = worker.report()
    emit(f"{report.handed_back} handed back, {report.lost} lost, {report.failed}")
    return serve(worker)


def accepts():
    worker = holdfast.Worker()
    worker.accepts(lambda: emit("stop"), lambda remaining: emit(f"start, {remaining}"))
    return serve(worker)


def renamed_session():
    worker = holdfast.Worker()
    session = worker.session("connection", leave_within=60)
    session.set_name("GET /feed")
    session.set_leave_within(0.001)
    emit([held.name for held in worker.report().waiting])
    session.on_leave(lambda: emit("leave"))
    return serve(worker)


def gives_up():
    """Alone, wait() returns although something is held. It starts the task, with the lock that report() needs."""
    worker = holdfast.Worker(grace_period=0.001, cancel_period=0.001, give_up="return_status")
    stuck.request = worker.request("GET /stuck")
    worker.start_task("stop", lambda stop: worker.report() and worker.stop(), need="finite")
    emit(worker.wait())
    os._exit(0)


def fork():
    worker = holdfast.Worker()
    pid = os.fork()
    if pid == 0:
        with worker.request("GET / in a child"):
            pass
        try:
            worker.ready()
        except holdfast.HoldfastError as error:
            emit(f"child: errno {error.errno}, {'forked child' in str(error)}")
        worker.close()
        sys.exit(0)  # runs the handlers of atexit
    emit(f"child ended with {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}")
    return serve(worker)


def handler():
    """A signal handler of Python runs while the main thread is in wait()."""
    worker = holdfast.Worker()
    signal.signal(signal.SIGUSR1, lambda *_: emit("SIGUSR1 handled"))
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
    emit(f"ready twice: {error_of(worker.ready)}")
    emit(f"unknown listener: {error_of(worker.listener, 'admin')}")
    worker.stop()
    status = worker.wait()
    emit(f"request after the release: {error_of(worker.request, 'GET /')}")
    worker.close()
    emit(f"after close: {error_of(worker.ready)}")
    for options in ({"start": "soon"}, {"on_exception": None}, {"need": True}):
        try:
            worker.start_task("consumer", lambda stop: None, **options)
        except ValueError as error:
            emit(str(error).split(";")[0])
    return status


def shared_flags():
    """A timeout does not change the flags of the shared socket."""
    worker = holdfast.Worker()
    listener = worker.listen("http", "127.0.0.1:0")
    before = os.get_blocking(listener.fileno())
    listener.setblocking(False)
    listener.settimeout(0.001)
    emit(f"flags changed: {os.get_blocking(listener.fileno()) != before}")
    try:
        listener.accept()
    except socket.timeout:
        emit("timed out")
    worker.close()
    return 0


def run_async(drive):
    async def main():
        worker = holdfast.Worker(drive=drive)

        async def consume(stop):
            emit("task runs")
            await stop.wait_async()
            emit("task stops")

        async def close():
            await asyncio.sleep(0)
            emit("pool closed")

        if drive == holdfast.THREAD:
            worker.resource("pool", close).used_by(worker.start_task("consumer", consume))
        else:
            worker.resource("pool", lambda: emit("pool closed"))
        worker.on_drain(lambda: emit("drain"))
        worker.ready()
        return await worker.wait_async()

    return asyncio.run(main())


def async_thread():
    return run_async(holdfast.THREAD)


def async_dispatch():
    return run_async(holdfast.DISPATCH)


sys.exit(globals()[sys.argv[1]]())
