"""holdfast for Python: lossless restarts and stops, in a single file on top of libholdfast.so.1 (see holdfast.h).

    worker = holdfast.Worker()
    listener = worker.listen("http", ":8080")
    worker.close_last("database", pool.close)
    worker.serve_threads(listener, handle)    # or, in a coroutine, worker.serve_asyncio(listener, handle)
    worker.ready()
    sys.exit(worker.wait())                   # or await worker.wait_async()

Times are in seconds; points in time are those of time.monotonic(). All functions may be called from any thread.
Callbacks run on threads of the SDK; a coroutine function runs in the event loop in which it was registered, or else in
the one in which the Worker was created. An exception in a callback is reported by name and stops nothing else.
"""
import array
import asyncio
import atexit
import collections
import concurrent.futures
import contextlib
import ctypes
import ctypes.util
import errno
import fcntl
import functools
import inspect
import itertools
import os
import queue
import select
import signal
import socket
import ssl as _ssl
import termios
import threading
import time
import traceback
import types
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_int, c_int64, c_size_t, c_uint64, c_void_p

REQUESTS, SESSIONS, WORK, TASKS = 1, 2, 3, 4  # for Resource.used_by: all users of one kind
THREAD, DISPATCH = 0, 1  # what runs a Worker: a thread of the SDK, or an event loop by fileno() and dispatch()
IDLE_MAX, LINGER = 75.0, 1.0  # idle timeout of a connection; how long to wait for the client to close after us
HANDSHAKE, STALLED = 10.0, 30.0  # for a TLS handshake; until a client is given up that reads nothing of its response


class HoldfastError(OSError):
    """An error of the SDK. errno is documented in holdfast.h; the message says what to do."""


class _Options(Structure):
    _fields_ = [("size", c_size_t), ("lame_duck_ms", c_int64), ("grace_period_ms", c_int64),
                ("cancel_period_ms", c_int64), ("keep_alive_min_ms", c_int64), ("health", c_char_p),
                ("drive", c_int), ("post", c_void_p), ("post_user", c_void_p), ("give_up", c_int)]


class _TaskOptions(Structure):
    _fields_ = [("size", c_size_t), ("start", c_int), ("on_error", c_int), ("need", c_int)]


class _Waiting(Structure):
    _fields_ = [("kind", c_char_p), ("name", c_char_p), ("age_usec", c_int64)]


_COUNTS = ("requests", "sessions", "tasks", "work", "resources", "served", "handed_back")


class _Report(Structure):
    _fields_ = [("size", c_size_t), ("stage", c_int), ("remaining_usec", c_int64), *((n, c_uint64) for n in _COUNTS),
                ("text", c_char_p), ("waiting_count", c_size_t), ("waiting", POINTER(_Waiting)), ("lost", c_uint64),
                ("failed_count", c_size_t), ("failed", POINTER(c_char_p))]


_STAGE, _PLAIN = CFUNCTYPE(c_int, c_int64, c_void_p), CFUNCTYPE(c_int, c_void_p)
_TASK, _ACCEPTED = CFUNCTYPE(c_int, c_void_p, c_void_p), CFUNCTYPE(c_int, c_int, c_void_p, c_void_p)
_POST, _RUN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p), CFUNCTYPE(None, c_void_p)
# Each letter is the type of an argument. Capitals are outputs: H for a handle, L and U for numbers.
_TYPES = {"p": c_void_p, "s": c_char_p, "i": c_int, "l": c_int64, "u": c_uint64, "z": c_size_t, "H": POINTER(c_void_p),
          "L": POINTER(c_int64), "U": POINTER(c_uint64), "O": POINTER(_Options), "T": POINTER(_TaskOptions),
          "R": POINTER(POINTER(_Report)), "g": _STAGE, "c": _PLAIN, "t": _TASK, "a": _ACCEPTED}
_FUNCTIONS = """
    version= last_error= fail=is init_options=Oz new=OH free=H on_lame_duck=pgp on_pause=pgp on_drain=pgp on_run=pgp
    on_cancel=pgp on_released=pgp accepts=pggp ready=p stop_worker=p wait=p fd=p dispatch=p result=p draining=p
    deadline=pL remaining=pL is_supervised=p keep_alive_min=pL listen=pssH take_listener=psH listener_fd=p
    listener_name=p listener_address=p listener_is_inherited=p close_listener=H accept=piH start_acceptor=pHapH
    free_acceptor=H begin_request=psH end_request=H accept_failed_for_long=i begin_session=pslH end_session=H
    session_has_to_leave=p session_on_leave=pcp session_set_name=ps session_set_leave_within=pl session_deadline=pL
    hold_work=pscpH claim_work=p finish_work=H drop_work=H init_task_options=Tz start_task_with=pstpTU
    stop_requested=p stop_wait=pl stop_fd=p resource=pscpU close_last=pscpU used_by=puu close_within=pul
    make_report=pR free_report=R has_bytes=i has_ended=i half_close=i"""


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


def _choice(name, given, *words):
    """Returns the number of a word in C, where they have this order."""
    if given not in words:
        raise ValueError(f"{name} is {given!r}; give one of {', '.join(map(repr, words))}")
    return words.index(given)


def _seconds(usec):
    return None if usec in (-1, 2**63 - 1) else usec / 1e6


def _milliseconds(seconds):
    return -1 if seconds is None else round(seconds * 1000)


# C calls functions that live forever and passes the number of a callback, so that no ctypes callback can be freed too
# early. A number is removed when C can no longer call it, never before: by the call, if there is only one; when C says
# that there will be none (the item of work was claimed, the session has ended); when the worker is freed.
_Callback = collections.namedtuple("_Callback", "function runs_once owner")
_callbacks, _numbers = {}, itertools.count(1)


def _register(function, register, runs_once=False, owner=None):
    """Keeps the function under a new number, and passes the number to register(). Returns both results."""
    number = next(_numbers)
    _callbacks[number] = _Callback(function, runs_once, owner)
    try:
        return number, register(number)
    except BaseException:
        _callbacks.pop(number, None)
        raise


_in_callback = threading.local()


def _call(number, *arguments):
    _in_callback.depth = getattr(_in_callback, "depth", 0) + 1
    try:
        callback = _callbacks[number]
        if callback.runs_once:
            del _callbacks[number]
        callback.function(*arguments)
        return 0
    except BaseException as error:  # C only receives an error
        _print_traceback()
        text = "".join(traceback.format_exception_only(type(error), error)).strip()
        return _c.fail(errno.ECANCELED, text.encode(errors="replace"))
    finally:
        _in_callback.depth -= 1


def _refuse_in_callback(what):
    if getattr(_in_callback, "depth", 0) > 0:
        raise HoldfastError(errno.EPERM, f"cannot {what} in a callback or a task, which would wait for itself: call "
                            "stop() there")


def _print_traceback():
    """Prints the current exception, unless nobody reads standard error: a callback must not wait for that."""
    with contextlib.suppress(Exception):
        if _poll([2], 0, select.POLLOUT):
            traceback.print_exc()


_plain = _PLAIN(_call)
_stage = _STAGE(lambda remaining, number: _call(number, _seconds(remaining)))
_stop, _start = (_STAGE(lambda remaining, number, name=name: _call(number, name, _seconds(remaining)))
                 for name in ("stop", "start"))
_task = _TASK(lambda stop, number: _call(number, stop))
_accepted = _ACCEPTED(lambda fd, session, number: _call(number, fd, session))
_post = _POST(lambda run, argument, number: _call(number, _run_once(run, argument)))


def _run_once(run, argument):
    arguments = [argument]
    return lambda: _RUN(run)(arguments.pop())  # raises IndexError if it is called again


class _Handle:
    """Ends at end(), at the end of a `with` statement, or when it is garbage-collected. May be ended more than once,
    and on any thread while others use it."""
    def __init__(self, handle, end):
        self._handle, self._end, self._lock = handle, end, threading.RLock()

    def _take(self):
        """Returns the handle, which only the caller may use from now on."""
        with self._lock:
            handle, self._handle = self._handle, c_void_p()
        return handle

    def end(self):
        handle = self._take()
        if handle:
            _check(self._end(byref(handle)))

    __del__ = end

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class _Ender:
    """A thread that ends sessions and items of work where the caller must not wait for the program's functions: in a
    finalizer, which runs on any thread and at any time, and in the event loop that the functions need."""
    def __init__(self):
        self._queue, self._lock, self._thread, self._pid = queue.SimpleQueue(), threading.Lock(), None, 0

    def start(self):
        if self._thread is not None:
            return
        with self._lock, contextlib.suppress(RuntimeError):  # no thread is left: handles end on the thread that asks
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="holdfast-ender", daemon=True)
                thread.start()
                self._pid, self._thread = os.getpid(), thread

    def end(self, handle):
        """Ends the handle soon. Can be called by a finalizer: takes no lock."""
        if self._thread is None:
            handle._end_here()
        elif self._pid == os.getpid():  # nothing is counted in a forked child
            self._queue.put(handle)

    def stop(self):
        """Returns when the handles so far have ended. Later ones end on the thread that asks."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            if thread is not threading.current_thread():
                thread.join()

    def _run(self):
        while (handle := self._queue.get()) is not None:
            try:
                handle._end_here()
            except Exception:
                _print_traceback()
            del handle


_ender = _Ender()


class Session(_Handle):
    def __init__(self, handle, worker):
        super().__init__(handle, _c.end_session)
        self._worker, self._number = worker, None
        _ender.start()

    @property
    def has_to_leave(self):
        with self._lock:
            return not self._handle or bool(_check(_c.session_has_to_leave(self._handle)))

    @property
    def deadline(self):
        """The time by which it must have left; None until it is asked to leave, and when it has ended."""
        with self._lock:
            return _seconds(_made(c_int64, _c.session_deadline, self._handle).value) if self._handle else None

    def set_name(self, name):
        """Changes the name that people see, for example once the first line of a connection has been read."""
        with self._lock:
            _check(_c.session_set_name(self._handle, name.encode()))

    def set_leave_within(self, seconds):
        """Changes the time that the session has to leave after it was asked to."""
        with self._lock:
            _check(_c.session_set_leave_within(self._handle, _milliseconds(seconds)))

    def on_leave(self, function):
        """Calls function() once, when the session is asked to leave; at once if it already has been. A coroutine is
        started in the event loop, and nobody waits for it: the session counts until it ends."""
        loop = self._worker._loop_for(function, "when a session leaves", waits=False)

        def leave():
            result = function()
            if inspect.isawaitable(result):
                _start_in(loop, result, "cannot ask a session to leave")

        with self._lock:
            self._number, _ = _register(leave, lambda number: _check(_c.session_on_leave(self._handle, _plain, number)),
                                        runs_once=True)
        return function

    def _end_here(self):
        super().end()  # waits until a callback that runs on another thread has returned
        _callbacks.pop(self._number, None)

    end = _end_here

    def __del__(self):
        if getattr(self, "_handle", None):
            _ender.end(self)


class Work(_Handle):
    """An item of work. It is handed back if it ends unclaimed."""
    def __init__(self, handle, number, loop):
        super().__init__(handle, _c.drop_work)
        self._number, self._loop = number, loop  # the loop in which the item is handed back, if any
        _ender.start()

    def claim(self):
        """Claims the item; call it before a step that must not happen twice. The item stays held. Returns False if it
        has been handed back: do not commit."""
        with self._lock:
            return self._is_ours(_check(_c.claim_work(self._handle)))

    def finish(self):
        """Claims the item as claim() does, and releases it; call it when the item is done."""
        handle = self._take()
        return self._is_ours(_check(_c.finish_work(byref(handle))))

    def _is_ours(self, is_claimed):
        if is_claimed:
            _callbacks.pop(self._number, None)  # else it has been called, or is about to be
        return bool(is_claimed)

    def end(self):
        """Releases the item, and hands it back unless it was claimed. Returns when that is done, but in the event loop
        in which hand_back() is awaited at once: another thread waits for it there."""
        if self._loop is not None and self._number in _callbacks and _running_loop() is self._loop:
            _ender.end(self)
        else:
            self._end_here()

    def _end_here(self):
        super().end()

    def __del__(self):
        if getattr(self, "_handle", None):
            _ender.end(self)


_running_loop = asyncio._get_running_loop  # None if there is none, where the public function raises


def _is_async(function):
    if isinstance(function, types.FunctionType):
        return bool(function.__code__.co_flags & inspect.CO_COROUTINE)
    while isinstance(function, functools.partial):
        function = function.func
    return any(map(inspect.iscoroutinefunction, (function, getattr(function, "__call__", None))))


def _takes(function, *arguments):
    """Whether the function can be called with these arguments."""
    try:
        inspect.signature(function).bind(*arguments)
        return True
    except (TypeError, ValueError):
        return False


def _discard(awaitable):
    """Lets an awaitable go that will not be awaited, without a warning."""
    if inspect.iscoroutine(awaitable):
        awaitable.close()


_started = set()  # a loop only keeps weak references to its tasks


def _start_in(loop, awaitable, what):
    """Starts the awaitable in the loop. Nobody waits for it; an exception is printed with `what` failed."""
    async def run():
        try:
            await awaitable
        except Exception as error:
            loop.call_exception_handler({"message": what, "exception": error})

    def start():
        task = loop.create_task(run())
        _started.add(task)
        task.add_done_callback(_started.discard)

    try:
        if loop is None:
            raise TypeError("no event loop was running when the function was registered; register it in a coroutine")
        loop.call_soon_threadsafe(start)
    except (TypeError, RuntimeError) as error:
        _discard(awaitable)
        raise HoldfastError(errno.ECANCELED, f"{what}: {error}") from None


class _LoopCall:
    """An awaitable that runs in an event loop while a thread of the SDK waits for it."""
    def __init__(self, loop, awaitable):
        self.loop, self._awaitable, self._task, self._is_cancelled = loop, awaitable, None, False
        self._result = concurrent.futures.Future()

    def wait(self):
        try:
            self.loop.call_soon_threadsafe(self._start)
        except RuntimeError as error:
            self.give_up(str(error))
        return self._result.result()

    def _start(self):
        if self._result.done():
            return

        async def run():
            return await self._awaitable

        self._task = self.loop.create_task(run())
        self._task.add_done_callback(self._over)
        if self._is_cancelled:
            self._cancel_soon()

    def _over(self, task):
        with contextlib.suppress(concurrent.futures.InvalidStateError):  # give_up() was first
            if task.cancelled():
                self._result.set_exception(asyncio.CancelledError())
            elif task.exception() is not None:
                self._result.set_exception(task.exception())
            else:
                self._result.set_result(task.result())

    def give_up(self, cause):
        """Ends the wait with an error, because the loop does not run the awaitable."""
        with contextlib.suppress(concurrent.futures.InvalidStateError):
            self._result.set_exception(HoldfastError(errno.ECANCELED, f"cannot await a coroutine: {cause}"))
        if self._task is None:
            _discard(self._awaitable)
        else:
            self.cancel()

    def _cancel_soon(self):
        self.loop.call_soon(self._task.cancel)  # after its first step, or it would not run at all

    def cancel(self):
        def cancel():
            self._is_cancelled = True
            if self._task is not None:
                self._cancel_soon()

        with contextlib.suppress(RuntimeError):  # the loop is closed
            self.loop.call_soon_threadsafe(cancel)


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
        self._handle, self._asked = handle, None  # the event belongs to a task in an event loop

    def is_set(self):
        return bool(_check(_c.stop_requested(self._handle)))

    def wait(self, timeout=None):
        return bool(_check(_c.stop_wait(self._handle, _milliseconds(timeout))))

    def fileno(self):
        """Returns a descriptor that becomes readable, and stays so, when the task is asked to stop."""
        return _check(_c.stop_fd(self._handle))

    async def wait_async(self):
        await (_readable(self.fileno()) if self._asked is None else self._asked.wait())

    async def _run(self, function, takes_stop):
        """Runs the coroutine function of a task. One that does not take the stop token is cancelled instead."""
        loop, task, fd, self._asked = asyncio.get_running_loop(), asyncio.current_task(), self.fileno(), asyncio.Event()

        def asked():
            loop.remove_reader(fd)
            self._asked.set()
            if not takes_stop:
                task.cancel()

        loop.add_reader(fd, asked)
        try:
            await (function(self) if takes_stop else function())
        except asyncio.CancelledError:
            if not self.is_set():
                raise
        finally:
            loop.remove_reader(fd)  # it is closed when the task has ended


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
    the socket is harmless. For a loop that stops and starts with the stages, see Worker.connections()."""
    def __init__(self, worker, handle):
        self._worker, self._handle, self._accept_timeout = worker, handle, None
        self.name, self.address = _c.listener_name(handle).decode(), _c.listener_address(handle).decode()
        self.is_inherited = bool(_c.listener_is_inherited(handle))
        super().__init__(fileno=os.dup(_check(_c.listener_fd(handle))))

    def accept(self):
        """Returns the next connection that its client has not given up. Raises HoldfastError with errno ESHUTDOWN once
        the worker accepts no more: its listener was shut down at the drain, or the release has begun."""
        while True:
            if self._accept_timeout != 0 and not _poll([self.fileno()], self._accept_timeout):
                raise socket.timeout("timed out")
            handle = c_void_p()
            fd = _c.accept(self._worker._handle, self.fileno(), byref(handle))
            if fd >= 0:
                connection = Connection(fd, self._worker, Session(handle, self._worker))
                try:
                    return connection, connection.getpeername()
                except OSError:
                    connection.close()  # the client has reset it
            elif fd == -errno.ESHUTDOWN or (fd == -errno.EINVAL and self._worker.draining):
                raise HoldfastError(errno.ESHUTDOWN, f"cannot accept from {self.address}: the worker is draining; end "
                                    "the loop, or use Worker.connections(), which ends by itself")
            elif _c.accept_failed_for_long(fd):
                _check(fd)
            elif self._accept_timeout == 0:
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


def _poll(fds, seconds, events=select.POLLIN):
    poll = select.poll()
    for fd in fds:
        if fd < 0:
            raise OSError(errno.EBADF, "the socket is closed")
        poll.register(fd, events)
    return [fd for fd, _ in poll.poll(None if seconds is None else max(0, seconds) * 1000)]


class _Detached:
    """Connections whose descriptor was detached, as ssl does: they count until the descriptor is closed. As nobody
    reports that, it is checked when another one is added, in a report, and INTERVAL apart while the worker leaves."""
    INTERVAL = 0.05

    def __init__(self, leaving):
        self._leaving, self._lock, self._held, self._limit = leaving, threading.Lock(), {}, 64
        self._is_watched = False

    def add(self, fd, session):
        with self._lock:
            self._held[fd, os.fstat(fd).st_ino] = session
            is_many = len(self._held) >= self._limit
        if is_many:
            self.end_closed()
            self._limit = 2 * len(self._held) + 64
        self.watch()

    def remove(self, session):
        with self._lock:
            self._held = {key: held for key, held in self._held.items() if held is not session}

    def end_closed(self):
        with self._lock:
            closed = [key for key in self._held if not self._is_open(*key)]
            sessions = [self._held.pop(key) for key in closed]
        for session in sessions:
            session.end()

    @staticmethod
    def _is_open(fd, inode):
        try:
            return os.fstat(fd).st_ino == inode
        except OSError:
            return False

    def shut_down(self, session):
        """Shuts the socket down that the session counts, if it is still open."""
        with self._lock:
            fds = [key[0] for key, held in self._held.items() if held is session and self._is_open(*key)]
        for fd in fds:
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(fd)) as copy:
                copy.shutdown(socket.SHUT_RDWR)

    def watch(self):
        """Starts to check, if that is needed and no thread does it."""
        with self._lock:
            if self._is_watched or not self._is_needed():
                return
            self._is_watched = True
        try:
            threading.Thread(target=self._watch, name="holdfast-detached", daemon=True).start()
        except RuntimeError:
            self._is_watched = False  # no thread is left; the next one that is added tries again

    def _is_needed(self):
        return bool(self._held) and self._leaving.since is not None

    def _watch(self):
        while True:
            self.end_closed()
            with self._lock:
                self._is_watched = self._is_needed()
            if not self._is_watched:
                return
            time.sleep(self.INTERVAL)


# How reads and writes fail if the client has disconnected. It is no error of the program.
_CLIENT_LEFT = ConnectionError, _ssl.SSLEOFError, _ssl.SSLZeroReturnError


class Connection(socket.socket):
    """An accepted socket: blocking, close-on-exec, counted as `session` until it is closed. If its descriptor is
    detached, as by SSLContext.wrap_socket(), until that is closed."""
    def __init__(self, fd, worker, session):
        super().__init__(fileno=fd)
        super().setblocking(True)
        self.worker, self.session = worker, session

    def wait_for_request(self, buffered=None):
        """Returns True when bytes of a request are available (also in `buffered`, from makefile("rb")). Returns False
        when the connection should be closed: the client closed it, or it was idle long enough during a drain (or for
        IDLE_MAX)."""
        if self._has_decrypted() or (buffered is not None and self._has_buffered(buffered)):
            return True
        idle_since, leaving = time.monotonic(), self.worker.leaving
        while True:
            wakes = [] if leaving.since else [leaving.fd]
            left = leaving.idle_deadline(idle_since) - time.monotonic()
            if self.fileno() in _poll([self.fileno(), *wakes], left) or left <= 0:
                return bool(_c.has_bytes(self.fileno()))

    def _has_decrypted(self):
        return False

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
            self._say_goodbye()
            _c.half_close(self.fileno())
            while _poll([self.fileno()], end - time.monotonic()) and socket.socket.recv(self, 65536):
                pass
        except OSError:
            pass  # the client reset the connection, or the socket is closed
        finally:
            self.close()

    def _say_goodbye(self):
        """For TLS: tells the client that no more follows."""

    def _abandon(self):
        """Ends reads and writes of the connection, which other threads may wait for. It stays open."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self, socket.SHUT_RDWR)
        self.worker._detached.shut_down(self.session)

    def detach(self):
        if self.fileno() >= 0 and self.session is not None:
            self.worker._detached.add(self.fileno(), self.session)
        self._is_detached = True
        return socket.socket.detach(self)

    _is_detached = False

    def close(self):
        super().close()
        if self._is_detached:
            self.worker._detached.end_closed()
        elif self.session is not None:
            self.session.end()

    def wrap_tls(self, context):
        """Returns this connection as a server's TLS connection: an ssl.SSLSocket with the functions of this class. The
        handshake has HANDSHAKE seconds. The context makes only such sockets from now on."""
        context.sslsocket_class = TLSConnection
        self.settimeout(HANDSHAKE)
        made = context.wrap_socket(self, server_side=True, do_handshake_on_connect=False)
        made.worker, made.session = self.worker, self.session
        self.worker._detached.remove(self.session)
        try:
            made.do_handshake()
            made.settimeout(None)
            return made
        except BaseException:
            made.close()
            raise


class TLSConnection(_ssl.SSLSocket):
    """See Connection.wrap_tls()."""
    worker = session = None
    _is_detached = False
    wait_for_request, _has_buffered = Connection.wait_for_request, Connection._has_buffered
    finish, _abandon = Connection.finish, Connection._abandon

    def _has_decrypted(self):
        return self.pending() > 0

    def _say_goodbye(self):
        self.settimeout(LINGER)
        with contextlib.suppress(OSError, ValueError):  # the client need not answer
            self.unwrap()

    def detach(self):
        return Connection.detach(self)

    def close(self):
        super().close()
        if self.session is not None:
            self.session.end()


class AsyncConnection:
    """An accepted connection for asyncio: `reader` and `writer` are its streams, and it counts as `session`."""
    def __init__(self, accepted):
        self._accepted, self._fd, self._transport = accepted, accepted.fileno(), None
        self._leaving, self._event = accepted.worker.leaving, asyncio.Event()
        self.session = accepted.session

    async def _open(self, context):
        """Returns whether there is a client to be served: for TLS, one that has made the handshake."""
        loop = asyncio.get_running_loop()
        options = {} if context is None else {"ssl": context, "ssl_handshake_timeout": HANDSHAKE}
        if context is not None and not await self._wait_for_handshake(loop):
            return False
        self.reader = _Reader(loop=loop)
        self.reader.woken = self._event
        protocol = asyncio.StreamReaderProtocol(self.reader, loop=loop)
        try:
            self._transport, _ = await loop.connect_accepted_socket(lambda: protocol, self._accepted, **options)
        except (OSError, asyncio.TimeoutError):
            return False
        self.writer = asyncio.StreamWriter(self._transport, protocol, self.reader, loop)
        return True

    async def _wait_for_handshake(self, loop):
        loop.add_reader(self._fd, self._event.set)
        try:
            return await self._wait(lambda: _c.has_bytes(self._fd), lambda: _c.has_ended(self._fd))
        finally:
            loop.remove_reader(self._fd)

    async def wait_for_request(self):
        """See Connection.wait_for_request()."""
        return await self._wait(self.reader.has_bytes, self.reader.at_eof)

    async def _wait(self, has_bytes, has_ended):
        idle_since = time.monotonic()
        while not has_bytes() and not has_ended():
            left = self._leaving.idle_deadline(idle_since) - time.monotonic()
            if left <= 0 and (self._is_closing() or not _c.has_bytes(self._fd)):
                return False
            self._event.clear()
            try:
                await asyncio.wait_for(self._event.wait(), max(left, 0.001))
            except asyncio.TimeoutError:
                continue
        return bool(has_bytes())

    def _is_closing(self):
        return self._transport is not None and self._transport.is_closing()

    async def finish(self):
        """See Connection.finish(). A client that reads nothing for STALLED seconds is given up."""
        if self._transport is None:
            return
        self._transport.set_write_buffer_limits(high=1, low=0)  # a TLS transport that is empty exceeds 0
        ending, unsent, since = asyncio.ensure_future(self._end()), None, time.monotonic()
        try:
            while not (await asyncio.wait([ending], timeout=LINGER))[0]:
                former, unsent = unsent, _unsent(self._fd)
                since = since if unsent == former else time.monotonic()
                if time.monotonic() - since >= STALLED or (unsent == 0 and self._is_closing()):
                    self._transport.abort()
        finally:
            self._transport.abort()
            ending.cancel()

    async def _end(self):
        try:
            await self.writer.drain()
            if self._transport.can_write_eof():
                self._transport.write_eof()
                await asyncio.wait_for(self.reader.read(-1), LINGER)
        except (OSError, RuntimeError, asyncio.TimeoutError):
            pass  # the client disconnected or does not, or another task reads
        self._transport.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    def _abandon(self, task):
        """Cancels the task that handles the connection, and ends the connection LINGER later at the latest."""
        task.cancel()
        asyncio.get_running_loop().call_later(LINGER, self._drop)

    def _drop(self):
        """Ends the connection at once."""
        if self._transport is None:
            self._accepted.close()
        else:
            self._transport.abort()


def _unsent(fd):
    """How many bytes the client has not received yet."""
    count = array.array("i", [0])
    with contextlib.suppress(OSError):  # it is closed
        fcntl.ioctl(fd, termios.TIOCOUTQ, count)
    return count[0]


class _Reader(asyncio.StreamReader):
    def has_bytes(self):
        return bool(self._buffer)

    def feed_data(self, data):
        super().feed_data(data)
        self.woken.set()

    def feed_eof(self):
        super().feed_eof()
        self.woken.set()


class _Connections:
    """Hands connections from the accepting thread to the threads that iterate. One waits; during a pause or a drain,
    when the accept queue is emptied, any number."""
    def __init__(self):
        self._changed, self._waiting, self._is_limited, self._has_ended = threading.Condition(), [], True, False
        self._is_cancelled = False

    def put(self, connection):
        with self._changed:
            self._waiting.append(connection)
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._waiting or not self._is_limited)
        if self._is_cancelled:
            self.drop()

    def __iter__(self):
        return self

    def __next__(self):
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._has_ended)
            if not self._waiting:
                raise StopIteration
            connection = self._waiting.pop(0)
            self._changed.notify_all()
            return connection

    def limit(self):
        self._set(is_limited=True)

    def lift(self):
        self._set(is_limited=False)

    def drop(self):
        """Closes the connections for which nobody has come."""
        with self._changed:
            self._is_cancelled = True
            dropped, self._waiting = self._waiting, []
        for connection in dropped:
            connection.close()

    def end(self):
        self._set(is_limited=False, has_ended=True)

    def _set(self, is_limited, has_ended=False):
        with self._changed:
            self._is_limited, self._has_ended = is_limited, has_ended or self._has_ended
            self._changed.notify_all()


def _wait_with_signals(status):
    """Waits for the future in the main thread, in which Python runs the handlers of signals. A signal that comes just
    before the thread waits for a lock does not wake it, but always writes to this descriptor."""
    read, write = socket.socketpair()
    with read, write:
        write.setblocking(False)
        former = signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)
        try:
            status.add_done_callback(lambda _: _notify(write))
            while not status.done():
                signals = read.recv(4096)
                with contextlib.suppress(OSError):  # it is full
                    if former != -1:
                        os.write(former, signals)
        finally:
            signal.set_wakeup_fd(former)


def _notify(write):
    with contextlib.suppress(OSError):  # it is full, or closed
        write.send(b"\0")


class _Leaving:
    """When the worker began to leave (None while it serves), and a descriptor that is readable while it leaves.
    Implements the rules of keep_alive.hpp."""
    def __init__(self):
        self.since, self.minimum, self.wakes = None, 0, []
        self.fd, self._write_fd = os.pipe()

    def change(self, leaves):
        if leaves == (self.since is not None):
            return
        self.since = time.monotonic() if leaves else None
        os.write(self._write_fd, b".") if leaves else os.read(self.fd, 1)
        for wake in list(self.wakes):
            wake()

    def idle_deadline(self, idle_since):
        since = self.since
        if since is None:
            return idle_since + IDLE_MAX
        return max(since, idle_since) + self.minimum if self.minimum else since


class Worker:
    """This process as a worker of its supervisor. A standalone worker handles SIGTERM and SIGINT. Create it first, in
    the main thread. A process can have one at a time; a forked child is not a worker."""
    def __init__(self, *, lame_duck=0, grace_period=30, cancel_period=5, keep_alive_min=1, health=None, drive=THREAD,
                 post=None, give_up="end_process"):
        """`give_up`: what follows the last deadline of a standalone worker if something is still held: "end_process"
        (with the report, and status 3), or "return_status" from wait()."""
        options = _Options()
        _check(_c.init_options(byref(options), ctypes.sizeof(options)))
        options.lame_duck_ms, options.grace_period_ms = _milliseconds(lame_duck), _milliseconds(grace_period)
        options.cancel_period_ms = _milliseconds(cancel_period)
        options.keep_alive_min_ms = _milliseconds(keep_alive_min)
        options.health, options.drive = health and health.encode(), drive
        options.give_up = _choice("give_up", give_up, "end_process", "return_status")
        self._loop, self._pid, self._drive, self._acceptors = _running_loop(), os.getpid(), drive, []
        self._lock, self._calls, self._blocked_loop, self._tasks = threading.Lock(), set(), None, set()
        self._is_cancelled, self._follows_run, self._iterators = False, False, []
        self._status, self._waits, self._close_lock = None, [], threading.RLock()
        self.leaving = _Leaving()
        self._detached = _Detached(self.leaving)
        self._handle = self._new(options, post)
        atexit.register(self.close)
        try:
            self.leaving.minimum = _made(c_int64, _c.keep_alive_min, self._handle).value / 1000
            self.on_drain(self._leave)
            self.on_cancel(self._cancel)
        except BaseException:
            self.close()
            raise

    def _new(self, options, post):
        def make(number):
            if number is not None:
                options.post, options.post_user = ctypes.cast(_post, c_void_p), number
            return _made(c_void_p, lambda handle: _c.new(byref(options), handle))

        return make(None) if post is None else _register(post, make, owner=self)[1]

    def _leave(self):
        self.leaving.change(True)
        self._detached.watch()

    def _cancel(self):
        self._is_cancelled = True
        with self._lock:
            tasks = list(self._tasks)
        for task in tasks:
            task.cancel()

    def _follow_run(self):
        """A drain can be taken back, so the connections must know it. Called before other callbacks for run are added:
        a worker without one is never sent that stage."""
        if not self._follows_run:
            self._follows_run = True
            self._add_callback("run", lambda: self.leaving.change(False))

    def close(self):
        """Asks the tasks to stop and joins them. Called automatically when the process exits. Does nothing in a forked
        child. A coroutine that cannot run meanwhile, because the caller is in its event loop or that is closed, is not
        waited for: use `async with`, or close the Worker after the loop."""
        if os.getpid() != self._pid:
            return
        _refuse_in_callback("close the worker")
        with self._close_lock:
            if self._handle:
                self._close()

    def _close(self):
        with self._lock:
            self._blocked_loop = _running_loop()
            calls = list(self._calls)
        for call in calls:
            if not self._can_run(call.loop):
                call.give_up("the worker is closed, and the event loop does not run")
        self._end_waits()
        _ender.stop()
        for connections in self._iterators:
            connections.end()
        for acceptor in self._acceptors:
            _c.free_acceptor(byref(acceptor))
        if _c.free(byref(self._handle)) == -errno.EBUSY:
            self._end_waits()  # one began meanwhile
            _check(_c.free(byref(self._handle)))
        atexit.unregister(self.close)
        for number in [number for number, callback in list(_callbacks.items()) if callback.owner is self]:
            _callbacks.pop(number, None)
        self._blocked_loop = None

    def _end_waits(self):
        """Stops the worker if threads are still in wait(), whose callers an exception has left. If that is interrupted
        as well, ends the process, because threads of the worker still run."""
        waits = [status for status in self._waits if not status.done()]
        if not waits:
            return
        try:
            self.stop()
            concurrent.futures.wait(waits)
        except BaseException:
            _print_traceback()
            os._exit(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await asyncio.get_running_loop().run_in_executor(None, self.close)

    def _can_run(self, loop):
        return loop.is_running() and loop is not self._blocked_loop

    def _loop_for(self, function, what, waits=True):
        """Returns the event loop in which the function runs if it is a coroutine function; raises TypeError if it is
        one and there is no loop. `waits`: a thread of the SDK waits for it."""
        loop = _running_loop() or self._loop
        if _is_async(function):
            name = getattr(function, "__qualname__", repr(function))
            if loop is None or loop.is_closed():
                raise TypeError(f"cannot call the coroutine function {name} {what}: no event loop is running; call "
                                "this in a coroutine, or pass a plain function")
            if waits and self._drive == DISPATCH:
                raise TypeError(f"cannot call the coroutine function {name} {what}: with drive=DISPATCH the event loop "
                                "would wait for itself; pass a plain function, or use drive=THREAD")
        return loop

    def _await_result(self, result, loop, is_task=False):
        """Waits for the result of a callback in the event loop, if it is awaitable."""
        if not inspect.isawaitable(result):
            return
        if loop is None or (self._drive == DISPATCH and not is_task) or _running_loop() is loop:
            _discard(result)
            raise TypeError("cannot await the result of a callback: no event loop ran when it was registered, or the "
                            "loop would wait for itself; register it in a coroutine, with drive=THREAD")
        call = _LoopCall(loop, result)
        with self._lock:
            self._calls.add(call)
            if is_task:
                self._tasks.add(call)
        try:
            if not self._can_run(loop):
                call.give_up("its event loop does not run")
            if is_task and self._is_cancelled:
                call.cancel()
            call.wait()
        finally:
            with self._lock:
                self._calls.discard(call)
                self._tasks.discard(call)

    def _runs(self, function, what):
        """Returns a function that calls this one, and waits for it if it is a coroutine function."""
        loop = self._loop_for(function, what)
        return lambda *arguments: self._await_result(function(*arguments), loop)

    def _runs_for_stage(self, function, stage):
        run, takes_remaining = self._runs(function, f"for {stage}"), _takes(function, 0.0)
        return lambda remaining: run(*([remaining] if takes_remaining else []))

    def accepts(self, stop, start):
        """All that pause, run and drain need of a program that accepts connections itself. stop() is called at a pause,
        and at a drain unless it was called before: it stops accepting, and returns when the accept queue is empty.
        start() is called when that is taken back: it accepts again. Both may take the time left. Call it before
        ready(). connections(), accept_on() and the serve_ functions do this themselves."""
        self._follow_run()
        functions = {"stop": self._runs_for_stage(stop, "stop"), "start": self._runs_for_stage(start, "start")}
        _register(lambda name, remaining: functions[name](remaining),
                  lambda number: _check(_c.accepts(self._handle, _stop, _start, number)), owner=self)

    def _add_callback(self, stage, function):
        add = getattr(_c, "on_" + stage)
        _register(self._runs_for_stage(function, stage), lambda number: _check(add(self._handle, _stage, number)),
                  owner=self)

    def _on(self, stage, callback):
        if stage == "run":
            self._follow_run()
        self._add_callback(stage, callback)
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
        stages. Call it before ready(). Takes ownership of the listener. If accepted() raises, it has closed the
        connection, or nobody uses it any more."""
        self._follow_run()

        def take(fd, session):
            accepted(Connection(fd, self, Session(c_void_p(session), self)))

        def start(number):
            return _made(c_void_p, _c.start_acceptor, self._handle, byref(listener._handle), _accepted, number)

        self._acceptors.append(_register(take, start, owner=self)[1])
        listener.close()

    def connections(self, listener):
        """Returns an iterator of connections, for a loop of the program: `for connection in connections`. At pause and
        drain it yields what is queued and then waits; at run it continues; it ends when everything is released. Several
        threads may share it. Call it before ready(). Takes ownership of the listener."""
        connections = _Connections()
        self.accepts(connections.lift, connections.limit)
        self.on_cancel(connections.drop)
        self.on_released(connections.end)
        self._iterators.append(connections)
        self.accept_on(listener, connections.put)
        return connections

    def serve_threads(self, listener, handle, *, ssl=None):
        """Calls handle(connection) on a new thread for each connection, and finishes the connection afterwards. With an
        ssl.SSLContext, which then makes only such sockets, the connection is a TLSConnection."""
        connections = set()

        def run(accepted):
            connection = accepted
            try:
                if ssl is not None:
                    connection = encrypt(accepted)
                if connection is not None:
                    handle(connection)
            except _CLIENT_LEFT:
                pass
            finally:
                (connection or accepted).finish()
                accepted.close()
                connections.difference_update((connection, accepted))

        def encrypt(accepted):
            """Returns the TLS connection; None if the client does not make the handshake."""
            with contextlib.suppress(OSError):
                if accepted.wait_for_request():
                    connection = accepted.wrap_tls(ssl)
                    add(connection)
                    return connection
            return None

        def add(connection):
            connections.add(connection)
            if self._is_cancelled:
                connection._abandon()

        def abandon():
            for connection in list(connections):
                connection._abandon()

        def accepted(connection):
            add(connection)
            try:
                threading.Thread(target=run, args=(connection,), daemon=True).start()
            except RuntimeError as error:
                connections.discard(connection)
                connection.close()
                raise HoldfastError(errno.EAGAIN, f"cannot start a thread for a connection, closing it: {error}; raise "
                                    "the thread limit (ulimit -u)") from None

        self.on_cancel(abandon)
        self.accept_on(listener, accepted)

    def serve_asyncio(self, listener, handle, *, ssl=None):
        """Awaits handle(AsyncConnection) in the running loop for each connection, and finishes it afterwards. At the
        cancel the handlers are cancelled. `ssl`: an ssl.SSLContext."""
        loop, connections = _running_loop(), {}
        if loop is None:
            raise TypeError("cannot serve with asyncio: no event loop is running; call serve_asyncio() in a coroutine")

        async def serve(connection):
            if not self._is_cancelled and await connection._open(ssl):
                with contextlib.suppress(*_CLIENT_LEFT, asyncio.IncompleteReadError):
                    await handle(connection)

        async def run(accepted):
            connection = AsyncConnection(accepted)
            connections[connection] = asyncio.current_task()
            try:
                try:
                    await serve(connection)
                except asyncio.CancelledError:
                    if not self._is_cancelled:
                        raise
                except Exception as error:
                    loop.call_exception_handler({"message": "a connection's handler raised", "exception": error})
                await connection.finish()
            finally:
                del connections[connection]
                connection._drop()

        def for_each(function):
            def run():
                for connection, task in list(connections.items()):
                    function(connection, task)

            with contextlib.suppress(RuntimeError):  # the loop is closed, and its connections with it
                loop.call_soon_threadsafe(run)

        def accepted(connection):
            try:
                asyncio.run_coroutine_threadsafe(run(connection), loop)
            except RuntimeError:
                connection.close()
                raise

        self.leaving.wakes.append(lambda: for_each(lambda connection, _: connection._event.set()))
        self.on_cancel(lambda: for_each(AsyncConnection._abandon))
        self.accept_on(listener, accepted)

    def request(self, name):
        """Counts a request until it ends: `with worker.request("GET /"):`. The drain waits for it."""
        return _Handle(_made(c_void_p, _c.begin_request, self._handle, name.encode()), _c.end_request)

    def session(self, name, leave_within=None):
        """Begins a session: something that lasts longer than a request. It is asked to leave when the drain begins."""
        made = _made(c_void_p, _c.begin_session, self._handle, name.encode(), _milliseconds(leave_within))
        return Session(made, self)

    def work(self, name, hand_back):
        """Holds an item of work. hand_back() is called if it is dropped, or is still held at the cancel."""
        loop = self._loop_for(hand_back, "to hand back work")

        def give_back():
            result = hand_back()
            if inspect.isawaitable(result) and loop is not None and _running_loop() is loop:
                # Held after the cancel, in the loop, which cannot wait for itself.
                _start_in(loop, result, f"cannot hand back {name}")
            else:
                self._await_result(result, loop)

        number, made = _register(give_back, lambda number: _made(c_void_p, _c.hold_work, self._handle, name.encode(),
                                                                 _plain, number), runs_once=True)
        return Work(made, number, loop if _is_async(hand_back) else None)

    def start_task(self, name, function, *, start="at_ready", on_exception="stop", need="optional"):
        """Runs function(stop) on a thread of the SDK, or in the event loop if it is a coroutine function. At the cancel
        a coroutine is cancelled; one without the parameter as soon as it is asked to stop.

        `start`: "at_ready", or "now" for a warm-up. `on_exception`: "stop" the worker, "ignore" it (in both cases it is
        reported, and the exit status is 3), or "abort" the process. `need`: "optional", "required" (the worker stops if
        the task returns before it is asked to), or "finite" (that is expected)."""
        options = _TaskOptions()
        _check(_c.init_task_options(byref(options), ctypes.sizeof(options)))
        options.start = _choice("start", start, "at_ready", "now")
        options.on_error = _choice("on_exception", on_exception, "stop", "ignore", "abort")
        options.need = _choice("need", need, "optional", "required", "finite")
        loop, takes_stop = self._loop_for(function, f"as the task {name}", waits=False), _takes(function, None)
        if not takes_stop and not _is_async(function):
            raise TypeError(f"cannot start the task {name}: its function takes no argument, so that it could not be "
                            "asked to stop; let it take the stop token")

        def run(handle):
            stop = Stop(handle)
            try:
                result = stop._run(function, takes_stop) if _is_async(function) else function(stop)
                self._await_result(result, loop, is_task=True)
            finally:
                stop._handle = None  # it belongs to the task, which has ended

        _, made = _register(run, lambda number: _made(c_uint64, _c.start_task_with, self._handle, name.encode(), _task,
                                                      number, byref(options)), runs_once=True, owner=self)
        return User(self, made.value)

    def _add(self, function, name, close):
        _, made = _register(self._runs(close, f"to close {name}"), lambda number: _made(
            c_uint64, function, self._handle, name.encode(), _plain, number), runs_once=True, owner=self)
        return Resource(self, made.value)

    resource = functools.partialmethod(_add, _c.resource)  # (name, close): closed when nothing uses it any more
    close_last = functools.partialmethod(_add, _c.close_last)  # (name, close): closed after all that was added later

    def ready(self):
        self._take_back_sigint()
        _check(_c.ready(self._handle))

    def _take_back_sigint(self):
        """asyncio.run() replaces the SDK's handler of SIGINT, if the Worker is older, by one that ends the loop."""
        if self._loop is None and _running_loop() is not None and threading.current_thread() is threading.main_thread():
            function = getattr(signal.getsignal(signal.SIGINT), "func", None)
            if getattr(function, "__module__", None) == "asyncio.runners":
                _running_loop().add_signal_handler(signal.SIGINT, self.stop)

    def stop(self):
        """Requests a stop; the same as SIGTERM."""
        _check(_c.stop_worker(self._handle))

    def _start_wait(self):
        """Returns a future of the caller's own; all waits share one thread."""
        _refuse_in_callback("wait")
        mine = concurrent.futures.Future()

        def copy(status):
            if not mine.set_running_or_notify_cancel():
                return
            if status.exception() is not None:
                mine.set_exception(status.exception())
            else:
                mine.set_result(status.result())

        def run(status):
            self._waits.append(status)
            try:
                status.set_result(_check(_c.wait(self._handle)))
            except HoldfastError as error:
                status.set_exception(error)

        with self._lock:
            if self._status is None:
                status = concurrent.futures.Future()
                threading.Thread(target=run, args=(status,), name="holdfast-wait", daemon=True).start()
                self._status = status
        self._status.add_done_callback(copy)
        return mine

    def wait(self):
        """Blocks until everything is released, and returns the exit status: 0, or 3 if something was still held. Waits
        in Python, not in C, so signal handlers of Python still run, and may raise. It is refused in an event loop, which it
        would stop: use wait_async() there."""
        if _running_loop() is not None:
            raise HoldfastError(errno.EPERM, "cannot wait() in an event loop: it would stop the loop; await wait_async()")
        status = self._start_wait()
        if threading.current_thread() is threading.main_thread():
            _wait_with_signals(status)
        return status.result()

    async def wait_async(self):
        """See wait(). With drive=DISPATCH it also runs the worker."""
        self._take_back_sigint()
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
        """Returns what is held: stage, remaining, the counts, text, the oldest as `waiting` (kind, name, age), and the
        texts of what has `failed`: tasks that raised, and items of work that are lost because hand_back() did."""
        self._detached.end_closed()
        handle = _made(POINTER(_Report), _c.make_report, self._handle)
        try:
            made = handle.contents
            waiting = [types.SimpleNamespace(kind=held.kind.decode(), name=held.name.decode(errors="replace"),
                                             age=held.age_usec / 1e6) for held in made.waiting[:made.waiting_count]]
            return types.SimpleNamespace(
                stage=("run", "lame-duck", "pause", "drain", "cancel")[made.stage],
                remaining=_seconds(made.remaining_usec), text=made.text.decode(errors="replace"), waiting=waiting,
                lost=made.lost, failed=[text.decode(errors="replace") for text in made.failed[:made.failed_count]],
                **{name: getattr(made, name) for name in _COUNTS})
        finally:
            _c.free_report(byref(handle))
