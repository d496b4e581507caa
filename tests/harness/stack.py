# SPDX-License-Identifier: MIT
"""The whole server for tests and benchmarks: fullstackd on a private PostgreSQL and Redis (with_services.py exports
them) against devcluster or a real cluster. Standard library only.

    with Stack(build_dir) as s:
        client = s.sign_in()
        project = client.json("POST", "/api/projects", {"name": "x"})
"""
import http.client
import json
import os
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import openapi  # noqa: E402
from real_cluster import Namespace  # noqa: E402

READY_WITHIN_S = 60
NAMESPACE = "ns-ajno7yq7"  # the embedded cluster's
API = openapi.Description()  # every answer that a test gets is held against it
SANITIZED = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0", "UBSAN_OPTIONS": "print_stacktrace=1"}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, check, within_s=READY_WITHIN_S):
    """Asks until it is so; each answer is a real one, the pause only keeps the asking cheap."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        found = check()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {within_s} s")


class Client:
    """One signed-in user, one connection at a time. What it is told is kept by the Stack that it asks, to be looked through
    for secrets."""
    heard = {}  # by port of a server: its Stack's list of texts
    is_heard = True

    def __init__(self, port, cookie):
        self.port = port
        self.cookie = cookie

    def hear(self, text):
        if self.is_heard and self.port in self.heard:
            self.heard[self.port].append(text)

    def headers(self):
        return {"Cookie": self.cookie, "Origin": f"http://127.0.0.1:{self.port}"}

    def request(self, method, path, body=None, headers=None, raw=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            data = raw if raw is not None else (json.dumps(body) if body is not None else None)
            all_headers = self.headers()
            if data is not None:
                all_headers["Content-Type"] = "application/json"
            all_headers.update(headers or {})
            connection.request(method, path, data, all_headers)
            answer = connection.getresponse()
            told = answer.read()
            API.check_answer(method, path, answer.status, answer.headers["Content-Type"], told)
            self.hear("\n".join(f"{k}: {v}" for k, v in answer.headers.items() if k.lower() != "set-cookie"))
            self.hear(told.decode(errors="replace"))
            return answer.status, answer.headers, told
        finally:
            connection.close()

    def json(self, method, path, body=None, status=None):
        got, _, data = self.request(method, path, body)
        if status is not None and got != status or status is None and got >= 400:
            raise AssertionError(f"{method} {path}: {got} {data[:500]!r}")
        return json.loads(data) if data else None

    def pages(self, path):
        """Every page of a list from this one on, as the Link field leads."""
        of = re.escape(path.partition("?")[0])
        while path:
            status, headers, body = self.request("GET", path)
            if status != 200:
                raise AssertionError(f"GET {path}: {status} {body[:500]!r}")
            yield json.loads(body)
            link = headers.get("Link")
            path = re.fullmatch(rf'<({of}\?[^>]+)>; rel="next"', link).group(1) if link else None

    def events(self, path, within_s=60, last_id=None):
        """Yields (id, event, data) until the server ends the stream."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=within_s)
        headers = self.headers()
        if last_id is not None:
            headers["Last-Event-ID"] = str(last_id)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            if answer.status == 204:
                return
            if answer.status != 200:
                raise AssertionError(f"GET {path}: {answer.status} {answer.read()[:500]!r}")
            event = {}
            for line in answer:
                line = line.decode().rstrip("\n")
                self.hear(line)
                if line == "" and "data" in event:
                    data = json.loads(event["data"])
                    API.check_event(path, event.get("event"), data)
                    yield int(event.get("id", 0)), event.get("event"), data
                    event = {}
                elif line and not line.startswith(":"):
                    key, _, value = line.partition(": ")
                    event[key] = value
        finally:
            connection.close()

    def create(self, name, env=None):
        project = self.json("POST", "/api/projects", {"name": name}, 200)
        body = {"envVars": env} if env else {}
        answer = self.json("POST", f"/api/sandbox/{project['id']}", body, 202)
        return project, answer

    def follow(self, project_id, within_s=60):
        """The events of the project's attempt up to its end."""
        return list(self.events(f"/api/sandbox/{project_id}/events", within_s))


class Confidant(Client):
    """One who is told a secret, as he should be: whoever uses it says why, and looks at the answer himself."""
    is_heard = False


class Process:
    def __init__(self, name, argv, env, log_path, has_words=False):
        """has_words: it tells something on standard output, which the caller reads; else that goes to the log too."""
        self.name = name
        self.log_path = log_path
        self.log = open(log_path, "ab")
        out = subprocess.PIPE if has_words else self.log
        self.popen = subprocess.Popen(argv, env=env, stdout=out, stderr=self.log, stdin=subprocess.DEVNULL)

    @property
    def pid(self):
        return self.popen.pid

    def stop(self, how=signal.SIGTERM, within_s=40):
        if self.popen.poll() is None:
            self.popen.send_signal(how)
        status = self.popen.wait(within_s)
        if self.popen.stdout is not None:
            self.popen.stdout.close()
        self.log.close()
        return status

    def usage(self):
        """CPU seconds so far and the largest resident size in KiB."""
        with open(f"/proc/{self.pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
        ticks = os.sysconf("SC_CLK_TCK")
        with open(f"/proc/{self.pid}/status") as f:
            peak = next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))
        return (int(fields[11]) + int(fields[12])) / ticks, peak


class Stack:
    def __init__(self, build_dir, cluster_args=("--zero-delay",), env=None, kubeconfig=None, has_redis=True,
                 has_databases=True, account="sealos-user", has_server=True, may_be_real=False):
        self.build = os.path.abspath(build_dir)
        self.cluster_args = list(cluster_args)
        self.extra_env = env or {}
        self.kubeconfig = kubeconfig
        self.has_redis = has_redis
        self.has_databases = has_databases  # Clusters are real databases on the private PostgreSQL
        # True: where FS_KUBE describes a real control plane the cluster is a namespace there, and not the embedded one.
        self.may_be_real = may_be_real
        # "fullstackd": exactly the Role we ship; "meagre": no sight of EndpointSlices, pods untouchable
        self.account = account
        self.has_server = has_server  # from the start; else with_server() starts it
        self.namespace = NAMESPACE
        self.cluster = None
        self.serve_args = []
        self.servers = []
        self.secrets = set()  # nobody may be told them; planted in all that is configured and signed in with
        self.heard = []       # what clients were told

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="fullstackd-stack-")
        self.port = free_port()
        self.secret = secrets.token_hex(16)
        self.url_password = "pg-" + secrets.token_hex(12)  # of the connection string: PostgreSQL trusts its socket and does not ask
        self.keys = "test:" + __import__("base64").b64encode(secrets.token_bytes(32)).decode()
        self.secrets |= {self.secret, self.url_password, self.keys.partition(":")[2]}
        self.make_database()
        if self.kubeconfig is None:
            self.start_cluster()
        if self.has_server:
            self.serve()
        return self

    def with_server(self):
        self.serve()
        return self

    def __exit__(self, *exc):
        for server in self.servers:
            server.stop(signal.SIGTERM)
        if self.cluster is not None:
            self.cluster.stop()
        if exc[0] is not None:
            self.show_logs()
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def show_logs(self):
        for name in sorted(os.listdir(self.dir)):
            if name.endswith(".log"):
                with open(os.path.join(self.dir, name), errors="replace") as f:
                    lines = f.readlines()
                print(f"--- {name} (last lines)", *lines[-40:], sep="\n", file=sys.stderr)

    def make_database(self):
        """A database of its own for each stack on the shared private server."""
        self.database = "stack_" + secrets.token_hex(6)
        psql = ["psql", "-X", "-q", os.environ["FS_PG_CONNINFO"], "-c", f"CREATE DATABASE {self.database}"]
        subprocess.run(psql, check=True)

    def server_env(self, port):
        sockets = urllib.parse.quote(os.environ["FS_PG_SOCKET_DIR"], safe="")
        env = {k: v for k, v in os.environ.items() if not k.startswith(("FULLSTACKD_", "GITHUB_", "NEXTAUTH_"))}
        env.update(SANITIZED)
        env.update({
            "NODE_ENV": "development",
            "NEXTAUTH_URL": f"http://127.0.0.1:{port}",
            "NEXTAUTH_SECRET": self.secret,
            "FULLSTACKD_ENCRYPTION_KEYS": self.keys,
            "DATABASE_URL": f"postgresql://fullstackd:{self.url_password}@/{self.database}?host={sockets}&port={os.environ['FS_PG_PORT']}",
            "FULLSTACKD_LISTEN_ADDRESS": "127.0.0.1",
            "FULLSTACKD_LISTEN_PORT": str(port),
            "FULLSTACKD_KUBE_KUBECONFIG": self.kubeconfig,
            "FULLSTACKD_KUBE_ALLOW_LOOPBACK": "true",
            "FULLSTACKD_SANDBOX_DOMAIN": "localhost",
            "FULLSTACKD_SANDBOX_URL_SCHEME": "http",
            "FULLSTACKD_FLOW_PROVE_LOGIN": "true" if self.has_databases else "false",
            # Its lists would be counted among those of the watches, and take the faults that are meant for them.
            "FULLSTACKD_SWEEP_INTERVAL": "0s",
            "FULLSTACKD_LIMITS_PROJECTS_PER_USER": "0",
            "FULLSTACKD_LIMITS_SANDBOXES_PER_USER": "0",
        })
        if self.has_redis and "FS_REDIS_SOCKET" in os.environ:
            env["FULLSTACKD_REDIS_URL"] = "unix:" + os.environ["FS_REDIS_SOCKET"]
        env.update(self.extra_env)
        return env

    def write_role(self):
        """The account that we ship for a configuration like this one."""
        path = f"{self.dir}/role.json"
        with open(path, "w") as f:
            subprocess.run([f"{self.build}/fullstackd", "role", "--json"], stdout=f, env=dict(os.environ, **self.extra_env), check=True)
        return path

    def start_cluster(self):
        if self.is_real:
            self.cluster = Namespace(self.dir).start()
            self.namespace = self.cluster.namespace
            self.kubeconfig = self.cluster.kubeconfig(self.account)
        else:
            self.start_devcluster()

    def start_devcluster(self):
        argv = [f"{self.build}/devcluster", "--dir", f"{self.dir}/cluster", *self.cluster_args]
        if self.account == "fullstackd":
            argv += ["--role", self.write_role()]
        if self.has_databases:
            argv += ["--pg", os.environ["FS_PG_CONNINFO"], "--pg-host", "127.0.0.1", "--pg-port", os.environ["FS_PG_PORT"]]
        env = dict(os.environ, **SANITIZED)
        self.cluster = Process("devcluster", argv, env, f"{self.dir}/devcluster.log", has_words=True)
        line = self.cluster.popen.stdout.readline()
        if not line:
            self.show_logs()
            raise AssertionError("devcluster did not start")
        self.addresses = json.loads(line)
        self.kubeconfig = f"{self.dir}/cluster/{self.account}.kubeconfig"

    @property
    def is_real(self):
        return self.may_be_real and "FS_KUBE" in os.environ

    def is_cluster_running(self):
        return self.cluster.is_running() if self.is_real else self.cluster.popen.poll() is None

    def freeze(self):
        """The API stands still: connections are taken and nothing is answered, until thaw()."""
        self.cluster.freeze() if self.is_real else os.kill(self.cluster.pid, signal.SIGSTOP)

    def thaw(self):
        self.cluster.thaw() if self.is_real else os.kill(self.cluster.pid, signal.SIGCONT)

    def serve(self, port=None):
        """One more fullstackd; the first listens on self.port."""
        port = port or (self.port if not self.servers else free_port())
        env = self.server_env(port)
        number = len(self.servers) + 1
        server = Process("fullstackd", [f"{self.build}/fullstackd", "serve", *self.serve_args], env, f"{self.dir}/fullstackd-{number}.log")
        server.port = port
        Client.heard[port] = self.heard
        self.servers.append(server)
        wait_for("fullstackd ready", lambda: self.is_ready(server))
        return server

    def is_ready(self, server):
        if server.popen.poll() is not None:
            self.show_logs()
            raise AssertionError(f"fullstackd ended with {server.popen.returncode}")
        try:
            return Client(server.port, "").request("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def kill_server(self, server):
        server.stop(signal.SIGKILL)
        self.servers.remove(server)

    def link(self, user="admin"):
        """The token of a new sign-in link."""
        out = subprocess.run([f"{self.build}/fullstackd", "signin-link", "--user", user], env=self.server_env(self.port),
                             check=True, capture_output=True, text=True).stdout
        token = out.strip().rpartition("token=")[2]
        self.secrets.add(token)
        return token

    def sign_in(self, user="admin", port=None):
        token = self.link(user)
        client = Client(port or self.port, "")
        status, headers, body = client.request("POST", "/api/auth/signin-link", {"token": token})
        if status != 200:
            raise AssertionError(f"signing in: {status} {body!r}")
        client.cookie = headers["Set-Cookie"].split(";")[0]
        self.secrets.add(client.cookie.partition("=")[2])
        return client

    def cluster_call(self, method, path, body=None, kind="application/json"):
        """(status, document) of the cluster's API, asked as its administrator."""
        if self.is_real:
            return self.cluster.call(method, path, body, kind)
        with open(f"{self.dir}/cluster/admin.token") as f:
            token = f.read().strip()
        context = ssl.create_default_context(cafile=f"{self.dir}/cluster/ca.crt")
        connection = http.client.HTTPSConnection("127.0.0.1", self.addresses["port"], context=context, timeout=30)
        try:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def cluster_requests(self):
        """Requests that the cluster counted so far, {"verb resource": n}."""
        if self.is_real:
            return self.cluster.requests()
        return self.cluster_call("GET", "/devcluster/requests")[1]["requests"]
