#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tests/e2e/account.mjs against a whole server that serves web/dist and signs in at a stand-in for GitHub. Runs inside
with_services.py; needs web/dist, chromium and the packages of tests/e2e."""
import os
import subprocess
import sys

from accounts import Accounts
from github import GitHub

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))


def main():
    github = GitHub()
    try:
        env = dict(github.env(), FULLSTACKD_WEB_DIR=os.path.join(ROOT, "web", "dist"))
        with Accounts(env=env, cluster_args=("--zero-delay",)) as world:
            url = f"http://127.0.0.1:{world.port}"
            links = " ".join(f"{url}/signin?token={world.link('local')}" for _ in range(2))
            ran = subprocess.run(["node", "account.mjs"], cwd=os.path.join(ROOT, "tests", "e2e"),
                                 env=dict(os.environ, FS_URL=url, FS_GITHUB=github.url, FS_LINKS=links))
            world.secrets |= github.planted
        return ran.returncode
    finally:
        github.close()


if __name__ == "__main__":
    sys.exit(main())
