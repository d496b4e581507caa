# SPDX-License-Identifier: MIT
"""A few calls of the Kubernetes API as the cluster's administrator."""
import http.client
import json
import ssl


class Refused(Exception):
    def __init__(self, method, path, status, text):
        super().__init__(f"{method} {path}: {status} {text[:800]}")
        self.status = status


class Api:
    def __init__(self, port, folder):
        """The administrator's certificate is in the folder of the certificates."""
        self.port = port
        self.context = ssl.create_default_context(cafile=f"{folder}/ca.crt")
        self.context.load_cert_chain(f"{folder}/admin.crt", f"{folder}/admin.key")

    def call(self, method, path, body=None, kind="application/json"):
        """(status, text). A body that is no text is written as JSON."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context, timeout=30)
        try:
            sent = body if body is None or isinstance(body, str) else json.dumps(body)
            connection.request(method, path, sent and sent.encode(), {"Content-Type": kind, "Accept": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()

    def get(self, path):
        """The object, or None when there is none."""
        status, text = self.call("GET", path)
        if status == 404:
            return None
        if status != 200:
            raise Refused("GET", path, status, text)
        return json.loads(text)

    def create(self, path, body, kind="application/json"):
        status, text = self.call("POST", path, body, kind)
        if status != 201:
            raise Refused("POST", path, status, text)
        return json.loads(text)
