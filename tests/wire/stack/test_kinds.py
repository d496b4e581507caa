#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sandboxes made of other kinds: a StatefulSet with a volume, HTTPRoutes. Created, cancelled, failed, retried, deleted, and
nothing left behind; each keeps what it was made of when the configuration changes. Runs inside with_services.py."""
from world import KINDS, StackCase, World, main, path_of, wait_for

KINDS.update({
    "statefulsets": "/apis/apps/v1",
    "persistentvolumeclaims": "/api/v1",
    "httproutes": "/apis/gateway.networking.k8s.io/v1",
})
STATEFUL = {"FULLSTACKD_SANDBOX_WORKLOAD": "statefulset", "FULLSTACKD_SANDBOX_MIN_READY": "0s"}
GATEWAY = {
    "FULLSTACKD_SANDBOX_INGRESS_PROFILE": "gateway",
    "FULLSTACKD_SANDBOX_GATEWAY_NAME": "gateway",
    "FULLSTACKD_SANDBOX_GATEWAY_NAMESPACE": "gateway-system",
}
USUAL = {"FULLSTACKD_SANDBOX_WORKLOAD": "deployment", "FULLSTACKD_SANDBOX_INGRESS_PROFILE": "seed"}
SLOW = ("--zero-delay", "--delays", "stop=300,retry=300")
NO_DATABASE = ("--zero-delay", "--delays", "stop=300,database=600000")


class Kinds(StackCase):
    def delete(self, world, client, project):
        self.assertEqual(client.request("DELETE", f"/api/projects/{project['id']}")[0], 202)
        wait_for("everything gone", lambda: not world.made() and world.rows()["projects"] == 0)

    def failure(self, client, project):
        """(code, message) of the stage that failed."""
        events = client.follow(project["id"])
        self.assert_story(events, "failed")
        return next((d["stage"], d["code"], d["message"]) for _, n, d in events if n == "stage" and d["status"] == "failed")

    # ---- StatefulSet ----

    def test_a_stateful_sandbox_is_created_and_deleted_with_its_volume(self):
        with World(STATEFUL) as world:
            client = world.sign_in()
            project, _ = client.create("stateful")
            self.assert_story(client.follow(project["id"]))
            made = world.count_made()
            for kind, n in (("statefulsets", 1), ("persistentvolumeclaims", 1), ("pods", 1), ("services", 1),
                            ("ingresses", 2), ("deployments", 0), ("httproutes", 0)):
                self.assertEqual(made.get(kind, 0), n, (kind, made))
            name = world.sandbox_row(project["id"])[0]
            claim = world.kube("GET", path_of("persistentvolumeclaims", f"vn-homevn-fulling-{name}-0"), want=200)
            self.assertEqual(claim["spec"]["resources"]["requests"]["storage"], "10Gi")
            pod = world.kube("GET", path_of("pods", name + "-0"), want=200)
            self.assertIn("/home/fulling", [m["mountPath"] for m in pod["spec"]["containers"][0]["volumeMounts"]])
            self.assertEqual(client.json("GET", f"/api/sandbox/{project['id']}")["status"], "running")
            client.json("DELETE", f"/api/sandbox/{project['id']}", status=202)
            wait_for("its end", lambda: client.json("GET", f"/api/sandbox/{project['id']}")["status"] == "terminated")
            left = {kind for kind, _ in world.made()}
            self.assertFalse(left & {"statefulsets", "persistentvolumeclaims", "services", "ingresses"}, left)
            self.delete(world, client, project)

    def test_a_volume_that_the_cluster_does_not_delete_is_deleted(self):
        with World(STATEFUL) as world:
            client = world.sign_in()
            project, _ = client.create("kept")
            self.assert_story(client.follow(project["id"]))
            name = world.sandbox_row(project["id"])[0]
            # As a cluster that knows no retention policy leaves it: nobody's.
            claim = path_of("persistentvolumeclaims", f"vn-homevn-fulling-{name}-0")
            world.patch(claim, {"metadata": {"ownerReferences": None}})
            self.delete(world, client, project)

    def test_a_cancelled_stateful_creation_leaves_no_volume(self):
        with World(STATEFUL, cluster_args=NO_DATABASE) as world:
            client = world.sign_in()
            project, _ = client.create("cancelled")
            wait_for("a claim", lambda: any(kind == "persistentvolumeclaims" for kind, _ in world.made()))
            client.json("DELETE", f"/api/sandbox/{project['id']}", status=202)
            events = client.follow(project["id"])
            self.assertEqual(events[-1][2]["outcome"], "cancelled")
            left = {kind for kind, _ in world.made()}
            self.assertFalse(left & {"statefulsets", "persistentvolumeclaims", "services", "ingresses"}, left)
            self.delete(world, client, project)

    def test_a_storage_class_that_is_not_there_is_named_and_can_be_mended(self):
        with World(dict(STATEFUL, FULLSTACKD_SANDBOX_VOLUME_CLASS="nosuch")) as world:
            client = world.sign_in()
            project, _ = client.create("unbound")
            stage, code, message = self.failure(client, project)
            self.assertEqual((stage, code), ("container", "PVC_PENDING"))
            self.assertIn('storageclass.storage.k8s.io "nosuch" not found', message)
            self.delete(world, client, project)

    def test_a_quota_that_refuses_the_volume_is_told(self):
        with World(STATEFUL) as world:
            client = world.sign_in()
            world.kube("POST", "/api/v1/namespaces/ns-ajno7yq7/resourcequotas",
                       {"metadata": {"name": "none"}, "spec": {"hard": {"count/persistentvolumeclaims": "0"}}}, 201)
            project, _ = client.create("quota")
            stage, code, message = self.failure(client, project)
            self.assertEqual((stage, code), ("container", "QUOTA_EXCEEDED"), message)
            self.assertIn("exceeded quota: none", message)
            world.kube("DELETE", "/api/v1/namespaces/ns-ajno7yq7/resourcequotas/none", want=200)
            client.json("POST", f"/api/sandbox/{project['id']}", {}, 202)
            self.assert_story(client.follow(project["id"]))

    def test_a_retry_replaces_a_pod_that_never_was_ready_and_keeps_the_volume(self):
        with World(STATEFUL, cluster_args=SLOW) as world:
            client = world.sign_in()
            project, _ = client.create("broken", {"KWOK_FAIL": "CrashLoopBackOff", "KWOK_RETRY_DELAY": "50ms"})
            self.assertEqual(self.failure(client, project)[1], "CRASH_LOOP")
            claims = {key: uid for key, uid in world.made().items() if key[0] == "persistentvolumeclaims"}
            client.json("POST", f"/api/sandbox/{project['id']}", {"envVars": {}}, 202)
            self.assert_story(client.follow(project["id"]))
            self.assertEqual(claims, {k: uid for k, uid in world.made().items() if k[0] == "persistentvolumeclaims"})

    def test_a_stopped_stateful_sandbox_keeps_its_volume(self):
        with World(STATEFUL) as world:
            client = world.sign_in()
            project, _ = client.create("rests")
            self.assert_story(client.follow(project["id"]))
            name = world.sandbox_row(project["id"])[0]
            claims = {key: uid for key, uid in world.made().items() if key[0] == "persistentvolumeclaims"}
            client.json("POST", f"/api/projects/{project['id']}/stop", status=202)
            wait_for("the stop", lambda: client.json("GET", f"/api/sandbox/{project['id']}")["status"] == "stopped")
            self.assertEqual(world.kube("GET", path_of("statefulsets", name), want=200)["spec"]["replicas"], 0)
            self.assertNotIn(name + "-0", world.names("pods"))
            client.json("POST", f"/api/projects/{project['id']}/start", status=202)
            wait_for("the start", lambda: client.json("GET", f"/api/sandbox/{project['id']}")["status"] == "running")
            self.assertEqual(claims, {k: uid for k, uid in world.made().items() if k[0] == "persistentvolumeclaims"})
            self.delete(world, client, project)

    # ---- HTTPRoute ----

    def test_a_sandbox_behind_a_gateway_is_created_and_deleted(self):
        with World(GATEWAY) as world:
            client = world.sign_in()
            project, _ = client.create("gateway")
            self.assert_story(client.follow(project["id"]))
            made = world.count_made()
            self.assertEqual((made.get("httproutes", 0), made.get("ingresses", 0)), (2, 0))
            for kind, name in world.made():
                if kind == "httproutes":
                    route = world.kube("GET", path_of(kind, name), want=200)
                    self.assertEqual(route["spec"]["rules"][0]["timeouts"], {"request": "0s"})
                    self.assertEqual(route["status"]["parents"][0]["conditions"][0]["status"], "True")
            self.delete(world, client, project)

    def test_a_cancelled_creation_leaves_no_route(self):
        with World(dict(GATEWAY, **STATEFUL), cluster_args=NO_DATABASE) as world:
            client = world.sign_in()
            project, _ = client.create("cancelled")
            wait_for("routes", lambda: world.count_made().get("httproutes", 0) == 2)
            client.json("DELETE", f"/api/sandbox/{project['id']}", status=202)
            self.assertEqual(client.follow(project["id"])[-1][2]["outcome"], "cancelled")
            self.assertFalse({kind for kind, _ in world.made()} & {"statefulsets", "persistentvolumeclaims", "httproutes"})

    def test_what_the_gateway_refuses_is_told_in_its_words(self):
        with World(dict(GATEWAY, FULLSTACKD_SANDBOX_GATEWAY_SECTION="nosuch")) as world:
            client = world.sign_in()
            project, _ = client.create("refused")
            stage, code, message = self.failure(client, project)
            self.assertEqual((stage, code), ("networking", "INVALID"))
            self.assertIn("NoMatchingParent", message)
            self.delete(world, client, project)

    def test_a_gateway_that_is_not_there_ends_by_the_deadline_and_says_what_is_missing(self):
        absent = dict(GATEWAY, FULLSTACKD_SANDBOX_GATEWAY_NAME="absent", FULLSTACKD_FLOW_APPLY_DEADLINE="2s")
        with World(absent) as world:
            client = world.sign_in()
            project, _ = client.create("absent")
            stage, code, message = self.failure(client, project)
            self.assertEqual((stage, code), ("networking", "DEADLINE"))
            self.assertIn("no controller has accepted the HTTPRoute", message)

    def test_where_gateways_report_nothing_existing_routes_are_enough(self):
        silent = dict(GATEWAY, FULLSTACKD_SANDBOX_GATEWAY_NAME="absent", FULLSTACKD_SANDBOX_GATEWAY_MUST_ACCEPT="false")
        with World(silent) as world:
            client = world.sign_in()
            project, _ = client.create("silent")
            self.assert_story(client.follow(project["id"]))

    # ---- the configuration changes ----

    def test_a_sandbox_keeps_the_kinds_it_was_made_with(self):
        with World(dict(GATEWAY, **STATEFUL)) as world:
            client = world.sign_in()
            old, _ = client.create("old")
            self.assert_story(client.follow(old["id"]))
            port = world.crash()
            world.extra_env = dict(world.extra_env, **USUAL)
            world.serve(port)
            wait_for("its state", lambda: client.json("GET", f"/api/sandbox/{old['id']}")["status"] == "running")
            new, _ = client.create("new")
            self.assert_story(client.follow(new["id"]))
            made = world.count_made()
            for kind, n in (("statefulsets", 1), ("deployments", 1), ("httproutes", 2), ("ingresses", 2)):
                self.assertEqual(made.get(kind, 0), n, (kind, made))
            self.assertEqual(client.request("DELETE", f"/api/projects/{old['id']}")[0], 202)
            wait_for("the old one gone", lambda: world.count_made().get("statefulsets", 0) == 0
                     and world.count_made().get("persistentvolumeclaims", 0) == 0
                     and world.count_made().get("httproutes", 0) == 0)
            self.delete(world, client, new)


if __name__ == "__main__":
    main()
