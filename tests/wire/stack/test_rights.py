#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every right of the Role we ship, taken away alone while the server runs: a project then fails with FORBIDDEN and the verb and
resource, or, where the table says that the right is spared, goes on and says so in the log. The cases are made from what
`fullstackd role` prints, what is spared from what `fullstackd doctor` says. Runs inside with_services.py; the class Real, on a
real control plane, inside with_kube.py as well."""
import http.client
import json
import os
import re
import ssl
import subprocess
import threading
import unittest

from world import KINDS, NS, StackCase, World, main, path_of, wait_for

KINDS["persistentvolumeclaims"] = "/api/v1"
# Of each kind of case every so many: all of them take ten minutes (./run test thorough).
EVERY = int(os.environ.get("FS_RIGHTS_EVERY", "1"))
ROLE = path_of("roles", "fullstackd")
CRASH = {"KWOK_FAIL": "CrashLoopBackOff", "KWOK_RETRY_DELAY": "20ms"}


class RightsWorld(World):
    """A World whose account holds the shipped Role; one right of it can be away for a while."""

    def __init__(self, env=None, **more):
        # What only the sweep asks for is found out by the sweep.
        super().__init__({"FULLSTACKD_SWEEP_INTERVAL": "1s", **(env or {})}, account="fullstackd", cluster_args=("--zero-delay", "--delays", "retry=100"), **more)

    def __enter__(self):
        super().__enter__()
        with open(self.write_role()) as f:
            self.rules = next(i["rules"] for i in json.load(f)["items"] if i["kind"] == "Role")
        self.client = self.sign_in()
        return self

    def rights(self):
        return [(rule["apiGroups"][0], rule["resources"][0], verb) for rule in self.rules for verb in rule["verbs"]]

    def hold(self, rights):
        """The account holds these of the Role's rights and no other."""
        rules = [dict(rule, verbs=[v for v in rule["verbs"] if (rule["apiGroups"][0], rule["resources"][0], v) in rights])
                 for rule in self.rules]
        self.patch(ROLE, {"rules": [rule for rule in rules if rule["verbs"]]})

    def take(self, right):
        self.hold(set(self.rights()) - {right})

    def give_back(self):
        self.hold(set(self.rights()))

    def doctor(self):
        """(exit status, its findings about rights) as it sees the account now."""
        run = subprocess.run([f"{self.build}/fullstackd", "doctor", "--json"], env=self.server_env(self.port),
                             capture_output=True, text=True)
        return run.returncode, [c for c in json.loads(run.stdout)["checks"] if c["check"] == "right"]

    def spared(self):
        """What the table spares, by what doctor says when nothing at all is held."""
        self.hold(set())
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


class RealRightsWorld(RightsWorld):
    """The same on a real control plane, which with_kube.py started and stops; its databases answer nobody."""
    turn = threading.Lock()

    def __init__(self):
        with open(os.environ["FS_KUBE"]) as f:
            self.facts = json.load(f)
        super().__init__({"FULLSTACKD_FLOW_CALL_DEADLINE": "20s"}, kubeconfig=os.environ["KUBECONFIG_REAL"], has_databases=False)

    def cluster_call(self, method, path, body=None, kind="application/json"):
        context = ssl.create_default_context(cafile=self.facts["ca"])
        context.load_cert_chain(self.facts["admin"]["certificate"], self.facts["admin"]["key"])
        connection = http.client.HTTPSConnection("127.0.0.1", self.facts["port"], context=context, timeout=30)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": kind})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def may(self, right):
        resource, _, part = right[1].partition("/")
        asked = {"namespace": NS, "group": right[0], "resource": resource, "subresource": part, "verb": right[2]}
        review = self.kube("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {
            "spec": {"user": f"system:serviceaccount:{NS}:fullstackd", "resourceAttributes": asked}}, 201)
        return review["status"].get("allowed", False)

    def __enter__(self):
        """Cases run beside each other, and this cluster has one Role for all of them."""
        self.turn.acquire()
        try:
            super().__enter__()
            self.give_back()  # a case before this one may have failed without
        except BaseException:
            self.turn.release()
            raise
        return self

    def __exit__(self, *failure):
        try:
            return super().__exit__(*failure)
        finally:
            self.turn.release()

    def hold(self, rights):
        """The authorizer learns of a changed Role by a watch of its own."""
        super().hold(rights)
        wait_for("the authorizer to know the Role", lambda: {right for right in self.rights() if self.may(right)} == rights)


class EachRight(StackCase):
    env = None

    def make_world(self):
        return RightsWorld(self.env)

    def is_one(self, right):
        """Is it a right that this class is about?"""
        return True

    def assert_forbidden(self, right, end):
        self.assertEqual((end["outcome"], end["code"]), ("failed", "FORBIDDEN"), (right, end))
        self.assertIn(f"cannot {right[2]} resource \"{right[1]}\"", end["message"], right)

    def settle(self, world):
        """Until the server believes a 403: right after a start it may come from an API server that does not know better."""
        self.creating(world, ("", "services", "create"))
        world.give_back()

    def run_cases(self, case, wants):
        """case(world, right) for each right for which wants(right, is_spared) holds."""
        with self.make_world() as world:
            spared = world.spared()
            rights = [right for right in world.rights() if self.is_one(right) and wants(right, right in spared)]
            self.assertGreater(len(rights), 0)
            rights = rights[len(rights) // 2 % EVERY::EVERY] or rights[:1]
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
        if right[1] == "persistentvolumeclaims":
            self.orphan_claim(world, world.sandbox_row(project["id"])[0])
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

    def orphan_claim(self, world, name):
        """As a cluster that knows no retention policy leaves it: then it is ours to delete."""
        claim = next(claim for claim in world.names("persistentvolumeclaims") if claim.endswith(f"-{name}-0"))
        world.patch(path_of("persistentvolumeclaims", claim), {"metadata": {"ownerReferences": None}})

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
        told_n = self.told_n(world, right)  # it may have been missed before, when doctor was asked what is spared
        if resource in ("events", "endpointslices", "networkpolicies") and verb in ("list", "watch"):
            world.take_and_look(right)
        else:
            world.take(right)
        project, _ = world.client.create("spare")
        self.assert_story(world.client.follow(project["id"]))
        wait_for("the log's line", lambda: self.told_n(world, right) > told_n)
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

    def told_n(self, world, right):
        """How often the log has told that this right is lost."""
        with open(os.path.join(world.dir, "fullstackd-1.log")) as f:
            lines = [json.loads(line) for line in f if line.startswith("{") and "the account may not" in line]
        return sum(line["lost"] and (line["group"], line["resource"]) == right[:2] and right[2] in line["verbs"].split() for line in lines)

    def test_without_a_spared_right_a_creation_succeeds_and_the_log_says_what_is_lost(self):
        self.run_cases(self.sparing, lambda right, is_spared: is_spared)

    def test_each_verb_has_a_case(self):
        with self.make_world() as world:
            verbs = {right[2] for right in set(world.rights()) - world.spared()}
            self.assertEqual(verbs, {"create", "get", "delete", "patch", "list", "watch"})


class OlderRole(StackCase):
    """As an installation that was upgraded without its Role: it may neither list nor watch NetworkPolicies."""
    SEEN = {("networking.k8s.io", "networkpolicies", verb) for verb in ("list", "watch")}

    def lines(self, world):
        with open(os.path.join(world.dir, "fullstackd-1.log")) as f:
            return [line for line in f if "networkpolicies" in line and "the account may not" in line]

    def asked_n(self, world):
        return sum(world.cluster_requests().get(f"{verb} networkpolicies", 0) for verb in ("list", "watch"))

    def ready(self, world, name):
        project, _ = world.client.create(name)
        self.assert_story(world.client.follow(project["id"]))
        return project["id"], path_of("networkpolicies", world.sandbox_row(project["id"])[0])

    def lose(self, world, path):
        uid = world.kube("GET", path, want=200)["metadata"]["uid"]
        world.kube("DELETE", path, want=200)
        return lambda: world.cluster_call("GET", path)[0] == 200 and world.kube("GET", path)["metadata"]["uid"] != uid

    def test_a_deleted_policy_comes_back_with_the_next_repair_and_by_itself_once_it_may_be_seen(self):
        with RightsWorld() as world:
            world.hold(set(world.rights()) - self.SEEN)
            world.fault(endWatches=True)
            project, path = self.ready(world, "older")
            wait_for("the log's line", lambda: self.lines(world))
            self.assertEqual({f["level"] for f in world.doctor()[1]}, {"warn"})
            told_n, asked_n = len(self.lines(world)), self.asked_n(world)
            is_back = self.lose(world, path)
            world.kube("DELETE", path_of("services", world.sandbox_row(project)[0] + "-service"), want=200)
            wait_for("the policy, made again with the Service", is_back)
            wait_for("the repair's end", lambda: world.state(project)["status"] == "running")
            self.assertLessEqual(len(self.lines(world)) - told_n, 1)
            self.assertLessEqual(self.asked_n(world) - asked_n, 2, "it must not ask again and again for what it may not")
            world.give_back()
            self.ready(world, "asks again")
            wait_for("the watch", lambda: self.asked_n(world) >= asked_n + 2)
            wait_for("the policy, made again by itself", self.lose(world, path))


class EachRightOfOtherKinds(EachRight):
    """Of a StatefulSet with its volume, and of HTTPRoutes: what the Role has beyond the usual one."""
    env = {"FULLSTACKD_SANDBOX_WORKLOAD": "statefulset", "FULLSTACKD_SANDBOX_MIN_READY": "0s",
           "FULLSTACKD_SANDBOX_INGRESS_PROFILE": "gateway", "FULLSTACKD_SANDBOX_GATEWAY_NAME": "gateway",
           "FULLSTACKD_SANDBOX_GATEWAY_NAMESPACE": "gateway-system"}
    test_without_a_spared_right_a_creation_succeeds_and_the_log_says_what_is_lost = None  # none of them is

    def is_one(self, right):
        return right[1] in ("statefulsets", "persistentvolumeclaims", "httproutes")

    def test_each_verb_has_a_case(self):
        """No right of the Role is left out by both classes."""
        with RightsWorld() as usual:
            first = set(usual.rights())
        with self.make_world() as world:
            beyond = set(world.rights()) - first
            self.assertEqual({right for right in world.rights() if self.is_one(right)}, beyond)
            self.assertEqual(beyond & world.spared(), set())


@unittest.skipUnless("FS_KUBE" in os.environ, "FS_KUBE is not set: no real control plane")
class Real(EachRight):
    """One verb of each resource on the way forth and on the way back, and the shipped Role whole."""
    test_without_get_a_removal_says_so_and_goes_on_with_it = None
    test_without_patch_a_retry_or_a_stop_fails = None
    test_without_list_or_watch_a_creation_fails_and_a_retry_with_it_succeeds = None
    test_without_a_spared_right_a_creation_succeeds_and_the_log_says_what_is_lost = None
    test_each_verb_has_a_case = None
    test_without_create_a_creation_fails_and_a_retry_with_it_succeeds = None
    test_without_delete_a_removal_says_so_and_goes_on_with_it = None

    def make_world(self):
        return RealRightsWorld()

    def test_the_shipped_role_is_enough(self):
        with self.make_world() as world:
            self.assertEqual(world.doctor()[1], [])
            project, _ = world.client.create("whole")
            self.assert_story(world.client.follow(project["id"]))
            world.delete(project["id"])
            world.wait_gone(project["id"])
            with open(os.path.join(world.dir, "fullstackd-1.log")) as f:
                self.assertNotIn("the account may not", f.read())

    def test_without_a_verb_it_is_told_and_with_it_it_goes_on(self):
        self.run_cases(self.forth_or_back, lambda right, is_spared: right[2] in ("create", "delete") and not is_spared)

    def forth_or_back(self, world, right):
        (self.creating if right[2] == "create" else self.undoing)(world, right)

    def test_doctor_names_the_one_that_is_missing(self):
        with self.make_world() as world:
            world.take(("apps", "deployments", "patch"))
            status, findings = world.doctor()
            world.give_back()
        self.assertEqual((status, [f["level"] for f in findings]), (1, ["fail"]))
        self.assertTrue(findings[0]["text"].startswith("may not patch deployments.apps ("), findings)
        self.assertIn("kubectl", findings[0]["advice"])


if __name__ == "__main__":
    main()
