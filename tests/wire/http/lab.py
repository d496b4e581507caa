# SPDX-License-Identifier: MIT
"""The test server as a process, and a client that speaks raw bytes. Standard library only; loopback only."""
import base64
import json
import os
import signal
import socket
import struct
import subprocess

WAIT_S = 20  # how long a test waits before it calls something a hang


class Answer:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body
        self.echo = json.loads(base64.b64decode(fields['x-echo'])) if 'x-echo' in fields else None

    def json(self):
        return json.loads(self.body)

    def says_close(self):
        return 'close' in self.fields.get('connection', '').lower()


class Client:
    """One connection. Reads answers; `eof` tells that the server closed."""

    def __init__(self, address, wrap=None):
        if isinstance(address, str):
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(WAIT_S)
            sock.connect(address)
        else:
            sock = socket.create_connection(address, timeout=WAIT_S)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = wrap(sock) if wrap else sock
        self.bytes = b''
        self.eof = False

    def send(self, data):
        """False: the server closed meanwhile."""
        try:
            self.sock.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def fill(self):
        if self.eof:
            return False
        try:
            more = self.sock.recv(65536)
        except ConnectionResetError:
            more = b''
        if not more:
            self.eof = True
        self.bytes += more
        return not self.eof

    def until(self, mark):
        """The bytes up to and with `mark`; None when the server closed before."""
        while mark not in self.bytes:
            if not self.fill():
                return None
        at = self.bytes.index(mark) + len(mark)
        taken, self.bytes = self.bytes[:at], self.bytes[at:]
        return taken

    def exactly(self, n):
        while len(self.bytes) < n:
            if not self.fill():
                raise EOFError(f'{n} bytes wanted, {len(self.bytes)} came')
        taken, self.bytes = self.bytes[:n], self.bytes[n:]
        return taken

    def answer(self, method='GET'):
        """The next answer, or None when the server closed."""
        head = self.until(b'\r\n\r\n')
        if head is None:
            return None
        lines = head[:-4].decode('latin-1').split('\r\n')
        status = int(lines[0].split(' ')[1])
        fields = {}
        for line in lines[1:]:
            name, value = line.split(':', 1)
            assert name.lower() not in fields, f'{name} stands twice'
            fields[name.lower()] = value.strip()
        answer = Answer(status, fields, b'')
        is_head = answer.echo['method'] == 'HEAD' if answer.echo else method == 'HEAD'
        if status >= 400 and answer.says_close():
            # The last answer; without its body if the refused request was a HEAD.
            answer.body = self.rest()
            assert len(answer.body) in (0, int(fields['content-length'])), 'bytes after the last answer'
        elif 'content-length' in fields and not is_head and status != 304:
            answer.body = self.exactly(int(fields['content-length']))
        return answer

    def get(self, target, extra=''):
        self.send(f'GET {target} HTTP/1.1\r\nHost: a\r\n{extra}\r\n'.encode())
        return self.answer()

    def rest(self):
        """Everything until the server closes."""
        while self.fill():
            pass
        taken, self.bytes = self.bytes, b''
        return taken

    def reset(self):
        """Leaves with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Server:
    def __init__(self, program, **options):
        arguments = [f'{key}={value}' for key, value in options.items()]
        # Freed memory must come back for the memory bounds to mean anything under AddressSanitizer.
        environment = dict(os.environ)
        environment['ASAN_OPTIONS'] = 'quarantine_size_mb=1:' + environment.get('ASAN_OPTIONS', '')
        self.process = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=environment)
        line = self.process.stdout.readline().decode()
        if not line.startswith('ready '):
            _, log = self.process.communicate(timeout=WAIT_S)
            raise RuntimeError(f'the server did not start: {line}{log.decode()}')
        self.port = int(line.split()[1])
        path = str(options.get('address', ''))
        self.address = path[5:] if path.startswith('unix:') else ('127.0.0.1', self.port)
        self.log = None
        self.is_draining = False

    def client(self):
        return Client(self.address)

    def stats(self):
        with self.client() as c:
            return c.get('/stats', 'Connection: close\r\n').json()

    def rss_kib(self):
        with open(f'/proc/{self.process.pid}/status', encoding='ascii') as f:
            for line in f:
                if line.startswith('VmRSS:'):
                    return int(line.split()[1])
        raise RuntimeError('no VmRSS')

    def signal(self, number):
        self.process.send_signal(number)

    def drain(self):
        """Once: a second signal could meet a process that has put its handler away."""
        if not self.is_draining and self.process.poll() is None:
            self.is_draining = True
            self.signal(signal.SIGTERM)

    def pause(self):
        """Its kernel goes on taking connections; it does nothing until go_on()."""
        self.signal(signal.SIGSTOP)

    def go_on(self):
        self.signal(signal.SIGCONT)

    def stop(self):
        """Drains; the exit status."""
        self.drain()
        try:
            _, self.log = self.process.communicate(timeout=WAIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            _, self.log = self.process.communicate()
            raise
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        status = self.stop()
        if kind is None and status != 0:
            raise AssertionError(f'the server ended with {status}:\n{self.log.decode()[-4000:]}')


def case_steps(case):
    """The bytes of one case of cases.json, step by step."""
    for step in case['request']:
        if 'send' in step:
            data = step['send'].encode('latin-1')
            if 'then_repeat' in step:
                unit = step['then_repeat'].encode('latin-1')
                data += unit * ((step['to_length'] - len(data)) // len(unit))
            yield data


def load_cases():
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, 'cases.json'), encoding='utf-8') as f:
        return json.load(f)['cases']


def program():
    path = os.environ.get('HTTP_TEST_SERVER')
    if not path:
        raise SystemExit('HTTP_TEST_SERVER names the test server; ctest sets it')
    return path
