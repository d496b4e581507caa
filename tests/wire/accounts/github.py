# SPDX-License-Identifier: MIT
"""A stand-in for GitHub: authorize, token, user and addresses, as strict as the real one about what it is sent, and as
wrong about what it answers as a test wants. Standard library only."""
import base64
import hashlib
import http.server
import json
import secrets
import threading
import time
import urllib.parse


class GitHub:
    CLIENT_ID = "Iv1.0123456789abcdef"

    def __init__(self):
        self.client_secret = "planted-client-" + secrets.token_hex(16)
        self.users = {"ada": self.user(583231, "ada", "Ada", "ada@example.org")}
        self.codes = {}  # code: (login, redirect_uri, challenge)
        self.tokens = {}  # token: login
        self.planted = {self.client_secret}  # must be told nowhere
        self.calls = []  # (path, form)
        self.fault = {}  # path: what to answer instead; a function of the handler, or (status, type, bytes)
        self.lock = threading.Lock()
        self.ended = threading.Event()
        stand_in = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                stand_in.answer(self, b"")

            def do_POST(self):
                stand_in.answer(self, self.rfile.read(int(self.headers["Content-Length"])))

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # the server under test hangs up on what it refuses
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()

    @staticmethod
    def user(number, login, name=None, email=None):
        return {"id": number, "login": login, "name": name, "email": None, "type": "User", "addresses": email,
                "avatar_url": f"https://avatars.example/{number}"}

    def env(self):
        return {
            "GITHUB_CLIENT_ID": self.CLIENT_ID,
            "GITHUB_CLIENT_SECRET": self.client_secret,
            "FULLSTACKD_GITHUB_URL": self.url,
            "FULLSTACKD_GITHUB_API_URL": self.url + "/api/v3",
            "FULLSTACKD_GITHUB_DEADLINE": "700ms",
        }

    # ---- the browser's part ----

    def authorize(self, url, login="ada"):
        """What the user's browser would be sent back to after saying yes: (code, state)."""
        parts = urllib.parse.urlsplit(url)
        query = urllib.parse.parse_qs(parts.query, strict_parsing=True)
        assert f"{parts.scheme}://{parts.netloc}" == self.url, url
        assert parts.path == "/login/oauth/authorize", url
        assert all(len(values) == 1 for values in query.values()), url
        one = {key: values[0] for key, values in query.items()}
        assert one["client_id"] == self.CLIENT_ID and one["code_challenge_method"] == "S256", url
        assert one["scope"] == "read:user user:email repo", url
        assert len(one["state"]) == 43 and len(one["code_challenge"]) == 43, url
        return self.code(login, one["redirect_uri"], one["code_challenge"]), one["state"]

    def code(self, login, redirect_uri, challenge):
        code = "planted-code-" + secrets.token_hex(10)
        self.planted.add(code)
        with self.lock:
            self.codes[code] = (login, redirect_uri, challenge)
        return code

    # ---- the server's part ----

    def answer(self, handler, body):
        path = handler.path.partition("?")[0]
        form = {key: values[0] for key, values in urllib.parse.parse_qs(body.decode()).items()}
        with self.lock:
            self.calls.append((path, form))
        fault = self.fault.get(path)
        if path == "/login/oauth/authorize":
            code, state = self.authorize(self.url + handler.path)
            back = urllib.parse.parse_qs(handler.path.partition("?")[2])["redirect_uri"][0]
            query = urllib.parse.urlencode({"code": code, "state": state})
            self.send(handler, 302, None, b"", Location=f"{back}?{query}")
        elif callable(fault):
            fault(handler)
        elif fault is not None:
            self.send(handler, *fault)
        elif path == "/login/oauth/access_token":
            self.send_json(handler, 200, self.trade(handler, form))
        elif path in ("/api/v3/user", "/api/v3/user/emails"):
            self.send_user(handler, path)
        else:
            self.send_json(handler, 404, {"message": "Not Found"})

    def trade(self, handler, form):
        assert handler.headers["Accept"] == "application/json"
        if form.get("client_id") != self.CLIENT_ID or form.get("client_secret") != self.client_secret:
            return {"error": "incorrect_client_credentials"}
        with self.lock:
            login, redirect_uri, challenge = self.codes.pop(form.get("code"), (None, None, None))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if login is None or form.get("redirect_uri") != redirect_uri or proof != challenge:
            return {"error": "bad_verification_code", "error_description": "The code passed is incorrect or expired."}
        self.planted.add(form["code_verifier"])
        token = "gho_planted" + secrets.token_hex(16)
        self.planted.add(token)
        with self.lock:
            self.tokens[token] = login
        return {"access_token": token, "token_type": "bearer", "scope": "read:user,user:email,repo"}

    def send_user(self, handler, path):
        token = (handler.headers["Authorization"] or "").removeprefix("Bearer ")
        user = self.users.get(self.tokens.get(token))
        if user is None:
            self.send_json(handler, 401, {"message": "Bad credentials"})
        elif path.endswith("/emails"):
            self.send_json(handler, 200, [
                {"email": "other@example.org", "primary": False, "verified": True},
                {"email": user["addresses"], "primary": True, "verified": True},
            ] if user["addresses"] else [])
        else:
            self.send_json(handler, 200, {key: value for key, value in user.items() if key != "addresses"})

    def silence(self, handler):
        """Nothing until the test is over."""
        self.ended.wait(30)
        handler.close_connection = True

    def drip(self, handler):
        """A body that comes byte by byte and never ends."""
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        try:
            until = time.monotonic() + 30
            while time.monotonic() < until and not self.ended.wait(0.05):
                handler.wfile.write(b" ")
                handler.wfile.flush()
        except OSError:
            pass
        handler.close_connection = True

    def cut(self, handler):
        """The connection ends in the middle of the answer."""
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b'{"access_token":"gho_cut')
        handler.close_connection = True

    def send_json(self, handler, status, document):
        self.send(handler, status, "application/json; charset=utf-8", json.dumps(document).encode())

    @staticmethod
    def send(handler, status, kind, body, **fields):
        try:
            handler.send_response(status)
            if kind is not None:
                handler.send_header("Content-Type", kind)
            for name, value in fields.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)
        except OSError:
            handler.close_connection = True  # whoever asked had enough
