#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Idempotency-Key: what is sent again is not done again, whichever of two servers it comes to and whatever dies in
between. Runs inside with_services.py."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import subprocess
import threading

from world import Client, StackCase, World, main, wait_for

AT_ONCE = 20
LOCK = 4711


class Repeated(StackCase):
    """One server with everything at hand."""

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.world.__enter__()
        cls.client = cls.world.sign_in()

    @classmethod
    def tearDownClass(cls):
        cls.world.__exit__(None, None, None)

    def post(self, path, body, key, client=None, **headers):
        return (client or self.client).request("POST", path, body, headers=dict(headers, **{"Idempotency-Key": key}))

    def count(self, name):
        return int(self.world.sql(f"SELECT count(*) FROM projects WHERE name = '{name}'")[0][0])

    def keys(self):
        return int(self.world.sql("SELECT count(*) FROM idempotency")[0][0])

    def test_the_same_request_is_answered_as_before_and_done_once(self):
        first = self.post("/api/projects", {"name": "once"}, "once-1")
        second = self.post("/api/projects", {"name": "once"}, "once-1")
        quoted = self.post("/api/projects", {"name": "once"}, '"once-1"')
        self.assertEqual(first[0], 200)
        self.assertIsNone(first[1]["Idempotency-Replayed"])
        for answer in (second, quoted):
            self.assertEqual((answer[0], answer[2]), (first[0], first[2]))
            self.assertEqual(answer[1]["Content-Type"], first[1]["Content-Type"])
            self.assertEqual(answer[1]["Idempotency-Replayed"], "true")
            self.assertNotEqual(answer[1]["X-Request-Id"], first[1]["X-Request-Id"])
        self.assertEqual(self.count("once"), 1)
        other = self.post("/api/projects", {"name": "once"}, "once-2")
        self.assertNotEqual(json.loads(other[2])["id"], json.loads(first[2])["id"])
        self.assertEqual(self.count("once"), 2)

    def test_the_key_of_another_request_is_refused(self):
        self.assertEqual(self.post("/api/projects", {"name": "first"}, "reused")[0], 200)
        for path, body in (("/api/projects", {"name": "second"}), ("/api/projects?a=1", {"name": "first"})):
            problem = self.assert_problem(self.post(path, body, "reused"), 422, "Idempotency-Key", "another request")
            self.assertEqual(problem["details"]["name"], "KeyReused")
        self.assertEqual((self.count("first"), self.count("second")), (1, 0))

    def test_keys_belong_to_their_user_and_path(self):
        bob = self.world.sign_in("bob")
        mine = json.loads(self.post("/api/projects", {"name": "shared"}, "shared")[2])
        his = self.post("/api/projects", {"name": "shared by bob"}, "shared", bob)
        self.assertEqual(his[0], 200)
        self.assertEqual(json.loads(his[2])["name"], "shared by bob")
        started = self.post(f"/api/sandbox/{mine['id']}", {}, "shared")
        self.assertEqual(started[0], 202)
        self.assertEqual(self.post(f"/api/sandbox/{mine['id']}", {}, "shared")[2], started[2])
        self.assert_story(self.client.follow(mine["id"]))

    def test_a_creation_that_runs_is_the_answer_with_and_without_a_key(self):
        project = json.loads(self.post("/api/projects", {"name": "twice"}, "twice")[2])["id"]
        path = f"/api/sandbox/{project}"
        first = json.loads(self.post(path, {}, "twice-1")[2])
        again = self.client.json("POST", path, {})
        other = json.loads(self.post(path, {}, "twice-2")[2])
        for answer in (again, other):
            self.assertEqual(answer["sandbox"]["id"], first["sandbox"]["id"])
            self.assertEqual(answer["attempt"], 1)
        self.assert_story(self.client.follow(project))
        # What was true then is answered again, though it is running by now.
        replayed = self.post(path, {}, "twice-1")
        self.assertEqual((replayed[0], json.loads(replayed[2])), (202, first))

    def test_a_key_that_is_none_is_named(self):
        for key in ("", '""', "k" * 256, "two words", "na\u00efve"):
            self.assert_problem(self.post("/api/projects", {"name": "none"}, key), 400, "Idempotency-Key")
        self.assertEqual(self.count("none"), 0)

    def test_what_is_refused_before_the_handler_leaves_no_key(self):
        before = self.keys()
        nobody = Client(self.world.port, "")
        self.assertEqual(self.post("/api/projects", {"name": "x"}, "early", nobody)[0], 401)
        self.assertEqual(self.post("/api/projects", {"name": "x" * 20000}, "early")[0], 413)
        self.assertEqual(self.post("/api/projects", {"name": "x"}, "early", **{"Content-Type": "text/plain"})[0], 415)
        self.assertEqual(self.post("/api/projects", {"name": "x"}, "early", Origin="http://evil.example.org")[0], 403)
        self.assertEqual(self.keys(), before)

    def test_a_refusal_may_pass_and_is_not_kept(self):
        for _ in range(2):
            bad = self.post("/api/projects", {"name": ""}, "bad")
            self.assertEqual((bad[0], bad[1]["Idempotency-Replayed"]), (400, None))
        self.assertEqual(self.post("/api/projects", {"name": "good"}, "bad")[0], 422)
        project = json.loads(self.post("/api/projects", {"name": "later"}, "later")[2])["id"]
        stop = f"/api/projects/{project}/stop"
        self.assertEqual(self.post(stop, {}, "stop")[0], 400)
        self.assertEqual(self.post(f"/api/sandbox/{project}", {}, "start")[0], 202)
        self.assert_story(self.client.follow(project))
        stopped = self.post(stop, {}, "stop")
        self.assertEqual((stopped[0], stopped[1]["Idempotency-Replayed"]), (202, None))

    def test_an_answer_with_a_value_is_sealed(self):
        project = json.loads(self.post("/api/projects", {"name": "sealed"}, "sealed")[2])["id"]
        body = {"key": "TOKEN", "value": "open-sesame-4711", "isSecret": True}
        first = self.post(f"/api/projects/{project}/environment", body, "sealed")
        again = self.post(f"/api/projects/{project}/environment", body, "sealed")
        self.assertIn(b"open-sesame-4711", first[2])
        self.assertEqual(first[2], again[2])
        for name, text in self.world.dump_tables():
            self.assertNotIn("open-sesame", text, name)
            self.assertNotIn(b"open-sesame".hex(), text, name)

    def test_a_token_is_shown_once_also_to_who_asks_again(self):
        first = self.post("/api/tokens", {"name": "ci", "scopes": ["read"]}, "token")
        self.assertEqual(first[0], 201)
        problem = self.assert_problem(self.post("/api/tokens", {"name": "ci", "scopes": ["read"]}, "token"), 409)
        self.assertEqual(problem["details"]["name"], "AnswerNotKept")
        self.assertEqual(self.world.sql("SELECT body_box IS NULL FROM idempotency WHERE key = 'token'"), [["t"]])
        self.assertEqual(self.world.sql("SELECT count(*) FROM api_tokens"), [["1"]])

    def test_a_key_is_new_when_its_day_is_over(self):
        first = json.loads(self.post("/api/projects", {"name": "daily"}, "daily")[2])["id"]
        self.world.sql("UPDATE idempotency SET valid_until = now(), held_until = now() WHERE key = 'daily'")
        second = json.loads(self.post("/api/projects", {"name": "daily"}, "daily")[2])["id"]
        self.assertNotEqual(first, second)
        self.assertEqual(self.count("daily"), 2)

    def test_signing_out_and_reading_have_no_keys(self):
        before = self.keys()
        carol = self.world.sign_in("carol")
        self.assertEqual(carol.request("GET", "/api/projects", headers={"Idempotency-Key": "read"})[0], 200)
        self.assertEqual(self.keys(), before)


class TwoServers(StackCase):
    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.world = self.stack.enter_context(World())
        self.b = self.world.serve()
        self.on_a = self.world.sign_in()
        self.on_b = self.world.sign_in(port=self.b.port)

    def tearDown(self):
        self.stack.close()

    def post(self, client, name, key):
        return client.request("POST", "/api/projects", {"name": name}, headers={"Idempotency-Key": key})

    def count(self, name):
        return int(self.world.sql(f"SELECT count(*) FROM projects WHERE name = '{name}'")[0][0])

    def hold_answers(self):
        """Lets no answer be stored before release_answers(): what was done is done, nobody heard of it."""
        self.world.sql(f"""
            CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN PERFORM pg_advisory_xact_lock({LOCK}); RETURN NEW; END $$;
            CREATE TRIGGER hold BEFORE UPDATE OF is_answered ON idempotency FOR EACH ROW EXECUTE FUNCTION hold()""")
        argv = ["psql", "-X", "-q", "-A", "-t",
                f"host={os.environ['FS_PG_SOCKET_DIR']} port={os.environ['FS_PG_PORT']} user=fullstackd dbname={self.world.database}"]
        holder = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        holder.stdin.write(f"SELECT pg_advisory_lock({LOCK});\n")
        holder.stdin.flush()
        holder.stdout.readline()
        self.stack.callback(self.let_go, holder)
        return holder

    def let_go(self, holder):
        if holder.poll() is None:
            holder.communicate()

    def waits(self):
        return self.world.sql("SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
                              "AND wait_event = 'advisory' AND query LIKE 'UPDATE idempotency%'")

    def test_twenty_at_once_make_one(self):
        barrier = threading.Barrier(AT_ONCE)

        def send(i):
            barrier.wait()
            return self.post((self.on_a, self.on_b)[i % 2], "crowd", "crowd")

        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(send, range(AT_ONCE)))
        done = [body for status, _, body in answers if status == 200]
        busy = [(status, headers["Retry-After"], json.loads(body)["details"]["name"])
                for status, headers, body in answers if status != 200]
        self.assertGreaterEqual(len(done), 1)
        self.assertEqual(set(done), {done[0]})
        self.assertEqual(set(busy) - {(409, "1", "InProgress")}, set())
        for client in (self.on_a, self.on_b):
            status, headers, body = self.post(client, "crowd", "crowd")
            self.assertEqual((status, body, headers["Idempotency-Replayed"]), (200, done[0], "true"))
        self.assertEqual(self.count("crowd"), 1)

    def test_killed_between_the_deed_and_its_answer(self):
        self.hold_answers()
        lost = []

        def send():
            try:
                lost.append(self.post(self.on_a, "lost", "lost"))
            except (OSError, http.client.HTTPException) as e:
                lost.append(e)

        sender = threading.Thread(target=send)
        sender.start()
        wait_for("the deed", self.waits)
        self.assertEqual(self.count("lost"), 1)
        self.assertEqual(lost, [], "an answer went out before it was stored")
        self.world.kill_server(self.world.servers[0])
        sender.join()
        self.assertIsInstance(lost[0], Exception)
        for (pid,) in self.waits():
            self.world.sql(f"SELECT pg_terminate_backend({pid})")
        wait_for("its session's end", lambda: not self.waits())
        self.world.sql("DROP TRIGGER hold ON idempotency")
        # Until its lease has ended nobody can know whether it is dead.
        answers = []

        def is_done():
            answers.append(self.post(self.on_b, "lost", "lost"))
            return answers[-1][0] != 409

        wait_for("the end of its lease", is_done)
        status, headers, body = answers[-1]
        self.assertEqual((status, headers["Idempotency-Replayed"]), (200, None))
        self.assertEqual({(s, h["Retry-After"]) for s, h, _ in answers[:-1]} - {(409, "1")}, set())
        self.assertEqual(self.world.sql("SELECT id FROM projects WHERE name = 'lost'"), [[json.loads(body)["id"]]])
        self.assertEqual(self.post(self.on_b, "lost", "lost")[2], body)

    def test_a_client_that_left_finds_its_answer(self):
        holder = self.hold_answers()
        connection = http.client.HTTPConnection("127.0.0.1", self.world.port, timeout=30)
        connection.request("POST", "/api/projects", json.dumps({"name": "left"}),
                           {"Cookie": self.on_a.cookie, "Content-Type": "application/json", "Idempotency-Key": "left"})
        wait_for("the deed", self.waits)
        connection.close()
        self.let_go(holder)
        wait_for("the answer", lambda: self.world.sql("SELECT key FROM idempotency WHERE is_answered"))
        status, headers, body = self.post(self.on_b, "left", "left")
        self.assertEqual((status, headers["Idempotency-Replayed"]), (200, "true"))
        self.assertEqual(self.world.sql("SELECT id FROM projects WHERE name = 'left'"), [[json.loads(body)["id"]]])


if __name__ == "__main__":
    main()
