#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Deployments to ready pods, faults of pods and Clusters, garbage collection, endpoints, quotas, namespaces,
tokens of service accounts."""
import base64
import sys
import unittest

from cluster import CLUSTERS, NS, Cluster, apps, condition, core, deployment, until

NEEDS_OUR_KUBELET = unittest.skipIf(Cluster.is_real, "kwok is no kubelet: no probes, no events of pulls, no Secrets")
MERGE = {"Content-Type": "application/merge-patch+json"}
SLICES = "/apis/discovery.k8s.io/v1/namespaces/%s/endpointslices" % NS


def kubeblocks(name, **annotations):
    return {"apiVersion": "apps.kubeblocks.io/v1alpha1", "kind": "Cluster",
            "metadata": {"name": name, "annotations": annotations},
            "spec": {"terminationPolicy": "Delete", "clusterDefinitionRef": "postgresql",
                     "componentSpecs": [{"name": "postgresql", "replicas": 1}]}}


class Controllers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster("--zero-delay", "--delays", "retry=300,ready=150")

    @classmethod
    def tearDownClass(cls):
        assert cls.cluster.stop() == 0, "devcluster ended with an error (a sanitizer's, or a leak)"

    def create(self, body):
        self.cluster.must(201, "POST", apps("deployments"), body)

    def wait_available(self, name):
        return self.cluster.wait(apps("deployments"), name,
                                 lambda d: condition(d, "Available").get("status") == "True", name + " available")

    def pods(self, app):
        return self.cluster.must(200, "GET", core("pods") + "?labelSelector=app%3D" + app)["items"]

    def wait_pod(self, app, is_reached, what):
        for event in self.cluster.watch(core("pods") + "?watch=1&timeoutSeconds=30&labelSelector=app%3D" + app):
            if event["type"] != "DELETED" and is_reached(event["object"]):
                return event["object"]
        raise AssertionError("the pod of %s never was %s" % (app, what))

    def wait_waiting(self, app, reason):
        def waits(pod):
            return any(s["state"].get("waiting", {}).get("reason") == reason
                       for s in pod["status"].get("containerStatuses", []))
        return self.wait_pod(app, waits, reason)

    def events_of(self, name):
        items = self.cluster.must(200, "GET", core("events") + "?fieldSelector=involvedObject.name%3D" + name)["items"]
        return {e["reason"] for e in items}

    # ---- the way up ----

    def test_a_deployment_takes_the_recorded_steps(self):
        version = self.cluster.must(200, "GET", apps("deployments"))["metadata"]["resourceVersion"]
        stream = self.cluster.watch(apps("deployments") + "?watch=1&labelSelector=app%3Dsteps&resourceVersion=" + version)
        self.create(deployment("steps"))
        seen = []
        for event in stream:
            status = event["object"]["status"]
            rows = [(c["type"], c["status"], c["reason"]) for c in status.get("conditions", [])]
            seen.append((event["type"], status.get("observedGeneration"), rows))
            if ("Available", "True", "MinimumReplicasAvailable") in rows:
                break
        stream.close()
        created = ("Progressing", "True", "NewReplicaSetCreated")
        unavailable = ("Available", "False", "MinimumReplicasUnavailable")
        steps = [("ADDED", None, []), ("MODIFIED", None, [created]), ("MODIFIED", 1, [created, unavailable]),
                 ("MODIFIED", 1, [unavailable, ("Progressing", "True", "ReplicaSetUpdated")]),
                 ("MODIFIED", 1, [("Available", "True", "MinimumReplicasAvailable"),
                                  ("Progressing", "True", "NewReplicaSetAvailable")])]
        if self.cluster.is_real:  # whose controller, when it is busy, takes two at once
            self.assertEqual((steps[0], steps[-1]), (seen[0], seen[-1]))
            self.assertEqual([step for step in steps if step in seen], seen)
        else:
            self.assertEqual(steps, seen)

    @NEEDS_OUR_KUBELET
    def test_a_pod_takes_the_recorded_steps_and_tells_events(self):
        version = self.cluster.must(200, "GET", core("pods"))["metadata"]["resourceVersion"]
        stream = self.cluster.watch(core("pods") + "?watch=1&labelSelector=app%3Dpodsteps&resourceVersion=" + version)
        self.create(deployment("podsteps", image="podsteps:1"))
        seen = []
        for event in stream:
            status = event["object"]["status"]
            seen.append((event["type"], status["phase"], "nodeName" in event["object"]["spec"],
                         len(status.get("containerStatuses", []))))
            if condition(event["object"], "Ready").get("status") == "True":
                break
        stream.close()
        self.assertEqual([("ADDED", "Pending", False, 0), ("MODIFIED", "Pending", True, 0),
                          ("MODIFIED", "Pending", True, 1), ("MODIFIED", "Running", True, 1)], seen)
        name = event["object"]["metadata"]["name"]
        told = until(lambda: {"Scheduled", "Pulling", "Pulled", "Created", "Started"} <= self.events_of(name), "events")
        self.assertTrue(told)

    @NEEDS_OUR_KUBELET
    def test_a_readiness_probe_delays_ready(self):
        probe = {"tcpSocket": {"port": 7681}}
        self.create(deployment("probed", readinessProbe=probe))
        pod = self.wait_pod("probed", lambda p: p["status"]["phase"] == "Running", "Running")
        self.assertEqual("False", condition(pod, "Ready")["status"])
        self.wait_available("probed")

    def test_a_new_template_rolls_over_without_a_gap(self):
        self.create(deployment("rolling", replicas=2))
        self.wait_available("rolling")
        version = self.cluster.must(200, "GET", apps("deployments"))["metadata"]["resourceVersion"]
        stream = self.cluster.watch(apps("deployments") + "?watch=1&labelSelector=app%3Drolling&resourceVersion=" + version)
        patch = {"spec": {"template": {"metadata": {"labels": {"restartTime": "20260101000000"}}}}}
        self.cluster.must(200, "PATCH", apps("deployments") + "/rolling", patch, headers=MERGE)
        for event in stream:
            d = event["object"]
            self.assertEqual("True", condition(d, "Available").get("status"), "maxUnavailable 0 keeps it available")
            self.assertLessEqual(d["status"]["replicas"], 3, "maxSurge 1")
            s = d["status"]
            if (s["observedGeneration"] == 2 and s.get("updatedReplicas") == 2 and s["replicas"] == 2
                    and s.get("availableReplicas") == 2 and "unavailableReplicas" not in s):
                break
        stream.close()
        sets = self.cluster.must(200, "GET", apps("replicasets") + "?labelSelector=app%3Drolling")["items"]
        self.assertEqual([0, 2], sorted(r["spec"]["replicas"] for r in sets))
        self.assertEqual("2", d["metadata"]["annotations"]["deployment.kubernetes.io/revision"])
        until(lambda: len(self.pods("rolling")) == 2, "two pods left")

    def test_scaling_to_none_leaves_it_available(self):
        self.create(deployment("zero"))
        self.wait_available("zero")
        self.cluster.must(200, "PATCH", apps("deployments") + "/zero", {"spec": {"replicas": 0}}, headers=MERGE)
        until(lambda: not self.pods("zero"), "no pods")
        done = self.cluster.wait(apps("deployments"), "zero",
                                 lambda d: d["status"].get("observedGeneration") == 2 and "replicas" not in d["status"],
                                 "scaled down")
        self.assertEqual("True", condition(done, "Available")["status"])

    def test_a_deadline_that_passes_is_told(self):
        body = deployment("late", image="nosuch/image:1")
        body["spec"]["progressDeadlineSeconds"] = 1
        self.create(body)
        done = self.cluster.wait(apps("deployments"), "late",
                                 lambda d: condition(d, "Progressing").get("status") == "False", "deadline exceeded")
        self.assertEqual("ProgressDeadlineExceeded", condition(done, "Progressing")["reason"])

    # ---- what can go wrong ----

    @NEEDS_OUR_KUBELET
    def test_a_missing_secret_is_a_config_error_after_the_pull_until_it_is_there(self):
        from_secret = [{"secretRef": {"name": "env-later"}}]
        self.create(deployment("needs-env", envFrom=from_secret))
        pod = self.wait_waiting("needs-env", "CreateContainerConfigError")
        state = pod["status"]["containerStatuses"][0]["state"]["waiting"]
        self.assertEqual('secret "env-later" not found', state["message"])
        self.assertIn("Pulled", self.events_of(pod["metadata"]["name"]))
        self.cluster.must(201, "POST", core("secrets"), {"metadata": {"name": "env-later"}, "stringData": {"A": "1"}})
        self.wait_available("needs-env")

    @NEEDS_OUR_KUBELET
    def test_a_nudge_by_annotation_is_tried_at_once(self):
        slow = Cluster("--zero-delay", "--delays", "retry=3600000")
        try:
            slow.must(201, "POST", apps("deployments"), deployment("nudged", envFrom=[{"secretRef": {"name": "e"}}]))
            for event in slow.watch(core("pods") + "?watch=1&labelSelector=app%3Dnudged"):
                if "CreateContainerConfigError" in str(event["object"]["status"]):
                    break
            slow.must(201, "POST", core("secrets"), {"metadata": {"name": "e"}})
            name = event["object"]["metadata"]["name"]
            slow.must(200, "PATCH", core("pods") + "/" + name, {"metadata": {"annotations": {"nudge": "1"}}}, headers=MERGE)
            slow.wait(apps("deployments"), "nudged", lambda d: condition(d, "Available").get("status") == "True", "up")
        finally:
            self.assertEqual(0, slow.stop())

    @NEEDS_OUR_KUBELET
    def test_faults_can_be_asked_for_by_annotation_label_env_and_secret(self):
        by_label = deployment("f-label")
        by_label["spec"]["template"]["metadata"]["labels"]["kwok.test/fail"] = "ImagePullBackOff"
        by_annotation = deployment("f-annotation")
        by_annotation["spec"]["template"]["metadata"]["annotations"] = {"kwok.test/fail": "InvalidImageName"}
        self.cluster.must(201, "POST", core("secrets"), {"metadata": {"name": "f-env"},
                                                         "stringData": {"KWOK_FAIL": "CrashLoopBackOff"}})
        by_secret = deployment("f-secret", envFrom=[{"secretRef": {"name": "f-env"}}])
        by_image = deployment("f-image", image="example.com/nosuch:1")
        for body, reason in ((by_label, "ImagePullBackOff"), (by_annotation, "InvalidImageName"),
                             (by_secret, "CrashLoopBackOff"), (by_image, "ImagePullBackOff")):
            self.create(body)
            self.wait_waiting(body["metadata"]["name"], reason)

    @NEEDS_OUR_KUBELET
    def test_a_crash_that_ends_leaves_a_running_pod_with_restarts(self):
        env = [{"name": "KWOK_FAIL", "value": "CrashLoopBackOff"}, {"name": "KWOK_FAIL_TIMES", "value": "2"},
               {"name": "KWOK_RETRY_DELAY", "value": "100ms"}]
        self.create(deployment("recovers", env=env))

        def is_up(pod):
            first = (pod["status"].get("containerStatuses") or [{}])[0]
            return first.get("restartCount") == 2 and "running" in first["state"] and first["ready"]
        pod = self.wait_pod("recovers", is_up, "up after two crashes")
        self.assertEqual("Error", pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["reason"])

    def test_an_evicted_pod_is_replaced(self):
        self.create(deployment("evicted", env=[{"name": "KWOK_FAIL", "value": "Evicted"}]))
        self.wait_pod("evicted", lambda p: p["status"].get("reason") == "Evicted", "Evicted")
        until(lambda: len(self.pods("evicted")) >= 2, "another pod beside the failed one")
        self.cluster.must(200, "DELETE", apps("deployments") + "/evicted")

    def test_what_fits_nowhere_is_unschedulable_and_fits_when_room_comes(self):
        half = {"requests": {"cpu": "200"}}
        self.create(deployment("big-one", resources=half))
        self.wait_available("big-one")
        self.create(deployment("big-two", resources=half))
        pod = self.wait_pod("big-two", lambda p: condition(p, "PodScheduled").get("reason") == "Unschedulable", "unfit")
        self.assertIn("0/1 nodes are available: 1 Insufficient cpu.", condition(pod, "PodScheduled")["message"])
        self.assertIn("FailedScheduling", self.events_of(pod["metadata"]["name"]))
        self.cluster.must(200, "DELETE", apps("deployments") + "/big-one")
        self.wait_available("big-two")
        self.cluster.must(200, "DELETE", apps("deployments") + "/big-two")

    def test_a_pod_quota_fails_the_replica_set_until_it_is_lifted(self):
        admin = self.cluster
        ns = "/api/v1/namespaces/quoted"
        admin.must(201, "POST", "/api/v1/namespaces", {"metadata": {"name": "quoted"}}, account="admin")
        quota = {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "0"}}}
        admin.must(201, "POST", ns + "/resourcequotas", quota, account="admin")
        deployments = "/apis/apps/v1/namespaces/quoted/deployments"
        admin.must(201, "POST", deployments, deployment("full"), account="admin")

        def reached(wanted):
            for event in admin.watch(deployments + "?watch=1", account="admin"):
                if wanted(event["object"]):
                    return event["object"]
        refused = reached(lambda d: condition(d, "ReplicaFailure").get("status") == "True")
        self.assertIn("exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0",
                      condition(refused, "ReplicaFailure")["message"])
        admin.must(200, "DELETE", ns + "/resourcequotas/q", account="admin")
        up = reached(lambda d: condition(d, "Available").get("status") == "True")
        self.assertEqual({}, condition(up, "ReplicaFailure"))
        admin.must(200, "DELETE", "/api/v1/namespaces/quoted", account="admin")
        until(lambda: admin.call("GET", "/api/v1/namespaces/quoted", account="admin").status == 404, "namespace gone")
        self.assertEqual([], admin.must(200, "GET", "/apis/apps/v1/namespaces/quoted/replicasets",
                                        account="admin")["items"])

    # ---- garbage ----

    def test_background_deletion_takes_everything_below(self):
        self.create(deployment("bg"))
        owner = self.wait_available("bg")
        reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "bg", "uid": owner["metadata"]["uid"]}
        self.cluster.must(201, "POST", core("secrets"), {"metadata": {"name": "bg-env", "ownerReferences": [reference]}})
        self.cluster.must(200, "DELETE", apps("deployments") + "/bg")
        until(lambda: not self.pods("bg"), "pods gone")
        self.cluster.wait_gone(core("secrets"), "bg-env")
        self.assertEqual([], self.cluster.must(200, "GET", apps("replicasets") + "?labelSelector=app%3Dbg")["items"])

    def test_foreground_deletion_waits_for_what_is_below(self):
        self.create(deployment("fg"))
        self.wait_available("fg")
        version = self.cluster.must(200, "GET", core("pods"))["metadata"]["resourceVersion"]
        self.cluster.must(200, "DELETE", apps("deployments") + "/fg?propagationPolicy=Foreground")
        self.cluster.wait_gone(apps("deployments"), "fg")
        self.assertEqual([], self.pods("fg"), "the owner goes last")
        gone = [e for e in self.cluster.watch(core("pods") + "?watch=1&timeoutSeconds=1&labelSelector=app%3Dfg"
                                              "&resourceVersion=" + version) if e["type"] == "DELETED"]
        self.assertEqual(1, len(gone))

    def test_orphaning_sets_free_what_is_below(self):
        self.create(deployment("orphan"))
        self.wait_available("orphan")
        self.cluster.must(200, "DELETE", apps("deployments") + "/orphan?propagationPolicy=Orphan")
        self.cluster.wait_gone(apps("deployments"), "orphan")
        sets = self.cluster.must(200, "GET", apps("replicasets") + "?labelSelector=app%3Dorphan")["items"]
        self.assertEqual(1, len(sets))
        self.assertNotIn("ownerReferences", sets[0]["metadata"])
        self.assertEqual(1, len(self.pods("orphan")))

    def test_an_object_whose_owner_was_never_there_goes(self):
        nobody = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x", "uid": "00000000-0000-0000-0000-000000000000"}
        self.cluster.must(201, "POST", core("secrets"), {"metadata": {"name": "lost", "ownerReferences": [nobody]}})
        self.cluster.wait_gone(core("secrets"), "lost")

    # ---- services ----

    def test_an_endpoint_is_ready_when_its_pod_is(self):
        self.cluster.must(201, "POST", core("services"),
                          {"metadata": {"name": "front"},
                           "spec": {"selector": {"app": "backed"}, "ports": [{"port": 80, "targetPort": 3000}]}})
        self.create(deployment("backed", readinessProbe={"tcpSocket": {"port": 3000}}))
        path = SLICES + "?watch=1&timeoutSeconds=30&labelSelector=kubernetes.io%2Fservice-name%3Dfront"
        seen = []
        for event in self.cluster.watch(path):
            points = event["object"]["endpoints"] or []
            seen.append([p["conditions"]["ready"] for p in points])
            if seen[-1] == [True]:
                break
        self.assertTrue(Cluster.is_real or [False] in seen, seen)
        self.assertEqual(3000, event["object"]["ports"][0]["port"])
        self.cluster.must(200, "DELETE", core("services") + "/front")
        until(lambda: not self.cluster.must(200, "GET", path.replace("watch=1&", ""))["items"], "slice gone")

    # ---- KubeBlocks ----

    def phase(self, name, wanted):
        return self.cluster.wait(CLUSTERS, name, lambda c: c and c.get("status", {}).get("phase") == wanted, wanted)

    def test_the_secret_of_a_cluster_is_there_before_it_runs(self):
        self.cluster.must(201, "POST", CLUSTERS, kubeblocks("db"))
        version = self.phase("db", "Running")["metadata"]["resourceVersion"]
        secret = self.cluster.must(200, "GET", core("secrets") + "/db-conn-credential")
        self.assertLess(int(secret["metadata"]["resourceVersion"]), int(version))
        self.assertEqual({"endpoint", "host", "password", "port", "username"}, set(secret["data"]))
        self.cluster.must(200, "DELETE", CLUSTERS + "/db")
        self.cluster.wait_gone(CLUSTERS, "db")
        self.cluster.wait_gone(core("secrets"), "db-conn-credential")

    def test_a_cluster_is_stopped_and_started_by_its_replicas(self):
        self.cluster.must(201, "POST", CLUSTERS, kubeblocks("paused"))
        self.phase("paused", "Running")
        for replicas, wanted in ((0, "Stopped"), (1, "Running")):
            patch = {"spec": {"componentSpecs": [{"name": "postgresql", "replicas": replicas}]}}
            self.cluster.must(200, "PATCH", CLUSTERS + "/paused", patch, headers=MERGE)
            self.phase("paused", wanted)

    def test_faults_of_clusters_by_annotation_and_name(self):
        for body, wanted in ((kubeblocks("kb-a", **{"kwok.test/kb-fail": "Failed"}), "Failed"),
                             (kubeblocks("kb-b", **{"kwok.test/kb-fail": "Abnormal"}), "Abnormal"),
                             (kubeblocks("kbfail-x"), "Failed"), (kubeblocks("kbnever-x"), "Creating")):
            self.cluster.must(201, "POST", CLUSTERS, body)
            self.phase(body["metadata"]["name"], wanted)
        self.cluster.must(201, "POST", CLUSTERS, kubeblocks("kbprecheck-x"))
        bad = self.cluster.wait(CLUSTERS, "kbprecheck-x", lambda c: condition(c, "ProvisioningStarted"), "pre-check")
        self.assertEqual(("False", "PreCheckFailed"), (condition(bad, "ProvisioningStarted")["status"],
                                                       condition(bad, "ProvisioningStarted")["reason"]))
        self.assertNotIn("phase", bad["status"])
        self.cluster.must(201, "POST", CLUSTERS, kubeblocks("kb-ns", **{"kwok.test/kb-fail": "NoSecret"}))
        self.phase("kb-ns", "Running")
        self.assertEqual(404, self.cluster.call("GET", core("secrets") + "/kb-ns-conn-credential").status)
        for name in ("kb-a", "kbnever-x", "kbprecheck-x"):
            self.cluster.must(200, "DELETE", CLUSTERS + "/" + name)
            self.cluster.wait_gone(CLUSTERS, name)


class Tokens(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster("--zero-delay")

    def tearDown(self):
        self.assertEqual(0, self.cluster.stop())

    def make(self, name, account):
        self.cluster.must(201, "POST", core("secrets"), {
            "metadata": {"name": name, "annotations": {"kubernetes.io/service-account.name": account}},
            "type": "kubernetes.io/service-account-token"})

    def status(self, token):
        return self.cluster.call("GET", core("secrets"), account="none", headers={"Authorization": "Bearer " + token}).status

    def test_a_token_is_good_for_as_long_as_its_secret_is_there(self):
        c = self.cluster
        self.make("a.token", "sealos-user")
        secret = c.wait(core("secrets"), "a.token", lambda o: o and "token" in o.get("data", {}), "the token")
        self.assertEqual({"ca.crt", "namespace", "token"}, set(secret["data"]))
        self.assertIn("kubernetes.io/service-account.uid", secret["metadata"]["annotations"])
        token = base64.b64decode(secret["data"]["token"]).decode()
        self.assertEqual(200, self.status(token))
        self.assertEqual(401, self.status(token[:-1]))
        c.must(200, "DELETE", core("secrets") + "/a.token")
        until(lambda: self.status(token) == 401, "the token is over")

    def test_a_token_of_an_account_that_is_not_there_goes(self):
        c = self.cluster
        c.must(201, "POST", core("serviceaccounts"), {"metadata": {"name": "leaving"}})
        self.make("leaving", "leaving")
        c.wait(core("secrets"), "leaving", lambda o: o and "token" in o.get("data", {}), "the token")
        c.must(200, "DELETE", core("serviceaccounts") + "/leaving")
        c.wait_gone(core("secrets"), "leaving")
        self.make("nobodys", "nobody")
        c.wait_gone(core("secrets"), "nobodys")


if __name__ == "__main__":
    sys.exit(unittest.main())
