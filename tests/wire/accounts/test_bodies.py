#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every body that docs/openapi.json describes, spoiled in each way that there is for its schema: members nobody knows or that
come twice, wrong types, what is missing, too long, too short, too many, NUL, half a surrogate, no UTF-8. Each is refused with a
pointer to the member at fault and writes nothing. Runs inside with_services.py."""
import json
import urllib.parse

from accounts import Accounts, StackCase, main
from github import GitHub
from stack import API

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
UNKNOWN = "nobodyKnows"
# One of each type, and what it is called; integers are numbers too.
VALUES = {"null": None, "boolean": True, "integer": 7, "number": 1.5, "string": "x", "array": [], "object": {}}
# Tables that a refused request may write (who asked, and when), and those that the server writes by itself.
OF_OTHERS = {"table audit", "table sessions", "table replicas", "table sweeps", "table sweep_findings",
             "table project_limits",  # when a project was used last; the limits themselves are asked for
             "table users"}  # when somebody was seen last; the rest is asked for
# RFC 8628 has errors of its own: operation and member.
OAUTH = ("POST /api/auth/device/token", "#/grant_type")
# Texts that stand for bytes which json.dumps would not write.
NUL, HALF, BAD = "NUL-HERE", "HALF-HERE", "BAD-HERE"
RAW = {NUL: b"\\u0000", HALF: b"\\ud800", BAD: b"\xff"}
# Examples of what a pattern or the server's own rules ask for; else one is made from the schema.
EXAMPLES = {"callbackUrl": "/projects", "key": "KEY", "cluster": "default", "userCode": "BBBB-BBBB",
            "repoName": "ada/engine"}


def branches(schema):
    schema = API.follow(schema)
    return [b for part in schema["oneOf"] for b in branches(part)] if "oneOf" in schema else [schema]


def is_free(schema):
    return schema == {}


def types_of(schema):
    found = set()
    for branch in branches(schema):
        if "const" in branch:
            found |= {name for name, value in VALUES.items() if type(value) is type(branch["const"])}
        types = branch.get("type", [])
        found |= set(types if isinstance(types, list) else [types])
    return found | ({"number"} if "number" in found else set())


def example(schema, name=""):
    schema = branches(schema)[0]
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    kind = schema["type"]
    if kind == "object":
        made = {key: example(part, key) for key, part in schema.get("properties", {}).items()}
        if "additionalProperties" in schema and schema["additionalProperties"] is not False:
            made["KEY"] = example(schema["additionalProperties"])
        return made
    if kind == "array":
        return [example(schema["items"], name)]
    if kind == "string":
        return EXAMPLES.get(name, "abc")
    return {"integer": schema.get("minimum", 1), "boolean": True}[kind]


def longest(schema):
    """As long as it may be in the unit that its ceiling counts, of letters with two bytes."""
    return "\u00fc" * (schema["x-maxBytes"] // 2 if "x-maxBytes" in schema else schema["maxLength"])


def long_texts(schema, path=()):
    """(path, text) of every text in a body that has a ceiling and no pattern which such letters break."""
    part = branches(schema)[0]
    if part.get("type") == "string" and "maxLength" in part and not part.get("pattern", "").startswith("^[A-Z"):
        yield path, longest(part)
    for key, member in part.get("properties", {}).items():
        yield from long_texts(member, path + (key,))
    if isinstance(part.get("additionalProperties"), dict):
        yield from long_texts(part["additionalProperties"], path + ("KEY",))
    if part.get("type") == "array":
        yield from long_texts(part["items"], path + (0,))


def put(whole, path, value):
    """A copy of `whole` with another value at this path."""
    if not path:
        return value
    copy = dict(whole) if isinstance(whole, dict) else list(whole)
    copy[path[0]] = put(whole[path[0]], path[1:], value)
    return copy


def pointer(path):
    return "#" + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def encode(value):
    data = json.dumps(value).encode()
    for stand_in, raw in RAW.items():
        data = data.replace(stand_in.encode(), raw)
    return data


def bad_texts(schema):
    """(what, value) of a text."""
    if "const" in schema or "enum" in schema:
        yield "another word", "nosuchword"
    if "maxLength" in schema:
        yield "too long", "x" * (schema["maxLength"] + 1)
    if "x-maxBytes" in schema:
        yield "too many bytes", "\u00fc" * (schema["x-maxBytes"] // 2 + 1)
    if schema.get("minLength", 0) > 0:
        yield "too short", ""


def bad_values(schema):
    """(what, value) of this schema alone, whatever is inside."""
    alternatives = branches(schema)
    for name, value in VALUES.items():
        if name not in types_of(schema) and not (name == "integer" and "number" in types_of(schema)):
            yield f"{name}", value
    for kind in types_of(schema) & {"string"}:
        yield "NUL", "a" + NUL
        yield "half a surrogate", "a" + HALF
        yield "no UTF-8", "a" + BAD
        if len(alternatives) == 1:
            yield from bad_texts(alternatives[0])
    for part in alternatives:
        if "maximum" in part:
            yield "too large", part["maximum"] + 1
            yield "far too large", 10 ** 30
            yield "below zero", -1
        if "minItems" in part:
            yield "too few", []
        if "maxItems" in part:
            yield "too many", [example(part["items"])] * (part["maxItems"] + 1)
        if "maxProperties" in part:
            yield "too many", {f"K{i}": "" for i in range(part["maxProperties"] + 1)}


def spoiled(schema, whole, path=()):
    """(what, body as sent, pointer) of every way to spoil what stands at this path of `whole`."""
    for what, value in bad_values(schema):
        yield what, encode(put(whole, path, value)), pointer(path) if path else None
    part = branches(schema)[0]
    value = whole
    for step in path:
        value = value[step]
    if part.get("type") == "array":
        yield from spoiled(part["items"], whole, path + (0,))
    if part.get("type") != "object":
        return
    is_map = part.get("additionalProperties") is not False and "additionalProperties" in part
    if not is_map:
        yield "unknown", encode(put(whole, path, {**value, UNKNOWN: 1})), pointer(path + (UNKNOWN,))
    for key, member in value.items():
        twice = put(whole, path, {**value, "TWICE-HERE": member})
        yield "twice", encode(twice).replace(b"TWICE-HERE", key.encode()), pointer(path + (key,))
        for what, stand_in in (("NUL", NUL), ("half a surrogate", HALF), ("no UTF-8", BAD)):  # no name to point at
            yield f"{what} in a name", encode(put(whole, path, {**value, key + stand_in: member})), pointer(path) if path else None
        if key in part.get("required", []):
            yield "missing", encode(put(whole, path, {k: v for k, v in value.items() if k != key})), pointer(path + (key,))
        yield from spoiled(part["additionalProperties"] if is_map else part["properties"][key], whole, path + (key,))


def operations():
    for path, methods in API.document["paths"].items():
        for method, operation in methods.items():
            if method != "parameters" and "requestBody" in operation:
                yield f"{method.upper()} {path}", operation["requestBody"]


class Bodies(StackCase):
    @classmethod
    def setUpClass(cls):
        cls.github = GitHub()
        cls.addClassCleanup(cls.github.close)
        cls.world = Accounts(env=dict(cls.github.env(), FULLSTACKD_LOG_LEVEL="warn")).__enter__()
        cls.addClassCleanup(cls.world.__exit__, None, None, None)
        cls.owner = cls.world.sign_in("owner")
        cls.world.sign_in("chief")
        cls.world.sql("UPDATE users SET is_admin = true WHERE name = 'chief'")
        cls.admin = cls.world.sign_in("chief")
        other = cls.world.sign_in("other").json("GET", "/api/auth/session")["user"]["id"]
        project = cls.owner.json("POST", "/api/projects", {"name": "whose bodies"}, 200)["id"]
        variable = cls.owner.json("POST", f"/api/projects/{project}/environment", {"key": "THERE", "value": "v"}, 200)["id"]
        cls.parameters = {"id": project, "projectId": project, "envId": variable, "provider": "github"}
        cls.other = {"id": other}

    def ask(self, operation, body, kind=JSON):
        method, _, path = operation.partition(" ")
        is_admins = path.startswith("/api/admin/")
        path = path.format(**{**self.parameters, **(self.other if is_admins else {})})
        return (self.admin if is_admins else self.owner).request(method, path, raw=body, headers={"Content-Type": kind})

    def tables(self):
        found = {name: rows for name, rows in self.world.dump_tables() if name not in OF_OTHERS}
        limits = self.owner.json("GET", f"/api/projects/{self.parameters['id']}/limits")
        users = self.world.sql("SELECT to_jsonb(u) - 'seen_at' FROM users u ORDER BY id")
        return {**found, "users": users, "limits": (limits["idleStopSeconds"], limits["maxAgeSeconds"])}

    def test_each_is_refused_by_name_and_writes_nothing(self):
        tried = 0
        for operation, described in operations():
            whole = described["content"][JSON]["schema"]
            if is_free(whole):
                continue
            before = self.tables()
            for schema in branches(whole):
                good = example(schema)
                for what, body, where in spoiled(schema, good):
                    if what == "missing" and where == "#/variables":
                        continue  # without it the body is of the other kind
                    with self.subTest(operation, what=what, where=where, body=body[:120]):
                        answer = self.ask(operation, body)
                        if (operation, where) == OAUTH and what == "another word":
                            self.assertEqual((answer[0], json.loads(answer[2])["error"]), (400, "unsupported_grant_type"))
                            continue
                        problem = self.assert_problem(answer, 400, where)
                        self.assertEqual("errors" in problem, where is not None)
                        tried += 1
            for what, body in (("nothing", b"" if described["required"] else b" "), ("half", b'{"'), ("more", encode(good) + b"{}"),
                               ("depth", b"[" * 80 + b"]" * 80), ("no JSON", b"name=x")):
                with self.subTest(operation, what=what):
                    self.assert_problem(self.ask(operation, body), 400)
            with self.subTest(operation, what="size"):
                self.assert_problem(self.ask(operation, b'{"a":"' + b"x" * (1 << 20) + b'"}'), 413)
            with self.subTest(operation, what="writes"):
                after = self.tables()
                self.assertEqual([(name, after[name]) for name in after if after[name] != before[name]], [])
        self.assertGreater(tried, 400)

    def test_z_a_ceiling_is_where_the_description_says(self):
        """No text of as many bytes, or characters, as may be is refused for its length; a longer one is, above."""
        tried = []
        for operation, described in operations():
            whole = described["content"][JSON]["schema"]
            for schema in [] if is_free(whole) else branches(whole):
                for path, text in long_texts(schema):
                    tried.append((operation, path[-1]))
                    problem = json.loads(self.ask(operation, encode(put(example(schema), path, text)))[2])
                    if "errors" in problem:
                        self.assertNotIn("must have", problem["detail"], (operation, path))
        self.assertIn(("POST /api/projects", "description"), tried)
        self.assertIn(("POST /api/sandbox/{projectId}", "KEY"), tried)
        self.assertGreater(len(tried), 10)

    def test_z_a_parameters_ceiling_is_where_the_description_says(self):
        tried = 0
        for path, methods in API.document["paths"].items():
            for parameter in map(API.follow, methods.get("get", {}).get("parameters", [])):
                schema = parameter["schema"]
                if parameter["in"] != "query" or "x-maxBytes" not in schema:
                    continue
                tried += 1
                fits, long = ({parameter["name"]: text} for text in (longest(schema), longest(schema) + "x"))
                self.assertEqual(self.admin.request("GET", f"{path}?{urllib.parse.urlencode(fits)}")[0], 200, path)
                self.assert_problem(self.admin.request("GET", f"{path}?{urllib.parse.urlencode(long)}"), 400, parameter["name"])
        self.assertGreater(tried, 2)

    def test_what_is_not_looked_at_is_said_so(self):
        free = sorted(operation for operation, described in operations() if is_free(described["content"][JSON]["schema"]))
        for operation, described in operations():
            self.assertEqual(operation in free, "not looked at" in described.get("description", ""), operation)
        self.assertEqual(free, ["POST /api/auth/signout"] + [f"POST /api/projects/{{id}}/{verb}" for verb in
                                                            ("activity", "delete", "restart", "sandbox/start", "sandbox/stop", "start", "stop",
                                                             "sync-database")])


if __name__ == "__main__":
    main()
