# SPDX-License-Identifier: MIT
"""SIGKILL of the replica that leads, at each row of the journal and around each call to the API server, through a
project's whole life: creation, stop, start, deletion. With one replica it is started again; of two the other goes on."""
import concurrent.futures

from between import CallGate
from ground import Ground
from judge import judge
from rowgate import RowGate

AT_ONCE = 3
EVER = 80  # no phase has so many rows or calls


def live(ground, gate, n, ends):
    """A project that is killed at the n-th moment of each of its phases, if they have so many."""
    if n >= ends["at"] or not ground.findings.is_clean:
        return
    name, reached = f"n{n}", []

    def on_phase(_, project):
        reached.append(gate.is_reached(name, project))
        ground.wait_all_alive()
        gate.arm(name, project, n)
        reached.append(project)

    ground.live(name, on_phase=on_phase)
    reached.append(gate.is_reached(name, reached[-1]))
    moments = reached.count(True)
    ground.findings.count_run(moments)
    if moments == 0:
        ends["at"] = min(ends["at"], n)


def lives(ground, gate, numbers):
    """A project for each number, some at once, so that one's end is a surprise for the others."""
    ends = {"at": EVER}
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda n: live(ground, gate, n, ends), numbers or range(1, EVER)))
    ground.wait_all_alive()


def at_rows(seed, replicas, mode, numbers=None):
    # Rows wait for one another at the gate: that is no reason to give a write up.
    with Ground(seed, replicas=replicas, env={"FULLSTACKD_FLOW_CALL_DEADLINE": "4s"}) as ground:
        with RowGate(ground, mode) as gate:
            lives(ground, gate, numbers)
        judge(ground)
        return ground.findings


def at_calls(seed, replicas, mode, numbers=None):
    gate = CallGate(mode)
    with Ground(seed, replicas=replicas, between=gate) as ground:
        lives(ground, gate, numbers)
        judge(ground)
        return ground.findings
