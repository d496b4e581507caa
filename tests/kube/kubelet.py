#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What of a kubelet kwok cannot play: it tells a pod when the Secrets of its environment are there, by the annotation
kwok.test/config, and which of a test's variables (KWOK_FAIL ...) they hold. pod_stages.py goes on from there.

    kubelet.py PORT FOLDER_OF_CERTIFICATES
"""
import base64
import http.client
import json
import queue
import sys
import threading
import time

from api import Api

KNOBS = {f"KWOK_{name.upper().replace('-', '_')}": f"kwok.test/{name}" for name in ("fail", "fail-times", "ready-delay", "retry-delay")}
PAUSE_S = 0.2  # between tries while the API does not answer


def wanted_secrets(pod):
    """The names of the Secrets without which no container of it starts."""
    return [source["secretRef"]["name"] for container in pod["spec"]["containers"] for source in container.get("envFrom", [])
            if "secretRef" in source and not source["secretRef"].get("optional")]


def annotations_for(secrets):
    """What a pod with these Secrets is told."""
    told = {"kwok.test/config": "ready"}
    for secret in secrets:
        for variable, knob in KNOBS.items():
            if variable in (secret.get("data") or {}):
                told[knob] = base64.b64decode(secret["data"][variable]).decode()
    return told


class Watch(threading.Thread):
    """Lists and watches one kind for ever; every object goes into the queue as (kind, event, object)."""

    def __init__(self, api, kind, events):
        super().__init__(daemon=True)
        self.api, self.kind, self.events = api, kind, events

    def run(self):
        while True:
            try:
                self.follow()
            except (OSError, http.client.HTTPException, ValueError, KeyError):
                time.sleep(PAUSE_S)

    def follow(self):
        status, text = self.api.call("GET", f"/api/v1/{self.kind}")
        if status != 200:
            raise OSError(f"list {self.kind}: {status}")
        listed = json.loads(text)
        self.events.put((self.kind, "LISTED", {(i["metadata"]["namespace"], i["metadata"]["name"]): i for i in listed["items"]}))
        connection, answer = self.api.stream(f"/api/v1/{self.kind}?watch=1&resourceVersion={listed['metadata']['resourceVersion']}")
        try:
            for line in answer:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                self.events.put((self.kind, event["type"], event["object"]))
        finally:
            connection.close()


class Kubelet:
    def __init__(self, api):
        self.api = api
        self.known = {"pods": {}, "secrets": {}}
        self.waiting = {}  # namespace: names of pods that lack a Secret
        self.told = set()  # uids: an event on its way may still show a pod as it was before

    def take(self, kind, event, thing):
        """Notes what was seen and serves whom it concerns."""
        if event == "LISTED":
            self.known[kind] = thing
            self.waiting = {}
            for namespace, name in list(self.known["pods"]):
                self.serve(namespace, name)
            return
        namespace, name = thing["metadata"]["namespace"], thing["metadata"]["name"]
        if event == "DELETED":
            self.known[kind].pop((namespace, name), None)
            self.told.discard(thing["metadata"]["uid"])
            return
        self.known[kind][namespace, name] = thing
        for pod in [name] if kind == "pods" else list(self.waiting.get(namespace, ())):
            self.serve(namespace, pod)

    def serve(self, namespace, name):
        pod = self.known["pods"].get((namespace, name))
        waiting = self.waiting.setdefault(namespace, set())
        waiting.discard(name)
        if pod is None or pod["metadata"]["uid"] in self.told or "deletionTimestamp" in pod["metadata"] or \
                "kwok.test/config" in (pod["metadata"].get("annotations") or {}):
            return
        names = wanted_secrets(pod)
        secrets = [self.known["secrets"].get((namespace, secret)) for secret in names]
        if None in secrets:
            waiting.add(name)
        elif names:
            status, _ = self.api.call("PATCH", f"/api/v1/namespaces/{namespace}/pods/{name}",
                                      {"metadata": {"annotations": annotations_for(secrets)}}, "application/merge-patch+json")
            if status not in (200, 404):
                raise OSError(f"patch pod {name}: {status}")
            self.told.add(pod["metadata"]["uid"])


def main():
    api = Api(int(sys.argv[1]), sys.argv[2])
    events = queue.Queue()
    for kind in ("secrets", "pods"):
        Watch(api, kind, events).start()
    kubelet = Kubelet(api)
    while True:
        kind, event, thing = events.get()
        try:
            kubelet.take(kind, event, thing)
        except (OSError, http.client.HTTPException):
            time.sleep(PAUSE_S)
            events.put((kind, event, thing))


if __name__ == "__main__":
    main()
