# SPDX-License-Identifier: MIT
"""A relay between a client and an API server that loses, holds and garbles on request. Bytes pass unread (TLS goes from
end to end, also HTTP/2), or with `tls` given the client's side is plain HTTP/1.1 and text can be put between the server's."""
import select
import socket
import ssl
import struct
import threading
import time

DEADLINE_S = 30
CHUNK_BYTES = 1 << 16


class Pair(threading.Thread):
    """One connection: all of its sockets' work is done in its thread."""

    def __init__(self, relay, client):
        super().__init__(daemon=True)
        self.relay = relay
        self.client = client
        self.server = None
        self.wake_out, self.wake_in = socket.socketpair()
        self.is_cut = False
        self.is_watch = False
        self.is_answered = False  # the server has sent something since the client's last request
        self.is_between = False   # what it sent ended with a chunk's end
        self.words = []           # to be put in: (bytes, is the end of the answer)

    def nudge(self):
        try:
            self.wake_in.send(b"x")
        except OSError:
            pass

    def run(self):
        try:
            self.server = socket.create_connection(("127.0.0.1", self.relay.upstream), DEADLINE_S)
            if self.relay.tls:
                self.server = self.relay.tls.wrap_socket(self.server, server_hostname="127.0.0.1")
            while not self.is_cut and self.turn():
                pass
        except (OSError, ssl.SSLError):
            pass
        self.end()

    def turn(self):
        wanted = [self.client, self.wake_out] + ([] if self.relay.is_held else [self.server])
        has_rest = self.relay.tls and not self.relay.is_held and self.server.pending() > 0
        ready = select.select(wanted, [], [], 0 if has_rest else None)[0]
        if self.wake_out in ready:
            self.wake_out.recv(CHUNK_BYTES)
        if self.client in ready and not self.from_client():
            return False
        if (self.server in ready or has_rest) and not self.from_server():
            return False
        return self.put_in()

    def from_client(self):
        data = self.client.recv(CHUNK_BYTES)
        if data and self.relay.tls:
            self.is_watch = b"watch=1" in data.split(b"\r\n", 1)[0]
            self.is_answered = self.is_between = False
        self.server.sendall(data)
        return bool(data)

    def from_server(self):
        data = self.server.recv(CHUNK_BYTES)
        self.client.sendall(data)
        self.is_answered = True
        self.is_between = data.endswith(b"\r\n")
        return bool(data)

    def put_in(self):
        while self.words and self.is_between:
            data, is_end = self.words.pop(0)
            self.client.sendall(b"%x\r\n%s\r\n" % (len(data), data))
            if is_end:
                self.client.sendall(b"0\r\n\r\n")
                return False
        return True

    def end(self):
        if self.is_cut:  # a reset, not an orderly end
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for s in (self.client, self.server):
            if s is not None:
                s.close()
        self.relay.forget(self)
        self.wake_in.close()
        self.wake_out.close()


class Relay:
    def __init__(self, upstream, tls=None):
        self.upstream = upstream
        self.tls = tls
        self.is_held = False
        self.lock = threading.Lock()
        self.pairs = set()
        self.port = 0
        self.listener = None
        self.accept()

    def listen(self, listener):
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            pair = Pair(self, client)
            with self.lock:
                self.pairs.add(pair)
            pair.start()

    def forget(self, pair):
        with self.lock:
            self.pairs.discard(pair)

    def nudge_all(self):
        with self.lock:
            pairs = list(self.pairs)
        for pair in pairs:
            pair.nudge()
        return pairs

    # ---- what can be asked for ----

    def accept(self):
        """Takes connections (again), on the port it had."""
        if self.listener is None:
            self.listener = socket.socket()
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind(("127.0.0.1", self.port))
            self.listener.listen(64)
            self.port = self.listener.getsockname()[1]
            self.acceptor = threading.Thread(target=self.listen, args=(self.listener,), daemon=True)
            self.acceptor.start()

    def refuse(self):
        """Takes no connections, and cuts those there are."""
        if self.listener is not None:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.acceptor.join(DEADLINE_S)
            self.listener.close()
            self.listener = None
        self.cut()

    def cut(self):
        with self.lock:
            pairs = list(self.pairs)
        for pair in pairs:
            pair.is_cut = True
            pair.nudge()
        for pair in pairs:
            pair.join(DEADLINE_S)

    def hold(self):
        """What the server says stays here."""
        self.is_held = True
        self.nudge_all()

    def release(self):
        self.is_held = False
        self.nudge_all()

    def put_in(self, data, is_end):
        """Between the events of the one watch that runs through this relay."""
        until = time.monotonic() + DEADLINE_S
        while time.monotonic() < until:
            with self.lock:
                watches = [pair for pair in self.pairs if pair.is_watch and pair.is_answered]
            if watches:
                watches[0].words.append((data, is_end))
                watches[0].nudge()
                return
            time.sleep(0.005)
        raise RuntimeError("no watch runs through the relay")
