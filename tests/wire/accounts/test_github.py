#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Signing in with GitHub against a stand-in: it works for the browser that began, once; everything else signs nobody in.
Runs inside with_services.py."""
import concurrent.futures
import http.client
import json
import urllib.parse

from accounts import Accounts, Client, StackCase, main
from github import GitHub
from github_case import CALLBACK, SIGNIN, GitHubCase

TOKEN = "/login/oauth/access_token"
USER = "/api/v3/user"
EMAILS = "/api/v3/user/emails"
JSON = "application/json"


class SigningIn(GitHubCase):
    def test_it_is_offered_as_nextauths_clients_read_it(self):
        providers = self.browser().json("GET", "/api/auth/providers", status=200)
        origin = f"http://127.0.0.1:{self.world.port}"
        self.assertEqual(providers["github"], {"id": "github", "name": "GitHub", "type": "oauth",
                                               "signinUrl": origin + SIGNIN, "callbackUrl": origin + CALLBACK})
        self.assertEqual(len(self.browser().json("GET", "/api/auth/csrf", status=200)["csrfToken"]), 43)

    def test_who_says_yes_is_signed_in_and_known_by_name_address_and_picture(self):
        browser = self.browser()
        status, location, _ = browser.sign_in()
        self.assertEqual((status, location), (302, "/projects"))
        user = browser.user
        self.assertEqual((user["name"], user["email"], user["image"]),
                         ("Ada", "ada@example.org", "https://avatars.example/583231"))
        self.assertEqual(set(browser.jar), {"sid"})
        self.assertEqual(browser.json("GET", "/api/auth/sessions")[0]["userAgent"], "Firefox on Linux")
        browser.json("POST", "/api/projects", {"name": "by github"}, 200)

    def test_the_same_github_id_is_the_same_user_whatever_else_changes(self):
        self.github.users["bob"] = GitHub.user(1001, "bob", "Bob", "bob@example.org")
        first = self.browser()
        first.sign_in("bob")
        self.github.users["bob"] = GitHub.user(1001, "robert", "Robert", "robert@example.org")
        second = self.browser()
        second.sign_in("bob")
        self.assertEqual(second.user["id"], first.user["id"])
        self.assertEqual((second.user["name"], second.user["email"]), ("Robert", "robert@example.org"))

    def test_another_id_is_another_user_also_with_the_same_login_and_address(self):
        self.github.users["eve"] = GitHub.user(2001, "eve", "Eve", "eve@example.org")
        first = self.browser()
        first.sign_in("eve")
        self.github.users["eve"] = GitHub.user(2002, "eve", "Eve", "eve@example.org")
        second = self.browser()
        second.sign_in("eve")
        self.assertNotEqual(second.user["id"], first.user["id"])
        self.assertIsNone(second.user["email"])
        self.assertEqual(first.user["email"], "eve@example.org")

    def test_the_access_token_is_stored_sealed_and_anew_at_each_sign_in(self):
        self.github.users["tok"] = GitHub.user(3001, "tok")
        boxes = []
        for _ in range(2):
            self.browser().sign_in("tok")
            boxes.append(self.world.sql("SELECT encode(access_token_box, 'escape') FROM identities "
                                        "WHERE provider = 'github' AND provider_user_id = '3001'")[0][0])
        self.assertNotEqual(boxes[0], boxes[1])
        self.assertTrue(all(box.startswith("test\\000") for box in boxes), boxes)

    def test_a_sign_in_ends_the_session_that_the_browser_had(self):
        browser = self.browser()
        browser.sign_in()
        former = Client(self.world.port, "sid=" + browser.jar["sid"])
        self.assertEqual(former.request("GET", "/api/projects")[0], 200)
        browser.sign_in()
        self.assertEqual(former.request("GET", "/api/projects")[0], 401)
        self.assertIsNotNone(browser.user)

    def test_it_returns_to_where_it_was_asked_for_when_that_is_here(self):
        origin = f"http://127.0.0.1:{self.world.port}"
        for path, want in (("/projects/abc?tab=logs#end", None), ("/", None), (origin + "/projects/1", "/projects/1"),
                           (origin, "/")):
            with self.subTest(path=path):
                self.assertEqual(self.browser().sign_in(path=path)[:2], (302, want or path))

    def test_it_never_returns_elsewhere(self):
        origin = f"http://127.0.0.1:{self.world.port}"
        for path in ("//evil.example", "///evil.example", "/\\evil.example", "\\evil.example", "\\\\evil.example",
                     "https://evil.example", "https:evil.example", "http:/evil.example", "javascript:alert(1)", "evil",
                     "/%2Fevil.example", "/%2fevil.example", "/%5Cevil.example", "/\tevil", "/\n/evil.example", " /a",
                     "/../evil", "/./evil", "/%2e%2e/evil", "/a//evil.example", origin + "//evil.example",
                     origin + "@evil.example", origin + ".evil.example", origin[:-1] + "/x", "/api/auth/signout", "/api",
                     "", "/\u00e9", "/" + "a" * 1000, "/\u0000"):
            with self.subTest(path=path):
                browser = self.browser()
                problem = browser.begin(path, 400)
                self.assertNotIn("url", problem)
                self.assertEqual(browser.jar, {})

    def test_no_link_starts_it(self):
        """Neither a link nor a foreign page's form: only our own page's call."""
        for path in (SIGNIN, "/api/auth/signin", SIGNIN + "?callbackUrl=/projects"):
            status, fields, _ = self.browser().request("GET", path)
            self.assertEqual((status, fields["Location"]), (302, "/signin"))
            self.assertIsNone(fields["Set-Cookie"])
        before = self.count("oauth_states")
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
            self.assert_problem(self.browser().request("POST", SIGNIN, {}, headers=headers), 403)
        self.assert_problem(self.browser().request("POST", "/api/auth/signin/google", {}), 404)
        self.assertEqual(self.count("oauth_states"), before)


class NobodyIsSignedIn(GitHubCase):
    def attempt(self):
        """A browser that began, and the code and state that it would come back with."""
        browser = self.browser()
        code, state = self.github.authorize(browser.begin())
        return browser, code, state

    def test_by_a_callback_that_is_not_what_was_begun(self):
        other = self.attempt()[2]
        for what, query in (
                ("no state", lambda c, s: {"code": c}),
                ("an empty state", lambda c, s: {"code": c, "state": ""}),
                ("a wrong state", lambda c, s: {"code": c, "state": s[:-1] + ("A" if s[-1] != "A" else "B")}),
                ("a long state", lambda c, s: {"code": c, "state": s * 100}),
                ("another browser's state", lambda c, s: {"code": c, "state": other}),
                ("state twice", lambda c, s: f"code={c}&state={s}&state={s}"),
                ("state twice, once encoded", lambda c, s: f"code={c}&state={s}&st%61te=x"),
                ("code twice", lambda c, s: f"code={c}&code={c}&state={s}"),
                ("error twice", lambda c, s: f"code={c}&state={s}&error=a&error=b")):
            with self.subTest(what):
                browser, code, state = self.attempt()
                self.assert_nobody(browser, browser.come_back(query(code, state)), "state")
                self.assertNotIn(TOKEN, [path for path, form in self.github.calls if form.get("code") == code])

    def test_by_a_code_that_github_refuses(self):
        browser, _, state = self.attempt()
        self.assert_nobody(browser, browser.come_back({"code": "made up", "state": state}), "refused")
        browser, _, state = self.attempt()
        self.assert_nobody(browser, browser.come_back({"state": state}), "refused")
        browser, _, state = self.attempt()
        self.assert_nobody(browser, browser.come_back({"code": "c" * 600, "state": state}), "refused")
        # The code of another sign-in: PKCE binds it to the browser that began that one.
        browser, _, state = self.attempt()
        _, stolen, _ = self.attempt()
        self.assert_nobody(browser, browser.come_back({"code": stolen, "state": state}), "refused")
        # A code for another client's address.
        browser, _, state = self.attempt()
        foreign = self.github.code("ada", "https://evil.example/callback", "x" * 43)
        self.assert_nobody(browser, browser.come_back({"code": foreign, "state": state}), "refused")

    def test_by_another_browser_or_without_the_cookie(self):
        victim = self.browser()
        _, code, state = self.attempt()
        self.assert_nobody(victim, victim.come_back({"code": code, "state": state}), "state")
        victim.begin()
        self.assert_nobody(victim, victim.come_back({"code": code, "state": state}), "state")

    def test_by_a_second_use(self):
        browser, code, state = self.attempt()
        cookie = browser.jar["signin"]
        self.assertEqual(browser.come_back({"code": code, "state": state})[1], "/projects")
        again = self.browser()
        again.jar["signin"] = cookie
        self.assert_nobody(again, again.come_back({"code": code, "state": state}), "state")
        # A failed attempt uses the state up as well.
        browser, code, state = self.attempt()
        cookie = browser.jar["signin"]
        browser.come_back({"error": "access_denied", "state": state})
        browser.jar["signin"] = cookie
        self.assert_nobody(browser, browser.come_back({"code": code, "state": state}), "state")

    def test_by_two_callbacks_at_once_more_than_once(self):
        browser, code, state = self.attempt()
        twins = [self.browser() for _ in range(6)]
        for twin in twins:
            twin.jar = dict(browser.jar)
        before = self.count("sessions")
        with concurrent.futures.ThreadPoolExecutor(len(twins)) as pool:
            answers = list(pool.map(lambda twin: twin.come_back({"code": code, "state": state})[1], twins))
        self.assertEqual(sorted(answers), ["/projects"] + ["/signin?error=state"] * 5)
        self.assertEqual(self.count("sessions") - before, 1)

    def test_by_one_that_is_too_old(self):
        browser, code, state = self.attempt()
        self.world.sql("UPDATE oauth_states SET valid_until = now()")
        self.assert_nobody(browser, browser.come_back({"code": code, "state": state}), "state")

    def test_by_another_method(self):
        browser, code, state = self.attempt()
        query = urllib.parse.urlencode({"code": code, "state": state})
        cookie = dict(browser.jar)
        self.assertEqual(browser.come_back(query, "HEAD")[:2], (302, "/signin?error=state"))
        browser.jar = cookie
        self.assertEqual(browser.come_back(query, "POST")[0], 405)
        self.assertIsNone(browser.user)
        # Neither has used it up.
        self.assertEqual(browser.come_back(query)[1], "/projects")

    def test_when_the_user_or_github_says_no(self):
        for error, word in (("access_denied", "denied"), ("application_suspended", "refused"), ("<script>", "refused")):
            browser, code, state = self.attempt()
            answer = browser.come_back({"error": error, "error_description": "no", "state": state, "code": code})
            self.assert_nobody(browser, answer, word)
        browser, code, state = self.attempt()
        answer = browser.come_back({"code": code, "state": state, "iss": "https://evil.example"})
        self.assert_nobody(browser, answer, "refused")
        browser, code, state = self.attempt()
        self.assertEqual(browser.come_back({"code": code, "state": state, "iss": self.github.url})[1], "/projects")

    def test_by_an_answer_of_github_that_is_not_what_it_should_be(self):
        token = b'{"access_token":"gho_x","token_type":"bearer"}'
        for what, path, fault, word in (
                ("a code that is refused with 200", TOKEN, (200, JSON, b'{"error":"bad_verification_code"}'), "refused"),
                ("an error beside a token", TOKEN, (200, JSON, token[:-1] + b',"error":"x"}'), "refused"),
                ("no token", TOKEN, (200, JSON, b"{}"), "unavailable"),
                ("a token of another kind", TOKEN, (200, JSON, b'{"access_token":"x","token_type":"mac"}'), "unavailable"),
                ("a token with a line end", TOKEN, (200, JSON, b'{"access_token":"x\\r\\nA: b","token_type":"bearer"}'), "unavailable"),
                ("a number as token", TOKEN, (200, JSON, b'{"access_token":1,"token_type":"bearer"}'), "unavailable"),
                ("a form", TOKEN, (200, "application/x-www-form-urlencoded", b"access_token=gho_x&token_type=bearer"), "unavailable"),
                ("HTML", TOKEN, (200, "text/html", b"<html>"), "unavailable"),
                ("no type", TOKEN, (200, None, token), "unavailable"),
                ("half a document", TOKEN, (200, JSON, b'{"access_token":'), "unavailable"),
                ("a list", TOKEN, (200, JSON, b"[]"), "unavailable"),
                ("a key twice", TOKEN, (200, JSON, token[:-1] + b',"access_token":"gho_y"}'), "unavailable"),
                ("too long an answer", TOKEN, (200, JSON, b'{"a":"' + b"x" * 20000 + b'"}'), "unavailable"),
                ("a redirect", TOKEN, (302, JSON, b"{}"), "unavailable"),
                ("500", TOKEN, (500, JSON, b"{}"), "unavailable"),
                ("429", TOKEN, (429, JSON, b"{}"), "unavailable"),
                ("silence", TOKEN, self.github.silence, "unavailable"),
                ("a body without end", TOKEN, self.github.drip, "unavailable"),
                ("a cut connection", TOKEN, self.github.cut, "unavailable"),
                ("a revoked token", USER, (401, JSON, b'{"message":"Bad credentials"}'), "refused"),
                ("a suspended account", USER, (403, JSON, b'{"message":"Sorry. Your account was suspended."}'), "refused"),
                ("no id", USER, (200, JSON, b'{"login":"ada"}'), "unavailable"),
                ("id 0", USER, (200, JSON, b'{"login":"ada","id":0}'), "unavailable"),
                ("a negative id", USER, (200, JSON, b'{"login":"ada","id":-583231}'), "unavailable"),
                ("a text as id", USER, (200, JSON, b'{"login":"ada","id":"583231"}'), "unavailable"),
                ("a broken id", USER, (200, JSON, b'{"login":"ada","id":583231.0}'), "unavailable"),
                ("a huge id", USER, (200, JSON, b'{"login":"ada","id":99999999999999999999}'), "unavailable"),
                ("no login", USER, (200, JSON, b'{"id":583231}'), "unavailable"),
                ("a user of another type", USER, (200, "text/plain", b'{"login":"ada","id":583231}'), "unavailable"),
                ("too long a user", USER, (200, JSON, b'{"a":"' + b"x" * 300000 + b'"}'), "unavailable"),
                ("silence about the user", USER, self.github.silence, "unavailable"),
                ("a suspended account, noticed late", EMAILS, (403, JSON, b"{}"), "refused")):
            with self.subTest(what):
                self.github.fault = {path: fault}
                browser, code, state = self.attempt()
                before = self.count("sessions"), self.count("users")
                self.assert_nobody(browser, browser.come_back({"code": code, "state": state}), word)
                self.assertEqual((self.count("sessions"), self.count("users")), before)

    def test_but_missing_addresses_hinder_nobody(self):
        self.github.users["shy"] = GitHub.user(4001, "shy")
        for fault in (None, (404, JSON, b"{}"), (200, JSON, b"{}"), (200, JSON, b"[1,null]"), (500, "text/html", b"")):
            self.github.fault = {EMAILS: fault} if fault else {}
            browser = self.browser()
            self.assertEqual(browser.sign_in("shy")[1], "/projects")
            self.assertEqual((browser.user["name"], browser.user["email"]), ("shy", None))

    def test_a_client_that_leaves_ends_the_call(self):
        self.github.fault = {TOKEN: self.github.silence}
        browser, code, state = self.attempt()
        query = urllib.parse.urlencode({"code": code, "state": state})
        connection = http.client.HTTPConnection("127.0.0.1", self.world.port, timeout=30)
        connection.request("GET", f"{CALLBACK}?{query}", headers=browser.headers())
        connection.close()
        self.github.fault = {}
        self.assertEqual(browser.sign_in()[1], "/projects")


class OnAnotherReplica(GitHubCase):
    def test_a_browser_may_come_back_to_another_replica(self):
        self.world.extra_env["NEXTAUTH_URL"] = f"http://127.0.0.1:{self.world.port}"
        second = self.world.serve()
        browser = self.browser()
        code, state = self.github.authorize(browser.begin())
        browser.port = second.port
        cookie = browser.jar["signin"]
        self.assertEqual(browser.come_back({"code": code, "state": state})[:2], (302, "/projects"))
        self.assertIsNotNone(browser.user)
        again = self.browser()
        again.jar["signin"] = cookie
        self.assert_nobody(again, again.come_back({"code": code, "state": state}), "state")


class Unconfigured(StackCase):
    def test_it_is_not_offered(self):
        with Accounts() as world:
            client = Client(world.port, "")
            self.assertEqual(client.json("GET", "/api/auth/providers", status=200), {})
            for method, path in (("POST", SIGNIN), ("GET", CALLBACK + "?code=a&state=b")):
                self.assert_problem(client.request(method, path), 404, word="not offered")


if __name__ == "__main__":
    main()
