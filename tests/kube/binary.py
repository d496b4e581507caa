# SPDX-License-Identifier: MIT
"""Where the control plane's one binary and KubeBlocks' CRDs come from: what KUBE1 names, one beside the checkout, one kept in
the cache, or built from the Go modules of tests/kube/one. Nothing is downloaded unless KUBE=1, but for the CRD."""
import fcntl
import glob
import hashlib
import json
import os
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CRD = "apps.kubeblocks.io_clusters.yaml"
VERSION = "v1.37.2"  # of k8s.io/kubernetes in one/go.mod; the binary says it of itself only when the linker is told


class Missing(Exception):
    """There is no control plane here, and why."""


def cache_dir():
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = os.path.join(home, "fullstackd", "kube")
    os.makedirs(path, exist_ok=True)
    return path


class Lock:
    """Two boots at once must not unpack or build the same file; one that unpacks need not wait for one that builds."""

    def __init__(self, what="lock"):
        self.what = what

    def __enter__(self):
        self.file = open(os.path.join(cache_dir(), self.what), "w")
        fcntl.flock(self.file, fcntl.LOCK_EX)
        return self

    def __exit__(self, *_):
        self.file.close()


def run(what, argv, **more):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    if done.returncode != 0:
        raise Missing(f"{what} failed:\n{done.stdout[-3000:]}")
    return done.stdout


def unpacked(path):
    """The program of a .zst, kept in the cache by what the file is."""
    if not path.endswith(".zst"):
        return path
    known = os.stat(path)
    key = hashlib.sha256(f"{os.path.realpath(path)} {known.st_size} {known.st_mtime_ns}".encode()).hexdigest()[:16]
    target = os.path.join(cache_dir(), f"unpacked-{key}")
    with Lock():
        if not os.path.exists(target):
            if not shutil.which("zstd"):
                raise Missing(f"{path} is packed and there is no zstd here")
            run("unpacking", ["zstd", "-dqf", path, "-o", target + ".new"])
            os.chmod(target + ".new", 0o755)
            os.rename(target + ".new", target)
    return target


def built():
    """Where a binary of exactly these sources is or would be kept."""
    digest = hashlib.sha256()
    for name in ("main.go", "go.mod", "go.sum"):
        with open(os.path.join(HERE, "one", name), "rb") as f:
            digest.update(f.read())
    return os.path.join(cache_dir(), f"kube1-{digest.hexdigest()[:16]}")


def build():
    """About 17 CPU-minutes and 3 GB of memory when nothing is cached; Go's own build cache keeps what it made."""
    target = built()
    version = "k8s.io/component-base/version"
    major, minor, _ = VERSION[1:].split(".")
    flags = f"-s -w -X {version}.gitVersion={VERSION} -X {version}.gitMajor={major} -X {version}.gitMinor={minor} " \
            f"-X {version}.gitTreeState=clean"
    with Lock("lock-build"):
        if not os.path.exists(target):
            run("building the control plane", ["go", "build", "-buildvcs=false", "-trimpath", "-gcflags=all=-dwarf=false", "-ldflags", flags,
                                               "-o", target + ".new", "."], cwd=os.path.join(HERE, "one"))
            os.rename(target + ".new", target)
    return target


def find(may_build=True):
    """The path of the binary, or Missing with what to do."""
    named = os.environ.get("KUBE1")
    if named:
        if not os.path.isfile(named):
            raise Missing(f"KUBE1 names {named}, which is not there")
        return unpacked(named)
    beside = sorted(glob.glob(os.path.join(ROOT, "..", "*", "kube", "kube1.zst")))
    if beside:
        return unpacked(beside[0])
    if os.path.exists(built()):
        return built()
    if os.environ.get("KUBE") == "1":
        if not shutil.which("go"):
            raise Missing("KUBE=1, but there is no Go here to build the control plane with")
        return build() if may_build else "to be built"
    raise Missing("no control plane here: KUBE1 may name one, or KUBE=1 builds it with Go")


def from_module(module, version, path):
    """A file out of a Go module, kept in the cache."""
    folder = os.path.join(cache_dir(), f"{module.rpartition('/')[2]}-{version}")
    target = os.path.join(folder, os.path.basename(path))
    if os.path.exists(target):
        return target
    if not shutil.which("go"):
        raise Missing(f"{os.path.basename(path)} of {module} {version} is not in {cache_dir()}, and there is no Go here to fetch it with")
    with Lock(), tempfile.TemporaryDirectory(prefix="fs-crd-") as work:
        with open(os.path.join(work, "go.mod"), "w") as f:
            f.write("module fetch.test\n\ngo 1.24\n")
        answer = run(f"fetching {module} {version}", ["go", "mod", "download", "-json", f"{module}@{version}"], cwd=work)
        there = json.loads(answer[answer.index("{"):])["Dir"]
        os.makedirs(folder, exist_ok=True)
        shutil.copyfile(os.path.join(there, path), target + ".new")
        os.rename(target + ".new", target)
    return target


def kubeblocks_crd(version):
    """The file of the Cluster CRD of that KubeBlocks version. It is AGPL: kept in the cache, never here."""
    return from_module("github.com/apecloud/kubeblocks", version, os.path.join("config", "crd", "bases", CRD))


def gateway_crd(plural, version="v1.4.0"):
    """The file of a CRD of the Gateway API, standard channel."""
    return from_module("sigs.k8s.io/gateway-api", version, f"config/crd/standard/gateway.networking.k8s.io_{plural}.yaml")


if __name__ == "__main__":  # which control plane there is, or why none; exit code 77
    try:
        print(find())
    except Missing as why:
        raise SystemExit(print(why) or 77) from why
