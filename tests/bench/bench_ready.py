#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How long until N projects created at once are all ready, and what it costs: wall time, API requests by kind, the
server's CPU and peak memory. Fails when one is not ready, when the API is polled, or when memory is over the ceiling.

    bench_ready.py BUILD_DIR [N] [--databases]        (run inside tests/harness/with_services.py)

Without --databases the embedded KubeBlocks answers at once and no login is proven: what is measured is the server. With
it each project gets a real database, one CREATE DATABASE after the other, which takes most of the time.
"""
import concurrent.futures
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "harness"))
from stack import Stack  # noqa: E402

RSS_CEILING_KIB = 32 * 1024
WRITES = {"create", "update", "patch", "delete"}


def run(build, n, has_databases):
    with Stack(build, has_databases=has_databases, env={"FULLSTACKD_RATE_WRITE": "0", "FULLSTACKD_RATE_READ": "0", "FULLSTACKD_LOG_LEVEL": "warn"}) as s:
        client = s.sign_in()
        server = s.servers[0]
        before = s.cluster_requests()
        cpu_before, _ = server.usage()
        watcher = client.events("/api/events", within_s=120)
        next(watcher)  # the snapshot: the stream is open
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            projects = [p["id"] for p, _ in pool.map(lambda i: client.create(f"bench {i}"), range(n))]
        accepted = time.monotonic() - began
        left = set(projects)
        outcomes = {}
        while left:
            _, event, data = next(watcher)
            if event == "done":
                outcomes[data["outcome"]] = outcomes.get(data["outcome"], 0) + 1
                left.discard(data["projectId"])
        wall = time.monotonic() - began
        cpu, peak = server.usage()
        after = s.cluster_requests()
    requests = {k: after[k] - before.get(k, 0) for k in after if after[k] != before.get(k, 0)}
    return wall, accepted, outcomes, requests, cpu - cpu_before, peak


def main():
    words = [a for a in sys.argv[1:] if not a.startswith("--")]
    n = int(words[1]) if len(words) > 1 else 100
    wall, accepted, outcomes, requests, cpu, peak = run(words[0], n, "--databases" in sys.argv)
    writes = sum(count for kind, count in requests.items() if kind.split()[0] in WRITES)
    reads = sum(requests.values()) - writes
    print(f"{n} projects at once: all accepted after {accepted:.2f} s, all ended after {wall:.2f} s: {outcomes}")
    print(f"API requests: {writes} writes ({writes / n:.1f} a project), {reads} others:")
    for kind in sorted(requests):
        print(f"  {kind:40} {requests[kind]}")
    print(f"server: {cpu:.2f} s CPU ({cpu / n * 1000:.1f} ms a project), peak RSS {peak / 1024:.1f} MiB")
    failures = []
    if outcomes != {"ready": n}:
        failures.append(f"not all are ready: {outcomes}")
    polls = {k: v for k, v in requests.items() if k.split()[0] in ("get", "list") and k != "get secrets"}
    if polls:
        failures.append(f"the API was polled: {polls}")
    if requests.get("get secrets", 0) > n:
        failures.append(f"credentials were read {requests['get secrets']} times for {n} projects")
    if peak > RSS_CEILING_KIB and os.environ.get("BENCH_ANY_MEMORY") != "1":
        failures.append(f"peak RSS {peak / 1024:.1f} MiB is over {RSS_CEILING_KIB // 1024} MiB")
    for failure in failures:
        print("FAILED:", failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
