#!/usr/bin/env python3
"""Every adapter and language of the SDK in one black-box suite. Prints a table, and ends with status 1 if anything
failed, if something does not work that `holes` does not list, or if something works that it lists.

The build sets HOLDFAST_BIN, the folder of the programs."""
import argparse
import concurrent.futures
import itertools
import os
import resource
import sys
import time

import drains  # noqa: F401: each of these adds its scenarios to the list
import ends  # noqa: F401
import resets  # noqa: F401
import rollouts  # noqa: F401
import stages  # noqa: F401
import traffic  # noqa: F401
from holes import read_holes
from processes import adopt_orphans
from scenario import SCENARIOS, Trial
from subjects import SUBJECTS
from table import UNABLE, Verdict, as_list, as_table

TRIALS_AT_A_TIME = 12 * (os.cpu_count() or 1)  # they mostly wait


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subject", action="append", help="only this one; may be repeated")
    parser.add_argument("--scenario", action="append", help="only those whose name contains this; may be repeated")
    parser.add_argument("--setting", help="only this one: alone/tcp, supervised/unix, …")
    parser.add_argument("--logs", action="store_true", help="print what the workers of failed trials wrote")
    parser.add_argument("--times", action="store_true", help="print the slowest trials, and the processor time")
    parser.add_argument("--jobs", type=int, default=TRIALS_AT_A_TIME)
    return parser.parse_args()


def all_trials(chosen):
    """The long ones first: the run is over when the last one is."""
    numbers = itertools.count()
    trials = [Trial(subject, scenario, control, transport, next(numbers))
              for subject in SUBJECTS if not chosen.subject or subject.name in chosen.subject
              for scenario in SCENARIOS
              if not chosen.scenario or any(part in scenario.name for part in chosen.scenario)
              for control, transport in scenario.settings]
    return [trial for trial in trials if chosen.setting in (None, trial.setting)]


def judge(trial, holes):
    """Runs the trial and compares the outcome with the list of holes."""
    missing, began = trial.missing(), time.monotonic()
    failure = f"the program is not able to: {', '.join(missing)}" if missing else trial.run()
    known = [hole for hole in holes if hole.covers(trial)]
    result, reason = verdict_on(failure, known, missing)
    return Verdict(trial.subject.name, trial.scenario.name, trial.setting, result, reason, trial.log,
                   time.monotonic() - began)


def verdict_on(failure, known, missing):
    """The result and its reason."""
    if failure is None:
        return ("FAIL", "it works, but `holes` says that it does not") if known else ("pass", "")
    if not known:
        return "FAIL", failure
    return (UNABLE if missing else "hole"), known[0].reason


def run(trials, holes, jobs):
    order = sorted(trials, key=lambda trial: not trial.scenario.is_long)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        verdicts = dict(zip(order, pool.map(lambda trial: judge(trial, holes), order)))
    return [verdicts[trial] for trial in trials]


def pointless(holes, trials, chosen):
    """Entries of the list that say nothing about any trial of a whole run."""
    if chosen.subject or chosen.scenario or chosen.setting:
        return []
    return [Verdict(hole.subject, hole.scenario, "`holes`", "FAIL", "no trial is like this")
            for hole in holes if not any(hole.covers(trial) for trial in trials)]


def print_logs(verdicts):
    for verdict in verdicts:
        if verdict.result == "FAIL" and verdict.log:
            print(f"\n-- {verdict.subject}: {verdict.scenario} ({verdict.setting})\n{verdict.log}", end="")


def print_times(verdicts):
    for verdict in sorted(verdicts, key=lambda verdict: -verdict.seconds)[:30]:
        print(f"{verdict.seconds:6.1f} s  {verdict.subject}: {verdict.scenario} ({verdict.setting})")
    children, own = resource.getrusage(resource.RUSAGE_CHILDREN), resource.getrusage(resource.RUSAGE_SELF)
    print(f"processor time: {own.ru_utime + own.ru_stime:.0f} s of the suite, "
          f"{children.ru_utime + children.ru_stime:.0f} s of what it started")


def main():
    chosen = parse_arguments()
    adopt_orphans()
    began = time.monotonic()
    holes = read_holes()
    trials = all_trials(chosen)
    verdicts = run(trials, holes, chosen.jobs) + pointless(holes, trials, chosen)
    print(as_table(verdicts))
    print(as_list(verdicts, UNABLE) + as_list(verdicts, "hole") + as_list(verdicts, "FAIL"), end="")
    if chosen.logs:
        print_logs(verdicts)
    if chosen.times:
        print_times(verdicts)
    results = [verdict.result for verdict in verdicts]
    print(f"{len(results)} trials in {time.monotonic() - began:.0f} s: {results.count('pass')} passed, "
          f"{results.count(UNABLE)} not possible, {results.count('hole')} holes, {results.count('FAIL')} failed")
    return 0 if results and "FAIL" not in results else 1


if __name__ == "__main__":
    sys.exit(main())
