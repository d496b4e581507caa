#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Replays requests recorded against a real kube-apiserver 1.37 (captures.json) and holds devcluster to the recorded
answers: status, headers, and every field but those that differ between any two clusters.

captures.json: id, name, method, path, account, headers, body or text, and the answer: status, answer (headers), json or
plain. Run: DEVCLUSTER=.../devcluster test_replay.py
"""
import copy
import json
import os
import re
import sys
import unittest

from cluster import CLUSTERS, NS, Cluster, apps, condition, core

HERE = os.path.dirname(os.path.abspath(__file__))

# Recorded, but not replayed here: why.
EXCLUDED = {
    "017 030 031 097-104 106 109 139 147 150 151 153": "watches: test_watch.py and test_controllers.py",
    "036 119": "events of a real scheduler and of kwok: test_controllers.py checks ours",
    "038": "a Table's columns are for people: test_kubectl.py",
    "087-090 096 110 144-146": "pages and past versions depend on the recorded cluster's numbers: test_api.py",
    "094 095": "gzip above 128 KiB: devcluster never compresses",
    "123": "needs a passed deadline: test_controllers.py",
    "127": "a moment of a foreground deletion: test_controllers.py",
    "148 149": "HTTP/2: devcluster speaks HTTP/1.1",
    "156 157 158": "a hung etcd: there is none",
}

# Fields that differ between any two clusters.
VOLATILE = {"uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "lastTransitionTime", "lastUpdateTime",
            "startTime", "startedAt", "finishedAt", "clusterIP", "clusterIPs", "podIP", "podIPs", "containerID",
            "managedFields", "pod-template-hash"}
# Texts: hashes of templates, random suffixes, numbers of versions and uids.
TEXTS = [(re.compile(r"-[bcdfghjklmnpqrstvwxz0-9]{8,10}(-[bcdfghjklmnpqrstvwxz2456789]{5})?(?![a-z0-9])"), "-HASH"),
         (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "UID"),
         (re.compile(r"current: \d+"), "current: N"), (re.compile(r"used: pods=\d+"), "used: pods=N"),
         (re.compile(r"sha256:[0-9a-f]{64}"), "sha256:D")]
# Recorded moments: these answers showed a status on its way; only what a client may rely on is compared.
MOMENTS = {"072": ["status"], "073": ["status"], "074": ["status"], "083": ["status", "annotations"], "085": ["status"],
           "126": ["status"], "124": ["progressDeadlineSeconds"], "128": ["status"], "135": ["status"], "137": ["status", "generation"],
           "138": ["status"], "111": ["message"], "112": ["restartCount"], "114": ["restartCount"],
           "001": ["gitVersion", "gitCommit", "goVersion", "compiler"], "005": ["status"], "019": ["password"],
           "051": ["message"], "091": ["message"]}
ACCOUNTS = {"043": "admin", "045": "admin", "143": "admin"}


def plain(value, ignored=()):
    if isinstance(value, dict):
        return {plain(k): plain(v, ignored) for k, v in value.items() if k not in VOLATILE and k not in ignored}
    if isinstance(value, list):
        return [plain(v, ignored) for v in value]
    if isinstance(value, str):
        for pattern, text in TEXTS:
            value = pattern.sub(text, value)
    return value


def differences(want, got, path=""):
    """Where two values differ, as lines."""
    if isinstance(want, dict) and isinstance(got, dict):
        lines = []
        for key in sorted(set(want) | set(got)):
            lines += differences(want.get(key), got.get(key), "%s.%s" % (path, key))
        return lines
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        return [line for i, pair in enumerate(zip(want, got)) for line in differences(*pair, "%s[%d]" % (path, i))]
    if want == got:
        return []
    return ["%s is %s, recorded %s" % (path, json.dumps(got)[:300], json.dumps(want)[:300])]


class Replay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(HERE, "captures.json")) as file:
            cls.captures = json.load(file)
        cls.by_id = {c["id"]: c for c in cls.captures}
        cls.cluster = Cluster("--zero-delay", "--delays", "retry=3000")

    @classmethod
    def tearDownClass(cls):
        assert cls.cluster.stop() == 0, "devcluster ended with an error (a sanitizer's, or a leak)"

    def test_every_recorded_answer_is_given(self):
        wrong = []
        for capture in self.captures:
            problem = self.replay(capture)
            if problem:
                wrong.append("%s-%s: %s" % (capture["id"], capture["name"], problem))
        if wrong:
            self.fail("%d answers differ\n%s" % (len(wrong), "\n".join(wrong)))
        self.assertGreater(len(self.captures), 110)

    def test_no_capture_is_lost(self):
        named = set(self.by_id)
        for ids in EXCLUDED:
            for part in ids.split():
                first, _, last = part.partition("-")
                named |= {"%03d" % n for n in range(int(first), int(last or first) + 1)}
        self.assertEqual({"%03d" % n for n in range(1, 159)}, named)

    def replay(self, capture):
        before = getattr(self, "before_" + capture["id"], None)
        path = capture["path"]
        if before is not None:
            path = before(path) or path
        body = copy.deepcopy(capture.get("body", capture.get("text")))
        if isinstance(body, dict) and str(body.get("stringData", {}).get("x", "")).startswith("$Y"):
            body["stringData"]["x"] = "y" * int(body["stringData"]["x"][2:])
        account = ACCOUNTS.get(capture["id"], capture["account"])
        if capture["status"] == 413:  # its body is not kept
            body = " " * 3300000
        answer = self.cluster.call(capture["method"], path, body, account=account, headers=capture.get("headers"))
        if answer.status != capture["status"]:
            return "status %d, recorded %d: %s" % (answer.status, capture["status"], answer.text[:400])
        for name, value in capture.get("answer", {}).items():
            if answer.headers.get(name) != value:
                return "header %s is %r, recorded %r" % (name, answer.headers.get(name), value)
        if "plain" in capture and answer.text != capture["plain"]:
            return "text %r, recorded %r" % (answer.text[:200], capture["plain"][:200])
        if "json" in capture:
            ignored = MOMENTS.get(capture["id"], ())
            got = answer.json if answer.json is not None else json.loads(answer.text)  # a 504 is JSON in text/plain
            lines = differences(plain(capture["json"], ignored), plain(got, ignored))
            if lines:
                return "\n    ".join([""] + lines[:8])
        return None

    # ---- the state each capture was recorded in ----

    def recorded_deployment(self, name, **changes):
        body = json.loads(json.dumps(self.by_id["023"]["body"]).replace("myshop-agentruntime-qwerty", name))
        for where in (body["metadata"], body["spec"]["template"]["metadata"]):
            where["labels"]["project.fullstackagent.io/name"] = changes.get("project", "failing")
        container = body["spec"]["template"]["spec"]["containers"][0]
        if "fail" in changes:
            container["env"] += [{"name": "KWOK_FAIL", "value": changes["fail"]},
                                 {"name": "KWOK_RETRY_DELAY", "value": "3s"}]
        if "resources" in changes:
            container["resources"] = changes["resources"]
        self.cluster.must(201, "POST", apps("deployments"), body)

    def wait_available(self, name):
        self.cluster.wait(apps("deployments"), name,
                          lambda d: condition(d, "Available").get("status") == "True", name + " available")

    def pod_of(self, app):
        return self.cluster.must(200, "GET", core("pods") + "?labelSelector=app%3D" + app)["items"][0]["metadata"]["name"]

    def wait_pod(self, app, is_reached):
        for event in self.cluster.watch(core("pods") + "?watch=1&timeoutSeconds=30&labelSelector=app%3D" + app):
            if is_reached(event["object"]):
                return
        raise AssertionError("the pod of %s did not get there" % app)

    def fails(self, name, fail, reason):
        self.recorded_deployment(name, fail=fail)
        self.wait_pod(name, lambda p: reason in json.dumps(p["status"].get("containerStatuses", "")))

    def before_012(self, path):
        self.cluster.must(200, "DELETE", path + "/myshop-agentruntime-dbdbdb")

    def before_018(self, path):
        self.cluster.wait(CLUSTERS, "myshop-agentruntime-dbdbdb",
                          lambda c: c and c.get("status", {}).get("phase") == "Running", "Cluster Running")

    def before_032(self, path):
        self.wait_available("myshop-agentruntime-qwerty")

    def before_039(self, path):
        return re.sub(r"/pods/[^/]+/", "/pods/%s/" % self.pod_of("myshop-agentruntime-qwerty"), path)

    before_040 = before_039

    def before_082(self, path):
        self.by_id["083"]["json"]["metadata"].pop("annotations", None)

    def before_111(self, path):
        self.fails("f-imagepullbackoff", "ImagePullBackOff", "ImagePullBackOff")

    def before_112(self, path):
        self.fails("f-crashloopbackoff", "CrashLoopBackOff", "CrashLoopBackOff")

    def before_113(self, path):
        self.fails("f-notready", "NotReady", "running")

    def before_114(self, path):
        self.fails("f-oomkilled", "OOMKilled", "OOMKilled")

    def before_115(self, path):
        self.fails("f-createcontainerconfigerror", "CreateContainerConfigError", "CreateContainerConfigError")

    def before_116(self, path):
        self.fails("f-invalidimagename", "InvalidImageName", "InvalidImageName")

    def before_117(self, path):
        self.fails("f-neverstarts", "NeverStarts", "ContainerCreating")

    def before_118(self, path):
        self.recorded_deployment("f-unschedulable", resources={"requests": {"cpu": "5k"}})
        self.wait_pod("f-unschedulable", lambda p: condition(p, "PodScheduled").get("reason") == "Unschedulable")

    def before_120(self, path):
        self.quota("q", "count/services")

    def before_121(self, path):
        self.cluster.must(200, "DELETE", core("resourcequotas") + "/q")
        self.quota("q2", "pods")

    def quota(self, name, what):
        self.cluster.must(201, "POST", core("resourcequotas"),
                          {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name},
                           "spec": {"hard": {what: "1"}}})

    def before_122(self, path):
        self.cluster.wait(apps("deployments"), "podquota-agentruntime-aaaaaa",
                          lambda d: condition(d, "ReplicaFailure").get("status") == "True", "ReplicaFailure")

    def before_124(self, path):
        self.cluster.wait(apps("deployments"), "f-crashloopbackoff",
                          lambda d: condition(d, "Available").get("status") == "False"
                          and condition(d, "Progressing").get("reason") == "NewReplicaSetAvailable", "a crash seen")

    def before_125(self, path):
        self.cluster.must(200, "DELETE", core("resourcequotas") + "/q2")
        for name in ("d-bg", "d-fg", "d-or", "d-nop", "d-pre"):
            self.recorded_deployment(name, project="del")
            self.wait_available(name)

    def before_138(self, path):
        self.cluster.wait(CLUSTERS, "myshop-agentruntime-dbdbdb",
                          lambda c: c is None or "deletionTimestamp" in c["metadata"], "being deleted")

    def before_140(self, path):
        self.cluster.wait_gone(core("secrets"), "myshop-agentruntime-dbdbdb-conn-credential")

    def before_141(self, path):
        self.recorded_deployment("d-fin")
        self.hold(apps("deployments") + "/d-fin")

    def before_142(self, path):
        body = json.loads(json.dumps(self.by_id["015"]["body"]).replace("myshop-agentruntime-dbdbdb",
                                                                         "again-agentruntime-aaaaaa"))
        body["metadata"]["finalizers"].append("example.com/hold")
        self.cluster.must(201, "POST", CLUSTERS, body)
        self.cluster.must(200, "DELETE", CLUSTERS + "/again-agentruntime-aaaaaa")

    def hold(self, path):
        merge = {"Content-Type": "application/merge-patch+json"}
        self.cluster.must(200, "PATCH", path, {"metadata": {"finalizers": ["example.com/hold"]}}, headers=merge)
        self.cluster.must(200, "DELETE", path)

    def before_143(self, path):
        cluster = self.cluster
        cluster.must(201, "POST", "/api/v1/namespaces",
                     {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ns-going"}}, account="admin")
        cluster.must(201, "POST", "/api/v1/namespaces/ns-going/configmaps",
                     {"metadata": {"name": "held", "finalizers": ["example.com/hold"]}}, account="admin")
        cluster.must(200, "DELETE", "/api/v1/namespaces/ns-going", account="admin")

    def before_152(self, path):
        self.fault({"status": 429, "verb": "list", "resource": "secrets"})

    def before_154(self, path):
        self.fault({"status": 504, "verb": "create", "resource": "deployments"})

    def before_155(self, path):
        self.fault({"status": 504, "verb": "get", "resource": "deployments"})

    def fault(self, body):
        self.cluster.must(200, "POST", "/devcluster/faults", body, account="admin")


if __name__ == "__main__":
    sys.exit(unittest.main())
