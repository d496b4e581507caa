# SPDX-License-Identifier: MIT
"""PostgreSQL, Redis or the API server stand still (SIGSTOP) in the middle of things and come back: nothing is forgotten."""
import concurrent.futures
import os
import random
import signal
import subprocess
import threading

from ground import Ground, PHASE_WITHIN_S, PHASES
from judge import judge

PROJECTS = 4
ROWS = 25  # of a project, about: the next halt comes before all of them have lived once more
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


def is_stopped(pid):
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rpartition(") ")[2].startswith("T")


def halt(ground, target, seconds):
    """The parent first, so that it makes no more children. Meanwhile no replica may stand still as well."""
    parents = processes_of(ground, target)
    send(signal.SIGSTOP, parents)
    children = [child for pid in parents for child in children_of(pid)]
    send(signal.SIGSTOP, children)
    try:
        ground.pause(seconds)
        for port in ground.ports:
            ground.look_alive(port)
        if all(is_stopped(pid) for pid in parents):
            ground.findings.count_hit("halts")
    finally:
        send(signal.SIGCONT, children + parents)


def use(ground, number, is_over):
    n = 0
    while not is_over.is_set():
        n += 1
        ground.live(f"halted{number}x{n}", PHASES, ground.caller, ground.witness, None, True)


def is_busy(ground):
    """Is some wish under way?"""
    last = {data["projectId"]: name for _, name, data in list(ground.witness.events) if "projectId" in data}
    return any(name != "done" for name in last.values())


def peers_halt(seed, target, seconds, halts_n, replicas=2):
    """So many halts while a few users live one project after the other, each at a row that the seed picks."""
    chance = random.Random(f"halt {seed}")
    with Ground(seed, replicas=replicas, cluster_args=SLOW) as ground:
        ground.findings.expect("halts", halts_n)
        is_over = threading.Event()
        with concurrent.futures.ThreadPoolExecutor(PROJECTS) as pool:
            users = [pool.submit(use, ground, i, is_over) for i in range(PROJECTS)]
            try:
                for _ in range(halts_n):
                    last = len(ground.witness.events) + chance.randint(1, PROJECTS * ROWS)
                    if not ground.witness.wait(lambda n=last: len(ground.witness.events) >= n and is_busy(ground), PHASE_WITHIN_S):
                        ground.findings.add("stuck", f"nothing more was told within {PHASE_WITHIN_S} s")
                        break
                    halt(ground, target, seconds)
                    ground.findings.count_run()
            finally:
                is_over.set()
            for user in users:
                user.result()
        judge(ground)
        if target == "api":  # the owner has to hear why nothing goes on
            ground.findings.expect("told that the API is away")
            told = ground.sql("SELECT count(*) FROM journal WHERE code = 'CLUSTER_UNREACHABLE'")
            ground.findings.count_hit("told that the API is away", int(told[0][0]))
        return ground.findings
