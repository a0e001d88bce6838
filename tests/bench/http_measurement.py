"""The cost of the SDK: hello-http and the same server without the SDK, with the same client in the same run."""

import json
import os
import socket
import statistics
import subprocess

ROUNDS = 21
REQUESTS = 12000
CLIENTS = 16


class Server:
    """A server that inherits a listener of this process as descriptor 3, as it would from holdfast or systemd."""

    def __init__(self, program):
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = "127.0.0.1:%d" % listener.getsockname()[1]
        script = 'exec 3<&"$1"; export LISTEN_FDS=1 LISTEN_PID=$$; exec "$2"'
        self._process = subprocess.Popen(["bash", "-c", script, "server", str(listener.fileno()), program],
                                         pass_fds=[listener.fileno()])
        listener.close()

    def cpu_time(self):
        """CPU time of all threads so far, in nanoseconds."""
        folder = f"/proc/{self._process.pid}/task"
        total = 0
        for task in os.listdir(folder):
            with open(f"{folder}/{task}/schedstat", encoding="ascii") as schedstat:
                total += int(schedstat.read().split()[0])
        return total

    def end(self):
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def load(strict_client, server, report):
    """Sends one burst of requests. Returns (requests per second, nanoseconds of CPU time of the server per request)."""
    before = server.cpu_time()
    subprocess.run([strict_client, "--keep-alive", "--clients", str(CLIENTS), "--requests", str(REQUESTS), "--json",
                    report, server.address], check=True)
    spent = server.cpu_time() - before
    with open(report, encoding="utf-8") as file:
        seen = json.load(file)
    return REQUESTS / (seen["elapsed_usec"] / 1e6), spent / REQUESTS


def measure(programs, folder):
    """Returns the medians of the ratios with / without the SDK (requests per second, CPU time per request), and the
    medians of both rates."""
    os.makedirs(folder, exist_ok=True)
    report = os.path.join(folder, "report.json")
    servers = [Server(programs["hello-http"]), Server(programs["bare_http"])]
    pairs = []
    try:
        for number in range(ROUNDS + 1):
            order = servers if number % 2 == 0 else servers[::-1]
            seen = {server: load(programs["strict-client"], server, report) for server in order}
            if number > 0:  # the first round warms up
                pairs.append([seen[server] for server in servers])
    finally:
        for server in servers:
            server.end()
    rate = statistics.median(ours[0] / theirs[0] for ours, theirs in pairs)
    time = statistics.median(ours[1] / theirs[1] for ours, theirs in pairs)
    return rate, time, statistics.median(o[0] for o, _ in pairs), statistics.median(t[0] for _, t in pairs)
