"""The strict client: it never retries, and counts every request that is lost."""
import json
import os
import pathlib
import select
import signal
import subprocess

from checks import LIMIT, Failure

BIN = pathlib.Path(os.environ["HOLDFAST_BIN"])


class Load:
    """Runs from here on; its first request has been sent."""

    def __init__(self, address, *options):
        self._process = subprocess.Popen(
            [BIN / "strict-client", address, "--announce", "--clients", "4", "--rate", "100", "--json", "/dev/stdout",
             *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if not select.select([self._process.stdout], [], [], LIMIT)[0]:
            self.__exit__()
            raise Failure("the load cannot send its first request")
        self._process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def finish(self):
        """Ends the load. Returns how many requests failed in which way; an empty dictionary if none did."""
        self._process.send_signal(signal.SIGINT)
        try:
            text, _ = self._process.communicate(timeout=2 * LIMIT)
        except subprocess.TimeoutExpired:
            raise Failure("the load waits in vain for its last answers") from None
        report = json.loads(text)
        if report["attempts"] == 0:
            raise Failure("the load has sent no request")
        return {way: count for way, count in report["failures"].items() if count > 0}

    def expect_nothing_lost(self):
        lost = self.finish()
        if lost:
            raise Failure("requests were lost: " + ", ".join(f"{count} {way}" for way, count in lost.items()))
