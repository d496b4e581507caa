# SPDX-License-Identifier: MIT
"""Many creations at once through two replicas, while the API server refuses, delays and cuts some of all calls, some
pods and databases are doomed, and replicas are killed: each of them ends, and as it has to."""
import concurrent.futures
import random
import threading

from ground import DELAYS, Ground, PHASES
from judge import judge

USERS = 4
POSTING = 8
CREATION, DELETION = PHASES[0], PHASES[3]
# How the cluster treats what bears such a name (devcluster/README.md), and how that has to end.
FATES = {"podcrash": "CRASH_LOOP", "podpull": "IMAGE_PULL", "kbfail": "DB_CLUSTER_FAILED"}
EVERY_NTH_IS_DOOMED = 10
TIMES = 1000000
FAULTS = (
    {"percent": 3, "status": 500},
    {"percent": 3, "status": 503},
    {"percent": 3, "status": 429},
    {"percent": 2, "status": 504},
    {"percent": 2, "close": True},
    {"percent": 3, "status": 409, "verb": "patch"},
    {"percent": 3, "status": 409, "verb": "create"},
    {"percent": 1, "delayMs": 5000},
    {"percent": 10, "delayMs": 50},
)
# A busy machine is no reason for one of them to fail: with the usual deadlines a minute of calls that time out ends one as
# CLUSTER_UNREACHABLE before its pod could crash.
ENV = dict({f"FULLSTACKD_FLOW_{name}_DEADLINE": "10m" for name in ("APPLY", "DATABASE", "CREDENTIALS", "CONTAINER", "ENDPOINT",
                                                                  "TERMINAL", "READY")},
           FULLSTACKD_DATABASE_POOL_SIZE="16", FULLSTACKD_FLOW_CALL_DEADLINE="4s")
END_WITHIN_S = 240


class Crowd:
    def __init__(self, ground, n, chance):
        self.ground, self.n, self.chance = ground, n, chance
        self.projects = []  # (id, name, user)
        self.lock = threading.Lock()

    def create(self, i):
        fate = list(FATES)[i // EVERY_NTH_IS_DOOMED % len(FATES)] if i % EVERY_NTH_IS_DOOMED == 5 else "crowd"
        name, user = f"{fate}-{i}", i % USERS
        caller = self.ground.callers[user]
        project = self.ground.new_project(name, caller)
        if project is not None and self.ground.wish(CREATION, project, caller) is not None:
            with self.lock:
                self.projects.append((project, name, user))

    def witness(self, user):
        return self.ground.witnesses[2 * user]

    def ends(self, projects, n):
        """{project: how its n-th wish ended}."""
        ends = {}
        for project, name, user in projects:
            end = self.witness(user).done(project, n, END_WITHIN_S)
            if end is None:
                self.ground.findings.add("stuck", f"{name} ({project}) did not end")
            else:
                ends[project] = end
        return ends

    def check(self, project, name, end):
        code = FATES.get(name.partition("-")[0])
        want = ("failed", code) if code else ("ready", None)
        got = (end["outcome"], end.get("code") or None)
        if got != want:
            self.ground.findings.add("lost", f"{name} ({project}) ended {got} and not {want}: {end.get('message')}")

    def delete(self, projects):
        with concurrent.futures.ThreadPoolExecutor(POSTING) as pool:
            list(pool.map(lambda p: self.ground.wish(DELETION, p[0], self.ground.callers[p[2]]), projects))
        self.ends(projects, 2)


def kill_now_and_then(ground, chance, kills, events_n):
    """Each kill at another share of the events that are to be expected."""
    seen = 0
    for i in range(kills):
        seen += int(events_n / USERS * chance.uniform(0.2, 0.8) / kills)
        if not ground.witness.wait(lambda n=seen: len(ground.witness.events) >= n, 120):
            return
        ground.wait_all_alive()
        ground.kill(f"replica-{chance.randint(0, 1)}")


def crowd(seed, n, kills):
    chance = random.Random(f"crowd {seed}")
    with Ground(seed, replicas=2, users=USERS, env=ENV, cluster_args=DELAYS) as ground:
        for i, fault in enumerate(FAULTS):
            ground.fault(times=TIMES, seed=seed * 100 + i, **fault)
        ground.findings.expect("kills", kills)
        ground.findings.expect("creations", n)
        ground.findings.expect("injected errors that were met", n)
        it = Crowd(ground, n, chance)
        killer = threading.Thread(target=kill_now_and_then, args=(ground, chance, kills, n * 12), daemon=True)
        killer.start()
        with concurrent.futures.ThreadPoolExecutor(POSTING) as pool:
            list(pool.map(it.create, range(n)))
        ends = it.ends(it.projects, 1)
        for project, name, _ in it.projects:
            if project in ends:
                it.check(project, name, ends[project])
        killer.join(120)
        ground.wait_all_alive()
        ground.findings.count_run(n)
        ground.findings.count_hit("creations", len(it.projects))
        ground.findings.count_hit("kills", ground.kills)
        ground.findings.count_hit("injected errors that were met", ground.count_logged("an injected fault"))
        ready = [p for p in it.projects if ends.get(p[0], {}).get("outcome") == "ready"]
        chance.shuffle(ready)
        kept = ready[:2 * len(ready) // 3]
        it.delete([p for p in it.projects if p not in kept])
        ground.kube("DELETE", "/devcluster/faults", want=200)
        judge(ground)
        it.delete(kept)
        judge(ground)
        left = ground.made()
        if left:
            ground.findings.add("orphaned", f"all is deleted, and there are {sorted(left)[:20]}")
        print(f"crowd: {len(ready)} of {len(it.projects)} ready, {ground.kills} kills", flush=True)
        return ground.findings
