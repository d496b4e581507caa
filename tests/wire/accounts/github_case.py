# SPDX-License-Identifier: MIT
"""A server that knows the stand-in for GitHub, and browsers that sign in by it."""
import json
import urllib.parse

from accounts import Accounts, Client, StackCase
from github import RATE, GitHub

CALLBACK = "/api/auth/callback/github"
SIGNIN = "/api/auth/signin/github"


class Browser(Client):
    """Keeps cookies as a browser does, follows nothing by itself."""

    def __init__(self, world):
        super().__init__(world.port, "")
        self.world = world
        self.jar = {}

    def headers(self):
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.jar.items())} if self.jar else {}
        return dict(headers, **{"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"})

    def request(self, *args, **more):
        status, fields, body = super().request(*args, **more)
        for line in fields.get_all("Set-Cookie") or []:
            name, _, value = line.partition(";")[0].partition("=")
            self.world.secrets.update({value} if value else set())
            self.jar[name] = value
            if not value:
                del self.jar[name]
        return status, fields, body

    def begin(self, path=None, status=200):
        body = {} if path is None else {"callbackUrl": path}
        got, fields, data = self.request("POST", SIGNIN, body, headers={"Origin": f"http://127.0.0.1:{self.port}"})
        assert got == status, (got, data)
        if status != 200:
            return json.loads(data)
        self.world.heard.remove(data.decode())  # state stands in this answer, as it should
        return json.loads(data)["url"]

    def come_back(self, query, method="GET", **more):
        if isinstance(query, dict):
            query = urllib.parse.urlencode(query)
        status, fields, body = self.request(method, f"{CALLBACK}?{query}", **more)
        return status, fields["Location"], body

    def sign_in(self, login="ada", path=None):
        code, state = self.world.github.authorize(self.begin(path), login)
        return self.come_back({"code": code, "state": state})

    @property
    def user(self):
        session = self.json("GET", "/api/auth/session", status=200)
        return session and session["user"]


class GitHubCase(StackCase):
    @classmethod
    def setUpClass(cls):
        cls.github = GitHub()
        cls.addClassCleanup(cls.github.close)
        cls.world = Accounts(env=cls.github.env()).__enter__()
        cls.world.github = cls.github
        cls.addClassCleanup(cls.leave)

    @classmethod
    def leave(cls):
        cls.world.secrets |= cls.github.planted
        cls.world.__exit__(None, None, None)

    def setUp(self):
        self.github.fault.clear()
        self.github.rate_left = RATE

    def browser(self):
        return Browser(self.world)

    def signed_in(self, login):
        browser = Browser(self.world)
        self.assertEqual(browser.sign_in(login)[1], "/projects")
        return browser

    def count(self, table):
        return int(self.world.sql(f"SELECT count(*) FROM {table}")[0][0])

    def assert_nobody(self, browser, answer, word):
        """Back to the sign-in page with that word, no session, no cookie left of the attempt."""
        status, location, _ = answer
        self.assertEqual((status, location), (302, f"/signin?error={word}"))
        self.assertNotIn("sid", browser.jar)
        self.assertNotIn("signin", browser.jar)
        self.assertIsNone(browser.user)
