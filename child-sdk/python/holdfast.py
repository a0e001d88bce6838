"""holdfast for Python: lossless restarts and stops, in a single file on top of libholdfast.so.1 (see holdfast.h).

    worker = holdfast.Worker()
    listener = worker.listen("http", ":8080")
    worker.close_last("database", pool.close)
    worker.serve_threads(listener, handle)    # or, in a coroutine, worker.serve_asyncio(listener, handle)
    worker.ready()
    sys.exit(worker.wait())                   # or await worker.wait_async()

Times are in seconds; points in time are those of time.monotonic(). All functions may be called from any thread.
Callbacks run on threads of the SDK; a coroutine function runs in the event loop in which the Worker was created. An
exception in a callback is reported by name and stops nothing else; an exception in a task terminates the process.
"""
import asyncio
import atexit
import concurrent.futures
import contextlib
import ctypes
import ctypes.util
import errno
import functools
import inspect
import itertools
import os
import select
import socket
import threading
import time
import traceback
import types
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_int, c_int64, c_size_t, c_uint64, c_void_p

REQUESTS, SESSIONS, WORK, TASKS = 1, 2, 3, 4  # for Resource.used_by: all users of one kind
THREAD, DISPATCH = 0, 1  # what runs a Worker: a thread of the SDK, or an event loop by fileno() and dispatch()
IDLE_MAX, LINGER = 75.0, 1.0  # idle timeout of a connection; how long to wait for the client to close after us


class HoldfastError(OSError):
    """An error of the SDK. errno is documented in holdfast.h; the message says what to do."""


class _Options(Structure):
    _fields_ = [("size", c_size_t), ("lame_duck_ms", c_int64), ("grace_period_ms", c_int64),
                ("cancel_period_ms", c_int64), ("keep_alive_min_ms", c_int64), ("health", c_char_p),
                ("drive", c_int), ("post", c_void_p), ("post_user", c_void_p)]


class _Waiting(Structure):
    _fields_ = [("kind", c_char_p), ("name", c_char_p), ("age_usec", c_int64)]


_COUNTS = ("requests", "sessions", "tasks", "work", "resources", "served", "handed_back")


class _Report(Structure):
    _fields_ = [("size", c_size_t), ("stage", c_int), ("remaining_usec", c_int64), *((n, c_uint64) for n in _COUNTS),
                ("text", c_char_p), ("waiting_count", c_size_t), ("waiting", POINTER(_Waiting))]


_STAGE, _PLAIN = CFUNCTYPE(c_int, c_int64, c_void_p), CFUNCTYPE(c_int, c_void_p)
_TASK, _ACCEPTED = CFUNCTYPE(c_int, c_void_p, c_void_p), CFUNCTYPE(c_int, c_int, c_void_p, c_void_p)
_POST, _RUN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p), CFUNCTYPE(None, c_void_p)
# Each letter is the type of an argument. Capitals are outputs: H for a handle, L and U for numbers.
_TYPES = {"p": c_void_p, "s": c_char_p, "i": c_int, "l": c_int64, "u": c_uint64, "z": c_size_t, "H": POINTER(c_void_p),
          "L": POINTER(c_int64), "U": POINTER(c_uint64), "O": POINTER(_Options), "R": POINTER(POINTER(_Report)),
          "g": _STAGE, "c": _PLAIN, "t": _TASK, "a": _ACCEPTED}
_FUNCTIONS = """version= last_error= fail=is init_options=Oz new=OH free=H on_lame_duck=pgp on_pause=pgp on_drain=pgp
    on_run=pgp on_cancel=pgp on_released=pgp ready=p stop_worker=p wait=p fd=p dispatch=p result=p draining=p deadline=pL
    remaining=pL is_supervised=p keep_alive_min=pL listen=pssH take_listener=psH listener_fd=p listener_name=p
    listener_address=p listener_is_inherited=p close_listener=H accept=piH start_acceptor=pHapH free_acceptor=H
    begin_request=psH end_request=H begin_session=pslH end_session=H session_has_to_leave=p session_on_leave=pcp
    session_deadline=pL hold_work=pscpH claim_work=p finish_work=H drop_work=H start_task=pstpU stop_requested=p stop_wait=pl stop_fd=p
    resource=pscpU close_last=pscpU used_by=puu close_within=pul make_report=pR free_report=R has_bytes=i half_close=i"""


def _load():
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libholdfast.so.1")
    path = os.environ.get("HOLDFAST_LIBRARY") or (beside if os.path.exists(beside) else None)
    path = path or ctypes.util.find_library("holdfast") or "libholdfast.so.1"
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(f"cannot load {path}: {error}; install libholdfast, or set HOLDFAST_LIBRARY to it") from None
    functions = types.SimpleNamespace()
    for name, letters in (word.split("=") for word in _FUNCTIONS.split()):
        function = getattr(library, "holdfast_" + name)
        function.argtypes = [_TYPES[letter] for letter in letters]
        function.restype = c_char_p if name in ("version", "last_error", "listener_name", "listener_address") else c_int
        setattr(functions, name, function)
    return functions


_c = _load()
version = _c.version().decode()


def _check(returned):
    if returned < 0:
        raise HoldfastError(-returned, _c.last_error().decode(errors="replace"))
    return returned


def _made(ctype, function, *arguments):
    """Returns the value that a C function stores through its last argument."""
    made = ctype()
    _check(function(*arguments, byref(made)))
    return made


def _seconds(usec):
    return None if usec in (-1, 2**63 - 1) else usec / 1e6


def _milliseconds(seconds):
    return -1 if seconds is None else round(seconds * 1000)


# C calls five functions that live forever and passes a number that identifies the callback, so that no ctypes callback
# can be freed too early.
_callbacks, _numbers = {}, itertools.count(1)


def _keep(function):
    number = next(_numbers)
    _callbacks[number] = function
    return number


def _call(number, *arguments):
    try:
        _callbacks[number](*arguments)
        return 0
    except BaseException as error:  # C only receives an error
        traceback.print_exc()
        return _c.fail(errno.ECANCELED, f"{type(error).__name__}: {error}".encode())


_plain = _PLAIN(_call)
_stage = _STAGE(lambda remaining, number: _call(number, _seconds(remaining)))
_task = _TASK(lambda stop, number: _call(number, stop))
_accepted = _ACCEPTED(lambda fd, session, number: _call(number, fd, session))
_post = _POST(lambda run, argument, number: _call(number, lambda: _RUN(run)(argument)))


class _Handle:
    """Ends at end(), at the end of a `with` statement, or when it is garbage-collected."""
    def __init__(self, handle, end, callback=None):
        self._handle, self._end, self._callback = handle, end, callback

    def end(self):
        if self._handle:
            _check(self._end(byref(self._handle)))
            _callbacks.pop(self._callback, None)

    __del__ = end

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class Session(_Handle):
    has_to_leave = property(lambda self: not self._handle or bool(_check(_c.session_has_to_leave(self._handle))))
    # The time by which it must have left; None until it is asked to leave.
    deadline = property(lambda self: _seconds(_made(c_int64, _c.session_deadline, self._handle).value))

    def on_leave(self, function):
        self._callback = _keep(function)
        _check(_c.session_on_leave(self._handle, _plain, self._callback))
        return function


class Work(_Handle):
    """An item of work. It is handed back if it ends unclaimed."""
    def claim(self):
        """Claims the item; call it before a step that must not happen twice. The item stays held. Returns False if it
        has been handed back: do not commit."""
        return bool(_check(_c.claim_work(self._handle)))

    def finish(self):
        """Claims the item as claim() does, and releases it; call it when the item is done."""
        finished = bool(_check(_c.finish_work(byref(self._handle))))
        _callbacks.pop(self._callback, None)
        return finished


class User:
    """A task or a resource, for Resource.used_by()."""
    def __init__(self, worker, number):
        self._worker, self.number = worker, number


class Resource(User):
    def used_by(self, *users):
        """The resource is closed only after all `users` (REQUESTS, tasks, other resources) have been released."""
        for user in users:
            _check(_c.used_by(self._worker._handle, self.number, getattr(user, "number", user)))
        return self

    def within(self, seconds):
        _check(_c.close_within(self._worker._handle, self.number, _milliseconds(seconds)))
        return self


class Stop:
    """The stop token of a task. Valid until the task returns."""
    def __init__(self, handle):
        self._handle = handle

    def is_set(self):
        return bool(_check(_c.stop_requested(self._handle)))

    def wait(self, timeout=None):
        return bool(_check(_c.stop_wait(self._handle, _milliseconds(timeout))))

    def fileno(self):
        """Returns a descriptor that becomes readable, and stays so, when the task is asked to stop."""
        return _check(_c.stop_fd(self._handle))

    async def wait_async(self):
        await _readable(self.fileno())


async def _readable(fd):
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(fd, lambda: ready.done() or ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(fd)


class Listener(socket.socket):
    """A listening socket that other processes share, including its flags. A timeout is kept in this object only;
    accept() calls the SDK (which counts the connection before it accepts); listen() and shutdown() do nothing. Closing
    the socket is harmless."""
    def __init__(self, worker, handle):
        self._worker, self._handle, self._accept_timeout = worker, handle, None
        self.name, self.address = _c.listener_name(handle).decode(), _c.listener_address(handle).decode()
        self.is_inherited = bool(_c.listener_is_inherited(handle))
        super().__init__(fileno=os.dup(_check(_c.listener_fd(handle))))

    def accept(self):
        while True:
            if self._accept_timeout != 0 and not _poll([self.fileno()], self._accept_timeout):
                raise socket.timeout("timed out")
            session = Session(c_void_p(), _c.end_session)
            fd = _c.accept(self._worker._handle, self.fileno(), byref(session._handle))
            if fd != -errno.EAGAIN:
                connection = Connection(_check(fd), self._worker, session)
                return connection, connection.getpeername()
            if self._accept_timeout == 0:
                raise BlockingIOError(errno.EAGAIN, "no connection is queued")

    def settimeout(self, seconds):
        self._accept_timeout = seconds

    def setblocking(self, blocks):
        self._accept_timeout = None if blocks else 0

    def gettimeout(self):
        return self._accept_timeout

    def listen(self, *_):
        """Does nothing: the socket is listening, and its backlog is shared."""

    def shutdown(self, _):
        """Does nothing: no process could accept connections any more."""

    def close(self):
        super().close()
        _c.close_listener(byref(self._handle))


def _poll(fds, seconds):
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return [fd for fd, _ in poll.poll(None if seconds is None else max(0, seconds) * 1000)]


class Connection(socket.socket):
    """An accepted socket: blocking, close-on-exec, counted as a session until it is closed."""
    def __init__(self, fd, worker, session):
        super().__init__(fileno=fd)
        super().setblocking(True)
        self.worker, self.session = worker, session

    def wait_for_request(self, buffered=None):
        """Returns True when bytes of a request are available (also in `buffered`, from makefile("rb")). Returns False
        when the connection should be closed: the client closed it, or it was idle long enough during a drain (or for
        IDLE_MAX)."""
        if buffered is not None and self._has_buffered(buffered):
            return True
        idle_since, leaving = time.monotonic(), self.worker.leaving
        while True:
            wakes = [] if leaving.since else [leaving.fd]
            left = leaving.idle_deadline(idle_since) - time.monotonic()
            if self.fileno() in _poll([self.fileno(), *wakes], left) or left <= 0:
                return bool(_c.has_bytes(self.fileno()))

    def _has_buffered(self, buffered):
        timeout = self.gettimeout()
        self.settimeout(0)  # peek() would wait for the client if nothing is buffered
        try:
            return bool(buffered.peek(1))
        except OSError:
            return False
        finally:
            self.settimeout(timeout)

    def finish(self):
        """Closes the sending half, reads until the client closes (for at most LINGER), and closes the socket."""
        end = time.monotonic() + LINGER
        try:
            _c.half_close(self.fileno())
            while _poll([self.fileno()], end - time.monotonic()) and self.recv(65536):
                pass
        except OSError:
            pass  # the client reset the connection
        self.close()

    def close(self):
        super().close()
        self.session.end()


class AsyncConnection:
    """An accepted connection for asyncio: `reader` and `writer` are its streams."""
    async def _open(self, connection):
        loop = asyncio.get_running_loop()
        self._fd, self._leaving, self._event = connection.fileno(), connection.worker.leaving, asyncio.Event()
        self.reader = _Reader(loop=loop)
        self.reader.woken = self._event
        protocol = asyncio.StreamReaderProtocol(self.reader, loop=loop)
        self._transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection)
        self.writer = asyncio.StreamWriter(self._transport, protocol, self.reader, loop)

    async def wait_for_request(self):
        """See Connection.wait_for_request()."""
        idle_since = time.monotonic()
        while not self.reader.has_bytes() and not self.reader.at_eof():
            left = self._leaving.idle_deadline(idle_since) - time.monotonic()
            if left <= 0 and (self._transport.is_closing() or not _c.has_bytes(self._fd)):
                return False
            self._event.clear()
            try:
                await asyncio.wait_for(self._event.wait(), max(left, 0.001))
            except asyncio.TimeoutError:
                continue
        return self.reader.has_bytes()

    async def finish(self):
        """See Connection.finish()."""
        try:
            self.writer.write_eof()
            await asyncio.wait_for(self.reader.read(-1), LINGER)
        except (OSError, RuntimeError, asyncio.TimeoutError):
            pass
        self._transport.close()


class _Reader(asyncio.StreamReader):
    def has_bytes(self):
        return bool(self._buffer)

    def feed_data(self, data):
        super().feed_data(data)
        self.woken.set()

    def feed_eof(self):
        super().feed_eof()
        self.woken.set()


class _Leaving:
    """When the worker began to leave (None while it serves), and a descriptor that is readable while it leaves.
    Implements the rules of keep_alive.hpp."""
    def __init__(self, minimum):
        self.since, self.minimum, self.wakes = None, minimum, []
        self.fd, self._write_fd = os.pipe()

    def change(self, leaves):
        if leaves == (self.since is not None):
            return
        self.since = time.monotonic() if leaves else None
        os.write(self._write_fd, b".") if leaves else os.read(self.fd, 1)
        for wake in self.wakes:
            wake()

    def idle_deadline(self, idle_since):
        since = self.since
        if since is None:
            return idle_since + IDLE_MAX
        return max(since, idle_since) + self.minimum if self.minimum else since


class Worker:
    """This process as a worker of its supervisor. A standalone worker handles SIGTERM and SIGINT. Create it first, in
    the main thread (in the main coroutine if callbacks are coroutine functions). A process can have one at a time; a
    forked child is not a worker."""
    def __init__(self, *, lame_duck=0, grace_period=30, cancel_period=5, keep_alive_min=1, health=None, drive=THREAD,
                 post=None):
        options = _Options()
        _check(_c.init_options(byref(options), ctypes.sizeof(options)))
        options.lame_duck_ms, options.grace_period_ms = _milliseconds(lame_duck), _milliseconds(grace_period)
        options.cancel_period_ms, options.keep_alive_min_ms = _milliseconds(cancel_period), _milliseconds(keep_alive_min)
        options.health, options.drive = health and health.encode(), drive
        if post is not None:
            options.post, options.post_user = ctypes.cast(_post, c_void_p), _keep(post)
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        self._pid, self._drive, self._acceptors = os.getpid(), drive, []
        self._handle = _made(c_void_p, lambda handle: _c.new(byref(options), handle))
        self.leaving = _Leaving(_made(c_int64, _c.keep_alive_min, self._handle).value / 1000)
        self.on_drain(lambda: self.leaving.change(True))
        self.on_run(lambda: self.leaving.change(False))
        atexit.register(self.close)

    def close(self):
        """Asks the tasks to stop and joins them. Called automatically when the process exits. Does nothing in a forked
        child."""
        if os.getpid() != self._pid or not self._handle:
            return
        for acceptor in self._acceptors:
            _c.free_acceptor(byref(acceptor))
        _check(_c.free(byref(self._handle)))
        atexit.unregister(self.close)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _await_result(self, result):
        """Waits for the result of a callback in the worker's event loop, if it is awaitable."""
        async def awaited():
            return await result

        if not inspect.isawaitable(result):
            return
        if self._loop is None or self._drive == DISPATCH:
            raise TypeError("cannot run a coroutine function as a callback: the Worker has no event loop to run it in; "
                            "create the Worker in a coroutine, with drive=THREAD, or pass a plain function")
        asyncio.run_coroutine_threadsafe(awaited(), self._loop).result()

    def _runs(self, function):
        return _keep(lambda *arguments: self._await_result(function(*arguments)))

    def _on(self, stage, callback):
        try:
            inspect.signature(callback).bind(0.0)
            takes_remaining = callback
        except (TypeError, ValueError):
            def takes_remaining(_):
                return callback()
        _check(getattr(_c, "on_" + stage)(self._handle, _stage, self._runs(takes_remaining)))
        return callback

    # Each takes a function, also as a decorator. The function receives the time left (None: no deadline) if it takes
    # it.
    on_lame_duck = functools.partialmethod(_on, "lame_duck")
    on_pause = functools.partialmethod(_on, "pause")
    on_drain = functools.partialmethod(_on, "drain")
    on_run = functools.partialmethod(_on, "run")
    on_cancel = functools.partialmethod(_on, "cancel")
    on_released = functools.partialmethod(_on, "released")

    def listen(self, name, address):
        """Returns the inherited listener with that name, or one without a name that is bound to the address or is the
        only one. A process that inherited nothing and has no supervisor binds the address; any other raises."""
        return Listener(self, _made(c_void_p, _c.listen, self._handle, name.encode(), address.encode()))

    def listener(self, name_or_address=None):
        """Returns an inherited listener by name or address; None: the only one. Never binds."""
        wanted = name_or_address and name_or_address.encode()
        return Listener(self, _made(c_void_p, _c.take_listener, self._handle, wanted))

    def accept_on(self, listener, accepted):
        """Accepts connections on a thread of the SDK, which calls accepted(connection), and stops and resumes with the
        stages. Call it before ready(). Takes ownership of the listener."""
        def take(fd, session):
            accepted(Connection(fd, self, Session(c_void_p(session), _c.end_session)))

        self._acceptors.append(_made(c_void_p, _c.start_acceptor, self._handle, byref(listener._handle), _accepted,
                                     _keep(take)))
        listener.close()

    def serve_threads(self, listener, handle):
        """Calls handle(connection) on a new thread for each connection, and finishes the connection afterwards."""
        connections = set()

        def run(connection):
            try:
                handle(connection)
            except ConnectionError:
                pass  # the client disconnected
            finally:
                connection.finish()
                connections.discard(connection)

        def abandon():
            for connection in list(connections):
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)

        def accepted(connection):
            connections.add(connection)
            threading.Thread(target=run, args=(connection,), daemon=True).start()

        self.on_cancel(abandon)
        self.accept_on(listener, accepted)

    def serve_asyncio(self, listener, handle):
        """Awaits handle(AsyncConnection) in the running loop for each connection, and finishes it afterwards."""
        loop, connections = self._loop, {}

        async def run(accepted):
            connection = AsyncConnection()
            await connection._open(accepted)
            connections[connection] = asyncio.current_task()
            try:
                await handle(connection)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass  # the client disconnected
            except Exception as error:
                loop.call_exception_handler({"message": "a connection's handler raised", "exception": error})
            finally:
                await connection.finish()
                del connections[connection]

        def for_each(function):
            loop.call_soon_threadsafe(lambda: [function(connection) for connection in connections])

        self.leaving.wakes.append(lambda: for_each(lambda connection: connection._event.set()))
        self.on_cancel(lambda: for_each(lambda connection: connection._transport.abort()))
        self.accept_on(listener, lambda accepted: asyncio.run_coroutine_threadsafe(run(accepted), loop))

    def request(self, name):
        """Counts a request until it ends: `with worker.request("GET /"):`. The drain waits for it."""
        return _Handle(_made(c_void_p, _c.begin_request, self._handle, name.encode()), _c.end_request)

    def session(self, name, leave_within=None):
        """Begins a session: something that lasts longer than a request. It is asked to leave when the drain begins."""
        made = _made(c_void_p, _c.begin_session, self._handle, name.encode(), _milliseconds(leave_within))
        return Session(made, _c.end_session)

    def work(self, name, hand_back):
        """Holds an item of work. hand_back() is called if it is dropped, or is still held at the cancel."""
        number = self._runs(hand_back)
        return Work(_made(c_void_p, _c.hold_work, self._handle, name.encode(), _plain, number), _c.drop_work, number)

    def start_task(self, name, function):
        """Runs function(stop) on a thread of the SDK, or in the event loop if it is a coroutine function."""
        def run(handle):
            stop = Stop(handle)
            try:
                self._await_result(function(stop))
            finally:
                stop._handle = None  # it belongs to the task, which has ended

        return User(self, _made(c_uint64, _c.start_task, self._handle, name.encode(), _task, _keep(run)).value)

    def _add(self, function, name, close):
        return Resource(self, _made(c_uint64, function, self._handle, name.encode(), _plain, self._runs(close)).value)

    resource = functools.partialmethod(_add, _c.resource)  # (name, close): closed when nothing uses it any more
    close_last = functools.partialmethod(_add, _c.close_last)  # (name, close): closed after all that was added later

    def ready(self):
        _check(_c.ready(self._handle))

    def stop(self):
        """Requests a stop; the same as SIGTERM."""
        _check(_c.stop_worker(self._handle))

    def _start_wait(self):
        status = concurrent.futures.Future()

        def run():
            try:
                status.set_result(_check(_c.wait(self._handle)))
            except HoldfastError as error:
                status.set_exception(error)

        threading.Thread(target=run, daemon=True).start()
        return status

    def wait(self):
        """Blocks until everything is released, and returns the exit status: 0, or 3 if something was still held. Waits
        in Python, not in C, so signal handlers of Python still run, and may raise."""
        return self._start_wait().result()

    async def wait_async(self):
        """See wait(). With drive=DISPATCH it also runs the worker."""
        if self._drive == THREAD:
            return await asyncio.wrap_future(self._start_wait())
        while (status := self.result()) is None:
            await _readable(self.fileno())
            self.dispatch()
        return status

    def fileno(self):
        """For drive=DISPATCH: returns a descriptor that is readable while there is something to dispatch."""
        return _check(_c.fd(self._handle))

    def dispatch(self):
        _check(_c.dispatch(self._handle))

    def result(self):
        """For drive=DISPATCH: returns the result of wait(), or None while wait() would block."""
        status = _c.result(self._handle)
        return None if status == -errno.EAGAIN else _check(status)

    is_supervised = property(lambda self: bool(_check(_c.is_supervised(self._handle))))
    draining = property(lambda self: bool(_check(_c.draining(self._handle))), doc="Whether this process is leaving.")
    keep_alive_min = property(lambda self: self.leaving.minimum)
    # Whether a response must contain "Connection: close".
    says_close = property(lambda self: self.leaving.minimum > 0 and self.draining)
    # The deadline of the current stage, and the time until then; None while serving.
    deadline = property(lambda self: _seconds(_made(c_int64, _c.deadline, self._handle).value))
    remaining = property(lambda self: _seconds(_made(c_int64, _c.remaining, self._handle).value))

    def report(self):
        """Returns what is held: stage, remaining, the counts, text, and the oldest as `waiting` (kind, name, age)."""
        handle = _made(POINTER(_Report), _c.make_report, self._handle)
        try:
            made = handle.contents
            waiting = [types.SimpleNamespace(kind=held.kind.decode(), name=held.name.decode(errors="replace"),
                                             age=held.age_usec / 1e6) for held in made.waiting[:made.waiting_count]]
            return types.SimpleNamespace(
                stage=("run", "lame-duck", "pause", "drain", "cancel")[made.stage],
                remaining=_seconds(made.remaining_usec), text=made.text.decode(errors="replace"), waiting=waiting,
                **{name: getattr(made, name) for name in _COUNTS})
        finally:
            _c.free_report(byref(handle))
