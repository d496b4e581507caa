#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kubectl against devcluster. Skipped, loudly, where there is no kubectl."""
import json
import shutil
import subprocess
import sys
import unittest

from cluster import Cluster, apps, condition, core, deployment


class Kubectl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster("--zero-delay")
        cls.cluster.must(201, "POST", apps("deployments"), deployment("web"))
        cls.cluster.wait(apps("deployments"), "web", lambda d: condition(d, "Available").get("status") == "True", "up")

    @classmethod
    def tearDownClass(cls):
        assert cls.cluster.stop() == 0, "devcluster ended with an error (a sanitizer's, or a leak)"

    def kubectl(self, *arguments, status=0, text=None):
        command = ["kubectl", "--kubeconfig", self.cluster.kubeconfig(), "--cache-dir", self.cluster.folder.name, *arguments]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)
        self.assertEqual(status, done.returncode, "%s\n%s\n%s" % (command, done.stdout, done.stderr))
        return done.stdout + done.stderr

    def test_get_prints_columns(self):
        table = self.kubectl("get", "deployments")
        self.assertRegex(table, r"NAME +READY +UP-TO-DATE +AVAILABLE +AGE")
        self.assertRegex(table, r"web +1/1 +1 +1 ")
        self.assertRegex(self.kubectl("get", "pods"), r"web-\S+ +1/1 +Running +0 ")
        everything = self.kubectl("get", "all")
        for line in ("pod/web-", "deployment.apps/web", "replicaset.apps/web-"):
            self.assertIn(line, everything)

    def test_get_prints_json_and_selects(self):
        found = json.loads(self.kubectl("get", "pods", "-l", "app=web", "-o", "json"))
        self.assertEqual(["Pod"], [o["kind"] for o in found["items"]])

    def test_describe_shows_events(self):
        self.assertIn("ScalingReplicaSet", self.kubectl("describe", "deployment", "web"))
        self.assertIn("Started container web", self.kubectl("describe", "pods"))

    def test_create_patch_wait_and_delete(self):
        text = json.dumps(deployment("made"))
        self.assertIn("made created", self.kubectl("create", "--validate=false", "-f", "-", text=text))
        self.kubectl("wait", "--for=condition=Available", "deployment/made", "--timeout=30s")
        self.kubectl("scale", "deployment/made", "--replicas=2")
        self.kubectl("rollout", "status", "deployment/made", "--timeout=30s")
        self.kubectl("set", "image", "deployment/made", "web=web:2")
        self.kubectl("rollout", "status", "deployment/made", "--timeout=30s")
        self.kubectl("delete", "deployment", "made", "--timeout=30s")
        self.assertIn("NotFound", self.kubectl("get", "deployment", "made", status=1))

    def test_apply_and_server_side_apply(self):
        text = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm"}, "data": {"a": "1"}})
        self.assertIn("created", self.kubectl("apply", "--validate=false", "-f", "-", text=text))
        self.assertIn("configured", self.kubectl("apply", "--validate=false", "-f", "-", text=text.replace('"1"', '"2"')))
        self.assertIn("serverside-applied",
                      self.kubectl("apply", "--server-side", "--force-conflicts", "--validate=false", "-f", "-", text=text))
        self.assertEqual({"a": "1"}, self.cluster.must(200, "GET", core("configmaps") + "/cm")["data"])

    def test_logs_are_printed(self):
        pod = json.loads(self.kubectl("get", "pods", "-l", "app=web", "-o", "json"))["items"][0]["metadata"]["name"]
        self.assertIn("listening", self.kubectl("logs", pod))


if __name__ == "__main__":
    if shutil.which("kubectl") is None:
        print("SKIPPED: kubectl is not installed")
        sys.exit(77)
    sys.exit(unittest.main())
