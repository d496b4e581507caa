#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sandboxes that nobody uses, or that ran for as long as they may, are announced and stopped, once, by whichever server
is there. Time passes by moving what the tables say of it. Runs inside with_services.py."""
import datetime
import signal

from world import Reader, StackCase, World, is_done, main, wait_for

LIMITS = {
    "FULLSTACKD_LIMITS_IDLE_STOP": "2h",
    "FULLSTACKD_LIMITS_MAX_AGE": "8h",
    "FULLSTACKD_LIMITS_WARNING": "10m",
    "FULLSTACKD_LIMITS_INTERVAL": "100ms",
}


def is_code(code):
    return lambda name, data: name == "status" and data["code"] == code


def is_kept(name, data):
    return name == "status" and "does not stop" in (data["message"] or "")


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Idle(StackCase):
    def ready(self, client, name):
        project = client.create(name)[0]["id"]
        self.assert_story(client.follow(project))
        return project

    def let_pass(self, world, interval):
        """As if everything that is known of use and age had happened so much earlier."""
        world.sql(f"""BEGIN;
            UPDATE sandboxes SET updated_at = updated_at - interval '{interval}',
                attempt_started_at = attempt_started_at - interval '{interval}';
            UPDATE project_limits SET active_at = active_at - interval '{interval}', stops_at = stops_at - interval '{interval}';
            COMMIT""")

    def limits(self, client, project):
        return client.json("GET", f"/api/projects/{project}/limits")

    def codes(self, world, project):
        return [row[0] for row in world.sql("SELECT code FROM journal WHERE code IN ('IDLE_SOON','AGE_SOON','IDLE_STOP','AGE_STOP') "
                                            f"AND project_id = '{project}' ORDER BY seq")]

    def test_warned_kept_by_use_and_stopped_without(self):
        with World(env=LIMITS) as world:
            b = world.serve()
            client, on_b = world.sign_in(), world.sign_in(port=b.port)
            project = self.ready(client, "kiosk")
            name = world.sandbox_row(project)[0]
            reader = Reader(client, "/api/events")
            reader.wait("the snapshot", lambda n, _: n == "reset")
            self.let_pass(world, "111 minutes")
            warned = reader.wait("the warning", is_code("IDLE_SOON"))
            self.assertEqual(warned["status"], "running")
            self.assertEqual(moment(warned["stopsAt"]) - moment(warned["at"]), datetime.timedelta(minutes=10))
            self.assertIn("stops in 10 min", warned["message"])
            # What pages do by themselves does not keep it; they show it.
            for _ in range(3):
                status = client.json("GET", f"/api/sandbox/{project}")
                self.assertEqual((status["status"], status["code"]), ("running", "IDLE_SOON"))
            limits = self.limits(client, project)
            self.assertEqual((limits["stopsAt"], limits["stopsFor"]), (warned["stopsAt"], "idle"))
            on_b.request("POST", f"/api/projects/{project}/activity")
            reader.wait("the taking back", is_kept)
            self.assertIsNone(self.limits(client, project)["stopsAt"])
            status = client.json("GET", f"/api/sandbox/{project}")
            self.assertEqual((status["status"], status["code"], status["message"]), ("running", None, None))
            self.let_pass(world, "111 minutes")
            wait_for("another warning", lambda: len(self.codes(world, project)) == 2)
            self.let_pass(world, "10 minutes")
            stop = reader.wait("the stop", is_code("IDLE_STOP"))
            self.assertEqual((stop["status"], stop["message"]), ("stopping", "stop requested: not used for 2 h"))
            end = reader.wait("the end", lambda n, d: n == "done" and d["outcome"] == "stopped")
            self.assertEqual(end["status"], "stopped")
            self.assertEqual([n for n in world.names("pods") if n.startswith(name)], [])
            self.assertEqual(self.codes(world, project), ["IDLE_SOON", "IDLE_SOON", "IDLE_STOP"])
            self.assert_gapless(world.journal(project))
            # It begins anew.
            client.json("POST", f"/api/projects/{project}/start", status=202)
            reader.wait("the start", lambda n, d: n == "done" and d["outcome"] == "ready" and d["attempt"] == 2)
            self.let_pass(world, "100 minutes")
            self.assertEqual(self.limits(client, project)["stopsAt"], None)
            self.assertEqual(self.codes(world, project)[3:], [])

    def test_the_one_that_warned_dies_the_other_stops(self):
        with World(env=LIMITS) as world:
            b = world.serve()
            project = self.ready(world.sign_in(), "orphan")
            self.let_pass(world, "111 minutes")
            wait_for("the warning", lambda: self.codes(world, project) == ["IDLE_SOON"])
            world.crash()
            on_b = world.sign_in(port=b.port)
            reader = Reader(on_b, "/api/events")
            reader.wait("the snapshot", lambda n, _: n == "reset")
            self.let_pass(world, "10 minutes")
            reader.wait("the end", lambda n, d: n == "done" and d["outcome"] == "stopped")
            self.assertEqual(self.codes(world, project), ["IDLE_SOON", "IDLE_STOP"])

    def test_after_a_night_without_a_server_it_is_warned_first(self):
        with World(env=LIMITS) as world:
            client = world.sign_in()
            project = self.ready(client, "sleeper")
            self.assertEqual(world.servers.pop().stop(signal.SIGTERM), 0)
            self.let_pass(world, "3 days")
            client = world.sign_in(port=world.serve().port)
            reader = Reader(client, "/api/events")
            reader.wait("the snapshot", lambda n, _: n == "reset")
            wait_for("the warning", lambda: len(self.codes(world, project)) == 1)
            self.assertEqual(world.sql("SELECT status FROM sandboxes"), [["RUNNING"]])
            client.request("POST", f"/api/projects/{project}/activity")
            # Idleness is over, its age is not: three days are more than eight hours.
            wait_for("the use", lambda: world.sql("SELECT now() - active_at < interval '1 minute' FROM project_limits") == [["t"]])
            self.let_pass(world, "10 minutes")
            reader.wait("the stop", lambda n, d: n == "done" and d["outcome"] == "stopped")
            self.assertIn("AGE_STOP", self.codes(world, project))

    def test_many_at_once_are_stopped_each_once(self):
        with World(env=LIMITS) as world:
            world.serve()
            client = world.sign_in()
            projects = [self.ready(client, f"many {i}") for i in range(6)]
            reader = Reader(client, "/api/events")
            reader.wait("the snapshot", lambda n, _: n == "reset")
            self.let_pass(world, "111 minutes")
            wait_for("all warnings", lambda: all(self.codes(world, p) == ["IDLE_SOON"] for p in projects))
            self.let_pass(world, "10 minutes")
            wait_for("all stops", lambda: world.sql("SELECT count(*) FROM sandboxes WHERE status = 'STOPPED'") == [["6"]])
            for project in projects:
                self.assertEqual(self.codes(world, project), ["IDLE_SOON", "IDLE_STOP"])
            wait_for("all ends", lambda: sum(is_done(n, d) for _, n, d in list(reader.events)) == 6)
            self.assert_gapless([i for i, _, _ in reader.events[1:]])


class OfAProject(StackCase):
    """The server has no limits: a project may have its own."""

    @classmethod
    def setUpClass(cls):
        cls.world = World(env={"FULLSTACKD_LIMITS_INTERVAL": "100ms"})
        cls.world.__enter__()
        cls.client = cls.world.sign_in()

    @classmethod
    def tearDownClass(cls):
        cls.world.__exit__(None, None, None)

    def put(self, project, body, client=None):
        return (client or self.client).request("PUT", f"/api/projects/{project}/limits", body)

    def project(self, name):
        return self.client.json("POST", "/api/projects", {"name": name})["id"]

    def test_none_by_default(self):
        project = self.project("default")
        limits = self.client.json("GET", f"/api/projects/{project}/limits")
        self.assertEqual(limits["effective"], {"idleStopSeconds": 0, "maxAgeSeconds": 0, "warningSeconds": 600})
        self.assertEqual([limits[key] for key in ("idleStopSeconds", "maxAgeSeconds", "stopsAt", "stopsFor")], [None] * 4)

    def test_set_and_taken_back(self):
        project = self.project("own")
        status, _, body = self.put(project, {"idleStopSeconds": 3600})
        self.assertEqual(status, 200, body)
        limits = self.client.json("GET", f"/api/projects/{project}/limits")
        self.assertEqual((limits["idleStopSeconds"], limits["maxAgeSeconds"]), (3600, None))
        self.assertEqual(limits["effective"]["idleStopSeconds"], 3600)
        self.assertIsNotNone(limits["lastActiveAt"])
        self.assertEqual(self.put(project, {"idleStopSeconds": None, "maxAgeSeconds": 0})[0], 200)
        limits = self.client.json("GET", f"/api/projects/{project}/limits")
        self.assertEqual((limits["idleStopSeconds"], limits["maxAgeSeconds"]), (None, 0))

    def test_bad_values_are_named(self):
        project = self.project("bad")
        for value in (59, -1, 1.5, "2h", True, 10 ** 12, [], {}):
            for key in ("idleStopSeconds", "maxAgeSeconds"):
                self.assert_problem(self.put(project, {key: value}), 400, f"#/{key}")
        self.assert_problem(self.put(project, [1]), 400)

    def test_others_see_and_change_nothing(self):
        project = self.project("mine")
        bob = self.world.sign_in("bob")
        self.assertEqual(self.put(project, {"idleStopSeconds": 60}, bob)[0], 404)
        self.assertEqual(bob.request("GET", f"/api/projects/{project}/limits")[0], 404)
        self.assertEqual(bob.request("POST", f"/api/projects/{project}/activity")[0], 404)
        self.assertEqual(self.client.request("POST", f"/api/projects/{project}/activity")[0], 204)

    def test_what_others_ask_is_no_use_of_a_project(self):
        project = self.project("watched")
        self.put(project, {"idleStopSeconds": 3600})
        bob = self.world.sign_in("bob")
        marker = bob.json("POST", "/api/projects", {"name": "marker"})["id"]
        self.put(marker, {"idleStopSeconds": 3600}, bob)
        marked = bob.json("GET", f"/api/projects/{marker}/limits")["lastActiveAt"]
        asked = self.world.sql("SELECT fs_ms(clock_timestamp())")[0][0]  # the owner's own use was before
        bob.request("POST", f"/api/projects/{project}/activity")
        bob.request("POST", f"/api/projects/{marker}/activity")
        wait_for("what came after", lambda: bob.json("GET", f"/api/projects/{marker}/limits")["lastActiveAt"] != marked)
        self.assertEqual(self.world.sql(f"SELECT fs_ms(active_at) <= {asked} FROM project_limits WHERE project_id = '{project}'"), [["t"]])

    def test_every_change_is_use(self):
        project = self.project("changed")
        self.put(project, {"idleStopSeconds": 3600})
        for method, path, body in (("POST", f"/api/sandbox/{project}", {}),
                                   ("POST", f"/api/projects/{project}/environment", {"key": "A", "value": "b"}),
                                   ("POST", f"/api/projects/{project}/activity", None)):
            self.world.sql(f"UPDATE project_limits SET active_at = now() - interval '1 hour' WHERE project_id = '{project}'")
            self.client.request(method, path, body)
            wait_for("a note", lambda: self.is_used(project))

    def is_used(self, project):
        return self.world.sql("SELECT now() - active_at < interval '1 minute' FROM project_limits "
                              f"WHERE project_id = '{project}'") == [["t"]]

    def test_what_is_refused_is_no_use(self):
        projects = [self.project(name) for name in ("refused", "marker")]
        project, marker = projects
        for each in projects:
            self.put(each, {"idleStopSeconds": 3600})
            wait_for("that use", lambda each=each: self.is_used(each))
        # The interval of the first one ends first: what counts of it is written with the marker's next use or before.
        self.world.sql("UPDATE project_limits SET active_at = now() - interval '1 hour'")
        for method, path, body, status in (("POST", f"/api/sandbox/{project}", {"envVars": {"A B": "x"}}, 400),
                                           ("POST", f"/api/sandbox/{project}", {"nobodyKnows": 1}, 400),
                                           ("PUT", f"/api/projects/{project}/limits", {"idleStopSeconds": 1}, 400),
                                           ("POST", f"/api/projects/{project}/environment", [], 400),
                                           ("DELETE", f"/api/projects/{project}/environment/none", None, 404),
                                           ("POST", f"/api/projects/{project}/stop", {}, 400),
                                           ("POST", f"/api/projects/{project}/github", {"repoName": "ada/engine"}, 409)):
            self.assertEqual(self.client.request(method, path, body)[0], status, path)
        self.client.request("POST", f"/api/projects/{marker}/activity")
        wait_for("what came after", lambda: self.is_used(marker))
        self.assertFalse(self.is_used(project))


if __name__ == "__main__":
    main()
