# SPDX-License-Identifier: MIT
"""Holds answers of a server against the description of its API (docs/openapi.json): the status, the type of the body and its
shape. Knows as much of JSON Schema 2020-12 as the description uses, and says so when it uses more. An object is closed here
although clients are told to pass unknown members over: what is not described is not sent."""
import json
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int, "number": (int, float)}
METHODS = ("get", "put", "post", "delete", "patch")
WORDS = {"type", "properties", "required", "items", "oneOf", "enum", "const", "pattern", "minLength", "maxLength", "minimum", "maximum",
         "minItems", "maxItems", "maxProperties", "x-maxBytes", "additionalProperties", "propertyNames", "description", "format", "$ref"}
# What a connection answers before it knows what is asked for: no operation's own.
OF_THE_WIRE = {408, 414, 417, 431, 501, 505}
# Which errors every route has that is so, and what the description calls them: a row of `fullstackd routes --json`.
ERRORS = (
    (400, "BadRequest", lambda r: True),
    (401, "Unauthorized", lambda r: r["role"] in ("user", "session", "admin")),
    (403, "Forbidden", lambda r: r["method"] != "GET" or r["role"] in ("session", "admin")),
    (404, "NotFound", lambda r: "{" in r["path"]),
    (409, "Conflict", lambda r: r["method"] != "GET" and r["role"] != "public"),
    (413, "TooLarge", lambda r: r["method"] != "GET"),
    (415, "UnsupportedMediaType", lambda r: r["method"] != "GET"),
    (422, "KeyReused", lambda r: r["method"] == "POST" and r["role"] != "public"),
    (429, "TooManyRequests", lambda r: r["isRateLimited"]),
    (503, "NotNow", lambda r: r["path"].startswith("/api/")),
    (504, "TookTooLong", lambda r: r["path"].startswith("/api/")),
)
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class Mismatch(AssertionError):
    pass


def errors_of(route):
    """{status: reference} of the errors that a route has whatever its handler does."""
    return {str(status): {"$ref": f"#/components/responses/{name}"} for status, name, is_of in ERRORS if is_of(route)}


class Description:
    def __init__(self, path=os.path.join(ROOT, "docs", "openapi.json")):
        with open(path, encoding="utf-8") as file:
            self.document = json.load(file)
        # Names before parameters: /api/auth/sessions is no /api/auth/{provider}.
        self.paths = sorted(((re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), operations)
                             for path, operations in self.document["paths"].items()), key=lambda p: p[0].pattern.count("[^/]+"))

    def follow(self, part):
        while "$ref" in part:
            target = self.document
            for name in part["$ref"].removeprefix("#/").split("/"):
                target = target[name]
            part = target
        return part

    def operation(self, method, path):
        """None for a path that is not described: whoever asks for nonsense gets no more than a problem."""
        for pattern, operations in self.paths:
            if pattern.fullmatch(path):
                return operations.get(method.lower())
        return None

    def check_answer(self, method, target, status, kind, body):
        """Raises Mismatch when the answer is not one of those described. kind: Content-Type, or None; body: bytes."""
        operation = self.operation("get" if method == "HEAD" else method, target.partition("?")[0])
        if operation is None:
            return
        where = f"{method} {target} {status}"
        answers = operation["responses"]
        if str(status) not in answers and status not in OF_THE_WIRE:
            raise Mismatch(f"{where}: the status is not described")
        content = self.follow(answers.get(str(status), answers["default"])).get("content")
        if method == "HEAD" or status == 304 or (content is None and not body):
            return
        kind = (kind or "").partition(";")[0]
        if content is None or kind not in content:
            raise Mismatch(f"{where}: a body of {kind!r}, described is {list(content or [])}")
        if kind.endswith("json"):
            self.check_value(content[kind]["schema"], json.loads(body), where)

    def check_event(self, target, name, data):
        """The same for an event of a stream."""
        operation = self.operation("get", target.partition("?")[0])
        described = operation["responses"]["200"]["x-event-stream"]
        if name not in described:
            raise Mismatch(f"{target}: the event {name!r} is not described")
        self.check_value(described[name], data, f"{target} {name}")

    def check_value(self, schema, value, where):
        if set(schema) - WORDS:
            raise Mismatch(f"{where}: this check does not know {set(schema) - WORDS}")
        schema = self.follow(schema)
        if "oneOf" in schema:
            self.check_one(schema["oneOf"], value, where)
        if "const" in schema and value != schema["const"]:
            raise Mismatch(f"{where}: {value!r} is not {schema['const']!r}")
        if "enum" in schema and value not in schema["enum"]:
            raise Mismatch(f"{where}: {value!r} is none of {schema['enum']}")
        types = schema.get("type", [])
        types = types if isinstance(types, list) else [types]
        if types and not any(isinstance(value, TYPES[t]) and (t == "boolean") == isinstance(value, bool) for t in types):
            raise Mismatch(f"{where}: {value!r} is no {' or '.join(types)}")
        if isinstance(value, str):
            self.check_text(schema, value, where)
        elif isinstance(value, list):
            for i, item in enumerate(value):
                self.check_value(schema.get("items", {}), item, f"{where}/{i}")
        elif isinstance(value, dict) and "properties" in schema:
            self.check_object(schema, value, where)

    def check_one(self, schemas, value, where):
        whys = []
        for schema in schemas:
            try:
                self.check_value(schema, value, where)
            except Mismatch as why:
                whys.append(str(why))
        if len(whys) != len(schemas) - 1:
            raise Mismatch(f"{where}: {len(schemas) - len(whys)} of {len(schemas)} fit: {whys}")

    def check_text(self, schema, value, where):
        if schema.get("format") == "date-time" and not DATE_TIME.fullmatch(value):
            raise Mismatch(f"{where}: {value!r} is no time")
        if "pattern" in schema and not re.search(schema["pattern"], value):
            raise Mismatch(f"{where}: {value!r} does not match {schema['pattern']}")
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            raise Mismatch(f"{where}: {value!r} is too short or too long")

    def check_object(self, schema, value, where):
        for name in schema.get("required", []):
            if name not in value:
                raise Mismatch(f"{where}/{name}: is missing")
        for name, member in value.items():
            if name not in schema["properties"]:
                raise Mismatch(f"{where}/{name}: is not described")
            self.check_value(schema["properties"][name], member, f"{where}/{name}")
