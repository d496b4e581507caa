#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The stories of tests/e2e that need a whole server of their own, which serves web/dist: account.mjs, which signs in at a
stand-in for GitHub, repository.mjs, which has more of that, queue.mjs, whose server makes one environment at a time,
variables.mjs, and dashboard.mjs, which has many projects and a broken one. Runs inside with_services.py; needs web/dist,
chromium and the packages of tests/e2e."""
import json
import os
import subprocess
import sys

from accounts import Accounts, Reader
from github import GitHub

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
PAGES = {"FULLSTACKD_WEB_DIR": os.path.join(ROOT, "web", "dist")}


def tell(story, world, links_n, **env):
    url = f"http://127.0.0.1:{world.port}"
    links = " ".join(f"{url}/signin?token={world.link('local')}" for _ in range(links_n))
    return subprocess.run(["node", story], cwd=os.path.join(ROOT, "tests", "e2e"),
                          env=dict(os.environ, FS_URL=url, FS_LINKS=links, **env)).returncode


def account():
    github = GitHub()
    try:
        with Accounts(env=dict(github.env(), **PAGES), cluster_args=("--zero-delay",)) as world:
            status = tell("account.mjs", world, 2, FS_GITHUB=github.url)
            world.secrets |= github.planted
        return status
    finally:
        github.close()


def repository():
    github = GitHub()
    makes = "POST /api/v3/user/repos"
    silent_n = 4  # of the calls that should make it: as often as the dashboard asks by itself

    def cut_off(handler):
        nonlocal silent_n
        if json.loads(handler.sent)["name"] == "cut-off" and silent_n > 0:
            silent_n -= 1
            github.silence(handler)
        else:
            github.create_repo(handler, "/user/repos", "ada")

    def revoke(handler):
        del github.fault["/api/v3/repos/ada/revoked"]
        github.tokens.clear()
        github.refuse(handler, 401, "Bad credentials")

    github.fault = {makes: cut_off, "/api/v3/repos/ada/revoked": revoke}
    github.rename_repo(github.add_repo("ada/former"), "ada/latter")
    github.add_repo("ada/revoked", is_private=True)
    try:
        with Accounts(env=dict(github.env(), **PAGES), cluster_args=("--zero-delay",)) as world:
            status = tell("repository.mjs", world, 0, FS_GITHUB=github.url)
            world.secrets |= github.planted
        return status
    finally:
        github.close()


def queue():
    with Accounts(env=dict(PAGES, FULLSTACKD_FLOW_CREATIONS="1"), cluster_args=("--zero-delay",)) as world:
        return tell("queue.mjs", world, 1)


def variables():
    """With the time a restart takes, so that it is seen."""
    delays = "schedule=20,pull_first=50,pull_again=50,start=1500,ready=300,stop=100,database=200,retry=200"
    with Accounts(env=PAGES, cluster_args=("--delays", delays)) as world:
        return tell("variables.mjs", world, 1)


def dashboard():
    """More projects than the list reads at once, and one whose Service was deleted and cannot be made again."""
    env = dict(PAGES, FULLSTACKD_LIMITS_IDLE_STOP="2h", FULLSTACKD_FLOW_APPLY_DEADLINE="1s")
    with Accounts(env=env, cluster_args=("--zero-delay",)) as world:
        client = world.sign_in("local")
        project, _ = client.create("broken")
        client.follow(project["id"])
        service = world.sandbox_row(project["id"])[0] + "-service"
        world.sql("INSERT INTO projects (id, owner_id, name, updated_at) SELECT 'p-' || i, owner_id, 'shop ' || i, now() - i * interval '1 minute' "
                  f"FROM projects, generate_series(1, 220) i WHERE id = '{project['id']}'")
        reader = Reader(client, "/api/events")
        world.fault(verb="create", resource="services", status=403, times=100000)
        world.kube("DELETE", world.path_of("services", service), None, 200)
        reader.wait("the end of the repair", lambda name, data: name == "done" and data["outcome"] == "failed")
        status = tell("dashboard.mjs", world, 1, FS_BROKEN=project["id"])
        world.kube("DELETE", "/devcluster/faults", None, 200)
        return status


def main():
    return account() | repository() | queue() | variables() | dashboard()


if __name__ == "__main__":
    sys.exit(main())
