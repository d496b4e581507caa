#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Chaos: the real programs, broken at every moment; afterwards nothing may be lost, doubled, orphaned or stuck.

usage: run.py [--short] [--only PART-OF-A-FAULT'S-NAME] [--seed N] [--args JSON] [--jobs N] [--list] [BUILD]

Prints a line for each fault (faults.py has the table) and `N passed, N failed`; each failure with the command that
repeats it. --short takes some of each, in less than a minute. Needs what with_services.py needs."""
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SERVICES = os.path.join(HERE, "..", "harness", "with_services.py")
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.dirname(SERVICES))
import keeper  # noqa: E402
from faults import FAULTS  # noqa: E402
from witness import Findings  # noqa: E402

JOB_WITHIN_S = 1800
LOG_LINES = 60


class Result:
    def __init__(self, fault, seed, args):
        self.fault, self.seed, self.args = fault, seed, args
        self.found = {column: [] for column in Findings.COLUMNS}
        self.runs = 0
        self.hits, self.missed = {}, []
        self.log = ""
        self.took_s = 0

    @property
    def is_clean(self):
        return not any(self.found.values()) and not self.missed and self.runs > 0

    @property
    def repeat(self):
        return f"tests/chaos/run.py --only '{self.fault}' --seed {self.seed} --args '{json.dumps(self.args)}'"


def run_job(build, fault, seed, args):
    result = Result(fault, seed, args)
    cache = os.path.join(build, "services")
    argv = [sys.executable, SERVICES, "--cache", cache, sys.executable, os.path.join(HERE, "job.py"), fault, str(seed), json.dumps(args)]
    env = dict(os.environ, FS_BUILD=build, PYTHONDONTWRITEBYTECODE="1")
    began = time.monotonic()
    process = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    try:
        out, _ = process.communicate(timeout=JOB_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.terminate()  # with_services.py stops what it started
        out, _ = process.communicate()
        result.found["stuck"].append(f"not over within {JOB_WITHIN_S} s")
    result.took_s = time.monotonic() - began
    lines = out.splitlines()
    if process.returncode == 77:
        return None
    try:
        told = json.loads(lines[-1])
        result.runs, result.hits, result.missed = told.pop("runs"), told.pop("hits"), told.pop("missed")
        result.found = told
        lines.pop()
    except (ValueError, KeyError, IndexError):
        result.found["stuck"].append(f"the run ended with {process.returncode} and told nothing")
    result.log = "\n".join(lines)
    return result


def chosen(options):
    """[(fault, seed, arguments)]; the longest first."""
    jobs = []
    for fault, row in FAULTS.items():
        if options.only and options.only.lower() not in fault.lower():
            continue
        parts = [json.loads(options.args)] if options.args else row["short" if options.short else "whole"]
        jobs += [(fault, options.seed + i, args) for i, args in enumerate(parts)]
    return sorted(jobs, key=lambda job: -(job[2].get("n", 0) + 10 * job[2].get("seconds", 0)))


def fault_text(result):
    return f"{result.fault} (seed {result.seed}, {json.dumps(result.args)})"


def hits_text(result):
    return ", ".join(f"{hit} {n}" for hit, n in result.hits.items())


def show_failure(result):
    print(f"FAIL  {fault_text(result)}")
    for column, texts in result.found.items():
        for text in texts[:8]:
            print(f"      {column}: {text}")
    for text in result.missed:
        print(f"      not hit: {text}")
    if result.runs == 0:
        print("      nothing was broken: no run at all")
    print("\n".join("      | " + line for line in result.log.splitlines()[-LOG_LINES:]))
    print(f"      repeat:  {result.repeat}", flush=True)


def table(results):
    print(f"\n{'fault':<44}{'runs':>6}" + "".join(f"{c:>10}" for c in Findings.COLUMNS) + f"{'s':>7}")
    for fault in FAULTS:
        of_fault = [r for r in results if r.fault == fault]
        if of_fault:
            counts = [sum(len(r.found[c]) for r in of_fault) for c in Findings.COLUMNS]
            print(f"{fault:<44}{sum(r.runs for r in of_fault):>6}" + "".join(f"{n:>10}" for n in counts) +
                  f"{max(r.took_s for r in of_fault):>7.0f}")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--args")
    parser.add_argument("--jobs", type=int, default=2 * os.cpu_count())
    parser.add_argument("--list", action="store_true")
    parser.add_argument("build", nargs="?", default=os.environ.get("FS_BUILD", os.path.join(HERE, "..", "..", "build", "asan")))
    options = parser.parse_args()
    jobs = chosen(options)
    if options.list or not jobs:
        print(*(f"{fault}: {json.dumps(args)}" for fault, _, args in jobs), sep="\n")
        return 0 if jobs else 2
    build = os.path.abspath(options.build)
    results = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for running in concurrent.futures.as_completed([pool.submit(run_job, build, *job) for job in jobs]):
            result = running.result()
            if result is None:
                print("SKIPPED: PostgreSQL or Redis is not installed")
                return 77
            results.append(result)
            if result.is_clean:
                print(f"ok    {fault_text(result)}: {result.runs} runs in {result.took_s:.0f} s ({hits_text(result)})", flush=True)
            else:
                show_failure(result)
    table(results)
    failed = sum(not r.is_clean for r in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(keeper.keep(main))
