#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A project and its repository at GitHub, against a stand-in: connected only with what GitHub told of, made once however
often it is asked for and wherever it is cut off. Runs inside with_services.py."""
import concurrent.futures
import http.client
import json
import threading

from accounts import main, wait_for
from github import GitHub
from github_case import GitHubCase

API = "/api/v3"
MAKE = API + "/user/repos"
JSON = "application/json; charset=utf-8"


class RepositoryCase(GitHubCase):
    def setUp(self):
        super().setUp()
        self.browser = self.signed_in("ada")
        self.project = self.browser.json("POST", "/api/projects", {"name": "engine"}, 200)["id"]
        self.path = f"/api/projects/{self.project}/github"

    def connect(self, name, status=200, browser=None, **more):
        return (browser or self.browser).json("POST", self.path, {"repoName": name, **more}, status)

    def connected(self):
        return self.browser.json("GET", self.path, status=200)

    def refused(self, status, code, name, headers=None, **more):
        answer = self.browser.request("POST", self.path, {"repoName": name, **more}, headers=headers)
        self.assert_problem(answer, status)
        self.assertEqual(json.loads(answer[2])["code"], code)
        return answer

    def posts(self, name):
        return [path for path, wish in self.github.posted if wish["name"] == name]


class Connecting(RepositoryCase):
    def test_what_clients_of_the_original_send_and_read(self):
        self.github.add_repo("ada/original", is_private=True)
        self.assertEqual({k: self.connected()[k] for k in ("githubRepo", "connected")},
                         {"githubRepo": None, "connected": False})
        answer = self.connect("ada/original")
        self.assertEqual((answer["success"], answer["githubRepo"]), (True, "ada/original"))
        told = self.connected()
        self.assertEqual((told["githubRepo"], told["connected"], told["private"], told["pendingRepo"]),
                         ("ada/original", True, True, None))
        self.assertEqual(told["url"], f"{self.github.url}/ada/original")
        self.assertEqual(self.browser.json("GET", f"/api/projects/{self.project}")["githubRepo"], "ada/original")
        self.assertEqual(self.browser.json("GET", "/api/projects")[0]["githubRepo"], "ada/original")
        self.assertEqual(self.browser.json("DELETE", self.path, status=200),
                         {"success": True, "message": "GitHub repository disconnected"})
        self.assertFalse(self.connected()["connected"])
        self.assertIsNone(self.browser.json("GET", f"/api/projects/{self.project}")["githubRepo"])
        self.browser.json("DELETE", self.path, status=200)  # once more is no error
        self.assertIn("ada/original", self.github.names())

    def test_a_name_is_what_github_takes_for_one(self):
        for name in ("", "ada", "ada/", "/x", "a/b/c", "-ada/x", "ada/..", "ada/.", "ada/x.git", "ada/x y", "ada/x?y",
                     "ada/%2e%2e", "a\u00e4/x", "ada/x\n", "a" * 40 + "/x", "ada/" + "x" * 101, "https://github.com/ada/x"):
            with self.subTest(name):
                answer = self.browser.request("POST", self.path, {"repoName": name})
                self.assert_problem(answer, 400, "#/repoName", "Repository name is required" if not name else "username/repository")
        before = len(self.github.calls)
        for body in ({}, {"repoName": None}, {"repoName": 1}, {"repoName": "ada/x", "owner": "ada"}, [],
                     {"repoName": "ada/x", "create": "yes"}):
            self.assert_problem(self.browser.request("POST", self.path, body), 400)
        self.assertEqual(len(self.github.calls), before)

    def test_it_is_named_as_github_names_it_also_after_it_was_renamed(self):
        number = self.github.add_repo("ada/Former")
        self.assertEqual(self.connect("ADA/former")["githubRepo"], "ada/Former")
        self.github.rename_repo(number, "ada/Latter")
        self.assertEqual(self.connect("ada/former")["githubRepo"], "ada/Latter")
        self.assertEqual(self.connected()["githubRepo"], "ada/Latter")

    def test_a_redirect_is_followed_once_and_to_this_api_only(self):
        number = self.github.add_repo("ada/elsewhere")
        here = f"{self.github.url}{API}/repositories/{number}"
        targets = ["https://evil.example/api/v3/repositories/1", f"{self.github.url}/login/oauth/access_token",
                   f"{self.github.url}{API}/repositories/", here + "/../../user", here + "?x", "/repositories/1", ""]
        for to in targets:
            self.github.fault[f"{API}/repos/ada/moved"] = lambda h, to=to: self.github.send(h, 301, JSON, b"{}", Location=to)
            before = len(self.github.calls)
            self.assert_problem(self.browser.request("POST", self.path, {"repoName": "ada/moved"}), 502)
            self.assertEqual(len(self.github.calls), before + 1, to)
        self.github.fault[f"{API}/repositories/{number}"] = lambda h: self.github.send(h, 301, JSON, b"{}", Location=here)
        self.github.fault[f"{API}/repos/ada/moved"] = self.github.fault[f"{API}/repositories/{number}"]
        before = len(self.github.calls)
        self.assert_problem(self.browser.request("POST", self.path, {"repoName": "ada/moved"}), 502)
        self.assertEqual(len(self.github.calls), before + 2)

    def test_what_is_not_there_or_not_to_be_seen_is_not_connected(self):
        self.github.users["eve"] = GitHub.user(2001, "eve", "Eve")
        self.github.add_repo("eve/secret", is_private=True)
        self.github.add_repo("ada/mine")
        self.connect("ada/mine")
        self.refused(404, "RepositoryMissing", "ada/nothing")
        self.refused(404, "RepositoryMissing", "eve/secret")
        self.assertEqual(self.connected()["githubRepo"], "ada/mine")

    def test_another_users_project_is_none_and_another_users_token_is_never_used(self):
        self.github.users["bob"] = GitHub.user(1001, "bob", "Bob")
        self.github.add_repo("ada/private", is_private=True)
        bob = self.signed_in("bob")
        before = len(self.github.calls)
        for method, body in (("GET", None), ("POST", {"repoName": "ada/private"}), ("DELETE", None)):
            self.assert_problem(bob.request(method, self.path, body), 404, word="Project not found")
        self.assertEqual(len(self.github.calls), before)

    def test_who_never_came_by_github_is_told_so(self):
        local = self.world.sign_in("local")
        project = local.json("POST", "/api/projects", {"name": "local"}, 200)["id"]
        answer = local.request("POST", f"/api/projects/{project}/github", {"repoName": "ada/x"})
        self.assert_problem(answer, 409, word="sign")
        self.assertEqual(json.loads(answer[2])["code"], "GitHubAccountMissing")

    def test_a_revoked_token_asks_for_a_sign_in_and_the_next_one_works(self):
        self.github.add_repo("ada/again")
        for token in [t for t, login in self.github.tokens.items() if login == "ada"]:
            del self.github.tokens[token]
        self.refused(409, "GitHubSignInNeeded", "ada/again")
        self.assertIsNotNone(self.browser.user)  # the session is not GitHub's to end
        self.signed_in("ada")
        self.connect("ada/again")

    def test_what_github_says_instead_is_told_as_what_it_is(self):
        repo = json.dumps({"id": 5, "full_name": "ada/odd", "private": False})
        limits = {"X-RateLimit-Remaining": "0"}
        for what, fault, status, code in (
                ("a single sign-on", (403, JSON, b'{"message":"Resource protected by organization SAML enforcement."}'), 403, "GitHubDenied"),
                ("500", (500, JSON, b"{}"), 503, "GitHubUnavailable"),
                ("a proxy's 502", (502, "text/html", b"<html>"), 503, "GitHubUnavailable"),
                ("a proxy's 404", (404, "text/html", b"<html>"), 502, "upstream"),
                ("204", (204, None, b""), 502, "upstream"),
                ("HTML", (200, "text/html", repo.encode()), 502, "upstream"),
                ("half of it", (200, JSON, repo[:20].encode()), 502, "upstream"),
                ("a list", (200, JSON, b"[]"), 502, "upstream"),
                ("another repository", (200, JSON, repo.replace("odd", "even").encode()), 502, "upstream"),
                ("no id", (200, JSON, repo.replace('"id": 5, ', "").encode()), 502, "upstream"),
                ("a name that is none", (200, JSON, repo.replace("ada/odd", "../odd").encode()), 502, "upstream"),
                ("not whether it is private", (200, JSON, repo.replace("false", "null").encode()), 502, "upstream"),
                ("too much", (200, JSON, b'{"a":"' + b"x" * 300000 + b'"}'), 502, "upstream"),
                ("silence", self.github.silence, 504, "timeout"),
                ("a body without end", self.github.drip, 504, "timeout"),
                ("a cut connection", self.github.cut, 502, "upstream"),
                ("429", (429, JSON, b"{}"), 503, "GitHubRateLimited"),
                ("a secondary limit", (403, JSON, b'{"message":"You have exceeded a secondary rate limit."}'), 503, "GitHubRateLimited"),
                ("a primary limit", lambda h: self.github.send(h, 403, JSON, b"{}", **limits), 503, "GitHubRateLimited")):
            with self.subTest(what):
                self.github.fault = {f"{API}/repos/ada/odd": fault}
                self.refused(status, code, "ada/odd")
                self.assertIsNone(self.connected()["githubRepo"])

    def test_how_long_github_wants_to_be_left_alone_is_passed_on(self):
        self.github.add_repo("ada/limited")
        self.github.rate_left = 0
        status, fields, _ = self.refused(503, "GitHubRateLimited", "ada/limited")
        self.assertTrue(1700 < int(fields["Retry-After"]) <= 1801, fields["Retry-After"])
        self.github.rate_left = 5000
        self.github.fault = {f"{API}/repos/ada/limited":
                             lambda h: self.github.send(h, 403, JSON, b"{}", **{"Retry-After": "77"})}
        self.assertEqual(self.refused(503, "GitHubRateLimited", "ada/limited")[1]["Retry-After"], "77")
        self.github.fault = {f"{API}/repos/ada/limited": (429, JSON, b"{}")}
        self.assertEqual(self.refused(503, "GitHubRateLimited", "ada/limited")[1]["Retry-After"], "60")

    def test_a_client_that_leaves_ends_the_call(self):
        self.github.fault = {f"{API}/repos/ada/slow": self.github.silence}
        connection = http.client.HTTPConnection("127.0.0.1", self.world.port, timeout=30)
        connection.request("POST", self.path, json.dumps({"repoName": "ada/slow"}),
                           dict(self.browser.headers(), **{"Content-Type": "application/json"}))
        connection.close()
        self.assertFalse(self.connected()["connected"])

    def test_each_change_is_in_the_audit(self):
        self.github.add_repo("ada/audited")
        self.connect("ada/audited")
        self.browser.json("DELETE", self.path, status=200)
        query = ("SELECT action, status FROM audit WHERE subject_id = '%s' AND action LIKE '%%github' ORDER BY at" % self.project)
        rows = wait_for("its audit", lambda: (r := self.world.sql(query)) and len(r) == 2 and r)
        self.assertEqual(rows, [["POST /api/projects/{id}/github", "200"], ["DELETE /api/projects/{id}/github", "200"]])


class Creating(RepositoryCase):
    def test_one_of_the_users_own_with_and_without_the_owner(self):
        self.assertEqual(self.connect("short", create=True)["githubRepo"], "ada/short")
        self.browser.json("DELETE", self.path, status=200)
        self.assertEqual(self.connect("Ada/Long", create=True, private=False)["githubRepo"], "ada/Long")
        self.assertEqual(self.github.posted[-2:], [("/user/repos", {"name": "short", "private": True}),
                                                   ("/user/repos", {"name": "Long", "private": False})])
        self.assertEqual(self.connected()["private"], False)

    def test_one_of_an_organization(self):
        self.github.orgs = {"open": {"ada"}, "closed": set()}
        self.assertEqual(self.connect("open/shared", create=True)["githubRepo"], "open/shared")
        self.browser.json("DELETE", self.path, status=200)
        self.refused(403, "GitHubDenied", "closed/shared", create=True)
        self.refused(404, "RepositoryOwnerMissing", "nobody/shared", create=True)
        self.assertIsNone(self.connected()["pendingRepo"])

    def test_a_name_that_is_taken_is_left_alone(self):
        self.github.add_repo("ada/taken")
        number = self.github.add_repo("ada/was")
        self.github.rename_repo(number, "ada/is")
        for name in ("taken", "TAKEN", "ada/was"):
            self.refused(409, "RepositoryExists", name, create=True)
        self.assertFalse(self.connected()["connected"])
        self.assertIsNone(self.connected()["pendingRepo"])

    def test_a_name_that_was_taken_between_look_and_act_is_left_alone(self):
        def race(handler):
            self.github.add_repo("ada/raced")
            self.github.create_repo(handler, "/user/repos", "ada")
        self.github.fault[MAKE] = race
        self.refused(409, "RepositoryExists", "raced", create=True)
        self.assertIsNone(self.connected()["pendingRepo"])

    def test_what_github_does_not_accept_is_forgotten(self):
        self.github.fault[MAKE] = (422, JSON, b'{"message":"Visibility can\'t be private."}')
        self.refused(422, "RepositoryRefused", "refused", create=True)
        self.assertIsNone(self.connected()["pendingRepo"])
        del self.github.fault[MAKE]
        self.connect("other-name", create=True)

    def test_a_project_that_is_connected_gets_no_other_one(self):
        self.connect("first", create=True)
        self.refused(409, "AlreadyConnected", "second", create=True)
        self.assertEqual(self.posts("second"), [])
        self.assertEqual(self.connect("first", create=True)["githubRepo"], "ada/first")  # an answer that was lost
        self.assertEqual(len(self.posts("first")), 1)

    def test_an_idempotency_key_makes_one_and_tells_it_twice(self):
        body = {"repoName": "keyed", "create": True}
        answers = [self.browser.request("POST", self.path, body, headers={"Idempotency-Key": "k-1"}) for _ in range(2)]
        self.assertEqual(answers[0][2], answers[1][2])
        self.assertEqual([a[0] for a in answers], [200, 200])
        self.assertEqual(len(self.posts("keyed")), 1)

    def test_many_at_once_make_one(self):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda _: self.browser.request(
                "POST", self.path, {"repoName": "crowd", "create": True})[0], range(8)))
        self.assertIn(200, statuses)
        self.assertLessEqual(set(statuses), {200, 409})
        self.assertEqual(self.github.names().count("ada/crowd"), 1)
        self.assertEqual((self.connected()["githubRepo"], self.connected()["pendingRepo"]), ("ada/crowd", None))

    def test_one_of_which_github_did_not_tell_is_found_by_the_same_request(self):
        for name, fault in (("silent", self.github.made_in_silence), ("broken", self.made_and_cut)):
            self.github.fault[MAKE] = fault
            self.refused(504 if name == "silent" else 503, "CreationUnknown", name, create=True,
                         headers={"Idempotency-Key": "u-" + name})
            self.assertEqual((self.connected()["githubRepo"], self.connected()["pendingRepo"]), (None, "ada/" + name))
            self.refused(409, "CreationUnknown", "another", create=True)
            self.github.fault.clear()
            self.assertEqual(self.browser.request("POST", self.path, {"repoName": name, "create": True},
                                                  headers={"Idempotency-Key": "u-" + name})[0], 200)
            self.assertEqual((self.connected()["githubRepo"], self.connected()["pendingRepo"]), ("ada/" + name, None))
            self.assertEqual(len(self.posts(name)), 1)
            self.browser.json("DELETE", self.path, status=200)

    def made_and_cut(self, handler):
        self.github.create_repo(handler, "/user/repos", "ada", is_told=False)
        self.github.cut(handler)

    def test_one_that_lands_late_is_found_and_not_made_twice(self):
        self.github.fault[MAKE] = self.github.silence
        self.refused(504, "CreationUnknown", "late", create=True)

        def lands(handler):  # what was sent first arrives before the second
            self.github.create_repo(handler, "/user/repos", "ada", is_told=False)
            self.github.create_repo(handler, "/user/repos", "ada")
        self.github.fault[MAKE] = lands
        self.assertEqual(self.connect("late", create=True)["githubRepo"], "ada/late")
        self.assertIsNone(self.connected()["pendingRepo"])

    def test_what_was_begun_can_be_forgotten_or_connected(self):
        self.github.fault[MAKE] = self.github.silence
        self.refused(504, "CreationUnknown", "begun", create=True)
        self.browser.json("DELETE", self.path, status=200)
        self.assertIsNone(self.connected()["pendingRepo"])
        self.refused(504, "CreationUnknown", "begun", create=True)
        self.github.add_repo("ada/begun")
        self.assertEqual(self.connect("ada/begun")["githubRepo"], "ada/begun")
        self.assertIsNone(self.connected()["pendingRepo"])

    def test_who_disconnects_meanwhile_is_told_what_there_is(self):
        def meanwhile(handler):
            self.browser.json("DELETE", self.path, status=200)
            self.github.create_repo(handler, "/user/repos", "ada")
        self.github.fault[MAKE] = meanwhile
        answer = self.refused(409, "Disconnected", "meanwhile", create=True)
        self.assertIn("ada/meanwhile", json.loads(answer[2])["detail"])
        self.assertFalse(self.connected()["connected"])


class Crashing(RepositoryCase):
    def test_a_crash_between_github_and_the_row_loses_nothing_and_makes_nothing_twice(self):
        is_made = threading.Event()

        def crash(handler):
            self.github.create_repo(handler, "/user/repos", "ada", is_told=False)
            is_made.set()
            self.github.silence(handler)
        self.github.fault[MAKE] = crash
        body = {"repoName": "crashed", "create": True}
        connection = http.client.HTTPConnection("127.0.0.1", self.world.port, timeout=30)
        connection.request("POST", self.path, json.dumps(body), dict(self.browser.headers(), **{
            "Content-Type": "application/json", "Idempotency-Key": "crash"}))
        self.assertTrue(is_made.wait(30))
        port = self.world.crash()
        connection.close()
        self.github.fault.clear()
        self.world.serve(port)
        self.assertEqual((self.connected()["githubRepo"], self.connected()["pendingRepo"]), (None, "ada/crashed"))
        answer = wait_for("the key to be free", lambda: (a := self.browser.request(
            "POST", self.path, body, headers={"Idempotency-Key": "crash"}))[0] != 409 and a)
        self.assertEqual(answer[0], 200, answer)
        self.assertEqual((self.connected()["githubRepo"], self.connected()["pendingRepo"]), ("ada/crashed", None))
        self.assertEqual((self.github.names().count("ada/crashed"), len(self.posts("crashed"))), (1, 1))


if __name__ == "__main__":
    main()
