# SPDX-License-Identifier: MIT
"""SIGKILL of the replica that leads, at each row of the journal and around each call to the API server, through a
project's whole life: creation, stop, start, deletion. With one replica it is started again; of two the other goes on."""
import concurrent.futures

from between import CallGate
from ground import Ground, PHASES
from judge import judge
from rowgate import RowGate

AT_ONCE = 3
NEVER = 1000  # no phase has so many rows or calls
MORE = 3  # what is killed often has more moments than one that is left alone
TRIES = 3  # how many moments there are is a matter of timing: the last may not come every time
MANY = 10  # of so many the last may not come at all: words that follow one another fast are one row on a busy machine


def live(ground, gate, name, n):
    """A project that is killed at the n-th moment of each of its phases: {phase: how many moments too late}."""
    early, armed = {}, []

    def disarm():
        for phase, project in armed:
            early[phase] = gate.disarm(name, project)
        armed.clear()

    def on_phase(phase, project):
        disarm()
        ground.wait_all_alive()
        gate.arm(name, project, n)
        armed.append((phase, project))

    ground.live(name, on_phase=on_phase)
    disarm()
    return early


def moments_of(ground, gate, pool):
    """{phase: how many moments it has when nobody is killed}"""
    calm = list(pool.map(lambda i: live(ground, gate, f"calm{i}", NEVER), range(AT_ONCE)))
    return {phase[0]: min(NEVER - early.get(phase[0], NEVER) for early in calm) for phase in PHASES}


def surely(moments):
    """How many of them come in every life."""
    return moments - 1 if moments > MANY else moments


def kill_at(ground, gate, n, least):
    """At the n-th moment of each phase that has so many."""
    wanted = {phase for phase, moments in least.items() if n <= moments}
    for i in range(TRIES):
        if not ground.findings.is_clean:
            return
        early = live(ground, gate, f"n{n}x{i}", n)
        hit = {phase for phase, left in early.items() if left <= 0}
        for phase in hit:
            ground.findings.count_hit(phase)
        ground.findings.count_run(len(hit))
        wanted -= hit
        if not wanted:
            return
    for phase in wanted:
        if n <= surely(least[phase]):
            ground.findings.expect(f"moment {n} of the {phase}")


def lives(ground, gate, numbers):
    """A project for each number, some at once, so that one's end is a surprise for the others."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        least = {PHASES[0][0]: max(numbers)} if numbers else moments_of(ground, gate, pool)
        for phase, moments in least.items():
            ground.findings.expect(phase, len(numbers or range(surely(moments))))
        last = max(least.values()) + MORE
        list(pool.map(lambda n: kill_at(ground, gate, n, least), numbers or range(1, last + 1)))
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
