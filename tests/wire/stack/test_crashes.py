#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kill -9 at every row of the journal, while creating and while undoing: whoever starts next leads it to its end, every
number is given once, nothing is made twice, nothing is left behind. Runs inside with_services.py."""
from world import Reader, StackCase, World, main, path_of, wait_for

# Slow enough that a creation has many rows, none of which comes with all others at once.
DELAYS = ("--delays", "schedule=20,pull_first=30,pull_again=30,start=20,ready=30,stop=20,database=60,retry=200")
SLOW = ("--delays", "schedule=200,pull_first=300,pull_again=300,start=300,ready=400,stop=100,database=1500,retry=200")
# An undo that takes over from a dead process waits until that one's calls cannot land any more.
SOON = {"FULLSTACKD_FLOW_CALL_DEADLINE": "1s"}


class Crash(StackCase):
    def kill_and_restart(self, world):
        port = world.crash()
        world.serve(port)

    def test_at_every_row_of_a_creation(self):
        """One project: each time a new row is seen the server is killed, until the story is over."""
        with World(cluster_args=SLOW, env=SOON) as world:
            client = world.sign_in()
            for verb in ("create", "get", "patch"):
                world.fault(verb=verb, delayMs=150, times=100000)
            project, _ = client.create("crash")
            project = project["id"]
            path = f"/api/sandbox/{project}/events"
            kills = 0
            known = set()  # a stage's word may come again after a restart, which is then no reason to kill again

            def is_new(name, data):
                return (name, data.get("stage"), data["status"], data["message"]) not in known

            got = []
            while True:
                reader = Reader(client, path, got[-1][0] if got else None)
                reader.wait("a new row", is_new)
                self.kill_and_restart(world)
                kills += 1
                reader.join()
                got += reader.events
                if got[-1][1] == "done":
                    break
                known |= {(name, data.get("stage"), data["status"], data["message"]) for _, name, data in reader.events}
            # How many rows go by before the kill arrives is the machine's; that none is missed is shown in tests/chaos.
            self.assertGreater(kills, 3, "it was over before it could be killed")
            self.assert_story(got)
            self.assertEqual(got, client.follow(project), "what readers saw in pieces is not the whole")
            self.assert_gapless(world.journal(project))
            self.assertEqual(client.json("GET", f"/api/sandbox/{project}")["status"], "running")
            self.assert_complete(world)
            requests = world.cluster_requests()
            self.assertEqual(world.sandbox_row(project)[2], 1)
            self.assertLessEqual(requests["create clusters"], kills + 1)
            self.undo_through_crashes(world, client, project)

    def undo_through_crashes(self, world, client, project):
        """Then its project is deleted, and the server killed after the wish and at each row that follows."""
        last = world.journal(project)[-1]
        client.json("DELETE", f"/api/projects/{project}", status=202)
        self.kill_and_restart(world)
        self.kill_and_restart(world)
        wait_for("no project", lambda: world.rows()["projects"] == 0)
        self.kill_and_restart(world)
        wait_for("an empty cluster", lambda: not world.made())
        self.assert_gapless(world.journal(project))
        rest = [e for e in world.sql("SELECT kind, outcome FROM journal WHERE seq > %d ORDER BY seq" % last)]
        self.assertEqual(rest, [["status", ""], ["done", "deleted"]])

    def test_at_a_different_row_of_each_creation(self):
        """One kill per creation: many at once, so that each stands elsewhere when the server dies."""
        with World(cluster_args=DELAYS, env=SOON) as world:
            clients = [world.sign_in(f"user{i}") for i in range(8)]
            projects = []
            for client in clients[:4]:
                projects.append(client.create("first")[0]["id"])
            wait_for("a row", lambda: world.rows()["journal"] > 12)
            port = world.crash()
            world.serve(port)
            for client in clients[4:]:
                projects.append(client.create("second")[0]["id"])
            port = world.crash()
            world.serve(port)
            for client, project in zip(clients, projects):
                self.assert_story(client.follow(project))
                self.assert_gapless(world.journal(project))
            self.assert_complete(world, 8)
            for client, project in zip(clients[:4], projects[:4]):
                client.json("DELETE", f"/api/sandbox/{project}", status=202)
            for client, project in zip(clients[4:], projects[4:]):
                client.json("DELETE", f"/api/projects/{project}", status=202)
            port = world.crash()
            world.serve(port)
            wait_for("undone", lambda: world.sql("SELECT count(*) FROM sandboxes WHERE NOT is_settled") == [["0"]])
            wait_for("only four databases", lambda: {k: n for k, n in world.count_made().items() if k != "secrets"} == {
                "serviceaccounts": 4, "roles": 4, "rolebindings": 4, "clusters": 4})
            self.assertEqual(world.rows()["projects"], 4)
            for project in projects:
                self.assert_gapless(world.journal(project))

    def test_a_cancel_survives_a_kill_in_the_middle(self):
        delays = ("--delays", "database=600000,stop=300")
        with World(cluster_args=delays, env=SOON) as world:
            client = world.sign_in()
            project = client.create("cancel")[0]["id"]
            wait_for("the sandbox's pod", lambda: world.names("pods"))
            client.json("DELETE", f"/api/sandbox/{project}", status=202)
            port = world.crash()
            world.serve(port)
            events = client.follow(project)
            self.assert_story(events, "cancelled")
            database = world.sandbox_row(project)[1]
            world.wait_only("only the database", lambda kind, name: name.startswith(database))
            self.assert_gapless(world.journal(project))

    def test_the_cluster_dies_with_the_server_and_both_come_back(self):
        """Nothing is in the cluster any more after a creation was half done: everything is made again."""
        with World(cluster_args=DELAYS, env=SOON) as world:
            client = world.sign_in()
            project = client.create("both")[0]["id"]
            wait_for("objects", lambda: world.names("deployments"))
            port = world.crash()
            for kind in ("deployments", "services", "ingresses"):
                for name in world.names(kind):
                    world.kube("DELETE", path_of(kind, name))
            world.serve(port)
            self.assert_story(client.follow(project))
            self.assert_complete(world)


if __name__ == "__main__":
    main()
