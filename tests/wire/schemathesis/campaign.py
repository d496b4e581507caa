# SPDX-License-Identifier: MIT
"""Every operation of docs/openapi.json asked by schemathesis, with data that fits the description and data that does not,
of a whole server. Runs in the environment that test_schemathesis.py makes; argument: user or admin, whose API token it is
that asks.

What fits is served or refused for a reason that is described, what does not fit is refused, and every answer has a status,
fields and a body that stand in the description, error statuses included: `default` does not count. An operation that was
never served although somebody was there whom it serves is a failure too, since nothing would have been tried then."""
import collections
import json
import os
import re
import sys

import hypothesis
import requests
import schemathesis
from schemathesis import checks
from schemathesis.cli import schemathesis as command
from schemathesis.generation import GenerationMode

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "accounts"))
from accounts import Accounts  # noqa: E402
from stack import API  # noqa: E402

SEED = 20260101
EXAMPLES = int(os.environ.get("FS_SCHEMATHESIS_EXAMPLES", "6"))
ANY = "*"

# What is not asked at all: operation, why.
LEFT_OUT = {
    "GET /api/events": "has no end: Streams of this file reads how it begins",
    "GET /api/sandbox/{projectId}/events": "the same",
}

# Data that fits and is refused nevertheless: operation, what the refusal says, why the description cannot say it.
REFUSED = [
    (ANY, "a NUL character", "no text that PostgreSQL stores can hold U+0000"),
    (ANY, "holds a byte that is not allowed", "of no query, control characters in an address are refused before it is read"),
    ("POST /api/projects", "there is no such cluster", "which there are is said by GET /api/clusters"),
    (ANY, "must have a length in bytes", "JSON Schema counts characters"),
    ("POST /api/projects/{id}/environment", "there is none to keep", "a value may be left out of a variable there is"),
    ("POST /api/projects/{id}/environment", "stands there twice", "uniqueness by a member is no word of JSON Schema"),
    ("POST /api/projects/{id}/github", "username/repository", "a name alone is one of the user's own, with create"),
    ("POST /api/projects/{id}/github", "does not know GitHub", "the server's configuration"),
    ("POST /api/auth/signout", "must have at most 16 bytes", "JSON Schema counts characters"),
    ("POST /api/projects/{id}/start", "There is no sandbox to start", "the state of the project"),
    ("POST /api/projects/{id}/stop", "There is no sandbox to stop", "the state of the project"),
    ("POST /api/projects/{id}/restart", "There is no sandbox to restart", "the state of the project"),
    ("POST /api/projects/{id}/sandbox/start", "There is no sandbox to start", "the state of the project"),
    ("POST /api/projects/{id}/sandbox/stop", "There is no sandbox to stop", "the state of the project"),
    ("POST /api/projects/{id}/sandbox/start", "A sandbox that is", "the state of the sandbox"),
    ("POST /api/projects/{id}/sandbox/stop", "A sandbox that is", "the state of the sandbox"),
    ("POST /api/projects/{id}/start", "A project that is", "the state of the project"),
    ("POST /api/projects/{id}/stop", "A project that is", "the state of the project"),
    ("POST /api/projects/{id}/restart", "A project that is", "the state of the project"),
    ("POST /api/auth/device/token", "expired_token", "a code that nobody gave out (RFC 8628 section 3.5)"),
    ("POST /api/auth/device/token", "authorization_pending", "nobody said yes yet"),
    ("POST /api/auth/device/token", "slow_down", "asked again too soon"),
    ("POST /api/auth/device/token", "access_denied", "somebody said no"),
]

# Data that does not fit and is taken nevertheless: operation, why.
TAKEN = {
    "GET /api/auth/signin/{provider}": "every link that could start a sign-in leads to the one page with the button",
    "POST /api/auth/signout": "the body is not looked at",
    "POST /api/projects/{id}/activity": "the same",
    "POST /api/projects/{id}/start": "the same",
    "POST /api/projects/{id}/stop": "the same",
    "POST /api/projects/{id}/restart": "the same",
    "POST /api/projects/{id}/delete": "the same",
    "POST /api/projects/{id}/sandbox/start": "the same",
    "POST /api/projects/{id}/sandbox/stop": "the same",
    "POST /api/projects/{id}/sync-database": "the same",
    "POST /api/sandbox/{projectId}": "clients of the original send no JSON or anything: that is {}",
}

# Perhaps served to nobody here: operation, why.
NOT_SERVED = {
    "POST /api/projects/{id}/start": "hangs on the state of the project; wire/stack/test_stop.py",
    "POST /api/projects/{id}/stop": "the same",
    "POST /api/projects/{id}/restart": "the same",
    "POST /api/projects/{id}/sandbox/start": "the same; wire/stack/test_aliases.py",
    "POST /api/projects/{id}/sandbox/stop": "the same",
    "GET /api/projects/{id}/sandbox/status": "the same",
    "GET /api/github/repositories": "GitHub is not configured here; wire/accounts/test_repositories.py",
    "POST /api/auth/signin-link": "a link is for one use by a person",
    "POST /api/auth/signin/{provider}": "GitHub is not configured here; wire/accounts/test_github.py",
    "GET /api/auth/callback/{provider}": "the same",
    "POST /api/auth/device/token": "a person has to say yes first; wire/accounts/test_device.py",
    "POST /api/projects/{id}/github": "the same; wire/accounts/test_repository.py",
    "GET /api/projects/{id}/sync-database": "there is no database yet; wire/stack/test_database.py",
    "POST /api/projects/{id}/sync-database": "the same",
}
# RFC 9110 section 9.1: a method that a server does not know at all is 501, not 405.
UNKNOWN_METHODS = ("TRACE", "QUERY", "CONNECT")

OURS = {"not_a_server_error", "unsupported_method", "positive_data_acceptance", "negative_data_rejection"}


def document(world):
    """The description as it is asked of this server: of errors only what is named counts, and the cookie has its name."""
    told = json.loads(json.dumps(API.document))
    for operations in told["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("default", None)
    told["components"]["securitySchemes"]["session"]["name"] = "sid"
    path = os.path.join(world.dir, "openapi.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(told, file)
    return path


def text_of(response):
    return response.content.decode(errors="replace")


class Callers:
    """Who asks what: a person where only a session may, an administrator under /api/admin, else the token of this run."""

    def __init__(self, world, who):
        self.world = world
        self.who = who
        self.user = None
        self.enter()

    def enter(self):
        """At the start, and after an administrator has locked somebody out."""
        user = self.world.sign_in("user")
        boss = self.world.sign_in("boss")
        self.world.sql("UPDATE users SET is_admin = true WHERE name = 'boss'")
        self.admin = self.world.token(boss, ["admin"])
        self.bearer = self.admin if self.who == "admin" else self.world.token(user, ["write"])
        self.ids = {client.json("GET", "/api/auth/session", status=200)["user"]["id"] for client in (user, boss)}
        self.person = None
        self.project = None

    def of(self, operation):
        if operation.definition.raw["security"] != [{"session": []}]:
            return self.admin if operation.path.startswith("/api/admin/") else self.bearer
        if self.person is None:
            self.person = self.world.sign_in("person")
        return self.person

    def a_project(self):
        if self.project is None:
            self.project = self.bearer.json("POST", "/api/projects", {"name": "asked"}, 200)["id"]
        return self.project

    def a_user(self):
        if self.user is None:
            self.user = self.world.sign_in("locked-out").json("GET", "/api/auth/session", status=200)["user"]["id"]
        return self.user

    def a_session(self):
        return self.world.sign_in("person").json("GET", "/api/auth/sessions", status=200)[0]["id"]

    def a_variable(self):
        made = self.bearer.json("POST", f"/api/projects/{self.a_project()}/environment", {"key": "K", "value": "v"}, 200)
        return made["id"]


class Campaign:
    def __init__(self, world, who):
        self.world = world
        self.callers = Callers(world, who)
        self.statuses = collections.defaultdict(collections.Counter)
        self.asked_n = 0
        self.asked = collections.Counter()  # of each operation, so that one more changes nothing for the others
        self.keys = {""}

    def hook(self):
        campaign = self

        @schemathesis.auth(refresh_interval=None)
        class Credentials:
            def get(self, case, _):
                return campaign.callers.of(case.operation)

            def set(self, case, caller, _):
                if caller is campaign.callers.person:
                    case.headers["Origin"] = f"http://127.0.0.1:{campaign.world.port}"
                    case.cookies["sid"] = caller.cookie.partition("=")[2]
                else:
                    case.headers.update(caller.headers())

        @schemathesis.hook
        def before_call(_, case, **__):
            campaign.aim(case)

        @schemathesis.hook
        def after_call(_, case, response):
            campaign.note(case, response)

        for name in OURS:
            self.replace(name)

    def aim(self, case):
        """Every second case with a project's id gets that of a project there is, and so with variables and codes. An
        Idempotency-Key is for one request: the answer to another would say nothing else."""
        self.asked_n += 1
        self.asked[case.operation.label] += 1
        is_aimed = self.asked[case.operation.label] % 2 == 1
        key = str((case.headers or {}).get("Idempotency-Key", "")).strip('"')  # a key may be written as a quoted string
        if key in self.keys and not is_off(case, "header"):
            case.headers["Idempotency-Key"] = f"of-request-{self.asked_n}"
        self.keys.add(key)
        body = with_whole_numbers(case.body)
        if not is_off(case, "body") and repr(body) != repr(case.body):
            case.body = body
        if case.operation.label == "GET /api/auth/device" and is_aimed and not is_off(case, "query"):
            case.query["user_code"] = self.callers.bearer.json("POST", "/api/auth/device/code", {}, 200)["user_code"]
        if case.path == "/api/admin/audit" and not is_off(case, "query"):
            case.query.setdefault("limit", 5)  # everything asked here stands in it
        if is_aimed and not is_off(case, "path"):
            self.aim_path(case)

    def aim_path(self, case):
        fields = case.path_parameters
        if case.path == "/problems/{slug}":
            fields["slug"] = "denied"
        if case.path.startswith("/api/admin/users/"):
            fields["id"] = self.callers.a_user()
        if case.path == "/api/auth/sessions/{id}":
            fields["id"] = self.callers.a_session()
        of_project = "projectId" if "{projectId}" in case.path else "id" if "/projects/{id}" in case.path else None
        if of_project is None:
            return
        fields[of_project] = self.callers.a_project()
        if "{envId}" in case.path:
            fields["envId"] = self.callers.a_variable()

    def note(self, case, response):
        asked = response.request.method
        if asked == case.operation.method.upper():  # else it was a method that the path does not have
            self.statuses[case.operation.label][response.status_code] += 1
        is_served = response.status_code < 300
        if is_served and case.method == "DELETE" and case.path.startswith("/api/auth/sessions"):
            self.callers.person = None
        if is_served and case.operation.label in ("DELETE /api/projects/{id}", "POST /api/projects/{id}/delete"):
            self.callers.project = None
        is_about_user = case.path.startswith("/api/admin/users/") and asked in ("DELETE", "PATCH")
        if is_about_user and case.path_parameters["id"] in self.callers.ids and response.status_code < 300:
            self.callers.enter()
        if case.path == "/api/auth/signout":
            self.callers.person = None

    @staticmethod
    def replace(name):
        """The check of that name, but for what stands in the tables above."""
        original = checks.CHECKS.get_one(name)

        def check(ctx, response, case):
            return None if is_known(name, response, case) else original(ctx, response, case)

        check.__name__ = f"our_{name}"
        schemathesis.check(check)

    def run(self):
        argv = ["run", document(self.world), "--url", f"http://127.0.0.1:{self.world.port}", "--seed", str(SEED),
                "--max-examples", str(EXAMPLES), "--mode", "all", "--checks", "all", "--exclude-checks", ",".join(sorted(OURS)),
                "--phases", "coverage,fuzzing,stateful", "--generation-database", "none", "--continue-on-failure",
                "--request-timeout", "20", "--warnings", "off", "--no-color", "--output-truncate", "false", "--output-sanitize", "false",
                "--exclude-path-regex", "|".join(f"^{re.escape(o.partition(' ')[2])}$" for o in LEFT_OUT)]
        try:
            command(argv, standalone_mode=False)
        except SystemExit as e:
            return e.code or 0
        return 0

    def table(self):
        for label, counts in sorted(self.statuses.items()):
            print(f"{label:55} {' '.join(f'{status}x{n}' for status, n in sorted(counts.items()))}")

    def never_served(self):
        return [label for label, counts in self.statuses.items()
                if label not in NOT_SERVED and not any(200 <= status < 400 and status != 304 for status in counts)]


def with_whole_numbers(value):
    """JSON Schema takes 1.0 for an integer; this server wants it written 1."""
    if isinstance(value, dict):
        return {key: with_whole_numbers(member) for key, member in value.items()}
    if isinstance(value, list):
        return [with_whole_numbers(member) for member in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def is_off(case, where):
    """Is what stands in this part of the request meant not to fit?"""
    part = {str(location): info for location, info in case.meta.components.items()} if case.meta else {}
    return any(where in name.lower() and info.mode is GenerationMode.NEGATIVE for name, info in part.items())


def is_known(check, response, case):
    label = case.operation.label
    if check in ("not_a_server_error", "unsupported_method"):
        return response.request.method in UNKNOWN_METHODS and response.status_code == 501
    if check == "negative_data_rejection":
        # A header field that nobody knows is passed over, as everywhere.
        return label in TAKEN or "x-schemathesis-unknown-property" in (case.headers or {})
    return any(operation in (ANY, label) and words in text_of(response) for operation, words, _ in REFUSED)


# ---- streams: how they begin ----

class Streams:
    """Each case is answered by a refusal that is described, by 204 (nothing to tell any more), or by a stream."""

    def __init__(self, campaign):
        self.campaign = campaign
        self.url = f"http://127.0.0.1:{campaign.world.port}"
        self.schema = schemathesis.openapi.from_path(document(campaign.world))

    def run(self):
        for label in LEFT_OUT:
            operation = self.schema[label.partition(" ")[2]]["GET"]
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                self.run_mode(operation, mode)

    def run_mode(self, operation, mode):
        @hypothesis.seed(SEED)
        @hypothesis.settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[hypothesis.Phase.generate],
                             suppress_health_check=list(hypothesis.HealthCheck))
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def look(case):
            self.look(case, mode)

        look()

    def look(self, case, mode):
        self.campaign.aim(case)
        asked = case.as_transport_kwargs(base_url=self.url, headers=self.campaign.callers.bearer.headers())
        with requests.request(**asked, stream=True, timeout=20) as answer:
            self.campaign.statuses[case.operation.label][answer.status_code] += 1
            where = f"{asked['url']} {asked.get('params')} {asked['headers']}"
            if answer.status_code == 200:
                self.beginning(case, answer, where)
            else:
                API.check_answer("GET", case.operation.path, answer.status_code, answer.headers.get("Content-Type"), answer.content)
            # What does not fit may be a parameter that nobody knows: that is passed over.
            assert mode is GenerationMode.NEGATIVE or answer.status_code in (200, 204, 404), (where, answer.status_code)

    @staticmethod
    def beginning(case, answer, where):
        """What comes at once: how long to wait before asking again, then, unless the stream goes on from where another
        ended, how everything stands."""
        assert answer.headers["Content-Type"].partition(";")[0] == "text/event-stream", where
        lines = answer.iter_lines(chunk_size=1, decode_unicode=True)
        assert next(lines).startswith("retry: ") and next(lines) == "", where
        if case.path != "/api/events" or case.query or case.headers and "Last-Event-ID" in case.headers:
            return
        event = dict(line.partition(": ")[::2] for line in iter(lambda: next(lines), ""))
        API.check_event(case.path, event["event"], json.loads(event["data"]))


def main():
    with Accounts() as world:
        campaign = Campaign(world, sys.argv[1])
        campaign.hook()
        status = campaign.run()
        Streams(campaign).run()
        campaign.table()
        unserved = campaign.never_served()
        if unserved:
            print("never served:", *unserved, sep="\n  ")
        if status or unserved:
            raise SystemExit(1)


if __name__ == "__main__":
    main()
