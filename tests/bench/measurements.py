"""The measurements. Each returns rows for the table; all that is compared in a row was measured in the same run."""

import contextlib
import dataclasses
import os
import select
import signal
import statistics
import subprocess
import sys
import time

import http_measurement
from supervisors import Holdfast, Runit, S6, SpawnLoop, StartServer

START_WORKERS = 100
START_ROUNDS = 9
KILLS = 100
KILLS_PER_ROUND = 10
PAUSE_BEFORE_KILL = 0.002  # seconds: everybody sleeps when the worker dies, and nobody's caches have gone to others
MIN_WORKER_AGE = 1.3  # seconds: runit and start_server hold back who dies within their first second
IDLE_SECONDS = 10


@dataclasses.dataclass
class Row:
    figure: str
    measured: str
    compared: str
    ratio: float | None
    goal: str
    met: bool


@contextlib.contextmanager
def realtime_priority():
    """Real-time round robin for what starts in here, where that is allowed: what else the machine does counts less."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(os.sched_get_priority_min(os.SCHED_RR)))
    except PermissionError:
        print("bench: no right to real-time priority: what else this machine does counts", file=sys.stderr)
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def sleep(seconds):
    select.select([], [], [], seconds)


def milliseconds(nanoseconds):
    return f"{nanoseconds / 1e6:.2f} ms"


def ratio_row(figure, ours, others, other, limit):
    ratio = ours / others
    return Row(figure, milliseconds(ours), f"{other} {milliseconds(others)}", ratio, f"<= {limit:g}x", ratio <= limit)


def start(programs, folder):
    """From the launch of the supervisor's own program to the first instruction of its last worker."""
    took = {kind: [] for kind in (SpawnLoop, Holdfast, S6)}
    for _ in range(START_ROUNDS):
        for kind, times in took.items():
            with realtime_priority(), kind(programs, folder, START_WORKERS) as supervisor:
                began = supervisor.start()
                supervisor.start_times.wait_for(START_WORKERS)
                times.append(max(at for at, _ in supervisor.start_times.entries()) - began)
    loop, ours, s6 = (statistics.median(took[kind]) for kind in (SpawnLoop, Holdfast, S6))
    figure = f"{START_WORKERS} workers up"
    return [ratio_row(figure, ours, loop, SpawnLoop.name, 1.5), ratio_row(figure, ours, s6, S6.name, 1)]


def replace_one(start_times, pid):
    """Nanoseconds from kill -9 to the first instruction of the replacement."""
    expected = start_times.count() + 1
    sleep(PAUSE_BEFORE_KILL)
    killed = time.monotonic_ns()
    os.kill(pid, signal.SIGKILL)
    start_times.wait_for(expected)
    return start_times.entries()[-1][0] - killed


def replacement(programs, folder):
    """All are up at once and take turns, so that whatever else the machine does meets all alike.

    holdfast and runit have a worker for every kill: a second death of the same one would meet the backoff of the
    first and runit's second of patience. start_server has a process for every kill of a round and gets a rest between
    two.
    """
    folders = {kind: os.path.join(folder, kind.name) for kind in (Holdfast, Runit, StartServer)}
    with (
        realtime_priority(),
        Holdfast(programs, folders[Holdfast], KILLS) as holdfast,
        Runit(programs, folders[Runit], KILLS) as runit,
        StartServer(programs, folders[StartServer], KILLS_PER_ROUND) as start_server,
    ):
        contestants = (holdfast, runit, start_server)
        for supervisor in contestants:
            supervisor.start()
        for supervisor in contestants:
            supervisor.start_times.wait_for(supervisor.workers)
        holdfast.wait_until_ready()
        took = {supervisor: [] for supervisor in contestants}
        victims = {supervisor: iter(supervisor.start_times.entries()) for supervisor in contestants}
        for _ in range(KILLS // KILLS_PER_ROUND):
            sleep(MIN_WORKER_AGE)
            victims[start_server] = iter(start_server.start_times.entries()[-KILLS_PER_ROUND:])
            for supervisor in contestants:
                for _ in range(KILLS_PER_ROUND):
                    took[supervisor].append(replace_one(supervisor.start_times, next(victims[supervisor])[1]))
    ours, *others = (statistics.median(took[supervisor]) for supervisor in contestants)
    figure = f"kill -9 to replacement, {KILLS}"
    return [ratio_row(figure, ours, other, peer.name, 1) for other, peer in zip(others, contestants[1:])]


def command(programs, _):
    """From the write of a command to the callback in the SDK, against a byte there and back over a bare socketpair."""
    processors = os.sched_getaffinity(0)
    with realtime_priority():  # and on one processor: the ways are compared, not which other processor happened to sleep
        os.sched_setaffinity(0, {max(processors)})
        said = subprocess.run([programs["command_latency"]], check=True, capture_output=True, text=True).stdout
        os.sched_setaffinity(0, processors)
    medians = dict(line.split() for line in said.splitlines())
    ours, raw = float(medians["command_to_callback"]), float(medians["raw_round_trip"])
    ratio = ours / raw
    return [
        Row("command to SDK callback", f"{ours / 1e3:.1f} us", f"socketpair round trip {raw / 1e3:.1f} us", ratio, "<= 3x",
            ratio <= 3)
    ]


def request(programs, _):
    """begin_request() and its end, against one atomic counter raised and lowered, on threads that share it."""
    with realtime_priority():
        said = subprocess.run([programs["begin_request"]], check=True, capture_output=True, text=True).stdout
    medians = {figure: float(median) for figure, median in (line.split() for line in said.splitlines())}
    rows = []
    for threads in (1, 2):
        ours, bare = medians[f"request_{threads}"], medians[f"counter_{threads}"]
        figure = f"a request counted, {threads} thread{'s' if threads > 1 else ''}"
        rows.append(Row(figure, f"{ours:.1f} ns", f"atomic counter {bare:.1f} ns", ours / bare, "<= 5x", ours <= 5 * bare))
    return rows


def voluntary_switches(pid):
    switches = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as status:
            switches[task] = next(int(line.split()[1]) for line in status if line.startswith("voluntary"))
    return switches


def proportional_kilobytes(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))


def idle(programs, folder):
    """What a supervisor costs while nothing happens."""
    memory = {}
    for workers in (10, 100):
        with Holdfast(programs, folder, workers) as holdfast:
            holdfast.start()
            holdfast.wait_until_ready()
            sleep(MIN_WORKER_AGE)  # settled, and the log written
            pid = holdfast.pids[0]
            before = voluntary_switches(pid)
            if workers == 100:
                sleep(IDLE_SECONDS)
            after = voluntary_switches(pid)
            memory[workers] = proportional_kilobytes(pid)
    woken = sum(after.values()) - sum(before.values())
    slope = (memory[100] - memory[10]) / 90
    return [
        Row(f"wake-ups in {IDLE_SECONDS} s, 100 idle workers", str(woken), f"{len(after)} threads", None, "0", before == after),
        Row("PSS, 100 idle workers", f"{memory[100] / 1024:.2f} MB", f"10 workers: {memory[10] / 1024:.2f} MB", None,
            "<= 3 MB", memory[100] <= 3 * 1024),
        Row("PSS a worker, 10 to 100", f"{slope:.1f} KB", "", None, "<= 8 KB", slope <= 8),
    ]


def http(programs, folder):
    """What the SDK costs a server, in requests a second."""
    rate, time, ours, theirs = http_measurement.measure(programs, folder)
    return [
        Row("requests/s of hello-http", f"{ours:.0f}", f"without the SDK {theirs:.0f}", rate, ">= 0.99x", rate >= 0.99),
        Row("its processor time a request", "", "without the SDK", time, "<= 1.01x", time <= 1.01),
    ]


MEASUREMENTS = {"start": start, "replacement": replacement, "command": command, "request": request, "http": http, "idle": idle}
