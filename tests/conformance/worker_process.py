"""A process that a scenario starts, with the descriptors that it inherits as 3, 4, …"""
import fcntl
import os
import pathlib
import select
import signal

from checks import LIMIT, Failure

FIRST_INHERITED = 3
ABOVE_INHERITED = 100  # where descriptors wait until they get their numbers
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class WorkerProcess:
    """Standard output and standard error go to `log_path`. May be used by one thread at a time."""

    def __init__(self, command, environment, log_path, inherited=()):
        self._log_path = pathlib.Path(log_path)
        self._read_bytes = 0  # of the log
        self._status = None
        copies = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, ABOVE_INHERITED) for fd in inherited]
        log = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, log_path, log, 0o600),
                   (os.POSIX_SPAWN_DUP2, 1, 2)]
        actions += [(os.POSIX_SPAWN_DUP2, fd, FIRST_INHERITED + index) for index, fd in enumerate(copies)]
        try:
            # Python ignores SIGPIPE, and a child would inherit that.
            self.pid = os.posix_spawn(command[0], command, environment, file_actions=actions, setpgroup=0,
                                      setsigdef=[signal.SIGPIPE])
        finally:
            for fd in copies:
                os.close(fd)
        self._end = os.pidfd_open(self.pid)

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
        return self._log_path.read_text(encoding="utf-8", errors="replace")

    def read_log(self):
        """What has been added since the last call."""
        with self._log_path.open("rb") as log:
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
