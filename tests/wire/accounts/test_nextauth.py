#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients of NextAuth sign in and out as they do there: by posting a form and following `url` of the answer, or, as a page's
own form, the redirect. What another site can make a browser post does nothing. Runs inside with_services.py."""
import json
import urllib.parse

from accounts import main
from github_case import SIGNIN, Browser, GitHubCase

SIGNOUT = "/api/auth/signout"
FORM = "application/x-www-form-urlencoded"


class NextAuth(Browser):
    """Posts as signIn() and signOut() of next-auth do: version 4 says json=true, version 5 a field of the head."""

    def __init__(self, world, version=5):
        super().__init__(world)
        self.version = version
        self.origin = f"http://127.0.0.1:{self.port}"

    def post(self, path, form, **headers):
        body = form if isinstance(form, str) else urllib.parse.urlencode(form)
        got = self.request("POST", path, raw=body, headers={"Content-Type": FORM, "Origin": self.origin, **headers})
        # The state of a beginning stands in its answer, as it should.
        self.world.heard[:] = [text for text in self.world.heard if "/login/oauth/authorize" not in text]
        return got

    def call(self, path, callback_url, **options):
        token = self.json("GET", "/api/auth/csrf")["csrfToken"]
        form = {**options, "csrfToken": token, "callbackUrl": callback_url}
        headers = {"X-Auth-Return-Redirect": "1"} if self.version == 5 else {}
        if self.version == 4:
            form["json"] = "true"
        status, fields, body = self.post(path + ("?" if path == SIGNIN else ""), form, **headers)
        assert status == 200 and fields["Content-Type"].startswith("application/json"), (status, body)
        return json.loads(body)["url"]

    def enter(self, callback_url="/projects", **options):
        code, state = self.world.github.authorize(self.call(SIGNIN, callback_url, **options), "ada")
        return self.come_back({"code": code, "state": state})


class Forms(GitHubCase):
    def client(self, version=5):
        return NextAuth(self.world, version)

    def test_both_versions_sign_in_and_out(self):
        for version in (4, 5):
            with self.subTest(version=version):
                client = self.client(version)
                self.assertEqual(client.enter(f"{client.origin}/projects?tab=a b#end".replace(" ", "%20"), redirect="true")[:2],
                                 (302, "/projects?tab=a%20b#end"))
                self.assertEqual(client.user["name"], "Ada")
                former = client.jar["sid"]
                self.assertEqual(client.call(SIGNOUT, f"{client.origin}/login"), f"{client.origin}/login")
                self.assertIsNone(client.user)
                self.assertEqual(client.jar, {})
                client.jar["sid"] = former
                self.assertIsNone(client.user)

    def test_a_form_of_a_page_is_led_on_by_redirects(self):
        client = self.client()
        status, fields, body = client.post(SIGNIN, {"csrfToken": "x", "callbackUrl": "/projects"})
        self.assertEqual((status, body, fields["Cache-Control"]), (302, b"", "no-store"))
        code, state = self.github.authorize(fields["Location"], "ada")
        client.come_back({"code": code, "state": state})
        self.assertIsNotNone(client.user)
        status, fields, _ = client.post(SIGNOUT, {"csrfToken": "x", "callbackUrl": "https://evil.example/"})
        self.assertEqual((status, fields["Location"]), (302, client.origin + "/"))
        self.assertIsNone(client.user)

    def test_another_site_can_neither_sign_in_nor_out_by_a_form(self):
        client = self.client()
        client.enter()
        attempts = self.count("oauth_states")
        for path in (SIGNIN, SIGNOUT):
            for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1"}):
                self.assert_problem(client.post(path, {"json": "true"}, **headers), 403, "Origin")
            self.assert_problem(client.request("POST", path, raw="json=true",
                                               headers={"Content-Type": FORM, "Sec-Fetch-Site": "cross-site"}), 403, "Origin")
        self.assertIsNotNone(client.user)
        self.assertEqual(self.count("oauth_states"), attempts)

    def test_what_is_malformed_is_named_and_does_nothing(self):
        client = self.client()
        client.enter()
        attempts = self.count("oauth_states")
        for body, pointer in (("callbackUrl=/a&callbackUrl=/b", "#/callbackUrl"), ("callbackUrl=%zz", "#/callbackUrl"),
                              ("callbackUrl=%00", "#/callbackUrl"), ("callbackUrl=%ed%a0%80", "#/callbackUrl"),
                              ("callbackUrl=" + "a" * 3000, "#/callbackUrl"), ("csrfToken=" + "a" * 600, "#/csrfToken"),
                              ("user=ada", "#/user"), ("x%2Fy=1", "#/x~1y"), ('{"callbackUrl":"/"}', '#/{"callbackUrl":"~1"}')):
            for path in (SIGNIN, SIGNOUT):
                self.assert_problem(client.post(path, body), 400, pointer)
        self.assert_problem(client.post(SIGNIN, "callbackUrl=//evil.example&json=true"), 400, "#/callbackUrl")
        self.assert_problem(client.post(SIGNOUT, "json=" + "true&" * 4000), 413)
        self.assertIsNotNone(client.user)
        self.assertEqual(self.count("oauth_states"), attempts)

    def test_no_other_route_takes_a_form(self):
        client = self.client()
        client.enter()
        for path in ("/api/projects", "/api/tokens", "/api/auth/signin-link", "/api/auth/device"):
            self.assert_problem(client.post(path, {"name": "x"}), 415, "Content-Type")
        self.assertEqual(client.json("GET", "/api/projects"), [])


if __name__ == "__main__":
    main()
