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
from matrix import CALLERS, EXPECTED, S, SIGNED_IN, VARIABLE


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
            return path.replace("{id}", self.world.sign_in("locked-out").json("GET", "/api/auth/session")["user"]["id"])
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
        self.assertEqual(Bearer(self.world.port, bearer.token).request("GET", "/api/projects")[0], 401)


if __name__ == "__main__":
    main()
