# SPDX-License-Identifier: MIT
"""The judge of tests/chaos finds each kind of wrong that it is there for."""
import json
import os
import sys
import tempfile
import types
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
for folder in ("chaos", "wire/stack", "harness"):
    sys.path.insert(0, os.path.join(ROOT, "tests", folder))
import judge  # noqa: E402
from witness import Findings  # noqa: E402

STAGES = ("database", "container")


def row(seq, kind, stage="", stage_status="", outcome="", code="", message="", attempt="1"):
    return (seq, "p", attempt, kind, stage, stage_status, outcome, code, message)


def story(outcome="ready", code=""):
    rows = [row(1, "status", message="creation requested")]
    rows += [row(2 + i, "stage", stage, "completed") for i, stage in enumerate(STAGES)]
    return rows + [row(4, "done", outcome=outcome, code=code)]


class Judged(unittest.TestCase):
    def setUp(self):
        self.findings = Findings()

    def found(self):
        return sorted(column for column, texts in self.findings.texts.items() if texts)


class Stories(Judged):
    def of(self, *rows):
        judge.judge_story(self.findings, "p", rows)
        return self.found()

    def test_a_good_one_is_clean(self):
        self.assertEqual(self.of(*story()), [])

    def test_without_an_end_it_is_stuck(self):
        self.assertEqual(self.of(*story()[:-1]), ["stuck"])

    def test_two_ends_of_one_wish_are_doubled(self):
        self.assertEqual(self.of(*story(), row(5, "done", outcome="ready")), ["doubled"])

    def test_a_stage_told_again_after_it_was_completed_is_doubled(self):
        rows = story()
        self.assertEqual(self.of(*rows[:-1], row(9, "stage", "database", "in_progress"),
                                 row(10, "stage", "database", "completed"), rows[-1]), ["doubled"])

    def test_unless_the_attempt_failed_in_the_end(self):
        rows = story("failed", "CRASH_LOOP")
        self.assertEqual(self.of(*rows[:-1], row(9, "stage", "container", "in_progress"), rows[-1]), [])

    def test_a_failure_without_a_code_is_lost(self):
        self.assertEqual(self.of(*story("failed")), ["lost"])

    def test_ready_with_a_stage_that_is_not_completed_is_lost(self):
        rows = story()
        self.assertEqual(self.of(*rows[:-1], row(9, "stage", "ready", "in_progress"), rows[-1]), ["lost"])

    def test_a_gap_between_numbers_is_lost(self):
        judge.judge_numbers(self.findings, "o", [1, 2, 4])
        self.assertEqual(self.found(), ["lost"])


class Streams(Judged):
    def of(self, *numbers, message_of=None):
        rows = {n: row(n, "status") for n in range(1, 10)}
        events = [(n, "done" if n == message_of else "status", {"projectId": "p"}) for n in numbers]
        judge.judge_witness(self.findings, types.SimpleNamespace(name="w", first=0, events=events), rows)
        return self.found()

    def test_all_in_order_is_clean(self):
        self.assertEqual(self.of(1, 2, 3), [])

    def test_one_left_out_is_lost(self):
        self.assertEqual(self.of(1, 3), ["lost"])

    def test_one_sent_twice_is_doubled(self):
        self.assertEqual(self.of(1, 2, 2, 3), ["doubled"])

    def test_one_out_of_order_is_doubled_and_lost(self):
        self.assertEqual(self.of(1, 3, 2, 4), ["doubled", "lost"])

    def test_another_event_than_the_journal_has_is_lost(self):
        self.assertEqual(self.of(1, 2, 3, message_of=2), ["lost"])


class Objects(Judged):
    """A ground of one running sandbox, as its cluster's listing and history are."""

    OBJECTS = [("deployments", "s"), ("services", "s-service"), ("ingresses", "s-app"), ("ingresses", "s-tty"),
               ("networkpolicies", "s"), ("pods", "s-1-x"), ("serviceaccounts", "d"), ("roles", "d"), ("rolebindings", "d"),
               ("clusters", "d"), ("secrets", "d-conn-credential")]

    def of(self, objects, status="RUNNING"):
        row_of_it = ["p", "s", "d", status, "running", "1", "t", ""]
        ground = types.SimpleNamespace(made=lambda: objects, sql=lambda _: [row_of_it])
        return sorted({column for column, _ in judge.wrongs(ground)})

    def test_what_a_running_row_needs_and_no_more_is_clean(self):
        self.assertEqual(self.of(self.OBJECTS), [])

    def test_each_missing_object_is_lost(self):
        for missing in self.OBJECTS[:-1]:
            self.assertEqual(self.of([o for o in self.OBJECTS if o != missing]), ["lost"], missing)

    def test_an_object_of_no_row_is_orphaned(self):
        self.assertEqual(self.of(self.OBJECTS + [("services", "t-service")]), ["orphaned"])

    def test_a_second_pod_or_deployment_is_doubled(self):
        for more in (("pods", "s-1-y"), ("deployments", "s-2")):
            self.assertEqual(self.of(self.OBJECTS + [more]), ["doubled"], more)

    def test_a_pod_of_a_stopped_sandbox_is_orphaned(self):
        self.assertEqual(self.of(self.OBJECTS, "STOPPED"), ["orphaned"])

    def test_what_was_made_twice_is_doubled_though_only_one_is_left(self):
        with tempfile.NamedTemporaryFile("w") as f:
            for kind, name, uid in (("deployments", "s", "1"), ("deployments", "s", "2"), ("pods", "s-1-x", "3")):
                f.write(json.dumps({"type": "added", "resource": kind, "namespace": "ns", "name": name, "uid": uid}) + "\n")
            f.flush()
            judge.judge_history(types.SimpleNamespace(findings=self.findings, namespace="ns", history_path=f.name,
                                                      sql=lambda _: []), {"p": story()})
        self.assertEqual(self.found(), ["doubled"])


if __name__ == "__main__":
    unittest.main()
