# SPDX-License-Identifier: MIT
"""Our reader against llhttp (httptools) and h11: for every stream of bytes either we refuse, or we and both of them see the
same requests: method, target, fields, body and where the next request begins. Two readers that disagree about one stream
are what request smuggling is made of, so we may be stricter than they are and never different.

Requests are those of cases.json and as many drawn by a seed, which is printed; DIFFERENTIAL_SEED and DIFFERENTIAL_N set
both. Without either library the test is skipped (77)."""
import base64
import os
import random
import socket
import sys
import tempfile

import lab

try:
    import httptools
except ImportError:
    httptools = None
try:
    import h11
except ImportError:
    h11 = None

# What may differ, and why that is safe. A difference outside this table fails the test.
KNOWN = {
    'upgrade': 'llhttp stops at an offer to upgrade, body unread; we decline it by ignoring it, as RFC 9110 7.8 allows',
    'llhttp-chunk-extension': 'llhttp wants names and quoted strings there; we drop any visible bytes, up to 150 a line',
    'llhttp-tab': 'llhttp wants no tab around "chunked"; blanks around a value are spaces and tabs, RFC 9110 5.6.3',
    'h11-chunk-extension': 'h11 takes fewer kinds of bytes in chunk extensions; we drop any visible bytes, up to 150 a line',
    'h11-connection': 'h11 ends a keep-alive of HTTP/1.0 after one request; we go on when the client asked for it',
    'h11-empty-line': 'h11 refuses an empty line before a request; we pass over one, as RFC 9112 2.2 asks for',
}


class Request:
    def __init__(self, method, target, fields, body):
        self.method, self.target, self.fields, self.body = method, target, fields, body

    def key(self):
        # h11 writes the coding in lower case.
        fields = [(n, v.lower() if n == b'transfer-encoding' else v) for n, v in self.fields]
        return (self.method, self.target, fields, self.body)

    def __repr__(self):
        return repr(self.key())


class Reading:
    """The complete requests a reader saw, and how it ended: 'end' of the bytes, 'refused', 'stopped' on purpose."""

    def __init__(self, requests, end, why=''):
        self.requests, self.end, self.why = requests, end, why


def read_ours(address, data):
    with lab.Client(address) as client:
        client.send(data)
        try:
            client.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # closed already
        requests = []
        while True:
            answer = client.answer()
            if answer is None:
                return Reading(requests, 'end')
            if answer.status == 100:
                continue
            if answer.status >= 400:
                return Reading(requests, 'refused', answer.json().get('detail', '') if answer.body else '')
            seen = answer.echo
            query = '' if seen['query'] is None else '?' + seen['query']
            fields = [(n.lower().encode(), base64.b64decode(v)) for n, v in seen['fields']]
            requests.append(Request(seen['method'].encode(), (seen['target'] + query).encode(), fields,
                                    base64.b64decode(seen['body'])))
            if answer.says_close():
                return Reading(requests, 'stopped')


class Llhttp:
    """Collects what httptools calls back."""

    def __init__(self):
        self.requests = []
        self.begin()

    def begin(self):
        self.target, self.fields, self.body, self.in_head = b'', [], b'', True

    def on_message_begin(self):
        self.begin()

    def on_url(self, url):
        self.target += url

    def on_header(self, name, value):
        if self.in_head:  # trailers come the same way
            self.fields.append((name.lower(), value.strip(b' \t')))

    def on_headers_complete(self):
        self.in_head = False
        self.method = self.parser.get_method()

    def on_body(self, body):
        self.body += body

    def on_message_complete(self):
        self.requests.append(Request(self.method, self.target, self.fields, self.body))


def read_llhttp(data):
    collector = Llhttp()
    collector.parser = httptools.HttpRequestParser(collector)
    try:
        collector.parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        return Reading(collector.requests, 'stopped', 'upgrade')
    except httptools.HttpParserError as error:
        return Reading(collector.requests, 'refused', str(error))
    return Reading(collector.requests, 'end')


def answer_h11(connection):
    """Answers 200. False: h11 says the connection ends here."""
    if connection.our_state is not h11.SEND_RESPONSE:
        return False
    connection.send(h11.Response(status_code=200, headers=[('content-length', '0')]))
    connection.send(h11.EndOfMessage())
    if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
        return False
    connection.start_next_cycle()
    return True


def read_h11(data):
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=64 * 1024)
    requests = []
    try:
        connection.receive_data(data)
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                if event.method == b'CONNECT':
                    return Reading(requests, 'stopped', 'upgrade')
                fields = [(n.lower(), v.strip(b' \t')) for n, v in event.headers.raw_items()]
                request = Request(event.method, event.target, fields, b'')
            elif isinstance(event, h11.Data):
                request.body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                requests.append(request)
                if not answer_h11(connection):
                    return Reading(requests, 'stopped')
            else:
                return Reading(requests, 'end')
    except h11.RemoteProtocolError as error:
        return Reading(requests, 'refused', str(error))


def known_difference(name, theirs, data):
    """The row of KNOWN that explains why `theirs` saw fewer requests than we did, or None."""
    lower = data.lower()
    if theirs.why == 'upgrade':
        return 'upgrade'
    if 'Transfer-Encoding' in theirs.why and (b'\tchunked' in lower or b'chunked\t' in lower):
        return f'{name}-tab'
    if b';' in data and b'chunked' in lower and theirs.end == 'refused':
        return f'{name}-chunk-extension'
    if theirs.end == 'stopped' and b'keep-alive' in lower:
        return f'{name}-connection'
    if 'no request line received' in theirs.why:
        return f'{name}-empty-line'
    return None


def compare(name, ours, theirs, data):
    """What is wrong, or None; and the known difference that was met, or None."""
    for mine, other in zip(ours.requests, theirs.requests):
        if theirs.why == 'upgrade' and other is theirs.requests[-1] and mine.key()[:3] == other.key()[:3]:
            return None, 'upgrade'
        if mine.key() != other.key():
            return f'{name} sees {other}, we see {mine}', None
    if len(ours.requests) > len(theirs.requests):
        known = known_difference(name, theirs, data)
        if known is None:
            return f'{name} takes {len(theirs.requests)} requests ({theirs.end} {theirs.why}), we {ours.requests}', None
        if known not in KNOWN:
            return f'{name}: {known} is not a known difference', None
        return None, known
    return None, None


# ---- drawing requests ----

METHODS = [b'GET', b'POST', b'HEAD', b'PUT', b'DELETE', b'PATCH', b'OPTIONS', b'get', b'TRACE', b'G ET']
TARGETS = [b'/', b'/x', b'/x?a=1&b', b'/a/b/c', b'/%41', b'/x?a=%20+', b'*', b'/a|b?{c}', b'http://a/x', b'/a b', b'/x#y',
           b'/a"b', b'/..', b'']
VERSIONS = [b'HTTP/1.1'] * 8 + [b'HTTP/1.0', b'HTTP/1.2', b'HTTP/2.0', b'http/1.1', b'HTTP/1.1 ']
FIELDS = [b'X: y', b'X:y', b'X: y ', b'X:\ty', b'X:', b'X: a\x00b', b'X : y', b' X: y', b'X: \xe9', b'X\xe9: y', b'A-B: c, d',
          b'Cookie: a=b; c=d', b'Connection: close', b'Connection: keep-alive', b'Connection: Upgrade', b'Upgrade: websocket',
          b'Host: b', b'Expect: 100-continue', b'Transfer-Encoding: chunked', b'Transfer-Encoding: Chunked',
          b'Transfer-Encoding: gzip, chunked', b'Transfer-Encoding:chunked', b'Transfer-Encoding: x', b'TE: trailers',
          b'Content-Length: 5', b'Content-Length: 0', b'Content-Length: +5', b'Content-Length: 5, 5', b'Content-Length: 05',
          b'Content-Length:5', b'Content-Length: 5x', b'X: ' + b'a' * 300, b'Trailer: X', b'Accept: */*']
PLAIN_FIELDS = [b'X: y', b'X:y', b'X: y ', b'X:\ty', b'X:', b'X: \xe9', b'A-B: c, d', b'Cookie: a=b; c=d', b'Accept: */*',
                b'Connection: keep-alive', b'TE: trailers', b'Expect: 100-continue']
ENDS = [b'\r\n'] * 600 + [b'\n', b'\r', b'\r\r\n', b'\r\n ']
CHUNKED = [b'5\r\nhello\r\n0\r\n\r\n', b'0\r\n\r\n', b'5;a=b\r\nhello\r\n0\r\n\r\n', b'05\r\nhello\r\n0\r\n\r\n',
           b'5\r\nhello\r\n0\r\nX: y\r\n\r\n', b'A\r\n0123456789\r\n3\r\nabc\r\n0\r\n\r\n', b'5\nhello\r\n0\r\n\r\n',
           b'5\r\nhello0\r\n\r\n', b'5 \r\nhello\r\n0\r\n\r\n', b'0x5\r\nhello\r\n0\r\n\r\n', b'5\r\nhello\r\n0\r\n',
           b'5;a="b c"\r\nhello\r\n0;z\r\n\r\n', b'0\r\nContent-Length: 3\r\n\r\n', b'ffffffff\r\nhello', b'-1\r\n\r\n']
NOISE = [b'\r', b'\n', b'\r\n', b' ', b'\t', b'\x00', b':', b';', b',', b'\x0b', b'\x7f', b'\x80', b'0', b'chunked', b'"', b'#']


def draw_one(r):
    line = r.choice(METHODS[:7] if r.random() < 0.97 else METHODS) + b' '
    line += r.choice(TARGETS[:6] if r.random() < 0.97 else TARGETS) + b' '
    line += r.choice(VERSIONS) if r.random() < 0.2 else VERSIONS[0]
    lines = [b'Host: a'] if r.random() < 0.97 else []
    lines += [r.choice(FIELDS) if r.random() < 0.2 else r.choice(PLAIN_FIELDS) for _ in range(r.randrange(4))]
    body = b''
    kind = r.random()
    if kind < 0.3:
        lines.append(b'Content-Length: 5')
        body = b'hello'
    elif kind < 0.7:
        lines.append(b'Transfer-Encoding: chunked')
        body = r.choice(CHUNKED if r.random() < 0.3 else CHUNKED[:6])
    r.shuffle(lines)
    return b''.join(part + r.choice(ENDS) for part in [line, *lines]) + r.choice(ENDS) + body


def draw(r):
    data = b''.join(draw_one(r) for _ in range(r.randrange(1, 4)))
    if r.random() < 0.3:  # one blow
        at = r.randrange(len(data) + 1)
        cut = at + r.randrange(3)
        data = data[:at] + r.choice([b'', *NOISE]) + data[cut:]
    return data


def streams(seed, n):
    for case in lab.load_cases():
        yield case['id'], b''.join(lab.case_steps(case))
    r = random.Random(seed)
    for i in range(n):
        yield f'{seed}/{i}', draw(r)


def main():
    readers = {}
    if httptools is not None:
        readers['llhttp'] = read_llhttp
    if h11 is not None:
        readers['h11'] = read_h11
    for name in {'llhttp', 'h11'} - set(readers):
        print(f'SKIPPED: {name} is not installed: our reader is NOT compared with it (pip install httptools h11)')
    if not readers:
        return 77
    seed = int(os.environ.get('DIFFERENTIAL_SEED', '1'))
    n = int(os.environ.get('DIFFERENTIAL_N', '4000'))
    failures, taken, refused, met = 0, 0, 0, {}
    with tempfile.TemporaryDirectory() as folder:
        with lab.Server(lab.program(), address=f'unix:{folder}/http.sock') as server:
            for label, data in streams(seed, n):
                ours = read_ours(server.address, data)
                taken += len(ours.requests)
                refused += ours.end == 'refused'
                for name, read in readers.items():
                    wrong, known = compare(name, ours, read(data), data)
                    if known:
                        met[known] = met.get(known, 0) + 1
                    if wrong:
                        failures += 1
                        print(f'DIFFERENT {label}: {wrong}\n  {data!r}')
    print(f'seed {seed}: {taken} requests taken, {refused} streams refused, compared with {", ".join(readers)}')
    for known, count in sorted(met.items()):
        print(f'  {count} x {known}: {KNOWN[known]}')
    if taken < n // 10 or refused < n // 10:
        print('the drawn requests are all alike: this proves nothing')
        return 1
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
