#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every golden manifest is taken by a real kube-apiserver as it is written: no field unknown to it, none dropped, and the
patches fit what is there. Runs inside with_kube.py, once per version of KubeBlocks."""
import glob
import json
import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "kube"))
from api import Api  # noqa: E402
from binary import gateway_crd  # noqa: E402

GOLDEN = os.path.join(HERE, "..", "..", "golden", "manifest")
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WITHIN_S = 60
PLURALS = {
    "Cluster": "clusters", "Deployment": "deployments", "StatefulSet": "statefulsets", "Secret": "secrets", "Service": "services",
    "Ingress": "ingresses", "HTTPRoute": "httproutes", "NetworkPolicy": "networkpolicies", "Role": "roles",
    "RoleBinding": "rolebindings", "ServiceAccount": "serviceaccounts",
}
# Written for people to read in the cluster, and never read by it.
WRITE_ONLY = {"stringData"}


def golden(name):
    with open(os.path.join(GOLDEN, name + ".json")) as file:
        return json.load(file)


def lost(sent, kept, path=""):
    """The paths of what was sent and does not stand in what was kept."""
    if isinstance(sent, dict) and isinstance(kept, dict):
        return [p for key, value in sent.items() if key not in WRITE_ONLY
                for p in (lost(value, kept[key], f"{path}.{key}") if key in kept
                          else [] if value in ([], {}, None, "", 0, False) else [f"{path}.{key}"])]
    if isinstance(sent, list) and isinstance(kept, list) and len(sent) == len(kept):
        return [p for i, (a, b) in enumerate(zip(sent, kept)) for p in lost(a, b, f"{path}[{i}]")]
    return [] if sent == kept else [path]


class Manifests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(os.environ["FS_KUBE"]) as file:
            facts = json.load(file)
        cls.namespace = facts["namespace"]
        cls.kubeblocks = "v1" if facts["kubeblocks"].startswith("v1") else "v1alpha1"
        cls.api = Api(facts["port"], os.path.dirname(facts["ca"]))
        for plural in ("gateways", "httproutes"):
            with open(gateway_crd(plural)) as file:
                cls.api.create(CRDS, file.read(), "application/yaml")
        until = time.monotonic() + WITHIN_S
        # 404 until the definition is known, then 429 while its storage begins.
        while cls.api.call("GET", f"/apis/gateway.networking.k8s.io/v1/namespaces/{cls.namespace}/httproutes")[0] != 200:
            assert time.monotonic() < until, "the Gateway API is not served"

    def path(self, document, name=""):
        version = document["apiVersion"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        return f"{root}/namespaces/{self.namespace}/{PLURALS[document['kind']]}{'/' + name if name else ''}"

    def create(self, document, query):
        status, text = self.api.call("POST", f"{self.path(document)}?fieldValidation=Strict{query}", document)
        self.assertEqual(status, 201, text)
        return json.loads(text)

    def is_served(self, document):
        return document["kind"] != "Cluster" or document["apiVersion"].endswith("/" + self.kubeblocks)

    def test_each_manifest_is_taken_as_it_is_written(self):
        names = [os.path.basename(path)[:-len(".json")] for path in sorted(glob.glob(f"{GOLDEN}/*.json"))]
        names = [name for name in names if not name.startswith("run_") and not name.endswith("_patch")]
        self.assertGreater(len(names), 20)
        for name in names:
            whole = golden(name)
            for document in whole["items"] if whole["kind"] == "List" else [whole]:
                if self.is_served(document):
                    with self.subTest(name, kind=document["kind"]):
                        document["metadata"]["name"] = "dry-" + document["metadata"]["name"]  # another of that name may be there
                        self.assertEqual(lost(document, self.create(document, "&dryRun=All")), [])

    def test_pods_keep_to_their_pod_security_level(self):
        """As admission sees it (kubernetes.io/docs/concepts/security/pod-security-admission)."""
        for level in ("baseline", "restricted"):
            label = {"pod-security.kubernetes.io/enforce": level}
            self.api.create("/api/v1/namespaces", json.dumps({"metadata": {"name": f"is-{level}", "labels": label}}))
            self.api.create(f"/api/v1/namespaces/is-{level}/serviceaccounts", json.dumps({"metadata": {"name": "pods"}}))
        for workload in ("deployment", "statefulset"):
            for level, name, status in (("baseline", workload, 201), ("restricted", workload + "_restricted", 201), ("restricted", workload, 403)):
                pod = {"apiVersion": "v1", "kind": "Pod", **golden(name)["spec"]["template"]}
                pod["metadata"]["name"] = "pod"
                pod["spec"]["serviceAccountName"] = "pods"
                for claim in golden(name)["spec"].get("volumeClaimTemplates", []):
                    pod["spec"].setdefault("volumes", []).append({"name": claim["metadata"]["name"], "emptyDir": {}})
                path = f"/api/v1/namespaces/is-{level}/pods?dryRun=All"
                got, text = self.api.call("POST", path, pod)
                self.assertEqual(got, status, (level, name, text))
                self.assertEqual("violates PodSecurity" in text, status == 403, text)

    def patch(self, made, patch):
        """The object after it; controllers change it meanwhile, then it is read and patched again."""
        path = self.path(made, made["metadata"]["name"])
        until = time.monotonic() + WITHIN_S
        while True:
            patch["metadata"]["resourceVersion"] = self.api.get(path)["metadata"]["resourceVersion"]
            status, text = self.api.call("PATCH", path + "?fieldValidation=Strict", patch, "application/merge-patch+json")
            if status != 409 or time.monotonic() > until:
                break
        self.assertEqual(status, 200, text)
        return json.loads(text)

    def test_a_patched_set_keeps_what_may_not_change(self):
        made = self.create(golden("statefulset"), "")
        patched = self.patch(made, golden("statefulset_patch"))
        for field in ("selector", "serviceName", "volumeClaimTemplates", "podManagementPolicy"):
            self.assertEqual(patched["spec"][field], made["spec"][field], field)
        self.assertEqual(self.patch(made, golden("run_workload_halt"))["spec"]["replicas"], 0)

    def test_a_patched_secret_loses_variables_that_are_gone(self):
        secret = golden("env_secret")
        secret["metadata"].pop("ownerReferences")  # its owner is not there: it would be collected
        made = self.create(secret, "")
        self.assertEqual(set(self.patch(made, golden("env_secret_patch"))["data"]), {"A"})


if __name__ == "__main__":
    sys.exit(unittest.main())
