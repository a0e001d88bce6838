"""Clients that have connected and sent a request before the worker has had the time to accept them all."""
from client import expect_ok

COUNT = 30


class QueuedClients:
    def __init__(self, service):
        self._clients = [service.client() for _ in range(COUNT)]
        for client in self._clients:
            client.send(headers=["Connection: close"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for client in self._clients:
            client.socket.close()

    def expect_served(self):
        """Each gets its answer; each goes away before the next one, because some workers serve one at a time."""
        for client in self._clients:
            expect_ok(client.read_response(), "a client that was in the queue")
            client.socket.close()
