"""A request that is in flight until the scenario ends it, so that no scenario depends on how long something takes."""
from checks import check_equal
from client import expect_ok

MILLISECONDS = 3000  # of a request that cannot be held by half a body


class HeldRequest:
    """Half an upload; where a subject takes none, a request that takes its time; where it has none, a connection on which
    nothing has been sent so far."""

    def __init__(self, trial, service):
        self._can = trial.subject.can
        if "patient" in self._can:
            self._client = service.client()
            self._client.send("POST", "/count", ["Content-Length: 2"], b"1")
        elif "slow" in self._can:
            self._client = service.busy_client(MILLISECONDS)
        else:
            self._client = service.client()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._client.socket.close()

    def has_bytes(self):
        """Whether it was answered, or cut off."""
        return self._client.has_bytes()

    def finish(self):
        """Lets it be answered, and goes away."""
        if "patient" in self._can:
            self._client.send_bytes(b"2")
            response = self._client.read_response()
            check_equal((response.status, response.text), (200, b"2"), "answer to the request in flight")
        else:
            if "slow" not in self._can:
                self._client.send(headers=["Connection: close"])
            expect_ok(self._client.read_response(), "the request in flight")
        self._client.socket.close()
