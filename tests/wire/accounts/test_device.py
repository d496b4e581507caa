#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A program without a browser: it is let in by the user who confirms its code, once, and by nobody else. Runs inside
with_services.py."""
import concurrent.futures
import json
import re

from accounts import Accounts, Bearer, Confidant, StackCase, main

CODE = "/api/auth/device/code"
TOKEN = "/api/auth/device/token"
DEVICE = "/api/auth/device"


class Device(StackCase):
    @classmethod
    def setUpClass(cls):
        cls.world = Accounts().__enter__()
        cls.addClassCleanup(cls.world.__exit__, None, None, None)
        cls.user = cls.world.sign_in("user")
        cls.program = Confidant(cls.world.port, "")  # it is told its codes and, once, its token

    def begin(self, **asked):
        begun = self.program.json("POST", CODE, asked, 200)
        self.world.secrets.add(begun["device_code"])
        return begun

    def poll(self, begun, wait=True):
        """(status, document); the table is told that the interval has passed: no test waits for it."""
        if wait:
            self.world.sql("UPDATE device_codes SET polled_at = polled_at - interval '1 hour'")
        status, _, body = self.program.request("POST", TOKEN, {
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": begun["device_code"]})
        document = json.loads(body)
        if "access_token" in document:
            self.world.secrets.add(document["access_token"])
        return status, document

    def decide(self, begun, allow=True, status=200, user=None):
        body = {"userCode": begun["user_code"], "allow": allow}
        return (user or self.user).json("POST", DEVICE, body, status)

    def test_what_it_is_told(self):
        begun = self.begin(name="fsctl")
        self.assertTrue(re.match(r"^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$", begun["user_code"]))
        origin = f"http://127.0.0.1:{self.world.port}"
        self.assertEqual(begun["verification_uri"], origin + "/device")
        self.assertEqual(begun["verification_uri_complete"], f"{origin}/device?user_code={begun['user_code']}")
        self.assertEqual((begun["expires_in"], begun["interval"]), (900, 5))

    def test_it_is_let_in_once_with_what_it_asked_for(self):
        begun = self.begin(name="fsctl", scopes=["write"])
        self.assertEqual(self.poll(begun), (400, {"error": "authorization_pending"}))
        typed = begun["user_code"].lower().replace("-", " ")
        shown = self.user.json("GET", f"{DEVICE}?user_code={typed.replace(' ', '%20')}", status=200)
        self.assertEqual((shown["name"], shown["scopes"], shown["address"]), ("fsctl", ["write"], "127.0.0.0/24"))
        self.assertEqual(self.decide(begun), {"success": True})
        status, made = self.poll(begun)
        self.assertEqual((status, made["token_type"], made["scopes"], made["expires_in"]), (200, "Bearer", ["write"], 90 * 86400))
        bearer = Bearer(self.world.port, made["access_token"])
        bearer.json("POST", "/api/projects", {"name": "from a device"}, 200)
        self.assertIn("fsctl", {t["name"] for t in self.user.json("GET", "/api/tokens")})
        self.assertEqual(self.poll(begun), (400, {"error": "expired_token"}))

    def test_it_may_only_read_unless_it_asked_for_more(self):
        begun = self.begin()
        self.decide(begun)
        made = self.poll(begun)[1]
        self.assertEqual(made["scopes"], ["read"])
        bearer = Bearer(self.world.port, made["access_token"])
        self.assertEqual(bearer.request("POST", "/api/projects", {"name": "x"})[0], 403)

    def test_a_no_is_told_and_final(self):
        begun = self.begin()
        self.decide(begun, False)
        self.decide(begun, True, 404)
        self.assertEqual(self.poll(begun), (400, {"error": "access_denied"}))
        self.assertEqual(self.poll(begun), (400, {"error": "expired_token"}))

    def test_a_hasty_one_is_slowed_down_more_each_time(self):
        begun = self.begin()
        self.poll(begun)
        for _ in range(2):
            self.assertEqual(self.poll(begun, False), (400, {"error": "slow_down"}))
        row = self.world.sql("SELECT interval_s FROM device_codes WHERE device_hash = sha256('"
                             + begun["device_code"] + "'::bytea)")
        self.assertEqual(row, [["15"]])

    def test_what_is_over_or_unknown_lets_nobody_in(self):
        begun = self.begin()
        self.decide(begun)
        self.world.sql("UPDATE device_codes SET valid_until = now()")
        self.assertEqual(self.poll(begun), (400, {"error": "expired_token"}))
        begun = self.begin()
        self.world.sql("UPDATE device_codes SET valid_until = now()")
        self.decide(begun, True, 404)
        for code in ("", "BBBB-BBBB", "x" * 64, "\u00e9", "%"):
            answer = self.user.request("POST", DEVICE, {"userCode": code, "allow": True})
            self.assertIn(answer[0], (400, 404), answer)

    def test_only_a_signed_in_person_decides(self):
        begun = self.begin()
        bearer = self.world.token(self.user, ["write"])
        for client, status in ((bearer, 403), (self.program, 401)):
            self.decide(begun, True, status, client)
            self.assertEqual(client.request("GET", f"{DEVICE}?user_code={begun['user_code']}")[0], status)
        answer = self.user.request("POST", DEVICE, {"userCode": begun["user_code"], "allow": True},
                                   headers={"Origin": "https://evil.example"})
        self.assert_problem(answer, 403)
        self.assertEqual(self.poll(begun), (400, {"error": "authorization_pending"}))

    def test_nobody_gives_more_than_he_has(self):
        begun = self.begin(scopes=["admin"])
        self.decide(begun, True, 404)
        self.assertEqual(self.poll(begun), (400, {"error": "authorization_pending"}))
        boss = self.world.sign_in("boss")
        self.world.sql("UPDATE users SET is_admin = true WHERE name = 'boss'")
        self.decide(begun, True, 200, boss)
        self.assertEqual(self.poll(begun)[1]["scopes"], ["admin"])

    def test_two_polls_at_once_make_one_token(self):
        begun = self.begin(name="twins")
        self.decide(begun)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: self.poll(begun, False), range(4)))
        self.assertEqual(sorted(status for status, _ in answers), [200, 400, 400, 400])
        self.assertEqual([t["name"] for t in self.user.json("GET", "/api/tokens")].count("twins"), 1)

    def test_bad_requests(self):
        for path, body, status in ((CODE, {"name": ""}, 400), (CODE, {"name": "n" * 41}, 400), (CODE, {"scopes": ["all"]}, 400),
                                   (CODE, {"scope": "read"}, 400), (TOKEN, {}, 400), (TOKEN, {"device_code": 1}, 400)):
            self.assert_problem(self.program.request("POST", path, body), status)
        answer = self.program.request("POST", TOKEN, {"grant_type": "password", "device_code": "x"})
        self.assertEqual((answer[0], json.loads(answer[2])), (400, {"error": "unsupported_grant_type"}))


if __name__ == "__main__":
    main()
