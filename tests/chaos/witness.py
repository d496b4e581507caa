# SPDX-License-Identifier: MIT
"""Who looks on: callers that try again at another replica as a sensible client does, and witnesses that read an owner's
stream through every broken connection, each time from the last id they have."""
import http.client
import json
import random
import secrets
import threading
import time

READ_TIMEOUT_S = 60
ASK_WITHIN_S = 90
PAUSE_S = 0.02


class Findings:
    """What is wrong, in the columns of the table; and what was hit, so that a fault that came to nothing is none that was
    withstood."""

    COLUMNS = ("lost", "doubled", "orphaned", "stuck")

    def __init__(self):
        self.texts = {column: [] for column in self.COLUMNS}
        self.runs = 0
        self.hits = {}  # what was hit: how often
        self.least = {}  # what has to be hit: at least so often
        self.lock = threading.Lock()

    def add(self, column, text):
        with self.lock:
            if text not in self.texts[column]:
                self.texts[column].append(text)

    def count_run(self, n=1):
        with self.lock:
            self.runs += n

    def expect(self, hit, n=1):
        with self.lock:
            self.least[hit] = n
            self.hits.setdefault(hit, 0)

    def count_hit(self, hit, n=1):
        with self.lock:
            self.hits[hit] = self.hits.get(hit, 0) + n

    @property
    def missed(self):
        return [f"{hit}: hit {self.hits[hit]} times and not {n}" for hit, n in self.least.items() if self.hits[hit] < n]

    @property
    def is_clean(self):
        return not any(self.texts.values())


class Caller:
    """One signed-in user. A connection that is refused or breaks is tried again at the next replica; a strict one may
    only be refused: whoever was let in has to be answered."""

    def __init__(self, ground, cookie, is_strict=False):
        self.ground = ground
        self.cookie = cookie
        self.is_strict = is_strict

    def once(self, port, method, path, body=None, key=None, timeout_s=30):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
        try:
            connection.connect()
            headers = {"Cookie": self.cookie, "Origin": f"http://127.0.0.1:{port}"}
            if key is not None:
                headers["Idempotency-Key"] = f'"{key}"'
            data = None
            if body is not None:
                data = json.dumps(body)
                headers["Content-Type"] = "application/json"
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def ask(self, method, path, body=None, want=(200,)):
        """The document of an answer in `want`; tried until there is one. None: there never was."""
        until = time.monotonic() + ASK_WITHIN_S
        last = None
        key = secrets.token_hex(16) if method == "POST" else None
        ports = self.ground.ports_shuffled()
        while time.monotonic() < until and not self.ground.is_over:
            for port in ports:
                try:
                    status, data = self.once(port, method, path, body, key)
                except ConnectionRefusedError as e:
                    last = e
                    continue
                except (OSError, http.client.HTTPException) as e:
                    last = e
                    if self.is_strict:
                        self.ground.findings.add("lost", f"{method} {path} had no answer: {e!r}")
                    continue
                if status in want:
                    return json.loads(data) if data else {}
                last = f"{status} {data[:300]!r}"
                if self.is_strict:
                    self.ground.findings.add("lost", f"{method} {path}: {last}")
                elif status < 500 and status not in (409, 429):  # 409: whoever held the key is dead, but not for long
                    raise AssertionError(f"{method} {path}: {last}")
            self.ground.pause(PAUSE_S)
        self.ground.findings.add("stuck", f"{method} {path} was not answered within {ASK_WITHIN_S} s: {last!r}")
        return None


class Witness(threading.Thread):
    """Reads /api/events of one user for as long as the ground lasts. `hops` makes it leave by itself now and then."""

    def __init__(self, ground, cookie, seed, hops=False):
        super().__init__(daemon=True)
        self.ground, self.cookie = ground, cookie
        self.chance = random.Random(f"witness {seed}")
        self.hops = hops
        self.events = []  # (id, name, data); without the first reset
        self.ends = {}  # project: [data of each done]
        self.first = None  # the number that the first reset named
        self.connects = 0
        self.changed = threading.Condition()

    def run(self):
        while not self.ground.is_over:
            port = self.chance.choice(self.ground.doors)
            try:
                self.read(port)
            except (OSError, http.client.HTTPException, ValueError):
                pass  # a broken stream is what it is here for
            self.ground.pause(PAUSE_S)

    @property
    def last_id(self):
        return self.events[-1][0] if self.events else self.first

    def read(self, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=READ_TIMEOUT_S)
        headers = {"Cookie": self.cookie}
        if self.last_id is not None:
            headers["Last-Event-ID"] = str(self.last_id)
        leave_after = self.chance.randint(1, 12) if self.hops else None
        try:
            connection.request("GET", "/api/events", headers=headers)
            answer = connection.getresponse()
            if answer.status != 200:
                answer.read()
                return
            self.connects += 1
            for event in frames(answer):
                self.take(*event)
                if leave_after is not None:
                    leave_after -= 1
                    if leave_after == 0:
                        return
        finally:
            connection.close()

    def take(self, number, name, data):
        with self.changed:
            if name == "reset" and self.first is None:
                self.first = number
            else:
                self.events.append((number, name, data))
                if name == "done":
                    self.ends.setdefault(data["projectId"], []).append(data)
            self.changed.notify_all()

    def wait(self, find, within_s):
        """What find() gives, once it gives something; None when the time is over."""
        until = time.monotonic() + within_s
        with self.changed:
            while True:
                found = find()
                if found:
                    return found
                left = until - time.monotonic()
                if left <= 0 or self.ground.is_over:
                    return None
                self.changed.wait(left)

    def done(self, project, n, within_s):
        """The n-th end (from 1) that was told of a project."""
        return self.wait(lambda: (self.ends.get(project, [])[n - 1:] or [None])[0], within_s)

    def has(self, number, within_s):
        return self.wait(lambda: self.last_id is not None and self.last_id >= number, within_s) is not None


def frames(answer):
    """(id, event name, data) of a stream; half a frame at its end is none."""
    event = {}
    for line in answer:
        if not line.endswith(b"\n"):
            return
        line = line.decode().rstrip("\n")
        if line == "" and "data" in event:
            yield int(event.get("id", 0)), event.get("event"), json.loads(event["data"])
            event = {}
        elif line and not line.startswith(":"):
            key, _, value = line.partition(": ")
            event[key] = value
