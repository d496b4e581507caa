#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The stories of a project, written once and lived on the cluster of the environment: the embedded one, or, where FS_KUBE
describes one, a real control plane. Each case checks its end and hands back what was told, to be compared (table.py).

    suite.py [--out FILE] [CASE...]        inside with_services.py, and with_kube.py for a real cluster

FS_DEVCLUSTER_KUBEBLOCKS is the embedded cluster's --kubeblocks [v1alpha1].
"""
import argparse
import concurrent.futures
import json
import os
import sys
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "stack"))
import journal  # noqa: E402
from world import OF_DATABASE, STAGES, Reader, World, brief, is_done, is_stage, wait_for  # noqa: E402

# The same times on both: with_kube.py is given these as POD_PULL_MS and so on (run.py).
PULL_MS, PROBE_MS, DATABASE_MS, RETRY_MS = 300, 300, 1000, 300
DELAYS = f"schedule=0,pull_first={PULL_MS},pull_again={PULL_MS},start=0,ready={PROBE_MS},stop=0,database={DATABASE_MS},retry={RETRY_MS}"

PATIENT = {"FULLSTACKD_FLOW_CALL_DEADLINE": "10s"}
# Short enough to wait for, and longer than the graces of what may pass by itself (core/checks.c). Each shortens only what its
# cases wait for: on a busy machine everything else takes the time it takes.
NO_DATABASE = dict(PATIENT, FULLSTACKD_FLOW_DATABASE_DEADLINE="14s", FULLSTACKD_FLOW_CREDENTIALS_DEADLINE="8s")
NO_CONTAINER = dict(PATIENT, FULLSTACKD_FLOW_CONTAINER_DEADLINE="14s")
NO_TERMINAL = dict(PATIENT, FULLSTACKD_FLOW_TERMINAL_DEADLINE="6s")
HASTY = {"FULLSTACKD_FLOW_CALL_DEADLINE": "2s"}
AT_ONCE = 4
CASES = []  # (name, where, deadlines, function)


def case(where, deadlines):
    """where: "together" with others of these deadlines, in a world of its "own", or "alone" on the whole cluster."""
    def add(function):
        CASES.append((function.__name__.replace("_", " "), where, deadlines, function))
        return function
    return add


def open_world(deadlines):
    kubeblocks = os.environ.get("FS_DEVCLUSTER_KUBEBLOCKS") or "v1alpha1"
    return World(env=deadlines, cluster_args=("--delays", DELAYS, "--kubeblocks", kubeblocks), has_databases=False, account="fullstackd", may_be_real=True)


def check(is_so, *what):
    if not is_so:
        raise AssertionError(" ".join(str(w) for w in what))


def equal(got, want, *what):
    check(got == want, *what, f"got {got!r}, want {want!r}")


class Story:
    """One project of a user of its own, and everything that is told to that user."""

    def __init__(self, world, name, env=None):
        self.world = world
        self.client = world.sign_in(name.strip("-").replace(" ", "-"))
        self.reader = Reader(self.client, "/api/events")
        self.reader.wait("the snapshot", lambda event, _: event == "reset")
        self.id = self.client.json("POST", "/api/projects", {"name": name}, 200)["id"]
        self.path = f"/api/sandbox/{self.id}"
        self.ends = 0
        self.chance, self.is_race = None, False
        self.create(env)

    def create(self, env=None):
        self.answer = self.client.json("POST", self.path, {} if env is None else {"envVars": env}, 202)
        return self

    def end(self, outcome, code=None):
        """Waits until this wish has ended, which it must have like that."""
        self.ends += 1
        seen = []
        done = self.reader.wait("the end", lambda name, data: is_done(name, data) and (seen.append(1) or len(seen) == self.ends))
        equal((done["outcome"], done.get("code")), (outcome, code), brief(self.reader.events))
        told = {d["stage"]: d["status"] for _, n, d in self.reader.events if n == "stage"}
        check("in_progress" not in told.values(), "a stage is left open", told)
        return self

    def fail(self, code, words):
        self.end("failed", code)
        status = self.client.json("GET", self.path, status=200)
        equal((status["status"], status["failure"]["code"]), ("error", code))
        check(words in status["failure"]["message"], words, "is not in", status["failure"]["message"])
        check(status["failure"]["hint"], "no hint")
        return self

    def wait(self, what, is_it):
        self.reader.wait(what, is_it)
        return self

    def names(self):
        return self.world.sandbox_row(self.id)[:2]

    def left(self):
        """What the cluster holds of this project: {kind: names}."""
        sandbox, database = self.names_known
        found = {}
        for kind, name in self.world.made():
            if name.startswith((sandbox, database)):
                found.setdefault(kind, set()).add(name)
        return found

    def remember(self):
        self.names_known = self.names()
        return self

    def is_only_database_left(self):
        left = self.left()
        return "clusters" in left and set(left) <= OF_DATABASE and all(
            name.startswith(self.names_known[1]) for names in left.values() for name in names)

    def told(self):
        """What is compared."""
        story = journal.told(self.reader.events, self.chance)
        return journal.merged(story) if self.is_race else story

    def by_chance(self, pattern):
        """What this story tells or not, as time allows: see journal.told()."""
        self.chance = pattern
        return self

    def delete_project(self, query=""):
        self.remember()
        self.client.json("DELETE", f"/api/projects/{self.id}{query}", status=202)
        return self


# ---- what goes well ----

@case("together", PATIENT)
def creation(world):
    story = Story(world, "creation").end("ready")
    status = story.client.json("GET", story.path)
    equal((status["status"], [s["status"] for s in status["stages"]]), ("running", ["completed"] * len(STAGES)))
    story.remember()
    counts = {kind: len(names) for kind, names in story.left().items()}
    for kind, n in (("deployments", 1), ("replicasets", 1), ("pods", 1), ("services", 1), ("ingresses", 2), ("clusters", 1), ("roles", 1),
                    ("rolebindings", 1)):
        equal(counts.get(kind), n, kind)
    return story


@case("together", PATIENT)
def variables_reach_the_container(world):
    story = Story(world, "variables", {"GREETING": "h\u00e4ll\u00f6", "EMPTY": ""}).end("ready")
    env = world.env_of(story.names()[0])
    equal((env["GREETING"], env["EMPTY"], env["TTYD_PORT"]), ("h\u00e4ll\u00f6", "", "7681"))
    check(env["DATABASE_URL"].startswith("postgresql://postgres:"), "no address of the database")
    return story


@case("together", PATIENT)
def sandbox_deleted_and_created_again(world):
    story = Story(world, "again").end("ready").remember()
    uid = world.objects()["clusters", story.names_known[1]]
    story.client.json("DELETE", story.path, status=202)
    story.end("terminated")
    wait_for("nothing but the database", story.is_only_database_left)
    first = story.names_known
    story.create().end("ready")
    second = story.names()
    check(second[0] != first[0] and second[1] == first[1], first, second)
    equal(world.objects()["clusters", second[1]], uid, "the database was made anew")
    return story


@case("together", PATIENT)
def project_deleted(world):
    story = Story(world, "whole").end("ready").delete_project().end("deleted")
    wait_for("nothing", lambda: not story.left())
    equal(story.client.request("GET", story.path)[0], 404)
    return story


@case("together", PATIENT)
def project_deleted_database_kept(world):
    story = Story(world, "detach").end("ready").delete_project("?keepDatabase=true").end("deleted")
    wait_for("nothing but the database", story.is_only_database_left)
    return story


@case("together", PATIENT)
def project_deleted_while_it_is_created(world):
    story = Story(world, "kbslow-early")
    story.wait("the Cluster", lambda name, data: name == "stage" and "KubeBlocks is creating" in data["message"])
    story.wait("the pod", lambda name, data: name == "stage" and "image pulled" in data["message"])
    story.delete_project().end("deleted")
    wait_for("nothing", lambda: not story.left())
    return story


# ---- stopped, started, changed ----

def act(story, action, outcome):
    story.client.json("POST", f"/api/projects/{story.id}/{action}", status=202)
    return story.end(outcome)


def phase_of(world, story):
    return world.kube("GET", world.path_of("clusters", story.names()[1]), want=200)["status"]["phase"]


@case("together", PATIENT)
def stopped_and_started_again(world):
    story = Story(world, "till").end("ready").remember()
    uid = world.objects()["clusters", story.names_known[1]]
    act(story, "stop", "stopped")
    equal((phase_of(world, story), story.client.json("GET", story.path)["status"]), ("Stopped", "stopped"))
    check("pods" not in story.left(), "a pod is left", story.left())
    equal(world.kube("GET", world.path_of("deployments", story.names()[0]))["spec"]["replicas"], 0)
    act(story, "start", "ready")
    equal((phase_of(world, story), story.client.json("GET", story.path)["status"]), ("Running", "running"))
    equal(world.objects()["clusters", story.names_known[1]], uid, "the database was made anew")
    return story


@case("together", PATIENT)
def restarted(world):
    story = Story(world, "kiosk").end("ready").remember()
    before = story.left()["pods"]
    act(story, "restart", "ready")
    wait_for("one other pod", lambda: len(story.left().get("pods", ())) == 1 and not before & story.left()["pods"])
    return story


@case("together", PATIENT)
def variable_changed_while_it_runs(world):
    story = Story(world, "change", {"SHAPE": "round"}).end("ready")
    story.client.json("POST", f"/api/projects/{story.id}/environment", {"key": "COLOUR", "value": "blue"})
    story.end("ready")
    env = world.env_of(story.names()[0])
    equal((env["SHAPE"], env["COLOUR"]), ("round", "blue"))
    return story


@case("together", PATIENT)
def deleted_while_stopped(world):
    story = Story(world, "shut").end("ready")
    act(story, "stop", "stopped").delete_project().end("deleted")
    wait_for("nothing", lambda: not story.left())
    return story


# ---- cancelled ----

def cancel(story, stage):
    story.remember()
    story.client.json("DELETE", story.path, status=202)
    story.end("cancelled", "CANCELLED")
    last = [d["status"] for _, n, d in story.reader.events if n == "stage" and d["stage"] == stage][-1]
    equal(last, "skipped", stage)
    equal(story.client.json("GET", story.path)["status"], "terminated")
    wait_for("nothing but the database", story.is_only_database_left)
    return story


@case("together", PATIENT)
def cancelled_while_the_database_is_made(world):
    story = Story(world, "kbslow-cancel")
    story.wait("the Cluster", lambda name, data: name == "stage" and "KubeBlocks is creating" in data["message"])
    story.wait("the pod", lambda name, data: name == "stage" and "image pulled" in data["message"])
    return cancel(story, "database")


@case("together", PATIENT)
def cancelled_while_the_container_starts(world):
    story = Story(world, "podnever-cancel").wait("the database", is_stage("database", "completed"))
    return cancel(story, "container")


@case("together", PATIENT)
def cancelled_while_the_terminal_starts(world):
    story = Story(world, "podunready-cancel").wait("the terminal", is_stage("terminal", "in_progress"))
    return cancel(story.wait("the network", is_stage("networking", "completed")), "terminal")


@case("together", PATIENT)
def cancelled_and_created_again(world):
    story = Story(world, "kbslow-again")
    story.wait("the Cluster", lambda name, data: name == "stage" and "KubeBlocks is creating" in data["message"])
    story.wait("the pod", lambda name, data: name == "stage" and "image pulled" in data["message"])
    cancel(story, "database")
    settle_database(world, story)
    return story.create().end("ready").by_chance("KubeBlocks is creating|image pulled")  # until the watch has told that it runs


# ---- what fails, by itself ----

def settle_database(world, story):
    """The operator's work by hand: the Cluster runs."""
    database = story.names()[1]
    world.patch(world.path_of("clusters", database) + "/status", {"status": {"phase": "Running"}})


def fails(name, code, words, deadlines=PATIENT):
    def function(world):
        story = Story(world, name + "-x").fail(code, words)
        # A container that falls takes the network's readiness with it, if there was time for that.
        return story.by_chance("skipped None not finished") if code == "CRASH_LOOP" else story
    function.__name__ = f"pod or database fails: {name}"
    case("together", deadlines)(function)


fails("podpull", "IMAGE_PULL", "Back-off pulling image")
fails("podname", "IMAGE_PULL", "couldn't parse image name")
fails("podcrash", "CRASH_LOOP", "exit code 1")
fails("podoom", "CRASH_LOOP", "out of memory")
fails("podconfig", "DEADLINE", "", NO_CONTAINER)
fails("podunready", "TERMINAL_NO_ANSWER", "7681", NO_TERMINAL)
fails("podevicted", "DEADLINE", "", NO_CONTAINER)
fails("podnever", "DEADLINE", "", NO_CONTAINER)
fails("kbfail", "DB_CLUSTER_FAILED", "the database failed")
fails("kbabnormal", "DB_CLUSTER_FAILED", "the database failed")
fails("kbnever", "DEADLINE", "KubeBlocks is creating the database", NO_DATABASE)
fails("kbnosecret", "DB_SECRET_MISSING", "", NO_DATABASE)
fails("kbprecheck", "DB_CLUSTER_FAILED", "refuses")


def mends(fate, code, deadlines=PATIENT):
    def function(world):
        story = Story(world, f"mend-{fate.lower()}"[:20], {"KWOK_FAIL": fate}).fail(code, "")
        database = world.objects()["clusters", story.names()[1]]
        story.create({}).end("ready")
        equal(world.objects()["clusters", story.names()[1]], database, "the database was made anew")
        return story
    function.__name__ = f"retry mends {fate}"
    case("together", deadlines)(function)


mends("CrashLoopBackOff", "CRASH_LOOP")
mends("OOMKilled", "CRASH_LOOP")
mends("NotReady", "TERMINAL_NO_ANSWER", NO_TERMINAL)


@case("together", PATIENT)
def crashes_twice_and_then_stays_up(world):
    return Story(world, "twice", {"KWOK_FAIL": "CrashLoopBackOff", "KWOK_FAIL_TIMES": "2"}).end("ready")


@case("together", PATIENT)
def retry_mends_a_failed_database(world):
    story = Story(world, "kbfail-mend").fail("DB_CLUSTER_FAILED", "the database failed")
    settle_database(world, story)
    return story.create({}).end("ready")


# ---- what others do ----

def quota(world, name, **hard):
    path = f"/api/v1/namespaces/{world.namespace}/resourcequotas"
    world.kube("POST", path, {"metadata": {"name": name}, "spec": {"hard": {key.replace("__", "/").replace("_", "."): value
                                                                           for key, value in hard.items()}}}, 201)
    wait_for("the quota is counted", lambda: world.kube("GET", f"{path}/{name}", want=200).get("status", {}).get("used"))
    return f"{path}/{name}"


@case("own", PATIENT)
def quota_of_pods_is_used_up(world):
    path = quota(world, "full", pods="0")
    story = Story(world, "over").fail("QUOTA_EXCEEDED", "exceeded quota")
    world.kube("DELETE", path, want=200)
    return story.create({}).end("ready").by_chance("in_progress QUOTA")  # a condition outlives its cause for a moment


@case("own", PATIENT)
def quota_of_deployments_is_used_up(world):
    path = quota(world, "few", count__deployments_apps="0")
    story = Story(world, "none").fail("QUOTA_EXCEEDED", "exceeded quota")
    world.kube("DELETE", path, want=200)
    # Admission learns of that by a watch of its own.
    labels = {"app": "attempt"}
    attempt = {"metadata": {"name": "attempt"}, "spec": {"selector": {"matchLabels": labels}, "template": {
        "metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "main:1"}]}}}}
    wait_for("the quota is gone", lambda: world.cluster_call("POST", world.path_of("deployments") + "?dryRun=All", attempt)[0] == 201)
    # The first attempt may have ended before it made the database; then the second does not wake it.
    return story.create({}).end("ready").by_chance("starting the database")


def plant_instead(world, kind, name, foreign):
    """Somebody deletes an object of ours and makes one of that name which is not ours."""
    world.kube("DELETE", world.path_of(kind, name), want=200)
    wait_for("its end", lambda: name not in world.names(kind))
    world.kube("POST", world.path_of(kind), foreign, 201)


@case("own", NO_TERMINAL)
def service_of_our_name_is_somebody_elses(world):
    story = Story(world, "podunready-svc").fail("TERMINAL_NO_ANSWER", "")
    name = story.names()[0] + "-service"
    plant_instead(world, "services", name, {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}})
    story.create().fail("CONFLICT", "belongs to somebody else")
    uid = world.objects()["services", name]
    story.client.json("DELETE", story.path, status=202)
    story.end("terminated")
    equal(world.objects().get(("services", name)), uid, "the other's Service was touched")
    return story


@case("own", PATIENT)
def database_of_our_name_is_somebody_elses(world):
    story = Story(world, "foreign").end("ready").remember()
    name = story.names_known[1]
    story.client.json("DELETE", story.path, status=202)
    story.end("terminated")
    spec = {"terminationPolicy": "Delete", "componentSpecs": [{"name": "postgresql", "replicas": 1}]}
    plant_instead(world, "clusters", name, {"apiVersion": world.cluster_version, "kind": "Cluster", "metadata": {"name": name}, "spec": spec})
    story.create().fail("CONFLICT", "belongs to somebody else")
    uid = world.objects()["clusters", name]
    story.delete_project().end("deleted")
    equal(world.objects().get(("clusters", name)), uid, "the other's database was touched")
    return story.by_chance("image pulled")  # the conflict comes at once


@case("own", PATIENT)
def namespace_is_terminating(world):
    maps = f"/api/v1/namespaces/{world.namespace}/configmaps"
    world.kube("POST", maps, {"metadata": {"name": "holder"}}, 201)
    # Held, so that the namespace stays as it is now: what it is, and who the server is and may do there.
    held = [f"{maps}/holder"] + [world.path_of(kind, name) for kind in ("serviceaccounts", "roles", "rolebindings", "secrets")
                                 for name in world.names(kind) if name.startswith(world.account)]
    for path in held:
        world.patch(path, {"metadata": {"finalizers": ["example.test/hold"]}})
    world.kube("DELETE", f"/api/v1/namespaces/{world.namespace}")
    phase = lambda: world.kube("GET", f"/api/v1/namespaces/{world.namespace}", want=200)["status"]["phase"]  # noqa: E731
    wait_for("the namespace ends", lambda: phase() == "Terminating")
    story = Story(world, "late").fail("FORBIDDEN", "terminat")
    story.is_race = True
    for path in held:
        world.patch(path, {"metadata": {"finalizers": None}})
    return story


# ---- alone on the cluster ----

@case("alone", PATIENT)
def no_node_has_room(world):
    # Pods that are about to go would leave room.
    wait_for("the other worlds' ends", lambda: all(ns["status"]["phase"] == "Active"
                                                   for ns in world.kube("GET", "/api/v1/namespaces", want=200)["items"]))
    allocatable = world.kube("GET", "/api/v1/nodes", want=200)["items"][0]["status"]["allocatable"]["cpu"]
    room = int(allocatable[:-1]) if allocatable.endswith("m") else int(allocatable) * 1000
    used = 0
    for pod in world.kube("GET", "/api/v1/pods", want=200)["items"]:
        for container in pod["spec"]["containers"]:
            used += int(container["resources"].get("requests", {}).get("cpu", "0").rstrip("m"))
    box = {"name": "hog", "image": "hog:1", "resources": {"requests": {"cpu": f"{room - used}m"}}}
    world.kube("POST", world.path_of("pods"), {"metadata": {"name": "hog"}, "spec": {"terminationGracePeriodSeconds": 0, "containers": [box]}}, 201)
    wait_for("the hog", lambda: world.kube("GET", world.path_of("pods", "hog"))["status"].get("phase") == "Running")
    story = Story(world, "crowded").fail("UNSCHEDULABLE", "no node has enough CPU")
    world.kube("DELETE", world.path_of("pods", "hog"), want=200)
    return story.create({}).end("ready")


@case("alone", HASTY)
def api_stands_still(world):
    story = Story(world, "kbslow-frozen")
    story.wait("the pod", lambda name, data: name == "stage" and "image pulled" in data["message"])
    world.freeze()
    try:
        other = Story(world, "meanwhile")
        other.wait("that the API does not answer", lambda name, data: data.get("code") == "CLUSTER_UNREACHABLE")
    finally:
        world.thaw()
    return other.end("ready")


# ---- running them ----

class Runner:
    def __init__(self, wanted):
        self.cases = [c for c in CASES if not wanted or any(word in c[0] for word in wanted)]
        self.results = {}
        self.lock = threading.Lock()

    def run_one(self, name, function, world):
        began = time.monotonic()
        try:
            result = {"status": "ok", "story": function(world).told()}
        except Exception:  # noqa: BLE001 -- whatever a case dies of is its result
            result = {"status": "FAIL", "why": traceback.format_exc(limit=-3)}
        with self.lock:
            self.results[name] = result
            print(f"{result['status']:5s} {name} ({time.monotonic() - began:.1f} s)", flush=True)
            if "why" in result:
                print(result["why"], flush=True)

    def run_in_one_world(self, cases):
        """Cases side by side in one world. What the world finds at its end (a leak, a secret told) fails all of them."""
        try:
            with open_world(cases[0][2]) as world, concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
                for running in [pool.submit(self.run_one, name, function, world) for name, _, _, function in cases]:
                    running.result()
        except Exception:  # noqa: BLE001
            why = traceback.format_exc(limit=-3)
            print(f"FAIL  the world of {cases[0][0]} ...\n{why}", flush=True)
            for name, *_ in cases:
                self.results[name] = {"status": "FAIL", "why": why}

    def run(self):
        worlds = [[c for c in self.cases if c[1] == "together" and c[2] is deadlines] for deadlines in (NO_DATABASE, NO_CONTAINER, NO_TERMINAL, PATIENT)]
        worlds += [[c] for c in self.cases if c[1] == "own"]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for running in [pool.submit(self.run_in_one_world, cases) for cases in worlds if cases]:
                running.result()
        for c in self.cases:
            if c[1] == "alone":
                self.run_in_one_world([c])
        return {name: self.results[name] for name, *_ in self.cases}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--out")
    parser.add_argument("cases", nargs="*")
    options = parser.parse_args()
    results = Runner(options.cases).run()
    if options.out:
        with open(options.out, "w") as f:
            json.dump(results, f, indent=1)
    failed = [name for name, result in results.items() if result["status"] == "FAIL"]
    if not options.out:  # else the table counts them
        print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
