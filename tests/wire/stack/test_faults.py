#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The Kubernetes API stands still, refuses, loses answers, drops and expires watches: it is told, waited for, and the
story ends well. Runs inside with_services.py."""
import os
import signal
import threading

from world import Reader, StackCase, World, is_stage, main, wait_for

DELAYS = ("--delays", "schedule=20,pull_first=200,pull_again=200,start=50,ready=300,stop=20,database=400,retry=200")


class Kubernetes(StackCase):
    """One world whose cluster misbehaves."""

    @classmethod
    def setUpClass(cls):
        cls.world = World(cluster_args=DELAYS + ("--watch-window", "64")).__enter__()
        cls.addClassCleanup(cls.world.__exit__, None, None, None)

    def tearDown(self):
        self.world.kube("DELETE", "/devcluster/faults", want=200)

    def create(self, name):
        client = self.world.sign_in(name)
        project = client.create(name)[0]["id"]
        return client, project, Reader(client, f"/api/sandbox/{project}/events")

    def test_an_api_that_stands_still_is_told_and_waited_for(self):
        client, project, reader = self.create("frozen")
        reader.wait("the container", is_stage("container", "in_progress"))
        pid = self.world.cluster.pid
        os.kill(pid, signal.SIGSTOP)
        thaw = threading.Timer(5, os.kill, (pid, signal.SIGCONT))
        thaw.start()
        try:
            other = client.json("POST", "/api/projects", {"name": "meanwhile"}, 200)
            client.json("POST", f"/api/sandbox/{other['id']}", {}, 202)
            told = Reader(client, f"/api/sandbox/{other['id']}/events")
            told.wait("that the API does not answer", lambda name, data: data.get("code") == "CLUSTER_UNREACHABLE")
        finally:
            thaw.join()
        self.assertEqual(reader.end()[-1][2]["outcome"], "ready")
        self.assertEqual(told.end()[-1][2]["outcome"], "ready")
        self.assertEqual(len([n for n in self.world.names("deployments") if n.startswith("meanwhile-")]), 1)

    def test_refusals_in_bursts_only_slow_it_down(self):
        for status in (429, 500, 503, 504):
            self.world.fault(status=status, times=2, verb="create")
        self.world.fault(status=500, times=2, verb="get")
        self.world.fault(close=True, times=3, verb="create")
        client, project, reader = self.create("refused")
        events = reader.end()
        self.assert_story(events)
        name, database, _ = self.world.sandbox_row(project)
        for kind, n in (("deployments", 1), ("services", 1), ("ingresses", 2), ("clusters", 1)):
            mine = [x for x in self.world.names(kind) if x.startswith((name, database))]
            self.assertEqual(len(mine), n, kind)

    def test_answers_that_never_come_are_asked_for_again(self):
        """The call is given up, lands nevertheless, and is not made twice."""
        self.world.fault(delayMs=3000, times=3, verb="create")
        client, project, reader = self.create("late")
        self.assert_story(reader.end())

    def test_watches_that_break_and_expire_miss_nothing(self):
        client, project, reader = self.create("watches")
        for stage in ("container", "networking", "terminal"):
            reader.wait(stage, is_stage(stage, "in_progress"))
            self.world.fault(compact=True)
            self.world.fault(dropWatches=True)
        self.assert_story(reader.end())
        self.assertEqual(client.json("GET", f"/api/sandbox/{project}")["status"], "running")

    def test_lists_that_expire_in_the_middle_begin_anew(self):
        self.world.fault(status=410, times=3, verb="list")
        self.world.fault(status=500, times=3, verb="watch")
        self.world.fault(compact=True)
        self.world.fault(dropWatches=True)
        client, project, reader = self.create("lists")
        self.assert_story(reader.end())


class Delete(StackCase):
    def test_refusals_do_not_keep_a_project_from_going(self):
        with World(cluster_args=DELAYS) as world:
            client = world.sign_in()
            project = client.create("gone")[0]["id"]
            self.assert_story(client.follow(project))
            for status in (429, 500, 503):
                world.fault(status=status, times=3, verb="delete")
            world.fault(status=500, times=2, verb="get")
            world.fault(close=True, times=2, verb="delete")
            client.json("DELETE", f"/api/projects/{project}", status=202)
            wait_for("no project", lambda: world.rows()["projects"] == 0)
            self.assertEqual(world.made(), {})


if __name__ == "__main__":
    main()
