#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a command with a real Kubernetes control plane of its own (tests/kube), and stops that afterwards.

    with_kube.py [NAME=VALUE...] -- CMD ARGS...        settings as in tests/kube/kube.py: KB=v1.0.2 COMPACT=15s AUDIT=1

The command finds in its environment:
  KUBECONFIG_REAL   kubeconfig of the account that may do what k8s/rights.c lists
  FS_KUBE           a JSON file: server, namespace, kubeconfigs of all accounts, the administrator's certificate
Exit code: the command's; 77 when there is no control plane here; 1 when it does not come up.
"""
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kube"))
import keeper  # noqa: E402
from binary import Missing  # noqa: E402
from kube import Cluster, Failed, Settings  # noqa: E402


def main():
    if "--" not in sys.argv:
        sys.exit(__doc__)
    middle = sys.argv.index("--")
    given = dict(word.split("=", 1) for word in sys.argv[1:middle])
    work = tempfile.mkdtemp(prefix="fs-kube-")
    cluster = None
    try:
        cluster = Cluster(Settings(RUN=f"{work}/cluster", PORT="0", **given), say=lambda _: None)
        facts = cluster.up()
        environment = dict(os.environ, FS_KUBE=f"{cluster.folder}/kube.json", KUBECONFIG_REAL=facts["kubeconfigs"]["fullstackd"])
        return keeper.run(sys.argv[middle + 1:], environment)
    except Missing as e:
        print(f"SKIPPED: {e}", file=sys.stderr)
        return 77
    except Failed as e:
        print(f"the control plane did not come up: {e}", file=sys.stderr)
        return 1
    finally:
        if cluster is not None:
            cluster.stop()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(keeper.keep(main))
