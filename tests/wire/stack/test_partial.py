#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One thing of the Kubernetes API does not work: a webhook, the lists of one kind. Whom it concerns is told so in the API's
words; nobody is told that the API is away. Runs inside with_services.py."""
from world import Reader, StackCase, World, brief, is_stage, main

# A database that takes its time, so that somebody waits while others fail.
DELAYS = ("--delays", "schedule=20,pull_first=50,pull_again=50,start=20,ready=50,stop=20,database=%d,retry=200")
UNREACHABLE = "CLUSTER_UNREACHABLE"


def is_told(code, words):
    return lambda name, data: data.get("code") == code and words in (data.get("message") or "")


class Partial(StackCase):
    def begin(self, world, name):
        """A project of a user of that name."""
        client = world.sign_in(name)
        project = client.create(name)[0]["id"]
        return Reader(client, f"/api/sandbox/{project}/events")

    def assert_never_away(self, world):
        for server in world.servers:
            with open(server.log_path, errors="replace") as f:
                changes = [line for line in f if '"kubernetes api"' in line]
            self.assertEqual(len(changes), 1, changes)  # it was reached once, at the start
        self.assertEqual(world.sign_in().request("GET", "/readyz")[0], 200)

    def test_a_webhook_that_fails_concerns_those_who_need_it(self):
        with World(cluster_args=DELAYS[:1] + (DELAYS[1] % 3000,)) as world:
            waiting = self.begin(world, "waiting")
            waiting.wait("the networking", is_stage("networking", "in_progress"))
            waiting.wait("the image", lambda name, data: "image pulled" in (data.get("message") or ""))
            world.fault(verb="create", resource="ingresses", status=500, times=100000)
            concerned = self.begin(world, "concerned")
            concerned.wait("the API's words", is_told(UNREACHABLE, "500 an injected fault"))
            world.kube("DELETE", "/devcluster/faults", want=200)
            self.assert_story(concerned.end())
            events = waiting.end()
            self.assert_story(events)
            self.assertNotIn(UNREACHABLE, [data.get("code") for _, _, data in events], brief(events))
            self.assert_never_away(world)

    def test_a_kind_that_cannot_be_watched_is_told_to_those_who_wait_for_it(self):
        with World(cluster_args=DELAYS[:1] + (DELAYS[1] % 100,)) as world:
            for verb in ("list", "watch"):
                world.fault(verb=verb, resource="pods", status=500, times=100000)
            world.fault(compact=True)
            world.fault(dropWatches=True)
            blind = self.begin(world, "blind")
            blind.wait("what cannot be seen", is_told(UNREACHABLE, "pods cannot be watched: kubernetes: 500 an injected fault"))
            world.kube("DELETE", "/devcluster/faults", want=200)
            self.assert_story(blind.end())


if __name__ == "__main__":
    main()
