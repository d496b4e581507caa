# SPDX-License-Identifier: MIT
"""A whole server with an embedded cluster, and the questions that the tests of this folder ask of it: what is in the
cluster, what is in the tables, what was told on a stream. Whoever leaves a World has been looked through for secrets."""
import base64
import concurrent.futures
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "harness"))
from stack import NAMESPACE, Client, Confidant, Stack, wait_for  # noqa: E402,F401

NS = NAMESPACE
STAGES = ["database", "container", "networking", "terminal", "ready"]
DEADLINE_S = 60
AT_ONCE = 4

# Short waits where the standard ones spare a real cluster; each is a promise about order, not about time.
QUICK = {
    "FULLSTACKD_FLOW_LEASE": "3s",
    "FULLSTACKD_FLOW_CLAIM_INTERVAL": "100ms",
    "FULLSTACKD_FLOW_CALL_DEADLINE": "2s",
    "FULLSTACKD_FLOW_LATE": "100ms",
    "FULLSTACKD_KUBE_SETTLE": "1s",
    "FULLSTACKD_LISTEN_DRAIN_SPREAD": "0s",
    "FULLSTACKD_LISTEN_DRAIN_DELAY": "0s",
    "FULLSTACKD_RATE_READ": "0",
    "FULLSTACKD_RATE_WRITE": "0",
    "FULLSTACKD_RATE_STREAM": "0",
    "FULLSTACKD_RATE_SIGNIN": "0",
    "FULLSTACKD_LOG_LEVEL": "debug",
}

KINDS = {
    "serviceaccounts": "/api/v1",
    "roles": "/apis/rbac.authorization.k8s.io/v1",
    "rolebindings": "/apis/rbac.authorization.k8s.io/v1",
    "clusters": "/apis/apps.kubeblocks.io/v1alpha1",
    "secrets": "/api/v1",
    "deployments": "/apis/apps/v1",
    "replicasets": "/apis/apps/v1",
    "pods": "/api/v1",
    "services": "/api/v1",
    "endpointslices": "/apis/discovery.k8s.io/v1",
    "ingresses": "/apis/networking.k8s.io/v1",
    "networkpolicies": "/apis/networking.k8s.io/v1",
}
OF_DATABASE = {"serviceaccounts", "roles", "rolebindings", "clusters", "secrets"}
TABLES = ("projects", "sandboxes", "databases", "journal", "environment")


def path_of(kind, name="", namespace=NS):
    return f"{KINDS[kind]}/namespaces/{namespace}/{kind}{'/' + name if name else ''}"


class Reader(threading.Thread):
    """Reads one event stream to its end in the background; everything that came stays in `events`."""

    def __init__(self, client, path, last_id=None):
        super().__init__(daemon=True)
        self.client, self.path, self.last_id = client, path, last_id
        self.events = []
        self.error = None
        self.changed = threading.Condition()
        self.is_over = False
        self.start()

    def run(self):
        try:
            for event in self.client.events(self.path, DEADLINE_S, self.last_id):
                with self.changed:
                    self.events.append(event)
                    self.changed.notify_all()
        except (OSError, http.client.HTTPException, AssertionError, ValueError) as e:
            self.error = e
        finally:
            with self.changed:
                self.is_over = True
                self.changed.notify_all()

    def wait(self, what, is_it, within_s=DEADLINE_S):
        """The first event for which is_it(event name, data) holds."""
        until = time.monotonic() + within_s
        seen = 0
        with self.changed:
            while True:
                for _, name, data in self.events[seen:]:
                    seen += 1
                    if is_it(name, data):
                        return data
                left = until - time.monotonic()
                if left <= 0 or self.is_over:
                    raise AssertionError(f"{self.path}: {what} never came ({self.error}): {brief(self.events)}")
                self.changed.wait(left)

    def end(self, within_s=DEADLINE_S):
        """All events, once the server has ended the stream."""
        self.join(within_s)
        if not self.is_over or self.error is not None:
            raise AssertionError(f"{self.path} did not end well ({self.error}): {brief(self.events)}")
        return self.events


def brief(events):
    return [(i, n, d.get("stage", ""), d.get("status"), d.get("outcome", ""), d.get("code"), d.get("message"))
            for i, n, d in events if isinstance(d, dict)]


def forms(secret):
    """As it is, and as it would stand in a table, a header, a Secret, an address or a JSON text."""
    data = secret.encode()
    return {secret, data.hex(), base64.b64encode(data).decode().rstrip("="), urllib.parse.quote(secret, safe=""),
            json.dumps(secret)[1:-1]}


def is_done(name, _):
    return name == "done"


def is_stage(stage, status):
    return lambda name, data: name == "stage" and data["stage"] == stage and data["status"] == status


class World(Stack):
    def __init__(self, env=None, cluster_args=("--zero-delay",), **more):
        super().__init__(os.environ["FS_BUILD"], cluster_args=cluster_args, env=dict(QUICK, **(env or {})), **more)

    def __enter__(self):
        try:
            super().__enter__()
            self.before = self.objects()
        except BaseException as e:
            self.__exit__(type(e), e, None)  # what was started has to end
            raise
        return self

    def __exit__(self, kind, *rest):
        if kind is None:
            self.collect_secrets()
        tables = self.dump_tables() if kind is None else []
        statuses = [server.stop(signal.SIGTERM) for server in self.servers]
        self.servers = []
        if self.cluster is not None:
            statuses.append(self.cluster.stop())
        if kind is not None:
            self.show_logs()
            return
        if any(statuses):
            self.show_logs()
            raise AssertionError(f"a program ended with {statuses}: a leak, or a sanitizer's finding")
        self.look_for_secrets(tables)
        shutil.rmtree(self.dir)

    # ---- the cluster ----

    def kube(self, method, path, body=None, want=None):
        status, document = self.cluster_call(method, path, body)
        if want is not None and status != want:
            raise AssertionError(f"{method} {path}: {status} {document}")
        return document

    def patch(self, path, body):
        status, document = self.cluster_call("PATCH", path, body, "application/merge-patch+json")
        if status != 200:
            raise AssertionError(f"PATCH {path}: {status} {document}")
        return document

    @property
    def cluster_version(self):
        """The apiVersion of a KubeBlocks Cluster here."""
        is_v1 = self.cluster.facts["kubeblocks"].startswith("v1.") if self.is_real else "both" in self.cluster_args
        return "apps.kubeblocks.io/v1" if is_v1 else "apps.kubeblocks.io/v1alpha1"

    def path_of(self, kind, name=""):
        """As path_of(), in this world's namespace and with its version of KubeBlocks."""
        path = path_of(kind, name, self.namespace)
        return path.replace("apps.kubeblocks.io/v1alpha1", self.cluster_version) if kind == "clusters" else path

    def names(self, kind):
        return {item["metadata"]["name"] for item in self.kube("GET", self.path_of(kind), want=200)["items"]}

    def objects(self):
        """Everything in the namespace that a sandbox could leave: {(kind, name): uid}."""
        found = {}
        for kind in KINDS:
            for item in self.kube("GET", self.path_of(kind), want=200)["items"]:
                found[kind, item["metadata"]["name"]] = item["metadata"]["uid"]
        return found

    def made(self):
        return {key: uid for key, uid in self.objects().items() if key not in self.before}

    def count_made(self):
        """How many of each kind there are beyond what was there at the start."""
        counts = {}
        for kind, _ in self.made():
            counts[kind] = counts.get(kind, 0) + 1
        return counts

    def wait_only(self, what, is_allowed):
        """Until nothing is left but what is_allowed(kind, name)."""
        return wait_for(what, lambda: all(is_allowed(kind, name) for kind, name in self.made()))

    def env_of(self, deployment):
        """The variables that the container of a Deployment gets from its Secret."""
        spec = self.kube("GET", self.path_of("deployments", deployment), want=200)["spec"]["template"]["spec"]
        secret = spec["containers"][0]["envFrom"][0]["secretRef"]["name"]
        data = self.kube("GET", self.path_of("secrets", secret), want=200)["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def fault(self, **fault):
        self.kube("POST", "/devcluster/faults", fault, 200)

    # ---- the tables ----

    def sql(self, query):
        argv = ["psql", "-X", "-A", "-t", "-F", "|", "-v", "ON_ERROR_STOP=1", "-c", query,
                f"host={os.environ['FS_PG_SOCKET_DIR']} port={os.environ['FS_PG_PORT']} user=fullstackd dbname={self.database}"]
        out = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
        return [line.split("|") for line in out.splitlines()]

    def rows(self):
        query = " UNION ALL ".join(f"SELECT '{t}', count(*)::text FROM {t}" for t in TABLES)
        return {name: int(n) for name, n in self.sql(query)}

    def journal(self, project_id):
        return [int(row[0]) for row in self.sql(f"SELECT seq FROM journal WHERE project_id = '{project_id}' ORDER BY seq")]

    def sandbox_row(self, project_id):
        """(sandbox name, database name, attempt) as stored."""
        row = self.sql("SELECT s.name, d.name, s.attempt FROM sandboxes s JOIN databases d USING (project_id) "
                       f"WHERE project_id = '{project_id}'")[0]
        return row[0], row[1], int(row[2])

    # ---- a crash ----

    def crash(self, server=None):
        """kill -9; its lease is ended in the table, so that nobody has to wait for that."""
        server = server or self.servers[0]
        port = server.port
        self.kill_server(server)
        self.sql("UPDATE replicas SET lease_until = now()")
        return port

    # ---- secrets ----

    def collect_secrets(self):
        """Whatever the cluster holds in Secrets that nobody but a container may see."""
        if self.cluster is None or not self.is_cluster_running():
            return
        with open(self.kubeconfig) as f:
            self.secrets |= set(re.findall(r"^\s*token: *\"?([^\"\s]+)", f.read(), re.M))
        for item in self.kube("GET", self.path_of("secrets"), want=200)["items"]:
            for key, value in (item.get("data") or {}).items():
                if "password" in key.lower() or key == "DATABASE_URL":
                    text = base64.b64decode(value).decode(errors="replace")
                    self.secrets.add(text.partition("://")[2].partition(":")[2].partition("@")[0] if "://" in text else text)
        self.secrets.discard("")

    def dump_tables(self):
        """Every row as text; what is sealed or hashed shows as hexadecimal."""
        names = self.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return [("table " + name, "\n".join(row[0] for row in self.sql(f"SELECT replace(t::text, '|', ' ') FROM {name} t")))
                for (name,) in names]

    def look_for_secrets(self, tables):
        """Passwords, tokens and connection strings stand in no log, no answer, no header, no event and, readable, in no table."""
        texts = tables + [("an answer or an event", "\n".join(self.heard))]
        for name in os.listdir(self.dir):
            if name.endswith(".log"):
                with open(os.path.join(self.dir, name), errors="replace") as f:
                    texts.append((name, f.read()))
        for secret in self.secrets:
            for where, text in texts:
                if any(form in text for form in forms(secret)):
                    raise AssertionError(f"{where} tells a secret")


class StackCase(unittest.TestCase):
    """Assertions about stories."""

    def assert_gapless(self, ids):
        self.assertEqual(ids, list(range(ids[0], ids[0] + len(ids))), "ids have a gap, or stand out of order")

    def assert_story(self, events, outcome="ready"):
        """Told by the rules: ids rise by one, a stage begins before it is completed, one done, at the end."""
        self.assert_gapless([i for i, _, _ in events])
        for i, _, data in events:
            self.assertEqual(i, data["seq"])
        self.assertEqual([n for _, n, _ in events].count("done"), 1, brief(events))
        last = events[-1][2]
        self.assertEqual((events[-1][1], last["outcome"]), ("done", outcome), brief(events))
        state = {}
        for _, name, data in events:
            if name != "stage":
                continue
            if outcome == "ready":
                self.assertNotIn(state.get(data["stage"]), ("completed", "failed", "skipped"), brief(events))
            state[data["stage"]] = data["status"]
        if outcome == "ready":
            self.assertEqual(state, {stage: "completed" for stage in STAGES}, brief(events))

    def assert_complete(self, world, sandboxes=1, databases=None):
        """The objects of so many running sandboxes are there, none twice, none beside."""
        n = sandboxes
        d = n if databases is None else databases
        got = world.count_made()
        for kind in ("serviceaccounts", "roles", "rolebindings", "clusters"):
            self.assertEqual(got.get(kind, 0), d, (kind, world.made()))
        for kind, each in (("deployments", 1), ("replicasets", 1), ("pods", 1), ("services", 1), ("ingresses", 2)):
            self.assertEqual(got.get(kind, 0), each * n, (kind, world.made()))

    def assert_problem(self, answer, status, field=None, word=None):
        got, headers, body = answer
        self.assertEqual(got, status, body[:600])
        self.assertEqual(headers["Content-Type"].partition(";")[0], "application/problem+json")
        problem = json.loads(body)
        self.assertEqual(problem["status"], status)
        for key in ("type", "title", "detail", "error", "timestamp", "requestId"):
            self.assertTrue(problem[key], key)
        if field is not None:
            self.assertEqual(problem["errors"][0]["pointer"], field, problem)
        if word is not None:
            self.assertIn(word.lower(), problem["detail"].lower(), problem)
        return problem


class SideBySide(unittest.TestSuite):
    """Cases with worlds of their own wait most of the time: several are run at once. A class with a world for all its
    cases, its own or inherited, stays whole and in one thread."""

    def run(self, result, debug=False):
        parts = []
        for of_class in self:
            cases = list(of_class)
            is_shared = bool(cases) and type(cases[0]).setUpClass.__func__ is not unittest.TestCase.setUpClass.__func__
            parts += [of_class] if is_shared else [unittest.TestSuite([case]) for case in cases]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for running in [pool.submit(part.run, unittest.TestResult()) for part in parts]:
                told = running.result()
                result.testsRun += told.testsRun
                result.failures += told.failures
                result.errors += told.errors
                result.skipped += told.skipped
        return result


class Loader(unittest.TestLoader):
    suiteClass = unittest.TestSuite

    def loadTestsFromModule(self, module, *args, **more):
        return SideBySide(super().loadTestsFromModule(module, *args, **more))

    def loadTestsFromNames(self, names, module=None):
        return SideBySide(super().loadTestsFromNames(names, module))


def main():
    if len(sys.argv) > 1 and os.path.isdir(sys.argv[1]):
        os.environ["FS_BUILD"] = sys.argv.pop(1)
    unittest.main(testLoader=Loader())
