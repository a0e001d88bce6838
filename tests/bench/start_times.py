"""A shared file in which workers record when they started; start_times.h describes its layout."""

import ctypes
import errno
import mmap
import os
import platform
import time

FUTEX_WAIT = 0
SYS_FUTEX = {"x86_64": 202, "aarch64": 98}[platform.machine()]
MAX_ENTRIES = 4095


class StartTime(ctypes.Structure):
    _fields_ = [("nanoseconds", ctypes.c_uint64), ("pid", ctypes.c_int32), ("unused", ctypes.c_uint32)]


class SharedLayout(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("done", "wake_at", "claimed", "unused")] + [("entries", StartTime * MAX_ENTRIES)]


class Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


class StartTimes:
    def __init__(self, path):
        self.path = path
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        os.ftruncate(fd, ctypes.sizeof(SharedLayout))
        self._shared = SharedLayout.from_buffer(mmap.mmap(fd, ctypes.sizeof(SharedLayout)))
        os.close(fd)
        self._libc = ctypes.CDLL(None, use_errno=True)

    def count(self):
        return self._shared.done

    def entries(self):
        """(nanoseconds, pid) of every worker that has started, in the order in which they claimed their entries."""
        return [(entry.nanoseconds, entry.pid) for entry in self._shared.entries[: self.count()]]

    def wait_for(self, count, seconds=30):
        """Waits until `count` workers have started, with one wake-up. TimeoutError says how many had started."""
        self._shared.wake_at = count
        deadline = time.monotonic() + seconds
        while (done := self._shared.done) < count:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"only {done} of {count} workers started within {seconds} s ({self.path})")
            self._futex_wait(done, left)

    def _futex_wait(self, value, seconds):
        timeout = Timespec(int(seconds), int(seconds % 1 * 1e9))
        address = ctypes.c_void_p(ctypes.addressof(self._shared))
        if self._libc.syscall(SYS_FUTEX, address, FUTEX_WAIT, value, ctypes.byref(timeout), None, 0) != 0:
            error = ctypes.get_errno()
            if error not in (errno.EAGAIN, errno.EINTR, errno.ETIMEDOUT):
                raise OSError(error, os.strerror(error), "futex")
