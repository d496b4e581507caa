# SPDX-License-Identifier: MIT
"""Floods in short form: what one hostile client may cost. Bounded are the memory of the server and the fate of the hostile
connection; another client must be answered meanwhile. Times are not judged here: bench/ does that."""
import resource
import socket
import unittest

import lab
from test_connections import wait_for

PLAIN_KIB = 1024       # allowed growth of the process
SANITIZED_KIB = 12288  # the same with AddressSanitizer's shadow and red zones


class Floods(unittest.TestCase):
    def start(self, **options):
        server = lab.Server(lab.program(), **options)
        self.addCleanup(self.finish, server)
        for _ in range(20):  # buffers and code that any traffic needs
            self.assertIsNotNone(server.stats())
        self.bound_kib = SANITIZED_KIB if server.stats()['sanitized'] else PLAIN_KIB
        self.before_kib = server.rss_kib()
        return server

    def finish(self, server):
        self.assertEqual(server.stop(), 0, server.log.decode()[-4000:])

    def assert_well(self, server):
        with server.client() as other:
            self.assertEqual(other.get('/x').status, 200)
        self.assertLess(server.rss_kib() - self.before_kib, self.bound_kib)

    def push(self, client, unit, total):
        """Writes until the server has closed or all is sent; the bytes written."""
        sent = 0
        while sent < total and client.send(unit):
            sent += len(unit)
        return sent

    def assert_cut_off(self, client, unit, total):
        """The server must not take it all, and must close."""
        self.push(client, unit, total)
        client.rest()
        self.assertTrue(client.eof)

    def test_a_chunk_size_line_without_end(self):
        server = self.start()
        for unit in (b'1' * 65536, b'1;' + b'a' * 65534):
            with server.client() as client:
                client.send(b'POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
                self.assert_cut_off(client, unit, 16 << 20)
                self.assert_well(server)

    def test_a_head_line_without_end(self):
        server = self.start()
        for start in (b'GET /', b'GET / HTTP/1.1\r\nHost: a\r\nX: ', b'GET / HTTP/1.1\r\nX'):
            with server.client() as client:
                client.send(start)
                self.assert_cut_off(client, b'a' * 65536, 16 << 20)
                self.assert_well(server)

    def test_sixteen_thousand_fields(self):
        server = self.start()
        with server.client() as client:
            client.send(b'GET / HTTP/1.1\r\nHost: a\r\n' + b'a:\r\n' * 16000)
            answer = client.answer()
            self.assertTrue(answer is None or answer.status == 431)
            self.assert_well(server)

    def test_bytes_written_into_an_open_stream(self):
        server = self.start()
        with server.client() as client:
            self.assertEqual(client.get('/stream').status, 200)
            self.assert_cut_off(client, b'x' * 65536, 64 << 20)
            self.assert_well(server)

    def test_a_body_beyond_its_ceiling(self):
        server = self.start()
        for head in (b'Content-Length: 1073741824', b'Transfer-Encoding: chunked'):
            with server.client() as client:
                client.send(b'POST /x HTTP/1.1\r\nHost: a\r\n' + head + b'\r\n\r\n')
                unit = b'10000\r\n' + b'x' * 65536 + b'\r\n' if b'chunked' in head else b'x' * 65536
                sent = self.push(client, unit, 64 << 20)
                self.assertLess(sent, 32 << 20)
                # More than 64 KB behind the refusal are not read, so the answer may be lost to a reset; never is it 2xx.
                self.assertNotIn(b'HTTP/1.1 2', client.rest())
                self.assert_well(server)

    def test_a_body_of_one_byte_chunks_with_extensions(self):
        server = self.start()
        with server.client() as client:
            client.send(b'POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
            self.assert_cut_off(client, b'1;aaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n' * 1000, 16 << 20)
            self.assert_well(server)

    def test_many_pipelined_requests(self):
        server = self.start()
        with server.client() as client:
            client.send(b'GET /x HTTP/1.1\r\nHost: a\r\n\r\n' * 2000)
            for _ in range(2000):
                self.assertEqual(client.answer().status, 200)
            self.assert_well(server)

    def test_slow_heads_and_bodies_end_by_their_deadline(self):
        server = self.start(head_ms=400, body_ms=400)
        heads = [server.client() for _ in range(150)]
        bodies = [server.client() for _ in range(100)]
        for client in heads:
            client.send(b'GET /x HTTP/1.1\r\nHo')
        for client in bodies:
            client.send(b'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx')
        with server.client() as other:
            self.assertEqual(other.get('/x').status, 200)
        for client in heads + bodies:
            self.assertEqual(client.answer().status, 408)
            self.assertIsNone(client.answer())
            client.close()
        wait_for(server, lambda s: s['connections'] == 1)

    def test_dropped_streams_leave_nothing(self):
        server = self.start()
        after_first = None
        for _ in range(4):
            streams = [server.client() for _ in range(200)]
            for client in streams:
                self.assertEqual(client.get('/stream').status, 200)
            with server.client() as other:
                self.assertEqual(other.get('/publish?bytes=100').status, 204)
            for client in streams:
                client.reset()
            wait_for(server, lambda s: s['streams'] == 0 and s['connections'] == 1)
            after_first = after_first or server.rss_kib()
        self.assertLess(server.rss_kib() - after_first, self.bound_kib)

    def test_an_idle_stream_is_small(self):
        server = self.start()
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        before = server.rss_kib()
        streams = [server.client() for _ in range(1500)]
        for client in streams:
            self.assertEqual(client.get('/stream').status, 200)
        each = (server.rss_kib() - before) * 1024 / len(streams)
        print(f'{each:.0f} bytes per idle stream')
        if not server.stats()['sanitized']:
            self.assertLess(each, 1536)
        for client in streams:
            client.close()

    def test_streams_that_never_read_are_cut(self):
        server = self.start()
        streams = []
        for _ in range(20):
            client = lab.Client.__new__(lab.Client)
            client.sock = socket.socket()
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sock.settimeout(lab.WAIT_S)
            client.sock.connect(server.address)
            client.bytes, client.eof = b'', False
            client.send(b'GET /stream HTTP/1.1\r\nHost: a\r\n\r\n')
            streams.append(client)
        wait_for(server, lambda s: s['streams'] == 20)
        with server.client() as other:
            for _ in range(12):
                self.assertEqual(other.get('/publish?bytes=40000').status, 204)
        stats = wait_for(server, lambda s: s['streams'] == 0)
        self.assertEqual(stats['streams_cut'], 20)
        self.assertEqual(stats['unsent'], 0)
        for client in streams:
            client.close()

    def test_descriptors_running_out(self):
        # 64 descriptors, 80 clients that say nothing: whoever speaks is answered, at the cost of the silent ones.
        server = self.start(files=64)
        silent = [server.client() for _ in range(80)]
        for _ in range(20):
            with server.client() as other:
                self.assertEqual(other.get('/x').status, 200)
        for client in silent:
            client.close()
        self.assertEqual(server.stats()['gone'], 0)

    def test_descriptors_running_out_below_the_cap(self):
        # Other parts of the process hold most descriptors, and every connection is busy: newcomers are shed, not the busy.
        server = self.start(files=64, occupied=44)
        busy = [server.client() for _ in range(5)]
        for client in busy:
            client.send(b'GET /slow?ms=1500 HTTP/1.1\r\nHost: a\r\n\r\n')
        wait_for(server, lambda s: s['waiting'] == 5)
        crowd = [server.client() for _ in range(40)]
        for client in crowd:
            client.send(b'GET /slow?ms=1500 HTTP/1.1\r\nHost: a\r\n\r\n')
        for client in busy:
            self.assertEqual(client.answer().status, 200)
        for client in busy + crowd:
            client.close()
        self.assertIsNotNone(server.stats())


if __name__ == '__main__':
    unittest.main(verbosity=2)
