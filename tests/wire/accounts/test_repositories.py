#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The list of a user's repositories at GitHub, against a stand-in: each user's own by his own token, page by page, and what
GitHub says instead told as what it is. Runs inside with_services.py."""
import http.client
import json
import re

from accounts import main
from github import GitHub
from github_case import GitHubCase

PATH = "/api/github/repositories"
ASKED = "/api/v3/user/repos"
JSON = "application/json; charset=utf-8"
REPO = {"id": 5, "full_name": "ada/odd", "private": False}
# As many members as GitHub sends of each, most of them addresses.
FULL = {**REPO, **{f"member_{i}_url": "https://api.github.example/repos/ada/odd/member{/sha}" for i in range(90)},
        "owner": {f"owner_{i}_url": "https://api.github.example/users/ada/owner{/other}" for i in range(18)},
        "permissions": {"admin": True, "push": True}, "topics": ["one", "two"], "license": {"key": "mit", "url": None}}


class ListCase(GitHubCase):
    def setUp(self):
        super().setUp()
        self.login = self._testMethodName.replace("_", "-")[5:39].strip("-")  # of each test its own
        self.browser = self.signed_in(self.login)

    def signed_in(self, login):
        if login not in self.github.users:
            self.github.users[login] = GitHub.user(5000 + len(self.github.users), login)
        return super().signed_in(login)

    def list(self, query="", browser=None):
        """(names, the Link field)."""
        status, fields, body = (browser or self.browser).request("GET", PATH + query)
        self.assertEqual(status, 200, body)
        told = json.loads(body)
        self.assertEqual(told["count"], len(told["repositories"]))
        return [repo["fullName"] for repo in told["repositories"]], fields["Link"]

    def refused(self, status, code):
        answer = self.browser.request("GET", PATH)
        self.assert_problem(answer, status)
        self.assertEqual(json.loads(answer[2])["code"], code)
        return answer


class Listing(ListCase):
    def test_ones_own_and_those_of_others_the_last_changed_first(self):
        number = self.github.add_repo(f"{self.login}/first", is_private=True)
        self.github.add_repo("somebody/secret", is_private=True)
        self.github.add_repo("somebody/shared", is_private=True, seen_by={self.login})
        self.github.add_repo(f"{self.login}/.last")
        for i, name in enumerate((f"{self.login}/first", "somebody/shared", f"{self.login}/.last")):
            self.github.repos[self.github.find_repo(name)]["updated_at"] = f"2026-02-0{i + 1}T00:00:00Z"
        self.github.repos[number]["permissions"]["push"] = False
        self.assertEqual(self.list(), ([f"{self.login}/.last", "somebody/shared", f"{self.login}/first"], None))
        self.assertEqual(self.browser.json("GET", PATH, status=200)["repositories"][2], {
            "id": number, "name": "first", "fullName": f"{self.login}/first", "private": True,
            "htmlUrl": f"{self.github.url}/{self.login}/first", "defaultBranch": "main",
            "updatedAt": "2026-02-01T00:00:00.000Z", "canPush": False})

    def test_page_by_page_each_once(self):
        names = {f"{self.login}/r{i}" for i in range(7)}
        for name in names:
            self.github.add_repo(name)
        path, seen = "?limit=3", []
        while path:
            page, link = self.list(path)
            seen.append(page)
            found = link and re.fullmatch(rf'<{PATH}(\?limit=3&page=\d+)>; rel="next"', link)
            self.assertEqual(bool(found), len(seen) < 3, link)
            path = found and found.group(1)
        self.assertEqual([len(page) for page in seen], [3, 3, 1])
        self.assertEqual({name for page in seen for name in page}, names)
        self.assertEqual(self.list("?page=1000"), ([], None))

    def test_no_address_out_of_an_answer_is_asked_or_passed_on(self):
        evil = {"Link": '<https://evil.example/steal>; rel="next", <https://evil.example/last>; rel="last"'}
        self.github.fault[ASKED] = lambda h: self.github.send(h, 200, JSON, b"[]", **evil)
        before = len(self.github.calls)
        self.assertEqual(self.list(), ([], f'<{PATH}?limit=30&page=2>; rel="next"'))
        self.assertEqual(len(self.github.calls), before + 1)
        moved = {"Location": f"{self.github.url}{ASKED}"}
        self.github.fault[ASKED] = lambda h: self.github.send(h, 302, JSON, b"{}", **moved)
        self.refused(502, "upstream")
        self.assertEqual(len(self.github.calls), before + 2)
        self.github.fault[ASKED] = lambda h: self.github.send(h, 200, JSON, b"[]", **evil)
        self.assertEqual(self.list("?page=1000"), ([], None))

    def test_a_page_has_bounds(self):
        before = len(self.github.calls)
        for query, field in (("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"), ("limit=-1", "limit"),
                             ("page=0", "page"), ("page=1001", "page"), ("page=1%260", "page"), ("page=", "page")):
            self.assert_problem(self.browser.request("GET", f"{PATH}?{query}"), 400, field)
        self.assertEqual(len(self.github.calls), before)

    def test_a_whole_page_of_full_documents_is_read(self):
        page = [{**FULL, "id": i + 1, "full_name": f"ada/r{i}"} for i in range(100)]
        self.github.fault[ASKED] = (200, JSON, json.dumps(page).encode())
        self.assertEqual(self.list("?limit=100")[0], [f"ada/r{i}" for i in range(100)])

    def test_what_is_not_needed_may_be_missing(self):
        odd = [REPO, {**REPO, "default_branch": "b" * 300, "updated_at": "yesterday", "permissions": [], "html_url": "javascript:1"},
               {**REPO, "default_branch": None, "updated_at": None, "permissions": {"push": "yes"}}]
        self.github.fault[ASKED] = (200, JSON, json.dumps(odd).encode())
        for repo in self.browser.json("GET", PATH, status=200)["repositories"]:
            self.assertEqual((repo["defaultBranch"], repo["updatedAt"], repo["canPush"], repo["htmlUrl"]),
                             (None, None, False, f"{self.github.url}/ada/odd"))

    def test_a_program_may_read_it_with_a_token_of_that_scope(self):
        self.github.add_repo(f"{self.login}/read")
        self.assertEqual(self.list(browser=self.world.token(self.browser, ["read"]))[0], [f"{self.login}/read"])


class Refusals(ListCase):
    def test_who_never_came_by_github_is_told_so(self):
        answer = self.world.sign_in("local").request("GET", PATH)
        self.assert_problem(answer, 409, word="sign")
        self.assertEqual(json.loads(answer[2])["code"], "GitHubAccountMissing")

    def test_a_revoked_token_asks_for_a_sign_in_and_the_next_one_works(self):
        for token in [t for t, login in self.github.tokens.items() if login == self.login]:
            del self.github.tokens[token]
        self.refused(409, "GitHubSignInNeeded")
        self.assertIsNotNone(self.browser.user)
        self.browser = self.signed_in(self.login)
        self.assertEqual(self.list(), ([], None))

    def test_what_github_says_instead_is_told_as_what_it_is(self):
        def page(**changes):
            return json.dumps([REPO, {**REPO, **changes}]).encode()
        limits = {"X-RateLimit-Remaining": "0"}
        for what, fault, status, code in (
                ("a scope that is missing", (403, JSON, b'{"message":"Resource not accessible by integration"}'), 403, "GitHubDenied"),
                ("500", (500, JSON, b"{}"), 503, "GitHubUnavailable"),
                ("a proxy's 502", (502, "text/html", b"<html>"), 503, "GitHubUnavailable"),
                ("404", (404, JSON, b'{"message":"Not Found"}'), 502, "upstream"),
                ("422", (422, JSON, b'{"message":"Validation Failed"}'), 502, "upstream"),
                ("204", (204, None, b""), 502, "upstream"),
                ("HTML", (200, "text/html", page()), 502, "upstream"),
                ("half of it", (200, JSON, page()[:20]), 502, "upstream"),
                ("one", (200, JSON, json.dumps(REPO).encode()), 502, "upstream"),
                ("null", (200, JSON, b"null"), 502, "upstream"),
                ("a list of texts", (200, JSON, b'["ada/odd"]'), 502, "upstream"),
                ("one without an id", (200, JSON, page(id=None)), 502, "upstream"),
                ("a name that is none", (200, JSON, page(full_name="../odd")), 502, "upstream"),
                ("not whether it is private", (200, JSON, page(private="no")), 502, "upstream"),
                ("more than was asked for", (200, JSON, json.dumps([REPO] * 101).encode()), 502, "upstream"),
                ("too much", (200, JSON, b'[{"a":"' + b"x" * (2 << 20) + b'"}]'), 502, "upstream"),
                ("too many members", (200, JSON, b"[" + b"1," * 50000 + b"1]"), 502, "upstream"),
                ("depth", (200, JSON, b"[" * 5000 + b"]" * 5000), 502, "upstream"),
                ("silence", self.github.silence, 504, "timeout"),
                ("a body without end", self.github.drip, 504, "timeout"),
                ("a cut connection", self.github.cut, 502, "upstream"),
                ("429", (429, JSON, b"{}"), 503, "GitHubRateLimited"),
                ("a secondary limit", (403, JSON, b'{"message":"You have exceeded a secondary rate limit."}'), 503, "GitHubRateLimited"),
                ("a primary limit", lambda h: self.github.send(h, 403, JSON, b"{}", **limits), 503, "GitHubRateLimited")):
            with self.subTest(what):
                self.github.fault = {ASKED: fault}
                self.refused(status, code)

    def test_how_long_github_wants_to_be_left_alone_is_passed_on(self):
        self.github.rate_left = 0
        _, fields, _ = self.refused(503, "GitHubRateLimited")
        self.assertTrue(1700 < int(fields["Retry-After"]) <= 1801, fields["Retry-After"])

    def test_a_client_that_leaves_ends_the_call(self):
        self.github.fault = {ASKED: self.github.silence}
        connection = http.client.HTTPConnection("127.0.0.1", self.world.port, timeout=30)
        connection.request("GET", PATH, headers=self.browser.headers())
        connection.close()
        self.github.fault.clear()
        self.assertEqual(self.list(), ([], None))


class Away(ListCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.github.server.RequestHandlerClass.protocol_version = "HTTP/1.0"  # no connection outlives its answer

    def test_a_github_that_is_away_is_told(self):
        self.github.server.shutdown()
        self.github.server.server_close()
        self.refused(503, "GitHubUnavailable")
        self.assertIsNotNone(self.browser.user)


if __name__ == "__main__":
    main()
