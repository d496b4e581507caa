#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a command with the kubeconfig of an embedded cluster, and stops the cluster afterwards.

    with_cluster.py DEVCLUSTER [OPTIONS OF IT...] -- CMD ARGS...

The command finds KUBECONFIG_REAL in its environment. If that is set already, it names a real cluster: the command runs
against that one and nothing is started. Exit code: the command's; 1 when the cluster does not start.
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import keeper  # noqa: E402


def start(words, folder):
    process = subprocess.Popen(words + ["--dir", folder], stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    if not line.startswith("{"):
        process.kill()
        sys.exit("the embedded cluster did not start: " + line)
    return process, json.loads(line)


def main():
    if "--" not in sys.argv:
        sys.exit(__doc__)
    middle = sys.argv.index("--")
    cluster, command = sys.argv[1:middle], sys.argv[middle + 1:]
    if os.environ.get("KUBECONFIG_REAL"):
        return keeper.run(command)
    with tempfile.TemporaryDirectory(prefix="fs-cluster-") as folder:
        process, ready = start(cluster, folder)
        try:
            status = keeper.run(command, dict(os.environ, KUBECONFIG_REAL=ready["kubeconfig"]))
        finally:
            process.terminate()
            ended = process.wait(30)
    if ended != 0:
        print("the embedded cluster ended with status %d" % ended)
    return status or (1 if ended else 0)


if __name__ == "__main__":
    sys.exit(keeper.keep(main))
