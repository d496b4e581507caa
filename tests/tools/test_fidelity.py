# SPDX-License-Identifier: MIT
"""How two clusters' stories are compared (tests/wire/fidelity): what is overlooked, and what is not."""
import json
import os
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "wire", "fidelity"))
import journal  # noqa: E402
import table  # noqa: E402


def stage(status, message, code=None, name="container"):
    return 0, "stage", {"stage": name, "status": status, "code": code, "message": message, "attempt": 1}


def done(outcome, code=None, message=None):
    return 0, "done", {"outcome": outcome, "code": code, "message": message, "attempt": 1}


class Journal(unittest.TestCase):
    def differ(self, one, other, **more):
        return journal.differences(journal.told(one, **more), journal.told(other, **more))

    def test_names_numbers_and_places_are_overlooked(self):
        one = [stage("failed", 'pods "a-agentruntime-qwerty-5b6ddd7b49-x2x4z" on node a, used 3, in ns-1a2b3c4d', "X")]
        other = [stage("failed", 'pods "b-agentruntime-asdfgh-7d7ddd7b49-wqvsj" on node fake-node, used 12, in ns-ajno7yq7', "X")]
        self.assertEqual(self.differ(one, other), [])

    def test_another_code_status_or_word_is_found(self):
        told = stage("failed", "the container ended 3 times", "CRASH_LOOP")
        for other in (stage("failed", "the container ended 3 times", "DEADLINE"), stage("skipped", "the container ended 3 times", "CRASH_LOOP"),
                      stage("failed", "the container fell 3 times", "CRASH_LOOP"),
                      stage("failed", "the container ended 3 times", "CRASH_LOOP", "terminal")):
            self.assertNotEqual(self.differ([told], [other]), [], other)

    def test_what_passes_is_overlooked_but_not_when_it_is_the_end(self):
        passing = stage("in_progress", "waiting for a node")
        self.assertEqual(self.differ([passing], []), [])
        self.assertNotEqual(self.differ([stage("failed", "waiting for a node", "DEADLINE")], [passing]), [])

    def test_what_alternates_counts_once_and_in_order(self):
        a, b = stage("in_progress", "pulled", "IMAGE_PULL"), stage("in_progress", "backing off", "IMAGE_PULL")
        self.assertEqual(self.differ([a, b, a, b], [a, b]), [])
        self.assertNotEqual(self.differ([a, b], [b, a]), [])

    def test_chance_is_what_a_case_says_it_is(self):
        one, other = [stage("in_progress", "image pulled"), done("ready")], [stage("completed", "x"), done("ready")]
        self.assertNotEqual(self.differ(one, other), [])
        self.assertEqual(self.differ(one + other[:1], other, chance="image pulled"), [])

    def test_another_outcome_is_found(self):
        self.assertNotEqual(self.differ([done("ready")], [done("failed", "X", "y")]), [])


class Table(unittest.TestCase):
    def tell(self, *results):
        return table.tell([(f"c{i}", result, None if result else "not here") for i, result in enumerate(results)])

    def test_a_failure_a_difference_and_a_missing_case_are_bad(self):
        ok, other = {"status": "ok", "story": {"s": [1]}}, {"status": "ok", "story": {"s": [2]}}
        lines, notes, good, bad = self.tell({"a": ok, "b": ok, "c": ok, "d": ok}, {"a": ok, "b": other, "c": {"status": "FAIL", "why": "x"}})
        self.assertEqual((good, bad), (5, 3))
        self.assertEqual([line.split()[2] for line in lines[1:]], ["ok", "differs", "FAIL", "missing"])
        self.assertIn("b, c1: differs", notes)

    def test_what_differs_is_lived_again_with_the_first_and_takes_the_place_of_what_was(self):
        ok, other = {"status": "ok", "story": {"s": [1]}}, {"status": "ok", "story": {"s": [2]}}
        columns = [("c0", {"a": ok, "b": ok}, None), ("c1", {"a": ok, "b": ok}, None), ("c2", {"a": ok, "b": other}, None), ("c3", None, "no")]
        self.assertEqual(table.differing(columns), {"c0": ["b"], "c2": ["b"]})
        self.assertEqual(table.differing(columns[:2]), {})
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, name) for name in ("old", "new")]
            for path, results in zip(paths, ({"a": ok, "b": other}, {"b": ok})):
                with open(path, "w") as file:
                    json.dump(results, file)
            table.replace(*paths)
            self.assertEqual(table.load([f"c2={paths[0]}"])[0][1], {"a": ok, "b": ok})

    def test_a_skipped_cluster_is_said_and_not_counted(self):
        lines, _, good, bad = self.tell({"a": {"status": "ok", "story": {}}}, None)
        self.assertEqual((good, bad), (1, 0))
        self.assertEqual(lines[-1], "SKIP  c1: not here")


if __name__ == "__main__":
    unittest.main()
