# SPDX-License-Identifier: MIT
"""Connections that are reset in the middle of a byte stream, to PostgreSQL, Redis and the API server; and watches that
break and expire."""
import concurrent.futures
import random
import threading

from between import Cutter
from ground import DELAYS, Ground, PHASES
from judge import judge

PROJECTS = 4
# That the replicas met it: what they had to begin anew.
WATCH_METRICS = {"lists": "fullstackd_kube_lists_total", "streams": "fullstackd_kube_watch_streams_total",
                 "failures": "fullstackd_kube_watch_failures_total"}


def live_all(ground, n):
    """n projects at once, each through all its phases; the ones that failed with a code are deleted after the calm."""
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        return [r.result() for r in [pool.submit(ground.live, f"cut{i}", PHASES, ground.caller, ground.witness, None, True)
                                     for i in range(n)]]


def connections(seed, target, replicas=2):
    cutter = Cutter(seed, target)
    with Ground(seed, replicas=replicas, between=cutter) as ground:
        ground.findings.expect("cuts")
        live_all(ground, PROJECTS)
        cutter.is_calm = True
        ground.findings.count_run(cutter.cuts)
        ground.findings.count_hit("cuts", cutter.cuts)
        ground.findings.count_hit("connections", cutter.connections)
        judge(ground)
        return ground.findings


def watches(seed, replicas=2):
    """At each few events everything that watches could resume from is gone, and they break or end; lists expire as well."""
    chance = random.Random(f"watches {seed}")
    with Ground(seed, replicas=replicas, cluster_args=DELAYS + ("--watch-window", "64")) as ground:
        for hit in WATCH_METRICS:
            ground.findings.expect(hit)
        before = {hit: ground.metric(name) for hit, name in WATCH_METRICS.items()}
        is_over = threading.Event()

        def expire():
            seen = 0
            while not is_over.is_set():
                seen += chance.randint(1, 6)
                if not ground.witness.wait(lambda n=seen: is_over.is_set() or len(ground.witness.events) >= n, 60):
                    return
                ground.fault(compact=True)
                if chance.random() < 0.3:
                    ground.fault(status=410, times=2, verb="list")
                ground.fault(**{chance.choice(("dropWatches", "endWatches")): True})
                ground.findings.count_run()

        expiring = threading.Thread(target=expire, daemon=True)
        expiring.start()
        live_all(ground, PROJECTS)
        is_over.set()
        with ground.witness.changed:
            ground.witness.changed.notify_all()
        expiring.join(60)
        for hit, name in WATCH_METRICS.items():
            ground.findings.count_hit(hit, ground.metric(name) - before[hit])
        ground.kube("DELETE", "/devcluster/faults", want=200)
        judge(ground)
        return ground.findings
