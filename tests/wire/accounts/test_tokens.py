#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""API tokens: shown once, known by their hash, gone everywhere the moment they are revoked. Runs inside
with_services.py."""
import hashlib
import re

from accounts import Accounts, Bearer, StackCase, main, wait_for

DAY_S = 86400


class Tokens(StackCase):
    @classmethod
    def setUpClass(cls):
        cls.world = Accounts().__enter__()
        cls.addClassCleanup(cls.world.__exit__, None, None, None)
        cls.client = cls.world.sign_in()
        cls.other = cls.world.sign_in("other")

    def test_a_token_is_shown_once_and_only_its_hash_is_stored(self):
        made = self.client.json("POST", "/api/tokens", {"name": "  ci  ", "scopes": ["read", "write"]}, 201)
        token = made["token"]
        self.world.forget(token)
        self.assertRegex(token, r"^fsa_[A-Za-z0-9_-]{43}[0-9a-f]{8}$")
        self.assertEqual(token[-8:], hashlib.sha256(token[:-8].encode()).hexdigest()[:8])
        self.assertEqual((made["name"], made["prefix"], made["scopes"]), ("ci", token[:12], ["read", "write"]))
        self.assertIsNone(made["lastUsedAt"])
        listed = [t for t in self.client.json("GET", "/api/tokens") if t["id"] == made["id"]]
        self.assertEqual(listed, [{k: v for k, v in made.items() if k != "token"}])
        stored = self.world.sql(f"SELECT encode(token_hash, 'hex') FROM api_tokens WHERE id = '{made['id']}'")
        self.assertEqual(stored, [[hashlib.sha256(token.encode()).hexdigest()]])
        self.assertNotIn(made["id"], {t["id"] for t in self.other.json("GET", "/api/tokens")})

    def test_its_end_is_what_was_asked_for_and_ninety_days_otherwise(self):
        for days, want in ((None, 90), (1, 1), (366, 366)):
            body = {"name": "days"} if days is None else {"name": "days", "expiresInDays": days}
            made = self.client.json("POST", "/api/tokens", body, 201)
            self.world.forget(made["token"])
            self.assertEqual(made["scopes"], ["read"])
            row = self.world.sql("SELECT round(extract(epoch FROM valid_until - created_at)) FROM api_tokens "
                                 f"WHERE id = '{made['id']}'")
            self.assertEqual(int(row[0][0]), want * DAY_S)

    def test_what_is_wrong_with_a_wish_is_named(self):
        for body, status, field in (
                ({}, 400, "#/name"), ({"name": ""}, 400, "#/name"), ({"name": " "}, 400, "#/name"),
                ({"name": "n" * 41}, 400, "#/name"), ({"name": "a\u0007"}, 400, "#/name"), ({"name": 1}, 400, "#/name"),
                ({"name": "a", "scopes": []}, 400, "#/scopes"), ({"name": "a", "scopes": "read"}, 400, "#/scopes"),
                ({"name": "a", "scopes": ["all"]}, 400, "#/scopes/0"), ({"name": "a", "scopes": [1]}, 400, "#/scopes/0"),
                ({"name": "a", "scopes": ["admin"]}, 403, "#/scopes"),
                ({"name": "a", "scopes": ["read"] * 4}, 400, "#/scopes"),
                ({"name": "a", "expiresInDays": 0}, 400, "#/expiresInDays"),
                ({"name": "a", "expiresInDays": 367}, 400, "#/expiresInDays"),
                ({"name": "a", "expiresInDays": 1.5}, 400, "#/expiresInDays"),
                ({"name": "a", "userId": "eve"}, 400, "#/userId")):
            with self.subTest(body=body):
                before = self.world.sql("SELECT count(*) FROM api_tokens")
                self.assert_problem(self.client.request("POST", "/api/tokens", body), status, field)
                self.assertEqual(self.world.sql("SELECT count(*) FROM api_tokens"), before)

    def test_the_time_of_its_last_use_is_told(self):
        bearer = self.world.token(self.client, ["read"], "used")
        bearer.json("GET", "/api/projects", status=200)
        used = {t["id"]: t["lastUsedAt"] for t in self.client.json("GET", "/api/tokens")}[bearer.id]
        self.assertTrue(re.match(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", used), used)
        mark = self.world.sql(f"SELECT xmin, used_at FROM api_tokens WHERE id = '{bearer.id}'")
        for _ in range(20):
            bearer.json("GET", "/api/projects", status=200)
        self.assertEqual(self.world.sql(f"SELECT xmin, used_at FROM api_tokens WHERE id = '{bearer.id}'"), mark)

    def test_one_that_is_over_or_mistyped_or_another_kind_of_secret_opens_nothing(self):
        bearer = self.world.token(self.client, ["read"], "over")
        self.world.sql(f"UPDATE api_tokens SET valid_until = now() WHERE id = '{bearer.id}'")
        session = self.client.cookie.partition("=")[2]
        wrong = bearer.token[:20] + ("A" if bearer.token[20] != "A" else "B") + bearer.token[21:]
        for token in (bearer.token, wrong, bearer.token[:-1], session, "", "fsa_"):
            answer = Bearer(self.world.port, token).request("GET", "/api/projects")
            self.assert_problem(answer, 401, word="Unauthorized")
            self.assertEqual(answer[1]["WWW-Authenticate"], "Bearer")
        self.assertEqual(self.client.request("GET", "/api/projects", headers={"Cookie": f"sid={bearer.token}"})[0], 401)
        self.assertNotIn(bearer.id, {t["id"] for t in self.client.json("GET", "/api/tokens")})

    def test_a_token_makes_and_ends_no_tokens_and_no_sessions(self):
        bearer = self.world.token(self.client, ["write"], "ambitious")
        self.assert_problem(bearer.request("POST", "/api/tokens", {"name": "more"}), 403, word="sign in")
        self.assert_problem(bearer.request("GET", "/api/tokens"), 403)
        self.assert_problem(bearer.request("DELETE", f"/api/tokens/{bearer.id}"), 403)
        bearer.json("POST", "/api/auth/signout", {}, 200)
        self.client.json("GET", "/api/tokens", status=200)

    def test_only_its_owner_revokes_it_and_once(self):
        bearer = self.world.token(self.client, ["read"], "mine")
        self.assert_problem(self.other.request("DELETE", f"/api/tokens/{bearer.id}"), 404, word="Token not found")
        bearer.json("GET", "/api/projects", status=200)
        self.assertEqual(self.client.json("DELETE", f"/api/tokens/{bearer.id}", status=200), {"success": True})
        self.assert_problem(self.client.request("DELETE", f"/api/tokens/{bearer.id}"), 404, word="Token not found")

    def test_there_is_an_end_to_their_number(self):
        crowd = self.world.sign_in("crowd")
        user = crowd.json("GET", "/api/auth/session")["user"]["id"]
        self.world.sql("INSERT INTO api_tokens (id, user_id, name, prefix, token_hash, valid_until) SELECT 'c' || i, "
                       f"'{user}', 'c', 'fsa_', sha256(i::text::bytea), now() + interval '1 day' FROM generate_series(1, 49) i")
        self.world.token(crowd, ["read"], "the last")
        self.assert_problem(crowd.request("POST", "/api/tokens", {"name": "one more"}), 409, word="at most 50")
        crowd.json("DELETE", "/api/tokens/c7", status=200)
        self.world.token(crowd, ["read"], "in its place")


class OnEveryReplica(StackCase):
    def revoked_is_gone(self, has_redis):
        with Accounts(has_redis=has_redis) as world:
            second = world.serve()
            client = world.sign_in()
            here = world.token(client, ["read"])
            there = Bearer(second.port, here.token)
            for _ in range(3):  # both have remembered it
                here.json("GET", "/api/projects", status=200)
                there.json("GET", "/api/projects", status=200)
            client.json("DELETE", f"/api/tokens/{here.id}", status=200)
            self.assertEqual(here.request("GET", "/api/projects")[0], 401)
            if has_redis:
                self.assertEqual(there.request("GET", "/api/projects")[0], 401)
            # Without Redis the other one hears of it: well before the ten seconds that it would remember.
            wait_for("the other replica knows", lambda: there.request("GET", "/api/projects")[0] == 401, 5)

    def test_with_redis(self):
        self.revoked_is_gone(True)

    def test_without_redis(self):
        self.revoked_is_gone(False)


if __name__ == "__main__":
    main()
