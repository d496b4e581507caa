# SPDX-License-Identifier: MIT
"""Starts a devcluster in a temporary folder and talks to it: requests, watches, waiting for a state by watching."""
import base64
import http.client
import json
import os
import signal
import ssl
import subprocess
import tempfile
import time
import urllib.parse

NS = "ns-ajno7yq7"
DEADLINE_S = 30
ACCOUNTS = {"owner": "sealos-user", "limited": "fullstackd", "admin": "admin"}


class Answer:
    def __init__(self, response, body):
        self.status = response.status
        self.headers = response.headers
        self.text = body.decode("utf-8", "replace")
        kind = response.headers.get("Content-Type", "")
        self.json = json.loads(self.text) if kind.startswith("application/json") and self.text else None


class Cluster:
    """With FS_KUBE naming the facts of a real control plane (tests/harness/with_kube.py) the same tests ask that one
    instead: what devcluster alone can do is skipped there."""

    is_real = bool(os.environ.get("FS_KUBE"))

    def __init__(self, *options):
        if self.is_real:
            with open(os.environ["FS_KUBE"]) as file:
                self.attach(json.load(file)["kubeconfigs"])
            return
        self.folder = tempfile.TemporaryDirectory(prefix="devcluster-")
        self.options = options
        self.start()

    def start(self):
        command = [os.environ["DEVCLUSTER"], "--dir", self.folder.name, *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("devcluster did not start: exit code %s" % self.process.wait())
        self.ready = json.loads(line)
        self.tokens = {}
        for account, name in ACCOUNTS.items():
            with open(self.kubeconfig(account)) as file:
                config = json.load(file)
            self.tokens[account] = config["users"][0]["user"]["token"]
            ca = base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
        self.tls = ssl.create_default_context(cadata=ca)

    def attach(self, paths):
        self.tokens = {}
        for account, name in ACCOUNTS.items():
            with open(paths[name]) as file:
                config = json.load(file)
            user, cluster = config["users"][0]["user"], config["clusters"][0]["cluster"]
            self.tokens[account] = user.get("token", "")
            if "client-certificate-data" in user:
                self.admin_pem = [base64.b64decode(user["client-%s-data" % x]).decode() for x in ("certificate", "key")]
        self.ready = {"port": int(cluster["server"].rsplit(":", 1)[1])}
        self.tls = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        self.admin_tls = ssl.create_default_context(
            cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write("\n".join(self.admin_pem))
            file.flush()
            self.admin_tls.load_cert_chain(file.name)

    def kubeconfig(self, account="owner"):
        return os.path.join(self.folder.name, ACCOUNTS[account] + ".kubeconfig")

    def stop(self):
        """Ends it and returns the exit code, which a sanitizer makes non-zero."""
        if self.is_real:
            return 0
        code = self.end(signal.SIGTERM)
        self.folder.cleanup()
        return code

    def end(self, signum):
        """The process alone: start() begins another one in the same folder."""
        self.process.send_signal(signum)
        code = self.process.wait(timeout=DEADLINE_S)
        self.process.stdout.close()
        return code

    def connect(self, timeout=DEADLINE_S, account="owner"):
        tls = self.admin_tls if self.is_real and account == "admin" else self.tls
        return http.client.HTTPSConnection("127.0.0.1", self.ready["port"], context=tls, timeout=timeout)

    def headers(self, account, more=None):
        headers = {"Accept": "application/json", "User-Agent": "fullstackd/0.1"}
        if account == "bad":
            headers["Authorization"] = "Bearer not-a-token"
        elif account != "none" and self.tokens[account]:
            headers["Authorization"] = "Bearer " + self.tokens[account]
        headers.update(more or {})
        return headers

    def call(self, method, path, body=None, account="owner", headers=None):
        connection = self.connect(account=account)
        sent = body
        more = dict(headers or {})
        if body is not None and not isinstance(body, (str, bytes)):
            sent = json.dumps(body)
        if sent is not None:
            more.setdefault("Content-Type", "application/json")
        connection.request(method, path, sent, self.headers(account, more))
        response = connection.getresponse()
        answer = Answer(response, response.read())
        connection.close()
        return answer

    def must(self, status, method, path, body=None, **more):
        answer = self.call(method, path, body, **more)
        assert answer.status == status, "%s %s: %d %s" % (method, path, answer.status, answer.text[:600])
        return answer.json

    def watch(self, path, account="owner", timeout=DEADLINE_S):
        """Yields events until the server ends the stream."""
        connection = self.connect(timeout, account)
        connection.request("GET", path, headers=self.headers(account))
        response = connection.getresponse()
        assert response.status == 200, response.read()
        try:
            while True:
                line = response.readline()
                if not line:
                    return
                yield json.loads(line)
        finally:
            connection.close()

    def wait(self, collection, name, is_reached, what):
        """Watches one object until is_reached(object or None) holds; returns it."""
        selector = urllib.parse.quote("metadata.name=" + name)
        path = "%s?watch=1&fieldSelector=%s&timeoutSeconds=%d" % (collection, selector, DEADLINE_S)
        last = None
        for event in self.watch(path):
            last = None if event["type"] == "DELETED" else event["object"]
            if is_reached(last):
                return last
        raise AssertionError("%s never came to be: %s" % (what, json.dumps(last)[:2000]))

    def wait_gone(self, collection, name):
        """True when the object is not there any more; watches until it is not."""
        while self.call("GET", collection + "/" + name).status != 404:
            version = self.must(200, "GET", collection)["metadata"]["resourceVersion"]
            if self.call("GET", collection + "/" + name).status == 404:
                return
            selector = urllib.parse.quote("metadata.name=" + name)
            path = "%s?watch=1&resourceVersion=%s&fieldSelector=%s&timeoutSeconds=%d" % (
                collection, version, selector, DEADLINE_S)
            if not any(event["type"] == "DELETED" for event in self.watch(path)):
                raise AssertionError(name + " never went")


def until(is_reached, what, deadline_s=DEADLINE_S):
    """Asks again and again, for what cannot be watched. `what` is told when it never comes: words, or what makes them."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        result = is_reached()
        if result:
            return result
    raise AssertionError("never: " + (what if isinstance(what, str) else what()))


def core(plural):
    return "/api/v1/namespaces/%s/%s" % (NS, plural)


def apps(plural):
    return "/apis/apps/v1/namespaces/%s/%s" % (NS, plural)


CLUSTERS = "/apis/apps.kubeblocks.io/v1alpha1/namespaces/%s/clusters" % NS


def deployment(name, replicas=1, **container):
    box = {"name": "web", "image": "web:1", "ports": [{"containerPort": 3000}]}
    box.update(container)
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
                     "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
                     "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [box]}}}}


def condition(obj, kind):
    for row in (obj or {}).get("status", {}).get("conditions", []):
        if row["type"] == kind:
            return row
    return {}
