#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every action in every state: how it is answered, and where it ends once the cluster lets it. A cancel and a deletion
find a way out of each. Runs inside with_services.py."""
import os
import re

from world import StackCase, World, main, wait_for

ACTIONS = {
    "create": ("POST", "/api/sandbox/{}", {}),
    "cancel": ("DELETE", "/api/sandbox/{}", None),
    "start": ("POST", "/api/projects/{}/start", {}),
    "stop": ("POST", "/api/projects/{}/stop", {}),
    "restart": ("POST", "/api/projects/{}/restart", {}),
    "delete": ("DELETE", "/api/projects/{}", None),
    "detach": ("DELETE", "/api/projects/{}?keepDatabase=true", None),
}
GONE, NONE = "gone", "none"
R, S, T, E = "RUNNING", "STOPPED", "TERMINATED", "ERROR"
END = {"delete": (202, GONE), "detach": (202, GONE)}

# In a state: what each action is answered with, and the state that it ends in.
TABLE = {
    NONE: {"create": (202, R), "cancel": (200, NONE), "start": (400, NONE), "stop": (400, NONE), "restart": (400, NONE),
           "delete": (200, GONE), "detach": (200, GONE)},
    "CREATING": {"create": (202, R), "cancel": (202, T), "start": (202, R), "stop": (400, R), "restart": (202, R), **END},
    "STARTING": {"create": (202, R), "cancel": (202, T), "start": (202, R), "stop": (202, S), "restart": (202, R), **END},
    "RUNNING": {"create": (200, R), "cancel": (202, T), "start": (200, R), "stop": (202, S), "restart": (202, R), **END},
    "STOPPING": {"create": (202, R), "cancel": (202, T), "start": (202, R), "stop": (202, S), "restart": (400, S), **END},
    "STOPPED": {"create": (202, R), "cancel": (202, T), "start": (202, R), "stop": (200, S), "restart": (400, S), **END},
    "ERROR": {"create": (202, R), "cancel": (202, T), "start": (202, R), "stop": (202, S), "restart": (400, E), **END},
    # It goes on: what is wished for meanwhile is told to wait, but for going altogether.
    "TERMINATING": {"create": (409, T), "cancel": (202, T), "start": (409, T), "stop": (409, T), "restart": (409, T), **END},
    "TERMINATED": {"create": (202, R), "cancel": (200, T), "start": (202, R), "stop": (202, S), "restart": (400, T), **END},
    "DELETING": {"create": (409, GONE), "cancel": (202, GONE), "start": (400, GONE), "stop": (400, GONE),
                 "restart": (400, GONE), **END},
}


class Story:
    """One project that is led into a state, held there, acted on, let go."""

    def __init__(self, world, client, name):
        self.world, self.client = world, client
        self.id = client.json("POST", "/api/projects", {"name": name}, 200)["id"]

    def do(self, action):
        method, path, body = ACTIONS[action]
        return self.client.request(method, path.format(self.id), body)

    def must(self, action):
        status, _, body = self.do(action)
        if status not in (200, 202):
            raise AssertionError(f"{action}: {status} {body[:300]!r}")

    def row(self):
        """(status, is settled) of the sandbox; of none and of a project that is gone their words."""
        found = self.world.sql("SELECT coalesce(s.status, 'none'), coalesce(s.is_settled, true) FROM projects p "
                               f"LEFT JOIN sandboxes s ON s.project_id = p.id WHERE p.id = '{self.id}'")
        return (found[0][0], found[0][1] == "t") if found else (GONE, True)

    def wait(self, status):
        wait_for(status, lambda: self.row() == (status, True))

    def hold(self, verb, resource="deployments"):
        self.world.fault(verb=verb, resource=resource, status=503, times=100000)

    def let_go(self):
        self.world.kube("DELETE", "/devcluster/faults", None, 200)

    def lead(self, state):
        """Into the state, from which nothing leads away until let_go()."""
        if state == NONE:
            return
        if state == "CREATING":
            self.hold("create")
        if state == "ERROR":
            self.world.fault(verb="create", resource="services", status=422, times=1)
        self.must("create")
        if state == "CREATING":
            return
        if state == "ERROR":
            self.wait(E)
            return
        self.wait(R)
        if state in ("STOPPED", "STARTING"):
            self.must("stop")
            self.wait(S)
        if state == "TERMINATED":
            self.must("cancel")
            self.wait(T)
        held = {"STARTING": ("patch", "start"), "STOPPING": ("patch", "stop"), "TERMINATING": ("delete", "cancel"),
                "DELETING": ("delete", "delete")}.get(state)
        if held:
            self.hold(held[0])
            self.must(held[1])


class Actions(StackCase):
    def every_action_in(self, state):
        with World() as world:
            client = world.sign_in()
            self.assertEqual(set(TABLE[state]), set(ACTIONS))
            for action, (status, end) in TABLE[state].items():
                with self.subTest(state=state, action=action):
                    story = Story(world, client, f"{state} {action}")
                    story.lead(state)
                    shown = "TERMINATING" if state == "DELETING" else state
                    self.assertEqual(story.row()[0], shown)
                    got, headers, body = story.do(action)
                    self.assertEqual(got, status, body[:400])
                    if status >= 400:
                        self.assert_problem((got, headers, body), status)
                    story.let_go()
                    story.wait(end)
                    if end == GONE:
                        self.assertEqual(client.request("GET", f"/api/projects/{story.id}")[0], 404)
                    else:
                        story.must("delete")
                        story.wait(GONE)
            # Of a whole world of stories nothing stays but the databases that were to stay.
            wait_for("what was to stay alone", lambda: set(world.count_made()) <= {
                "clusters", "serviceaccounts", "roles", "rolebindings", "secrets"})
            self.assertLessEqual(world.count_made().get("clusters", 0), 1)

    def test_the_table_names_every_state(self):
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "core", "stage.h")
        with open(path) as f:
            rows = f.read().partition("#define SANDBOX_STATUSES(X)")[2].partition("enum sandbox_status")[0]
        self.assertEqual(set(re.findall(r'X\(\w+, "(\w+)"', rows)), set(TABLE) - {NONE, "DELETING"})


for _state in TABLE:
    def case(self, state=_state):
        self.every_action_in(state)
    setattr(Actions, f"test_in_state_{_state.lower()}", case)


if __name__ == "__main__":
    main()
