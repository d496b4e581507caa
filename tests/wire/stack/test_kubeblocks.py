#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""KubeBlocks of either version under a whole server: databases that work, Secrets that do not, and an upgrade while
everything runs. Runs inside with_services.py."""
import base64
import os
import subprocess

from world import NS, Reader, StackCase, World, is_stage, main, path_of, wait_for

V1 = ("--zero-delay", "--kubeblocks", "both")
OLD = ("--zero-delay", "--kubeblocks", "v1alpha1")
SHORT = {"FULLSTACKD_FLOW_DATABASE_DEADLINE": "4s", "FULLSTACKD_FLOW_CREDENTIALS_DEADLINE": "2s"}


def secret_name(world, database):
    """The name under which the operator leaves the credentials."""
    return database + ("-postgresql-account-postgres" if "both" in world.cluster_args else "-conn-credential")


class Creating:
    """One creation of an owner of its own, and its stream."""

    def __init__(self, world, name):
        self.world, self.name = world, name
        self.client = world.sign_in(name.replace(" ", ""))
        self.project, _ = self.client.create(name)
        self.id = self.project["id"]
        self.reader = Reader(self.client, f"/api/sandbox/{self.id}/events")
        self.sandbox, self.database, _ = world.sandbox_row(self.id)

    def cluster(self):
        return path_of("clusters", self.database)

    def phase(self, wanted):
        def is_there():
            status, found = self.world.cluster_call("GET", self.cluster())
            return found if status == 200 and found.get("status", {}).get("phase") == wanted else None
        return wait_for(f"{self.database} {wanted}", is_there)


class KubeBlocks(StackCase):
    def assert_database_works(self, world, sandbox):
        url, _, _ = world.env_of(sandbox)["DATABASE_URL"].partition("?")
        done = subprocess.run(["psql", "-X", "-A", "-t", url, "-c", "select current_user = current_database()"],
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout.strip()), (0, "t"), done.stderr)

    def assert_fails(self, creating, code, words):
        events = creating.reader.end()
        self.assert_story(events, "failed")
        done = events[-1][2]
        self.assertEqual(done["code"], code, creating.name)
        self.assertIn(words, done["message"], creating.name)
        told = [(d["stage"], d["status"]) for _, n, d in events if n == "stage"]
        self.assertNotIn(("database", "completed"), told, creating.name)

    def requests(self, world, verb):
        return world.cluster_requests().get(f"{verb} clusters", 0)

    # ---- both dialects ----

    def test_a_database_of_either_dialect_works_and_goes(self):
        for args, version in ((OLD, "v1alpha1"), (V1, "v1")):
            with self.subTest(version), World(cluster_args=args) as world:
                creating = Creating(world, "lasting")
                self.assert_story(creating.reader.end())
                self.assert_database_works(world, creating.sandbox)
                self.assert_complete(world)
                made = world.kube("GET", f"/apis/apps.kubeblocks.io/{version}/namespaces/{NS}/clusters/{creating.database}")
                self.assertIn("clusterDef" if version == "v1" else "clusterDefinitionRef", made["spec"])
                self.assertIn("password", world.kube("GET", path_of("secrets", secret_name(world, creating.database)))["data"])
                creating.client.json("DELETE", f"/api/projects/{creating.id}", status=202)
                world.wait_only("nothing left", lambda kind, _: False)

    def test_each_failure_of_v1_has_its_code(self):
        with World(env=SHORT, cluster_args=V1) as world:
            for creating, code, words in [(Creating(world, name), code, words) for name, code, words in (
                    ("kbfail-one", "DB_CLUSTER_FAILED", "is NOT ready, unavailable components: postgresql"),
                    ("kbprecheck-one", "DB_CLUSTER_FAILED", "\"postgresql\" not found"),
                    ("kbnever-one", "DEADLINE", "KubeBlocks is creating the database"))]:
                self.assert_fails(creating, code, words)

    # ---- Secrets ----

    def with_secret(self, world, name, data):
        """A database whose Secret is there while it is still being made; then it runs, and the Secret is another one."""
        creating = Creating(world, "kbnever-" + name)
        creating.phase("Creating")
        secret = path_of("secrets", secret_name(world, creating.database))
        wait_for("its Secret", lambda: world.cluster_call("GET", secret)[0] == 200)
        creating.reader.wait("the words", lambda n, d: n == "stage" and d["stage"] == "database" and
                             "creating the database" in (d["message"] or ""))
        self.assertFalse([d for _, n, d in creating.reader.events if is_stage("database", "completed")(n, d)])
        world.kube("DELETE", secret, want=200)
        if data is not None:
            encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
            world.kube("POST", path_of("secrets"), {"apiVersion": "v1", "kind": "Secret", "data": encoded,
                                                    "metadata": {"name": secret_name(world, creating.database)}}, 201)
        world.patch(creating.cluster() + "/status", {"status": {"phase": "Running"}})
        return creating

    def test_a_secret_that_is_not_whole_is_waited_for_and_then_named(self):
        rows = (("none", None, "not found"), ("empty", {}, "no username"), ("half", {"username": b"postgres"}, "no password"),
                ("bytes", {"username": b"postgres", "password": b"\xff\xfe"}, "not a text"))
        for args in (OLD, V1):
            with self.subTest(args), World(env=dict(SHORT, FULLSTACKD_FLOW_DATABASE_DEADLINE="60s"), cluster_args=args) as world:
                for creating, words in [(self.with_secret(world, name, data), words) for name, data, words in rows]:
                    self.assert_fails(creating, "DB_SECRET_MISSING", words)

    def test_a_secret_that_comes_late_is_used(self):
        with World(cluster_args=V1) as world:
            creating = self.with_secret(world, "late", {"username": b"postgres"})
            creating.reader.wait("the missing password", lambda n, d: n == "stage" and d.get("code") == "DB_SECRET_MISSING")
            secret = path_of("secrets", secret_name(world, creating.database))
            role = self.role_of(world, creating)
            world.patch(secret, {"data": {key: base64.b64encode(value.encode()).decode() for key, value in role.items()}})
            self.assert_story(creating.reader.end())
            self.assert_database_works(world, creating.sandbox)

    def role_of(self, world, creating):
        """A role and a database of its own on the private server, as a Secret would name them."""
        import os
        name = creating.database.replace("-", "_")
        for sql in (f"CREATE ROLE {name} LOGIN PASSWORD 'of-a-late-secret'", f"CREATE DATABASE {name} OWNER {name}"):
            subprocess.run(["psql", "-X", "-q", os.environ["FS_PG_CONNINFO"], "-c", sql], check=True)
        return {"username": name, "password": "of-a-late-secret", "database": name, "host": "127.0.0.1",
                "port": os.environ["FS_PG_PORT"]}

    # ---- upgrades ----

    def install(self, world, serve):
        world.kube("POST", "/devcluster/kubeblocks", {"serve": serve}, 200)

    def test_databases_outlive_an_upgrade_and_new_ones_are_made_in_the_new_version(self):
        with World(cluster_args=OLD) as world:
            old = Creating(world, "old one")
            self.assert_story(old.reader.end())
            self.install(world, "both")
            new = Creating(world, "new one")
            self.assert_story(new.reader.end())
            self.assert_database_works(world, new.sandbox)
            spec = world.kube("GET", path_of("clusters", new.database), want=200)["spec"]
            self.assertNotIn("clusterDefinitionRef", spec)
            self.go_on_with(world, old)
            for project in (old, new):
                project.client.json("DELETE", f"/api/projects/{project.id}", status=202)
            world.wait_only("nothing left", lambda kind, _: False)

    def go_on_with(self, world, old):
        """The sandbox goes and comes again, on the database of before, whose Secret has the old name."""
        cluster = world.objects()["clusters", old.database]
        old.client.json("DELETE", f"/api/sandbox/{old.id}", status=202)
        wait_for("the sandbox gone", lambda: old.sandbox not in world.names("deployments"))
        wait_for("terminated", lambda: old.client.json("GET", f"/api/sandbox/{old.id}")["status"] == "terminated")
        old.client.json("POST", f"/api/sandbox/{old.id}", {}, 202)
        self.assert_story(old.client.follow(old.id))
        self.assertEqual(world.objects()["clusters", old.database], cluster)
        self.assert_database_works(world, world.sandbox_row(old.id)[0])

    def test_a_cluster_written_in_the_old_version_at_the_wrong_moment_is_made_again(self):
        with World(cluster_args=OLD) as world:
            self.assert_story(Creating(world, "before").reader.end())
            world.fault(resource="-", delayMs=4000, times=2)  # whoever asks what is served learns it late
            self.install(world, "both")
            creating = Creating(world, "torn")
            self.assert_story(creating.reader.end())
            self.assert_database_works(world, creating.sandbox)
            made = world.kube("GET", f"/apis/apps.kubeblocks.io/v1/namespaces/{NS}/clusters/{creating.database}", want=200)
            self.assertEqual(made["spec"]["clusterDef"], "postgresql")
            self.assertGreaterEqual(self.requests(world, "delete"), 1)

    def test_without_kubeblocks_a_creation_says_so(self):
        with World(cluster_args=V1) as world:
            self.install(world, "none")
            creating = Creating(world, "homeless")
            self.assert_fails(creating, "INVALID", "KubeBlocks is not installed")


if __name__ == "__main__":
    main()
