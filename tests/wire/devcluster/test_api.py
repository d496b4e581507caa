#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""CRUD, lists, pages, patches, apply, preconditions and rights, where the recorded answers do not reach."""
import sys
import unittest
import urllib.parse

from cluster import CLUSTERS, NS, Cluster, apps, core, deployment

MERGE = {"Content-Type": "application/merge-patch+json"}
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
APPLY = {"Content-Type": "application/apply-patch+yaml"}


def secret(name, **labels):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "labels": labels}, "stringData": {"k": name}}


class Api(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster("--zero-delay", "--watch-window", "64")

    @classmethod
    def tearDownClass(cls):
        assert cls.cluster.stop() == 0, "devcluster ended with an error (a sanitizer's, or a leak)"

    def names(self, path):
        return [o["metadata"]["name"] for o in self.cluster.must(200, "GET", path)["items"]]

    def test_pages_show_the_state_of_their_first_page(self):
        c = self.cluster
        for i in range(7):
            c.must(201, "POST", core("secrets"), secret("page-%d" % i, page="y"))
        selector = core("secrets") + "?labelSelector=page%3Dy&limit=3"
        first = c.must(200, "GET", selector)
        self.assertEqual(["page-0", "page-1", "page-2"], [o["metadata"]["name"] for o in first["items"]])
        self.assertNotIn("kind", first["items"][0])
        c.must(200, "DELETE", core("secrets") + "/page-4")
        c.must(201, "POST", core("secrets"), secret("page-3a", page="y"))
        again = selector + "&continue=" + first["metadata"]["continue"]
        second = c.must(200, "GET", again)
        self.assertEqual(["page-3", "page-4", "page-5"], [o["metadata"]["name"] for o in second["items"]])
        self.assertEqual(first["metadata"]["resourceVersion"], second["metadata"]["resourceVersion"])
        third = c.must(200, "GET", selector + "&continue=" + second["metadata"]["continue"])
        self.assertEqual(["page-6"], [o["metadata"]["name"] for o in third["items"]])
        self.assertNotIn("continue", third["metadata"])
        plain = c.must(200, "GET", core("secrets") + "?limit=2")
        self.assertEqual(len(self.names(core("secrets"))) - 2, plain["metadata"]["remainingItemCount"])

    @unittest.skipIf(Cluster.is_real, "needs a compaction")
    def test_an_expired_page_is_410_with_a_token_to_go_on(self):
        c = self.cluster
        for i in range(4):
            c.must(201, "POST", core("configmaps"), {"metadata": {"name": "old-%d" % i, "labels": {"old": "y"}}})
        old_ones = core("configmaps") + "?labelSelector=old"
        first = c.must(200, "GET", old_ones + "&limit=2")
        old = first["metadata"]["resourceVersion"]
        c.must(201, "POST", core("configmaps"), {"metadata": {"name": "old-9", "labels": {"old": "y"}}})
        c.must(200, "POST", "/devcluster/faults", {"compact": True}, account="admin")
        gone = c.call("GET", old_ones + "&limit=2&continue=" + first["metadata"]["continue"])
        self.assertEqual((410, "Expired"), (gone.status, gone.json["reason"]))
        rest = c.must(200, "GET", old_ones + "&limit=9&continue=" + gone.json["metadata"]["continue"])
        self.assertEqual(["old-2", "old-3", "old-9"], [o["metadata"]["name"] for o in rest["items"]])
        exact = c.call("GET", core("configmaps") + "?resourceVersionMatch=Exact&resourceVersion=" + old)
        self.assertEqual((410, "Expired"), (exact.status, exact.json["reason"]))

    def test_a_list_of_an_exact_version_is_the_past(self):
        c = self.cluster
        c.must(201, "POST", core("serviceaccounts"), {"metadata": {"name": "then"}})
        version = c.must(200, "GET", core("serviceaccounts"))["metadata"]["resourceVersion"]
        c.must(200, "DELETE", core("serviceaccounts") + "/then")
        c.must(201, "POST", core("serviceaccounts"), {"metadata": {"name": "later"}})
        past = self.names(core("serviceaccounts") + "?resourceVersionMatch=Exact&resourceVersion=" + version)
        self.assertIn("then", past)
        self.assertNotIn("later", past)

    def test_selectors_choose(self):
        c = self.cluster
        for name, labels in (("s1", {"tier": "a", "x": "1"}), ("s2", {"tier": "b"}), ("s3", {"other": "1"})):
            c.must(201, "POST", core("secrets"), secret(name, set="sel", **labels))
        for selector, want in (("set=sel,tier=a", ["s1"]), ("set=sel,tier in (a,b)", ["s1", "s2"]),
                               ("set=sel,tier notin (a)", ["s2", "s3"]), ("set=sel,!tier", ["s3"]),
                               ("set=sel,x", ["s1"]), ("set=sel,tier!=a", ["s2", "s3"]), ("set==sel,x==1", ["s1"])):
            self.assertEqual(want, self.names(core("secrets") + "?labelSelector=" + urllib.parse.quote(selector)), selector)
        self.assertEqual(["s2"], self.names(core("secrets") + "?fieldSelector=metadata.name%3Ds2,type%3DOpaque"))
        self.assertEqual([], self.names(core("secrets") + "?fieldSelector=metadata.name%3Ds2,type%21%3DOpaque"))

    def test_generation_counts_changes_of_the_spec_only(self):
        c = self.cluster
        c.must(201, "POST", apps("deployments"), deployment("gen", replicas=0))
        path = apps("deployments") + "/gen"
        self.assertEqual(1, c.must(200, "PATCH", path, {"metadata": {"labels": {"a": "b"}}}, headers=MERGE)
                         ["metadata"]["generation"])
        self.assertEqual(2, c.must(200, "PATCH", path, {"spec": {"minReadySeconds": 1}}, headers=MERGE)
                         ["metadata"]["generation"])
        same = c.must(200, "PATCH", path, {"spec": {"minReadySeconds": 1}}, headers=MERGE)
        self.assertEqual(2, same["metadata"]["generation"])
        status = c.must(200, "PATCH", path + "/status", {"status": {"collisionCount": 3}, "spec": {"replicas": 9}},
                        headers=MERGE)
        self.assertEqual((2, 0), (status["metadata"]["generation"], status["spec"]["replicas"]))
        main = c.must(200, "PATCH", path, {"status": {"collisionCount": 99}}, headers=MERGE)
        self.assertNotEqual(99, main["status"].get("collisionCount"))

    def test_put_replaces_and_needs_the_newest_version(self):
        c = self.cluster
        made = c.must(201, "POST", core("configmaps"), {"metadata": {"name": "put"}, "data": {"a": "1", "b": "2"}})
        made["data"] = {"a": "3"}
        put = c.must(200, "PUT", core("configmaps") + "/put", made)
        self.assertEqual({"a": "3"}, put["data"])
        self.assertEqual(made["metadata"]["uid"], put["metadata"]["uid"])
        stale = c.call("PUT", core("configmaps") + "/put", made)
        self.assertEqual((409, "Conflict"), (stale.status, stale.json["reason"]))
        del made["metadata"]["resourceVersion"]
        c.must(200, "PUT", core("configmaps") + "/put", made)

    def test_json_patch_does_what_rfc_6902_says(self):
        c = self.cluster
        c.must(201, "POST", core("configmaps"), {"metadata": {"name": "jp", "annotations": {"b/c": "2"}}, "data": {"a": "1"}})
        path = core("configmaps") + "/jp"
        done = c.must(200, "PATCH", path, [{"op": "test", "path": "/data/a", "value": "1"},
                                           {"op": "add", "path": "/data/n", "value": "new"},
                                           {"op": "move", "from": "/metadata/annotations/b~1c", "path": "/data/m"},
                                           {"op": "copy", "from": "/data/a", "path": "/data/z"},
                                           {"op": "remove", "path": "/data/a"}], headers=JSON_PATCH)
        self.assertEqual({"n": "new", "m": "2", "z": "1"}, done["data"])
        bad = c.call("PATCH", path, [{"op": "remove", "path": "/data/n"}, {"op": "remove", "path": "/data/none"}],
                     headers=JSON_PATCH)
        self.assertEqual(422, bad.status)
        self.assertIn("n", c.must(200, "GET", path)["data"])

    def test_patches_cannot_smuggle_in_what_a_post_may_not(self):
        c = self.cluster
        c.must(201, "POST", core("configmaps"), {"metadata": {"name": "strict"}})
        path = core("configmaps") + "/strict"
        self.assertEqual(422, c.call("PATCH", path, {"metadata": {"labels": {"a": 1}}}, headers=MERGE).status)
        self.assertEqual(422, c.call("PATCH", path, {"data": {"a": 1}}, headers=MERGE).status)
        self.assertEqual(400, c.call("POST", core("configmaps"), {"metadata": {"name": "x"}, "data": {"a": 1}}).status)
        self.assertEqual(422, c.call("PATCH", path, {"metadata": {"labels": {"a": "-"}}}, headers=MERGE).status)
        self.assertEqual(422, c.call("PATCH", path, {"metadata": 5}, headers=MERGE).status)

    def test_a_database_without_components_is_refused(self):
        empty = {"apiVersion": "apps.kubeblocks.io/v1alpha1", "kind": "Cluster", "metadata": {"name": "empty"}, "spec": {"terminationPolicy": "Delete", "componentSpecs": []}}
        refused = self.cluster.call("POST", CLUSTERS, empty)
        self.assertEqual((422, "Invalid"), (refused.status, refused.json["reason"]))
        self.assertEqual("FieldValueInvalid", refused.json["details"]["causes"][0]["reason"])
        self.assertIn("spec.componentSpecs: Invalid value: 0: spec.componentSpecs in body should have at least 1 items",
                      refused.json["message"])

    @unittest.skipIf(Cluster.is_real, "the depth is a limit of devcluster")
    def test_patches_cannot_nest_deeper_than_a_body(self):
        c = self.cluster
        deep = "x"
        for _ in range(40):
            deep = {"n": deep}
        c.must(201, "POST", CLUSTERS, {"metadata": {"name": "deep"}, "spec": {
            "terminationPolicy": "Delete", "affinity": deep}})
        pointer = "/spec/affinity" + "/n" * 39
        patch = [{"op": "add", "path": pointer + "/n/more", "value": deep}]
        self.assertEqual(422, c.call("PATCH", CLUSTERS + "/deep", patch, headers=JSON_PATCH).status)
        patch = [{"op": "add", "path": pointer, "value": deep}]
        deeper = c.call("PATCH", CLUSTERS + "/deep", patch, headers=JSON_PATCH)
        self.assertEqual(422, deeper.status)
        self.assertIn("too deep", deeper.json["message"])
        c.must(200, "DELETE", CLUSTERS + "/deep")

    def test_an_applier_owns_its_fields(self):
        c = self.cluster
        path = core("configmaps") + "/owned?fieldManager="
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owned"}, "data": {"a": "1", "b": "2"}}
        c.must(201, "PATCH", path + "one", config, headers=APPLY)
        config["data"] = {"b": "3"}
        fight = c.call("PATCH", path + "two", config, headers=APPLY)
        self.assertEqual(409, fight.status)
        self.assertEqual([".data.b"], [x["field"] for x in fight.json["details"]["causes"]])
        forced = c.must(200, "PATCH", path + "two&force=true", config, headers=APPLY)
        self.assertEqual({"a": "1", "b": "3"}, forced["data"])
        config["data"] = {}
        left = c.must(200, "PATCH", path + "one", config, headers=APPLY)
        self.assertEqual({"b": "3"}, left["data"], "what one no longer applies goes, what two owns stays")
        again = c.must(200, "PATCH", path + "one", config, headers=APPLY)
        self.assertEqual(left["metadata"]["resourceVersion"], again["metadata"]["resourceVersion"])

    def test_an_apply_over_a_post_conflicts_with_the_poster(self):
        c = self.cluster
        c.must(201, "POST", core("configmaps"), {"metadata": {"name": "posted"}, "data": {"a": "1"}})
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "posted"}, "data": {"a": "2"}}
        fight = c.call("PATCH", core("configmaps") + "/posted?fieldManager=other", config, headers=APPLY)
        self.assertEqual((409, "Conflict"), (fight.status, fight.json["reason"]))
        self.assertIn('conflict with "fullstackd"', fight.json["details"]["causes"][0]["message"])
        config["data"] = {"a": "1", "b": "2"}
        c.must(200, "PATCH", core("configmaps") + "/posted?fieldManager=other", config, headers=APPLY)

    def test_dry_run_changes_nothing(self):
        c = self.cluster
        before = c.must(200, "GET", core("configmaps"))["metadata"]["resourceVersion"]
        dry = c.must(201, "POST", core("configmaps") + "?dryRun=All", {"metadata": {"name": "dry"}})
        self.assertNotIn("resourceVersion", dry["metadata"])
        self.assertEqual(404, c.call("GET", core("configmaps") + "/dry").status)
        c.must(201, "POST", core("configmaps"), {"metadata": {"name": "wet"}})
        c.must(200, "DELETE", core("configmaps") + "/wet?dryRun=All")
        c.must(200, "GET", core("configmaps") + "/wet")
        after = c.must(200, "GET", core("configmaps") + "/wet")["metadata"]["resourceVersion"]
        self.assertGreater(int(after), int(before))

    def test_generated_names_are_drawn(self):
        c = self.cluster
        made = [c.must(201, "POST", core("configmaps"), {"metadata": {"generateName": "drawn-"}}) for _ in range(3)]
        names = {o["metadata"]["name"] for o in made}
        self.assertEqual(3, len(names))
        self.assertTrue(all(n.startswith("drawn-") and len(n) == 11 for n in names), names)

    def test_delete_obeys_resource_version_preconditions(self):
        c = self.cluster
        made = c.must(201, "POST", core("configmaps"), {"metadata": {"name": "pre"}})
        body = {"preconditions": {"resourceVersion": "1", "uid": made["metadata"]["uid"]}}
        self.assertEqual(409, c.call("DELETE", core("configmaps") + "/pre", body).status)
        body["preconditions"]["resourceVersion"] = made["metadata"]["resourceVersion"]
        c.must(200, "DELETE", core("configmaps") + "/pre", body)
        self.assertEqual(404, c.call("GET", core("configmaps") + "/pre").status)

    def test_a_finalizer_holds_an_object_until_it_is_taken_off(self):
        c = self.cluster
        path = core("configmaps") + "/held"
        c.must(201, "POST", core("configmaps"), {"metadata": {"name": "held", "finalizers": ["example.com/x"]}})
        self.assertIn("deletionTimestamp", c.must(200, "DELETE", path)["metadata"])
        c.must(200, "GET", path)
        c.must(200, "PATCH", path, {"metadata": {"finalizers": []}}, headers=MERGE)
        self.assertEqual(404, c.call("GET", path).status)

    def test_accounts_may_what_their_rules_say(self):
        c = self.cluster
        self.assertEqual(403, c.call("POST", core("pods"), {"metadata": {"name": "p"}}, account="limited").status)
        self.assertEqual(403, c.call("GET", "/api/v1/nodes", account="owner").status)
        c.must(200, "GET", "/api/v1/nodes", account="admin")
        c.must(200, "GET", "/api/v1/pods", account="admin")
        self.assertEqual(403, c.call("GET", "/api/v1/pods", account="owner").status)
        self.assertEqual(403, c.call("GET", "/apis", account="none").status)
        c.must(200, "GET", "/apis", account="limited")
        self.assertEqual(403, c.call("GET", "/devcluster/requests", account="owner").status)
        review = {"spec": {"resourceAttributes": {"namespace": NS, "verb": "create", "resource": "pods", "group": ""}}}
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        self.assertFalse(c.must(201, "POST", path, review, account="limited")["status"]["allowed"])
        self.assertTrue(c.must(201, "POST", path, review, account="owner")["status"]["allowed"])

    def test_scale_is_a_door_of_its_own(self):
        c = self.cluster
        c.must(201, "POST", apps("deployments"), deployment("scaled", replicas=0))
        path = apps("deployments") + "/scaled"
        self.assertEqual(1, c.must(200, "PATCH", path + "/scale", {"spec": {"replicas": 1}}, headers=MERGE)
                         ["spec"]["replicas"])
        self.assertEqual(1, c.must(200, "GET", path)["spec"]["replicas"])

    def test_unknown_fields_warn_and_go(self):
        c = self.cluster
        body = deployment("typo", replicas=0, imagePullPolice="Always")
        warned = c.call("POST", apps("deployments"), body)
        self.assertEqual(201, warned.status)
        self.assertIn('unknown field \\"spec.template.spec.containers[0].imagePullPolice\\"', warned.headers["Warning"])
        self.assertNotIn("imagePullPolice", warned.text)
        self.assertEqual(400, c.call("POST", apps("deployments") + "?fieldValidation=Strict", body).status)

    def test_the_cluster_kind_is_found_by_discovery(self):
        c = self.cluster
        groups = [g["name"] for g in c.must(200, "GET", "/apis")["groups"]]
        self.assertIn("apps.kubeblocks.io", groups)
        kinds = {r["name"]: r["kind"] for r in c.must(200, "GET", "/apis/apps.kubeblocks.io/v1alpha1")["resources"]}
        self.assertEqual("Cluster", kinds["clusters"])
        self.assertEqual(404, c.call("GET", "/apis/apps.kubeblocks.io/v1").status)
        self.assertEqual("ClusterList", c.must(200, "GET", CLUSTERS)["kind"])


if __name__ == "__main__":
    sys.exit(unittest.main())
