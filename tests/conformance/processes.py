"""The processes of a scenario, with the descriptors that they inherit as 3, 4, …"""
import ctypes
import fcntl
import os
import pathlib
import select
import signal

from checks import LIMIT, Failure

FIRST_INHERITED = 3
ABOVE_INHERITED = 100  # where descriptors wait until they get their numbers
PR_SET_CHILD_SUBREAPER = 36
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Process:
    """A child of the suite. May be used by one thread at a time."""

    def __init__(self, pid, log_path):
        self.pid = pid
        self._end = os.pidfd_open(pid)
        self.log_path = pathlib.Path(log_path)
        self._read_bytes = 0  # of the log
        self._status = None

    def signal(self, number):
        signal.pidfd_send_signal(self._end, number)

    def has_ended(self, seconds=0):
        return self._status is not None or bool(select.select([self._end], [], [], seconds)[0])

    def wait(self, seconds=LIMIT):
        """Returns the exit status, negative for a signal."""
        if not self.has_ended(seconds):
            raise Failure("the process does not end")
        if self._status is None:
            _, status = os.waitpid(self.pid, 0)
            self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def cpu_seconds(self):
        """User and system time of all its threads so far."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def read_log(self):
        """What has been added since the last call."""
        with self.log_path.open("rb") as log:
            log.seek(self._read_bytes)
            added = log.read()
        self._read_bytes += len(added)
        return added.decode("utf-8", "replace")

    def close(self):
        """Ends the process if it still runs."""
        if not self.has_ended():
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()
        os.close(self._end)


def start(command, environment, log_path, inherited=()):
    """Starts a process. Standard output and standard error go to `log_path`."""
    copies = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, ABOVE_INHERITED) for fd in inherited]
    log = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, log_path, log, 0o600),
               (os.POSIX_SPAWN_DUP2, 1, 2)]
    actions += [(os.POSIX_SPAWN_DUP2, fd, FIRST_INHERITED + index) for index, fd in enumerate(copies)]
    try:
        # Python ignores SIGPIPE, and a child would inherit that.
        pid = os.posix_spawn(command[0], command, environment, file_actions=actions, setpgroup=0,
                             setsigdef=[signal.SIGPIPE])
    finally:
        for fd in copies:
            os.close(fd)
    return Process(pid, log_path)


def adopt_orphans():
    """From here on the suite is the parent of the processes whose parent ends."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot become the parent of orphans")
