#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Watches: what a client may rely on, as recorded from a real API server (captures 097-109, 139, 147, 150-153)."""
import sys
import unittest

from cluster import CLUSTERS, Cluster, core

MERGE = {"Content-Type": "application/merge-patch+json"}
SECRETS = core("secrets")


def secret(name, **labels):
    return {"metadata": {"name": name, "labels": {"t": "y", **labels}}, "stringData": {"k": "v"}}


def brief(event):
    return event["type"], event["object"]["metadata"].get("name")


class Watch(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster("--zero-delay", "--watch-window", "8", "--bookmark-ms", "200")
        self.cluster.must(200, "DELETE", SECRETS + "?labelSelector=t%3Dy")

    def tearDown(self):
        self.assertEqual(0, self.cluster.stop(), "devcluster ended with an error (a sanitizer's, or a leak)")

    def version(self, path=SECRETS):
        return self.cluster.must(200, "GET", path)["metadata"]["resourceVersion"]

    def test_leaving_the_selector_is_told_as_deleted(self):
        c = self.cluster
        c.must(201, "POST", SECRETS, secret("leave-0", page="y"))
        version = self.version()
        c.must(201, "POST", SECRETS, secret("leave-w", page="y"))
        c.must(201, "POST", SECRETS, secret("other"))
        c.must(200, "PATCH", SECRETS + "/leave-0", {"metadata": {"labels": {"page": "n"}}}, headers=MERGE)
        c.must(200, "PATCH", SECRETS + "/leave-w", {"metadata": {"labels": {"more": "1"}}}, headers=MERGE)
        c.must(200, "DELETE", SECRETS + "/leave-w")
        path = SECRETS + "?watch=1&labelSelector=page%3Dy&timeoutSeconds=1&resourceVersion=" + version
        events = list(c.watch(path))
        self.assertEqual([("ADDED", "leave-w"), ("DELETED", "leave-0"), ("MODIFIED", "leave-w"), ("DELETED", "leave-w")],
                         [brief(e) for e in events])
        self.assertEqual("y", events[1]["object"]["metadata"]["labels"]["page"], "it comes as it was last seen")
        versions = [int(e["object"]["metadata"]["resourceVersion"]) for e in events]
        self.assertEqual(sorted(set(versions)), versions)

    def test_without_a_version_the_present_comes_first(self):
        c = self.cluster
        c.must(201, "POST", SECRETS, secret("one"))
        c.must(201, "POST", SECRETS, secret("two"))
        for query in ("", "&resourceVersion=0", "&resourceVersion="):
            events = list(c.watch(SECRETS + "?watch=true&labelSelector=t%3Dy&timeoutSeconds=1" + query))
            self.assertEqual([("ADDED", "one"), ("ADDED", "two")], [brief(e) for e in events], query)

    def test_live_events_reach_an_open_watch(self):
        c = self.cluster
        stream = c.watch(SECRETS + "?watch=1&fieldSelector=metadata.name%3Dlive&resourceVersion=" + self.version())
        c.must(201, "POST", SECRETS, secret("noise"))
        c.must(201, "POST", SECRETS, secret("live"))
        self.assertEqual(("ADDED", "live"), brief(next(stream)))
        c.must(200, "DELETE", SECRETS + "/live")
        self.assertEqual(("DELETED", "live"), brief(next(stream)))
        stream.close()

    def test_bookmarks_come_only_when_allowed(self):
        c = self.cluster
        version = self.version()
        c.must(201, "POST", SECRETS, secret("one"))
        none = list(c.watch(SECRETS + "?watch=1&timeoutSeconds=1&resourceVersion=" + version))
        self.assertEqual(["ADDED"], [e["type"] for e in none])
        seconds = 6 if c.is_real else 3  # one comes about 2 s before the end of a watch that is long enough
        stream = c.watch(SECRETS + "?watch=1&allowWatchBookmarks=true&timeoutSeconds=%d&resourceVersion=%s" % (seconds, version))
        self.assertEqual(("ADDED", "one"), brief(next(stream)))
        c.must(201, "POST", SECRETS, secret("two"))
        added, *marks = stream
        self.assertEqual(("ADDED", "two"), brief(added))
        self.assertTrue(marks)
        self.assertEqual({"BOOKMARK"}, {e["type"] for e in marks})
        reached = marks[0]["object"]["metadata"]["resourceVersion"]
        self.assertGreaterEqual(int(reached), int(added["object"]["metadata"]["resourceVersion"]))
        self.assertEqual({"kind": "Secret", "apiVersion": "v1", "metadata": {"resourceVersion": reached}}, marks[0]["object"])

    def test_a_bookmark_tells_of_something_newer_or_does_not_come(self):
        c = self.cluster
        version = self.version()
        marks = list(c.watch(SECRETS + "?watch=1&allowWatchBookmarks=true&timeoutSeconds=3&resourceVersion=" + version))
        if not c.is_real:  # where others write all the time
            self.assertEqual([], marks)
        self.assertTrue(all(int(e["object"]["metadata"]["resourceVersion"]) > int(version) for e in marks))

    def test_a_watchlist_ends_its_initial_part_with_a_bookmark(self):
        c = self.cluster
        c.must(201, "POST", SECRETS, secret("one"))
        path = (SECRETS + "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
                "&timeoutSeconds=1")
        events = list(c.watch(path + "&labelSelector=t%3Dy"))
        self.assertEqual([("ADDED", "one"), ("BOOKMARK", None)], [brief(e) for e in events])
        self.assertEqual("true", events[1]["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"])
        empty = list(c.watch(path + "&labelSelector=page%3Dnobody"))
        self.assertEqual([("BOOKMARK", None)], [brief(e) for e in empty])

    @unittest.skipIf(Cluster.is_real, "a real server's window is large")
    def test_a_version_that_fell_out_of_the_window_is_an_error_event(self):
        c = self.cluster
        old = self.version()
        for i in range(12):  # the window holds 8
            c.must(201, "POST", SECRETS, secret("s%d" % i))
        recent = str(int(self.version()) - 3)
        events = list(c.watch(SECRETS + "?watch=1&timeoutSeconds=5&resourceVersion=" + old))
        self.assertEqual(1, len(events))
        self.assertEqual(("ERROR", 410, "Expired"),
                         (events[0]["type"], events[0]["object"]["code"], events[0]["object"]["reason"]))
        kept = list(c.watch(SECRETS + "?watch=1&timeoutSeconds=1&resourceVersion=" + recent))
        self.assertEqual(3, len(kept))

    def test_a_version_of_the_future_is_silence(self):
        c = self.cluster
        self.assertEqual([], list(c.watch(SECRETS + "?watch=1&timeoutSeconds=1&resourceVersion=99999999")))

    def test_a_cluster_that_is_deleted_passes_through_deleting(self):
        c = self.cluster
        body = {"apiVersion": "apps.kubeblocks.io/v1alpha1", "kind": "Cluster", "metadata": {"name": "db"},
                "spec": {"terminationPolicy": "Delete", "componentSpecs": [{"name": "postgresql", "replicas": 1}]}}
        c.must(201, "POST", CLUSTERS, body)
        c.wait(CLUSTERS, "db", lambda o: o and o.get("status", {}).get("phase") == "Running", "Running")
        stream = c.watch(CLUSTERS + "?watch=1&timeoutSeconds=20&resourceVersion=" + self.version(CLUSTERS))
        c.must(200, "DELETE", CLUSTERS + "/db")
        seen = []
        for event in stream:
            seen.append((event["type"], event["object"]["status"]["phase"]))
            self.assertIn("deletionTimestamp", event["object"]["metadata"])
            if event["type"] == "DELETED":
                break
        stream.close()
        self.assertEqual([("MODIFIED", "Running"), ("MODIFIED", "Deleting"), ("DELETED", "Deleting")], seen)


if __name__ == "__main__":
    sys.exit(unittest.main())
