#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""From the wish to a running sandbox: the story on the stream, the status document, the environment, resuming a stream.
Runs inside with_services.py."""
import http.client
import json
import subprocess
import threading

from world import STAGES, Client, Reader, StackCase, World, brief, is_done, main, path_of


class Creation(StackCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(cluster_args=("--delays", "schedule=20,pull_first=50,pull_again=20,start=20,ready=60,stop=20,"
                                                    "database=150")).__enter__()
        cls.addClassCleanup(cls.world.__exit__, None, None, None)
        cls.client = cls.world.sign_in()
        cls.quiet = cls.open_quiet_stream()

    @classmethod
    def open_quiet_stream(cls):
        """Nothing happens to its owner: all it can tell after its snapshot is that it lives."""
        connection = http.client.HTTPConnection("127.0.0.1", cls.world.port, timeout=40)
        connection.request("GET", "/api/events", headers=cls.world.sign_in("quiet").headers())
        cls.addClassCleanup(connection.close)
        return connection.getresponse()

    def status(self, project):
        return self.client.json("GET", f"/api/sandbox/{project['id']}", status=200)

    def ready(self, name, env=None):
        project, answer = self.client.create(name, env)
        self.assert_story(self.client.follow(project["id"]))
        return project, answer

    # ---- the story ----

    def test_five_stages_begin_and_complete_and_done_ready_is_last(self):
        project, _ = self.client.create("five stages")
        events = self.client.follow(project["id"])
        self.assert_story(events)
        self.assertEqual(events[0][1:2] + (events[0][2]["status"],), ("status", "creating"))
        for stage in STAGES:
            words = [d["status"] for _, n, d in events if n == "stage" and d["stage"] == stage]
            self.assertEqual(words[-1], "completed", stage)
            if stage in ("database", "container", "terminal"):
                self.assertIn("in_progress", words[:-1], f"{stage} took time and did not tell: {brief(events)}")
        completed = [d for _, n, d in events if n == "stage" and d["status"] == "completed"]
        self.assertEqual(completed[-1]["stage"], "ready")
        for data in completed:
            self.assertGreaterEqual(data["durationMs"], 0)
            self.assertTrue(data["message"])
        self.assertEqual(events[-1][2]["status"], "running")
        self.assertGreater(events[-1][2]["durationMs"], 0)

    def test_the_status_document_is_the_original_s_and_more(self):
        project = self.client.json("POST", "/api/projects", {"name": "status"}, 200)
        self.assertEqual(self.status(project), {"status": "not_created", "message": "Sandbox not created yet"})
        made = self.client.json("POST", f"/api/sandbox/{project['id']}", {}, 202)
        self.assertEqual((made["status"], made["message"]), ("created", "Sandbox is being created"))
        self.assertEqual(made["sandbox"]["status"], "CREATING")
        early = self.status(project)
        self.assertEqual((early["status"], early["sandbox"]["status"]), ("creating", "CREATING"))
        self.assert_story(self.client.follow(project["id"]))
        late = self.status(project)
        self.assertEqual((late["status"], late["sandbox"]["status"]), ("running", "RUNNING"))
        self.assertEqual(set(late["sandbox"]), {"id", "publicUrl", "ttydUrl", "status"})
        self.assertIsNone(late["failure"])
        for key in ("id", "publicUrl", "ttydUrl"):
            self.assertEqual(made["sandbox"][key], late["sandbox"][key], "drawn before the first object exists")
        for key in ("publicUrl", "ttydUrl"):
            self.assertRegex(late["sandbox"][key], r"^http://[a-z]{12}\.localhost$")
        self.assertEqual([s["id"] for s in late["stages"]], STAGES)
        for stage in late["stages"]:
            self.assertEqual(stage["status"], "completed")
            self.assertRegex(stage["endedAt"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        listed = next(p for p in self.client.json("GET", "/api/projects") if p["id"] == project["id"])
        self.assertEqual((listed["status"], listed["sandbox"]["status"]), ("DEPLOYED", "running"))
        self.assertIsNone(listed["databaseUrl"])

    def test_asking_twice_is_one_attempt_and_asking_a_running_one_starts_nothing(self):
        project, first = self.client.create("twice")
        second = self.client.json("POST", f"/api/sandbox/{project['id']}", {}, 202)
        self.assertEqual(second["sandbox"]["id"], first["sandbox"]["id"])
        self.assertEqual((first["attempt"], second["attempt"]), (1, 1))
        events = self.client.follow(project["id"])
        self.assert_story(events)
        again = self.client.json("POST", f"/api/sandbox/{project['id']}", {}, 200)
        self.assertEqual((again["status"], again["message"]), ("already_running", "Sandbox is already running"))
        self.assertEqual(again["sandbox"]["id"], first["sandbox"]["id"])
        self.assertEqual(self.world.journal(project["id"]), [i for i, _, _ in events], "the second wish wrote events")

    def test_sixteen_askers_at_once_make_one_sandbox(self):
        project = self.client.json("POST", "/api/projects", {"name": "rush"}, 200)
        answers = []
        askers = [threading.Thread(target=lambda: answers.append(
            self.client.request("POST", f"/api/sandbox/{project['id']}", {}))) for _ in range(16)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        self.assertLessEqual({status for status, _, _ in answers}, {200, 202})
        self.assertEqual(len({json.loads(body)["sandbox"]["id"] for _, _, body in answers}), 1)
        self.assert_story(self.client.follow(project["id"]))
        self.assertEqual(len([n for n in self.world.names("deployments") if n.startswith("rush-")]), 1)

    # ---- the environment ----

    def test_the_container_gets_a_database_that_answers_and_the_request_s_variables(self):
        project, _ = self.ready("environment", {"GREETING": "h\u00e4ll\u00f6 \"w\"\n$x", "NODE_ENV": "production",
                                                "DATABASE_URL": "postgresql://nowhere", "EMPTY": ""})
        env = self.world.env_of(self.world.sandbox_row(project["id"])[0])
        self.assertEqual(env["GREETING"], "h\u00e4ll\u00f6 \"w\"\n$x")
        self.assertEqual(env["EMPTY"], "")
        self.assertEqual(env["NODE_ENV"], "development")
        self.assertEqual((env["TTYD_PORT"], env["TTYD_INTERFACE"]), ("7681", "0.0.0.0"))
        url, _, rest = env["DATABASE_URL"].partition("?")
        self.assertEqual(rest, "schema=public")
        done = subprocess.run(["psql", "-X", "-A", "-t", url, "-c", "select 1"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout.strip()), (0, "1"), done.stderr)
        manifest = json.dumps(self.world.kube("GET", path_of("deployments", self.world.sandbox_row(project["id"])[0])))
        self.assertNotIn("$x", manifest, "a variable's value stands in the Deployment")

    # ---- the stream ----

    def test_a_finished_creation_is_replayed_whole_and_from_any_point(self):
        project, _ = self.ready("replay")
        path = f"/api/sandbox/{project['id']}/events"
        events = list(self.client.events(path))
        self.assert_story(events)
        for k in range(len(events)):
            after = events[k][0]
            rest = list(self.client.events(path, last_id=after))
            self.assertEqual(rest, events[k + 1:], f"resumed after {after}")
        self.assertEqual(list(self.client.events(f"{path}?after={events[2][0]}")), events[3:])
        status, _, body = self.client.request("GET", path, headers={"Last-Event-ID": str(events[-1][0])})
        self.assertEqual((status, body), (204, b""))

    def test_a_reader_that_breaks_off_and_comes_back_loses_and_doubles_nothing(self):
        project, _ = self.client.create("broken reader")
        path = f"/api/sandbox/{project['id']}/events"
        got = []
        while not got or got[-1][1] != "done":
            stream = self.client.events(path, last_id=got[-1][0] if got else None)
            got.append(next(stream))
            stream.close()
        self.assert_story(got)
        self.assertEqual(got, list(self.client.events(path)))

    def test_two_readers_and_the_owner_s_stream_tell_the_same(self):
        mine = self.world.sign_in("twin")
        owner = Reader(mine, "/api/events")
        reset = owner.wait("the snapshot", lambda name, _: name == "reset")
        self.assertEqual(reset["projects"], [])
        project, _ = mine.create("two readers")
        readers = [Reader(mine, f"/api/sandbox/{project['id']}/events") for _ in range(2)]
        stories = [reader.end() for reader in readers]
        self.assert_story(stories[0])
        self.assertEqual(stories[0], stories[1])
        owner.wait("the end", is_done)
        self.assertEqual(owner.events[1:], stories[0])
        late = Reader(mine, "/api/events")
        reset = late.wait("the snapshot", lambda name, _: name == "reset")
        self.assertEqual(reset["seq"], stories[0][-1][0])
        self.assertEqual([p["sandbox"]["status"] for p in reset["projects"]], ["running"])
        resumed = Reader(mine, "/api/events", last_id=stories[0][2][0])
        resumed.wait("the end", is_done)
        self.assertEqual(resumed.events, stories[0][3:])

    def test_quiet_streams_are_kept_alive_by_comments(self):
        answer = self.quiet
        self.assertEqual((answer.status, answer.headers["Content-Type"].partition(";")[0]), (200, "text/event-stream"))
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        is_snapshot_over = False
        for line in answer:
            is_snapshot_over = is_snapshot_over or line.startswith(b"event: reset")
            if line.startswith(b":") and is_snapshot_over:
                return
        self.fail("the stream ended without a heartbeat")

    def test_nobody_reads_another_s_story(self):
        project, _ = self.ready("private")
        other = self.world.sign_in("eve")
        for method, path in (("GET", ""), ("POST", ""), ("DELETE", ""), ("GET", "/events")):
            self.assert_problem(other.request(method, f"/api/sandbox/{project['id']}{path}"), 404, word="Project not found")
        reader = Reader(other, "/api/events")
        self.assertEqual(reader.wait("the snapshot", lambda name, _: name == "reset")["projects"], [])
        self.assert_problem(Client(self.world.port, "").request("GET", f"/api/sandbox/{project['id']}"), 401,
                            word="Unauthorized")


if __name__ == "__main__":
    main()
