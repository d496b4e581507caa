#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Injected faults, counted requests, realistic delays, restarts in the same folder, a thousand pods."""
import http.client
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

from cluster import NS, Cluster, apps, condition, core, deployment, until

FAULTS = "/devcluster/faults"


class History(unittest.TestCase):
    def test_every_object_that_ever_was_stands_in_the_history(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "history")
            c = Cluster("--zero-delay", "--history", path)
            for _ in range(2):
                c.must(201, "POST", core("configmaps"), {"metadata": {"name": "phoenix"}})
                c.must(200, "DELETE", core("configmaps") + "/phoenix")
            self.assertEqual(0, c.stop())
            with open(path) as f:
                lines = [json.loads(line) for line in f]
        mine = [line for line in lines if line["name"] == "phoenix"]
        self.assertEqual(["added", "deleted"] * 2, [line["type"] for line in mine])
        self.assertEqual({("configmaps", NS)}, {(line["resource"], line["namespace"]) for line in mine})
        self.assertEqual(2, len({line["uid"] for line in mine}))


class Faults(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster("--zero-delay")

    def tearDown(self):
        self.assertEqual(0, self.cluster.stop(), "devcluster ended with an error (a sanitizer's, or a leak)")

    def inject(self, **fault):
        self.cluster.must(200, "POST", FAULTS, fault, account="admin")

    def test_the_next_requests_that_match_are_refused(self):
        c = self.cluster
        self.inject(status=429, verb="list", resource="pods", times=2)
        self.assertEqual(200, c.call("GET", core("secrets")).status)
        refused = c.call("GET", core("pods"))
        self.assertEqual((429, "1"), (refused.status, refused.headers["Retry-After"]))
        self.assertEqual(429, c.call("GET", core("pods")).status)
        self.assertEqual(200, c.call("GET", core("pods")).status)
        for status in (500, 503):
            self.inject(status=status)
            self.assertEqual((status, status), (lambda a: (a.status, a.json["code"]))(c.call("GET", core("pods"))))
        self.inject(status=500, times=9)
        c.must(200, "DELETE", FAULTS, account="admin")
        self.assertEqual(200, c.call("GET", core("pods")).status)

    def test_some_of_the_requests_can_be_hit_and_a_seed_says_which(self):
        def hits(seed):
            self.inject(status=503, resource="pods", percent=30, seed=seed, times=1000)
            statuses = [self.cluster.call("GET", core("pods")).status for _ in range(100)]
            self.cluster.must(200, "DELETE", FAULTS, account="admin")
            return [status == 503 for status in statuses]

        first = hits(7)
        self.assertTrue(15 < sum(first) < 45, sum(first))
        self.assertEqual(first, hits(7))
        self.assertNotEqual(first, hits(8))

    def test_a_connection_can_be_cut(self):
        self.inject(close=True)
        with self.assertRaises((http.client.RemoteDisconnected, ConnectionError, ssl.SSLError)):
            self.cluster.call("GET", core("pods"))
        self.assertEqual(200, self.cluster.call("GET", core("pods")).status)

    def test_an_answer_can_be_late_and_a_client_may_leave_meanwhile(self):
        self.inject(delayMs=400, resource="pods")
        begin = time.monotonic()
        self.assertEqual(200, self.cluster.call("GET", core("pods")).status)
        self.assertGreaterEqual(time.monotonic() - begin, 0.4)
        self.inject(delayMs=60000, resource="pods")
        connection = self.cluster.connect(timeout=0.2)
        connection.request("GET", core("pods"), headers=self.cluster.headers("owner"))
        with self.assertRaises(TimeoutError):
            connection.getresponse()
        connection.close()

    def test_watches_can_be_dropped(self):
        stream = self.cluster.watch(core("secrets") + "?watch=1")
        self.cluster.must(201, "POST", core("secrets"), {"metadata": {"name": "s"}})
        next(stream)
        self.inject(dropWatches=True)
        with self.assertRaises((http.client.IncompleteRead, ConnectionError, ssl.SSLError, StopIteration)):
            next(stream)

    def test_requests_are_counted_by_verb_and_resource(self):
        c = self.cluster
        for _ in range(3):
            c.call("GET", core("pods"))
        c.call("GET", apps("deployments") + "/none")
        list(c.watch(core("pods") + "?watch=1&timeoutSeconds=1"))
        counts = c.must(200, "GET", "/devcluster/requests", account="admin")
        self.assertEqual(3, counts["requests"]["list pods"])
        self.assertEqual(1, counts["requests"]["get deployments"])
        self.assertEqual(1, counts["requests"]["watch pods"])
        self.assertEqual(5, counts["total"])


class RoleOfAnAccount(unittest.TestCase):
    """--role: the account may do what the Role says, and what becomes of it."""
    ROLES = "/apis/rbac.authorization.k8s.io/v1/namespaces/%s/roles" % NS
    MERGE = {"Content-Type": "application/merge-patch+json"}
    FIRST = [{"apiGroups": [""], "resources": ["pods", "secrets"], "verbs": ["get", "list"]},
             {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"], "resourceNames": ["one"]},
             {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["create", "patch"]}]

    def setUp(self):
        self.file = tempfile.NamedTemporaryFile("w", suffix=".json")
        json.dump({"kind": "List", "items": [{"kind": "ServiceAccount"}, {"kind": "Role", "rules": self.FIRST}]}, self.file)
        self.file.flush()
        self.cluster = Cluster("--zero-delay", "--role", self.file.name)

    def tearDown(self):
        self.assertEqual(0, self.cluster.stop())
        self.file.close()

    def status(self, method, path, body=None, headers=None):
        return self.cluster.call(method, path, body, account="limited", headers=headers).status

    def set_rules(self, rules):
        self.cluster.must(200, "PATCH", self.ROLES + "/fullstackd", {"rules": rules}, account="admin", headers=self.MERGE)

    def make_pod(self, name):
        pod = {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}
        self.cluster.must(201, "POST", core("pods"), pod)

    def test_it_may_do_what_the_role_lists_and_hears_what_it_may_not(self):
        self.assertEqual(200, self.status("GET", core("pods")))
        refused = self.cluster.call("DELETE", core("pods") + "/x", account="limited")
        self.assertEqual((403, "Forbidden", "pods \"x\" is forbidden: User \"system:serviceaccount:%s:fullstackd\" cannot "
                          "delete resource \"pods\" in API group \"\" in the namespace \"%s\"" % (NS, NS)),
                         (refused.status, refused.json["reason"], refused.json["message"]))
        self.assertEqual(403, self.status("GET", core("configmaps") + "/one"))
        self.assertEqual(200, self.cluster.call("GET", core("configmaps"), account="owner").status)

    def test_rights_follow_the_role_while_a_watch_goes_on(self):
        self.set_rules(self.FIRST + [{"apiGroups": [""], "resources": ["pods"], "verbs": ["watch"]}])
        stream = self.cluster.watch(core("pods") + "?watch=1", account="limited")
        self.make_pod("first")
        self.assertEqual("first", next(stream)["object"]["metadata"]["name"])
        self.set_rules([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}])
        self.assertEqual([403, 403, 200], [self.status("GET", core(p)) for p in ("pods", "pods?watch=1", "secrets")])
        self.make_pod("second")
        self.assertIn("second", (event["object"]["metadata"]["name"] for event in stream))
        stream.close()
        self.cluster.must(200, "DELETE", self.ROLES + "/fullstackd", account="admin")
        self.assertEqual(403, self.status("GET", core("secrets")))

    def test_the_review_tells_the_role(self):
        path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
        answer = self.cluster.call("POST", path, {"spec": {"namespace": NS}}, account="limited")
        verbs = {resource: rule["verbs"] for rule in answer.json["status"]["resourceRules"] for resource in rule["resources"]}
        self.assertEqual(["get", "list"], verbs["pods"])
        self.assertNotIn("deployments", verbs)

    def test_nobody_grants_what_he_does_not_hold_by_creating_or_changing(self):
        mine = {"metadata": {"name": "mine"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}
        more = {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "delete"]}]}
        self.assertEqual(201, self.status("POST", self.ROLES, mine))
        self.assertEqual(403, self.status("POST", self.ROLES, {"metadata": {"name": "more"}, **more}))
        self.assertEqual(403, self.status("PATCH", self.ROLES + "/mine", more, self.MERGE))
        labels = {"metadata": {"labels": {"a": "b"}}}
        self.assertEqual(200, self.status("PATCH", self.ROLES + "/mine", labels, self.MERGE))

    def test_a_file_without_a_role_starts_nothing(self):
        for content in ("{}", "not json"):
            with tempfile.NamedTemporaryFile("w") as file:
                file.write(content)
                file.flush()
                done = subprocess.run([os.environ["DEVCLUSTER"], "--dir", self.cluster.folder.name + "/x", "--role", file.name],
                                      capture_output=True, timeout=30)
            self.assertEqual((1, b""), (done.returncode, done.stdout))


class Program(unittest.TestCase):
    def test_realistic_delays_are_real(self):
        c = Cluster("--delays", "schedule=50,pull_first=300,pull_again=100,start=50,ready=200,stop=50,database=100")
        try:
            begin = time.monotonic()
            c.must(201, "POST", apps("deployments"), deployment("slow", readinessProbe={"tcpSocket": {"port": 1}}))
            c.wait(apps("deployments"), "slow", lambda d: condition(d, "Available").get("status") == "True", "up")
            self.assertGreaterEqual(time.monotonic() - begin, 0.6)
        finally:
            self.assertEqual(0, c.stop())

    def test_a_restart_in_the_same_folder_keeps_authority_and_tokens(self):
        c = Cluster("--zero-delay")
        try:
            with open(c.kubeconfig()) as file:
                before = json.load(file)
            second = subprocess.Popen([os.environ["DEVCLUSTER"], "--dir", c.folder.name], stdout=subprocess.PIPE)
            self.assertIn(b"kubeconfig", second.stdout.readline())
            with open(c.kubeconfig()) as file:
                after = json.load(file)
            second.terminate()
            code = second.wait(timeout=30)
            second.stdout.close()
            self.assertEqual(0, code)
            self.assertEqual(before["users"], after["users"])
            self.assertEqual(before["clusters"][0]["cluster"]["certificate-authority-data"],
                             after["clusters"][0]["cluster"]["certificate-authority-data"])
            self.assertEqual(0o600, os.stat(c.kubeconfig()).st_mode & 0o777)
        finally:
            self.assertEqual(0, c.stop())

    def test_bad_options_end_with_2_and_start_nothing(self):
        for options in (["--port", "x", "--dir", "/tmp"], ["--nosuch"], [], ["--dir", "/tmp", "--delays", "nosuch=1"]):
            done = subprocess.run([os.environ["DEVCLUSTER"], *options], capture_output=True, timeout=30)
            self.assertEqual(2, done.returncode, options)
            self.assertEqual(b"", done.stdout)

    def test_a_thousand_pods_come_up_while_watched(self):
        c = Cluster("--zero-delay")
        try:
            streams = [c.watch(core("pods") + "?watch=1", timeout=120) for _ in range(3)]
            for i in range(20):
                c.must(201, "POST", apps("deployments"), deployment("many-%d" % i, replicas=50))
            for stream in streams:
                ready = set()
                for event in stream:
                    if condition(event["object"], "Ready").get("status") == "True":
                        ready.add(event["object"]["metadata"]["name"])
                    if len(ready) == 1000:
                        break
                stream.close()
            self.assertEqual(1000, len(c.must(200, "GET", core("pods"))["items"]))
            until(lambda: all(d["status"].get("availableReplicas") == 50
                              for d in c.must(200, "GET", apps("deployments"))["items"]), "all available", 60)
        finally:
            self.assertEqual(0, c.stop())


if __name__ == "__main__":
    sys.exit(unittest.main())
