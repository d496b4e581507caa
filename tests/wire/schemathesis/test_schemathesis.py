#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the environment that campaign.py runs in, from the lock file beside it, and runs it as a user and as an
administrator, both at once. The environment is kept with the build: the second run asks nobody. Where it cannot be made the
test fails; nothing is left out. Runs inside with_services.py."""
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
LOCK_FILE = os.path.join(HERE, "requirements.txt")
SYSTEM_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
EXAMPLES = {"wire": "6", "schemathesis": "100"}


def run(*argv, **more):
    out = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    if out.returncode != 0:
        raise AssertionError(f"{' '.join(argv)} ended with {out.returncode}:\n{out.stdout[-4000:]}")


def make(folder):
    """A virtual environment with exactly what the lock file names, as hashed there."""
    shutil.rmtree(folder, ignore_errors=True)
    run(sys.executable, "-m", "venv", folder)
    env = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1")
    if os.path.exists(SYSTEM_CERTIFICATES):  # pip's own list does not know what this machine's administrator trusts
        env.setdefault("PIP_CERT", SYSTEM_CERTIFICATES)
    run(os.path.join(folder, "bin", "pip"), "install", "--quiet", "--no-input", "--require-hashes", "--no-deps",
        "--only-binary", ":all:", "-r", LOCK_FILE, env=env)


def environment():
    """The Python of the environment; made when the lock file or this Python is another than the kept one's."""
    with open(LOCK_FILE, "rb") as file:
        mark = hashlib.sha256(file.read() + sys.version.encode()).hexdigest()
    folder = os.path.join(os.environ["FS_BUILD"], "schemathesis")
    os.makedirs(folder, exist_ok=True)
    stamp = os.path.join(folder, "made-from")
    with open(os.path.join(folder, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = None
        if os.path.exists(stamp):
            with open(stamp) as file:
                made = file.read()
        if made != mark:
            make(os.path.join(folder, "venv"))
            with open(stamp, "w") as file:
                file.write(mark)
    return os.path.join(folder, "venv", "bin", "python")


class Api(unittest.TestCase):
    def test_every_answer_is_as_described_whoever_asks_whatever(self):
        python = environment()
        env = dict(os.environ)
        env.setdefault("FS_SCHEMATHESIS_EXAMPLES", EXAMPLES[os.environ.get("FS_SCHEMATHESIS", "wire")])
        argv = [python, os.path.join(HERE, "campaign.py")]
        with tempfile.TemporaryDirectory() as folder:  # schemathesis leaves notes where it runs
            running = {who: subprocess.Popen([*argv, who], env=env, cwd=folder, stdout=subprocess.PIPE,
                                             stderr=subprocess.STDOUT, text=True) for who in ("user", "admin")}
            told = {who: process.communicate()[0] for who, process in running.items()}
        for who, process in running.items():
            with self.subTest(who=who):
                print(f"--- asked as {who} ---\n{told[who][-30000:]}", flush=True)
                self.assertEqual(process.returncode, 0, "see what was told above")


if __name__ == "__main__":
    unittest.main()
