#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The audit: every change by a known caller is one row with its status; reads and what was sent are in none. Runs inside
with_services.py."""
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


if __name__ == "__main__":
    main()
