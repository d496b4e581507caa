#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The audit: every change by a known caller is one row with its status; reads and what was sent are in none; an
administrator reads it in pages. Runs inside with_services.py."""
import json
import urllib.parse

from accounts import Accounts, StackCase, main, wait_for

SECRET = "planted-7c1e5f"


class Audit(StackCase):
    @classmethod
    def setUpClass(cls):
        cls.world = Accounts().__enter__()
        cls.addClassCleanup(cls.world.__exit__, None, None, None)
        cls.client = cls.world.sign_in()

    def rows(self, where):
        return self.world.sql("SELECT action, status, credential, subject_kind, subject_id, user_id, address FROM audit "
                              f"WHERE {where} ORDER BY id")

    def marked(self):
        """Makes a change and waits for its row: rows are written in order, so all before it are there."""
        made = self.client.json("POST", "/api/projects", {"name": "marker"})
        self.client.request("DELETE", f"/api/projects/{made['id']}")
        wait_for("the marker's row", lambda: self.rows(f"subject_id = '{made['id']}'"))
        return made["id"]

    def test_changes_are_told_once_with_their_answer_and_reads_are_not(self):
        made = self.client.json("POST", "/api/projects", {"name": SECRET})
        project = made["id"]
        variables = f"/api/projects/{project}/environment"
        status = self.client.request("POST", variables, {"key": "PLANTED", "value": SECRET})[0]
        self.assertIn(status, (200, 201))
        self.client.json("GET", f"/api/projects/{project}")
        self.client.json("GET", variables)
        refused = self.client.request("POST", variables, {"key": 5, "value": SECRET})[0]
        self.assertEqual(refused, 400)
        self.marked()
        user = self.world.sql(f"SELECT owner_id FROM projects WHERE id = '{project}'")[0][0]
        pattern = "POST /api/projects/{id}/environment"
        got = [[str(v) for v in row] for row in self.rows(f"subject_id = '{project}'")]
        self.assertEqual(got, [[pattern, str(s), "session", "project", project, user, "127.0.0.1"]
                               for s in (status, refused)])
        self.assertEqual(self.rows("action LIKE 'GET /api/projects%'"), [])
        self.assertEqual(self.world.sql(f"SELECT id FROM audit a WHERE a::text LIKE '%{SECRET}%'"), [])

    def test_a_path_that_is_no_text_does_not_hold_up_the_others(self):
        before = len(self.rows("subject_kind = ''"))
        self.client.request("DELETE", "/api/projects/no_id!")
        self.client.request("DELETE", "/api/projects/" + "x" * 200)
        self.marked()
        self.assertGreaterEqual(len(self.rows("action = 'DELETE /api/projects/{id}' AND subject_id = ''")), 2)
        self.assertGreaterEqual(len(self.rows("subject_kind = ''")), before + 2)

    def test_a_change_by_a_program_names_its_token_and_not_the_secret(self):
        program = self.world.token(self.client, ["write"], name="deployer")
        made = program.json("POST", "/api/projects", {"name": "by a program"})["id"]
        program.request("DELETE", f"/api/projects/{made}")
        self.marked()
        got = self.world.sql(f"SELECT DISTINCT credential, token_id FROM audit WHERE subject_id = '{made}'")
        self.assertEqual(got, [["token", program.id]])
        self.assertEqual(self.world.sql(f"SELECT id FROM audit a WHERE a::text LIKE '%{program.token}%'"), [])
        # found in memory the second time, and still known by its id
        again = program.json("POST", "/api/projects", {"name": "again"})["id"]
        program.request("DELETE", f"/api/projects/{again}")
        self.marked()
        self.assertEqual(self.world.sql(f"SELECT DISTINCT token_id FROM audit WHERE subject_id = '{again}'"), [[program.id]])


class Reading(StackCase):
    """Rows of known content, and an administrator who looks for some of them."""
    MANY = 60000
    PAGE_BLOCKS_MAX = 200  # a page of 20 by an index; reading all rows takes a thousand and more

    @classmethod
    def setUpClass(cls):
        cls.world = Accounts().__enter__()
        cls.addClassCleanup(cls.world.__exit__, None, None, None)
        cls.boss = cls.world.sign_in("boss")
        cls.world.sql("UPDATE users SET is_admin = true WHERE name = 'boss'")
        cls.boss = cls.world.sign_in("boss")
        cls.user = cls.world.sql("SELECT id FROM users WHERE name = 'boss'")[0][0]
        cls.world.sql(
            "INSERT INTO audit (id, at, user_id, action, subject_kind, subject_id, address, request_id, status, credential, token_id) "
            "SELECT 'a-' || lpad(i::text, 8, '0'), timestamptz '2026-01-01' + (i / 2) * interval '1 second', "
            "CASE WHEN i % 20000 = 0 THEN NULL WHEN i % 6000 = 7 THEN '" + cls.user + "' ELSE 'gone-' || i % 500 END, "
            "CASE WHEN i % 15000 = 3 THEN 'PUT /api/rare' ELSE 'POST /api/projects' END, "
            "CASE WHEN i % 2 = 0 THEN 'project' WHEN i % 3 = 0 THEN 'user' ELSE 'other' END, CASE WHEN i % 6 = 3 THEN 'u-' ELSE 'p-' END || i % 9000, '192.0.2.7', 'r-' || i, "
            "CASE WHEN i % 12000 = 1 THEN NULL WHEN i % 12000 = 2 THEN 503 WHEN i % 12000 = 5 THEN 409 WHEN i % 100 = 0 THEN 404 ELSE 200 END, "
            "'token', 't-1' "
            f"FROM generate_series(1, {cls.MANY}) i")
        cls.world.sql("ANALYZE audit")

    def pages(self, query):
        return self.boss.pages("/api/admin/audit?" + query)

    def ids(self, **query):
        """Of every page, without what this test does itself."""
        query = urllib.parse.urlencode({"until": "2026-02-01", **query})
        return [e["id"] for page in self.pages(query) for e in page]

    def expected(self, where):
        return [row[0] for row in self.world.sql(f"SELECT id FROM audit WHERE id LIKE 'a-%' AND {where} ORDER BY at DESC, id DESC")]

    def test_an_entry_tells_who_what_where_and_how_it_ended(self):
        entry = next(self.pages("limit=1&until=2026-02-01&status=503"))[0]
        n = int(entry["id"][2:])
        self.assertEqual(entry, {
            "id": f"a-{n:08}", "at": entry["at"], "userId": f"gone-{n % 500}", "userName": None, "credential": "token", "tokenId": "t-1",
            "action": "POST /api/projects", "subjectKind": "project", "subjectId": f"p-{n % 9000}", "status": 503,
            "address": "192.0.2.7", "requestId": f"r-{n}"})
        self.assertEqual({e["userName"] for page in self.pages(f"user={self.user}&until=2026-02-01") for e in page}, {"boss"})

    def test_what_was_done_last_comes_first(self):
        made = self.boss.json("POST", "/api/projects", {"name": "newest"})["id"]
        self.boss.request("DELETE", f"/api/projects/{made}")
        found = wait_for("the row of the removal", lambda: [
            e for e in next(self.pages(f"project={made}")) if e["action"] == "DELETE /api/projects/{id}"])
        self.assertEqual([(e["userId"], e["userName"], e["credential"], e["subjectId"]) for e in found], [(self.user, "boss", "session", made)])
        newest = [e["at"] for e in next(self.pages("limit=50"))]
        self.assertEqual(newest, sorted(newest, reverse=True))

    def test_what_was_done_to_a_user_is_found_by_that_user(self):
        self.world.sign_in("subject")
        subject = self.world.sql("SELECT id FROM users WHERE name = 'subject'")[0][0]
        self.boss.json("PATCH", f"/api/admin/users/{subject}", {"role": "admin"}, 200)
        self.boss.json("DELETE", f"/api/admin/users/{subject}/sessions", status=200)
        found = wait_for("both rows", lambda: [page for page in [next(self.pages(f"ofUser={subject}"))] if len(page) == 2])[0]
        self.assertEqual([(e["action"], e["userId"], e["subjectKind"], e["subjectId"], e["status"]) for e in found],
                         [("DELETE /api/admin/users/{id}/sessions", self.user, "user", subject, 200),
                          ("PATCH /api/admin/users/{id}", self.user, "user", subject, 200)])
        self.assertEqual([len(page) for page in self.pages(f"ofUser={subject}&limit=1")], [1, 1])

    def test_pages_hold_every_row_once_also_those_of_one_moment(self):
        wanted = self.expected("at < '2026-01-01 00:10:00Z'")
        self.assertEqual(self.ids(until="2026-01-01T00:10:00Z", limit=7), wanted)
        self.assertEqual(len(wanted), 1199)

    def test_each_filter_finds_what_it_says(self):
        for query, where in (({"user": self.user}, f"user_id = '{self.user}'"),
                             ({"project": "p-4"}, "subject_kind = 'project' AND subject_id = 'p-4'"),
                             ({"ofUser": "u-9"}, "subject_kind = 'user' AND subject_id = 'u-9'"),
                             ({"ofUser": "p-4"}, "false"), ({"project": "u-9"}, "false"), ({"ofUser": "u-9", "project": "p-4"}, "false"),
                             ({"ofUser": "u-9", "status": "2xx", "limit": 2}, "subject_id = 'u-9' AND status = 200"),
                             ({"action": "PUT /api/rare"}, "action = 'PUT /api/rare'"),
                             ({"status": "503"}, "status = 503"), ({"status": "5xx"}, "status >= 500"),
                             ({"status": "409"}, "status = 409"), ({"status": "4xx"}, "status BETWEEN 400 AND 499"),
                             ({"status": "none"}, "status IS NULL"), ({"status": "3xx"}, "false"),
                             ({"since": "2026-01-01T02:00:00Z", "until": "2026-01-01T02:00:30Z"},
                              "at >= '2026-01-01 02:00Z' AND at < '2026-01-01 02:00:30Z'"),
                             ({"user": self.user, "action": "POST /api/projects", "status": "2xx"},
                              f"user_id = '{self.user}' AND action = 'POST /api/projects' AND status = 200")):
            with self.subTest(query=query):
                wanted = self.expected(where)
                self.assertEqual(bool(wanted), where != "false")
                self.assertEqual(self.ids(**query), wanted)

    def test_a_page_is_read_and_not_searched_for(self):
        """By PostgreSQL's own count of blocks: no filter makes it read every row."""
        rows = int(self.world.sql("SELECT pg_relation_size('audit') / 8192")[0][0])
        self.assertGreater(rows, 3 * self.PAGE_BLOCKS_MAX)
        last = self.expected("at < '2026-01-01 00:00:20Z'")[0]
        for what, arguments in (("all", {}), ("a late page", {"p_after_us": f"{1767225620 * 10**6}", "p_after_id": f"'{last}'"}),
                                ("a user", {"p_user": f"'{self.user}'"}), ("nobody", {"p_user": "'none such'"}),
                                ("a project", {"p_project": "'p-4'"}), ("what was done to a user", {"p_of_user": "'u-9'"}),
                                ("what was done to nobody", {"p_of_user": "'none'"}), ("an action", {"p_action": "'PUT /api/rare'"}),
                                ("what failed", {"p_class": "5"}), ("what was refused", {"p_class": "4"}),
                                ("without an answer", {"p_class": "0"}), ("a time", {"p_since_ms": "1767226000000", "p_until_ms": "1767226100000"})):
            named = {"p_limit": "20", **{k: "NULL" for k in ("p_after_us", "p_after_id", "p_user", "p_project", "p_of_user", "p_action", "p_class",
                                                             "p_status", "p_since_ms", "p_until_ms")}, **arguments}
            call = "fs_audit_page(" + ", ".join(f"{k} => {v}" for k, v in named.items()) + ")"
            # Once before, so that what it reads of the catalogue is known.
            told = self.world.sql(f"SELECT count(*) FROM {call}; EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM {call}")
            plan = json.loads("\n".join(line[0] for line in told[1:]))[0]["Plan"]
            with self.subTest(what=what):
                self.assertLess(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], self.PAGE_BLOCKS_MAX)

    def test_what_cannot_be_asked_for_names_the_parameter(self):
        for query in ("limit=0", "limit=1001", "cursor=x", "user=a%20b", "project=" + "p" * 65, "ofUser=a_b", "status=99", "status=600", "status=6xx",
                      "status=0xx", "status=4x", "status=-1", "since=yesterday", "until=2026-02-30", "action=" + "a" * 257):
            with self.subTest(query=query):
                self.assert_problem(self.boss.request("GET", "/api/admin/audit?" + query), 400, query.partition("=")[0])


if __name__ == "__main__":
    main()
