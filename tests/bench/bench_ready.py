#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How long until N projects asked for at once are all ready, and what it costs: wall time, API requests by kind, the
server's CPU and peak memory; against a client that only posts the same objects in parallel (rawcreate), alternating with
the server on the same cluster, and one project alone. Fails when one is not ready, when the API is polled, when there are
more requests than writes and a tenth, an object is written twice, or memory is over the ceiling. Times are only printed, as
ratios: the machine may be busy.

    bench_ready.py BUILD_DIR [N] [--rounds R] [--only embedded|real] [--databases]   (inside tests/harness/with_services.py)

On the embedded cluster, then on a real control plane where its binary is at hand (tests/kube): as kwok alone plays it, which
is what the goals are set for, and with containers that wait for their environment as under a kubelet. Without --databases the
embedded KubeBlocks answers at once and no login is proven: what is measured is the server. With it each project gets a
real database, one CREATE DATABASE after the other, which takes most of the time.
"""
import argparse
import collections
import concurrent.futures
import os
import random
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from clusters import Embedded, Missing, Real  # noqa: E402
from raw import Raw  # noqa: E402

RSS_CEILING_KIB = 32 * 1024
# The API server checks what a Role grants against a state that is fresh only at each tick of this length. A run that began
# where the one before it ended would meet the tick in the same phase each time: one side always early, the other late.
TICK_S = 0.1
WRITES = {"create", "update", "patch", "delete"}
OBJECTS_EACH = 10
ALONE_TRIES = 10  # a round
OTHERS_CEILING = 0.1

Ready = collections.namedtuple("Ready", "wall accepted outcomes requests cpu peak")


class Dashboard:
    """A user who has the event stream of all projects open."""

    def __init__(self, stack):
        self.client = stack.sign_in()
        self.watcher = self.client.events("/api/events", within_s=600)
        next(self.watcher)  # the snapshot: the stream is open

    def make_projects(self, n):
        return [self.client.json("POST", "/api/projects", {"name": f"bench {i}"}, 200)["id"] for i in range(n)]

    def make_sandboxes(self, projects):
        """(seconds to the last end, seconds to the last 202, {outcome: n}) from the first request on."""
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(min(16, len(projects))) as pool:
            list(pool.map(lambda project: self.client.json("POST", f"/api/sandbox/{project}", {"envVars": {}}, 202), projects))
        accepted = time.monotonic() - began
        left = set(projects)
        outcomes = {}
        while left:
            _, event, data = next(self.watcher)
            if event == "done":
                outcomes[data["outcome"]] = outcomes.get(data["outcome"], 0) + 1
                left.discard(data["projectId"])
        return time.monotonic() - began, accepted, outcomes


def make_ready(cluster, n, has_databases):
    """Projects are rows already: what is measured are their sandboxes."""
    with cluster.place(has_databases) as place, place.serve() as stack:
        dashboard = Dashboard(stack)
        server = stack.servers[0]
        projects = dashboard.make_projects(n)
        before = place.requests("fullstackd")
        cpu_before, _ = server.usage()
        wall, accepted, outcomes = dashboard.make_sandboxes(projects)
        cpu, peak = server.usage()
        requests = place.requests("fullstackd") - before
    return Ready(wall, accepted, outcomes, requests, cpu - cpu_before, peak)


def make_raw(cluster, raw, n):
    with cluster.place() as place:
        return raw.run(place, n)["wall_s"]


def compare(cluster, raw, n, rounds, has_databases=False):
    """Both, in turns, so that what else the machine does meets both."""
    ours, theirs = [], []
    for i in range(rounds):
        runs = [lambda: ours.append(make_ready(cluster, n, has_databases)), lambda: theirs.append(make_raw(cluster, raw, n))]
        for run in runs if i % 2 else reversed(runs):
            run()
        print(f"  round {i + 1}: {ours[-1].wall:.3f} s, raw {theirs[-1]:.3f} s, ratio {ours[-1].wall / theirs[-1]:.2f}", flush=True)
    return ours, theirs


def compare_alone(cluster, raw, tries):
    """One project after the other on a server that runs, the raw client's in a place of its own."""
    ours, theirs = [], []
    with cluster.place() as place, place.serve() as stack, cluster.place() as raw_place:
        dashboard = Dashboard(stack)
        for project in dashboard.make_projects(tries):
            time.sleep(random.uniform(0, TICK_S))
            theirs.append(raw.run(raw_place, 1)["wall_s"])
            time.sleep(random.uniform(0, TICK_S))
            ours.append(dashboard.make_sandboxes([project])[0])
    return ours, theirs


def report_ratio(what, ours, theirs, goal):
    ratio = statistics.median(a / b for a, b in zip(ours, theirs))
    print(f"{what}: median {statistics.median(ours):.3f} s, raw {statistics.median(theirs):.3f} s, ratio {ratio:.2f}"
          + (f" (goal: at most {goal})" if goal else ""), flush=True)


def writes_of(run):
    return sum(count for kind, count in run.requests.items() if kind.split()[0] in WRITES)


def report_cost(run, n):
    print(f"{n} projects at once: all accepted after {run.accepted:.2f} s, all ended after {run.wall:.2f} s: {run.outcomes}")
    print(f"server: {run.cpu:.2f} s CPU ({run.cpu / n * 1000:.1f} ms a project), peak RSS {run.peak / 1024:.1f} MiB")
    writes = writes_of(run)
    others = sum(run.requests.values()) - writes
    print(f"API requests: {writes} writes ({writes / n:.1f} a project), {others} others ({others / writes:+.1%}):")
    for kind in sorted(run.requests):
        print(f"  {kind:40} {run.requests[kind]}")


def failures_of(run, n):
    if run.outcomes != {"ready": n}:
        yield f"not all are ready: {run.outcomes}"
    if run.peak > RSS_CEILING_KIB and os.environ.get("BENCH_ANY_MEMORY") != "1":
        yield f"peak RSS {run.peak / 1024:.1f} MiB is over {RSS_CEILING_KIB // 1024} MiB"
    # "list -" asks which versions are served, once a minute.
    polls = {k: v for k, v in run.requests.items() if k.split()[0] in ("get", "list") and k not in ("get secrets", "list -")}
    if polls:
        yield f"the API was polled: {polls}"
    if run.requests.get("get secrets", 0) > n:
        yield f"credentials were read {run.requests['get secrets']} times for {n} projects"
    created = sum(count for kind, count in run.requests.items() if kind.startswith("create "))
    if created > n * OBJECTS_EACH:
        yield f"{created} requests created {n * OBJECTS_EACH} objects"
    # A watch that the API server ended is opened again: that is its doing.
    others = sum(count for kind, count in run.requests.items() if kind.split()[0] not in WRITES | {"watch"})
    if others > writes_of(run) * OTHERS_CEILING:
        yield f"{others} requests beside {writes_of(run)} writes are over a tenth"


def bench(cluster, raw, args):
    print(f"== {cluster.name}", flush=True)
    if raw is None:
        ours = [make_ready(cluster, args.n, args.databases)]
    else:
        ours, theirs = compare(cluster, raw, args.n, args.rounds, args.databases)
        report_ratio(f"{args.n} projects at once", [run.wall for run in ours], theirs, cluster.goals[0])
    report_cost(ours[-1], args.n)
    if raw is not None:
        report_ratio("one project alone", *compare_alone(cluster, raw, ALONE_TRIES * args.rounds), cluster.goals[1])
    return [f"{cluster.name}: {failure}" for run in ours for failure in failures_of(run, args.n)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("n", nargs="?", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("embedded", "real"))
    parser.add_argument("--databases", action="store_true")
    args = parser.parse_args()
    raw = Raw(args.build)
    lack = raw.lacks()
    if lack:
        print("NOT COMPARED with a raw client:", lack)
        raw = None
    failures = [] if args.only == "real" else bench(Embedded(args.build), raw, args)
    if args.only != "embedded":
        try:
            for has_kubelet in (False, True):
                with Real(args.build, has_kubelet) as real:
                    failures += bench(real, raw, args)
        except Missing as e:
            print("NOT MEASURED on a real control plane:", e)
    for failure in failures:
        print("FAILED:", failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
