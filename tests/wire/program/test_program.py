#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The program from the outside: exit statuses, what it says of a wrong configuration, starting before PostgreSQL, signing
in by link, health, metrics, reload, drain, doctor. Runs inside with_services.py; waits for things, never for time."""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

SERVER = os.environ["FS_SERVER"]
DEVCLUSTER = os.environ["FS_DEVCLUSTER"]
KEY = "main:" + "A" * 43 + "="
DEADLINE_S = 60


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, check):
    """Asks again and again until it is so; the pause between only spares the machine."""
    pause = threading.Event()
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        value = check()
        if value:
            return value
        pause.wait(0.02)
    raise AssertionError("waited too long for " + what)


class Program(unittest.TestCase):
    """One folder, one embedded cluster for all tests; a server per test that wants one."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="wire-program-")
        cls.kubeconfig = os.path.join(cls.folder, "kc")
        cls.cluster = subprocess.Popen(
            [DEVCLUSTER, "--dir", os.path.join(cls.folder, "cluster"), "--zero-delay", "--kubeconfig", cls.kubeconfig],
            stdout=subprocess.DEVNULL)
        wait_for("the cluster's kubeconfig", lambda: os.path.exists(cls.kubeconfig) and os.path.getsize(cls.kubeconfig))

    @classmethod
    def tearDownClass(cls):
        cls.cluster.terminate()
        cls.cluster.wait(DEADLINE_S)
        shutil.rmtree(cls.folder)

    def setUp(self):
        self.port = free_port()
        self.base = "http://127.0.0.1:%d" % self.port
        self.server = None

    def tearDown(self):
        if self.server and self.server.poll() is None:
            self.server.kill()
            self.server.wait(DEADLINE_S)

    def env(self, **changes):
        env = {k: v for k, v in os.environ.items() if not k.startswith("FULLSTACKD_")}
        env.update({
            "NODE_ENV": "production",
            "DATABASE_URL": "postgresql://fullstackd@/fullstackd?host=%s&port=%s" %
                            (os.environ["FS_PG_SOCKET_DIR"], os.environ["FS_PG_PORT"]),
            "FULLSTACKD_REDIS_URL": "unix:" + os.environ["FS_REDIS_SOCKET"],
            "FULLSTACKD_ENCRYPTION_KEYS": KEY,
            "FULLSTACKD_LISTEN_PORT": str(self.port),
            "FULLSTACKD_LISTEN_DRAIN_DELAY": "0s",
            "FULLSTACKD_KUBE_KUBECONFIG": self.kubeconfig,
            "FULLSTACKD_KUBE_ALLOW_LOOPBACK": "true",
            "FULLSTACKD_WEB_DIR": "",
            "NEXTAUTH_URL": self.base,
        })
        env.update(changes)
        return {k: v for k, v in env.items() if v is not None}

    def run_program(self, *args, **changes):
        return subprocess.run([SERVER, *args], env=self.env(**changes), cwd=self.folder, capture_output=True, text=True,
                              timeout=DEADLINE_S)

    def start(self, **changes):
        self.log = open(os.path.join(self.folder, "serve.log"), "w+")
        self.addCleanup(self.log.close)
        self.server = subprocess.Popen([SERVER, "serve"], env=self.env(**changes), cwd=self.folder, stderr=self.log)
        wait_for("the listener", lambda: self.get("/livez")[0] == 200 or self.server.poll() is not None)

    def logged(self):
        with open(self.log.name) as f:
            return f.read()

    def get(self, path, headers=None, data=None):
        request = urllib.request.Request(self.base + path, data=data, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode(), answer.headers
        except urllib.error.HTTPError as e:
            with e:
                return e.code, e.read().decode(), e.headers
        except OSError:
            return 0, "", {}

    def is_ready(self):
        return self.get("/readyz")[0] == 200

    # --- the command line ---

    def test_wrong_arguments_end_with_2(self):
        for args in ([], ["nope"], ["serve", "extra"], ["--nope"], ["version", "--config"]):
            self.assertEqual(self.run_program(*args).returncode, 2, args)
        self.assertEqual(self.run_program("help").returncode, 0)
        self.assertRegex(self.run_program("version").stdout, r"^fullstackd \d+\.\d+\.\d+\n$")

    def test_every_mistake_is_listed_and_nothing_starts(self):
        path = os.path.join(self.folder, "bad.yaml")
        with open(path, "w") as f:
            f.write("listen:\n  port: 99999\n  prot: 1\nflow: {lease: 15}\n")
        for command in (["serve", "--config", path], ["check-config", path]):
            done = self.run_program(*command, FULLSTACKD_LOG_LEVEL="loud")
            self.assertEqual(done.returncode, 2)
            for part in ("bad.yaml:2: listen.port", "bad.yaml:3: unknown key 'listen.prot'", "bad.yaml:4: flow.lease",
                         "FULLSTACKD_LOG_LEVEL: log.level"):
                self.assertIn(part, done.stderr)

    def test_print_config_tells_sources_and_no_secret(self):
        done = self.run_program("check-config", "--print-config")
        self.assertEqual(done.returncode, 0)
        self.assertIn("port: %d  # environment FULLSTACKD_LISTEN_PORT" % self.port, done.stdout)
        self.assertIn("# database_url: (secret, set)  # environment DATABASE_URL", done.stdout)
        self.assertNotIn(KEY[5:], done.stdout)

    def test_a_loopback_cluster_is_refused_unless_allowed(self):
        done = self.run_program("serve", FULLSTACKD_KUBE_ALLOW_LOOPBACK=None)
        self.assertEqual(done.returncode, 2)
        self.assertIn("Invalid server endpoint: ", done.stderr)

    # --- the server's life ---

    def test_it_serves_before_postgresql_and_drains_at_sigterm(self):
        subprocess.run([os.environ["FS_PG_CTL"], "stop"], check=True, stdout=subprocess.DEVNULL)
        try:
            self.start()
            status, text, _ = self.get("/readyz?verbose")
            self.assertEqual(status, 503)
            self.assertIn("[-]database failed", text)
            self.assertIn("[-]schema failed", text)
            self.assertEqual(self.get("/api/auth/session")[:2], (200, "null"))
        finally:
            subprocess.run([os.environ["FS_PG_CTL"], "start"], check=True, stdout=subprocess.DEVNULL)
        wait_for("readiness", self.is_ready)
        self.server.send_signal(signal.SIGTERM)
        self.assertEqual(self.server.wait(DEADLINE_S), 0)
        self.assertIn("server has drained", self.logged())

    def test_after_sigterm_it_serves_until_balancers_know(self):
        self.start(FULLSTACKD_LISTEN_DRAIN_DELAY="20s", FULLSTACKD_LISTEN_DRAIN_SPREAD="0s", FULLSTACKD_RATE_READ="0")
        wait_for("readiness", self.is_ready)
        self.server.send_signal(signal.SIGTERM)
        wait_for("the word that it is not ready", lambda: self.get("/readyz")[0] == 503)
        until = time.monotonic() + 1  # with nothing under way it would be over long before
        while time.monotonic() < until:
            self.assertEqual(self.get("/api/auth/session")[:2], (200, "null"))
        self.assertIsNone(self.server.poll())
        self.server.send_signal(signal.SIGTERM)
        self.assertEqual(self.server.wait(DEADLINE_S), 0)

    def test_the_door_shuts_in_time_for_the_deadline(self):
        self.start(FULLSTACKD_LISTEN_DRAIN_DELAY="300s", FULLSTACKD_LISTEN_DRAIN_SPREAD="0s", FULLSTACKD_LISTEN_DRAIN_DEADLINE="1s")
        wait_for("readiness", self.is_ready)
        self.server.send_signal(signal.SIGTERM)
        self.assertEqual(self.server.wait(DEADLINE_S), 0)

    def test_a_second_sigterm_ends_at_once(self):
        self.start()
        wait_for("readiness", self.is_ready)
        cookie = self.sign_in()
        stream = urllib.request.urlopen(urllib.request.Request(self.base + "/api/events", headers={"Cookie": cookie}),
                                        timeout=DEADLINE_S)
        self.addCleanup(stream.close)
        self.assertTrue(stream.readline())
        self.server.send_signal(signal.SIGTERM)
        wait_for("the drain", lambda: "server drains" in self.logged())
        self.server.send_signal(signal.SIGTERM)
        self.assertEqual(self.server.wait(DEADLINE_S), 0)

    def test_sighup_keeps_serving(self):
        self.start()
        wait_for("readiness", self.is_ready)
        self.server.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: "configuration was read again" in self.logged())
        self.assertEqual(self.get("/livez")[0], 200)

    def test_without_auto_migrate_an_old_schema_ends_with_3(self):
        name = "old_%d" % os.getpid()
        url = "postgresql://fullstackd@/%s?host=%s&port=%s" % (name, os.environ["FS_PG_SOCKET_DIR"],
                                                               os.environ["FS_PG_PORT"])
        conninfo = ["-h", os.environ["FS_PG_SOCKET_DIR"], "-p", os.environ["FS_PG_PORT"]]
        subprocess.run(["createdb", *conninfo, "-U", "fullstackd", name], check=True)
        self.start(FULLSTACKD_DATABASE_AUTO_MIGRATE="false", DATABASE_URL=url)
        self.assertEqual(self.server.wait(DEADLINE_S), 3)
        self.assertEqual(self.run_program("migrate", DATABASE_URL=url).returncode, 0)
        self.start(FULLSTACKD_DATABASE_AUTO_MIGRATE="false", DATABASE_URL=url)
        wait_for("readiness", self.is_ready)

    # --- signing in, health, metrics ---

    def sign_in(self):
        done = self.run_program("signin-link", "--user", "ada")
        self.assertEqual(done.returncode, 0, done.stderr)
        address, token = done.stdout.strip().split("?token=")
        self.assertEqual(address, self.base + "/signin")
        body = json.dumps({"token": token}).encode()
        status, text, headers = self.get("/api/auth/signin-link", {"Content-Type": "application/json"}, body)
        self.assertEqual(status, 200, text)
        self.assertEqual(json.loads(text)["user"]["name"], "ada")
        self.assertEqual(self.get("/api/auth/signin-link", {"Content-Type": "application/json"}, body)[0], 401)
        return headers["Set-Cookie"].split(";")[0]

    def test_a_link_signs_in_and_signing_out_ends_it(self):
        self.start()
        wait_for("readiness", self.is_ready)
        cookie = self.sign_in()
        self.assertEqual(self.get("/api/projects")[0], 401)
        self.assertEqual(self.get("/api/projects", {"Cookie": cookie})[:2], (200, "[]"))
        asked = {"Cookie": cookie, "Content-Type": "application/json"}  # a form would be led on to a page
        self.assertEqual(self.get("/api/auth/signout", dict(asked, Origin="http://evil.example"), b"")[0], 403)
        self.assertEqual(self.get("/api/auth/signout", dict(asked, Origin=self.base), b"")[0], 200)
        self.assertEqual(self.get("/api/projects", {"Cookie": cookie})[0], 401)
        self.assertEqual(self.run_program("signin-link", "--user", "a b").returncode, 2)

    def test_metrics_move_to_their_own_listener(self):
        port = free_port()
        self.start(FULLSTACKD_METRICS_ADDRESS="127.0.0.1", FULLSTACKD_METRICS_PORT=str(port))
        wait_for("readiness", self.is_ready)
        self.assertEqual(self.get("/metrics")[0], 404)
        with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % port, timeout=10) as answer:
            text = answer.read().decode()
        self.assertIn("\nfullstackd_postgres_up 1\n", text)
        self.assertIn('fullstackd_http_requests_total{method="GET",route="/metrics"} 1\n', text)

    # --- the account ---

    def test_role_prints_the_account_in_both_forms(self):
        yaml = self.run_program("role")
        with open(os.path.join(os.path.dirname(__file__), "../../../docker/role.yaml")) as file:
            self.assertEqual((yaml.returncode, yaml.stdout), (0, file.read()))
        answer = self.run_program("role", "--json", "--namespace", "ns-1", DATABASE_URL="", NODE_ENV="nonsense")
        account = json.loads(answer.stdout)
        self.assertEqual([(item["kind"], item["metadata"]) for item in account["items"]],
                         [(kind, {"name": "fullstackd", "namespace": "ns-1"})
                          for kind in ("ServiceAccount", "Role", "RoleBinding")])
        for bad in ("Upper", "-a", "a-", "", 'a"b', "a" * 64):
            self.assertEqual(self.run_program("role", "--namespace", bad).returncode, 2, bad)

    # --- doctor ---

    def test_doctor_finds_nothing_wrong_here_and_says_so_as_json(self):
        self.assertEqual(self.run_program("migrate").returncode, 0)
        done = self.run_program("doctor", "--json", FULLSTACKD_SANDBOX_TLS_SECRET="")
        report = json.loads(done.stdout)
        self.assertEqual([c for c in report["checks"] if c["level"] == "fail"], [])
        self.assertEqual(done.returncode, 0)
        self.assertTrue(report["ok"])
        checks = {c["check"] for c in report["checks"]}
        self.assertLessEqual({"postgresql", "schema", "redis", "kubeconfig", "api", "clock", "kubeblocks", "rights",
                              "answers", "storage", "ingress", "terminals", "databases", "libcurl", "secret-env"}, checks)

    def test_doctor_says_how_one_signs_in(self):
        self.assertIn("ok    sign-in      by sign-in links only: GITHUB_CLIENT_ID is not set", self.run_program("doctor").stdout)
        done = self.run_program("doctor", GITHUB_CLIENT_ID="Iv1.x", GITHUB_CLIENT_SECRET="planted-secret")
        self.assertIn("by https://github.com, back to ", done.stdout)
        self.assertNotIn("planted-secret", done.stdout + done.stderr)

    def test_doctor_tells_what_to_do(self):
        done = self.run_program("doctor", FULLSTACKD_KUBE_ALLOW_LOOPBACK=None, DATABASE_URL="postgresql://h.invalid/x",
                                FULLSTACKD_REDIS_URL="unix:/nonexistent/redis.sock")
        self.assertEqual(done.returncode, 1)
        for line in ("fail  postgresql", "warn  redis", "fail  kubeconfig   Invalid server endpoint: "):
            self.assertIn(line, done.stdout)
        self.assertIn("-> Check that it runs", done.stdout)

    def test_quick_doctor_asks_the_server_that_runs(self):
        self.assertEqual(self.run_program("doctor", "--quick").returncode, 1)
        self.start()
        wait_for("readiness", self.is_ready)
        self.assertEqual(self.run_program("doctor", "--quick").returncode, 0)


if __name__ == "__main__":
    unittest.main(verbosity=1)
