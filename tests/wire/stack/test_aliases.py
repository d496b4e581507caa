#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Routes that clients of the original and of its successor know by names of their own: they do what ours do and answer in the
shapes those clients read, in words that say no more than is so. Runs inside with_services.py."""
import json

from world import StackCase, World, main, wait_for


class Aliases(StackCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World().__enter__()
        cls.addClassCleanup(cls.world.__exit__, None, None, None)

    def setUp(self):
        self.client = self.world.sign_in(self._testMethodName)  # of each test its own, for a gapless story
        self.addCleanup(self.world.kube, "DELETE", "/devcluster/faults", None, 200)

    def ready(self, name):
        project = self.client.create(name)[0]["id"]
        self.assert_story(self.client.follow(project))
        return project

    def post(self, path, status, headers=None):
        got, _, body = self.client.request("POST", path, {}, headers)
        self.assertEqual(got, status, body)
        return json.loads(body)

    def sandbox(self, project, verb, status):
        """What a verb of the sandbox is answered: its words and the sandbox's state."""
        answer = self.post(f"/api/projects/{project}/sandbox/{verb}", status)
        self.assertEqual(answer["sandbox"]["id"], self.world.sql(f"SELECT id FROM sandboxes WHERE project_id = '{project}'")[0][0])
        self.assertEqual(answer["eventsUrl"], f"/api/sandbox/{project}/events")
        return answer["message"], answer["sandbox"]["status"]

    def status(self, project):
        """What the two routes for a status say is the same, of which this one is the shorter."""
        brief = self.client.json("GET", f"/api/projects/{project}/sandbox/status", status=200)
        whole = self.client.json("GET", f"/api/sandbox/{project}")
        self.assertEqual((brief["status"].lower(), brief.get("message")), (whole["status"], whole["message"]))
        return brief["status"]

    def wait(self, project, status):
        wait_for(status, lambda: self.world.sql(
            f"SELECT status, is_settled FROM sandboxes WHERE project_id = '{project}'") == [[status, "t"]])

    def gone(self, project):
        wait_for("its end", lambda: self.client.request("GET", f"/api/projects/{project}")[0] == 404)

    def test_a_sandbox_is_stopped_and_started(self):
        project = self.ready("to and fro")
        self.assertEqual(self.sandbox(project, "start", 200), ("Sandbox is running", "RUNNING"))
        self.assertEqual(self.status(project), "RUNNING")
        self.world.fault(verb="patch", resource="deployments", status=503, times=100000)
        stopping = ("Sandbox and database are being stopped, their data is kept", "STOPPING")
        self.assertEqual(self.sandbox(project, "stop", 202), stopping)
        self.assertEqual(self.sandbox(project, "stop", 202), stopping)
        self.assertEqual(self.status(project), "STOPPING")
        self.world.kube("DELETE", "/devcluster/faults", None, 200)
        self.wait(project, "STOPPED")
        self.assertEqual(self.sandbox(project, "stop", 200), ("Sandbox is stopped", "STOPPED"))
        self.world.fault(verb="patch", resource="deployments", status=503, times=100000)
        self.assertEqual(self.sandbox(project, "start", 202), ("Sandbox is being started", "STARTING"))
        self.assertEqual(self.status(project), "STARTING")
        self.world.kube("DELETE", "/devcluster/faults", None, 200)
        self.wait(project, "RUNNING")
        self.assertEqual(self.status(project), "RUNNING")

    def test_without_a_sandbox_there_is_nothing_to_tell(self):
        project = self.client.json("POST", "/api/projects", {"name": "bare"}, 200)["id"]
        for verb in ("start", "stop"):
            self.assert_problem(self.client.request("POST", f"/api/projects/{project}/sandbox/{verb}", {}), 400)
        problem = self.assert_problem(self.client.request("GET", f"/api/projects/{project}/sandbox/status"), 404)
        self.assertEqual(problem["error"], "No sandbox found")

    def test_a_stop_is_refused_where_the_project_refuses_it(self):
        self.world.fault(verb="create", resource="deployments", status=503, times=100000)
        project = self.client.create("half made")[0]["id"]
        refusals = [self.assert_problem(self.client.request("POST", f"/api/projects/{project}/{path}", {}), 400)["error"]
                    for path in ("stop", "sandbox/stop")]
        self.assertEqual(refusals, ["A project that is CREATING cannot stop", "A sandbox that is CREATING cannot stop"])

    def test_a_failure_is_told_in_words(self):
        self.world.fault(verb="create", resource="services", status=422, times=1)
        project = self.client.create("unlucky")[0]["id"]
        self.wait(project, "ERROR")
        self.assertEqual(self.status(project), "ERROR")
        self.assertIn("message", self.client.json("GET", f"/api/projects/{project}/sandbox/status"))

    def test_a_project_without_a_sandbox_is_deleted_at_once(self):
        project = self.client.json("POST", "/api/projects", {"name": "brief"}, 200)["id"]
        answer = self.post(f"/api/projects/{project}/delete", 200)
        self.assertEqual((answer["message"], answer["project"]["id"], answer["project"]["status"]),
                         ("Project has been deleted", project, "TERMINATED"))
        self.assertNotIn("eventsUrl", answer)
        self.assert_problem(self.client.request("POST", f"/api/projects/{project}/delete", {}), 404)

    def test_a_project_is_deleted_once_however_often_it_is_asked(self):
        project = self.ready("all of it")
        answers = [self.post(f"/api/projects/{project}/delete", 202, {"Idempotency-Key": "once"}) for _ in range(2)]
        self.assertEqual(answers[0], answers[1])
        self.assertEqual((answers[0]["message"], answers[0]["project"]["id"], answers[0]["project"]["status"]),
                         ("Project is being deleted", project, "TERMINATING"))
        self.gone(project)
        self.assertEqual(self.post(f"/api/projects/{project}/delete", 202, {"Idempotency-Key": "once"}), answers[0])
        self.assertEqual(self.world.sql(f"SELECT count(*) FROM journal WHERE project_id = '{project}' AND outcome = 'deleted'"), [["1"]])

    def test_its_database_is_kept_where_that_is_asked(self):
        project = self.ready("half of it")
        database = self.world.sql(f"SELECT name FROM databases WHERE project_id = '{project}'")[0][0]
        self.assert_problem(self.client.request("POST", f"/api/projects/{project}/delete?keepDatabase=perhaps", {}), 400,
                            "keepDatabase")
        answer = self.post(f"/api/projects/{project}/delete?keepDatabase=true", 202)
        self.assertEqual(answer["message"], "Project is being deleted, its database is kept")
        self.gone(project)
        self.assertIn(database, self.world.names("clusters"))


if __name__ == "__main__":
    main()
