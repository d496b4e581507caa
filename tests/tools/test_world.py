# SPDX-License-Identifier: MIT
"""How the cases of tests/wire/stack are run side by side: what a class shares is made once, also what it inherits."""
import os
import sys
import threading
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
for folder in ("wire/stack", "harness"):
    sys.path.insert(0, os.path.join(ROOT, "tests", folder))
import world  # noqa: E402


class Recorded:
    """Cases that note their thread in `threads` of their class."""

    def note(self):
        type(self).threads.append(threading.current_thread())

    test_one = test_two = test_three = note


class Together(unittest.TestCase):
    def run_side_by_side(self, of_class):
        result = unittest.TestResult()
        world.SideBySide([unittest.defaultTestLoader.loadTestsFromTestCase(of_class)]).run(result)
        self.assertEqual((result.testsRun, result.errors, result.failures), (3, [], []))

    def test_a_class_that_inherits_what_it_shares_stays_whole(self):
        class Base(Recorded, unittest.TestCase):
            made, threads = [], []

            @classmethod
            def setUpClass(cls):
                cls.made.append(cls)

        class Heir(Base):
            pass

        for of_class in (Base, Heir):
            Base.made.clear()
            Base.threads.clear()
            self.run_side_by_side(of_class)
            self.assertEqual(Base.made, [of_class])
            self.assertEqual(len(set(Base.threads)), 1)

    def test_cases_that_share_nothing_run_at_the_same_time(self):
        everybody = threading.Barrier(3)

        class Alone(Recorded, unittest.TestCase):
            threads = []

            def setUp(self):
                everybody.wait(60)

        self.run_side_by_side(Alone)
        self.assertEqual(len(set(Alone.threads)), 3)


if __name__ == "__main__":
    unittest.main()
