#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two servers on one PostgreSQL: what one does the other tells, and takes over when it dies; with Redis and without.
Runs inside with_services.py."""
import signal

from world import Reader, StackCase, World, is_done, is_stage, main, wait_for

DELAYS = ("--delays", "schedule=20,pull_first=100,pull_again=100,start=50,ready=300,stop=20,database=300,retry=200")


class Replicas(StackCase):
    has_redis = True

    def setUp(self):
        self.world = World(cluster_args=DELAYS, has_redis=self.has_redis, env={"FULLSTACKD_FLOW_CALL_DEADLINE": "1s"})
        self.world.__enter__()
        try:
            self.b = self.world.serve()
            self.on_a = self.world.sign_in()
            self.on_b = self.world.sign_in(port=self.b.port)
        except BaseException:
            self.world.__exit__(AssertionError)
            raise

    def tearDown(self):
        self.world.__exit__(None, None, None)

    def test_a_story_of_one_is_told_whole_by_the_other(self):
        owner = Reader(self.on_b, "/api/events")
        owner.wait("the snapshot", lambda name, _: name == "reset")
        project = self.on_a.create("told by b")[0]["id"]
        story_b = Reader(self.on_b, f"/api/sandbox/{project}/events").end()
        story_a = list(self.on_a.events(f"/api/sandbox/{project}/events"))
        self.assert_story(story_b)
        self.assertEqual(story_a, story_b)
        owner.wait("the end", is_done)
        self.assertEqual(owner.events[1:], story_b)
        for client in (self.on_a, self.on_b):
            self.assertEqual(client.json("GET", f"/api/sandbox/{project}")["status"], "running")
        self.assert_complete(self.world)

    def test_a_cancel_at_the_other_reaches_the_one_that_leads(self):
        project = self.on_a.create("cancel by b")[0]["id"]
        reader = Reader(self.on_a, f"/api/sandbox/{project}/events")
        reader.wait("the database", is_stage("database", "in_progress"))
        self.on_b.json("DELETE", f"/api/sandbox/{project}", status=202)
        self.assert_story(reader.end(), "cancelled")
        again = self.on_b.json("POST", f"/api/sandbox/{project}", {}, 202)
        self.assertEqual(again["attempt"], 2)
        self.assert_story(list(self.on_a.events(f"/api/sandbox/{project}/events")))
        self.assert_complete(self.world)

    def test_one_dies_the_other_takes_over_and_tells_every_number_once(self):
        project = self.on_a.create("orphan")[0]["id"]
        reader = Reader(self.on_b, f"/api/sandbox/{project}/events")
        owner = Reader(self.on_b, "/api/events")
        reader.wait("the container", is_stage("container", "in_progress"))
        self.world.kill_server(self.world.servers[0])
        # Its lease is not ended by hand: b has to find out by itself.
        events = reader.end()
        self.assert_story(events)
        self.assertEqual([i for i, _, _ in events], self.world.journal(project))
        owner.wait("the end", is_done)
        self.assert_complete(self.world)
        self.on_b.json("DELETE", f"/api/projects/{project}", status=202)
        wait_for("an empty cluster", lambda: not self.world.made())

    def test_one_drains_and_the_other_goes_on_at_once(self):
        project = self.on_a.create("handed over")[0]["id"]
        reader = Reader(self.on_b, f"/api/sandbox/{project}/events")
        reader.wait("the container", is_stage("container", "in_progress"))
        a = self.world.servers.pop(0)
        self.assertEqual(a.stop(signal.SIGTERM), 0)
        self.assert_story(reader.end())
        self.assert_complete(self.world)

    def test_a_replica_that_slept_over_its_lease_writes_nothing_more(self):
        project = self.on_a.create("sleeper")[0]["id"]
        reader = Reader(self.on_b, f"/api/sandbox/{project}/events")
        reader.wait("the container", is_stage("container", "in_progress"))
        a = self.world.servers[0]
        a.popen.send_signal(signal.SIGSTOP)
        try:
            self.assert_story(reader.end())
        finally:
            a.popen.send_signal(signal.SIGCONT)
        wait_for("a's answer", lambda: self.on_a.json("GET", f"/api/sandbox/{project}")["status"] == "running")
        self.assert_gapless(self.world.journal(project))
        self.assertEqual(self.world.sql("SELECT count(*) FROM journal WHERE kind = 'done'"), [["1"]])
        self.assert_complete(self.world)


class WithoutRedis(Replicas):
    """The same by PostgreSQL's notifications."""

    has_redis = False


if __name__ == "__main__":
    main()
