#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""KubeBlocks in both dialects: what is served, what is kept, what its operator makes of a Cluster, and what an upgrade
leaves. A real API server is asked what fits the definition that is installed there."""
import base64
import json
import os
import sys
import threading
import unittest

from cluster import NS, Cluster, condition, core

GROUP = "/apis/apps.kubeblocks.io"
GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "golden")
ON_REAL = "only the embedded cluster can be installed otherwise"


def clusters(version):
    return "%s/%s/namespaces/%s/clusters" % (GROUP, version, NS)


def manifest(version, name):
    with open(os.path.join(GOLDEN, "manifest", "database_%s.json" % version)) as file:
        text = file.read()
    body = json.loads(text.replace("myshop-agentruntime-dbdbdb", name))
    body["metadata"]["namespace"] = NS
    return body


def recorded(name):
    with open(os.path.join(GOLDEN, "kube", "answers.jsonl")) as file:
        for line in file:
            answer = json.loads(line)
            if answer["name"] == name:
                return json.loads(answer["body"])
    raise KeyError(name)


def named(value, name):
    return json.loads(json.dumps(value).replace("myshop-agentruntime-dbdbdb", name))


class Case(unittest.TestCase):
    serve = "both"
    serves_versions = {"v1", "v1alpha1"}
    version = "v1"

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster("--zero-delay", "--kubeblocks", cls.serve)
        versions = {v["version"] for v in cls.cluster.must(200, "GET", GROUP)["versions"]} if Cluster.is_real else set()
        if Cluster.is_real and versions != cls.serves_versions:
            raise unittest.SkipTest("another KubeBlocks is installed")

    @classmethod
    def tearDownClass(cls):
        assert cls.cluster.stop() == 0, "devcluster ended with an error (a sanitizer's, or a leak)"

    def make(self, name, version=None, marks=None, kind="annotations"):
        version = version or self.version
        body = manifest(version, name)
        body["metadata"].setdefault(kind, {}).update(marks or {})
        self.addCleanup(self.remove, name)
        return self.cluster.must(201, "POST", clusters(version), body)

    def remove(self, name):
        if self.cluster.call("DELETE", clusters(self.version) + "/" + name).status == 200:
            self.cluster.wait_gone(clusters(self.version), name)

    def reach(self, name, what, version=None):
        return self.cluster.wait(clusters(version or self.version), name, lambda c: c is not None and what(c), name)

    def phase(self, name, phase, version=None):
        return self.reach(name, lambda c: c.get("status", {}).get("phase") == phase, version)

    def secret(self, name):
        data = self.cluster.must(200, "GET", core("secrets") + "/" + name)["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def serves(self, how):
        self.cluster.must(200, "POST", "/devcluster/kubeblocks", {"serve": how}, account="admin")


class Served(Case):
    """1.0: v1 is stored, v1alpha1 still served."""

    def test_both_versions_are_found_the_newer_first(self):
        group = self.cluster.must(200, "GET", GROUP)
        self.assertEqual(recorded("kb10-11-group"), group)
        for version in ("v1", "v1alpha1"):
            resources = self.cluster.must(200, "GET", "%s/%s" % (GROUP, version))["resources"]
            self.assertIn("clusters", [r["name"] for r in resources])
        self.assertEqual(404, self.cluster.call("GET", GROUP + "/v2").status)

    def test_our_v1_manifest_is_kept_whole(self):
        answer = self.cluster.call("POST", clusters("v1") + "?fieldValidation=Strict&dryRun=All", manifest("v1", "whole"))
        self.assertEqual(201, answer.status, answer.text)
        self.assertIsNone(answer.headers.get("Warning"))
        self.assertEqual(named(recorded("kb10-09-own-v1-strict")["spec"], "whole"), answer.json["spec"])

    def test_our_v1alpha1_manifest_is_robbed_without_a_word(self):
        for options in ("?fieldValidation=Strict&dryRun=All", "?dryRun=All", "?fieldValidation=Warn&dryRun=All"):
            answer = self.cluster.call("POST", clusters("v1alpha1") + options, manifest("v1alpha1", "robbed"))
            self.assertEqual(201, answer.status, answer.text)
            self.assertIsNone(answer.headers.get("Warning"))
            self.assertEqual(named(recorded("kb10-10-own-v1alpha1-strict")["spec"], "robbed"), answer.json["spec"])
            self.assertEqual("apps.kubeblocks.io/v1alpha1", answer.json["apiVersion"])

    def test_the_old_spec_under_the_new_name_is_refused_or_warned_of(self):
        body = manifest("v1alpha1", "renamed")
        body["apiVersion"] = "apps.kubeblocks.io/v1"
        answer = self.cluster.call("POST", clusters("v1") + "?fieldValidation=Strict&dryRun=All", body)
        self.assertEqual(400, answer.status, answer.text)
        self.assertIn("unknown field", answer.text)
        answer = self.cluster.call("POST", clusters("v1") + "?dryRun=All", body)
        self.assertEqual(201, answer.status, answer.text)
        self.assertIn("unknown field", answer.headers.get("Warning"))

    def test_what_one_version_forbids_the_other_may_allow(self):
        for version, status in (("v1alpha1", 201), ("v1", 422)):
            body = manifest(version, "halting")
            body["spec"]["terminationPolicy"] = "Halt"
            answer = self.cluster.call("POST", clusters(version) + "?dryRun=All", body)
            self.assertEqual(status, answer.status, answer.text)
        body = manifest("v1", "defaulted")
        del body["spec"]["componentSpecs"][0]["replicas"]
        answer = self.cluster.call("POST", clusters("v1") + "?dryRun=All", body)
        self.assertEqual(1, answer.json["spec"]["componentSpecs"][0]["replicas"])

    def test_one_object_is_read_listed_watched_and_changed_in_either(self):
        made = self.make("twofold")
        self.phase("twofold", "Running")
        for version in ("v1", "v1alpha1"):
            want = "apps.kubeblocks.io/" + version
            one = self.cluster.must(200, "GET", clusters(version) + "/twofold")
            self.assertEqual((want, made["metadata"]["uid"]), (one["apiVersion"], one["metadata"]["uid"]))
            self.assertEqual(version == "v1", "clusterDef" in one["spec"])
            listed = self.cluster.must(200, "GET", clusters(version))
            self.assertEqual(want, listed["apiVersion"])
            self.assertIn((want, "twofold"), [(i["apiVersion"], i["metadata"]["name"]) for i in listed["items"]])
            seen = self.phase("twofold", "Running", version)
            self.assertEqual(want, seen["apiVersion"])
            patched = self.cluster.must(200, "PATCH", clusters(version) + "/twofold",
                                        {"metadata": {"labels": {"by": version}}},
                                        headers={"Content-Type": "application/merge-patch+json"})
            self.assertEqual((want, version), (patched["apiVersion"], patched["metadata"]["labels"]["by"]))

    def test_the_secret_of_a_running_cluster_has_user_and_password_alone(self):
        self.make("account")
        running = self.phase("account", "Running")
        self.assertEqual("True", condition(running, "ProvisioningStarted")["status"])
        self.assertEqual("True", condition(running, "Ready")["status"])
        secret = self.secret("account-postgresql-account-postgres")
        self.assertEqual({"username", "password"}, set(secret))
        self.assertEqual("postgres", secret["username"])
        self.assertEqual(404, self.cluster.call("GET", core("secrets") + "/account-conn-credential").status)

    def test_fates_are_those_of_the_old_dialect(self):
        for name, marks, phase in (("fate-a", {"kwok.test/kb-fail": "Failed"}, "Failed"),
                                   ("fate-b", {"kwok.test/kb-fail": "Abnormal"}, "Abnormal"),
                                   ("kbfail-v1", {}, "Failed"), ("kbnever-v1", {}, "Creating")):
            self.make(name, marks=marks, kind="labels" if name == "fate-b" else "annotations")
            seen = self.phase(name, phase)
            if phase != "Creating":
                ready = condition(seen, "Ready")
                self.assertEqual(("False", "ComponentsNotReady"), (ready["status"], ready["reason"]))
                self.assertEqual("Failed", seen["status"]["components"]["postgresql"]["phase"])
        self.make("fate-c", marks={"kwok.test/kb-fail": "NoSecret"})
        self.phase("fate-c", "Running")
        self.assertEqual(404, self.cluster.call("GET", core("secrets") + "/fate-c-postgresql-account-postgres").status)
        for name, marks in (("fate-d", {"kwok.test/kb-fail": "PreCheckFailed"}), ("kbprecheck-v1", {})):
            self.make(name, marks=marks)
            seen = self.reach(name, lambda c: condition(c, "ProvisioningStarted"))
            self.assertEqual("False", condition(seen, "ProvisioningStarted")["status"])
            self.assertNotIn("phase", seen["status"])

    def test_a_secret_is_there_before_the_database_is_ready(self):
        self.make("early", marks={"kwok.test/kb-delay": "1h"})
        self.phase("early", "Creating")
        self.assertIn("password", self.secret("early-postgresql-account-postgres"))

    def test_replicas_or_the_field_stop_and_start_a_database(self):
        self.make("resting")
        self.phase("resting", "Running")
        for field, value, phase in (("replicas", 0, "Stopped"), ("replicas", 1, "Running"), ("stop", True, "Stopped"), ("stop", False, "Running")):
            patch = [{"op": "add", "path": f"/spec/componentSpecs/0/{field}", "value": value}]
            self.cluster.must(200, "PATCH", clusters("v1") + "/resting", patch,
                              headers={"Content-Type": "application/json-patch+json"})
            self.phase("resting", phase)

    @unittest.skipIf(Cluster.is_real, "kwok runs whatever is there")
    def test_the_operator_refuses_a_robbed_cluster_by_a_condition(self):
        self.make("robbed", "v1alpha1")
        seen = self.reach("robbed", lambda c: condition(c, "ProvisioningStarted"))
        why = condition(seen, "ProvisioningStarted")
        self.assertEqual(("False", "PreCheckFailed"), (why["status"], why["reason"]))
        self.assertEqual("cluster API validate error, clusterDef: , topology: , comps: 1", why["message"])
        self.assertNotIn("phase", seen["status"])


class Old(Case):
    """0.9: v1alpha1 alone, which is what devcluster begins with."""
    serve = "v1alpha1"
    serves_versions = {"v1alpha1"}
    version = "v1alpha1"

    def test_there_is_no_v1(self):
        self.assertEqual(recorded("kb09-02-group"), self.cluster.must(200, "GET", GROUP))
        for path in (GROUP + "/v1", clusters("v1")):
            answer = self.cluster.call("GET", path)
            self.assertEqual((404, "404 page not found\n"), (answer.status, answer.text))

    def test_our_manifest_is_kept_whole(self):
        answer = self.cluster.call("POST", clusters("v1alpha1") + "?fieldValidation=Strict&dryRun=All",
                                   manifest("v1alpha1", "whole"))
        self.assertEqual(201, answer.status, answer.text)
        self.assertEqual(named(recorded("kb09-01-own-v1alpha1-strict")["spec"], "whole"), answer.json["spec"])


@unittest.skipIf(Cluster.is_real, ON_REAL)
class Upgrades(Case):
    serve = "none"

    def setUp(self):
        self.serves("none")

    def test_it_is_installed_upgraded_and_removed_while_others_watch(self):
        for path in (GROUP, clusters("v1"), clusters("v1alpha1")):
            self.assertEqual(404, self.cluster.call("GET", path).status)
        groups = self.cluster.must(200, "GET", "/apis")["groups"]
        self.assertNotIn("apps.kubeblocks.io", [g["name"] for g in groups])
        self.serves("v1alpha1")
        self.make("old", "v1alpha1")
        running = self.phase("old", "Running", "v1alpha1")
        with_end = self.watch_to_end("v1alpha1")
        self.serves("both")
        with_end()
        self.see_the_old_one(running)
        with_end = self.watch_to_end("v1")
        self.serves("v1")
        with_end()
        self.assertEqual(404, self.cluster.call("GET", clusters("v1alpha1")).status)
        self.serves("none")
        self.assertEqual(404, self.cluster.call("GET", clusters("v1")).status)
        self.serves("v1")
        self.assertEqual([], self.cluster.must(200, "GET", clusters("v1"))["items"])

    def watch_to_end(self, version):
        """A watch that has begun; what is returned waits for its clean end."""
        begun = threading.Event()
        events = []

        def read():
            for event in self.cluster.watch(clusters(version) + "?watch=1"):
                events.append(event)
                begun.set()
        reader = threading.Thread(target=read)
        reader.start()
        self.assertTrue(begun.wait(30))

        def end():
            reader.join(30)
            self.assertFalse(reader.is_alive(), "the watch did not end")
            self.assertEqual("apps.kubeblocks.io/" + version, events[0]["object"]["apiVersion"])
        return end

    def see_the_old_one(self, running):
        """Its labels, its Secret and, until it is written anew, in the old version all of its fields."""
        refused = self.reach("old", lambda c: condition(c, "ProvisioningStarted").get("status") == "False", "v1")
        self.assertEqual("Running", refused["status"]["phase"])
        self.assertEqual(running["metadata"]["uid"], refused["metadata"]["uid"])
        self.assertEqual(running["metadata"]["labels"], refused["metadata"]["labels"])
        self.assertNotIn("clusterDefinitionRef", refused["spec"])
        self.assertIn("clusterDefinitionRef", self.cluster.must(200, "GET", clusters("v1alpha1") + "/old")["spec"])
        self.assertIn("host", self.secret("old-conn-credential"))
        self.cluster.must(200, "PATCH", clusters("v1") + "/old", {"metadata": {"labels": {"written": "anew"}}},
                          headers={"Content-Type": "application/merge-patch+json"})
        self.assertNotIn("clusterDefinitionRef", self.cluster.must(200, "GET", clusters("v1alpha1") + "/old")["spec"])

    def test_a_cluster_of_before_is_deleted_through_the_new_version(self):
        self.serves("v1alpha1")
        self.make("former", "v1alpha1")
        self.phase("former", "Running", "v1alpha1")
        self.serves("both")
        self.cluster.must(200, "DELETE", clusters("v1") + "/former")
        self.cluster.wait_gone(clusters("v1"), "former")
        self.assertEqual(404, self.cluster.call("GET", core("secrets") + "/former-conn-credential").status)

    def test_only_the_admin_installs(self):
        self.assertEqual(403, self.cluster.call("POST", "/devcluster/kubeblocks", {"serve": "v1"}).status)
        self.assertEqual(400, self.cluster.call("POST", "/devcluster/kubeblocks", {"serve": "v3"}, account="admin").status)


if __name__ == "__main__":
    sys.exit(unittest.main())
