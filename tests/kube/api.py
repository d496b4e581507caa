# SPDX-License-Identifier: MIT
"""A few calls of the Kubernetes API as the cluster's administrator."""
import http.client
import json
import ssl
import threading


class Refused(OSError):
    def __init__(self, method, path, status, text):
        super().__init__(f"{method} {path}: {status} {text[:800]}")
        self.status = status


class Api:
    def __init__(self, port, folder):
        """The administrator's certificate is in the folder of the certificates."""
        self.port = port
        self.kept = threading.local()
        self.context = ssl.create_default_context(cafile=f"{folder}/ca.crt")
        self.context.load_cert_chain(f"{folder}/admin.crt", f"{folder}/admin.key")

    def call(self, method, path, body=None, kind="application/json"):
        """(status, text). A body that is no text is written as JSON. Each thread keeps a connection."""
        sent = body if body is None or isinstance(body, str) else json.dumps(body)
        kept = getattr(self.kept, "connection", None)
        self.kept.connection = None
        if kept is not None:
            try:
                return self.ask(kept, method, path, sent, kind)
            except (OSError, http.client.HTTPException):
                kept.close()  # the server had given it up
        return self.ask(http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context, timeout=30), method, path, sent, kind)

    def ask(self, connection, method, path, sent, kind):
        try:
            connection.request(method, path, sent and sent.encode(), {"Content-Type": kind, "Accept": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except BaseException:
            connection.close()
            raise
        self.kept.connection = connection
        return answer.status, text

    def stream(self, path):
        """(connection, answer) of a watch, to be read line by line; the caller closes the connection."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context)
        connection.request("GET", path, headers={"Accept": "application/json"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise Refused("GET", path, answer.status, answer.read().decode(errors="replace"))
        return connection, answer

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
