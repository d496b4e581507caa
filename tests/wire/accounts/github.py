# SPDX-License-Identifier: MIT
"""A stand-in for GitHub: authorize, token, user, addresses and repositories, as strict as the real one about what it is
sent, and as wrong about what it answers as a test wants. Standard library only. Bodies, fields and statuses of
repositories are those of GitHub's REST API, version 2022-11-28."""
import base64
import hashlib
import http.server
import json
import secrets
import threading
import time
import urllib.parse

RATE = 5000  # calls an hour, for each user


class GitHub:
    CLIENT_ID = "Iv1.0123456789abcdef"

    def __init__(self):
        self.client_secret = "planted-client-" + secrets.token_hex(16)
        self.users = {"ada": self.user(583231, "ada", "Ada", "ada@example.org")}
        self.codes = {}  # code: (login, redirect_uri, challenge)
        self.tokens = {}  # token: login
        self.repos = {}  # id: the document
        self.renamed = {}  # former full name, lower case: id
        self.orgs = {}  # login: logins of those who may create
        self.posted = []  # (path, document) of what should have been created
        self.rate_left = RATE
        self.planted = {self.client_secret}  # must be told nowhere
        self.calls = []  # (path, form)
        self.fault = {}  # path, or "METHOD path": what to answer instead; a function of the handler, or (status, type, bytes)
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
                self.sent = self.rfile.read(int(self.headers["Content-Length"]))
                stand_in.answer(self, self.sent)

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
        is_form = handler.headers["Content-Type"] == "application/x-www-form-urlencoded"
        form = {key: values[0] for key, values in urllib.parse.parse_qs(body.decode()).items()} if is_form else {}
        with self.lock:
            self.calls.append((path, form))
        fault = self.fault.get(path, self.fault.get(f"{handler.command} {path}"))
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
        elif path.startswith("/api/v3/"):
            self.send_repo(handler, path.removeprefix("/api/v3"))
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

    # ---- repositories ----

    def add_repo(self, name, is_private=False, seen_by=()):
        """One that was there before; a private one is seen by its owner and by those named."""
        owner, _, last = name.partition("/")
        with self.lock:
            number = 1300000 + len(self.repos) + len(self.renamed)
            self.repos[number] = {
                "id": number, "node_id": f"R_{number}", "name": last, "full_name": name, "private": is_private,
                "owner": {"login": owner, "id": 1, "type": "Organization" if owner in self.orgs else "User"},
                "html_url": f"{self.url}/{name}", "description": None, "fork": False,
                "url": f"{self.url}/api/v3/repos/{name}", "default_branch": "main", "archived": False,
                "visibility": "private" if is_private else "public", "topics": [], "template_repository": None,
                "updated_at": f"2026-01-31T12:{len(self.repos) % 60:02}:00Z",
                "permissions": {"admin": True, "maintain": True, "push": True, "triage": True, "pull": True},
            }
            self.repos[number]["seen_by"] = {owner, *seen_by}
        return number

    def rename_repo(self, number, name):
        with self.lock:
            self.renamed[self.repos[number]["full_name"].lower()] = number
            self.repos[number].update(full_name=name, name=name.partition("/")[2], html_url=f"{self.url}/{name}")

    def names(self):
        """Of all repositories there are."""
        return sorted(repo["full_name"] for repo in self.repos.values())

    def find_repo(self, name):
        found = [n for n, repo in self.repos.items() if repo["full_name"].lower() == name.lower()]
        return found[0] if found else None

    def send_repo(self, handler, path):
        login = self.tokens.get((handler.headers["Authorization"] or "").removeprefix("Bearer "))
        if not handler.headers["User-Agent"]:
            self.send(handler, 403, "text/html", b"Request forbidden by administrative rules.")
        elif handler.headers["Accept"] != "application/vnd.github+json":
            self.refuse(handler, 415, "Unsupported 'Accept' header")
        elif login is None:
            self.refuse(handler, 401, "Bad credentials")
        elif self.rate_left <= 0:
            self.refuse(handler, 403, "API rate limit exceeded for user ID 583231.")
        elif handler.command == "POST":
            self.rate_left -= 1
            self.create_repo(handler, path, login)
        elif path == "/user/repos":
            self.rate_left -= 1
            self.list_repos(handler, login)
        else:
            self.rate_left -= 1
            self.show_repo(handler, path, login)

    def show_repo(self, handler, path, login):
        kind, _, which = path.removeprefix("/").partition("/")
        number = int(which) if kind == "repositories" else self.find_repo(which)
        repo = self.repos.get(number)
        if kind == "repos" and repo is None and which.lower() in self.renamed:
            to = f"{self.url}/api/v3/repositories/{self.renamed[which.lower()]}"
            self.send_api(handler, 301, {"message": "Moved Permanently", "url": to, "documentation_url":
                                         "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api"
                                         "#follow-redirects"}, Location=to)
        elif repo is None or (repo["private"] and login not in repo["seen_by"]):
            self.refuse(handler, 404, "Not Found")
        else:
            self.send_api(handler, 200, {key: value for key, value in repo.items() if key != "seen_by"})

    def list_repos(self, handler, login):
        """A page of those that the user owns or works on, the last changed first."""
        query = dict(urllib.parse.parse_qsl(handler.path.partition("?")[2], strict_parsing=True))
        assert set(query) == {"sort", "per_page", "page"} and query["sort"] == "updated", handler.path
        size, page = int(query["per_page"]), int(query["page"])
        assert 1 <= size <= 100 and page >= 1, handler.path
        with self.lock:
            mine = sorted((repo for repo in self.repos.values() if login in repo["seen_by"]),
                          key=lambda repo: (repo["updated_at"], repo["id"]), reverse=True)
        shown = [{key: value for key, value in repo.items() if key != "seen_by"} for repo in mine[(page - 1) * size:page * size]]
        here = f"{self.url}/api/v3/user/repos?sort=updated&per_page={size}"
        links = [f'<{here}&page={page - 1}>; rel="prev"'] if page > 1 else []
        links += [f'<{here}&page={page + 1}>; rel="next"'] if page * size < len(mine) else []
        self.send_api(handler, 200, shown, **({"Link": ", ".join(links)} if links else {}))

    def create_repo(self, handler, path, login, is_told=True):
        wish = json.loads(handler.sent)
        self.posted.append((path, wish))
        org = path.split("/")[2] if path.startswith("/orgs/") else None
        name = f"{org or login}/{wish['name']}"
        if path != "/user/repos" and (org not in self.orgs or not path.endswith("/repos")):
            self.refuse(handler, 404, "Not Found")
        elif org is not None and login not in self.orgs[org]:
            self.refuse(handler, 403, "You need admin access to the organization before adding a repository to it.")
        elif self.find_repo(name) is not None:
            self.refuse(handler, 422, "Repository creation failed.", errors=[
                {"resource": "Repository", "code": "custom", "field": "name",
                 "message": "name already exists on this account"}])
        else:
            number = self.add_repo(name, wish["private"], {login})
            repo = {key: value for key, value in self.repos[number].items() if key != "seen_by"}
            if is_told:
                self.send_api(handler, 201, repo, Location=repo["url"])

    def refuse(self, handler, status, message, **more):
        fields = more.pop("fields", {})
        self.send_api(handler, status, {"message": message, "documentation_url": "https://docs.github.com/rest",
                                        "status": str(status), **more}, **fields)

    def send_api(self, handler, status, document, **fields):
        self.send(handler, status, "application/json; charset=utf-8", json.dumps(document).encode(),
                  **{"X-GitHub-Media-Type": "github.v3; format=json", "X-OAuth-Scopes": "read:user, user:email, repo",
                     "X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": str(max(self.rate_left, 0)),
                     "X-RateLimit-Reset": str(int(time.time()) + 1800), "X-RateLimit-Resource": "core", **fields})

    # ---- faults ----

    def made_in_silence(self, handler):
        """The repository is made, and nobody hears of it."""
        login = self.tokens[handler.headers["Authorization"].removeprefix("Bearer ")]
        self.create_repo(handler, handler.path.removeprefix("/api/v3"), login, is_told=False)
        self.silence(handler)

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
