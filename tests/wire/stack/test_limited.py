#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""With an account that may do only what is needed, and with one that may do less. And the proof that
the look for secrets, which ends every run of this folder, finds some. Runs inside with_services.py."""
import base64
import json
import os
import secrets
import shutil

from world import Client, StackCase, World, forms, main, path_of, wait_for


class Limited(StackCase):
    def lacking(self, world):
        """What the log says the account may not: {resource: verbs}."""
        with open(os.path.join(world.dir, "fullstackd-1.log")) as f:
            lines = [json.loads(line) for line in f if line.startswith("{")]
        self.assertEqual([line for line in lines if line["level"] == "error"], [])
        return {line["resource"]: line["verbs"] for line in lines if line["event"] == "the account may not"}

    def live(self, world):
        """Created, terminated, created again."""
        client = world.sign_in()
        project, _ = client.create("limited")
        self.assert_story(client.follow(project["id"]))
        self.assert_complete(world)
        self.assertEqual(client.json("GET", f"/api/sandbox/{project['id']}")["status"], "running")
        client.json("DELETE", f"/api/sandbox/{project['id']}", status=202)
        wait_for("its end", lambda: client.json("GET", f"/api/sandbox/{project['id']}")["status"] == "terminated")
        self.assertEqual(client.json("POST", f"/api/sandbox/{project['id']}", {}, 202)["attempt"], 2)
        self.assert_story(client.follow(project["id"]))

    def test_the_shipped_role_is_enough_and_nothing_is_missed(self):
        with World(account="fullstackd") as world:
            self.live(world)
            self.assertEqual(self.lacking(world), {})

    def test_with_less_a_creation_still_works_and_the_missing_rights_are_logged(self):
        with World(account="meagre", cluster_args=("--zero-delay", "--delays", "retry=200")) as world:
            self.live(world)
            lacking = self.lacking(world)
            self.assertEqual(lacking["endpointslices"], "list watch")
            self.assertIn("patch", lacking["pods"])
            self.assertNotIn("deployments", lacking)

    def test_a_failure_is_told_as_well(self):
        with World(account="meagre", cluster_args=("--zero-delay", "--delays", "retry=200")) as world:
            client = world.sign_in()
            project, _ = client.create("crash", {"KWOK_FAIL": "CrashLoopBackOff", "KWOK_RETRY_DELAY": "50ms"})
            self.assertEqual(client.follow(project["id"])[-1][2]["code"], "CRASH_LOOP")
            client.json("POST", f"/api/sandbox/{project['id']}", {"envVars": {}}, 202)
            self.assert_story(client.follow(project["id"]))


class Secrets(StackCase):
    def test_the_look_for_secrets_finds_one_in_each_place(self):
        with World() as world:
            client = world.sign_in()
            project, _ = client.create("secret", {"TOKEN": "swordfish-123"})
            self.assert_story(client.follow(project["id"]))
            name, database, _ = world.sandbox_row(project["id"])
            secret = world.kube("GET", path_of("secrets", f"{database}-conn-credential"), want=200)
            password = base64.b64decode(secret["data"]["password"]).decode()
            world.collect_secrets()
            self.assertIn(password, world.secrets)
            self.assertIn(client.cookie.partition("=")[2], world.secrets)
            world.secrets.add("swordfish-123")
            self.assertGreater(len(world.heard), 5)
            tables = world.dump_tables()
            self.assertTrue(any(project["id"] in text for _, text in tables))
            world.look_for_secrets(tables)
            with self.assertRaisesRegex(AssertionError, "table x"):
                world.look_for_secrets([("table x", password.encode().hex())])
            log = os.path.join(world.dir, "planted.log")
            with open(log, "w") as f:
                f.write(f"password={password}\n")
            with self.assertRaisesRegex(AssertionError, "planted.log"):
                world.look_for_secrets([])
            os.unlink(log)
            for form in forms("a planted/pass\"word"):
                world.secrets.add("a planted/pass\"word")
                world.heard.append(f"X-Told: {form}")
                with self.assertRaisesRegex(AssertionError, "an answer or an event"):
                    world.look_for_secrets([])
                world.heard.pop()
            world.look_for_secrets([])

    def test_a_world_in_which_a_secret_was_told_does_not_end_well(self):
        """The server is made to tell one: what a client calls his request is sent back and logged."""
        for is_forgotten, where in ((False, "an answer or an event"), (True, "fullstackd-1.log")):
            planted = "planted-" + secrets.token_hex(8)
            with self.subTest(where=where), self.assertRaisesRegex(AssertionError, f"{where} tells a secret"):
                with World(has_databases=False) as world:
                    self.addCleanup(shutil.rmtree, world.dir)
                    Client(world.port, "").request("GET", "/api/projects", headers={"X-Request-Id": planted})
                    if is_forgotten:
                        world.heard.clear()
                    world.secrets.add(planted)


if __name__ == "__main__":
    main()
