#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a test of the Kubernetes client with an API server, relays on the way to it, and a hand on both.

    lab.py DEVCLUSTER -- CMD ARGS...

The server is a devcluster of its own; with FS_KUBE naming the facts of a real control plane (tests/harness/with_kube.py)
it is that one. The command finds in its environment:
  LAB_DIR    folder of kubeconfigs: fullstackd, sealos-user and admin; of sealos-user also
             relayed (through a relay that passes bytes), plain (through one that speaks HTTP/1.1 without TLS),
             nobody (a token that is none), stranger (an authority that did not sign), renewed (relayed, with the token
             in the file LAB_DIR/token, which the test writes)
             and a socket, control: a line "WORD [TEXT]", answered by a line "ok" or "error: WHY":
    cut            connections through the relays are reset       refuse, accept  and none is taken until accept
    hold, release  what the server says stays in the relay        event TEXT      a line between those of the plain watch
    half TEXT      that, without a line's end, ends the watch     restart         the server is killed and started again
    expire         the past is forgotten: old versions are gone   break CODE      429, 500, 503 or 504 to one call
    heal           the break is over
  LAB_IS_REAL  1 or 0
Exit code: the command's; 1 when the devcluster ends badly.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

import clusters
from relay import Relay

# An authority whose key nobody has.
STRANGER = """-----BEGIN CERTIFICATE-----
MIIBfjCCASOgAwIBAgIUOxi7m1VTuIGIqxf4XSmozSja60EwCgYIKoZIzj0EAwIw
EzERMA8GA1UEAwwIc3RyYW5nZXIwIBcNMjYxMTI4MTQ0NjAwWhgPMjEyNjExMDQx
NDQ2MDBaMBMxETAPBgNVBAMMCHN0cmFuZ2VyMFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAEf1GTvOHfwhUhyq9Qp/VlgIN/MM1TmTSdUu2QPDN2qUHZOU5kt2+hxrWi
kWuQtUecyXnzduFmgOFPUIPtrcT6U6NTMFEwHQYDVR0OBBYEFBFKhPcJC7LfSOTz
xUceT10pSnxsMB8GA1UdIwQYMBaAFBFKhPcJC7LfSOTzxUceT10pSnxsMA8GA1Ud
EwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAP2DzBVKf/y39sJWCTAK5LGV
IBv9lykVp1TPolGGdP/UAiEAzm4LOa2vbB0zVizkjY1nVvloupr/sycgazS1IX8x
sfI=
-----END CERTIFICATE-----
"""


class Lab:
    def __init__(self, cluster, folder):
        self.cluster = cluster
        self.folder = folder
        self.relayed = Relay(cluster.port)
        self.plain = Relay(cluster.port, cluster.trust())
        self.relays = (self.relayed, self.plain)
        self.words = {"cut": self.cut, "refuse": self.refuse, "accept": self.accept, "hold": self.hold, "release": self.release,
                      "event": self.event, "half": self.half, "restart": lambda _: cluster.restart(),
                      "expire": lambda _: cluster.expire(), "break": cluster.break_, "heal": lambda _: cluster.heal()}
        self.write_kubeconfigs()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(os.path.join(folder, "control"))
        listener.listen(1)
        threading.Thread(target=self.listen, args=(listener,), daemon=True).start()

    # ---- kubeconfigs ----

    def kubeconfig(self, name, server, user, authority=None):
        cluster = {"server": server}
        if server.startswith("https:"):
            cluster["certificate-authority-data"] = authority or self.cluster.authority
        path = os.path.join(self.folder, name + ".kubeconfig")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            json.dump({"apiVersion": "v1", "kind": "Config", "current-context": "lab",
                       "clusters": [{"name": "lab", "cluster": cluster}], "users": [{"name": "lab", "user": user}],
                       "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab",
                                                                "namespace": self.cluster.namespace}}]}, file)

    def write_kubeconfigs(self):
        c = self.cluster
        owner = c.users["sealos-user"]
        relayed = "https://127.0.0.1:%d" % self.relayed.port
        for name, user in c.users.items():
            self.kubeconfig(name, c.server, user)
        self.kubeconfig("relayed", relayed, owner)
        self.kubeconfig("plain", "http://127.0.0.1:%d" % self.plain.port, owner)
        self.kubeconfig("nobody", c.server, {"token": "not-a-token"})
        self.kubeconfig("stranger", c.server, owner, clusters.base64.b64encode(STRANGER.encode()).decode())
        self.kubeconfig("renewed", relayed, {"tokenFile": os.path.join(self.folder, "token")})

    # ---- words ----

    def listen(self, listener):
        connection = listener.accept()[0]
        with connection, connection.makefile("rw", encoding="utf-8", newline="\n") as lines:
            for line in lines:
                word, _, text = line.rstrip("\n").partition(" ")
                try:
                    self.words[word](text)
                    answer = "ok"
                except Exception as e:  # whatever it was, the test is told
                    answer = "error: %s: %r" % (word, e)
                lines.write(answer.replace("\n", " ") + "\n")
                lines.flush()

    def cut(self, _):
        for relay in self.relays:
            relay.cut()

    def refuse(self, _):
        for relay in self.relays:
            relay.refuse()

    def accept(self, _):
        for relay in self.relays:
            relay.accept()

    def hold(self, _):
        for relay in self.relays:
            relay.hold()

    def release(self, _):
        for relay in self.relays:
            relay.release()

    def event(self, text):
        self.plain.put_in(text.encode() + b"\n", False)

    def half(self, text):
        self.plain.put_in(text.encode(), True)


def on_signal(signum, _):
    raise SystemExit(128 + signum)


def main():
    if "--" not in sys.argv:
        sys.exit(__doc__)
    middle = sys.argv.index("--")
    signal.signal(signal.SIGTERM, on_signal)
    facts = os.environ.get("FS_KUBE")
    folder = tempfile.mkdtemp(prefix="fs-lab-")
    cluster = None
    ended = 0
    try:
        cluster = clusters.Real(facts) if facts else clusters.Embedded(sys.argv[1], folder)
        Lab(cluster, folder)
        status = subprocess.call(sys.argv[middle + 1:], env=dict(os.environ, LAB_DIR=folder, LAB_IS_REAL="1" if facts else "0"))
    finally:
        if cluster is not None:
            ended = cluster.close()
        shutil.rmtree(folder, ignore_errors=True)
    if ended != 0:
        print("the embedded cluster ended with status %d" % ended)
    return status or (1 if ended else 0)


if __name__ == "__main__":
    sys.exit(main())
