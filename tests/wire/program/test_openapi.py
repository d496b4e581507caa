#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The description of the API says what the program's own tables say: the same routes, who may call them, which take a body,
which words there are. That answers are as described is checked by every test that asks (tests/harness/openapi.py)."""
import json
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "harness"))
from openapi import METHODS, ROOT, Description, Mismatch, errors_of  # noqa: E402

API = Description()
DOCUMENT = API.document
SESSION, TOKEN = {"session": []}, {"token": []}
SECURITY = {"public": [], "optional": [{}, SESSION, TOKEN], "user": [SESSION, TOKEN], "session": [SESSION], "admin": [SESSION, TOKEN]}
# Schema: the X-macro of core/stage.h or core/action.h and which of its texts; "" and "none" are not sent.
WORDS = {"StageId": ("STAGES", 0), "StageStatus": ("STAGE_STATUSES", 0), "SandboxStatus": ("SANDBOX_STATUSES", 0),
         "SandboxState": ("SANDBOX_STATUSES", 1), "Outcome": ("OUTCOMES", 0), "Desired": ("DESIREDS", 0), "Reason": ("REASONS", 0),
         "Action": ("ACTIONS", 0)}


def operations():
    return {(method.upper(), path): operation for path, methods in DOCUMENT["paths"].items()
            for method, operation in methods.items() if method in METHODS}


def texts_of(macro, which):
    source = ""
    for header in ("stage.h", "action.h"):
        with open(os.path.join(ROOT, "core", header), encoding="utf-8") as file:
            source += file.read()
    rows = re.search(rf"#define {macro}\(X\)(.*?[^\\])\n\n", source, re.S).group(1)
    found = [re.findall(r'"([^"]*)"', row)[which] for row in re.findall(r'X\(\w+,\s*"[^)]*', rows)]
    return [text for text in found if text not in ("", "none")]


def references(part):
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def schemas_with(word, part):
    if isinstance(part, dict):
        if word in part:
            yield part
        for value in part.values():
            yield from schemas_with(word, value)
    elif isinstance(part, list):
        for value in part:
            yield from schemas_with(word, value)


class OpenApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        out = subprocess.run([os.environ["FS_SERVER"], "routes", "--json"], check=True, capture_output=True, text=True).stdout
        cls.routes = {(r["method"], r["path"]): r for r in json.loads(out)}

    def test_each_route_is_described_and_nothing_else(self):
        self.assertEqual(sorted(operations()), sorted(self.routes))

    def test_who_may_call_is_what_the_table_says(self):
        for key, operation in operations().items():
            self.assertEqual(operation["security"], SECURITY[self.routes[key]["role"]], key)

    def test_a_body_is_described_where_one_is_taken(self):
        for key, operation in operations().items():
            self.assertEqual("requestBody" in operation, self.routes[key]["bodyBytes"] > 0, key)

    def test_a_form_is_described_where_one_is_taken(self):
        for key, operation in operations().items():
            types = {"application/json"} | ({"application/x-www-form-urlencoded"} if self.routes[key]["takesForm"] else set())
            self.assertEqual(set(operation.get("requestBody", {}).get("content", types)), types, key)

    def test_errors_that_the_table_brings_are_described(self):
        """What a handler answers beside them is found by the wire tests. FS_UPDATE_GOLDEN=1 writes those that are missing."""
        for key, operation in operations().items():
            for status, reference in errors_of(self.routes[key]).items():
                if "FS_UPDATE_GOLDEN" in os.environ:
                    operation["responses"].setdefault(status, reference)
                self.assertIn(status, operation["responses"], key)
            if "FS_UPDATE_GOLDEN" in os.environ:
                operation["responses"] = dict(sorted(operation["responses"].items()))
        if "FS_UPDATE_GOLDEN" in os.environ:
            with open(os.path.join(ROOT, "docs", "openapi.json"), "w", encoding="utf-8") as file:
                file.write(json.dumps(DOCUMENT, indent=1, ensure_ascii=False) + "\n")

    def test_parameters_of_the_path_are_described(self):
        for (method, path), operation in operations().items():
            named = [p["name"] for p in map(API.follow, operation.get("parameters", [])) if p["in"] == "path"]
            self.assertEqual(named, re.findall(r"\{(\w+)\}", path), (method, path))

    def test_words_are_those_of_the_program(self):
        for schema, (macro, which) in WORDS.items():
            self.assertEqual(DOCUMENT["components"]["schemas"][schema]["enum"], texts_of(macro, which), schema)

    def test_operations_have_a_name_of_their_own_and_a_summary(self):
        names = [operation["operationId"] for operation in operations().values()]
        self.assertEqual(len(names), len(set(names)))
        self.assertTrue(all(operation["summary"] for operation in operations().values()))

    def test_a_ceiling_in_bytes_is_said_in_words_and_holds_in_characters(self):
        """maxLength counts characters, and no text has more of them than bytes."""
        found = list(schemas_with("x-maxBytes", DOCUMENT))
        self.assertGreater(len(found), 10)
        for schema in found:
            self.assertEqual(schema["maxLength"], schema["x-maxBytes"])
            self.assertTrue(schema["description"].endswith(f"At most {schema['x-maxBytes']} bytes of UTF-8."), schema)

    def test_every_reference_leads_somewhere_and_every_part_is_used(self):
        used = set(references(DOCUMENT))
        for reference in used:
            API.follow({"$ref": reference})
        parts = {f"#/components/{kind}/{name}" for kind in ("schemas", "parameters", "responses") for name in DOCUMENT["components"][kind]}
        self.assertEqual(parts - used, set())

    def test_the_version_is_the_programs(self):
        out = subprocess.run([os.environ["FS_SERVER"], "--version"], check=True, capture_output=True, text=True).stdout
        self.assertIn(DOCUMENT["info"]["version"], out)


class Check(unittest.TestCase):
    """The check itself finds what it is for."""

    def refused(self, method, target, status, kind, body):
        with self.assertRaises(Mismatch):
            API.check_answer(method, target, status, kind, json.dumps(body).encode())

    def test_what_is_not_described_is_found(self):
        good = {"name": "eu", "isDefault": True, "status": "available"}
        API.check_answer("GET", "/api/clusters?x=1", 200, "application/json", json.dumps([good]).encode())
        API.check_answer("GET", "/nowhere", 418, "text/plain", b"")
        self.refused("GET", "/api/clusters", 201, "application/json", [good])
        self.refused("GET", "/api/clusters", 200, "text/plain", [good])
        self.refused("GET", "/api/clusters", 404, "application/json", {"error": "x"})
        for bad in ({**good, "more": 1}, {**good, "status": "fine"}, {**good, "isDefault": 1}, {"name": "eu", "isDefault": True}):
            self.refused("GET", "/api/clusters", 200, "application/json", [bad])


if __name__ == "__main__":
    unittest.main()
