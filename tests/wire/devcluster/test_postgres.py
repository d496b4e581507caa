#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clusters as real roles and databases. Run by tests/harness/with_services.py, which brings a PostgreSQL."""
import base64
import os
import shutil
import subprocess
import sys
import unittest

from cluster import CLUSTERS, Cluster, core, until


class Postgres(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster("--zero-delay", "--pg", os.environ["FS_PG_CONNINFO"], "--pg-host", "127.0.0.1",
                              "--pg-port", os.environ["FS_PG_PORT"])

    @classmethod
    def tearDownClass(cls):
        assert cls.cluster.stop() == 0, "devcluster ended with an error (a sanitizer's, or a leak)"

    def create(self, name):
        body = {"apiVersion": "apps.kubeblocks.io/v1alpha1", "kind": "Cluster", "metadata": {"name": name},
                "spec": {"terminationPolicy": "Delete", "componentSpecs": [{"name": "postgresql", "replicas": 1}]}}
        self.cluster.must(201, "POST", CLUSTERS, body)
        self.cluster.wait(CLUSTERS, name, lambda c: c and c.get("status", {}).get("phase") == "Running", "Running")
        data = self.cluster.must(200, "GET", core("secrets") + "/%s-conn-credential" % name)["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def psql(self, secret, sql):
        url = "postgresql://%(username)s:%(password)s@%(host)s:%(port)s/%(database)s" % secret
        done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", url, "-c", sql], capture_output=True, text=True,
                              timeout=60)
        return done.returncode, done.stdout.strip(), done.stderr

    def test_the_credentials_of_a_running_cluster_work(self):
        secret = self.create("shop-agentruntime-abc123")
        self.assertEqual("%s:%s" % (secret["host"], secret["port"]), secret["endpoint"])
        code, text, error = self.psql(secret, "create table t(a int); insert into t values (42); select a from t")
        self.assertEqual((0, "42"), (code, text), error)
        code, text, error = self.psql(secret, "select current_user || '/' || current_database()")
        self.assertEqual("%s/%s" % (secret["username"], secret["database"]), text)

    def test_a_wrong_password_does_not(self):
        secret = self.create("closed")
        secret["password"] = "wrong"
        self.assertNotEqual(0, self.psql(secret, "select 1")[0])

    def test_deletion_drops_role_and_database_even_in_use(self):
        secret = self.create("dropped")
        url = "postgresql://%(username)s:%(password)s@%(host)s:%(port)s/%(database)s" % secret
        held = subprocess.Popen(["psql", "-XAtq", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True)
        held.stdin.write("select 'in';\n")
        held.stdin.flush()
        self.assertEqual("in", held.stdout.readline().strip())
        self.cluster.must(200, "DELETE", CLUSTERS + "/dropped")
        self.cluster.wait_gone(CLUSTERS, "dropped")
        held.stdin.close()
        held.wait(timeout=30)
        held.stdout.close()
        code, _, error = self.psql(secret, "select 1")
        self.assertNotEqual(0, code, error)
        count = "select count(*) from pg_database where datname = '%s'" % secret["database"]
        admin = subprocess.run(["psql", "-XAtq", os.environ["FS_PG_CONNINFO"], "-c", count], capture_output=True, text=True)
        self.assertEqual("0", admin.stdout.strip(), admin.stderr)

    def test_a_cluster_deleted_while_it_is_made_leaves_nothing(self):
        for i in range(5):
            body = {"apiVersion": "apps.kubeblocks.io/v1alpha1", "kind": "Cluster", "metadata": {"name": "brief-%d" % i},
                    "spec": {"terminationPolicy": "Delete", "componentSpecs": [{"name": "postgresql", "replicas": 1}]}}
            self.cluster.must(201, "POST", CLUSTERS, body)
            self.cluster.must(200, "DELETE", CLUSTERS + "/brief-%d" % i)
        for i in range(5):
            self.cluster.wait_gone(CLUSTERS, "brief-%d" % i)
        names = "select count(*) from pg_database where datname like 'brief-%'"

        def is_clean():
            done = subprocess.run(["psql", "-XAtq", os.environ["FS_PG_CONNINFO"], "-c", names], capture_output=True, text=True)
            return done.stdout.strip() == "0"
        until(is_clean, "no database left")


if __name__ == "__main__":
    if shutil.which("psql") is None:
        print("SKIPPED: psql is not installed")
        sys.exit(77)
    sys.exit(unittest.main())
