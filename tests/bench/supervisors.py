"""The supervisors that are compared: how each one is configured with N static workers, and how it is stopped.

Each one is started with posix_spawn and output to /dev/null, in its own directory, which is prepared before the
measurement starts. This process is the subreaper: processes that a supervisor leaves become its children and are killed
and reaped.
"""

import ctypes
import os
import select
import shutil
import signal
import socket
import time

from start_times import StartTimes

PR_SET_CHILD_SUBREAPER = 36


def become_subreaper():
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot become a subreaper")


def end(pid, number, seconds=15):
    """Sends the signal, waits for the exit of the child, and reaps it. Sends SIGKILL after `seconds`."""
    pidfd = os.pidfd_open(pid)
    try:
        signal.pidfd_send_signal(pidfd, number)
        if not select.select([pidfd], [], [], seconds)[0]:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        os.waitpid(pid, 0)
    finally:
        os.close(pidfd)


def own_children():
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as children:
        return [int(pid) for pid in children.read().split()]


class Supervisor:
    """N static workers under one or several processes; `pids` are the processes that this process started."""

    name = ""
    stop_signal = signal.SIGTERM

    def __init__(self, programs, folder, workers):
        self.programs = programs
        self.folder = folder
        self.workers = workers
        self.pids = []
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        self.start_times = StartTimes(os.path.join(folder, "start_times"))
        self.prepare()

    def prepare(self):
        """Creates the files that the supervisor reads."""

    def commands(self):
        """The command lines to start, in order."""
        raise NotImplementedError

    def environment(self):
        return {"PATH": os.environ["PATH"], "BENCH_BOARD": self.start_times.path}

    def start(self):
        """Starts all commands. Returns CLOCK_MONOTONIC in nanoseconds just before the first process was started."""
        environment = self.environment()
        silence = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]
        began = time.monotonic_ns()
        for command in self.commands():
            self.pids.append(os.posix_spawn(command[0], command, environment, file_actions=silence))
        return began

    def stop(self):
        others = set(own_children()) - set(self.pids)
        for pid in self.pids:
            end(pid, self.stop_signal)
        self.pids = []
        for pid in set(own_children()) - others:
            end(pid, signal.SIGKILL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class SpawnLoop(Supervisor):
    name = "posix_spawn loop"

    def commands(self):
        return [[self.programs["spawn_loop"], str(self.workers), self.programs["static_worker"]]]


class Holdfast(Supervisor):
    name = "holdfast"

    def prepare(self):
        self._ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._ready.bind(os.path.join(self.folder, "notify"))

    def environment(self):
        return super().environment() | {"NOTIFY_SOCKET": os.path.join(self.folder, "notify")}

    def commands(self):
        return [
            [self.programs["holdfast"], "run", "--name", "bench", "--runtime-dir", os.path.join(self.folder, "run")]
            + ["--state-dir", os.path.join(self.folder, "state")]
            + ["--workers", str(self.workers), "--", self.programs["static_worker"]]
        ]

    def wait_until_ready(self, seconds=30):
        """Waits until holdfast has notified its service manager that the first generation is ready."""
        self._ready.settimeout(seconds)
        while b"READY=1" not in self._ready.recv(65536).split(b"\n"):
            pass

    def stop(self):
        super().stop()
        self._ready.close()


class ServiceFolders(Supervisor):
    """s6 and runit: a directory for each service, in which `run` is the worker itself."""

    def prepare(self):
        for number in range(self.workers):
            service = os.path.join(self.folder, "services", f"worker-{number}")
            os.makedirs(service)
            os.symlink(self.programs["static_worker"], os.path.join(service, "run"))


class S6(ServiceFolders):
    name = "s6"

    def commands(self):
        return [[self.programs["s6-svscan"], os.path.join(self.folder, "services")]]


class Runit(ServiceFolders):
    name = "runit"
    stop_signal = signal.SIGHUP  # also ends the services; SIGTERM would not

    def commands(self):
        return [[self.programs["runsvdir"], os.path.join(self.folder, "services")]]


class StartServer(Supervisor):
    """One process per worker, because it runs one worker per generation."""

    name = "start_server"

    def commands(self):
        return [[self.programs["start_server"], "--", self.programs["static_worker"]]] * self.workers
