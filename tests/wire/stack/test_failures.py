#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What cannot come to be is told with its code and a hint; once the cause is mended a retry goes on with what exists.
Runs inside with_services.py."""
import signal

from world import NS, Reader, StackCase, World, is_done, main, path_of, wait_for

SHORT = {
    "FULLSTACKD_FLOW_DATABASE_DEADLINE": "12s",
    "FULLSTACKD_FLOW_CREDENTIALS_DEADLINE": "2s",
    "FULLSTACKD_FLOW_TERMINAL_DEADLINE": "2s",
}


class Failure:
    """A creation that is expected to fail; the end is waited for later, so that several fail at the same time."""

    def __init__(self, case, world, name, code, words, env=None):
        self.case, self.world, self.name, self.code, self.words = case, world, name, code, words
        client = self.client = world.sign_in(name.strip("-"))  # an owner's events are numbered in one row
        self.env = env or {}
        self.project, self.answer = client.create(name, env)
        self.id = self.project["id"]
        self.reader = Reader(client, f"/api/sandbox/{self.id}/events")

    def expect(self):
        case = self.case
        events = self.reader.end()
        case.assert_story(events, "failed")
        done = events[-1][2]
        case.assertEqual(done["code"], self.code, self.name)
        case.assertIn(self.words, done["message"], self.name)
        case.assertRegex(done["hint"], r"(?i)retry|itself", self.name)
        told = {d["stage"]: d for _, n, d in events if n == "stage"}
        failed = [d for d in told.values() if d["status"] == "failed"]
        case.assertEqual([d["code"] for d in failed], [self.code])
        case.assertNotIn("in_progress", [d["status"] for d in told.values()], "a stage is left open")
        status = self.client.json("GET", f"/api/sandbox/{self.id}", status=200)
        case.assertEqual((status["status"], status["sandbox"]["status"]), ("error", "ERROR"), self.name)
        case.assertEqual((status["failure"]["code"], status["failure"]["hint"]), (self.code, done["hint"]))
        case.assertEqual(status["failure"]["message"], done["message"])
        return self

    def retry(self, env=None):
        """POST again: another attempt with the same names, the same database, ready at its end."""
        case, client = self.case, self.client
        name, database, attempt = self.world.sandbox_row(self.id)
        cluster = self.world.objects()["clusters", database]
        body = {} if env is None else {"envVars": env}
        again = client.json("POST", f"/api/sandbox/{self.id}", body, 202)
        case.assertEqual(again["attempt"], attempt + 1)
        case.assertEqual(again["sandbox"]["id"], self.answer["sandbox"]["id"])
        case.assertEqual(again["sandbox"]["publicUrl"], self.answer["sandbox"]["publicUrl"])
        events = client.follow(self.id)
        case.assert_story(events)
        case.assertEqual({d["attempt"] for _, _, d in events}, {attempt + 1})
        case.assertEqual(self.world.sandbox_row(self.id), (name, database, attempt + 1))
        case.assertEqual(self.world.objects()["clusters", database], cluster, "the database was made anew")
        case.assertIn(name, self.world.names("deployments"))
        given = {k: v for k, v in self.world.env_of(name).items()
                 if not k.startswith("TTYD_") and k not in ("NODE_ENV", "DATABASE_URL")}
        case.assertEqual(given, self.env if env is None else env, "the container has another attempt's variables")
        case.assertEqual(client.json("GET", f"/api/sandbox/{self.id}")["status"], "running")
        case.assert_gapless(self.world.journal(self.id))


class Failures(StackCase):
    def test_each_cause_has_its_code_and_a_retry_mends_it(self):
        with World(env=SHORT) as world:
            crash = Failure(self, world, "crash", "CRASH_LOOP", "exit code 1",
                            {"KWOK_FAIL": "CrashLoopBackOff", "KWOK_RETRY_DELAY": "50ms"})
            memory = Failure(self, world, "memory", "CRASH_LOOP", "out of memory",
                             {"KWOK_FAIL": "OOMKilled", "KWOK_RETRY_DELAY": "50ms"})
            mute = Failure(self, world, "mute", "TERMINAL_NO_ANSWER", "7681", {"KWOK_FAIL": "NotReady"})
            broken = Failure(self, world, "kbfail-", "DB_CLUSTER_FAILED", "the database failed")
            refused = Failure(self, world, "kbprecheck-", "DB_CLUSTER_FAILED", "refuses")
            silent = Failure(self, world, "kbnever-", "DEADLINE", "KubeBlocks is creating the database")
            for failure in (crash, memory, mute):
                failure.expect()
            crash.retry({"A": "1"})
            memory.retry({})
            mute.retry({})

            hog = self.take_all_cpu(world)
            crowded = Failure(self, world, "crowded", "UNSCHEDULABLE", "no node has enough CPU")
            wait_for("the crowded pod", lambda: self.pods_of(world, crowded))
            quota = {"metadata": {"name": "full"}, "spec": {"hard": {"pods": str(len(world.names("pods")))}}}
            world.kube("POST", f"/api/v1/namespaces/{NS}/resourcequotas", quota, 201)
            over = Failure(self, world, "over", "QUOTA_EXCEEDED", "exceeded quota")
            over.expect()
            world.kube("DELETE", f"/api/v1/namespaces/{NS}/resourcequotas/full", want=200)

            for failure in (broken, refused, silent):
                failure.expect()
                world.patch(path_of("clusters", world.sandbox_row(failure.id)[1]) + "/status",
                            {"status": {"phase": "Running"}})
            crowded.expect()
            world.kube("DELETE", path_of("pods", hog), want=200)
            for failure in (crowded, over, broken, silent):
                failure.retry()

    def pods_of(self, world, failure):
        name = world.sandbox_row(failure.id)[0]
        return [pod for pod in world.names("pods") if pod.startswith(name)]

    def take_all_cpu(self, world):
        nodes = world.kube("GET", "/api/v1/nodes", want=200)["items"]
        room = nodes[0]["status"]["allocatable"]["cpu"]
        room = int(room[:-1]) if room.endswith("m") else int(room) * 1000
        used = 20 * len(world.names("pods"))
        box = {"name": "hog", "image": "hog:1", "resources": {"requests": {"cpu": f"{room - used}m"}}}
        pod = {"metadata": {"name": "hog"}, "spec": {"terminationGracePeriodSeconds": 0, "containers": [box]}}
        world.kube("POST", path_of("pods"), pod, 201)
        wait_for("the hog", lambda: world.kube("GET", path_of("pods", "hog"))["status"].get("phase") == "Running")
        return "hog"

    def test_an_image_that_is_not_there_is_mended_in_the_configuration(self):
        with World(env={"FULLSTACKD_SANDBOX_IMAGE": "example.test/nosuch:1"}) as world:
            failure = Failure(self, world, "image", "IMAGE_PULL", "nosuch").expect()
            server = world.servers.pop()
            self.assertEqual(server.stop(signal.SIGTERM), 0)
            world.extra_env["FULLSTACKD_SANDBOX_IMAGE"] = "example.test/there:1"
            world.serve(world.port)
            failure.retry()
            deployment = world.kube("GET", path_of("deployments", world.sandbox_row(failure.id)[0]))
            self.assertEqual(deployment["spec"]["template"]["spec"]["containers"][0]["image"], "example.test/there:1")
            wait_for("one pod", lambda: len(self.pods_of(world, failure)) == 1)

    def test_missing_credentials_have_a_code_of_their_own(self):
        with World(env=SHORT) as world:
            world.fault(verb="get", resource="secrets", status=404, times=1000)
            failure = Failure(self, world, "nosecret", "DB_SECRET_MISSING", "")
            failure.expect()
            world.kube("DELETE", "/devcluster/faults", want=200)
            failure.retry()

    def test_a_sandbox_that_fails_after_it_ran_is_no_longer_running(self):
        with World(env={"FULLSTACKD_FLOW_DRIFT": "report"}) as world:  # a repair is over before one can look
            client = world.sign_in()
            project, _ = client.create("drift")
            self.assert_story(client.follow(project["id"]))
            name = world.sandbox_row(project["id"])[0]
            world.kube("DELETE", path_of("services", f"{name}-service"), want=200)
            status = wait_for("drift", lambda: (lambda s: s if s["status"] == "error" else None)(
                client.json("GET", f"/api/sandbox/{project['id']}")))
            self.assertEqual(status["failure"]["code"], "DRIFT")
            self.assertIn("Service", status["failure"]["message"])


if __name__ == "__main__":
    main()
