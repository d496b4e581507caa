# SPDX-License-Identifier: MIT
"""What a cluster begins with: a node, a namespace, and two accounts in it. "fullstackd" is made from docker/role.yaml as an
operator would; "sealos-user" holds everything in its namespace, as a user of Sealos does."""
import base64
import json
import os
import re

CORE = "/api/v1"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROLE_FILE = os.path.join(ROOT, "docker", "role.yaml")
ACCOUNTS = ("fullstackd", "sealos-user")


def node(cpu="256"):
    size = {"cpu": cpu, "memory": "1Ti", "pods": "12000"}
    labels = {"kubernetes.io/hostname": "fake-node", "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "fake-node", "labels": labels},
            "status": {"allocatable": size, "capacity": size}}


def shipped():
    """(kind, text) of the objects that an operator installs."""
    with open(ROLE_FILE) as f:
        return [(re.search(r"^kind: (\w+)$", text, re.M).group(1), text) for text in f.read().split("\n---\n")]


def make_shipped(api, namespace):
    for kind, text in shipped():
        group = CORE if kind == "ServiceAccount" else RBAC
        api.create(f"{group}/namespaces/{namespace}/{kind.lower()}s", text, "application/yaml")


def make_owner(api, namespace, name):
    """An account that may do everything in the namespace."""
    meta, rbac = {"name": name, "namespace": namespace}, f"{RBAC}/namespaces/{namespace}"
    version = "rbac.authorization.k8s.io/v1"
    api.create(f"{CORE}/namespaces/{namespace}/serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
    api.create(f"{rbac}/roles", {"apiVersion": version, "kind": "Role", "metadata": meta,
                                 "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]})
    api.create(f"{rbac}/rolebindings", {
        "apiVersion": version, "kind": "RoleBinding", "metadata": meta,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}]})


def make_namespace(api, namespace):
    """The namespace, its accounts, and a Secret for the token of each."""
    api.create(f"{CORE}/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    make_shipped(api, namespace)
    make_owner(api, namespace, "sealos-user")
    for name in ACCOUNTS:
        api.create(f"{CORE}/namespaces/{namespace}/secrets", {
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
            "metadata": {"name": f"{name}-token", "annotations": {"kubernetes.io/service-account.name": name}}})


def make_all(api, namespace):
    api.create(f"{CORE}/nodes", node())
    make_namespace(api, namespace)


def kubeconfig(facts, name, user, namespace):
    """The text of a kubeconfig for one user of the cluster that the facts (kube.json) describe."""
    with open(facts["ca"], "rb") as f:
        authority = base64.b64encode(f.read()).decode()
    context = f"{name}@test"
    return json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": context,
        "clusters": [{"name": "test", "cluster": {"server": facts["server"], "certificate-authority-data": authority}}],
        "contexts": [{"name": context, "context": {"cluster": "test", "user": name, "namespace": namespace}}],
        "users": [{"name": name, "user": user}]}, indent=1) + "\n"


def token(api, namespace, name):
    """The account's token, or None until a controller has written it."""
    secret = api.get(f"{CORE}/namespaces/{namespace}/secrets/{name}-token") or {}
    text = (secret.get("data") or {}).get("token")
    return base64.b64decode(text).decode() if text else None
