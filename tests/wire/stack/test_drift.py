#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is done to a running sandbox from outside: noticed, told once, made again or left, and never a database. Runs
inside with_services.py."""
import time
import urllib.request

from world import NS, Reader, StackCase, World, main, path_of, wait_for

NOTICED_S = 1.0
REPORT = {"FULLSTACKD_FLOW_DRIFT": "report"}
BOTH = ("repair", "report")


def is_drift(name, data):
    return name == "status" and data["status"] == "error"


def is_ready(name, data):
    return name == "done" and data["outcome"] == "ready"


class DriftCase(StackCase):
    def ready(self, world, client, name):
        project, _ = client.create(name)
        self.assert_story(client.follow(project["id"]))
        return project["id"], world.sandbox_row(project["id"])[0]

    def listen(self, client):
        """Everything that happens from now on, on the owner's stream."""
        reader = Reader(client, "/api/events")
        reader.wait("the snapshot", lambda name, _: name == "reset")
        return reader

    def told(self, reader):
        return [(n, d) for _, n, d in list(reader.events) if n != "reset"]

    def delete(self, world, kind, name):
        world.kube("DELETE", path_of(kind, name) + "?gracePeriodSeconds=0", want=200)
        return time.monotonic()

    def status(self, client, project):
        return client.json("GET", f"/api/sandbox/{project}")

    def metric(self, world, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{world.servers[0].port}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        return float(next(line.split(" ")[1] for line in lines if line.startswith(name + " ")))

    def assert_rows(self, world, project, query, want):
        self.assertEqual(world.sql(f"SELECT {query} FROM sandboxes WHERE project_id = '{project}'"), [want])


class Repair(DriftCase):
    def test_whatever_is_deleted_is_noticed_told_and_made_again(self):
        with World() as world:
            client = world.sign_in()
            project, name = self.ready(world, client, "mended")
            for kind, suffix, word in (("services", "-service", "Service"), ("ingresses", "-app-ingress", "Ingress"),
                                       ("ingresses", "-ttyd-ingress", "Ingress"), ("networkpolicies", "", "NetworkPolicy"),
                                       ("deployments", "", "Deployment")):
                before = world.kube("GET", path_of(kind, name + suffix), want=200)["metadata"]["uid"]
                # So that what happens next is not paced by what happened before.
                world.sql("UPDATE sandboxes SET drift_n = 0")
                reader = self.listen(client)
                at = self.delete(world, kind, name + suffix)
                event = reader.wait("the drift", is_drift)
                self.assertLess(time.monotonic() - at, NOTICED_S)
                self.assertEqual((event["code"], event["attempt"]), ("DRIFT", 1))
                self.assertIn(word, event["message"])
                self.assertTrue(event["hint"])
                reader.wait("the repair", is_ready)
                self.assertNotEqual(world.kube("GET", path_of(kind, name + suffix), want=200)["metadata"]["uid"], before)
                told = self.told(reader)
                self.assertEqual([n for n, _ in told].count("status"), 1, told)
                self.assertEqual([n for n, _ in told].count("done"), 1, told)
                stages = {d["stage"] for n, d in told if n == "stage"}
                self.assertNotIn("database", stages, told)
                if kind != "deployments":
                    self.assertNotIn("terminal", stages, told)
                self.assertEqual(self.status(client, project)["status"], "running")
                self.assertEqual(self.status(client, project)["failure"], None)
            wait_for("the former pod's end", lambda: world.count_made().get("pods") == 1)
            self.assert_complete(world)
            self.assert_gapless(world.journal(project))
            self.assert_rows(world, project, "status, attempt::text, is_settled::text", ["RUNNING", "1", "true"])
            self.assertEqual(self.metric(world, "fullstackd_drift_repairs_total"), 5)
            self.assertEqual(self.metric(world, "fullstackd_watched_sandboxes"), 1)
            self.assertEqual(self.metric(world, "fullstackd_drifted_sandboxes"), 0)

    def test_what_goes_on_being_deleted_is_whole_in_the_end(self):
        with World() as world:
            client = world.sign_in()
            project, name = self.ready(world, client, "all")
            reader = self.listen(client)
            for kind, suffix in (("ingresses", "-app-ingress"), ("ingresses", "-ttyd-ingress"), ("services", "-service"),
                                 ("deployments", "")):
                self.delete(world, kind, name + suffix)
            wait_for("all of it", lambda: all(world.count_made().get(k) == n for k, n in (
                ("deployments", 1), ("services", 1), ("ingresses", 2), ("pods", 1))))
            self.assert_complete(world)
            wait_for("the end", lambda: self.status(client, project)["status"] == "running")
            self.assertLessEqual([n for n, _ in self.told(reader)].count("status"), 2, self.told(reader))

    def test_a_lost_database_is_told_and_never_made_anew_by_itself(self):
        for mode in BOTH:
            with self.subTest(mode), World(env={"FULLSTACKD_FLOW_DRIFT": mode}) as world:
                client = world.sign_in()
                project, name = self.ready(world, client, "ledger")
                database = world.sandbox_row(project)[1]
                reader = self.listen(client)
                world.patch(path_of("clusters", database), {"metadata": {"finalizers": None}})
                at = self.delete(world, "clusters", database)
                event = reader.wait("the loss", lambda n, d: is_drift(n, d) and "data is lost" in d["message"])
                self.assertLess(time.monotonic() - at, 8)
                self.assertEqual(event["code"], "DRIFT")
                # With it goes the sandbox: a repair of that one must not bring an empty database along.
                self.delete(world, "deployments", name)
                later = world.sandbox_row(self.ready(world, client, "what is seen after that")[0])[1]
                self.assert_rows(world, project, "status, is_settled::text", ["ERROR", "true"])
                self.assertEqual(world.names("clusters"), {later})
                self.assertEqual(self.status(client, project)["failure"]["code"], "DRIFT")
                # Its owner may ask for an empty one, and is told that it is.
                client.json("POST", f"/api/projects/{project}/start", status=202)
                reader.wait("the words", lambda n, d: n == "status" and d["status"] != "error" and "empty one" in (d["message"] or ""))
                reader.wait("the start", lambda n, d: is_ready(n, d) and d["attempt"] == 2)
                self.assertEqual(world.names("clusters"), {later, database})

    def test_a_repair_that_its_process_does_not_survive_is_ended_by_the_next(self):
        with World() as world:
            client = world.sign_in()
            project, name = self.ready(world, client, "dies")
            reader = self.listen(client)
            world.fault(verb="create", resource="services", status=503, times=100000)
            self.delete(world, "services", f"{name}-service")
            reader.wait("the drift", is_drift)
            wait_for("the repair", lambda: world.sql("SELECT is_settled FROM sandboxes") == [["f"]])
            port = world.crash()
            world.kube("DELETE", "/devcluster/faults", None, 200)
            world.serve(port)
            wait_for("the end", lambda: self.status(client, project)["status"] == "running")
            self.assert_complete(world)
            self.assert_gapless(world.journal(project))
            self.assertEqual(world.sql("SELECT count(*) FROM journal WHERE kind = 'status' AND code = 'DRIFT'"), [["1"]])

    def test_what_happened_while_nobody_ran_is_found_at_start(self):
        with World() as world:
            client = world.sign_in()
            project, name = self.ready(world, client, "away")
            other, _ = self.ready(world, client, "untouched")
            port = world.crash()
            self.delete(world, "ingresses", f"{name}-app-ingress")
            world.serve(port)
            wait_for("the repair", lambda: f"{name}-app-ingress" in world.names("ingresses"))
            wait_for("the end", lambda: self.status(client, project)["status"] == "running")
            self.assertEqual(world.sql("SELECT project_id, count(*) FROM journal WHERE code = 'DRIFT' GROUP BY 1"),
                             [[project, "1"]])
            self.assertEqual(self.status(client, other)["status"], "running")

    def test_again_and_again_is_paced(self):
        with World() as world:
            client = world.sign_in()
            project, name = self.ready(world, client, "flaps")
            reader = self.listen(client)
            service = f"{name}-service"
            for _ in range(2):
                self.delete(world, "services", service)
                wait_for("the repair", lambda: service in world.names("services"))
                wait_for("the end", lambda: self.status(client, project)["status"] == "running")
            self.delete(world, "services", service)
            wait_for("what is shown", lambda: self.status(client, project)["status"] == "error")
            told = [d["at"] for n, d in self.told(reader) if n == "status"]
            self.assertEqual(len(told), 2, "the third is shown, and told and repaired later")
            waits = world.sql("SELECT extract(epoch FROM max(at) - min(at)) FROM journal WHERE code = 'DRIFT'")
            self.assertGreaterEqual(float(waits[0][0]), 4.9)

    def test_a_repair_that_cannot_be_done_ends_and_says_why(self):
        with World(env={"FULLSTACKD_FLOW_APPLY_DEADLINE": "1s"}) as world:
            client = world.sign_in()
            project, name = self.ready(world, client, "refused")
            reader = self.listen(client)
            world.fault(verb="create", resource="services", status=403, times=100000)
            self.delete(world, "services", f"{name}-service")
            end = reader.wait("the end", lambda n, d: n == "done" and d["outcome"] == "failed")
            self.assertEqual(end["code"], "FORBIDDEN", end)
            self.assertEqual(self.status(client, project)["status"], "error")
            world.kube("DELETE", "/devcluster/faults", None, 200)
            reader.wait("the next repair", is_ready, 30)
            self.assert_complete(world)

    def test_an_owner_who_deletes_or_stops_is_no_drift(self):
        with World() as world:
            client = world.sign_in()
            stopped, _ = self.ready(world, client, "stopped")
            deleted, _ = self.ready(world, client, "deleted")
            client.json("POST", f"/api/projects/{stopped}/stop", status=202)
            client.json("DELETE", f"/api/projects/{deleted}", status=202)
            wait_for("the stop", lambda: self.status(client, stopped)["status"] == "stopped")
            wait_for("the deletion", lambda: world.rows()["projects"] == 1)
            self.assertEqual(world.sql("SELECT count(*) FROM journal WHERE code = 'DRIFT'"), [["0"]])
            wait_for("no watch", lambda: self.metric(world, "fullstackd_watched_sandboxes") == 0)


class OtherKinds(DriftCase):
    def test_a_stateful_sandbox_behind_a_gateway_is_made_whole_as_well(self):
        env = {"FULLSTACKD_SANDBOX_WORKLOAD": "statefulset", "FULLSTACKD_SANDBOX_MIN_READY": "0s",
               "FULLSTACKD_SANDBOX_INGRESS_PROFILE": "gateway", "FULLSTACKD_SANDBOX_GATEWAY_NAME": "gateway",
               "FULLSTACKD_SANDBOX_GATEWAY_NAMESPACE": "gateway-system"}
        with World(env) as world:
            client = world.sign_in()
            project, name = self.ready(world, client, "other")
            for path, word in ((f"/apis/gateway.networking.k8s.io/v1/namespaces/{NS}/httproutes/{name}-app-route", "HTTPRoute"),
                               (f"/apis/apps/v1/namespaces/{NS}/statefulsets/{name}", "its volume")):
                world.sql("UPDATE sandboxes SET drift_n = 0")
                reader = self.listen(client)
                world.kube("DELETE", path, want=200)
                self.assertIn(word, reader.wait("the drift", is_drift)["message"])
                reader.wait("the repair", is_ready)
                world.kube("GET", path, want=200)
                self.assertEqual(self.status(client, project)["status"], "running")


class Report(DriftCase):
    def test_what_is_missing_is_told_and_left_until_its_owner_starts_it(self):
        with World(env=REPORT) as world:
            client = world.sign_in()
            project, name = self.ready(world, client, "left")
            reader = self.listen(client)
            self.delete(world, "services", f"{name}-service")
            reader.wait("the drift", is_drift)
            status = self.status(client, project)
            self.assertEqual((status["status"], status["code"], status["sandbox"]["status"]), ("error", "DRIFT", "ERROR"))
            self.assertEqual(status["failure"]["message"], status["message"])
            self.assertIn("start", status["actions"])
            listed = client.json("GET", "/api/projects")[0]
            self.assertEqual((listed["status"], listed["sandbox"]["status"], listed["sandbox"]["code"]),
                             ("ERROR", "error", "DRIFT"))
            self.assertNotIn(f"{name}-service", world.names("services"))
            self.assertEqual(self.metric(world, "fullstackd_drift_reports_total"), 1)
            self.assertEqual(self.metric(world, "fullstackd_drifted_sandboxes"), 1)
            client.json("POST", f"/api/projects/{project}/start", status=202)
            reader.wait("the start", lambda n, d: is_ready(n, d) and d["attempt"] == 2)
            self.assertIn(f"{name}-service", world.names("services"))
            self.assertEqual(self.status(client, project)["status"], "running")

    def test_what_does_not_run_is_told_with_its_reason_and_so_is_that_it_runs_again(self):
        with World() as world:
            client = world.sign_in()
            project, name = self.ready(world, client, "scaled")
            reader = self.listen(client)
            world.patch(path_of("deployments", name), {"spec": {"replicas": 0}})
            event = reader.wait("the drift", is_drift)
            self.assertIn("scaled to 0", event["message"])
            self.assertEqual(self.status(client, project)["status"], "error")
            world.patch(path_of("deployments", name), {"spec": {"replicas": 1}})
            end = reader.wait("the healing", is_ready)
            self.assertEqual((end["attempt"], end["status"]), (1, "running"))
            self.assertEqual([n for n, _ in self.told(reader)], ["status", "done"])
            self.assertEqual(self.metric(world, "fullstackd_drift_repairs_total"), 0)
            self.assertEqual(self.metric(world, "fullstackd_drift_healed_total"), 1)
            # The stream of the one project ends as it does for what never drifted.
            self.assertEqual([n for _, n, _ in client.events(f"/api/sandbox/{project}/events")][-1], "done")

    def test_an_address_that_was_taken_away_is_told(self):
        with World() as world:
            client = world.sign_in()
            project, name = self.ready(world, client, "moved")
            reader = self.listen(client)
            ingress = path_of("ingresses", f"{name}-ttyd-ingress")
            rules = world.kube("GET", ingress, want=200)["spec"]["rules"]
            at = time.monotonic()
            world.patch(ingress, {"spec": {"rules": [dict(rules[0], host="else.where.example")]}})
            event = reader.wait("the drift", is_drift)
            self.assertLess(time.monotonic() - at, NOTICED_S)
            self.assertIn("another host name", event["message"])
            world.patch(ingress, {"spec": {"rules": rules}})
            reader.wait("the healing", is_ready)
            self.assertEqual(self.status(client, project)["status"], "running")

    def test_a_service_that_leads_nowhere_is_told(self):
        with World() as world:
            client = world.sign_in()
            project, name = self.ready(world, client, "astray")
            reader = self.listen(client)
            service = path_of("services", f"{name}-service")
            selector = world.kube("GET", service, want=200)["spec"]["selector"]
            world.patch(service, {"spec": {"selector": {"app": "nobody"}}})
            event = reader.wait("the drift", is_drift)
            self.assertIn("no pod", event["message"])
            world.patch(service, {"spec": {"selector": selector}})
            reader.wait("the healing", is_ready)
            self.assertEqual(self.status(client, project)["status"], "running")


class TwoReplicas(DriftCase):
    has_redis = True

    def test_of_two_that_see_it_one_tells_it_and_repairs_it(self):
        with World(has_redis=self.has_redis) as world:
            b = world.serve()
            on_a, on_b = world.sign_in(), world.sign_in(port=b.port)
            projects = [self.ready(world, on_a if i % 2 else on_b, f"shop {i}") for i in range(4)]
            readers = [self.listen(on_a), self.listen(on_b)]
            for _, name in projects:
                self.delete(world, "services", f"{name}-service")
            for project, _ in projects:
                for reader in readers:
                    reader.wait("the repair", lambda n, d, p=project: is_ready(n, d) and d["projectId"] == p)
            count = world.sql("SELECT kind, code, count(*) FROM journal WHERE kind = 'status' AND code = 'DRIFT' GROUP BY 1, 2")
            self.assertEqual(count, [["status", "DRIFT", "4"]])
            self.assertEqual(world.sql("SELECT sum(drift_n), count(*) FROM sandboxes WHERE status = 'RUNNING'"), [["4", "4"]])
            self.assertEqual(self.told(readers[0]), self.told(readers[1]))
            self.assert_complete(world, 4)

    def test_what_one_repaired_the_other_does_not_take_for_broken(self):
        with World(has_redis=self.has_redis) as world:
            b = world.serve()
            client = world.sign_in()
            project, name = self.ready(world, client, "seen")
            reader = self.listen(world.sign_in(port=b.port))
            self.delete(world, "deployments", name)
            reader.wait("the repair", is_ready)
            world.kill_server(world.servers[0])
            world.sql("UPDATE sandboxes SET drift_n = 0")
            again = self.listen(world.sign_in(port=b.port))
            self.delete(world, "services", f"{name}-service")
            again.wait("the repair by the other", is_ready)
            self.assertEqual([n for n, _ in self.told(again)].count("status"), 1)
            self.assert_rows(world, project, "status, is_settled::text", ["RUNNING", "true"])


class TwoReplicasWithoutRedis(TwoReplicas):
    has_redis = False


class Blind(DriftCase):
    def test_watches_that_break_or_expire_and_an_api_that_is_away_are_no_drift(self):
        with World(cluster_args=("--zero-delay", "--watch-window", "64")) as world:
            client = world.sign_in()
            project, name = self.ready(world, client, "still")
            reader = self.listen(client)
            for fault in ({"dropWatches": True}, {"status": 410, "times": 6, "verb": "watch"},
                          {"status": 503, "times": 12, "verb": "list"}, {"compact": True}, {"dropWatches": True}):
                world.fault(**fault)
            world.freeze()
            reachable = 'fullstackd_kube_reachable{cluster="default"}'
            wait_for("the API to be away", lambda: self.metric(world, reachable) == 0)
            self.assertEqual(self.status(client, project)["status"], "running")
            world.thaw()
            wait_for("the API", lambda: self.metric(world, reachable) == 1)
            self.delete(world, "services", f"{name}-service")
            reader.wait("the repair", is_ready)
            self.assertEqual([n for n, _ in self.told(reader)].count("status"), 1, self.told(reader))


if __name__ == "__main__":
    main()
