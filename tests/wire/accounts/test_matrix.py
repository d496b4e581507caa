#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The authorization matrix: every row of the server's own route table, asked by every sort of caller. A route without an
expectation here fails, and so does an expectation without a route. Runs inside with_services.py."""
import http.client
import json
import os
import re
import subprocess

from accounts import Accounts, Bearer, Client, StackCase, main

CALLERS = ("none", "expired", "other", "read", "write", "owner", "admin", "admin token")

# The shapes: what each caller is answered, in the order of CALLERS. S: what the route answers whom it serves.
S = "served"
ALL = (S,) * 8
MINE = (401, 401, S, S, S, S, S, S)  # a list or a thing of one's own, to read
MINE_WRITE = (401, 401, S, 403, S, S, S, S)
OWNED = (401, 401, 404, S, S, S, 404, 404)  # belongs to the owner
OWNED_WRITE = (401, 401, 404, 403, S, S, 404, 404)
PERSON = (401, 401, S, 403, 403, S, S, 403)  # by session only, one's own
PERSON_OWNED = (401, 401, 404, 403, 403, S, 404, 403)
ADMIN = (401, 401, 403, 403, 403, 403, S, S)
ANYBODY_WRITE = (S, S, S, 403, S, S, S, S)  # nobody is asked who they are, but a token keeps its scope

SIGNED_IN = ("other", "owner", "admin")
PROJECT = "/api/projects/{id}"
VARIABLE = {"key": "K", "value": "v"}

# "METHOD path": (shape, body, what is answered when it is served)
EXPECTED = {
    "GET /livez": (ALL, None, 200),
    "GET /readyz": (ALL, None, 200),
    "GET /healthz": (ALL, None, 200),
    "GET /version": (ALL, None, 200),
    "GET /metrics": (ALL, None, 200),
    "GET /problems/{slug}": (ALL, None, 200),
    "POST /api/auth/signin-link": (ALL, {"token": "no such link"}, 401),
    "GET /api/auth/providers": (ALL, None, 200),
    "GET /api/auth/csrf": (ALL, None, 200),
    "GET /api/auth/signin": (ALL, None, 302),
    "GET /api/auth/signin/{provider}": (ALL, None, 302),
    "POST /api/auth/signin/{provider}": (ALL, {}, 404),  # not configured here
    "GET /api/auth/callback/{provider}": (ALL, None, 404),
    "GET /api/auth/session": (ALL, None, 200),
    "POST /api/auth/signout": (ANYBODY_WRITE, {}, 200),
    "POST /api/auth/device/code": (ALL, {}, 200),
    "POST /api/auth/device/token": (ALL, {"device_code": "none such"}, 400),
    "GET /api/auth/device": (PERSON, None, 404),  # no code is asked for
    "POST /api/auth/device": (PERSON, {"userCode": "BBBB-BBBB", "allow": True}, 404),
    "GET /api/auth/sessions": (PERSON, None, 200),
    "DELETE /api/auth/sessions": (PERSON, None, 200),
    "DELETE /api/auth/sessions/{id}": (PERSON_OWNED, None, 200),
    "DELETE /api/admin/users/{id}/sessions": (ADMIN, None, 200),
    "GET /api/tokens": (PERSON, None, 200),
    "POST /api/tokens": (PERSON, {"name": "made here"}, 201),
    "DELETE /api/tokens/{id}": (PERSON_OWNED, None, 200),
    "GET /api/projects": (MINE, None, 200),
    "POST /api/projects": (MINE_WRITE, {"name": "made here"}, 200),
    f"GET {PROJECT}": (OWNED, None, 200),
    f"DELETE {PROJECT}": (OWNED_WRITE, None, (200, 202)),
    f"POST {PROJECT}/start": (OWNED_WRITE, {}, 400),
    f"POST {PROJECT}/stop": (OWNED_WRITE, {}, 400),
    f"POST {PROJECT}/restart": (OWNED_WRITE, {}, 400),
    f"GET {PROJECT}/environment": (OWNED, None, 200),
    f"POST {PROJECT}/environment": (OWNED_WRITE, VARIABLE, 200),
    f"PUT {PROJECT}/environment/{{envId}}": (OWNED_WRITE, {"value": "w"}, 200),
    f"DELETE {PROJECT}/environment/{{envId}}": (OWNED_WRITE, None, 200),
    "GET /api/clusters": (MINE, None, 200),
    "GET /api/sandbox/{projectId}": (OWNED, None, 200),
    "POST /api/sandbox/{projectId}": (OWNED_WRITE, {}, 202),
    "DELETE /api/sandbox/{projectId}": (OWNED_WRITE, None, (200, 202)),
    "GET /api/sandbox/{projectId}/events": (OWNED, None, 200),
    "GET /api/events": (MINE, None, 200),
}


def routes():
    out = subprocess.run([os.path.join(os.environ["FS_BUILD"], "fullstackd"), "routes", "--json"], check=True,
                         capture_output=True, text=True).stdout
    return json.loads(out)


class Matrix(StackCase):
    @classmethod
    def setUpClass(cls):
        cls.world = world = Accounts().__enter__()
        cls.addClassCleanup(world.__exit__, None, None, None)
        cls.owner = world.sign_in("owner")
        admin = world.sign_in("boss")
        world.sql("UPDATE users SET is_admin = true WHERE name = 'boss'")
        expired = world.sign_in("owner")
        world.sql("UPDATE sessions SET idle_until = now() WHERE token_hash = sha256('"
                  + expired.cookie.partition("=")[2] + "'::bytea)")
        cls.callers = {
            "none": Client(world.port, ""),
            "expired": expired,
            "other": world.sign_in("other"),
            "read": world.token(cls.owner, ["read"]),
            "write": world.token(cls.owner, ["write"]),
            "owner": cls.owner,
            "admin": admin,
            "admin token": world.token(admin, ["admin"]),
        }
        assert tuple(cls.callers) == CALLERS

    def fresh(self, path):
        """The path with ids of things that were made for this one request, all of them the owner's."""
        if "{" not in path:
            return path
        if "{provider}" in path:
            return path.replace("{provider}", "github")
        if path.startswith("/problems/"):
            return "/problems/denied"
        if path.startswith("/api/auth/sessions/"):
            spare = self.world.sign_in("owner").cookie.partition("=")[2]
            return "/api/auth/sessions/" + self.world.sql(
                f"SELECT id FROM sessions WHERE token_hash = sha256('{spare}'::bytea)")[0][0]
        if path.startswith("/api/admin/users/"):
            return path.replace("{id}", "nobody-at-all")
        if path.startswith("/api/tokens/"):
            return f"/api/tokens/{self.world.token(self.owner, ['read']).id}"
        project = self.owner.json("POST", "/api/projects", {"name": "matrix"}, 200)["id"]
        if "{envId}" in path:
            variable = self.owner.json("POST", f"/api/projects/{project}/environment", VARIABLE, 200)
            path = path.replace("{envId}", variable["id"])
        return re.sub(r"\{(id|projectId)\}", project, path)

    def asked(self, client, method, path, body):
        """The status alone: a stream has no end."""
        connection = http.client.HTTPConnection("127.0.0.1", self.world.port, timeout=30)
        try:
            headers = client.headers()
            if body is not None:
                headers["Content-Type"] = "application/json"
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def cast(self, name, route):
        """Signing out ends a session, perhaps all of them: whoever does it here is signed in anew."""
        if route not in ("POST /api/auth/signout", "DELETE /api/auth/sessions") or name not in SIGNED_IN:
            return self.callers[name]
        return self.world.sign_in("leaving-" + name)

    def test_each_route_has_an_expectation(self):
        self.assertEqual({f"{r['method']} {r['path']}" for r in routes()}, set(EXPECTED))

    def test_each_route_opens_to_whom_it_should(self):
        for route in routes():
            name = f"{route['method']} {route['path']}"
            shape, body, served = EXPECTED.get(name, (None, None, None))
            self.assertIsNotNone(shape, f"{name} has no expectation")
            for caller, expected in zip(CALLERS, shape, strict=True):
                with self.subTest(route=name, caller=caller):
                    client = self.cast(caller, name)
                    status = self.asked(client, route["method"], self.fresh(route["path"]), body)
                    wanted = served if expected == S else expected
                    self.assertIn(status, wanted if isinstance(wanted, tuple) else (wanted,))

    def test_the_scope_of_a_route_follows_from_its_method_and_role(self):
        for route in routes():
            with self.subTest(route=route):
                if route["role"] == "admin":
                    self.assertEqual(route["scope"], "admin")
                else:
                    self.assertEqual(route["scope"], "read" if route["method"] == "GET" else "write")
                if route["path"].startswith("/api/") and not route["path"].startswith("/api/auth/"):
                    self.assertIn(route["role"], ("user", "session", "admin"), "open to everybody")

    def test_lists_and_streams_hold_only_ones_own(self):
        project = self.owner.json("POST", "/api/projects", {"name": "whose"}, 200)["id"]
        for name, client in self.callers.items():
            if name in ("none", "expired"):
                continue
            ids = {p["id"] for p in client.json("GET", "/api/projects", status=200)}
            self.assertEqual(project in ids, name in ("read", "write", "owner"), name)

    def test_a_token_is_nobody_once_its_owner_is_gone(self):
        leaver = self.world.sign_in("leaver")
        bearer = self.world.token(leaver, ["read"])
        self.world.sql("DELETE FROM users WHERE name = 'leaver'")
        self.assertEqual(Bearer(self.world.port, bearer.token, self.world.heard).request("GET", "/api/projects")[0], 401)


if __name__ == "__main__":
    main()
