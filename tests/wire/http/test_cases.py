# SPDX-License-Identifier: MIT
"""Every case of cases.json, in one piece and byte by byte, against the real server."""
import unittest

import lab

SENTINEL = b'GET /sentinel HTTP/1.1\r\nHost: a\r\n\r\n'
BYTEWISE_MAX = 2000  # of a longer request the rest goes in one piece


class Outcome:
    """All answers on the connection, in order, and whether the server closed it before the sentinel was answered."""

    def __init__(self):
        self.answers = []
        self.continues = 0
        self.closed = False


def send(client, data, bytewise):
    cut = min(len(data), BYTEWISE_MAX) if bytewise else 0
    for i in range(cut):
        if not client.send(data[i:i + 1]):
            return False
    return client.send(data[cut:]) if cut < len(data) else True


def method_of(data):
    return data.split(b' ', 1)[0].decode('latin-1')


def run(server, case, bytewise, with_sentinel):
    outcome = Outcome()
    with server.client() as client:
        steps = list(lab.case_steps(case))
        method = method_of(steps[0])
        for i, data in enumerate(steps):
            if i > 0:  # the client waits to be told to continue
                answer = client.answer()
                assert answer is not None and answer.status == 100, 'no 100 Continue'
                outcome.continues += 1
            send(client, data, bytewise)
        if with_sentinel:
            client.send(SENTINEL)
        while True:
            answer = client.answer(method)
            if answer is None:
                outcome.closed = True
                assert client.bytes == b'', 'half an answer'
                return outcome
            method = 'GET'
            if answer.status == 200:
                path = answer.json()['path'] if answer.body else ''
                assert 'SMUGGLED' not in path, 'hidden bytes were answered'
                if path == '/sentinel':
                    return outcome
            assert not outcome.answers or not outcome.answers[-1].says_close(), 'an answer after Connection: close'
            outcome.answers.append(answer)


def is_refused(o):
    return o.closed and len(o.answers) <= 1 and all(a.status >= 400 and a.says_close() for a in o.answers)


def is_answered(o, n):
    return not o.closed and len(o.answers) == n and all(200 <= a.status < 300 for a in o.answers)


def is_closed_after_one(o):
    return o.closed and len(o.answers) == 1 and o.answers[0].status == 200 and o.answers[0].says_close()


def is_consistent(o):
    if len(o.answers) != 1 or o.answers[0].status < 400:
        return o.closed and not o.answers
    return o.closed == o.answers[0].says_close()


ALLOWED = {
    'R': is_refused,
    'A': lambda o: is_answered(o, 1) or is_closed_after_one(o),
    'M': lambda o: is_refused(o) or is_answered(o, 1),
    '2': lambda o: is_answered(o, 2),
    '3': lambda o: is_answered(o, 3),
    'A1': lambda o: o.continues == 1 and is_answered(o, 1),
    'C': is_closed_after_one,
    'X': is_consistent,
}


class Cases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = lab.Server(lab.program())

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0, cls.server.log.decode()[-4000:]

    def check(self, case, bytewise):
        # A refusal must come without any help: no bytes follow that could complete the request.
        with_sentinel = case['allowed'] != 'R'
        outcome = run(self.server, case, bytewise, with_sentinel)
        told = [(a.status, a.says_close()) for a in outcome.answers]
        self.assertTrue(ALLOWED[case['allowed']](outcome),
                        f"{case['id']} ({case['what']}): {case['allowed']} allowed, got {told}, closed {outcome.closed}")

    def test_each_case_in_one_piece(self):
        for case in lab.load_cases():
            with self.subTest(case['id']):
                self.check(case, bytewise=False)

    def test_each_case_byte_by_byte(self):
        for case in lab.load_cases():
            with self.subTest(case['id']):
                self.check(case, bytewise=True)

    def test_a_refused_case_followed_by_bytes_runs_none_of_them(self):
        for case in lab.load_cases():
            if case['allowed'] == 'R':
                with self.subTest(case['id']):
                    self.assertTrue(is_refused(run(self.server, case, False, True)))

    def test_every_refusal_is_a_problem_with_the_browsers_fields(self):
        for case in lab.load_cases():
            if case['allowed'] != 'R':
                continue
            with self.subTest(case['id']):
                for answer in run(self.server, case, False, False).answers:
                    self.assertEqual(answer.fields['content-type'], 'application/problem+json')
                    self.assertEqual(answer.fields['x-content-type-options'], 'nosniff')
                    self.assertIn("default-src 'none'", answer.fields['content-security-policy'])
                    self.assertIn('x-request-id', answer.fields)
                    if answer.body:
                        self.assertEqual(answer.json()['status'], answer.status)


if __name__ == '__main__':
    unittest.main(verbosity=2)
