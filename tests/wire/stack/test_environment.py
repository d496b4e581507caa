#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A project's variables: stored at any time, sealed, shown to their owner alone, and brought into a running sandbox,
deletions included. Runs inside with_services.py."""
import concurrent.futures
import json

from world import StackCase, World, main

SERVERS_OWN = {"DATABASE_URL", "NODE_ENV", "TTYD_PORT", "TTYD_INTERFACE"}


class Environment(StackCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World().__enter__()
        cls.addClassCleanup(cls.world.__exit__, None, None, None)
        cls.client = cls.world.sign_in()

    def project(self, name):
        project = self.client.json("POST", "/api/projects", {"name": name})["id"]
        return project, f"/api/projects/{project}/environment"

    def given(self, project):
        """What the container has beside what the server itself decides."""
        return {k: v for k, v in self.world.env_of(self.world.sandbox_row(project)[0]).items() if k not in SERVERS_OWN}

    def test_variables_are_written_one_by_one_and_by_category(self):
        _, path = self.project("one by one")
        self.assertEqual(self.client.json("GET", path), {k: [] for k in
                         ("general", "auth", "payment", "ttyd", "file_browser", "secret")})
        row = self.client.json("POST", path, {"key": "COLOUR", "value": "red"})
        self.assertEqual((row["key"], row["value"], row["category"], row["isSecret"]), ("COLOUR", "red", "general", False))
        self.client.json("POST", path, {"key": "STRIPE", "value": "sk-planted-1", "category": "payment", "isSecret": True})
        shown = self.client.json("GET", path)
        self.assertEqual([(v["key"], v["value"]) for v in shown["payment"]], [("STRIPE", None)])
        self.assertEqual(self.client.json("GET", path + "?reveal=true")["payment"][0]["value"], "sk-planted-1")
        again = self.client.json("POST", path, {"key": "COLOUR", "value": "blue"})
        self.assertEqual((again["id"], again["value"]), (row["id"], "blue"))
        # A batch replaces its categories and nothing else; a variable without a value keeps the one that is stored.
        batch = {"variables": [{"key": "STRIPE", "category": "payment", "isSecret": True},
                               {"key": "PAYPAL", "value": "x", "category": "payment"}]}
        self.assertEqual(self.client.json("POST", path, batch), {"success": True, "count": 2})
        batch = {"variables": [{"key": "STRIPE", "category": "payment", "isSecret": True}]}
        self.assertEqual(self.client.json("POST", path, batch)["count"], 1)
        shown = self.client.json("GET", path + "?reveal=true")
        self.assertEqual([v["key"] for v in shown["payment"]], ["STRIPE"])
        self.assertEqual(shown["payment"][0]["value"], "sk-planted-1")
        self.assertEqual([v["value"] for v in shown["general"]], ["blue"])
        changed = self.client.json("PUT", f"{path}/{row['id']}", {"value": "green"})
        self.assertEqual((changed["id"], changed["value"]), (row["id"], "green"))
        self.assertEqual(self.client.json("DELETE", f"{path}/{row['id']}"), {"success": True})
        self.assert_problem(self.client.request("DELETE", f"{path}/{row['id']}"), 404)
        self.assert_problem(self.client.request("PUT", f"{path}/{row['id']}", {"value": "x"}), 404, word="variable")

    def test_a_batch_that_does_not_replace_takes_nothing_away(self):
        """As the dashboard pastes: two at once, of one category, and neither loses what the other has set."""
        _, path = self.project("pasted")
        self.client.json("POST", path, {"key": "THERE", "value": "sk-planted-2", "isSecret": True})
        batches = [{"replace": False, "variables": [{"key": f"{who}{i}", "value": "x"} for i in range(20)] +
                    [{"key": "SHARED", "value": who}]} for who in "ABCDEF"]
        with concurrent.futures.ThreadPoolExecutor(len(batches)) as pool:
            counts = [answer["count"] for answer in pool.map(lambda batch: self.client.json("POST", path, batch), batches)]
        self.assertEqual(counts, [21] * len(batches))
        shown = {v["key"]: v["value"] for v in self.client.json("GET", path + "?reveal=true")["general"]}
        self.assertIn(shown.pop("SHARED"), "ABCDEF")
        self.assertEqual(shown, {"THERE": "sk-planted-2", **{f"{who}{i}": "x" for who in "ABCDEF" for i in range(20)}})
        # One in which a variable cannot be stored sets none of the others.
        bad = {"replace": False, "variables": [{"key": "NEW", "value": "1"}, {"key": "KEEP"}]}
        self.assert_problem(self.client.request("POST", path, bad), 400, word="none to keep")
        self.assertNotIn("NEW", {v["key"] for v in self.client.json("GET", path)["general"]})
        self.client.json("POST", path, {"replace": True, "variables": [{"key": "A0", "value": "y"}]})
        self.assertEqual([v["key"] for v in self.client.json("GET", path)["general"]], ["A0"])

    def test_bad_input_names_its_field_and_writes_nothing(self):
        _, path = self.project("bad input")
        before = self.world.rows()["environment"]
        for body, field in (({"key": "1x", "value": ""}, "/key"), ({"key": "A", "value": 3}, "/value"),
                            ({"value": "x"}, "/key"), ({"key": "A", "value": "x", "colour": 1}, "/colour"),
                            ({"key": "A", "value": "x", "category": "database"}, "/category"),
                            ({"key": "A", "value": "a\u0000b"}, None), ({"key": "A", "value": "x" * 40000}, "/value"),
                            ({"variables": []}, "/variables"), ({"variables": [1]}, "/variables/0"),
                            ({"variables": [{"key": "A", "value": "1"}, {"key": "b-c", "value": ""}]}, "/variables/1/key"),
                            ({"variables": [{"key": "A", "value": "1"}, {"key": "A", "value": "2"}]}, "/variables"),
                            ({"variables": [{"key": "A", "value": "1"}], "colour": 1}, "/colour"),
                            ({"variables": [{"key": "A", "value": "1"}], "updateDeployment": "no"}, "/updateDeployment")):
            got = self.assert_problem(self.client.request("POST", path, body), 400)
            if field:
                self.assertEqual(got["errors"][0]["pointer"].lstrip("#"), field, (body, got))
        nothing = self.assert_problem(self.client.request("POST", path, {"key": "NEW"}), 400, word="there is none to keep")
        self.assertEqual(nothing["code"], "VariablesRefused")
        self.assert_problem(self.client.request("GET", path + "?reveal=maybe"), 400)
        self.assertEqual(self.world.rows()["environment"], before)
        many = {"variables": [{"key": f"V{i}", "value": "x" * 30000} for i in range(30)]}
        answer = self.client.request("POST", path, many)
        self.assert_problem(answer, 400, word="bytes")
        self.assertEqual(self.world.rows()["environment"], before)

    def test_nobody_else_sees_or_changes_them(self):
        project, path = self.project("mine")
        row = self.client.json("POST", path, {"key": "MINE", "value": "1"})
        other = self.world.sign_in("somebody")
        for method, at, body in (("GET", path, None), ("POST", path, {"key": "A", "value": "1"}),
                                 ("PUT", f"{path}/{row['id']}", {"value": "2"}), ("DELETE", f"{path}/{row['id']}", None)):
            self.assert_problem(other.request(method, at, body), 404)
        # Another project of the same owner is no way in either.
        _, second = self.project("second")
        self.assert_problem(self.client.request("DELETE", f"{second}/{row['id']}"), 404)
        self.assert_problem(self.client.request("PUT", f"{second}/{row['id']}", {"value": "2"}), 404)
        self.assertEqual(self.client.json("GET", path)["general"][0]["value"], "1")

    def test_changes_reach_a_running_sandbox(self):
        project, path = self.project("reaches")
        row = self.client.json("POST", path, {"key": "COLOUR", "value": "red"})
        self.client.json("POST", f"/api/sandbox/{project}", {"envVars": {"SHAPE": "round"}}, 202)
        self.assert_story(self.client.follow(project))
        self.assertEqual(self.given(project), {"COLOUR": "red", "SHAPE": "round"})
        self.client.json("PUT", f"{path}/{row['id']}", {"value": "blue"})
        self.assertEqual(self.client.json("GET", f"/api/sandbox/{project}")["attempt"], 2)
        self.assert_story(self.client.follow(project))
        self.assertEqual(self.given(project), {"COLOUR": "blue", "SHAPE": "round"})
        self.client.json("DELETE", f"{path}/{row['id']}")
        self.assert_story(self.client.follow(project))
        self.assertEqual(self.given(project), {"SHAPE": "round"})
        # Stored only: nothing restarts, the next start brings it.
        self.client.json("POST", path, {"key": "LATER", "value": "1", "updateDeployment": False})
        self.assertEqual(self.client.json("GET", f"/api/sandbox/{project}")["status"], "running")
        self.assertEqual(self.given(project), {"SHAPE": "round"})
        self.client.json("POST", f"/api/projects/{project}/restart", status=202)
        self.assert_story(self.client.follow(project))
        self.assertEqual(self.given(project), {"SHAPE": "round", "LATER": "1"})

    def test_values_are_sealed_at_rest(self):
        project, path = self.project("sealed")
        self.client.json("POST", path, {"key": "TOKEN", "value": "planted-at-rest", "isSecret": True})
        dump = json.dumps(self.world.dump_tables())
        self.assertNotIn("planted-at-rest", dump)
        self.assertNotIn("planted-at-rest".encode().hex(), dump)


if __name__ == "__main__":
    main()
