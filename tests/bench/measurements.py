"""The measurements. Each returns rows of the table; values that are compared in a row are from the same run."""

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
PAUSE_BEFORE_KILL = 0.002  # seconds: long enough that all processes sleep, short enough that their caches stay warm
MIN_WORKER_AGE = 1.3  # seconds: runit and start_server delay the replacement of a worker that exits in its first second
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
    """Starts processes with real-time round-robin scheduling, if permitted, to reduce the effect of other load."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(os.sched_get_priority_min(os.SCHED_RR)))
    except PermissionError:
        print("bench: real-time priority is not permitted; other load affects the results", file=sys.stderr)
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
    """The time from the launch of the supervisor to the first instruction of its last worker."""
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
    """Returns the nanoseconds from kill -9 to the first instruction of the replacement."""
    expected = start_times.count() + 1
    sleep(PAUSE_BEFORE_KILL)
    killed = time.monotonic_ns()
    os.kill(pid, signal.SIGKILL)
    start_times.wait_for(expected)
    return start_times.entries()[-1][0] - killed


def replacement(programs, folder):
    """All supervisors run at the same time and are measured in turn, so that other load affects all of them alike.

    holdfast and runit have a worker for each kill, because a second kill of the same worker would be delayed by the
    backoff of holdfast and by the one-second delay of runit. start_server has a process for each kill of a round and
    is idle between two rounds.
    """
    folders = {kind: os.path.join(folder, kind.name) for kind in (Holdfast, Runit, StartServer)}
    with (
        realtime_priority(),
        Holdfast(programs, folders[Holdfast], KILLS) as holdfast,
        Runit(programs, folders[Runit], KILLS) as runit,
        StartServer(programs, folders[StartServer], KILLS_PER_ROUND) as start_server,
    ):
        supervisors = (holdfast, runit, start_server)
        for supervisor in supervisors:
            supervisor.start()
        for supervisor in supervisors:
            supervisor.start_times.wait_for(supervisor.workers)
        holdfast.wait_until_ready()
        took = {supervisor: [] for supervisor in supervisors}
        victims = {supervisor: iter(supervisor.start_times.entries()) for supervisor in supervisors}
        for _ in range(KILLS // KILLS_PER_ROUND):
            sleep(MIN_WORKER_AGE)
            victims[start_server] = iter(start_server.start_times.entries()[-KILLS_PER_ROUND:])
            for supervisor in supervisors:
                for _ in range(KILLS_PER_ROUND):
                    took[supervisor].append(replace_one(supervisor.start_times, next(victims[supervisor])[1]))
    ours, *others = (statistics.median(took[supervisor]) for supervisor in supervisors)
    figure = f"kill -9 to replacement, {KILLS}"
    return [ratio_row(figure, ours, other, peer.name, 1) for other, peer in zip(others, supervisors[1:])]


def command(programs, _):
    """The time from the write of a command to the callback in the SDK, against a round trip over a bare socketpair."""
    cpus = os.sched_getaffinity(0)
    with realtime_priority():  # on one CPU, so that the result does not depend on whether another CPU was asleep
        os.sched_setaffinity(0, {max(cpus)})
        output = subprocess.run([programs["command_latency"]], check=True, capture_output=True, text=True).stdout
        os.sched_setaffinity(0, cpus)
    medians = dict(line.split() for line in output.splitlines())
    ours, raw = float(medians["command_to_callback"]), float(medians["raw_round_trip"])
    ratio = ours / raw
    return [
        Row("command to SDK callback", f"{ours / 1e3:.1f} us", f"socketpair round trip {raw / 1e3:.1f} us", ratio, "<= 3x",
            ratio <= 3)
    ]


def request(programs, _):
    """begin_request() and its end, against incrementing and decrementing an atomic counter that the threads share."""
    with realtime_priority():
        output = subprocess.run([programs["begin_request"]], check=True, capture_output=True, text=True).stdout
    medians = {figure: float(median) for figure, median in (line.split() for line in output.splitlines())}
    rows = []
    for threads in (1, 2):
        ours, bare = medians[f"request_{threads}"], medians[f"counter_{threads}"]
        figure = f"begin and end of a request, {threads} thread{'s' if threads > 1 else ''}"
        rows.append(
            Row(figure, f"{ours:.1f} ns", f"atomic counter {bare:.1f} ns", ours / bare, "<= 5x", ours <= 5 * bare))
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
    """The cost of a supervisor while nothing happens."""
    memory = {}
    for workers in (10, 100):
        with Holdfast(programs, folder, workers) as holdfast:
            holdfast.start()
            holdfast.wait_until_ready()
            sleep(MIN_WORKER_AGE)  # the workers have settled, and the log is written
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
        Row("PSS per worker, 10 to 100", f"{slope:.1f} KB", "", None, "<= 8 KB", slope <= 8),
    ]


def http(programs, folder):
    """The cost of the SDK in a server, in requests per second."""
    rate, time, ours, theirs = http_measurement.measure(programs, folder)
    return [
        Row("requests/s of hello-http", f"{ours:.0f}", f"without the SDK {theirs:.0f}", rate, ">= 0.99x", rate >= 0.99),
        Row("its CPU time per request", "", "without the SDK", time, "<= 1.01x", time <= 1.01),
    ]


MEASUREMENTS = {"start": start, "replacement": replacement, "command": command, "request": request, "http": http, "idle": idle}
