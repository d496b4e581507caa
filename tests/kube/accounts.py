# SPDX-License-Identifier: MIT
"""What a cluster begins with: a node, a namespace, and two accounts in it. "fullstackd" may do exactly what the Role of
k8s/rights.c grants (its golden file); "sealos-user" holds everything in its namespace, as a user of Sealos does."""
import base64
import json
import os

CORE = "/api/v1"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROLE_FILE = os.path.join(ROOT, "tests", "golden", "manifest", "server_role.json")
ACCOUNTS = ("fullstackd", "sealos-user")


def node(cpu="256"):
    size = {"cpu": cpu, "memory": "1Ti", "pods": "12000"}
    labels = {"kubernetes.io/hostname": "fake-node", "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "fake-node", "labels": labels},
            "status": {"allocatable": size, "capacity": size}}


def rules_of(account):
    if account != "fullstackd":
        return [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    with open(ROLE_FILE) as f:
        return next(item["rules"] for item in json.load(f)["items"] if item["kind"] == "Role")


def make_account(api, namespace, name, rules):
    """ServiceAccount, token, Role and RoleBinding of one name."""
    meta = {"name": name, "namespace": namespace}
    core, rbac = f"{CORE}/namespaces/{namespace}", f"{RBAC}/namespaces/{namespace}"
    api.create(f"{core}/serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
    api.create(f"{core}/secrets", {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token", "metadata": {
        "name": f"{name}-token", "namespace": namespace, "annotations": {"kubernetes.io/service-account.name": name}}})
    api.create(f"{rbac}/roles", {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": meta, "rules": rules})
    api.create(f"{rbac}/rolebindings", {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": meta,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}]})


def make_all(api, namespace):
    api.create(f"{CORE}/nodes", node())
    api.create(f"{CORE}/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    for name in ACCOUNTS:
        make_account(api, namespace, name, rules_of(name))


def token(api, namespace, name):
    """The account's token, or None until a controller has written it."""
    secret = api.get(f"{CORE}/namespaces/{namespace}/secrets/{name}-token") or {}
    text = (secret.get("data") or {}).get("token")
    return base64.b64decode(text).decode() if text else None
