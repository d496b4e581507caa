#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""StatefulSets: pods by ordinal, claims that are bound, kept while they are used and deleted by the policy, templates that
roll over, and what an HTTPRoute is told by its Gateway. With FS_KUBE the same questions go to a real API server, whose
claims are bound to volumes made here."""
import sys
import unittest

from cluster import NS, Cluster, apps, condition, core, until

MERGE = {"Content-Type": "application/merge-patch+json"}
SETS = apps("statefulsets")
CLAIMS = core("persistentvolumeclaims")
ROUTES = "/apis/gateway.networking.k8s.io/v1/namespaces/%s/httproutes" % NS
OURS_ONLY = unittest.skipIf(Cluster.is_real, "needs the gateway and the storage of the embedded cluster")


def stateful(name, replicas=1, policy="OrderedReady", when_deleted="Delete", storage_class=None, image="web:1"):
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    if storage_class is not None:
        claim["storageClassName"] = storage_class
    return {"metadata": {"name": name},
            "spec": {"replicas": replicas, "serviceName": name, "podManagementPolicy": policy,
                     "selector": {"matchLabels": {"app": name}},
                     "persistentVolumeClaimRetentionPolicy": {"whenDeleted": when_deleted, "whenScaled": "Retain"},
                     "template": {"metadata": {"labels": {"app": name}},
                                  "spec": {"terminationGracePeriodSeconds": 1, "containers": [
                                      {"name": "c", "image": image,
                                       "volumeMounts": [{"name": "home", "mountPath": "/home"}]}]}},
                     "volumeClaimTemplates": [{"metadata": {"name": "home", "labels": {"of": name}}, "spec": claim}]}}


def volume(name):
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
            "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/tmp"},
                     "persistentVolumeReclaimPolicy": "Delete",
                     "claimRef": {"namespace": NS, "name": name}}}


class StatefulSets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster("--zero-delay", "--delays", "retry=300,ready=50")

    @classmethod
    def tearDownClass(cls):
        assert cls.cluster.stop() == 0, "devcluster ended with an error (a sanitizer's, or a leak)"

    def create(self, body, binds=True):
        name = body["metadata"]["name"]
        for i in range(body["spec"]["replicas"] if Cluster.is_real and binds else 0):
            self.cluster.must(201, "POST", "/api/v1/persistentvolumes", volume("home-%s-%d" % (name, i)), account="admin")
        return self.cluster.must(201, "POST", SETS, body)

    def wait_ready(self, name, replicas=1):
        return self.cluster.wait(SETS, name, lambda s: s and s["status"].get("availableReplicas") == replicas
                                 and s["status"]["currentRevision"] == s["status"]["updateRevision"]
                                 and s["status"]["observedGeneration"] == s["metadata"]["generation"], name + " ready")

    def pod(self, name):
        return self.cluster.must(200, "GET", core("pods") + "/" + name)

    def events_of(self, name):
        items = self.cluster.must(200, "GET", core("events") + "?fieldSelector=involvedObject.name%3D" + name)["items"]
        return [(e["type"], e["reason"], e["message"]) for e in items]

    def reasons_of(self, name):
        return {(kind, reason, words.split(" ")[1]) for kind, reason, words in self.events_of(name)}

    def test_a_set_makes_its_claim_then_its_pod(self):
        self.create(stateful("one"))
        status = self.wait_ready("one")["status"]
        self.assertEqual({"replicas": 1, "readyReplicas": 1, "currentReplicas": 1, "updatedReplicas": 1},
                         {k: status[k] for k in ("replicas", "readyReplicas", "currentReplicas", "updatedReplicas")})
        claim = self.cluster.must(200, "GET", CLAIMS + "/home-one-0")
        self.assertEqual("Bound", claim["status"]["phase"])
        self.assertEqual({"of": "one", "app": "one"}, claim["metadata"]["labels"])
        self.assertEqual(["kubernetes.io/pvc-protection"], claim["metadata"]["finalizers"])
        owner = claim["metadata"]["ownerReferences"][0]
        self.assertEqual(("StatefulSet", "one"), (owner["kind"], owner["name"]))
        pod = self.pod("one-0")
        labels = pod["metadata"]["labels"]
        self.assertEqual(status["updateRevision"], labels["controller-revision-hash"])
        self.assertEqual(("one-0", "0"), (labels["statefulset.kubernetes.io/pod-name"],
                                          labels["apps.kubernetes.io/pod-index"]))
        self.assertIn({"name": "home", "persistentVolumeClaim": {"claimName": "home-one-0"}}, pod["spec"]["volumes"])
        # Events are written after what they tell of. A real controller whose write meets another's adds its own warnings.
        created = {("Normal", "SuccessfulCreate", "Claim"), ("Normal", "SuccessfulCreate", "Pod")}
        until(lambda: self.reasons_of("one") >= created, lambda: "both told of: %s" % self.events_of("one"))
        if not Cluster.is_real:
            self.assertEqual(created, self.reasons_of("one"))

    def test_ordered_pods_come_one_after_the_other_and_leave_from_the_end(self):
        self.create(stateful("row", replicas=2))
        seen = []
        for event in self.cluster.watch(core("pods") + "?watch=1&timeoutSeconds=30&labelSelector=app%3Drow"):
            o = event["object"]
            ready = condition(o, "Ready").get("status") == "True"
            seen.append((o["metadata"]["name"], ready))
            if seen[-1] == ("row-1", True):
                break
        self.assertLess(seen.index(("row-0", True)), min(i for i, s in enumerate(seen) if s[0] == "row-1"), seen)
        self.cluster.must(200, "PATCH", SETS + "/row", {"spec": {"replicas": 1}}, headers=MERGE)
        self.cluster.wait_gone(core("pods"), "row-1")
        self.assertEqual("Bound", self.cluster.must(200, "GET", CLAIMS + "/home-row-1")["status"]["phase"])
        self.wait_ready("row")

    def test_a_new_template_replaces_the_pod_and_keeps_the_claim(self):
        self.create(stateful("rolled"))
        before = self.wait_ready("rolled")["status"]["updateRevision"]
        claim = self.cluster.must(200, "GET", CLAIMS + "/home-rolled-0")["metadata"]["uid"]
        uid = self.pod("rolled-0")["metadata"]["uid"]
        patch = {"spec": {"template": {"metadata": {"labels": {"restartTime": "1"}}}}}
        self.cluster.must(200, "PATCH", SETS + "/rolled", patch, headers=MERGE)
        status = self.wait_ready("rolled")["status"]
        self.assertNotEqual(before, status["updateRevision"])
        self.assertNotEqual(uid, self.pod("rolled-0")["metadata"]["uid"])
        self.assertEqual(claim, self.cluster.must(200, "GET", CLAIMS + "/home-rolled-0")["metadata"]["uid"])

    def test_only_with_parallel_pods_does_a_new_template_replace_one_that_never_was_ready(self):
        for policy, is_replaced in (("Parallel", True), ("OrderedReady", False)):
            name = "broken-" + policy.lower()
            self.create(stateful(name, policy=policy, image="nosuch:1"))
            self.cluster.wait(core("pods"), name + "-0", lambda p: p and p["status"].get("containerStatuses"), "a try")
            containers = [{"name": "c", "image": "web:1", "volumeMounts": [{"name": "home", "mountPath": "/home"}]}]
            self.cluster.must(200, "PATCH", SETS + "/" + name, {"spec": {"template": {"spec": {"containers": containers}}}},
                              headers=MERGE)
            self.cluster.wait(SETS, name, lambda s: s["status"]["observedGeneration"] == 2, "seen")
            if is_replaced:
                self.wait_ready(name)
            self.assertEqual("web:1" if is_replaced else "nosuch:1", self.pod(name + "-0")["spec"]["containers"][0]["image"])

    def test_what_may_not_change_is_refused(self):
        body = stateful("fixed", replicas=0)
        self.create(body)
        for field, value in (("serviceName", "other"), ("podManagementPolicy", "Parallel"),
                             ("selector", {"matchLabels": {"app": "fixed", "x": "y"}})):
            answer = self.cluster.call("PATCH", SETS + "/fixed", {"spec": {field: value}}, headers=MERGE)
            self.assertEqual(422, answer.status, answer.text)
            causes = [(c["field"], c["message"].endswith("field is immutable")) for c in answer.json["details"]["causes"]]
            self.assertIn(("spec." + field, True), causes)
        same = {"spec": {key: body["spec"][key] for key in ("volumeClaimTemplates", "template", "selector")}}
        self.cluster.must(200, "PATCH", SETS + "/fixed", same, headers=MERGE)
        body = stateful("unmounted")
        body["spec"]["volumeClaimTemplates"] = []
        answer = self.cluster.call("POST", SETS, body)
        self.assertEqual(422, answer.status)
        self.assertIn('spec.template.spec.containers[0].volumeMounts[0].name: Not found: "home"', answer.json["message"])

    def test_a_deleted_set_takes_its_claims_along_or_leaves_them(self):
        for policy in ("Delete", "Retain"):
            name = "gone-" + policy.lower()
            self.create(stateful(name, when_deleted=policy))
            self.wait_ready(name)
            self.cluster.must(200, "DELETE", SETS + "/" + name + "?propagationPolicy=Background")
            self.cluster.wait_gone(SETS, name)
            self.cluster.wait_gone(core("pods"), name + "-0")
            if policy == "Delete":
                self.cluster.wait_gone(CLAIMS, "home-%s-0" % name)
            else:
                self.assertEqual("Bound", self.cluster.must(200, "GET", CLAIMS + "/home-gone-retain-0")["status"]["phase"])

    def test_a_claim_stays_while_a_pod_uses_it(self):
        self.create(stateful("used"))
        self.wait_ready("used")
        self.cluster.must(200, "DELETE", CLAIMS + "/home-used-0")
        self.assertIn("deletionTimestamp", self.cluster.must(200, "GET", CLAIMS + "/home-used-0")["metadata"])
        self.cluster.must(200, "DELETE", SETS + "/used?propagationPolicy=Background")
        self.cluster.wait_gone(CLAIMS, "home-used-0")

    def test_a_storage_class_that_is_not_there_is_told_of_the_claim(self):
        self.create(stateful("unbound", storage_class="nosuch"), binds=False)
        words = ("Warning", "ProvisioningFailed", 'storageclass.storage.k8s.io "nosuch" not found')
        until(lambda: words in self.events_of("home-unbound-0"), "the claim's event")
        pod = self.cluster.wait(core("pods"), "unbound-0", lambda p: p and condition(p, "PodScheduled"), "looked at")
        self.assertEqual(("False", "Unschedulable"), (condition(pod, "PodScheduled")["status"],
                                                      condition(pod, "PodScheduled")["reason"]))
        self.assertIn("unbound immediate PersistentVolumeClaims", condition(pod, "PodScheduled")["message"])

    def test_a_quota_refuses_the_pod_by_an_event_of_the_set(self):
        quota = {"metadata": {"name": "none"}, "spec": {"hard": {"count/persistentvolumeclaims": "0"}}}
        self.create(stateful("refused", replicas=0))
        self.cluster.must(201, "POST", core("resourcequotas"), quota, account="admin")
        try:
            until(lambda: self.cluster.must(200, "GET", core("resourcequotas") + "/none").get("status", {}).get("used"),
                  "quota counted")
            self.cluster.must(200, "PATCH", SETS + "/refused", {"spec": {"replicas": 1}}, headers=MERGE)
            until(lambda: any(r == "FailedCreate" and "exceeded quota" in w for _, r, w in self.events_of("refused")),
                  "the set's event")
            self.assertEqual(404, self.cluster.call("GET", core("pods") + "/refused-0").status)
        finally:
            self.cluster.must(200, "DELETE", core("resourcequotas") + "/none", account="admin")


@OURS_ONLY
class HttpRoutes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster("--zero-delay")

    @classmethod
    def tearDownClass(cls):
        assert cls.cluster.stop() == 0, "devcluster ended with an error (a sanitizer's, or a leak)"

    def route(self, named, **parent):
        body = {"metadata": {"name": named},
                "spec": {"parentRefs": [{"name": "gateway", "namespace": "gateway-system", **parent}],
                         "hostnames": [named + ".localhost"],
                         "rules": [{"backendRefs": [{"name": named, "port": 80}], "timeouts": {"request": "0s"}}]}}
        return self.cluster.must(201, "POST", ROUTES, body)

    def said(self, name, kind, wanted):
        def is_said(route):
            rows = [c for p in (route or {}).get("status", {}).get("parents", []) for c in p["conditions"]]
            return any((c["type"], c["status"], c["reason"]) == (kind, *wanted) for c in rows)
        return self.cluster.wait(ROUTES, name, is_said, wanted[1])

    def test_a_route_is_accepted_and_its_service_is_looked_for(self):
        made = self.route("web")
        self.assertEqual({"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "gateway",
                          "namespace": "gateway-system"}, made["spec"]["parentRefs"][0])
        self.said("web", "Accepted", ("True", "Accepted"))
        self.said("web", "ResolvedRefs", ("False", "BackendNotFound"))
        self.cluster.must(201, "POST", core("services"), {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}})
        self.said("web", "ResolvedRefs", ("True", "ResolvedRefs"))

    def test_a_listener_that_is_not_there_or_takes_none_of_ours_refuses(self):
        self.route("section", sectionName="nosuch")
        self.said("section", "Accepted", ("False", "NoMatchingParent"))
        own = {"metadata": {"name": "own", "namespace": "default"},
               "spec": {"gatewayClassName": "devcluster", "listeners": [
                   {"name": "http", "port": 80, "protocol": "HTTP", "hostname": "*.example.org"}]}}
        gateways = "/apis/gateway.networking.k8s.io/v1/namespaces/%s/gateways"
        self.route("foreign", name="own", namespace="default")
        self.cluster.must(201, "POST", gateways % "default", own, account="admin")
        self.said("foreign", "Accepted", ("False", "NotAllowedByListeners"))
        self.route("host", name="own", namespace=NS)
        own["metadata"]["namespace"] = NS
        self.cluster.must(201, "POST", gateways % NS, own, account="admin")
        self.said("host", "Accepted", ("False", "NoMatchingListenerHostname"))

    def test_a_bad_route_is_refused(self):
        for change in ({"parentRefs": [{"namespace": "x"}]}, {"rules": [{"backendRefs": [{"name": "a"}]}]},
                       {"rules": [{"timeouts": {"request": "soon"}}]}, {"hostnames": ["A B"]}):
            body = {"metadata": {"name": "bad"}, "spec": change}
            self.assertEqual(422, self.cluster.call("POST", ROUTES, body).status, change)
        body = {"metadata": {"name": "bad"}, "spec": {"hosts": ["a"]}}
        self.assertEqual(400, self.cluster.call("POST", ROUTES + "?fieldValidation=Strict", body).status)


if __name__ == "__main__":
    sys.exit(unittest.main())
