# SPDX-License-Identifier: MIT
"""docs/security.md names for each requirement the test that shows it, or says why there is none: what it names exists, no
requirement stands there twice, and none is without an answer."""
import os
import re
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
TEST = re.compile(r"`((?:tests/|unit/|wire/)[\w/.]+|test_\w+\.(?:py|c))`")
# How many requirements the sections of its four chapters have. source: OWASP ASVS 5.0.0.
SECTIONS = {"4.1": 5, "4.2": 5, "4.3": 2, "4.4": 4, "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 3, "7.6": 2, "8.1": 4, "8.2": 4,
            "8.3": 3, "8.4": 2, "10.1": 2, "10.2": 3, "10.3": 5, "10.4": 16, "10.5": 5, "10.6": 2, "10.7": 3}
SPAN = re.compile(r"\b(\d+\.\d+)\.(\d+) to \1\.(\d+)\b")
NUMBER = re.compile(r"\b\d{1,2}\.\d{1,2}(?:\.\d{1,2})?\b")


def rows():
    """(requirement, how, shown by) of every table."""
    with open(os.path.join(ROOT, "docs", "security.md"), encoding="utf-8") as file:
        for line in file:
            cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
            if line.startswith("|") and NUMBER.match(cells[0]):
                yield cells


def numbers():
    """Every requirement that has a row, "7.4.1 to 7.4.3" being three."""
    for cells in rows():
        told = SPAN.sub(lambda m: " ".join(f"{m[1]}.{i}" for i in range(int(m[2]), int(m[3]) + 1)), cells[0])
        yield from NUMBER.findall(told)


def places(name):
    """Where a name may stand: as it is, below tests, or, without a folder, in tests/wire/accounts."""
    yield from (name, os.path.join("tests", name), os.path.join("tests", "wire", "accounts", name))


class SecurityTable(unittest.TestCase):
    def test_each_row_has_a_test_or_a_reason(self):
        found = list(rows())
        self.assertGreater(len(found), 40)
        for row in found:
            self.assertEqual(len(row), 3, row)
            self.assertTrue(row[1] and row[2], row)
            self.assertTrue(TEST.search(row[2]) or row[2].startswith(("–", "decision, ADR")), row)

    def test_each_test_that_is_named_exists(self):
        for row in rows():
            for name in TEST.findall(row[2]):
                self.assertTrue(any(os.path.exists(os.path.join(ROOT, place)) for place in places(name)), f"{row[0]}: {name}")

    def test_each_requirement_of_the_four_chapters_has_one_row(self):
        wanted = {f"{section}.{i + 1}" for section, n in SECTIONS.items() for i in range(n)}
        found = list(numbers())
        self.assertEqual(sorted(n for n in set(found) if found.count(n) > 1), [])
        self.assertEqual(wanted - set(found), set())
        self.assertEqual({n for n in found if n.rpartition(".")[0] in SECTIONS} - wanted, set(), "there is no such requirement")


if __name__ == "__main__":
    unittest.main()
