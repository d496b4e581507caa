#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a namespace full of sandboxes costs the server: time and CPU until its caches hold N and then 2N of them, memory for
each, one project's creation beside them, a list of everything anew. Times are only printed; the bench fails when memory or CPU
grow faster than the number, when the lists do not come in pages, or when the server wakes flows for what it has seen before.

    bench_watch.py BUILD_DIR [N]            (inside tests/harness/with_services.py; the raw client fills the embedded cluster)
"""
import argparse
import collections
import os
import re
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from bench_ready import Dashboard  # noqa: E402
from clusters import Embedded, wait_for  # noqa: E402
from raw import Raw  # noqa: E402
from stack import Client  # noqa: E402

WATCHES_N = 7
PAGE_N = 500
ALONE_N = 7
LINEAR = 1.5  # twice as many may cost so much more than twice: a busy machine, the first pages of an allocator
BYTES_CEILING = 16 * 1024

Sync = collections.namedtuple("Sync", "n wall cpu rss lists alone relist_wall relist_cpu")


def rss_kib(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


def kube_metric(server, name):
    text = Client(server.port, "").request("GET", "/metrics")[2].decode()
    return sum(float(v) for v in re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", text, re.M))


def relist(stack, server):
    """Every watch has to begin anew, from an expired version."""
    lists = kube_metric(server, "fullstackd_kube_lists_total")
    streams = kube_metric(server, "fullstackd_kube_watch_streams_total")
    cpu = server.usage()[0]
    began = time.monotonic()
    for fault in {"compact": True}, {"dropWatches": True}:
        status, answer = stack.cluster_call("POST", "/devcluster/faults", fault)
        assert status < 300, answer
    # Each is refused once from where it was, lists, and watches again; but that of the kind which changed last is where it was.
    wait_for("a list of everything", lambda: kube_metric(server, "fullstackd_kube_watch_streams_total") >= streams + 2 * WATCHES_N - 1, 60)
    assert kube_metric(server, "fullstackd_kube_lists_total") > lists
    return time.monotonic() - began, server.usage()[0] - cpu


def widen_node(stack):
    """The one node takes as many pods as are asked for."""
    room = {"cpu": "100k", "memory": "1Pi", "pods": "1M"}
    status, answer = stack.cluster_call("PATCH", "/api/v1/nodes/fake-node/status", {"status": {"allocatable": room, "capacity": room}},
                                        "application/merge-patch+json")
    assert status == 200, answer


def measure(stack, n):
    began = time.monotonic()
    server = stack.serve()
    wall = time.monotonic() - began
    wait_for("all watches", lambda: kube_metric(server, "fullstackd_kube_watch_streams_total") >= WATCHES_N)
    cpu, rss = server.usage()[0], rss_kib(server.pid)
    lists = kube_metric(server, "fullstackd_kube_lists_total")
    dashboard = Dashboard(stack)
    alone = statistics.median(dashboard.make_sandboxes([project])[0] for project in dashboard.make_projects(ALONE_N))
    relist_wall, relist_cpu = relist(stack, server) if n else (0, 0)
    server.stop()
    stack.servers.remove(server)
    sync = Sync(n, wall, cpu, rss, int(lists), alone, relist_wall, relist_cpu)
    print(f"{n:6} sandboxes: ready after {wall:.2f} s, {cpu:.2f} s CPU, RSS {rss / 1024:.1f} MiB, {sync.lists} pages; "
          f"one more project takes {alone * 1000:.0f} ms; a list of all anew {relist_wall:.2f} s, {relist_cpu:.2f} s CPU", flush=True)
    return sync


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("n", nargs="?", type=int, default=2000)
    args = parser.parse_args()
    raw = Raw(args.build)
    lack = raw.lacks()
    if lack:
        print("SKIPPED: nothing to fill the cluster with:", lack)
        return 77
    with Embedded(args.build).place() as place:
        widen_node(place.stack)
        syncs = [measure(place.stack, 0)]
        for i in 1, 2:
            filled = raw.run(place, args.n)
            print(f"       filled with {args.n} sandboxes in {filled['wall_s']:.1f} s", flush=True)
            syncs.append(measure(place.stack, i * args.n))
    return judge(*syncs)


def judge(none, once, twice):
    each = (twice.rss - once.rss) * 1024 / once.n
    print(f"memory: {each:.0f} bytes a sandbox between the two")
    growth = {"RSS": (twice.rss - none.rss) / max(once.rss - none.rss, 1), "CPU": (twice.cpu - none.cpu) / max(once.cpu - none.cpu, 0.01),
              "CPU of the list anew": twice.relist_cpu / max(once.relist_cpu, 0.01)}
    print("twice as many cost: " + ", ".join(f"{what} x {ratio:.2f}" for what, ratio in growth.items()))
    failures = [f"{what} grows by {ratio:.2f}, not by 2" for what, ratio in growth.items() if ratio > 2 * LINEAR]
    if each > BYTES_CEILING:
        failures.append(f"{each:.0f} bytes a sandbox are over {BYTES_CEILING}")
    if twice.lists < 6 * twice.n // PAGE_N:
        failures.append(f"{twice.lists} lists brought {twice.n} sandboxes: not in pages")
    for failure in failures:
        print("FAILED:", failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
