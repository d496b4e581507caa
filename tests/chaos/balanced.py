# SPDX-License-Identifier: MIT
"""A rolling restart behind a load balancer that knows no more than /readyz tells it now and then, as a Service of Kubernetes does:
it asks nobody a second time. No request may fail, though Redis ends and comes back meanwhile. Then a replica that
stands still for longer than its lease and goes on, and PostgreSQL restarted, under the same load."""
import asyncio
import os
import random
import signal
import subprocess
import threading

from between import Between, CHUNK, reset
from ground import Ground, PHASES
from judge import judge
from rolling import look, replace
from witness import Caller

ASK_EVERY_S = 0.2
KNOWS_WITHIN = "2s"  # how long a replica goes on serving that is not ready: several times the above
SLEPT = "replicas that slept over their lease"
TRIES = 5  # to find one that leads something
HELLO = b"GET /readyz HTTP/1.1\r\nHost: balancer\r\nConnection: close\r\n\r\n"


class Balancer(Between):
    """Leads each connection to a replica that said lately that it is ready. Refused there, the client is refused."""

    def __init__(self, seed):
        self.chance = random.Random(f"balancer {seed}")
        self.ready = set()
        self.refused = self.led = 0
        self.door = None

    def start(self, ground):
        super().start(ground)
        self.door = self.listen(self.serve)
        asyncio.run_coroutine_threadsafe(self.watch(), self.loop)

    def redirect(self, ground, port, env):
        pass

    async def watch(self):
        while True:
            for port in list(self.ground.ports):
                try:
                    is_ready = await asyncio.wait_for(self.ask(port), 5)
                except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
                    is_ready = False
                (self.ready.add if is_ready else self.ready.discard)(port)
            await asyncio.sleep(ASK_EVERY_S)

    async def ask(self, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(HELLO)
            return (await reader.readline()).startswith(b"HTTP/1.1 200")
        finally:
            writer.close()

    async def serve(self, reader, writer):
        while not self.ready:  # all replicas at once are not ready while they know no schema or PostgreSQL is away
            await asyncio.sleep(ASK_EVERY_S / 10)
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.chance.choice(sorted(self.ready)))
        except OSError:
            self.refused += 1
            raise
        self.led += 1
        ways = [asyncio.ensure_future(carry(reader, up_writer)), asyncio.ensure_future(carry(up_reader, writer))]
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            if ways[1] in done:  # what the replica said arrives, to its end
                writer.close()
                await writer.wait_closed()
        finally:
            for way in ways:
                way.cancel()
            reset(up_writer)


async def carry(reader, writer):
    while True:
        data = await reader.read(CHUNK)
        if not data:
            return
        writer.write(data)
        await writer.drain()


def use(ground, number, caller, witness, is_over):
    """Lives one project after the other and looks at things in between."""
    n = 0
    while not is_over.is_set():
        n += 1
        project = []
        ground.live(f"behind{number}x{n}", PHASES, caller, witness, lambda phase, p: look(caller, p, project))


class Load:
    """So many users, each with streams of his own, for as long as this is entered."""

    def __init__(self, ground, is_strict):
        self.is_over = threading.Event()
        self.threads = []
        for i, user in enumerate(ground.callers):
            caller = Caller(ground, user.cookie, is_strict)
            self.threads.append(threading.Thread(target=use, args=(ground, i, caller, ground.witnesses[2 * i], self.is_over), daemon=True))

    def __enter__(self):
        for thread in self.threads:
            thread.start()

    def __exit__(self, *_):
        self.is_over.set()
        for thread in self.threads:
            thread.join(240)


def redis(what):
    subprocess.run([os.environ["FS_REDIS_CTL"], what], check=True, stdout=subprocess.DEVNULL)


def more(ground, rows):
    """Until things have moved on."""
    told = sum(len(w.events) for w in ground.witnesses)
    ground.witness.wait(lambda: sum(len(w.events) for w in ground.witnesses) > told + rows, 30)


def roll(ground, rounds):
    """Each replica in turn; at every other round Redis is away for as long as it takes."""
    ground.findings.expect("restarts", rounds)
    ground.findings.expect("restarts without Redis", rounds // 2)
    with Load(ground, is_strict=True):
        for i in range(rounds):
            has_redis = i % 2 == 0
            if not has_redis:
                redis("stop")
            try:
                replace(ground, ground.ports[i % len(ground.ports)])
            finally:
                if not has_redis:
                    redis("start")
                    ground.findings.count_hit("restarts without Redis")
            ground.findings.count_run()
            ground.findings.count_hit("restarts")
            more(ground, 20)
    if ground.between.refused:
        ground.findings.add("lost", f"{ground.between.refused} connections were led to a shut door")


def sleep_over(ground, port, seconds):
    """A replica stands still for longer than its lease; the other one takes over, and what it had in mind is refused. False:
    it led nothing at that moment, so that nothing was hit."""
    server = ground.server_at(port)
    taken = len(ground.sql("SELECT 1 FROM handovers"))
    server.popen.send_signal(signal.SIGSTOP)
    try:
        ground.pause(seconds)
        is_hit = len(ground.sql("SELECT 1 FROM handovers")) > taken
    finally:
        server.popen.send_signal(signal.SIGCONT)
    ground.wait_all_alive()
    ground.findings.count_run()
    return is_hit


# Whenever another replica leads what was led and is not over.
HANDOVERS = """
CREATE TABLE handovers (at timestamptz);
CREATE FUNCTION note_handover() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO handovers VALUES (clock_timestamp());
    RETURN NULL;
END $$;
CREATE TRIGGER note_handover AFTER UPDATE ON sandboxes FOR EACH ROW
    WHEN (OLD.lease_owner <> NEW.lease_owner AND NOT NEW.is_settled) EXECUTE FUNCTION note_handover();
"""


def wake(ground, sleeps, seconds, restarts):
    ground.findings.expect(SLEPT, sleeps)
    ground.findings.expect("restarts of PostgreSQL", restarts)
    ground.sql(HANDOVERS)
    with Load(ground, is_strict=False):
        for i in range(TRIES * sleeps):
            more(ground, 20)
            if sleep_over(ground, ground.ports[i % len(ground.ports)], seconds):
                ground.findings.count_hit(SLEPT)
            if ground.findings.hits[SLEPT] == sleeps:
                break
        for _ in range(restarts):
            more(ground, 20)
            subprocess.run([os.environ["FS_PG_CTL"], "restart"], check=True, stdout=subprocess.DEVNULL)
            ground.findings.count_run()
            ground.findings.count_hit("restarts of PostgreSQL")
        more(ground, 20)
    ground.sql("DROP TABLE handovers CASCADE")


def ground_of(seed, users):
    env = {"FULLSTACKD_LISTEN_DRAIN_DELAY": KNOWS_WITHIN, "FULLSTACKD_LISTEN_HANDLER_DEADLINE": "60s"}
    return Ground(seed, replicas=2, env=env, between=Balancer(seed), users=users)


def restart(seed, rounds, users=20):
    with ground_of(seed, users) as ground:
        roll(ground, rounds)
        judge(ground)
        return ground.findings


def sleepers(seed, sleeps, seconds, restarts, users=6):
    with ground_of(seed, users) as ground:
        wake(ground, sleeps, seconds, restarts)
        judge(ground)
        return ground.findings
