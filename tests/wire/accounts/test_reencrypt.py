#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A key is replaced without losing a secret: everything sealed is sealed with the ring's first key, found by looking for
boxes in every table and not by a list of them here. Runs inside with_services.py."""
import base64
import secrets
import subprocess

from accounts import Accounts, StackCase, main

MANY = 25  # more than a page


class Reencrypt(StackCase):
    def boxes(self, world):
        """{(table, column): the key ids that its boxes begin with}"""
        found = {}
        columns = world.sql("SELECT table_name, column_name FROM information_schema.columns "
                            "WHERE table_schema = 'public' AND column_name LIKE '%\\_box'")
        for table, column in columns:
            rows = world.sql(f"SELECT DISTINCT split_part(encode({column}, 'escape'), '\\000', 1) FROM {table} "
                             f"WHERE {column} IS NOT NULL")
            found[table, column] = {row[0] for row in rows}
        return found

    def run_it(self, world):
        return subprocess.run([f"{world.build}/fullstackd", "reencrypt"], env=world.server_env(world.port),
                              capture_output=True, text=True)

    def fill(self, world, client):
        project, _ = client.create("sealed", {"REQUESTED": "r"})
        self.assert_story(client.follow(project["id"]))
        variables = [{"key": f"V{i}", "value": f"value {i}"} for i in range(MANY)]
        client.json("POST", f"/api/projects/{project['id']}/environment", {"variables": variables}, 200)
        client.request("POST", "/api/projects", {"name": "again"}, headers={"Idempotency-Key": "k1"})
        return project["id"]

    def values(self, client, project):
        listed = client.json("GET", f"/api/projects/{project}/environment", status=200)
        return {v["key"]: v["value"] for group in listed.values() for v in group}

    def test_each_box_gets_the_first_key_and_opens_without_the_old_one(self):
        with Accounts() as world:
            client = world.sign_in()
            project = self.fill(world, client)
            before = self.values(client, project)
            old = world.keys
            new = "fresh:" + base64.b64encode(secrets.token_bytes(32)).decode()
            world.secrets.add(old.partition(":")[2])
            filled = {place for place, keys in self.boxes(world).items() if keys == {"test"}}
            self.assertTrue({"environment", "sandboxes", "databases", "idempotency"} <= {t for t, _ in filled}, filled)
            world.keys = f"{new},{old}"
            ran = self.run_it(world)
            self.assertEqual(ran.returncode, 0, ran.stderr)
            self.assertIn(f"environment.value_box: {MANY} re-encrypted", ran.stdout)
            for place, keys in self.boxes(world).items():
                self.assertEqual(keys, {"fresh"} if place in filled else set(), place)
                self.assertIn(f"{place[0]}.{place[1]}: ", ran.stdout, "a column of boxes that is left out")
            again = self.run_it(world)
            self.assertEqual((again.returncode, again.stdout.count(": 0 re-encrypted")), (0, len(self.boxes(world))))
            world.keys = new
            world.kill_server(world.servers[0])
            world.serve(world.port)
            self.assertEqual(self.values(client, project), before)

    def test_what_no_key_opens_is_told_and_stays(self):
        with Accounts() as world:
            client = world.sign_in()
            project = self.fill(world, client)
            world.sql("UPDATE environment SET value_box = set_byte(value_box, octet_length(value_box) - 1, "
                      "get_byte(value_box, octet_length(value_box) - 1) # 1) WHERE key = 'V3'")
            broken = world.sql("SELECT value_box FROM environment WHERE key = 'V3'")
            world.keys = f"fresh:{base64.b64encode(secrets.token_bytes(32)).decode()},{world.keys}"
            ran = self.run_it(world)
            self.assertEqual(ran.returncode, 1)
            self.assertIn(f"environment.value_box: {MANY - 1} re-encrypted, 1 that no key of the ring opens", ran.stdout)
            self.assertEqual(world.sql("SELECT value_box FROM environment WHERE key = 'V3'"), broken)
            world.sql("DELETE FROM environment WHERE key = 'V3'")
            world.kill_server(world.servers[0])
            world.serve(world.port)
            self.assertEqual(len(self.values(client, project)), MANY - 1)


if __name__ == "__main__":
    main()
