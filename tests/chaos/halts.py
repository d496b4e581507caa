# SPDX-License-Identifier: MIT
"""PostgreSQL, Redis or the API server stand still (SIGSTOP) in the middle of things and come back: nothing is forgotten."""
import concurrent.futures
import os
import random
import signal
import subprocess

from ground import Ground, PHASE_WITHIN_S, PHASES
from judge import judge

PROJECTS = 4
ROWS = 100  # about what these projects write
SLOW = ("--delays", "schedule=50,pull_first=200,pull_again=200,start=50,ready=200,stop=100,database=400,retry=200")


def children_of(pid):
    """The living children of a process; kept up to date by the kernel."""
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(p) for p in f.read().split()]


def send(number, pids):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def processes_of(ground, target):
    if target == "api":
        return [ground.cluster.pid]
    ctl = os.environ["FS_PG_CTL" if target == "postgresql" else "FS_REDIS_CTL"]
    return [int(subprocess.run([ctl, "pid"], check=True, capture_output=True, text=True).stdout)]


def halt(ground, target, seconds):
    """The parent first, so that it makes no more children."""
    parents = processes_of(ground, target)
    send(signal.SIGSTOP, parents)
    children = [child for pid in parents for child in children_of(pid)]
    send(signal.SIGSTOP, children)
    try:
        ground.pause(seconds)
    finally:
        send(signal.SIGCONT, children + parents)


def peers_halt(seed, target, seconds, halts_n, replicas=2):
    """So many halts in the lives of a few projects, each at a row of theirs that the seed picks."""
    chance = random.Random(f"halt {seed}")
    with Ground(seed, replicas=replicas, cluster_args=SLOW) as ground:
        with concurrent.futures.ThreadPoolExecutor(PROJECTS) as pool:
            running = [pool.submit(ground.live, f"halted{i}", PHASES, ground.caller, ground.witness, None, True)
                       for i in range(PROJECTS)]
            for _ in range(halts_n):
                last = len(ground.witness.events) + chance.randint(1, ROWS // halts_n)
                if not ground.witness.wait(lambda n=last: len(ground.witness.events) >= n, PHASE_WITHIN_S):
                    break
                halt(ground, target, seconds)
                ground.findings.count_run()
            for r in running:
                r.result()
        judge(ground)
        return ground.findings
