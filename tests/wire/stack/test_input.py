#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A table of bad requests: each is refused with a problem that names the field and the reason, and leaves no trace in
tables or cluster. Runs inside with_services.py."""
import json

from world import Client, StackCase, World, main, wait_for

SANDBOX = "/api/sandbox/{mine}"
PROJECTS = "/api/projects"
LONG = "x" * (32 * 1024 + 1)


def env(**variables):
    return json.dumps({"envVars": variables})


# what, method, path, body as sent, status, pointer or None, a word of the reason
TABLE = [
    ("no JSON", "POST", SANDBOX, "{", 400, None, ""),
    ("JSON and more", "POST", SANDBOX, "{} {}", 400, None, ""),
    ("no object", "POST", SANDBOX, "[]", 400, None, "object"),
    ("a number", "POST", SANDBOX, "1", 400, None, "object"),
    ("null", "POST", SANDBOX, "null", 400, None, "object"),
    ("single quotes", "POST", SANDBOX, "{'envVars':{}}", 400, None, ""),
    ("a comment", "POST", SANDBOX, "{/* */}", 400, None, ""),
    ("no UTF-8", "POST", SANDBOX, b'{"envVars":{"A":"\xff"}}', 400, None, ""),
    ("half a surrogate", "POST", SANDBOX, '{"envVars":{"A":"\\ud800"}}', 400, None, ""),
    ("deep", "POST", SANDBOX, '{"envVars":' + "[" * 500 + "]" * 500 + "}", 400, None, ""),
    ("a key twice", "POST", SANDBOX, '{"envVars":{},"envVars":{"A":"1"}}', 400, None, "twice"),
    ("a variable twice", "POST", SANDBOX, '{"envVars":{"A":"1","A":"2"}}', 400, None, "twice"),
    ("an unknown key", "POST", SANDBOX, '{"envvars":{}}', 400, "#/envvars", "known"),
    ("variables as a list", "POST", SANDBOX, '{"envVars":[]}', 400, "#/envVars", "object"),
    ("variables as a text", "POST", SANDBOX, '{"envVars":"A=1"}', 400, "#/envVars", "object"),
    ("a number as value", "POST", SANDBOX, env(PORT=1), 400, "#/envVars/PORT", "string"),
    ("null as value", "POST", SANDBOX, env(A=None), 400, "#/envVars/A", "string"),
    ("an object as value", "POST", SANDBOX, env(A={}), 400, "#/envVars/A", "string"),
    ("an empty key", "POST", SANDBOX, env(**{"": "1"}), 400, "#/envVars/", ""),
    ("a key with =", "POST", SANDBOX, env(**{"A=B": "1"}), 400, "#/envVars/A=B", ""),
    ("a key with a blank", "POST", SANDBOX, env(**{"A B": "1"}), 400, "#/envVars/A B", ""),
    ("a key that begins with a digit", "POST", SANDBOX, env(**{"1A": "1"}), 400, "#/envVars/1A", ""),
    ("a key with a line end", "POST", SANDBOX, env(**{"A\n": "1"}), 400, None, ""),
    ("a key with NUL", "POST", SANDBOX, '{"envVars":{"A\\u0000B":"1"}}', 400, None, ""),
    ("a long key", "POST", SANDBOX, env(**{"A" * 254: "1"}), 400, None, ""),
    ("NUL in a value", "POST", SANDBOX, '{"envVars":{"A":"a\\u0000b"}}', 400, "#/envVars/A", ""),
    ("a value over its ceiling", "POST", SANDBOX, env(A=LONG), 400, "#/envVars/A", ""),
    ("too many variables", "POST", SANDBOX, env(**{f"V{i}": "" for i in range(2000)}), 400, "#/envVars", ""),
    ("a body over its ceiling", "POST", SANDBOX, env(**{f"V{i}": "x" * 30000 for i in range(40)}), 413, None, ""),
    ("no name", "POST", PROJECTS, "{}", 400, "#/name", ""),
    ("no body", "POST", PROJECTS, "", 400, None, ""),
    ("a number as name", "POST", PROJECTS, '{"name":1}', 400, "#/name", "string"),
    ("null as name", "POST", PROJECTS, '{"name":null}', 400, "#/name", "string"),
    ("an empty name", "POST", PROJECTS, '{"name":""}', 400, "#/name", ""),
    ("a blank name", "POST", PROJECTS, '{"name":"  \\t "}', 400, "#/name", ""),
    ("a long name", "POST", PROJECTS, json.dumps({"name": "n" * 41}), 400, "#/name", "40"),
    ("a very long name", "POST", PROJECTS, json.dumps({"name": "n" * 5000}), 400, "#/name", ""),
    ("a name with NUL", "POST", PROJECTS, '{"name":"a\\u0000b"}', 400, "#/name", ""),
    ("a name with a line end", "POST", PROJECTS, '{"name":"a\\nb"}', 400, "#/name", ""),
    ("a name with an escape", "POST", PROJECTS, '{"name":"a\\u001b[31mb"}', 400, "#/name", ""),
    ("a number as description", "POST", PROJECTS, '{"name":"a","description":1}', 400, "#/description", "string"),
    ("a long description", "POST", PROJECTS, json.dumps({"name": "a", "description": "d" * 2001}), 400, "#/description", ""),
    ("NUL in a description", "POST", PROJECTS, '{"name":"a","description":"d\\u0000"}', 400, "#/description", ""),
    ("an owner of one's choice", "POST", PROJECTS, '{"name":"a","userId":"eve"}', 400, "#/userId", "known"),
    ("a project's body over its ceiling", "POST", PROJECTS, json.dumps({"name": "a", "description": "d" * 20000}), 413, None, ""),
    ("an unknown project", "POST", "/api/sandbox/nosuch", "{}", 404, None, "Project not found"),
    ("another's project", "POST", "/api/sandbox/{theirs}", "{}", 404, None, "Project not found"),
    ("another's project to delete", "DELETE", "/api/projects/{theirs}", None, 404, None, "Project not found"),
    ("another's sandbox to delete", "DELETE", "/api/sandbox/{theirs}", None, 404, None, "Project not found"),
    ("another's project to read", "GET", "/api/projects/{theirs}", None, 404, None, "Project not found"),
    ("another's story", "GET", "/api/sandbox/{theirs}/events", None, 404, None, "Project not found"),
    ("a quote in the id", "GET", "/api/sandbox/'%20or%201=1", None, 404, None, ""),
    ("NUL in the id", "GET", "/api/sandbox/a%00b", None, 400, None, ""),
    ("no UTF-8 in the id", "GET", "/api/sandbox/%ff", None, 400, None, ""),
    ("a long id", "GET", "/api/sandbox/" + "a" * 3000, None, 404, None, ""),
    ("keepDatabase maybe", "DELETE", "/api/projects/{mine}?keepDatabase=maybe", None, 400, "keepDatabase", "true or false"),
    ("keepDatabase empty", "DELETE", "/api/projects/{mine}?keepDatabase=", None, 400, "keepDatabase", "true or false"),
    ("after a word", "GET", "/api/sandbox/{mine}/events?after=x", None, 400, "after", ""),
    ("after a negative number", "GET", "/api/events?after=-1", None, 400, "after", ""),
    ("after too large a number", "GET", "/api/events?after=99999999999999999999999", None, 400, "after", ""),
    ("an unknown path", "GET", "/api/nosuch", None, 404, None, ""),
    ("another method", "PUT", SANDBOX, "{}", 405, None, ""),
    ("another method for projects", "PATCH", PROJECTS, "{}", 405, None, ""),
]


class Input(StackCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(env={"FULLSTACKD_LOG_LEVEL": "warn"}).__enter__()
        cls.addClassCleanup(cls.world.__exit__, None, None, None)
        cls.client = cls.world.sign_in()
        cls.mine = cls.client.json("POST", "/api/projects", {"name": "mine"}, 200)["id"]
        cls.theirs = cls.world.sign_in("other").json("POST", "/api/projects", {"name": "theirs"}, 200)["id"]

    def traces(self):
        return self.world.rows(), sorted(self.world.objects())

    def test_each_bad_request_is_refused_with_field_and_reason_and_leaves_no_trace(self):
        before = self.traces()
        for what, method, path, body, status, field, word in TABLE:
            with self.subTest(what):
                rows = self.world.rows()
                path = path.format(mine=self.mine, theirs=self.theirs)
                raw = body.encode() if isinstance(body, str) else body
                problem = self.assert_problem(self.client.request(method, path, raw=raw), status, field, word)
                self.assertNotIn("\x00", problem["detail"])
                self.assertNotIn(LONG[:1000], problem["detail"])
                self.assertEqual(self.world.rows(), rows, "it wrote something")
        self.assertEqual(self.traces(), before)

    def test_who_may(self):
        before = self.traces()
        nobody = Client(self.world.port, "")
        stranger = Client(self.world.port, self.client.cookie[:-3] + "AAA")
        for client in (nobody, stranger):
            for method, path in (("GET", "/api/projects"), ("POST", "/api/projects"), ("GET", "/api/events"),
                                 ("POST", f"/api/sandbox/{self.mine}"), ("DELETE", f"/api/projects/{self.mine}")):
                body = {"name": "x"} if method == "POST" else None
                self.assert_problem(client.request(method, path, body), 401, word="Unauthorized")
        for origin in ("http://evil.example", "null", f"http://127.0.0.1:{self.world.port + 1}"):
            for method, path in (("POST", f"/api/sandbox/{self.mine}"), ("DELETE", f"/api/projects/{self.mine}")):
                with self.subTest(origin=origin):
                    self.assert_problem(self.client.request(method, path, headers={"Origin": origin}), 403)
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            answer = self.client.request("POST", "/api/projects", {"name": "form"}, headers={"Content-Type": kind})
            self.assert_problem(answer, 415)
        self.assertEqual(self.traces(), before)

    def test_z_what_is_just_allowed_is_allowed(self):
        for name in ("n" * 40, "\U0001f680" * 40, "\u65e5\u672c", "a'b\"c<d>&;--", "  padded  "):
            with self.subTest(name):
                project = self.client.json("POST", "/api/projects", {"name": name, "description": "d" * 2000}, 200)
                self.assertEqual(project["name"], name.strip())
        value = "x" * (32 * 1024)
        project, _ = self.client.create("limits", {"A" * 253: value, "_a1": "1"})
        self.assert_story(self.client.follow(project["id"]))
        given = self.world.env_of(self.world.sandbox_row(project["id"])[0])
        self.assertEqual((given["A" * 253], given["_a1"]), (value, "1"))

    def test_a_body_may_be_missing(self):
        project = self.client.json("POST", "/api/projects", {"name": "bodiless"}, 200)["id"]
        self.assertEqual(self.client.request("POST", f"/api/sandbox/{project}", raw=b"")[0], 202)
        self.assert_story(self.client.follow(project))
        self.client.json("DELETE", f"/api/projects/{project}")
        wait_for("no project", lambda: self.client.request("GET", f"/api/projects/{project}")[0] == 404)
        wait_for("an empty cluster", lambda: not self.world.made())


if __name__ == "__main__":
    main()
