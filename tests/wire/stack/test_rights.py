#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every right of the Role we ship, taken away alone while the server runs: a project then fails with FORBIDDEN and the verb and
resource, or, where the table says that the right is spared, goes on and says so in the log. The cases are made from what
`fullstackd role` prints, what is spared from what `fullstackd doctor` says. Runs inside with_services.py."""
import json
import os
import re
import subprocess

from world import NS, OF_DATABASE, StackCase, World, main, path_of, wait_for

ROLE = path_of("roles", "fullstackd")
CRASH = {"KWOK_FAIL": "CrashLoopBackOff", "KWOK_RETRY_DELAY": "20ms"}


class RightsWorld(World):
    """A World whose account holds the shipped Role; one right of it can be away for a while."""

    def __init__(self):
        super().__init__(account="fullstackd", cluster_args=("--zero-delay", "--delays", "retry=100"))

    def __enter__(self):
        super().__enter__()
        with open(f"{self.dir}/role.json") as f:
            self.rules = next(i["rules"] for i in json.load(f)["items"] if i["kind"] == "Role")
        self.client = self.sign_in()
        return self

    def rights(self):
        return [(rule["apiGroups"][0], rule["resources"][0], verb) for rule in self.rules for verb in rule["verbs"]]

    def take(self, right):
        rules = [dict(rule, verbs=[v for v in rule["verbs"] if (rule["apiGroups"][0], rule["resources"][0], v) != right])
                 for rule in self.rules]
        self.patch(ROLE, {"rules": [rule for rule in rules if rule["verbs"]]})

    def give_back(self):
        self.patch(ROLE, {"rules": self.rules})

    def doctor(self):
        """(exit status, its findings about rights) as it sees the account now."""
        run = subprocess.run([f"{self.build}/fullstackd", "doctor", "--json"], env=self.server_env(self.port),
                             capture_output=True, text=True)
        return run.returncode, [c for c in json.loads(run.stdout)["checks"] if c["check"] == "right"]

    def spared(self):
        """What the table spares, by what doctor says when nothing at all is held."""
        self.patch(ROLE, {"rules": []})
        try:
            status, findings = self.doctor()
        finally:
            self.give_back()
        levels = {}
        for finding in findings:
            verb, what = re.match(r"may not (\w+) (\S+) \(", finding["text"]).groups()
            resource, _, group = what.partition(".")
            levels[group, resource, verb] = finding["level"]
        if status != 1 or set(levels) != set(self.rights()):
            raise AssertionError(f"doctor ({status}) tells another set of rights than the Role: {levels}")
        return {right for right, level in levels.items() if level == "warn"}

    def take_and_look(self, right):
        """Lists and watches begin anew without it; returns once the one in question has asked."""
        key = f"{right[2]} {right[1]}"
        before = self.cluster_requests().get(key, 0)
        self.take(right)
        self.kube("POST", f"/api/v1/namespaces/{NS}/configmaps", {"metadata": {"generateName": "bump-"}}, 201)
        self.fault(compact=True)
        self.fault(endWatches=True)
        wait_for("the next " + key, lambda: self.cluster_requests().get(key, 0) > before)

    def state(self, project_id):
        return self.client.json("GET", f"/api/sandbox/{project_id}")

    def delete(self, project_id):
        self.client.json("DELETE", f"/api/projects/{project_id}", status=202)

    def wait_gone(self, project_id):
        wait_for("the project's end", lambda: self.client.request("GET", f"/api/projects/{project_id}")[0] == 404)


class EachRight(StackCase):
    def assert_forbidden(self, right, end):
        self.assertEqual((end["outcome"], end["code"]), ("failed", "FORBIDDEN"), (right, end))
        self.assertIn(f"cannot {right[2]} resource \"{right[1]}\"", end["message"], right)

    def settle(self, world):
        """Until the server believes a 403: right after a start it may come from an API server that does not know better."""
        self.creating(world, ("", "services", "create"))
        world.give_back()

    def run_cases(self, case, wants):
        """case(world, right) for each right for which wants(right, is_spared) holds."""
        with RightsWorld() as world:
            spared = world.spared()
            rights = [right for right in world.rights() if wants(right, right in spared)]
            self.assertGreater(len(rights), 0)
            self.settle(world)
            for right in rights:
                try:
                    case(world, right)
                except AssertionError as e:
                    raise AssertionError(f"without {right}: {e}") from e
                world.give_back()
            project, _ = world.client.create("after all")
            self.assert_story(world.client.follow(project["id"]))

    def creating(self, world, right):
        world.take(right)
        project, _ = world.client.create("create")
        self.assert_forbidden(right, world.client.follow(project["id"])[-1][2])
        world.give_back()
        world.client.json("POST", f"/api/sandbox/{project['id']}", {}, 202)
        self.assert_story(world.client.follow(project["id"]))
        world.delete(project["id"])
        world.wait_gone(project["id"])

    def test_without_create_a_creation_fails_and_a_retry_with_it_succeeds(self):
        self.run_cases(self.creating, lambda right, is_spared: right[2] == "create" and not is_spared)

    def undoing(self, world, right):
        project, _ = world.client.create("undo")
        self.assert_story(world.client.follow(project["id"]))
        world.take(right)
        world.delete(project["id"])
        told = wait_for("the reason", lambda: (lambda s: s if s["code"] else None)(world.state(project["id"])))
        self.assertEqual((told["status"], told["code"]), ("terminating", "FORBIDDEN"))
        self.assertIn(f"cannot {right[2]} resource \"{right[1]}\"", told["message"])
        self.assertIn("doctor", told["hint"])
        rows = world.sql(f"SELECT status, code, message FROM journal WHERE project_id = '{project['id']}' AND kind = 'status'")
        self.assertEqual(rows[-1][:2], ["TERMINATING", "FORBIDDEN"])
        world.give_back()
        world.wait_gone(project["id"])

    def test_without_get_a_removal_says_so_and_goes_on_with_it(self):
        self.run_cases(self.undoing, lambda right, is_spared: right[2] == "get" and not is_spared)

    def test_without_delete_a_removal_says_so_and_goes_on_with_it(self):
        self.run_cases(self.undoing, lambda right, is_spared: right[2] == "delete" and not is_spared)

    def stopping(self, world, right):
        project, _ = world.client.create("stop")
        self.assert_story(world.client.follow(project["id"]))
        world.take(right)
        world.client.json("POST", f"/api/projects/{project['id']}/stop", status=202)
        failure = wait_for("the failure", lambda: world.state(project["id"])["failure"])
        self.assert_forbidden(right, dict(failure, outcome="failed"))
        world.give_back()
        world.delete(project["id"])
        world.wait_gone(project["id"])

    def patching(self, world, right):
        """A database is changed only to stop it and to start it again."""
        (self.stopping if right[1] == "clusters" else self.retrying)(world, right)

    def retrying(self, world, right):
        """A retry brings what is there to its manifest: everything but the database, which is made anew."""
        project, _ = world.client.create("patch", CRASH)
        self.assertEqual(world.client.follow(project["id"])[-1][2]["code"], "CRASH_LOOP")
        name, database, attempt = world.sandbox_row(project["id"])
        world.kube("DELETE", path_of("clusters", database))
        wait_for("the database's end", lambda: database not in world.names("clusters"))
        labels = {"project.fullstackagent.io/id": project["id"]}
        world.kube("POST", path_of("secrets"), {"metadata": {"name": f"{name}-env-{attempt + 1}", "labels": labels}}, 201)
        world.take(right)
        world.client.json("POST", f"/api/sandbox/{project['id']}", {"envVars": {}}, 202)
        self.assert_forbidden(right, world.client.follow(project["id"])[-1][2])
        world.give_back()
        world.delete(project["id"])
        world.wait_gone(project["id"])

    def test_without_patch_a_retry_or_a_stop_fails(self):
        self.run_cases(self.patching, lambda right, is_spared: right[2] == "patch" and not is_spared)

    def looking(self, world, right):
        world.take_and_look(right)
        project, _ = world.client.create("look")
        self.assert_forbidden(right, world.client.follow(project["id"])[-1][2])
        world.give_back()
        world.client.json("POST", f"/api/sandbox/{project['id']}", {}, 202)
        self.assert_story(world.client.follow(project["id"]))

    def test_without_list_or_watch_a_creation_fails_and_a_retry_with_it_succeeds(self):
        self.run_cases(self.looking, lambda right, is_spared: right[2] in ("list", "watch") and not is_spared)

    def sparing(self, world, right):
        group, resource, verb = right
        if resource in ("events", "endpointslices") and verb in ("list", "watch"):
            world.take_and_look(right)
        else:
            world.take(right)
        project, _ = world.client.create("spare")
        self.assert_story(world.client.follow(project["id"]))
        wait_for("the log's line", lambda: right in self.logged(world))
        database = world.sandbox_row(project["id"])[1]
        granted = [rule for rule in world.kube("GET", path_of("roles", database), want=200)["rules"]
                   if group in rule["apiGroups"] and resource in rule["resources"]]
        self.assertFalse(any(verb in rule["verbs"] for rule in granted))
        whole_n = self.whole_n(world)
        world.give_back()
        world.delete(project["id"])
        world.wait_gone(project["id"])
        wait_for("the log's line that all is well", lambda: self.whole_n(world) > whole_n)

    def whole_n(self, world):
        with open(os.path.join(world.dir, "fullstackd-1.log")) as f:
            return sum("the account may do all that is needed" in line for line in f)

    def logged(self, world):
        with open(os.path.join(world.dir, "fullstackd-1.log")) as f:
            lines = [json.loads(line) for line in f if line.startswith("{") and "the account may not" in line]
        return {(line["group"], line["resource"], verb) for line in lines if line["lost"] for verb in line["verbs"].split()}

    def test_without_a_spared_right_a_creation_succeeds_and_the_log_says_what_is_lost(self):
        self.run_cases(self.sparing, lambda right, is_spared: is_spared)

    def test_each_right_has_a_case(self):
        with RightsWorld() as world:
            verbs = {right[2] for right in set(world.rights()) - world.spared()}
            self.assertEqual(verbs, {"create", "get", "delete", "patch", "list", "watch"})
            self.assertLessEqual({right[1] for right in world.rights()} & OF_DATABASE, OF_DATABASE)


if __name__ == "__main__":
    main()
