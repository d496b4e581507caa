# SPDX-License-Identifier: MIT
"""A server for the tests of this folder, and callers of every sort."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "stack"))
from world import Client, Confidant, Reader, StackCase, World, is_done, main, wait_for  # noqa: E402,F401


class Bearer(Client):
    """A program with an API token, or with whatever else stands in Authorization."""

    def __init__(self, port, token):
        super().__init__(port, "")
        self.token = token

    def headers(self):
        return {"Authorization": f"Bearer {self.token}"}


class Accounts(World):
    """A world whose callers' secrets are all known, so that leaving it finds one that was told."""

    def __init__(self, env=None, **more):
        super().__init__(env=env, **more)

    def token(self, client, scopes, name="a program", port=None, **more):
        """A caller with a token of these scopes."""
        made = client.json("POST", "/api/tokens", {"name": name, "scopes": scopes, **more}, 201)
        self.forget(made["token"])
        bearer = Bearer(port or self.port, made["token"])
        bearer.id = made["id"]
        return bearer

    def forget(self, secret):
        """It was shown once, as it should be; nothing else may tell it."""
        self.secrets.add(secret)
        self.heard[:] = [text.replace(secret, "(shown once)") for text in self.heard]
