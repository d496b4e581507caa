# SPDX-License-Identifier: MIT
"""Each row of the route table has a row in the authorization matrix, told before a server is built for it."""
import os
import re
import sys
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "wire", "accounts"))
from matrix import CALLERS, EXPECTED  # noqa: E402

ROW = re.compile(r'^\s*\{HTTP_([A-Z]+),\s*"([^"]+)"', re.M)


class AuthorizationMatrix(unittest.TestCase):
    def test_each_route_has_a_row_in_it(self):
        with open(os.path.join(ROOT, "handlers", "routes.c")) as f:
            rows = {f"{method} {path}" for method, path in ROW.findall(f.read())}
        self.assertGreater(len(rows), 20)
        self.assertEqual(rows, set(EXPECTED), "say in tests/wire/accounts/matrix.py who may call it")

    def test_each_row_has_an_answer_for_each_caller(self):
        for name, (shape, _, _) in EXPECTED.items():
            self.assertEqual(len(shape), len(CALLERS), name)


if __name__ == "__main__":
    unittest.main()
