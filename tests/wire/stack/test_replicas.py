#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two servers on one PostgreSQL: what one does the other tells, and takes over when it dies; with Redis and without.
Runs inside with_services.py."""
import os
import signal
import subprocess

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


# Every change of a leader, by PostgreSQL's own clock.
WATCH = """
CREATE TABLE handovers (at timestamptz, former text, former_until timestamptz, leader text);
CREATE FUNCTION note_handover() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO handovers SELECT clock_timestamp(), OLD.lease_owner,
        (SELECT lease_until FROM replicas WHERE id = OLD.lease_owner), NEW.lease_owner;
    RETURN NULL;
END $$;
CREATE TRIGGER note_handover AFTER UPDATE ON sandboxes FOR EACH ROW
    WHEN (OLD.lease_owner IS DISTINCT FROM NEW.lease_owner AND NOT NEW.is_settled) EXECUTE FUNCTION note_handover();
"""
SHIPPED = {"FULLSTACKD_FLOW_LEASE": "6s", "FULLSTACKD_FLOW_CLAIM_INTERVAL": "2s"}
TAKEOVER_S = 10  # what is promised of a dead replica's flows
BUSY_S = 10  # beyond that, for a machine that does much else


def logged(server):
    with open(server.log_path, errors="replace") as f:
        return f.read()


class AsShipped(StackCase):
    """With the lease and the interval of looking that nobody configured."""

    def setUp(self):
        self.world = World(cluster_args=DELAYS[:-1] + (DELAYS[-1].replace("database=300", "database=30000"),), env=SHIPPED)
        self.world.__enter__()
        try:
            self.world.sql(WATCH)
            self.b = self.world.serve()
            self.on_a = self.world.sign_in()
            self.on_b = self.world.sign_in(port=self.b.port)
            self.project = self.on_a.create("led by a")[0]["id"]
            self.reader = Reader(self.on_b, f"/api/sandbox/{self.project}/events")
            self.reader.wait("the database", is_stage("database", "in_progress"))
            self.a = self.leader()
        except BaseException:
            self.world.__exit__(AssertionError)
            raise

    def tearDown(self):
        self.world.__exit__(None, None, None)

    def leader(self):
        return self.world.sql(f"SELECT lease_owner FROM sandboxes WHERE project_id = '{self.project}'")[0][0]

    def seconds(self, what):
        return float(self.world.sql(f"SELECT extract(epoch FROM {what}) FROM handovers")[0][0])

    def cancel(self):
        self.on_b.json("DELETE", f"/api/sandbox/{self.project}", status=202)
        self.assert_story(self.reader.end(), "cancelled")

    def test_what_a_dead_replica_led_is_taken_over_in_time(self):
        self.world.kill_server(self.world.servers[0])
        died = self.world.sql("SELECT clock_timestamp()")[0][0]
        wait_for("the takeover", lambda: self.leader() != self.a)
        after, early = self.seconds(f"at - '{died}'"), self.seconds("former_until - at")
        print(f"# taken over {after:.1f} s after the death, {-early:.1f} s after the end of the lease")
        self.assertLess(early, 0, "taken while its lease ran")
        self.assertLess(after, TAKEOVER_S + BUSY_S)
        self.cancel()

    def test_what_a_stopping_replica_led_is_taken_over_at_once(self):
        a = self.world.servers.pop(0)
        self.assertEqual(a.stop(signal.SIGTERM), 0)
        wait_for("the takeover", lambda: len(self.world.sql("SELECT * FROM handovers")) == 2)
        free, taken = (float(row[0]) for row in self.world.sql("SELECT extract(epoch FROM at) FROM handovers ORDER BY at"))
        print(f"# taken over {(taken - free) * 1000:.0f} ms after it was given back")
        self.assertEqual(self.world.sql("SELECT former IS NULL FROM handovers ORDER BY at"), [["f"], ["t"]])
        heard = [line for line in logged(self.b).splitlines() if "flow resumed" in line]
        self.assertEqual(len(heard), 1, heard)
        self.cancel()

    def test_three_slow_seconds_of_postgresql_cost_nobody_a_lease(self):
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1",
                        f"host={os.environ['FS_PG_SOCKET_DIR']} port={os.environ['FS_PG_PORT']} user=fullstackd dbname={self.world.database}",
                        "-c", "BEGIN; LOCK TABLE replicas IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(3); COMMIT"],
                       check=True, stdout=subprocess.DEVNULL)
        # Both replicas have written again since.
        wait_for("fresh leases", lambda: self.world.sql("SELECT count(*) FROM replicas WHERE lease_until > now() + interval '4 s'") == [["2"]])
        self.assertEqual(self.leader(), self.a)
        self.assertEqual(self.world.sql("SELECT * FROM handovers"), [])
        for server in self.world.servers:
            self.assertNotIn("the lease is over", logged(server))
        self.cancel()


if __name__ == "__main__":
    main()
