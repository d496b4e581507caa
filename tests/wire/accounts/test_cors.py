#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Pages of other origins against a whole server: a listed one acts by its token, a hostile one reads and changes nothing. What
each field says is tests/unit/server/test_cors.c. Runs inside with_services.py."""
import http.client

from accounts import Accounts, StackCase, main

LISTED = "https://console.example.net"
HOSTILE = ("null", "*", "http://console.example.net", "https://console.example.net.evil.org", "https://evilconsole.example.net",
           "https://console.example.net:443", "https://console.example.net:8443", "https://CONSOLE.example.net",
           "https://console.example.net/", "https://console.example.net@evil.org", "https://a.console.example.net")


class Pages(StackCase):
    @classmethod
    def setUpClass(cls):
        cls.world = Accounts(env={"FULLSTACKD_CORS_ORIGINS": f"https://other.example.net,{LISTED}"}, has_databases=False).__enter__()
        cls.addClassCleanup(cls.world.__exit__, None, None, None)
        cls.user = cls.world.sign_in("user")
        cls.program = cls.world.token(cls.user, ["write"])

    def told(self, headers):
        return {k for k in headers.keys() if k.lower().startswith("access-control-")}

    def test_a_listed_page_acts_by_its_token(self):
        page = {"Origin": LISTED, "Sec-Fetch-Site": "cross-site", "Idempotency-Key": "once"}
        for _ in range(2):  # the second is answered by what was kept of the first
            status, headers, _ = self.program.request("POST", "/api/projects", {"name": "from a page"}, headers=page)
            self.assertEqual(status, 200)
            self.assertEqual(headers.get_all("Access-Control-Allow-Origin"), [LISTED])
            self.assertIn("Origin", headers.get_all("Vary"))
        self.assertEqual(len(self.program.json("GET", "/api/projects?keyword=from%20a%20page")), 1)
        status, headers, _ = self.program.request("OPTIONS", "/api/projects", headers={"Origin": LISTED, "Access-Control-Request-Method": "POST"})
        self.assertEqual((status, headers["Access-Control-Allow-Methods"]), (204, "GET, HEAD, POST, OPTIONS"))

    def test_a_listed_page_follows_a_stream(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.world.port, timeout=30)
        try:
            connection.request("GET", "/api/events", headers={**self.program.headers(), "Origin": LISTED})
            answer = connection.getresponse()
            self.assertEqual((answer.status, answer.headers["Access-Control-Allow-Origin"]), (200, LISTED))
        finally:
            connection.close()

    def test_a_cookie_never_counts_for_a_page_of_another_origin(self):
        before = self.world.rows()["projects"]
        for origin in (LISTED, *HOSTILE):
            status, headers, _ = self.user.request("POST", "/api/projects", {"name": "forged"}, headers={"Origin": origin})
            self.assertEqual(status, 403, origin)
            status, headers, _ = self.user.request("GET", "/api/projects", headers={"Origin": origin})
            self.assertEqual(status, 200)
            self.assertNotIn("Access-Control-Allow-Credentials", self.told(headers))
        self.assertEqual(self.world.rows()["projects"], before)

    def test_a_hostile_origin_is_told_nothing(self):
        for origin in HOSTILE:
            for method, more in (("GET", {}), ("POST", {}), ("OPTIONS", {"Access-Control-Request-Method": "POST"})):
                _, headers, _ = self.program.request(method, "/api/projects", {} if method == "POST" else None, headers={"Origin": origin, **more})
                self.assertEqual(self.told(headers), set(), (origin, method))
                self.assertIn("Origin", headers.get_all("Vary"))


if __name__ == "__main__":
    main()
