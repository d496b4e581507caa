#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What an administrator sees of all users and projects, and how somebody becomes one and is one no more. Runs inside
with_services.py."""
import concurrent.futures
import json
import urllib.parse

from accounts import Accounts, StackCase, main, wait_for


class Admin(StackCase):
    @classmethod
    def open_world(cls):
        cls.world = Accounts(has_databases=False).__enter__()
        cls.addClassCleanup(cls.world.__exit__, None, None, None)
        cls.world.sign_in("boss")
        cls.world.sql("UPDATE users SET is_admin = true WHERE name = 'boss'")
        cls.boss = cls.world.sign_in("boss")
        cls.boss_id = cls.id_of("boss")

    @classmethod
    def id_of(cls, name):
        return cls.world.sql(f"SELECT id FROM users WHERE name = '{name}'")[0][0]

    def set_role(self, user_id, role, by=None):
        return (by or self.boss).request("PATCH", f"/api/admin/users/{user_id}", {"role": role})


class Users(Admin):
    @classmethod
    def setUpClass(cls):
        cls.open_world()

    def test_pages_hold_every_user_once_also_those_of_one_moment(self):
        self.world.sql("INSERT INTO users (id, name, email, created_at) SELECT 'many-' || lpad(i::text, 3, '0'), 'Many ' || i, "
                       "'many' || i || '@example.org', timestamptz '2020-01-01' - (i / 3) * interval '1 microsecond' FROM generate_series(1, 100) i")
        pages = list(self.boss.pages("/api/admin/users?limit=7"))
        self.assertTrue(all(len(page) == 7 for page in pages[:-1]))
        wanted = [row[0] for row in self.world.sql("SELECT id FROM users ORDER BY created_at DESC, id DESC")]
        self.assertEqual([u["id"] for page in pages for u in page], wanted)
        for keyword, found in (("MANY 10", {"many-010", "many-100"}), ("many77@", {"many-077"}), ("many-042", {"many-042"}),
                               ("%", set()), ("no such", set())):
            query = urllib.parse.urlencode({"keyword": keyword, "limit": 1})
            self.assertEqual({u["id"] for page in self.boss.pages("/api/admin/users?" + query) for u in page}, found, keyword)

    def test_a_user_is_told_with_what_is_his_and_when_he_was_seen(self):
        client = self.world.sign_in("busy")
        user = self.id_of("busy")
        seen = self.boss.json("GET", f"/api/admin/users/{user}")
        self.assertEqual((seen["name"], seen["role"], seen["projects"], seen["runningSandboxes"]), ("busy", "user", 0, 0))
        self.assertIsNotNone(seen["lastSeenAt"])
        project, _ = client.create("one")
        client.json("POST", "/api/projects", {"name": "two"}, 200)
        client.follow(project["id"])
        seen = self.boss.json("GET", f"/api/admin/users/{user}")
        self.assertEqual((seen["projects"], seen["runningSandboxes"]), (2, 1))
        self.assertEqual(next(self.boss.pages("/api/admin/users?keyword=" + user)), [seen])
        self.world.sql(f"UPDATE users SET seen_at = NULL WHERE id = '{user}'")
        self.assertIsNone(self.boss.json("GET", f"/api/admin/users/{user}")["lastSeenAt"])
        self.world.token(client, ["read"]).json("GET", "/api/projects")
        self.assertIsNotNone(self.boss.json("GET", f"/api/admin/users/{user}")["lastSeenAt"])

    def test_a_look_up_does_not_wait_for_who_holds_the_users_row(self):
        client = self.world.sign_in("held")
        user = self.id_of("held")
        token = self.world.token(client, ["read"])
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            holder = pool.submit(self.world.sql, f"BEGIN; SELECT FROM users WHERE id = '{user}' FOR UPDATE; SELECT pg_sleep(3); COMMIT")
            wait_for("the lock", lambda: self.world.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))
            token.json("GET", "/api/projects")
            self.assertFalse(holder.done())
            holder.result()

    def test_what_cannot_be_asked_for_names_the_parameter(self):
        for query in ("limit=0", "limit=1001", "cursor=1", "keyword=" + "k" * 257):
            self.assert_problem(self.boss.request("GET", "/api/admin/users?" + query), 400, query.partition("=")[0])
        self.assert_problem(self.boss.request("GET", "/api/admin/users/nobody-at-all"), 404)


class Projects(Admin):
    @classmethod
    def setUpClass(cls):
        cls.open_world()

    def test_everybodys_projects_are_found_by_owner_status_and_words(self):
        one, two = self.world.sign_in("one"), self.world.sign_in("two")
        running, _ = one.create("shop of one")
        one.follow(running["id"])
        bare = one.json("POST", "/api/projects", {"name": "bare of one"}, 200)
        other = two.json("POST", "/api/projects", {"name": "shop of two"}, 200)
        mine = {p["id"]: p for p in one.json("GET", "/api/projects")}

        def found(**query):
            return {p["id"]: p for page in self.boss.pages("/api/admin/projects?" + urllib.parse.urlencode({"limit": 1, **query})) for p in page}
        self.assertEqual(set(found()), {running["id"], bare["id"], other["id"]})
        self.assertEqual(set(found(owner=self.id_of("one"))), {running["id"], bare["id"]})
        self.assertEqual(set(found(status="running")), {running["id"]})
        self.assertEqual(set(found(status="none")), {bare["id"], other["id"]})
        self.assertEqual(set(found(status="error")), set())
        self.assertEqual(set(found(keyword="SHOP")), {running["id"], other["id"]})
        self.assertEqual(set(found(keyword="shop", owner=self.id_of("two"), status="none")), {other["id"]})
        self.assertEqual(found(createdTo="2020-01-01"), {})
        told = found(owner=self.id_of("one"))
        for project in told.values():
            self.assertEqual(project.pop("userName"), "one")
        self.assertEqual(told, mine)  # the owner's own document

    def test_pages_hold_every_project_once(self):
        self.world.sign_in("many")
        user = self.id_of("many")
        self.world.sql("INSERT INTO projects (id, owner_id, name, updated_at) SELECT 'all-' || lpad(i::text, 2, '0'), "
                       f"'{user}', 'p', timestamptz '2020-01-01' - (i / 2) * interval '1 microsecond' FROM generate_series(0, 10) i")
        pages = [[p["id"] for p in page] for page in self.boss.pages(f"/api/admin/projects?limit=3&owner={user}")]
        self.assertEqual([i for page in pages for i in page], [f"all-{i:02}" for i in range(11)])

    def test_what_cannot_be_asked_for_names_the_parameter(self):
        for query in ("limit=0", "cursor=x.y", "owner=a%20b", "status=RUNNING", "status=1", "createdFrom=never"):
            self.assert_problem(self.boss.request("GET", "/api/admin/projects?" + query), 400, query.partition("=")[0])


class Roles(Admin):
    @classmethod
    def setUpClass(cls):
        cls.open_world()

    def test_an_administrator_makes_another_and_it_is_told_in_the_audit(self):
        self.world.sign_in("deputy")
        user = self.id_of("deputy")
        status, _, body = self.set_role(user, "admin")
        self.addCleanup(self.set_role, user, "user")
        self.assertEqual((status, json.loads(body)["role"]), (200, "admin"))
        deputy = self.world.sign_in("deputy")
        deputy.json("GET", "/api/admin/users")
        path = f"/api/admin/audit?user={self.boss_id}&action=PATCH%20/api/admin/users/%7Bid%7D"
        rows = wait_for("the audit's row", lambda: [r for r in self.boss.json("GET", path) if r["subjectId"] == user])
        self.assertEqual([(r["subjectKind"], r["status"]) for r in rows], [("user", 200)])

    def test_who_loses_the_role_is_signed_out_at_once(self):
        self.world.sign_in("former")
        user = self.id_of("former")
        self.set_role(user, "admin")
        former = self.world.sign_in("former")
        mighty, small = self.world.token(former, ["admin"]), self.world.token(former, ["read"])
        for client in (former, mighty):
            client.json("GET", "/api/admin/users")
        small.json("GET", "/api/projects")
        self.assertEqual(self.set_role(user, "user")[0], 200)
        for client in (former, mighty):
            self.assertEqual(client.request("GET", "/api/admin/users")[0], 401)
        small.json("GET", "/api/projects")
        self.assertEqual(self.world.sign_in("former").request("GET", "/api/admin/users")[0], 403)
        self.assertEqual(self.set_role(user, "user")[0], 200)  # is so already

    def test_the_last_administrator_stays(self):
        self.assertEqual(self.world.sql("SELECT count(*) FROM users WHERE is_admin AND name <> 'boss'"), [["0"]])
        self.assert_problem(self.set_role(self.boss_id, "user"), 409, word="last administrator")
        self.boss.json("GET", "/api/admin/users")

    def test_two_who_remove_each_other_leave_one(self):
        with Accounts(has_databases=False) as world:
            ids, clients = {}, {}
            for name in ("left", "right"):
                world.sign_in(name)
                world.sql(f"UPDATE users SET is_admin = true WHERE name = '{name}'")
                clients[name] = world.sign_in(name)
                ids[name] = world.sql(f"SELECT id FROM users WHERE name = '{name}'")[0][0]
                clients[name].json("GET", "/api/admin/users")
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                statuses = list(pool.map(lambda n: self.set_role(ids[n[1]], "user", by=clients[n[0]])[0], (("left", "right"), ("right", "left"))))
            self.assertIn(sorted(statuses), ([200, 401], [200, 409]))
            self.assertEqual(world.sql("SELECT count(*) FROM users WHERE is_admin"), [["1"]])

    def test_who_is_one_by_configuration_stays_one(self):
        self.world.sign_in("founder")
        user = self.id_of("founder")
        with Accounts(env={"FULLSTACKD_ADMIN_USERS": f"x, {user}"}, has_databases=False) as world:
            world.sql(f"INSERT INTO users (id, name) VALUES ('{user}', 'founder')")
            world.sql(f"INSERT INTO identities (id, user_id, provider, provider_user_id) VALUES ('i-1', '{user}', 'local', 'founder')")
            founder = world.sign_in("founder")
            told = founder.json("GET", f"/api/admin/users/{user}")
            self.assertEqual((told["role"], told["isAdminByConfiguration"]), ("admin", True))
            self.assert_problem(self.set_role(user, "user", by=founder), 409, word="configuration")
            world.sign_in("other")
            other = world.sql("SELECT id FROM users WHERE name = 'other'")[0][0]
            self.assertEqual(self.set_role(other, "admin", by=founder)[0], 200)
            self.assertEqual(self.set_role(other, "user", by=founder)[0], 200)  # the founder is left

    def test_a_role_is_one_of_two(self):
        for body in ({}, {"role": "root"}, {"role": True}, {"role": "admin", "more": 1}):
            self.assert_problem(self.boss.request("PATCH", f"/api/admin/users/{self.boss_id}", body), 400)
        self.assert_problem(self.set_role("nobody-at-all", "admin"), 404)


if __name__ == "__main__":
    main()
