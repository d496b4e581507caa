#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sessions: their owner sees them and ends them, everywhere and at once, with their open streams. Runs inside
with_services.py."""
from accounts import Accounts, Client, Reader, StackCase, main, wait_for

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def mine(client):
    return client.json("GET", "/api/auth/sessions", status=200)


def is_signed_in(client):
    return client.request("GET", "/api/projects")[0] == 200


class Sessions(StackCase):
    @classmethod
    def setUpClass(cls):
        cls.world = Accounts().__enter__()
        cls.addClassCleanup(cls.world.__exit__, None, None, None)

    def test_each_is_told_with_its_times_and_where_it_came_from_roughly(self):
        first = self.world.sign_in("lister")
        self.world.sign_in("lister")
        listed = mine(first)
        self.assertEqual([s["current"] for s in listed].count(True), 1)
        self.assertEqual(len(listed), 2)
        for s in listed:
            self.assertEqual(set(s), {"id", "userAgent", "address", "createdAt", "lastUsedAt", "expiresAt", "current"})
            self.assertEqual(s["address"], "127.0.0.0/24")
            self.assertLess(s["createdAt"], s["expiresAt"])

    def enter(self, user, headers):
        token = self.world.link(user)
        client = Client(self.world.port, "")
        status, fields, _ = client.request("POST", "/api/auth/signin-link", {"token": token}, headers=headers)
        self.assertEqual(status, 200)
        cookie = fields["Set-Cookie"].split(";")[0]
        self.world.secrets.add(cookie.partition("=")[2])
        return Client(self.world.port, cookie)

    def test_the_browser_is_told_without_its_version(self):
        client = self.enter("browser", {"User-Agent": FIREFOX})
        self.assertEqual(mine(client)[0]["userAgent"], "Firefox on Linux")
        self.assertEqual(self.world.sql("SELECT count(*) FROM sessions s WHERE s::text LIKE '%Mozilla%'"), [["0"]])

    def test_a_sign_in_ends_the_session_that_the_browser_had(self):
        former = self.world.sign_in("rotating")
        self.assertTrue(is_signed_in(former))
        client = self.enter("rotating", {"Cookie": former.cookie})
        self.assertNotEqual(client.cookie, former.cookie)
        self.assertFalse(is_signed_in(former))
        self.assertEqual([s["current"] for s in mine(client)], [True])

    def test_one_is_ended_by_its_owner_alone(self):
        here = self.world.sign_in("ender")
        there = self.world.sign_in("ender")
        stranger = self.world.sign_in("stranger")
        target = next(s["id"] for s in mine(there) if s["current"])
        self.assert_problem(stranger.request("DELETE", f"/api/auth/sessions/{target}"), 404, word="Session not found")
        self.assertTrue(is_signed_in(there))
        here.json("DELETE", f"/api/auth/sessions/{target}", status=200)
        self.assertFalse(is_signed_in(there))
        self.assertTrue(is_signed_in(here))
        self.assert_problem(here.request("DELETE", f"/api/auth/sessions/{target}"), 404)
        for foreign in ("nosuch", "'%20or%20''='", "0" * 200):
            self.assert_problem(here.request("DELETE", f"/api/auth/sessions/{foreign}"), 404)

    def test_the_others_or_all_are_ended(self):
        clients = [self.world.sign_in("everywhere") for _ in range(4)]
        stays = self.world.sign_in("somebody")
        self.assert_problem(clients[0].request("DELETE", "/api/auth/sessions?others=yes"), 400, "others")
        clients[0].json("DELETE", "/api/auth/sessions?others=true", status=200)
        self.assertEqual([is_signed_in(c) for c in clients], [True, False, False, False])
        status, headers, _ = clients[0].request("DELETE", "/api/auth/sessions")
        self.assertEqual(status, 200)
        self.assertIn("sid=; Path=/; Max-Age=0", headers["Set-Cookie"])
        self.assertFalse(is_signed_in(clients[0]))
        self.assertTrue(is_signed_in(stays))

    def test_an_administrator_locks_a_user_out_with_sessions_and_tokens(self):
        target = self.world.sign_in("target")
        token = self.world.token(target, ["write"])
        boss = self.world.sign_in("boss")
        self.world.sql("UPDATE users SET is_admin = true WHERE name = 'boss'")
        user = target.json("GET", "/api/auth/session")["user"]["id"]
        self.assert_problem(target.request("DELETE", f"/api/admin/users/{user}/sessions"), 403)
        boss.json("DELETE", f"/api/admin/users/{user}/sessions", status=200)
        # A user named wrongly still is where they were: nobody may take that for done.
        self.assert_problem(boss.request("DELETE", f"/api/admin/users/{user}x/sessions"), 404, word="User not found")
        self.assertEqual([is_signed_in(c) for c in (target, token, boss)], [False, False, True])

    def test_idle_and_absolute_ends_hold(self):
        for column in ("idle_until", "absolute_until"):
            client = self.world.sign_in("timed")
            self.world.sql(f"UPDATE sessions SET {column} = now() WHERE token_hash = sha256('"
                           + client.cookie.partition("=")[2] + "'::bytea)")
            self.assertFalse(is_signed_in(client), column)


class OnEveryReplica(StackCase):
    def ended_is_gone(self, has_redis):
        with Accounts(has_redis=has_redis) as world:
            second = world.serve()
            here = world.sign_in()
            there = Client(second.port, world.sign_in().cookie)
            token = world.token(here, ["read"])
            self.assertTrue(is_signed_in(there))
            streams = [Reader(there, "/api/events"), Reader(token, "/api/events")]
            stays = Reader(here, "/api/events")
            for reader in (*streams, stays):
                reader.wait("its beginning", lambda name, _: name == "reset")
            target = next(s["id"] for s in mine(there) if s["current"])
            here.json("DELETE", f"/api/auth/sessions/{target}", status=200)
            here.json("DELETE", f"/api/tokens/{token.id}", status=200)
            for reader in streams:
                reader.end(10)  # long before anybody asks by the clock
            wait_for("the other replica knows", lambda: not is_signed_in(there), 5)
            # The one that stays is told what happens.
            project = here.json("POST", "/api/projects", {"name": "heard"}, 200)["id"]
            here.json("POST", f"/api/sandbox/{project}", {}, 202)
            stays.wait("an event", lambda name, _: name == "stage")
            here.json("POST", "/api/auth/signout", {}, 200)
            stays.end(10)

    def test_with_redis(self):
        self.ended_is_gone(True)

    def test_without_redis(self):
        self.ended_is_gone(False)


if __name__ == "__main__":
    main()
