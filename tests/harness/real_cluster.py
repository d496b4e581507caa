# SPDX-License-Identifier: MIT
"""A namespace of its own on the real control plane that FS_KUBE describes (tests/kube), with the same words as the embedded
cluster has: kubeconfigs of accounts, calls as the administrator, counted requests, standing still."""
import json
import os
import secrets
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kube"))
import accounts  # noqa: E402
from api import Api  # noqa: E402
from processes import Program  # noqa: E402

TOKENS_WITHIN_S = 60


class Namespace:
    def __init__(self, folder):
        with open(os.environ["FS_KUBE"]) as f:
            self.facts = json.load(f)
        self.folder = folder
        self.namespace = "ns-" + secrets.token_hex(4)
        self.api = Api(self.facts["port"], os.path.dirname(self.facts["ca"]))
        self.server = Program(self.facts["folder"], "kube-apiserver")

    def start(self):
        """Makes it, and a kubeconfig for each account."""
        accounts.make_namespace(self.api, self.namespace)
        until = time.monotonic() + TOKENS_WITHIN_S
        for name in accounts.ACCOUNTS:
            while (token := accounts.token(self.api, self.namespace, name)) is None:
                if time.monotonic() > until:
                    raise AssertionError(f"no token for {name} within {TOKENS_WITHIN_S} s")
                time.sleep(0.02)
            with open(self.kubeconfig(name), "w") as f:
                f.write(accounts.kubeconfig(self.facts, name, {"token": token}, self.namespace))
        return self

    def kubeconfig(self, account):
        return f"{self.folder}/{account}.kubeconfig"

    def call(self, method, path, body=None, kind="application/json"):
        """(status, document), asked as the administrator."""
        status, text = self.api.call(method, path, body, kind)
        try:
            return status, json.loads(text or "null")
        except ValueError:
            return status, {"message": text}

    def requests(self):
        """Requests of this namespace's accounts so far, {"verb resource": n}, from the audit log."""
        counts = {}
        ours = f"system:serviceaccount:{self.namespace}:"
        with open(f"{self.facts['folder']}/audit.log") as f:
            for line in f:
                event = json.loads(line)
                if event["user"]["username"].startswith(ours):
                    key = f"{event['verb']} {event['objectRef']['resource']}"
                    counts[key] = counts.get(key, 0) + 1
        return counts

    def freeze(self):
        os.kill(self.server.pid(), signal.SIGSTOP)

    def thaw(self):
        os.kill(self.server.pid(), signal.SIGCONT)

    def is_running(self):
        return self.server.pid() is not None

    def stop(self):
        """Lets go of the namespace; the control plane stays. A finalizer that a test planted would hold it: not waited for."""
        self.call("DELETE", f"/api/v1/namespaces/{self.namespace}")
        return 0
