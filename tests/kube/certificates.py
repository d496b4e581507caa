# SPDX-License-Identifier: MIT
"""The certificates of a cluster by openssl: an authority and what it signs, elliptic so that all of it takes a part of a second."""
import os
import subprocess

SERVER_NAMES = "IP:127.0.0.1,IP:::1,IP:10.96.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc," \
               "DNS:apiserver.test"
CLIENTS = {
    "admin": "/O=system:masters/CN=test-admin",
    "kube-controller-manager": "/CN=system:kube-controller-manager",
    "kube-scheduler": "/CN=system:kube-scheduler",
    "kwok": "/O=system:masters/CN=kwok",
    "kubelet-client": "/O=system:masters/CN=kube-apiserver-kubelet-client",
}


def openssl(*words, **more):
    done = subprocess.run(["openssl", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {words[0]} failed: {done.stderr}")


def make_key(path):
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path)


def sign(folder, name, subject, extensions):
    base = os.path.join(folder, name)
    make_key(base + ".key")
    openssl("req", "-new", "-key", base + ".key", "-subj", subject, "-out", base + ".csr")
    with open(base + ".ext", "w") as f:
        f.write("\n".join(["basicConstraints=CA:FALSE", "keyUsage=digitalSignature", *extensions]) + "\n")
    openssl("x509", "-req", "-in", base + ".csr", "-CA", f"{folder}/ca.crt", "-CAkey", f"{folder}/ca.key", "-CAcreateserial", "-days", "30",
            "-out", base + ".crt", "-extfile", base + ".ext")


def make_all(folder):
    """ca, server, one client for each program, and the key that signs the tokens of service accounts."""
    make_key(f"{folder}/ca.key")
    openssl("req", "-x509", "-new", "-key", f"{folder}/ca.key", "-subj", "/CN=test-kube-ca", "-days", "30", "-out", f"{folder}/ca.crt",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    sign(folder, "server", "/CN=kube-apiserver", ["extendedKeyUsage=serverAuth,clientAuth", "subjectAltName=" + SERVER_NAMES])
    for name, subject in CLIENTS.items():
        sign(folder, name, subject, ["extendedKeyUsage=clientAuth"])
    make_key(f"{folder}/sa.key")
    openssl("ec", "-in", f"{folder}/sa.key", "-pubout", "-out", f"{folder}/sa.pub")
