#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The suite on the embedded cluster and on a real control plane, both of each KubeBlocks dialect, and the table of how they compare.

    run.py [CASE...]        FS_BUILD names the build; exit code 77 when there is no control plane here
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
HARNESS = os.path.join(HERE, "..", "..", "harness")
sys.path.insert(0, os.path.join(HERE, "..", "..", "kube"))
sys.path.insert(0, HARNESS)
import binary  # noqa: E402
import keeper  # noqa: E402
import suite  # noqa: E402
import table  # noqa: E402

TIMES = [f"POD_PULL_MS={suite.PULL_MS}", f"POD_PROBE_MS={suite.PROBE_MS}", f"POD_RETRY_MS={suite.RETRY_MS}",
         f"KB_READY_MS={suite.DATABASE_MS}"]
REAL = {"real 0.9": "v0.9.0", "real 1.0": "v1.0.2"}
EMBEDDED = {"devcluster": "v1alpha1", "devcluster 1.0": "both"}
CLUSTERS = {**EMBEDDED, **REAL}


def why_skipped():
    """Why there is no real control plane here, or None."""
    try:
        binary.find()
        for version in REAL.values():
            binary.kubeblocks_crd(version)
    except binary.Missing as e:
        return str(e)
    return None


def path_of(label, work):
    return os.path.join(work, label.replace(" ", "-") + ".json")


def with_services(command):
    cache = os.path.join(os.environ["FS_BUILD"], "services")
    return [sys.executable, os.path.join(HARNESS, "with_services.py"), "--cache", cache, *command]


def live(label, version, work, cases):
    """Runs the suite on one cluster; the table's column."""
    print(f"--- {label} ---", flush=True)
    command = [sys.executable, os.path.join(HERE, "suite.py"), "--out", path_of(label, work), *cases]
    if label in REAL:
        command = [sys.executable, os.path.join(HARNESS, "with_kube.py"), f"KB={version}", "AUDIT=1", *TIMES, "--", *command]
    subprocess.call(with_services(command), env=dict(os.environ, FS_DEVCLUSTER_KUBEBLOCKS=EMBEDDED.get(label, "")))
    return f"{label}={path_of(label, work) if os.path.exists(path_of(label, work)) else ':it did not come up'}"


def live_again(columns, work):
    """What somebody waits for is told as it is when it is looked at, and on a busy machine a look comes late: a case that differs
    is lived once more, in company of the others that do and no more, on its cluster and the first. Differs it still, it does."""
    again = table.differing(table.load(columns))
    for label in again:
        print(f"once more on {label}: {', '.join(again[label])}", flush=True)
        folder = os.path.join(work, "again")
        os.makedirs(folder, exist_ok=True)
        live(label, CLUSTERS[label], folder, again[label])
        table.replace(path_of(label, work), path_of(label, folder))


def main():
    why = why_skipped()
    if why:
        print(f"SKIPPED: no real control plane, nothing was compared with one: {why}", file=sys.stderr)
        return 77
    with tempfile.TemporaryDirectory(prefix="fs-fidelity-") as work:
        columns = [live(label, version, work, sys.argv[1:]) for label, version in CLUSTERS.items()]
        live_again(columns, work)
        status = subprocess.call([sys.executable, os.path.join(HERE, "table.py"), *columns])
    return 1 if status or any("=:" in column for column in columns) else 0


if __name__ == "__main__":
    sys.exit(keeper.keep(main))
