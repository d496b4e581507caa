#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boots a real Kubernetes control plane on loopback: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, and kwok
in place of a kubelet and of the KubeBlocks operator.

    kube.py up                  boots an empty cluster and leaves it running
    kube.py stop [PROGRAM]      stops it, or one of its programs
    kube.py start PROGRAM       starts that one again, as it was
    kube.py find                prints the path of the binary, or why there is none (77)

Settings by environment:
  RUN            folder of this cluster; another folder is another cluster beside it      (.run/kube)
  PORT           kube-apiserver's, the others take the five that follow                   (six free ones)
  NS             the namespace of the accounts                                            (ns-ajno7yq7)
  KB             KubeBlocks' CRD: v0.9.0, v1.0.2 or none                                  (v0.9.0)
  KUBE1          the binary, plain or .zst      KUBE=1 builds it with Go where there is none
  POD_PULL_MS    how long an image is pulled (0)       POD_PROBE_MS  until a probe succeeds (0)
  POD_RETRY_MS   pull and crash back-off (10000)       KB_READY_MS   Cluster Creating to Running (500)
  POD_SECRETS    0: containers start without the Secrets of their environment, as kwok alone plays it (1: they wait)
  COMPACT        etcd's compaction interval (5m; 15s: 410 comes soon)
  QPS            what controllers and scheduler allow themselves (1000)
  AUDIT=1        one line for each request in RUN/audit.log      API_EXTRA  more flags of kube-apiserver
"""
import argparse
import base64
import functools
import json
import os
import random
import shlex
import shutil
import socket
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import accounts  # noqa: E402
import binary  # noqa: E402
import certificates  # noqa: E402
import database_stages  # noqa: E402
import pod_stages  # noqa: E402
import stages  # noqa: E402
from api import Api  # noqa: E402
from processes import Program  # noqa: E402

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "kubelet")  # in the order they are started
PORTS = ("kube-apiserver", "etcd", "etcd-peer", "kube-controller-manager", "kube-scheduler", "kwok")
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
NODE_PORT_RANGE = (20000, 32000)  # below what the kernel hands out to outgoing connections


class Failed(Exception):
    """The cluster did not come up, and why."""


class Settings:
    def __init__(self, env=None, **given):
        env = dict(os.environ if env is None else env, **given)
        self.folder = os.path.abspath(env.get("RUN") or os.path.join(binary.ROOT, ".run", "kube"))
        self.port = int(env.get("PORT") or 0)
        self.namespace = env.get("NS") or "ns-ajno7yq7"
        self.kubeblocks = env.get("KB") or "v0.9.0"
        self.pod_pull_ms = int(env.get("POD_PULL_MS") or 0)
        self.pod_probe_ms = int(env.get("POD_PROBE_MS") or 0)
        self.pod_retry_ms = int(env.get("POD_RETRY_MS") or 10000)
        self.has_kubelet = env.get("POD_SECRETS") != "0"
        self.kb_ready_ms = int(env.get("KB_READY_MS") or 500)
        self.compact = env.get("COMPACT") or "5m"
        self.qps = int(env.get("QPS") or 1000)
        self.has_audit = env.get("AUDIT") == "1"
        self.api_extra = shlex.split(env.get("API_EXTRA") or "")
        if self.kubeblocks not in ("v0.9.0", "v1.0.2", "none"):
            raise Failed(f"KB is v0.9.0, v1.0.2 or none, not {self.kubeblocks}")


def is_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def choose_ports(first):
    """{name: port}, one after the other, from the one asked for or from where six are free."""
    tries = [first] if first else [random.randrange(*NODE_PORT_RANGE, len(PORTS)) for _ in range(100)]
    for base in tries:
        ports = {name: base + i for i, name in enumerate(PORTS)}
        if all(is_free(port) for port in ports.values()):
            return ports
    raise Failed(f"a port from {tries[-1]} to {tries[-1] + len(PORTS) - 1} is taken")


def write(path, text, mode=0o644):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as f:
        f.write(text)


def holds(document, kind):
    """Whether the object says that this condition is true."""
    conditions = (document.get("status") or {}).get("conditions") or []
    return any(c["type"] == kind and c["status"] == "True" for c in conditions)


class Cluster:
    """A cluster in a folder: booted here, or found there again."""

    def __init__(self, settings, say=functools.partial(print, flush=True)):
        self.settings = settings
        self.folder = settings.folder
        self.pki = f"{self.folder}/pki"
        self.began = time.monotonic()
        self.say = say
        self.programs = {name: Program(self.folder, name) for name in PROGRAMS}

    # ---- the parts ----

    def make_folder(self):
        """An empty folder of our own; one that is not ours stays as it is."""
        if any(program.pid() for program in self.programs.values()):
            raise Failed(f"a cluster runs in {self.folder} already; RUN names another folder, ./run kube stop ends this one")
        if os.path.exists(self.folder):
            if not os.path.isdir(f"{self.folder}/pids"):
                raise Failed(f"{self.folder} is there and was not made by this command")
            shutil.rmtree(self.folder)
        for name in ("pids", "logs", "config"):
            os.makedirs(f"{self.folder}/{name}")
        os.mkdir(self.pki, 0o700)

    def kubeconfig(self, name, user):
        write(f"{self.folder}/{name}.kubeconfig", accounts.kubeconfig(self.facts(), name, user, self.settings.namespace), 0o600)

    def client_kubeconfig(self, name):
        user = {}
        for key, end in (("client-certificate-data", "crt"), ("client-key-data", "key")):
            with open(f"{self.pki}/{name}.{end}", "rb") as f:
                user[key] = base64.b64encode(f.read()).decode()
        self.kubeconfig(name, user)

    def start(self, name, *flags):
        self.programs[name].start(self.binary, [name, *flags])

    def wait(self, what, names, is_it, within_s=90):
        """Until it holds. A program that has ended, or the time, ends the boot with the tail of its log."""
        until = time.monotonic() + within_s
        while True:
            if is_it():
                break
            ended = [name for name in self.programs if self.programs[name].popen and self.programs[name].pid() is None]
            if ended or time.monotonic() > until:
                why = f"{ended[0]} has ended" if ended else f"{what}: not within {within_s} s"
                tails = "".join(f"--- {name}.log ---\n{self.programs[name].tail()}" for name in ended or names)
                raise Failed(f"{why}\n{tails}")
            time.sleep(0.05)
        self.say(f"{time.monotonic() - self.began:6.2f} s  {what}")

    def start_etcd(self):
        client, peer = f"https://127.0.0.1:{self.ports['etcd']}", f"http://127.0.0.1:{self.ports['etcd-peer']}"
        # No fsync: nothing here has to outlive a power cut.
        self.start("etcd", "--name=test", f"--data-dir={self.folder}/etcd", "--unsafe-no-fsync", "--log-level=warn",
                   f"--listen-client-urls={client}", f"--advertise-client-urls={client}", f"--listen-peer-urls={peer}",
                   f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=test={peer}", f"--cert-file={self.pki}/server.crt",
                   f"--key-file={self.pki}/server.key", "--client-cert-auth", f"--trusted-ca-file={self.pki}/ca.crt")

    def start_api(self):
        audit = []
        if self.settings.has_audit:
            write(f"{self.folder}/config/audit.json", json.dumps({
                "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
                "rules": [{"level": "Metadata", "resources": [{"group": group} for group in (
                    "", "apps", "networking.k8s.io", "discovery.k8s.io", "rbac.authorization.k8s.io", "apps.kubeblocks.io")]}]}))
            audit = [f"--audit-policy-file={self.folder}/config/audit.json", f"--audit-log-path={self.folder}/audit.log",
                     "--audit-log-mode=blocking"]
        pki = self.pki
        self.start("kube-apiserver", "--bind-address=127.0.0.1", f"--secure-port={self.ports['kube-apiserver']}",
                   "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none",
                   f"--etcd-servers=https://127.0.0.1:{self.ports['etcd']}", f"--etcd-cafile={pki}/ca.crt",
                   f"--etcd-certfile={pki}/admin.crt", f"--etcd-keyfile={pki}/admin.key",
                   f"--etcd-compaction-interval={self.settings.compact}", f"--tls-cert-file={pki}/server.crt",
                   f"--tls-private-key-file={pki}/server.key", f"--client-ca-file={pki}/ca.crt", "--authorization-mode=Node,RBAC",
                   "--service-cluster-ip-range=10.96.0.0/16", "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
                   f"--service-account-key-file={pki}/sa.pub", f"--service-account-signing-key-file={pki}/sa.key",
                   f"--kubelet-client-certificate={pki}/kubelet-client.crt", f"--kubelet-client-key={pki}/kubelet-client.key",
                   f"--kubelet-certificate-authority={pki}/ca.crt", "--kubelet-preferred-address-types=InternalIP",
                   *audit, *self.settings.api_extra)

    def start_controllers(self):
        for name, more in (("kube-controller-manager", ["--use-service-account-credentials=true", f"--root-ca-file={self.pki}/ca.crt",
                                                        f"--service-account-private-key-file={self.pki}/sa.key"]), ("kube-scheduler", [])):
            config = f"{self.folder}/{name}.kubeconfig"
            self.start(name, f"--kubeconfig={config}", f"--authentication-kubeconfig={config}", f"--authorization-kubeconfig={config}",
                       "--bind-address=127.0.0.1", f"--secure-port={self.ports[name]}", f"--cert-dir={self.folder}/config/{name}",
                       "--leader-elect=false", "--authentication-skip-lookup=true", f"--kube-api-qps={self.settings.qps}",
                       f"--kube-api-burst={2 * self.settings.qps}", *more)

    def start_kwok(self):
        """Its Stages come from a file: nothing of kwok's own is in the cluster."""
        settings = self.settings
        documents = stages.node_stages() + pod_stages.pod_stages(settings.pod_pull_ms, settings.pod_probe_ms, settings.pod_retry_ms,
                                                                         has_kubelet=settings.has_kubelet)
        if settings.kubeblocks != "none":
            documents += database_stages.database_stages(self.database_version, ready_ms=settings.kb_ready_ms)
        write(f"{self.folder}/config/kwok.yaml", stages.text(documents))
        port = self.ports["kwok"]
        self.start("kwok", f"--config={self.folder}/config/kwok.yaml", f"--kubeconfig={self.folder}/kwok.kubeconfig",
                   "--manage-all-nodes=true", "--cidr=10.244.0.1/16", "--node-ip=127.0.0.1", f"--node-port={port}",
                   f"--server-address=127.0.0.1:{port}", f"--tls-cert-file={self.pki}/server.crt",
                   f"--tls-private-key-file={self.pki}/server.key", "--node-lease-duration-seconds=40")

    def start_kubelet(self):
        self.programs["kubelet"].start(sys.executable, [sys.executable, f"{HERE}/kubelet.py", str(self.ports["kube-apiserver"]), self.pki])

    # ---- booting and stopping ----

    @property
    def database_version(self):
        return "v1" if self.settings.kubeblocks.startswith("v1") else "v1alpha1"

    @property
    def server(self):
        return f"https://127.0.0.1:{self.ports['kube-apiserver']}"

    def is_api_ready(self):
        try:
            return Api(self.ports["kube-apiserver"], self.pki).call("GET", "/readyz") == (200, "ok")
        except OSError:
            return False

    def is_crd_served(self, name):
        """Established, and described: kwok asks for the description as soon as it starts."""
        if not holds(self.api.get(f"{CRDS}/{name}") or {}, "Established"):
            return False
        return f"apis/apps.kubeblocks.io/{self.database_version}" in self.api.get("/openapi/v3")["paths"]

    def is_node_ready(self):
        return holds(self.api.get("/api/v1/nodes/fake-node"), "Ready")

    def give_tokens(self):
        for name in accounts.ACCOUNTS:
            token = accounts.token(self.api, self.settings.namespace, name)
            if token is None:
                return False
            self.kubeconfig(name, {"token": token})
        return self.api.get(f"/api/v1/namespaces/{self.settings.namespace}/serviceaccounts/default") is not None

    def up(self):
        """Boots it; what was started is stopped again when that fails."""
        self.binary = binary.find()
        crd = None if self.settings.kubeblocks == "none" else binary.kubeblocks_crd(self.settings.kubeblocks)
        self.make_folder()
        self.ports = choose_ports(self.settings.port)
        try:
            self.boot(crd)
        except BaseException:
            self.stop(say=lambda _: None)
            raise
        write(f"{self.folder}/kube.json", json.dumps(self.facts(), indent=1) + "\n")
        return self.facts()

    def boot(self, crd):
        certificates.make_all(self.pki)
        for name in ("admin", "kube-controller-manager", "kube-scheduler", "kwok"):
            self.client_kubeconfig(name)
        self.say(f"{time.monotonic() - self.began:6.2f} s  certificates")
        self.start_etcd()
        self.start_api()
        self.wait("kube-apiserver ready", ["kube-apiserver", "etcd"], self.is_api_ready)
        self.api = Api(self.ports["kube-apiserver"], self.pki)
        self.start_controllers()
        if crd:
            with open(crd) as f:
                name = self.api.create(CRDS, f.read(), "application/yaml")["metadata"]["name"]
            self.wait(f"KubeBlocks {self.settings.kubeblocks} served", ["kube-apiserver"], lambda: self.is_crd_served(name))
        self.start_kwok()
        if self.settings.has_kubelet:
            self.start_kubelet()
        accounts.make_all(self.api, self.settings.namespace)
        self.wait("accounts have tokens", ["kube-controller-manager"], self.give_tokens)
        self.wait("node ready", ["kwok"], self.is_node_ready)

    def facts(self):
        """What whoever uses the cluster wants to know."""
        return {"server": self.server, "port": self.ports["kube-apiserver"], "namespace": self.settings.namespace, "folder": self.folder,
                "kubeblocks": self.settings.kubeblocks, "ca": f"{self.pki}/ca.crt",
                "admin": {"certificate": f"{self.pki}/admin.crt", "key": f"{self.pki}/admin.key"},
                "kubeconfigs": {name: f"{self.folder}/{name}.kubeconfig" for name in ("fullstackd", "sealos-user", "admin")}}

    def stop(self, names=None, say=None):
        for name in reversed(names or PROGRAMS):
            if self.programs[name].stop():
                (say or self.say)(f"stopped {name}")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("verb", nargs="?", default="up", choices=("up", "stop", "start", "find"))
    parser.add_argument("program", nargs="?", choices=PROGRAMS)
    options = parser.parse_args()
    try:
        if options.verb == "find":
            print(binary.find(may_build=False))
            return 0
        cluster = Cluster(Settings())
        if options.verb == "stop":
            cluster.stop([options.program] if options.program else None)
        elif options.verb == "start":
            cluster.programs[options.program or parser.error("start which program?")].start()
        else:
            for name, path in cluster.up()["kubeconfigs"].items():
                print(f"{name:12s} {path}")
            print(f"server       {cluster.server}")
    except binary.Missing as e:
        print(f"SKIPPED: {e}", file=sys.stderr)
        return 77
    except (Failed, RuntimeError, OSError) as e:
        print(f"error: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
