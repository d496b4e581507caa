#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How an owner is told of the way to a project's database, and who is not. Runs inside with_services.py."""
import json
import urllib.parse

from world import Confidant, StackCase, World, main

WHERE = "/api/projects/{}/sync-database"


class Database(StackCase):
    def test_the_owner_is_told_once_there_is_one_and_nobody_else(self):
        with World() as world:
            client = world.sign_in()
            project = client.json("POST", "/api/projects", {"name": "ledger"}, 200)["id"]
            path = WHERE.format(project)
            for method, body in (("GET", None), ("POST", {})):
                self.assertEqual(client.json(method, path, body, 404)["error"], "No sandbox found")
            client.json("POST", f"/api/sandbox/{project}", {}, 202)
            self.assert_story(client.follow(project))
            # Here alone a password is told: the world looks for it in everything else, logs and tables too.
            trusted = Confidant(client.port, client.cookie)
            status, headers, told = trusted.request("GET", path)
            self.assertEqual((status, headers["Cache-Control"]), (200, "no-store"))
            database = json.loads(told)["database"]
            url = urllib.parse.urlsplit(database.pop("connectionString"))
            self.assertEqual((url.hostname, url.port, url.path, url.username, urllib.parse.unquote(url.password)),
                             (database["host"], database["port"], "/" + database["name"], database["user"], database["password"]))
            key = {"Idempotency-Key": "sync-1"}
            synced = json.loads(trusted.request("POST", path, {}, key)[2])
            self.assertEqual(synced, {"message": "Database info already synced", "database": database})
            bob = world.sign_in("bob")
            for method, body in (("GET", None), ("POST", {})):
                self.assertEqual(bob.json(method, path, body, 404)["error"], "Project not found")


if __name__ == "__main__":
    main()
