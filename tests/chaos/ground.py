# SPDX-License-Identifier: MIT
"""The ground that chaos happens on: replicas on one PostgreSQL, one Redis and one embedded cluster, each reachable through
what a fault puts between; whoever is killed is started again; witnesses look on all the time."""
import http.client
import json
import os
import queue
import random
import re
import secrets
import signal
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "wire", "stack"))
from world import Client, World, wait_for  # noqa: E402,F401
from stack import free_port  # noqa: E402
from witness import Caller, Findings, Witness  # noqa: E402

# A creation has moments between its rows, and is over in a second.
DELAYS = ("--delays", "schedule=20,pull_first=30,pull_again=30,start=20,ready=30,stop=20,database=60,retry=200")
ENV = {"FULLSTACKD_FLOW_LEASE": "3s", "FULLSTACKD_FLOW_CLAIM_INTERVAL": "100ms", "FULLSTACKD_FLOW_CALL_DEADLINE": "1s",
       "FULLSTACKD_FLOW_LATE": "100ms", "FULLSTACKD_LISTEN_DRAIN_SPREAD": "200ms", "FULLSTACKD_LISTEN_HANDLER_DEADLINE": "5s"}
PHASE_WITHIN_S = 120
STORY_LINES = 50
SIGN_INS = 10

# What a user wants of a project, one after the other: (name, method, path, answers, how it ends).
PHASES = (
    ("creation", "POST", "/api/sandbox/%s", (200, 202), "ready"),
    ("stop", "POST", "/api/projects/%s/stop", (200, 202), "stopped"),
    ("start", "POST", "/api/projects/%s/start", (200, 202), "ready"),
    ("deletion", "DELETE", "/api/projects/%s", (200, 202, 404), "deleted"),
)


class Ground(World):
    def __init__(self, seed, replicas=1, env=None, cluster_args=DELAYS, between=None, users=1, **more):
        """between: what stands between a replica and its peers, see server_env()."""
        super().__init__(env=dict(ENV, **(env or {})), cluster_args=cluster_args, has_server=False, **more)
        self.chance = random.Random(f"ground {seed}")
        self.seed = seed
        self.between = between
        self.replicas_n = replicas
        self.users_n = users
        self.findings = Findings()
        self.over = threading.Event()
        self.ports = []
        self.dead = queue.Queue()
        self.lock = threading.Lock()
        self.kills = 0
        self.password = None
        self.witnesses = []

    # ---- life ----

    def sign_in(self, user="admin", port=None):
        """What stands between the programs and the services breaks a sign-in as well; it says so, and is tried again."""
        for _ in range(SIGN_INS if self.between is not None else 0):
            try:
                return super().sign_in(user, port)
            except (subprocess.CalledProcessError, AssertionError, OSError) as e:
                print(f"a sign-in was broken: {e}", flush=True)
        return super().sign_in(user, port)

    def __enter__(self):
        super().__enter__()
        try:
            if self.between is not None:
                self.between.start(self)
            self.ports = [self.port] + [free_port() for _ in range(self.replicas_n - 1)]
            for port in self.ports:
                self.serve(port)
            self.callers = []
            for i in range(self.users_n):
                cookie = self.sign_in(f"user{i}" if i else "admin").cookie
                self.callers.append(Caller(self, cookie))
                self.witnesses += [Witness(self, cookie, f"{self.seed} {i}"), Witness(self, cookie, f"{self.seed} {i} h", True)]
            self.caller = self.callers[0]
            for witness in self.witnesses:
                witness.start()
            for witness in self.witnesses:
                if not witness.wait(lambda w=witness: w.first is not None, PHASE_WITHIN_S):
                    raise AssertionError("a witness sees nothing")
            self.nurse = threading.Thread(target=self.revive_all, daemon=True)
            self.nurse.start()
        except BaseException as e:
            self.__exit__(type(e), e, None)
            raise
        return self

    def __exit__(self, kind, *rest):
        self.over.set()
        self.dead.put(None)
        if not self.findings.is_clean:
            self.show_story()
        try:
            super().__exit__(kind, *rest)
        finally:
            if self.between is not None:
                self.between.stop()

    @property
    def is_over(self):
        return self.over.is_set()

    def pause(self, seconds):
        """Keeps repeated asking cheap; ends at once with the ground."""
        self.over.wait(seconds)

    @property
    def doors(self):
        """Where users knock: at what stands before the replicas, else at each."""
        door = getattr(self.between, "door", None)
        return [door] if door else self.ports

    def ports_shuffled(self):
        with self.lock:
            ports = list(self.doors)
            self.chance.shuffle(ports)
        return ports

    @property
    def witness(self):
        return self.witnesses[0]

    # ---- replicas ----

    def name_of(self, port):
        return f"replica-{self.ports.index(port)}"

    def server_env(self, port):
        env = super().server_env(port)
        if port in self.ports:
            env["DATABASE_URL"] += f"&application_name={self.name_of(port)}"
            if self.between is not None:
                self.between.redirect(self, port, env)
        return env

    def start_cluster(self):
        self.history_path = f"{self.dir}/history.jsonl"
        self.cluster_args += ["--history", self.history_path]
        super().start_cluster()

    def kubeconfig_at(self, port, api_port):
        """A kubeconfig like ours that finds the API at another port."""
        with open(self.kubeconfig) as f:
            config = json.load(f)
        config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{api_port}"
        path = f"{self.dir}/{self.name_of(port)}-{api_port}.kubeconfig"
        with open(path, "w") as f:
            json.dump(config, f)
        os.chmod(path, 0o600)
        return path

    def server_named(self, name):
        port = self.ports[int(name.rpartition("-")[2])]
        return next((s for s in list(self.servers) if s.port == port), None)

    def kill(self, name):
        """SIGKILL; it is gone when this returns, and comes back by itself. False: it was not alive."""
        with self.lock:
            server = self.server_named(name)
            if server is None or server.popen.poll() is not None:
                return False
            server.stop(signal.SIGKILL)
            self.servers.remove(server)
            self.kills += 1
        self.dead.put(server.port)
        return True

    def revive_all(self):
        while True:
            port = self.dead.get()
            if port is None or self.is_over:
                return
            try:
                if self.replicas_n == 1:  # waiting for the lease of the dead is what two replicas show
                    self.sql("UPDATE replicas SET lease_until = now()")
                self.serve(port)
            except AssertionError as e:
                with self.lock:  # who killed it once more has taken it out by then
                    is_alone = self.server_at(port) is not None
                if is_alone:
                    self.findings.add("stuck", f"a replica did not come back: {e}")

    def server_at(self, port):
        return next((s for s in list(self.servers) if s.port == port), None)

    def is_up(self, port):
        """Does the replica there let anybody in? One that was killed does not yet; none ends by itself."""
        with self.lock:  # who kills it takes it out of the list before anybody looks
            server = self.server_at(port)
            if server is not None and server.popen.poll() is not None:
                raise AssertionError(f"{self.name_of(port)} ended by itself with {server.popen.returncode}")
        try:
            return server is not None and Client(port, "").request("GET", "/readyz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def look_alive(self, port):
        """Whoever it waits for, it answers."""
        try:
            status = Client(port, "").request("GET", "/livez")[0]
        except (OSError, http.client.HTTPException) as e:
            status = repr(e)
        if status != 200:
            self.findings.add("stuck", f"{self.name_of(port)} does not answer: {status}")

    def metric(self, name):
        """Of all replicas together."""
        found = 0
        for port in self.ports:
            text = Client(port, "").request("GET", "/metrics")[2].decode()
            found += sum(int(n) for n in re.findall(rf"^{name}(?:{{[^}}]*}})? (\d+)$", text, re.M))
        return found

    def logs(self):
        """The lines of all replicas, dead ones too."""
        for name in sorted(os.listdir(self.dir)):
            if name.startswith("fullstackd-") and name.endswith(".log"):
                with open(os.path.join(self.dir, name), errors="replace") as f:
                    yield from f

    def count_logged(self, text):
        return sum(text in line for line in self.logs())

    def show_story(self):
        """What the replicas logged of the projects that something is wrong with."""
        ids = set(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", " ".join(sum(self.findings.texts.values(), []))))
        lines = [line for line in self.logs() if any(i in line for i in ids)]
        print(*sorted(lines)[-STORY_LINES:], sep="", flush=True)

    def wait_all_alive(self):
        wait_for("all replicas", lambda: all(self.is_up(port) for port in self.ports))

    def give_password(self):
        """For connections by TCP, where PostgreSQL wants one."""
        if self.password is None:
            self.password = secrets.token_hex(16)
            self.sql(f"ALTER ROLE fullstackd PASSWORD '{self.password}'")
            self.secrets.add(self.password)
        return self.password

    # ---- what users do ----

    def new_project(self, name, caller=None):
        answer = (caller or self.caller).ask("POST", "/api/projects", {"name": name})
        return answer["id"] if answer else None

    def wish(self, phase, project, caller=None):
        _, method, path, answers, _ = phase
        body = None if method == "DELETE" else {}
        return (caller or self.caller).ask(method, path % project, body, answers)

    def live(self, name, phases=PHASES, caller=None, witness=None, on_phase=None, may_fail=False):
        """A project from its creation to its deletion; each wish is waited for. Returns how its phases ended."""
        witness = witness or self.witness
        project = self.new_project(name, caller)
        outcomes = []
        for n, phase in enumerate(phases, 1):
            if project is None or self.is_over:
                break
            if on_phase is not None:
                on_phase(phase[0], project)
            self.wish(phase, project, caller)
            end = witness.done(project, n, PHASE_WITHIN_S)
            if end is None:
                self.findings.add("stuck", f"{phase[0]} of {name} ({project}) did not end within {PHASE_WITHIN_S} s")
                break
            outcomes.append(end["outcome"])
            if end["outcome"] == "failed" and end.get("code") and may_fail:
                break
            if end["outcome"] != phase[4]:
                self.findings.add("lost", f"{phase[0]} of {name} ended {end['outcome']}: {end.get('code')} {end.get('message')}")
                break
        return outcomes
