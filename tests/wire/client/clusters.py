# SPDX-License-Identifier: MIT
"""The two API servers that the client's tests ask: the embedded one and a real one. Both obey the same words; how differs."""
import base64
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
ACCOUNTS = ("fullstackd", "sealos-user", "admin")
DEADLINE_S = 60


class Failed(Exception):
    """What was asked for did not come to be."""


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


class Cluster:
    """server, namespace, port and, by account, what stands in its kubeconfig."""

    def take(self, paths):
        self.users = {}
        for name, path in paths.items():
            config = read_json(path)
            self.users[name] = config["users"][0]["user"]
            self.namespace = config["contexts"][0]["context"]["namespace"]
            self.server = config["clusters"][0]["cluster"]["server"]
            self.authority = config["clusters"][0]["cluster"]["certificate-authority-data"]
        self.port = int(self.server.rsplit(":", 1)[1])

    def trust(self):
        return ssl.create_default_context(cadata=base64.b64decode(self.authority).decode())


class Embedded(Cluster):
    """devcluster. Its answers that only a broken cluster gives are faults that are asked for."""

    # what the test will ask (tests/wire/client/test_refusals.c), and what is answered then
    FAULTS = {"429": {"verb": "get", "resource": "configmaps", "status": 429},
              "500": {"verb": "create", "resource": "configmaps", "status": 500},
              "503": {"resource": "-", "status": 503},
              "504": {"verb": "get", "resource": "configmaps", "status": 504}}

    def __init__(self, program, folder):
        words = [program, "--dir", os.path.join(folder, "devcluster"), "--zero-delay", "--bookmark-ms", "200"]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("{"):
            raise Failed("the embedded cluster did not start: %s" % line)
        self.take({name: os.path.join(folder, "devcluster", name + ".kubeconfig") for name in ACCOUNTS})

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(DEADLINE_S)
        self.process.stdout.close()
        return code

    def control(self, method, body=None):
        request = urllib.request.Request("%s/devcluster/faults" % self.server, method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Authorization": "Bearer " + self.users["admin"]["token"],
                                                  "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=DEADLINE_S, context=self.trust()) as answer:
            answer.read()

    def expire(self):
        self.control("POST", {"compact": True})

    def restart(self):
        """What a killed server leaves behind: no connection, no remembered event; the objects are in its store."""
        self.control("POST", {"dropWatches": True, "compact": True})

    def break_(self, what):
        self.control("POST", self.FAULTS[what])

    def heal(self):
        self.control("DELETE")


LEVEL = {"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "PriorityLevelConfiguration", "metadata": {"name": "lab-narrow"},
         "spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": 0, "lendablePercent": 0, "borrowingLimitPercent": 0,
                                                 "limitResponse": {"type": "Reject"}}}}


def flow(user, namespace):
    """Reading and making configmaps share a level that holds one request at a time."""
    rule = {"verbs": ["get", "create"], "apiGroups": [""], "resources": ["configmaps"], "namespaces": [namespace]}
    return {"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "FlowSchema", "metadata": {"name": "lab-narrow"},
            "spec": {"priorityLevelConfiguration": {"name": "lab-narrow"}, "matchingPrecedence": 2,
                     "rules": [{"subjects": [{"kind": "User", "user": {"name": user}}], "resourceRules": [rule]}]}}


def hook(port):
    """Asked before a configmap labelled lab=hook is made; on the port is nobody, or somebody who does not answer."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    return {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "lab-hook"},
            "webhooks": [{"name": "hook.lab.example.org", "failurePolicy": "Fail", "sideEffects": "None", "timeoutSeconds": 30,
                          "admissionReviewVersions": ["v1"], "clientConfig": {"url": "https://127.0.0.1:%d/" % port},
                          "objectSelector": {"matchLabels": {"lab": "hook"}}, "rules": [rule]}]}


SERVICE = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1.lab.example.org"},
           "spec": {"group": "lab.example.org", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 100,
                    "insecureSkipTLSVerify": True, "service": {"namespace": "default", "name": "nobody"}}}


class Real(Cluster):
    """A control plane that tests/kube has booted; `path` is its kube.json. Its rare answers are brought about: a level of
    priority that a hanging request fills, a webhook that nobody answers, an aggregated API without a server, an etcd that
    stands still."""

    FLOWS = "/apis/flowcontrol.apiserver.k8s.io/v1/"
    HOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"

    def __init__(self, path):
        sys.path.insert(0, os.path.join(ROOT, "tests", "kube"))
        import kube
        facts = read_json(path)
        self.kube = kube.Cluster(kube.Settings(RUN=facts["folder"]))
        self.kube.ports = {name: facts["port"] + i for i, name in enumerate(kube.PORTS)}
        self.api = kube.Api(facts["port"], self.kube.pki)
        self.etcd = kube.Api(self.kube.ports["etcd"], self.kube.pki)
        self.take(facts["kubeconfigs"])
        self.made = []
        self.sink = None

    def close(self):
        self.heal()
        return 0

    def expire(self):
        """etcd forgets all but the newest versions, now."""
        status, text = self.etcd.call("POST", "/v3/kv/range", {"key": base64.b64encode(b"/").decode()})
        revision = json.loads(text)["header"]["revision"] if status == 200 else None
        status, text = self.etcd.call("POST", "/v3/kv/compaction", {"revision": revision, "physical": True})
        if status != 200:
            raise Failed("etcd: %d %s" % (status, text))

    def restart(self):
        """One that comes up on a busy machine may end by itself, when its checks of the first minute are late; a kubelet would
        start it again, and so does this."""
        program = self.kube.programs["kube-apiserver"]
        program.stop(signal.SIGKILL)
        until = time.monotonic() + 2 * DEADLINE_S
        while not self.kube.is_api_ready():
            if time.monotonic() > until:
                raise Failed("kube-apiserver is not ready again; its log ends with:\n" + program.tail())
            program.start()  # unless it runs
            time.sleep(0.05)

    def make(self, collection, body):
        self.made.append("%s/%s" % (collection, body["metadata"]["name"]))
        self.api.create(collection, body)

    def break_(self, what):
        if what == "429":
            self.sink = socket.create_server(("127.0.0.1", 0))
            self.make(self.FLOWS + "prioritylevelconfigurations", LEVEL)
            self.make(self.FLOWS + "flowschemas", flow("system:serviceaccount:%s:sealos-user" % self.namespace, self.namespace))
            self.make(self.HOOKS, hook(self.sink.getsockname()[1]))
            self.filler = threading.Thread(target=self.fill)
            self.filler.start()
        elif what == "500":
            self.make(self.HOOKS, hook(1))
        elif what == "503":
            self.make(self.SERVICES, SERVICE)
        else:
            os.kill(self.kube.programs["etcd"].pid(), signal.SIGSTOP)

    def fill(self):
        """Until it is over, one request after the other that waits for the webhook."""
        body = {"metadata": {"name": "filler", "labels": {"lab": "hook"}}}
        headers = {"Authorization": "Bearer " + self.users["sealos-user"]["token"], "Content-Type": "application/json"}
        while self.sink is not None:
            request = urllib.request.Request("%s/api/v1/namespaces/%s/configmaps?dryRun=All" % (self.server, self.namespace),
                                             data=json.dumps(body).encode(), headers=headers)
            try:
                urllib.request.urlopen(request, timeout=DEADLINE_S, context=self.trust()).close()
            except OSError:  # 429 and 500, too
                pass

    def stop_filling(self):
        sink, self.sink = self.sink, None
        if sink is not None:
            sink.close()
            self.filler.join(DEADLINE_S)

    def heal(self):
        self.stop_filling()
        os.kill(self.kube.programs["etcd"].pid(), signal.SIGCONT)
        while self.made:
            self.api.call("DELETE", self.made.pop())
