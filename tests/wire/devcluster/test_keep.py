#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A cluster that outlives its process, with --keep. Run by tests/harness/with_services.py, which brings a PostgreSQL."""
import base64
import os
import shutil
import signal
import subprocess
import sys
import unittest

from cluster import CLUSTERS, Cluster, apps, core, until

DEPLOYMENTS = apps("deployments")


def deployment(name, **pod):
    labels = {"app": name}
    container = {"name": name, "image": "example.org/web:1", "resources": {"requests": {"cpu": "100"}}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {"replicas": 1, "selector": {"matchLabels": labels},
                     "template": {"metadata": dict(pod, labels=labels), "spec": {"containers": [container]}}}}


def database(name, **annotations):
    return {"apiVersion": "apps.kubeblocks.io/v1alpha1", "kind": "Cluster", "metadata": {"name": name, "annotations": annotations},
            "spec": {"terminationPolicy": "Delete", "componentSpecs": [{"name": "postgresql", "replicas": 1}]}}


def psql(url, sql):
    done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", url, "-c", sql], capture_output=True, text=True, timeout=60)
    return done.stdout.strip() if done.returncode == 0 else "error: " + done.stderr


class Keep(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster("--zero-delay", "--keep", "--pg", os.environ["FS_PG_CONNINFO"], "--pg-host", "127.0.0.1",
                               "--pg-port", os.environ["FS_PG_PORT"])

    def tearDown(self):
        self.assertEqual(0, self.cluster.stop(), "devcluster ended with an error (a sanitizer's, or a leak)")

    def again(self, signum=signal.SIGTERM):
        code = self.cluster.end(signum)
        self.assertEqual(0 if signum == signal.SIGTERM else -signum, code)
        self.cluster.start()

    def get(self, collection, name):
        return self.cluster.must(200, "GET", "%s/%s" % (collection, name))

    def names(self, collection):
        return {item["metadata"]["name"] for item in self.cluster.must(200, "GET", collection)["items"]}

    def run_deployment(self, name):
        self.cluster.must(201, "POST", DEPLOYMENTS, deployment(name))
        self.wait_available(name)

    def wait_available(self, name):
        self.cluster.wait(DEPLOYMENTS, name, lambda d: d and d["status"].get("availableReplicas") == 1, name + " available")

    def wait_phase(self, name, phase):
        self.cluster.wait(CLUSTERS, name, lambda c: c and c.get("status", {}).get("phase") == phase, phase)

    def url(self, name):
        data = {k: base64.b64decode(v).decode() for k, v in self.get(core("secrets"), name + "-conn-credential")["data"].items()}
        return "postgresql://%(username)s:%(password)s@%(host)s:%(port)s/%(database)s" % data

    def test_what_runs_goes_on_as_the_same(self):
        self.run_deployment("web")
        before, pods = self.get(DEPLOYMENTS, "web"), self.names(core("pods"))
        self.again()
        self.assertEqual(before, self.get(DEPLOYMENTS, "web"))
        self.assertEqual(pods, self.names(core("pods")))
        self.assertEqual({"default", "sealos-user", "fullstackd"}, self.names(core("serviceaccounts")))

    def test_a_database_keeps_its_data_its_password_and_its_end(self):
        self.cluster.must(201, "POST", CLUSTERS, database("shop"))
        self.wait_phase("shop", "Running")
        url = self.url("shop")
        self.assertEqual("", psql(url, "create table t(a int); insert into t values (42)"))
        self.again()
        self.assertEqual("Running", self.get(CLUSTERS, "shop")["status"]["phase"])
        self.assertEqual((url, "42"), (self.url("shop"), psql(url, "select a from t")))
        self.cluster.must(200, "DELETE", CLUSTERS + "/shop")
        self.cluster.wait_gone(CLUSTERS, "shop")
        self.assertIn("error", psql(url, "select 1"))

    def test_a_stopped_database_stays_stopped_and_starts(self):
        self.cluster.must(201, "POST", CLUSTERS, database("rest"))
        self.wait_phase("rest", "Running")
        url = self.url("rest")
        psql(url, "create table t(a int)")
        for replicas, phase in ((0, "Stopped"), (1, "Running")):
            spec = self.get(CLUSTERS, "rest")["spec"]
            spec["componentSpecs"][0]["replicas"] = replicas
            self.cluster.must(200, "PATCH", CLUSTERS + "/rest", {"spec": spec}, headers={"Content-Type": "application/merge-patch+json"})
            self.wait_phase("rest", phase)
            self.again()
            self.assertEqual(phase, self.get(CLUSTERS, "rest")["status"]["phase"])
        self.assertEqual("0", psql(url, "select count(*) from t"))

    def test_one_whose_secret_is_known_is_not_made_anew(self):
        self.cluster.must(201, "POST", CLUSTERS, database("slow", **{"kwok.test/kb-delay": "5m"}))
        until(lambda: "slow-conn-credential" in self.names(core("secrets")), "its Secret")
        url = self.url("slow")
        psql(url, "create table t(a int)")
        self.again()
        self.assertEqual("Creating", self.get(CLUSTERS, "slow")["status"]["phase"])
        self.assertEqual((url, "0"), (self.url("slow"), psql(url, "select count(*) from t")))

    def test_what_was_on_its_way_begins_anew(self):
        self.cluster.must(201, "POST", DEPLOYMENTS, deployment("late", annotations={"kwok.test/ready-delay": "5m"}))
        until(lambda: self.names(core("pods")), "its pod")
        pods = self.names(core("pods"))
        self.again()
        until(lambda: self.names(core("pods")) and self.names(core("pods")) != pods, "another pod")

    def test_the_node_knows_what_it_holds(self):
        self.run_deployment("one")  # 100 of the node's 256 CPUs each
        self.run_deployment("two")
        self.again()
        self.cluster.must(201, "POST", DEPLOYMENTS, deployment("three"))
        events = core("events")
        until(lambda: any("Insufficient cpu" in e["message"] for e in self.cluster.must(200, "GET", events)["items"]), "no room")
        self.cluster.must(200, "DELETE", DEPLOYMENTS + "/one")
        self.wait_available("three")

    def test_killed_it_is_found_as_it_was_shortly_before(self):
        self.run_deployment("web")
        kept = os.path.join(self.cluster.folder.name, "objects")

        def is_kept():
            with open(kept) as file:
                return any('"kind":"Pod"' in line for line in file)
        until(lambda: os.path.exists(kept) and is_kept(), "the file holds the pod")
        pods = self.names(core("pods"))
        self.again(signal.SIGKILL)
        self.assertEqual(pods, self.names(core("pods")))

    def test_a_watch_of_before_is_told_to_begin_anew(self):
        self.run_deployment("web")
        version = self.cluster.must(200, "GET", DEPLOYMENTS)["metadata"]["resourceVersion"]
        self.again()
        first = next(self.cluster.watch("%s?watch=1&resourceVersion=%s" % (DEPLOYMENTS, version)))
        self.assertEqual(("ERROR", 410), (first["type"], first["object"]["code"]))
        self.assertGreater(int(self.cluster.must(200, "GET", DEPLOYMENTS)["metadata"]["resourceVersion"]), int(version))

    def test_a_damaged_file_is_named_and_left_alone(self):
        self.run_deployment("web")
        self.assertEqual(0, self.cluster.end(signal.SIGTERM))
        kept = os.path.join(self.cluster.folder.name, "objects")
        with open(kept) as file:
            good = file.read()
        for text, line in ((good.replace('"kind":"Deployment"', '"kind":"Deplyment"'), ""), ("{}\n", "line 1 "),
                           (good + good.split("\n")[1] + "\n", "")):
            with open(kept, "w") as file:
                file.write(text)
            done = subprocess.run([os.environ["DEVCLUSTER"], "--dir", self.cluster.folder.name, "--keep"], capture_output=True, text=True,
                                  timeout=60)
            self.assertEqual(1, done.returncode)
            self.assertRegex(done.stderr, "line [0-9]+ of .*/objects is no object of this cluster")
            self.assertIn(line, done.stderr)
            with open(kept) as file:
                self.assertEqual(text, file.read())
        with open(kept, "w") as file:
            file.write(good)
        self.cluster.start()
        self.get(DEPLOYMENTS, "web")


if __name__ == "__main__":
    if shutil.which("psql") is None:
        print("SKIPPED: psql is not installed")
        sys.exit(77)
    sys.exit(unittest.main())
