#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turning round: cancelling in every stage, deleting a sandbox and keeping its database, deleting a project whole or
without its database. Runs inside with_services.py."""

from world import OF_DATABASE, Reader, StackCase, World, is_done, is_stage, main, path_of, wait_for

# For each stage the part of the cluster that is slow, so that the stage stands while it is cancelled.
SLOW = {
    "database": "database=600000",
    "container": "pull_first=600000,pull_again=600000",
    "networking": "start=600000",
    "terminal": "ready=600000",
}


class Cancel(StackCase):
    def cancelled(self, stage):
        """A creation that stands in `stage` is cancelled: nothing of the sandbox stays, the database does."""
        delays = f"schedule=0,pull_first=0,pull_again=0,start=0,ready=0,stop=0,database=0,retry=100,{SLOW[stage]}"
        with World(cluster_args=("--delays", delays)) as world:
            client = world.sign_in()
            project, answer = client.create(f"cancel {stage}")
            reader = Reader(client, f"/api/sandbox/{project['id']}/events")
            reader.wait(f"stage {stage}", is_stage(stage, "in_progress"))
            if stage == "database":
                # Its Cluster has to be there: a cancel before that leaves no database to keep.
                reader.wait("the Cluster", lambda name, data: name == "stage" and "KubeBlocks" in data["message"])
            else:
                reader.wait("the database", is_stage("database", "completed"))
            gone = client.json("DELETE", f"/api/sandbox/{project['id']}", status=202)
            self.assertEqual(gone["status"], "terminating")
            self.assertIn(client.json("DELETE", f"/api/sandbox/{project['id']}")["status"], ("terminating", "terminated"))
            events = reader.end()
            self.assert_story(events, "cancelled")
            self.assertEqual(events[-1][2]["code"], "CANCELLED")
            told = {d["stage"]: d["status"] for _, n, d in events if n == "stage"}
            self.assertEqual(told[stage], "skipped")
            self.assertNotIn("in_progress", told.values(), "a stage is left open")
            status = client.json("GET", f"/api/sandbox/{project['id']}")
            self.assertEqual((status["status"], status["sandbox"]["status"]), ("terminated", "TERMINATED"))
            database = world.sandbox_row(project["id"])[1]
            world.wait_only("nothing but the database", lambda kind, name: kind in OF_DATABASE and name.startswith(database))
            self.assertIn(database, world.names("clusters"))
            client.json("DELETE", f"/api/projects/{project['id']}", status=202)
            wait_for("nothing", lambda: not world.made())
            self.assertEqual(world.rows()["projects"], 0)

    def test_while_the_database_is_made(self):
        self.cancelled("database")

    def test_while_the_image_is_pulled(self):
        self.cancelled("container")

    def test_while_the_network_waits_for_the_container(self):
        self.cancelled("networking")

    def test_while_the_terminal_starts(self):
        self.cancelled("terminal")


class Delete(StackCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World().__enter__()
        cls.addClassCleanup(cls.world.__exit__, None, None, None)
        cls.client = cls.world.sign_in()

    def tearDown(self):
        for project in self.client.json("GET", "/api/projects"):
            self.client.json("DELETE", f"/api/projects/{project['id']}")
        wait_for("no project", lambda: not self.client.json("GET", "/api/projects"))

    def ready(self, name):
        project, answer = self.client.create(name)
        self.assert_story(self.client.follow(project["id"]))
        return project["id"], answer["sandbox"]

    def delete_sandbox(self, project):
        reader = Reader(self.client, "/api/events")
        reader.wait("the snapshot", lambda name, _: name == "reset")
        answer = self.client.json("DELETE", f"/api/sandbox/{project}", status=202)
        done = reader.wait("the end", is_done)
        return answer, done

    def test_a_sandbox_goes_its_database_stays_and_is_used_again(self):
        w = self.world
        project, first = self.ready("again")
        name, database, _ = w.sandbox_row(project)
        url = w.env_of(name)["DATABASE_URL"]
        uid = w.objects()["clusters", database]
        _, done = self.delete_sandbox(project)
        self.assertEqual((done["outcome"], done["status"], done["code"]), ("terminated", "terminated", None))
        w.wait_only("nothing but the database", lambda kind, name: kind in OF_DATABASE and name.startswith(database))
        answer = self.client.json("DELETE", f"/api/sandbox/{project}", status=200)
        self.assertEqual((answer["status"], answer["message"]), ("terminated", "Sandbox has been terminated"))
        before = len(w.journal(project))
        again = self.client.json("POST", f"/api/sandbox/{project}", {}, 202)
        self.assertEqual(again["attempt"], 2)
        self.assert_story(self.client.follow(project))
        second, same_database, _ = w.sandbox_row(project)
        self.assertNotEqual(second, name)
        self.assertNotEqual(again["sandbox"]["publicUrl"], first["publicUrl"])
        self.assertEqual(same_database, database)
        self.assertEqual(w.objects()["clusters", database], uid, "the database was made anew")
        self.assertEqual(w.env_of(second)["DATABASE_URL"], url)
        self.assertGreater(len(w.journal(project)), before)
        self.assert_complete(w)

    def test_a_project_goes_with_everything(self):
        project, _ = self.ready("whole")
        reader = Reader(self.client, "/api/events")
        reader.wait("the snapshot", lambda name, _: name == "reset")
        answer = self.client.json("DELETE", f"/api/projects/{project}", status=202)
        self.assertEqual(answer["status"], "terminating")
        done = reader.wait("the end", is_done)
        self.assertEqual(done["outcome"], "deleted")
        wait_for("an empty cluster", lambda: not self.world.made())
        rows = self.world.rows()
        self.assertEqual((rows["projects"], rows["sandboxes"], rows["databases"]), (0, 0, 0))
        self.assert_problem(self.client.request("GET", f"/api/projects/{project}"), 404, word="Project not found")
        self.assert_problem(self.client.request("GET", f"/api/sandbox/{project}"), 404)
        self.assert_problem(self.client.request("GET", f"/api/sandbox/{project}/events"), 404)

    def test_a_project_may_leave_its_database(self):
        w = self.world
        project, _ = self.ready("detach")
        database = w.sandbox_row(project)[1]
        self.client.json("DELETE", f"/api/projects/{project}?keepDatabase=true", status=202)
        wait_for("no project", lambda: w.rows()["projects"] == 0)
        w.wait_only("nothing but the database", lambda kind, name: kind in OF_DATABASE and name.startswith(database))
        self.assertIn(database, w.names("clusters"))
        for kind in ("clusters", "rolebindings", "roles", "serviceaccounts"):
            for name in w.names(kind):
                if name.startswith(database):
                    w.kube("DELETE", path_of(kind, name))
        wait_for("an empty cluster", lambda: not w.made())

    def test_a_project_without_sandbox_goes_at_once(self):
        project = self.client.json("POST", "/api/projects", {"name": "bare"}, 200)["id"]
        answer = self.client.json("DELETE", f"/api/sandbox/{project}", status=200)
        self.assertEqual((answer["status"], answer["message"]), ("not_found", "No sandbox to delete"))
        self.assertEqual(self.client.json("DELETE", f"/api/projects/{project}", status=200)["status"], "deleted")
        self.assertEqual(self.world.rows()["projects"], 0)

    def test_a_running_creation_is_deleted_with_its_project(self):
        project, _ = self.client.create("both at once")
        self.client.json("DELETE", f"/api/projects/{project['id']}", status=202)
        wait_for("no project", lambda: self.world.rows()["projects"] == 0)
        wait_for("an empty cluster", lambda: not self.world.made())

    def test_cancel_create_cancel_create_ends_as_last_wished(self):
        project = self.client.json("POST", "/api/projects", {"name": "dither"}, 200)["id"]
        path = f"/api/sandbox/{project}"
        for _ in range(4):
            wait_for("a creation", lambda: self.client.request("POST", path, {})[0] == 202)
            self.assertIn(self.client.request("DELETE", path)[0], (200, 202))
        wait_for("a creation", lambda: self.client.request("POST", path, {})[0] == 202)
        wait_for("running", lambda: self.client.json("GET", path)["status"] == "running")
        self.assert_complete(self.world)
        self.assert_gapless(self.world.journal(project))


if __name__ == "__main__":
    main()
