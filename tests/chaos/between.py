# SPDX-License-Identifier: MIT
"""What stands between a replica and its peers: one thread that runs listeners of ours, each leading on to the real one."""
import asyncio
import os
import random
import re
import socket
import ssl
import struct
import threading

CHUNK = 65536
HEAD_MAX = 1 << 20
# Calls for one object, or that write: what flows do. Lists, watches and questions about rights are not counted.
OF_A_FLOW = re.compile(r"(POST|PUT|PATCH|DELETE) (?!/apis/authorization)|GET \S*/namespaces/[^/?]+/[^/?]+/[^/?]+")


def reset(writer):
    """RST instead of FIN, whatever is still unsent."""
    sock = writer.get_extra_info("socket")
    if sock is not None and sock.fileno() >= 0 and sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Between:
    """Base: the thread, its loop, and the ports that were given out."""

    def start(self, ground):
        self.ground = ground
        self.loop = asyncio.new_event_loop()
        self.tasks = set()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    def listen(self, serve, tls=None):
        """Listens on a free port of loopback; serve(reader, writer) for each connection."""

        async def guarded(reader, writer):
            try:
                await serve(reader, writer)
            except (OSError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                pass
            finally:
                reset(writer)

        starting = asyncio.start_server(guarded, "127.0.0.1", 0, ssl=tls, limit=HEAD_MAX)
        server = asyncio.run_coroutine_threadsafe(starting, self.loop).result(10)
        return server.sockets[0].getsockname()[1]


class CallGate(Between):
    """Reads each call to the API server. The replica that makes the n-th call about a project that is armed is killed
    right before the call is passed on, or right after the API server has answered it. mode: "before" or "after"."""

    def __init__(self, mode):
        self.mode = mode
        self.armed = {}  # beginning of its objects' names: how many more calls
        self.lock = threading.Lock()

    def arm(self, name, project, n):
        with self.lock:
            self.armed[f"{name}-agentruntime-".encode()] = n

    def disarm(self, name, project):
        """How many calls more it would have been; 0 or less: there was such a call."""
        with self.lock:
            return self.armed.pop(f"{name}-agentruntime-".encode(), 1)

    def redirect(self, ground, port, env):
        name = ground.name_of(port)
        if not hasattr(self, "api_ports"):
            self.api_ports = {}
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(f"{ground.dir}/cluster/server.crt", f"{ground.dir}/cluster/server.key")
            self.tls_up = ssl.create_default_context(cafile=f"{ground.dir}/cluster/ca.crt")
        if name not in self.api_ports:
            self.api_ports[name] = self.listen(lambda r, w: self.serve(name, r, w), self.tls)
        env["FULLSTACKD_KUBE_KUBECONFIG"] = ground.kubeconfig_at(port, self.api_ports[name])

    def verdict(self, line, body):
        """"pass", or the mode when this call is the one."""
        if not OF_A_FLOW.match(line.decode()):
            return "pass"
        with self.lock:
            for beginning in self.armed:
                if beginning in line or beginning in body:
                    self.armed[beginning] -= 1
                    return self.mode if self.armed[beginning] == 0 else "pass"
        return "pass"

    async def serve(self, name, reader, writer):
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.ground.addresses["port"], ssl=self.tls_up)
        state = {"dies_by_answer": False}
        back = asyncio.ensure_future(self.answers(name, state, up_reader, writer))
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.I)
                body = await reader.readexactly(int(length.group(1))) if length else b""
                verdict = self.verdict(head.split(b"\r\n", 1)[0], body)
                if verdict == "before":
                    self.ground.kill(name)
                    return
                state["dies_by_answer"] = verdict == "after"
                up_writer.write(head + body)
                await up_writer.drain()
        finally:
            back.cancel()
            reset(up_writer)

    async def answers(self, name, state, up_reader, writer):
        try:
            while True:
                data = await up_reader.read(CHUNK)
                if state["dies_by_answer"]:
                    self.ground.kill(name)
                    data = b""
                if not data:
                    return
                writer.write(data)
                await writer.drain()
        except (OSError, ssl.SSLError):
            pass
        finally:
            reset(writer)


class Cutter(Between):
    """Leads bytes on, and resets each connection in the middle of what it carries, at a place drawn from the seed."""

    def __init__(self, seed, target):
        self.seed, self.target = seed, target
        self.connections = self.cuts = 0
        self.is_calm = False
        self.ports = {}

    def redirect(self, ground, port, env):
        getattr(self, "redirect_" + self.target)(ground, port, env)

    def port_to(self, key, connect):
        if key not in self.ports:
            self.ports[key] = self.listen(lambda r, w: self.serve(connect, r, w))
        return self.ports[key]

    def redirect_api(self, ground, port, env):
        there = self.port_to("api", lambda: asyncio.open_connection("127.0.0.1", ground.addresses["port"]))
        env["FULLSTACKD_KUBE_KUBECONFIG"] = ground.kubeconfig_at(port, there)

    def redirect_postgresql(self, ground, port, env):
        there = self.port_to("pg", lambda: asyncio.open_connection("127.0.0.1", int(os.environ["FS_PG_PORT"])))
        password = ground.give_password()
        env["DATABASE_URL"] = (f"postgresql://fullstackd:{password}@127.0.0.1:{there}/{ground.database}"
                               f"?application_name={ground.name_of(port)}")

    def redirect_redis(self, ground, port, env):
        there = self.port_to("redis", lambda: asyncio.open_unix_connection(os.environ["FS_REDIS_SOCKET"]))
        env["FULLSTACKD_REDIS_URL"] = f"redis://127.0.0.1:{there}/0"

    def budget(self):
        """How many bytes the next connection lives for; None: as long as it likes."""
        self.connections += 1
        chance = random.Random(f"cut {self.seed} {self.target} {self.connections}")
        if self.is_calm or chance.random() < 0.25:
            return None
        return int(10 ** chance.uniform(0, 5))

    async def serve(self, connect, reader, writer):
        up_reader, up_writer = await connect()
        state = {"left": self.budget()}
        ways = [asyncio.ensure_future(self.carry(state, reader, up_writer)),
                asyncio.ensure_future(self.carry(state, up_reader, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            reset(up_writer)

    async def carry(self, state, reader, writer):
        try:
            while True:
                data = await reader.read(CHUNK)
                if not data:
                    return
                if state["left"] is not None:
                    data = data[:state["left"]]
                    state["left"] -= len(data)
                writer.write(data)
                await writer.drain()
                if state["left"] == 0:
                    self.cuts += 1
                    return
        except OSError:
            pass
