# SPDX-License-Identifier: MIT
"""SIGKILL of the replica that leads, at each row of the journal and around each call to the API server, through a
project's whole life: creation, stop, start, deletion. With one replica it is started again; of two the other goes on."""
from between import CallGate
from ground import Ground
from judge import judge
from rowgate import RowGate

ROWS_MAX = 60
CALLS_MAX = 80


def lives(ground, numbers, arm):
    """One project for each number n, killed at the n-th moment of each of its phases; until no phase has so many."""
    for n in numbers:
        before = ground.kills
        ground.wait_all_alive()
        ground.live(f"n{n}", on_phase=lambda phase, project, n=n: (ground.wait_all_alive(), arm(project, n)))
        ground.findings.count_run(ground.kills - before)
        if ground.kills == before or not ground.findings.is_clean:
            break
    ground.wait_all_alive()
    judge(ground)


def at_rows(seed, replicas, mode, numbers=None):
    with Ground(seed, replicas=replicas) as ground:
        with RowGate(ground) as gate:
            lives(ground, numbers or range(1, ROWS_MAX), lambda project, n: gate.arm(project, n, mode))
        return ground.findings


def at_calls(seed, replicas, mode, numbers=None):
    gate = CallGate()
    with Ground(seed, replicas=replicas, between=gate) as ground:
        lives(ground, numbers or range(1, CALLS_MAX), lambda project, n: gate.arm(n, mode))
        return ground.findings
