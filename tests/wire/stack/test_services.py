#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""PostgreSQL and Redis stop in the middle: the server says so, waits, goes on. Runs inside with_services.py, whose
services it stops."""
import os
import subprocess

from world import Reader, StackCase, World, is_done, is_stage, main, wait_for

DELAYS = ("--delays", "schedule=20,pull_first=200,pull_again=200,start=50,ready=300,stop=20,database=400,retry=200")


def control(which, word):
    subprocess.run([os.environ[f"FS_{which}_CTL"], word], check=True, stdout=subprocess.DEVNULL)


class Services(StackCase):
    """One world whose services are stopped; in one thread."""

    @classmethod
    def setUpClass(cls):
        cls.world = World(cluster_args=DELAYS).__enter__()
        cls.addClassCleanup(cls.world.__exit__, None, None, None)

    def test_without_postgresql_it_answers_503_and_goes_on_afterwards(self):
        client = self.world.sign_in("postgres")
        project = client.create("outage")[0]["id"]
        reader = Reader(client, f"/api/sandbox/{project}/events")
        reader.wait("the container", is_stage("container", "in_progress"))
        control("PG", "stop")
        try:
            for method, path, body in (("GET", "/api/projects", None), ("POST", "/api/projects", {"name": "x"}),
                                       ("POST", f"/api/sandbox/{project}", {}), ("GET", "/api/sandbox/other", None)):
                answer = client.request(method, path, body)
                problem = self.assert_problem(answer, 503)
                self.assertGreater(int(answer[1]["Retry-After"]), 0, path)
                self.assertNotIn("/", problem["detail"], "it tells an address")
            self.assertEqual(client.request("GET", "/readyz")[0], 503)
            self.assertEqual(client.request("GET", "/livez")[0], 200)
        finally:
            control("PG", "start")
        self.assert_story(reader.end())
        self.assert_gapless(self.world.journal(project))
        wait_for("readiness", lambda: client.request("GET", "/readyz")[0] == 200)

    def test_without_redis_everything_goes_on(self):
        client = self.world.sign_in("redis")
        first = client.create("before")[0]["id"]
        reader = Reader(client, f"/api/sandbox/{first}/events")
        reader.wait("a stage", is_stage("container", "in_progress"))
        control("REDIS", "stop")
        try:
            self.assert_story(reader.end())
            mine = self.world.sign_in("noredis")
            owner = Reader(mine, "/api/events")
            second = mine.create("during")[0]["id"]
            self.assert_story(mine.follow(second))
            owner.wait("the end", is_done)
            for who, project in ((client, first), (mine, second)):
                self.assertEqual(who.json("GET", f"/api/sandbox/{project}")["status"], "running")
        finally:
            control("REDIS", "start")
        self.assert_story(list(mine.events(f"/api/sandbox/{second}/events")))
        third = self.world.sign_in("after")
        project = third.create("after")[0]["id"]
        self.assert_story(third.follow(project))
        self.assertEqual(third.json("GET", f"/api/sandbox/{project}")["status"], "running")


if __name__ == "__main__":
    main()
