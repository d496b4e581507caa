# SPDX-License-Identifier: MIT
"""Connections over real sockets: leaving clients, the drain, caps, TLS, Unix sockets."""
import os
import shutil
import signal
import ssl
import subprocess
import tempfile
import unittest

import lab


def wait_for(server, wanted):
    """Asks for the statistics until `wanted` holds; each question is a round trip, so nothing sleeps."""
    for _ in range(2000):
        stats = server.stats()
        if wanted(stats):
            return stats
    raise AssertionError(f'did not come about: {stats}')


class Connections(unittest.TestCase):
    def test_a_client_that_leaves_while_waiting_is_noticed(self):
        with lab.Server(lab.program()) as server:
            client = server.client()
            client.send(b'GET /slow?ms=600000 HTTP/1.1\r\nHost: a\r\n\r\n')
            wait_for(server, lambda s: s['waiting'] == 1)
            client.close()
            wait_for(server, lambda s: s['gone'] == 1)

    def test_a_client_that_resets_behind_unread_bytes_is_noticed_and_costs_nothing(self):
        with lab.Server(lab.program()) as server:
            client = server.client()
            client.send(b'GET /slow?ms=600000 HTTP/1.1\r\nHost: a\r\n\r\n' + b'x' * 200000)
            wait_for(server, lambda s: s['waiting'] == 1)
            client.reset()
            wait_for(server, lambda s: s['gone'] == 1)
            before = server.stats()['turns']
            self.assertLess(server.stats()['turns'] - before, 100)

    def test_bytes_behind_a_waiting_request_are_not_read_and_do_not_spin(self):
        with lab.Server(lab.program()) as server, server.client() as client:
            client.send(b'GET /slow?ms=600000 HTTP/1.1\r\nHost: a\r\n\r\n' + b'GET /1 HTTP/1.1\r\nHost: a\r\n\r\n' * 1000)
            wait_for(server, lambda s: s['waiting'] == 1)
            before = server.stats()
            after = server.stats()
            self.assertLess(after['turns'] - before['turns'], 100)
            self.assertEqual(after['gone'], 0)

    def test_slow_and_pipelined_answers_keep_their_order(self):
        with lab.Server(lab.program()) as server, server.client() as client:
            client.send(b'GET /slow?ms=50&a HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n')
            self.assertEqual(client.answer().json()['path'], '/slow')
            self.assertEqual(client.answer().json()['path'], '/second')

    def test_a_large_answer_to_a_client_that_reads_late_is_whole(self):
        with lab.Server(lab.program()) as server, server.client() as client:
            client.send(b'GET /big?n=8000000 HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n')
            wait_for(server, lambda s: s['unsent'] > 0)  # the socket is full: the server waits for us
            answer = client.answer()
            alphabet = bytes(range(ord('a'), ord('z') + 1))
            self.assertEqual(answer.body, (alphabet * (8000000 // 26 + 1))[:8000000])
            self.assertEqual(client.answer().json()['path'], '/second')

    def test_401_and_415_come_before_100_continue(self):
        with lab.Server(lab.program()) as server:
            for path, status in (('/deny', 401), ('/media', 415)):
                with server.client() as client:
                    client.send(f'POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n'
                                .encode())
                    answer = client.answer()
                    self.assertEqual(answer.status, status)
                    self.assertTrue(answer.says_close())
                    self.assertIsNone(client.answer())

    def test_a_drain_answers_who_waits_and_ends_streams_with_retry(self):
        server = lab.Server(lab.program())
        idle, waiting, stream = server.client(), server.client(), server.client()
        self.assertEqual(idle.get('/x').status, 200)
        waiting.send(b'GET /slow?ms=500 HTTP/1.1\r\nHost: a\r\n\r\n')
        self.assertEqual(stream.get('/stream').status, 200)
        wait_for(server, lambda s: s['streams'] == 1 and s['waiting'] == 1)
        server.drain()
        self.assertIsNone(idle.answer())
        answer = waiting.answer()
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.says_close())
        events = stream.rest()
        self.assertEqual(events.count(b'retry: '), 2)
        self.assertTrue(events.endswith(b'0\r\n\r\n'))
        with self.assertRaises(ConnectionRefusedError):
            server.client()
        for client in (idle, waiting, stream):
            client.close()
        self.assertEqual(server.stop(), 0, server.log)

    def test_a_drain_answers_everybody_who_was_let_in(self):
        """Connections that wait to be accepted, some with a request sent, some not yet, when the drain begins."""
        server = lab.Server(lab.program())
        server.pause()
        clients = [server.client() for _ in range(20)]
        for client in clients[:15]:
            client.send(b'GET /x HTTP/1.1\r\nHost: a\r\n\r\n')
        server.drain()
        server.go_on()
        for client in clients[15:]:
            client.send(b'GET /x HTTP/1.1\r\nHost: a\r\n\r\n')
        for client in clients:
            answer = client.answer()
            self.assertEqual(answer.status, 200)
            self.assertTrue(answer.says_close())
            client.close()
        self.assertEqual(server.stop(), 0, server.log)

    def test_an_address_has_no_more_connections_than_its_cap(self):
        with lab.Server(lab.program(), per_peer=5) as server:
            clients = [server.client() for _ in range(5)]
            for client in clients:
                self.assertEqual(client.get('/x').status, 200)
            with server.client() as one_more:
                self.assertIsNone(one_more.get('/x'))
            clients.pop().close()
            for _ in range(2000):  # until the server has seen the end of the fifth
                with server.client() as again:
                    answer = again.get('/x')
                if answer is not None:
                    break
            self.assertEqual(answer.status, 200)
            for client in clients:
                client.close()

    def test_the_longest_idle_connection_makes_room(self):
        with lab.Server(lab.program(), connections=4) as server:
            clients = [server.client() for _ in range(4)]
            for client in clients:
                self.assertEqual(client.get('/x').status, 200)
            with server.client() as newest:
                self.assertEqual(newest.get('/x').status, 200)
                self.assertIsNone(clients[0].answer())
                self.assertEqual(clients[3].get('/x').status, 200)
            for client in clients:
                client.close()

    def test_forwarded_fields_count_from_trusted_peers_alone(self):
        extra = 'X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n'
        with lab.Server(lab.program(), trusted='127.0.0.0/8') as server, server.client() as client:
            answer = client.get('/x', extra)
            self.assertEqual((answer.json()['peer'], answer.json()['secure']), ('192.0.2.7', True))
            self.assertIn('strict-transport-security', answer.fields)
        with lab.Server(lab.program()) as server, server.client() as client:
            answer = client.get('/x', extra)
            self.assertEqual((answer.json()['peer'], answer.json()['secure']), ('127.0.0.1', False))
            self.assertNotIn('strict-transport-security', answer.fields)

    def test_a_unix_socket_serves_and_is_removed(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'http.sock')
            with lab.Server(lab.program(), address=f'unix:{path}') as server, server.client() as client:
                self.assertEqual(client.get('/x').json()['peer'], 'local')
                client.get('/x', 'Connection: close\r\n')
            self.assertFalse(os.path.exists(path))

    def test_a_socket_left_behind_is_taken_over_but_a_living_one_is_not(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'http.sock')
            first = lab.Server(lab.program(), address=f'unix:{path}')
            with self.assertRaises(RuntimeError):
                lab.Server(lab.program(), address=f'unix:{path}')
            first.process.kill()
            first.process.communicate()
            self.assertTrue(os.path.exists(path))
            with lab.Server(lab.program(), address=f'unix:{path}') as second, second.client() as client:
                self.assertEqual(client.get('/x', 'Connection: close\r\n').status, 200)

    def test_an_ipv6_listener_counts_ipv4_clients_by_their_address(self):
        try:
            server = lab.Server(lab.program(), address='::')
        except RuntimeError:
            self.skipTest('no IPv6 here')
        with server, server.client() as client:
            self.assertEqual(client.get('/x', 'Connection: close\r\n').json()['peer'], '127.0.0.1')


def make_certificate(folder, name):
    cert, key = os.path.join(folder, 'cert.pem'), os.path.join(folder, 'key.pem')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
                    '-subj', f'/CN={name}', '-addext', f'subjectAltName=DNS:{name}', '-keyout', key, '-out', cert],
                   check=True, capture_output=True)
    return cert, key


@unittest.skipUnless(shutil.which('openssl'), 'openssl is not installed: TLS is NOT tested')
class Tls(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.cert, self.key = make_certificate(self.folder, 'first.test')
        self.server = lab.Server(lab.program(), cert=self.cert, key=self.key)

    def tearDown(self):
        self.assertEqual(self.server.stop(), 0, self.server.log)

    def connect(self, name='first.test', cafile=None, **settings):
        context = ssl.create_default_context(cafile=cafile or self.cert)
        for key, value in settings.items():
            if key == 'alpn':
                context.set_alpn_protocols(value)
            else:
                setattr(context, key, value)
        return lab.Client(self.server.address, lambda sock: context.wrap_socket(sock, server_hostname=name))

    def test_requests_travel_by_tls_1_2_and_1_3(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version), self.connect(minimum_version=version, maximum_version=version) as client:
                answer = client.get('/x')
                self.assertTrue(answer.json()['secure'])
                self.assertIn('strict-transport-security', answer.fields)
                self.assertEqual(client.get('/y').json()['path'], '/y')

    def test_http_1_1_is_the_only_protocol(self):
        with self.connect(alpn=['h2', 'http/1.1']) as client:
            self.assertEqual(client.sock.selected_alpn_protocol(), 'http/1.1')
        with self.assertRaises((ssl.SSLError, ConnectionResetError)):
            self.connect(alpn=['h2'])

    def test_large_bodies_travel_both_ways(self):
        with self.connect() as client:
            body = os.urandom(900000)
            client.send(b'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n' + body)
            import base64
            self.assertEqual(base64.b64decode(client.answer().json()['body']), body)
            self.assertEqual(len(client.get('/big?n=8000000').body), 8000000)

    def test_streams_travel_and_leaving_is_noticed(self):
        client = self.connect()
        self.assertEqual(client.get('/stream').status, 200)
        with self.connect() as other:
            self.assertEqual(other.get('/publish').status, 204)
            self.assertIsNotNone(client.until(b'data: xxxxxxxxxx\n\n'))
            client.close()
            for _ in range(2000):
                if other.get('/stats').json()['streams'] == 0:
                    return
        self.fail('the stream is still there')

    def test_plain_http_gets_no_answer(self):
        with lab.Client(self.server.address) as client:
            client.send(b'GET /x HTTP/1.1\r\nHost: a\r\n\r\n')
            self.assertNotIn(b'HTTP/1.1 200', client.rest())

    def test_a_new_certificate_is_taken_on_reload_and_a_broken_one_is_not(self):
        make_certificate(self.folder, 'second.test')
        self.server.signal(signal.SIGHUP)
        self.expect_name('second.test')
        ca = os.path.join(self.folder, 'ca.pem')
        shutil.copy(self.cert, ca)
        with open(self.cert, 'w', encoding='ascii') as f:
            f.write('broken')
        self.server.signal(signal.SIGHUP)
        with self.connect('second.test', cafile=ca) as client:
            self.assertEqual(client.get('/x').status, 200)

    def expect_name(self, name):
        for _ in range(200):
            try:
                with self.connect(name) as client:
                    self.assertEqual(client.get('/x').status, 200)
                    return
            except ssl.SSLCertVerificationError:
                continue  # the signal is still on its way
        self.fail(f'no certificate for {name}')


if __name__ == '__main__':
    unittest.main(verbosity=2)
