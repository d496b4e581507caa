#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""More creations are asked for than may be under way: the others wait, are told where they stand, take turns between users
and all come to their end, whoever dies meanwhile. And what a user may not have. Runs inside with_services.py."""
import concurrent.futures
import json
import signal

from world import Reader, StackCase, World, brief, is_stage, main, wait_for

DELAYS = ("--delays", "schedule=20,pull_first=50,pull_again=50,start=20,ready=100,stop=20,database=200,retry=200")
BUSY = """SELECT count(*) FROM sandboxes s WHERE NOT is_settled AND desired = 'running' AND NOT fs_waits(s)"""


def limits(creations, **more):
    env = {"FULLSTACKD_FLOW_CREATIONS": str(creations)}
    env.update({"FULLSTACKD_" + key.upper(): str(value) for key, value in more.items()})
    return env


def is_queued(name, _):
    return name == "queued"


def is_begun(name, data):
    return name == "stage" and data["status"] == "in_progress"


class Admission(StackCase):
    def hold(self, client):
        """A creation that stays under way until it is cancelled: its database never comes up."""
        project = client.create("kbnever-holds")[0]["id"]
        reader = Reader(client, f"/api/sandbox/{project}/events")
        reader.wait("its beginning", is_begun)
        return project, reader

    def assert_end(self, events, outcome="ready"):
        """Other projects of the owner have numbers in between."""
        ids = [i for i, _, _ in events]
        self.assertEqual(ids, sorted(set(ids)), brief(events))
        self.assertEqual([d["outcome"] for _, n, d in events if n == "done"], [outcome], brief(events))
        self.assertEqual(events[-1][1], "done")

    def test_one_waits_is_told_where_and_begins_when_the_slot_is_free(self):
        with World(cluster_args=DELAYS, env=limits(1)) as world:
            client = world.sign_in()
            first, _ = self.hold(client)
            second = client.create("waits")[0]["id"]
            reader = Reader(client, f"/api/sandbox/{second}/events")
            queued = reader.wait("its place", is_queued)
            self.assertEqual((queued["position"], queued["status"], queued["attempt"]), (1, "creating", 1))
            self.assertIn("position 1", queued["message"])
            self.assertIn("estimateMs", queued)
            document = client.json("GET", f"/api/sandbox/{second}")
            self.assertEqual(document["status"], "creating")
            self.assertEqual(document["queue"]["position"], 1)
            self.assertEqual({s["status"] for s in document["stages"]}, {"pending"})
            self.assertIsNone(client.json("GET", f"/api/sandbox/{first}")["queue"])
            listed = {p["id"]: p["sandbox"] for p in client.json("GET", "/api/projects")}
            self.assertEqual(listed[second]["queue"]["position"], 1)
            self.assertIsNone(listed[first]["queue"])
            self.assertIn("fullstackd_creations_waiting 1", client.request("GET", "/metrics")[2].decode())
            client.json("DELETE", f"/api/sandbox/{first}", status=202)
            events = reader.end()
            self.assert_end(events)
            self.assertEqual([n for _, n, _ in events][:3], ["status", "queued", "status"])
            self.assertEqual(events[2][2]["message"], "its turn has come")
            document = client.json("GET", f"/api/sandbox/{second}")
            self.assertEqual((document["status"], document["queue"]), ("running", None))
            # What it waited is no time of a stage.
            self.assertLess(max(s["durationMs"] for s in document["stages"]), 20000)

    def test_two_users_take_turns_on_two_replicas(self):
        with World(cluster_args=DELAYS, env=limits(1)) as world:
            b = world.serve()
            many, few = world.sign_in("many"), world.sign_in("few", b.port)
            hold, _ = self.hold(many)
            of_many = [many.create(f"many {i}")[0]["id"] for i in range(4)]
            of_few = [few.create(f"few {i}")[0]["id"] for i in range(2)]
            places = dict(world.sql("SELECT project_id, place FROM fs_queue(true)"))
            order = [of_many[0], of_few[0], of_many[1], of_few[1], of_many[2], of_many[3]]
            self.assertEqual([int(places[project]) for project in order], [1, 2, 3, 4, 5, 6])
            readers = {p: Reader(many if p in of_many else few, f"/api/sandbox/{p}/events") for p in order}
            many.json("DELETE", f"/api/sandbox/{hold}", status=202)
            for project in order:
                self.assert_end(readers[project].end())
            begun = world.sql("SELECT project_id FROM journal WHERE message = 'its turn has come' ORDER BY at, seq")
            self.assertEqual([row[0] for row in begun], order)
            self.assert_complete(world, sandboxes=6, databases=7)

    def test_never_more_than_the_slots_and_all_get_there(self):
        with World(cluster_args=("--zero-delay",), env=limits(3)) as world:
            client = world.sign_in()
            b = world.sign_in("b", world.serve().port)
            owners = [Reader(c, "/api/events") for c in (client, b)]
            for reader in owners:
                reader.wait("the snapshot", lambda name, _: name == "reset")
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                made = list(pool.map(lambda i: (client, b)[i % 2].create(f"p {i}")[0]["id"], range(24)))
            self.assertLessEqual(int(world.sql(BUSY)[0][0]), 3)
            for reader in owners:
                for project in made[owners.index(reader)::2]:
                    reader.wait(f"the end of {project}", lambda n, d, p=project: n == "done" and d["projectId"] == p)
            # By the journal: at no moment more than three had begun and not ended.
            rows = world.sql("SELECT kind, outcome, message FROM journal WHERE kind = 'done' OR message = 'its turn has come'")
            self.assertEqual([row[1] for row in rows if row[0] == "done"], ["ready"] * 24)
            for reader in owners:
                self.assert_gapless([i for i, n, _ in reader.events if n != "reset"])
            self.assert_complete(world, sandboxes=24)

    def test_cancelling_and_deleting_what_waits_is_done_at_once(self):
        with World(cluster_args=DELAYS, env=limits(1)) as world:
            client = world.sign_in()
            self.hold(client)
            cancelled, deleted, last = [client.create(n)[0]["id"] for n in ("cancelled", "deleted", "last")]
            reader = Reader(client, f"/api/sandbox/{last}/events")
            self.assertEqual(reader.wait("its place", is_queued)["position"], 3)
            client.json("DELETE", f"/api/sandbox/{cancelled}", status=202)
            self.assertEqual(client.json("GET", f"/api/sandbox/{cancelled}")["status"], "terminated")
            self.assert_end(client.follow(cancelled), "cancelled")
            client.json("DELETE", f"/api/projects/{deleted}", status=200)
            self.assertEqual(client.request("GET", f"/api/projects/{deleted}")[0], 404)
            moved = reader.wait("its new place", lambda n, d: n == "queued" and d["position"] == 1)
            self.assertEqual(moved["projectId"], last)
            self.assertEqual(sorted(kind for kind, _ in world.made() if kind in ("clusters", "deployments")),
                             ["clusters", "deployments"])
            # And again: it goes to the end of the queue.
            client.json("POST", f"/api/sandbox/{cancelled}", {}, 202)
            self.assertEqual(client.json("GET", f"/api/sandbox/{cancelled}")["queue"]["position"], 2)

    def test_places_survive_a_crash_and_a_drain_and_the_other_goes_on(self):
        with World(cluster_args=DELAYS, env=limits(1)) as world:
            b = world.serve()
            on_a, on_b = world.sign_in(), world.sign_in(port=b.port)
            hold, _ = self.hold(on_a)
            waiting = [on_a.create(f"waits {i}")[0]["id"] for i in range(3)]
            readers = [Reader(on_b, f"/api/sandbox/{p}/events") for p in waiting]
            for i, reader in enumerate(readers):
                self.assertEqual(reader.wait("its place", is_queued)["position"], i + 1)
            world.crash()
            self.assertEqual([r[0] for r in world.sql("SELECT project_id FROM fs_queue(true) ORDER BY place")], waiting)
            c = world.serve()
            on_c = world.sign_in(port=c.port)
            world.servers.remove(b)
            self.assertEqual(b.stop(signal.SIGTERM), 0)
            self.assertEqual([on_c.json("GET", f"/api/sandbox/{p}")["queue"]["position"] for p in waiting], [1, 2, 3])
            on_c.json("DELETE", f"/api/projects/{hold}", status=202)
            for project in waiting:
                self.assert_end(list(on_c.events(f"/api/sandbox/{project}/events")))
            wait_for("the end of what held the slot", lambda: on_c.request("GET", f"/api/projects/{hold}")[0] == 404)
            self.assert_complete(world, sandboxes=3)
            begun = world.sql("SELECT project_id FROM journal WHERE message = 'its turn has come' ORDER BY seq")
            self.assertEqual([row[0] for row in begun], waiting)

    def test_a_full_queue_is_a_429_that_says_so(self):
        with World(cluster_args=DELAYS, env=limits(1, flow_queue=1)) as world:
            client = world.sign_in()
            self.hold(client)
            client.create("waits")
            project = client.json("POST", "/api/projects", {"name": "too many"}, 200)["id"]
            answer = client.request("POST", f"/api/sandbox/{project}", {})
            problem = self.assert_problem(answer, 429, word="as many sandboxes are being created as may be")
            self.assertEqual((problem["code"], problem["limit"], problem["current"]), ("QueueFull", 1, 1))
            self.assertGreaterEqual(int(answer[1]["Retry-After"]), 1)
            self.assertEqual(client.json("GET", f"/api/sandbox/{project}")["status"], "not_created")

    def test_a_cluster_s_own_limit_lets_wait_as_well(self):
        with World(cluster_args=DELAYS, env={"FULLSTACKD_KUBE_CREATIONS": "1"}) as world:
            client = world.sign_in()
            hold, _ = self.hold(client)
            project = client.create("waits")[0]["id"]
            reader = Reader(client, f"/api/sandbox/{project}/events")
            self.assertEqual(reader.wait("its place", is_queued)["position"], 1)
            client.json("DELETE", f"/api/sandbox/{hold}", status=202)
            self.assert_end(reader.end())

    def test_a_retry_and_a_start_wait_their_turn(self):
        with World(cluster_args=DELAYS, env=limits(1)) as world:
            client = world.sign_in()
            project = client.create("once more")[0]["id"]
            self.assert_end(client.follow(project))
            client.json("POST", f"/api/projects/{project}/stop", {}, 202)
            wait_for("its stop", lambda: client.json("GET", f"/api/sandbox/{project}")["status"] == "stopped")
            hold, _ = self.hold(client)
            client.json("POST", f"/api/projects/{project}/start", {}, 202)
            self.assertEqual(client.json("GET", f"/api/sandbox/{project}")["queue"]["position"], 1)
            client.json("POST", f"/api/projects/{project}/stop", {}, 202)
            wait_for("its stop", lambda: client.json("GET", f"/api/sandbox/{project}")["status"] == "stopped")
            client.json("POST", f"/api/projects/{project}/start", {}, 202)
            client.json("DELETE", f"/api/sandbox/{hold}", status=202)
            wait_for("its end", lambda: client.json("GET", f"/api/sandbox/{project}")["status"] == "running")

    def test_a_user_s_limits_are_answers_with_their_numbers(self):
        with World(env={"FULLSTACKD_LIMITS_PROJECTS_PER_USER": "4", "FULLSTACKD_LIMITS_SANDBOXES_PER_USER": "2"}) as world:
            client = world.sign_in()
            with concurrent.futures.ThreadPoolExecutor(10) as pool:
                answers = list(pool.map(lambda i: client.request("POST", "/api/projects", {"name": f"p {i}"}), range(20)))
            made = [json.loads(body)["id"] for status, _, body in answers if status == 200]
            self.assertEqual(len(made), 4)
            for answer in answers:
                if answer[0] != 200:
                    problem = self.assert_problem(answer, 409, word="you have 4 projects")
                    self.assertEqual((problem["code"], problem["limit"], problem["current"]), ("TooManyProjects", 4, 4))
            with concurrent.futures.ThreadPoolExecutor(10) as pool:
                answers = list(pool.map(lambda p: client.request("POST", f"/api/sandbox/{p}", {}), made))
            self.assertEqual(sorted(status for status, _, _ in answers), [202, 202, 409, 409])
            for answer in answers:
                if answer[0] != 202:
                    problem = self.assert_problem(answer, 409, word="as many as you may")
                    self.assertEqual((problem["code"], problem["limit"], problem["current"]), ("TooManySandboxes", 2, 2))
            # Another user has his own, and what is deleted makes room.
            world.sign_in("other").create("mine")
            client.json("DELETE", f"/api/projects/{made[0]}")
            wait_for("its end", lambda: client.request("GET", f"/api/projects/{made[0]}")[0] == 404)
            client.json("POST", "/api/projects", {"name": "one more"}, 200)


if __name__ == "__main__":
    main()
