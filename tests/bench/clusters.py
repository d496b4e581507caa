# SPDX-License-Identifier: MIT
"""Where a benchmark runs: the embedded cluster, fresh for every run, or a real control plane, in a namespace of its own for
every run. Both say how a client reaches them and count the requests of a client by verb and resource.

    with Embedded(build).place() as place:       # place.server .ca .token .namespace .kubeconfig .requests(agent)
        with place.serve() as stack:             # fullstackd on it
"""
import collections
import contextlib
import json
import os
import re
import secrets
import shutil
import sys
import tempfile

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [os.path.join(TESTS, "harness"), os.path.join(TESTS, "kube")]
import accounts  # noqa: E402
from binary import Missing  # noqa: E402,F401
from kube import Cluster, Settings  # noqa: E402
from stack import Stack, wait_for  # noqa: E402

QUIET = {"FULLSTACKD_RATE_WRITE": "0", "FULLSTACKD_RATE_READ": "0", "FULLSTACKD_LOG_LEVEL": "warn"}
GOALS = (1.15, 1.3)  # at most so many times the raw client's time: many projects at once, one alone
EMBEDDED_NAMESPACE = "ns-ajno7yq7"


class Place:
    """One namespace of one cluster, with nothing of a project in it."""

    def __init__(self, kubeconfig, namespace, ca, token):
        self.kubeconfig = kubeconfig
        with open(kubeconfig) as f:
            self.server = re.search(r'"?server"?: *"?(https?://[^\s",]+)', f.read()).group(1)
        self.namespace = namespace
        self.ca = ca
        self.token = token  # a file


class Embedded:
    name = "embedded cluster"
    goals = GOALS

    def __init__(self, build, options=("--zero-delay",)):
        self.build = build
        self.options = options

    @contextlib.contextmanager
    def place(self, has_databases=False):
        with Stack(self.build, cluster_args=self.options, has_databases=has_databases, env=QUIET, has_server=False) as stack:
            cluster = f"{stack.dir}/cluster"
            place = Place(stack.kubeconfig, EMBEDDED_NAMESPACE, f"{cluster}/ca.crt", f"{cluster}/{stack.account}.token")
            place.stack = stack
            place.serve = lambda: contextlib.nullcontext(stack.with_server())
            place.requests = lambda agent: collections.Counter(stack.cluster_requests())
            yield place


class Real:
    """A control plane booted for the benchmark (tests/kube); its pods and databases come up without delay. With a kubelet a
    container waits for the Secret of its environment, and the server makes that only when the database is known: nothing
    that writes in parallel has to wait so."""
    account = "fullstackd"

    def __init__(self, build, has_kubelet):
        self.build = build
        self.has_kubelet = has_kubelet
        self.goals = (None, None) if has_kubelet else GOALS
        self.name = "real control plane" + (", containers wait for their Secret" if has_kubelet else "")

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="fs-bench-")
        self.cluster = Cluster(Settings(RUN=f"{self.folder}/cluster", KB_READY_MS="1", AUDIT="1",
                                        POD_SECRETS="1" if self.has_kubelet else "0"), say=lambda _: None)
        try:
            self.cluster.up()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        return self

    def __exit__(self, *_):
        self.cluster.stop(say=lambda _: None)
        shutil.rmtree(self.folder, ignore_errors=True)

    def make_namespace(self):
        """A namespace with an account that may do what the server's Role grants."""
        api = self.cluster.api
        name = "bench-" + secrets.token_hex(4)
        accounts.make_namespace(api, name)
        token = wait_for("the account's token", lambda: accounts.token(api, name, self.account))
        wait_for("the namespace's account", lambda: api.get(f"/api/v1/namespaces/{name}/serviceaccounts/default"))
        with open(f"{self.folder}/{name}.token", "w") as f:
            f.write(token)
        self.cluster.kubeconfig(name, {"token": token})
        return name

    def requests(self, namespace, agent):
        """The audit log is the API server's own account of who asked for what."""
        counts = collections.Counter()
        with open(f"{self.cluster.folder}/audit.log") as log:
            for line in log:
                event = json.loads(line) if line.endswith("\n") else {}
                of = event.get("objectRef", {})
                is_ours = of.get("namespace") == namespace and event.get("userAgent", "").startswith(agent)
                if is_ours and event["stage"] == ("ResponseStarted" if event["verb"] == "watch" else "ResponseComplete"):
                    counts[f"{event['verb']} {of['resource']}"] += 1
        return counts

    @contextlib.contextmanager
    def place(self, has_databases=False):
        namespace = self.make_namespace()
        place = Place(f"{self.cluster.folder}/{namespace}.kubeconfig", namespace, f"{self.cluster.pki}/ca.crt",
                      f"{self.folder}/{namespace}.token")
        env = dict(QUIET, FULLSTACKD_KUBE_NAMESPACE=namespace)
        place.serve = lambda: Stack(self.build, kubeconfig=place.kubeconfig, has_databases=False, env=env)
        place.requests = lambda agent: self.requests(namespace, agent)
        yield place
