#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Injected faults, counted requests, realistic delays, restarts in the same folder, a thousand pods."""
import http.client
import json
import os
import ssl
import subprocess
import sys
import time
import unittest

from cluster import Cluster, apps, condition, core, deployment, until

FAULTS = "/devcluster/faults"


class Faults(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster("--zero-delay")

    def tearDown(self):
        self.assertEqual(0, self.cluster.stop(), "devcluster ended with an error (a sanitizer's, or a leak)")

    def inject(self, **fault):
        self.cluster.must(200, "POST", FAULTS, fault, account="admin")

    def test_the_next_requests_that_match_are_refused(self):
        c = self.cluster
        self.inject(status=429, verb="list", resource="pods", times=2)
        self.assertEqual(200, c.call("GET", core("secrets")).status)
        refused = c.call("GET", core("pods"))
        self.assertEqual((429, "1"), (refused.status, refused.headers["Retry-After"]))
        self.assertEqual(429, c.call("GET", core("pods")).status)
        self.assertEqual(200, c.call("GET", core("pods")).status)
        for status in (500, 503):
            self.inject(status=status)
            self.assertEqual((status, status), (lambda a: (a.status, a.json["code"]))(c.call("GET", core("pods"))))
        self.inject(status=500, times=9)
        c.must(200, "DELETE", FAULTS, account="admin")
        self.assertEqual(200, c.call("GET", core("pods")).status)

    def test_a_connection_can_be_cut(self):
        self.inject(close=True)
        with self.assertRaises((http.client.RemoteDisconnected, ConnectionError, ssl.SSLError)):
            self.cluster.call("GET", core("pods"))
        self.assertEqual(200, self.cluster.call("GET", core("pods")).status)

    def test_an_answer_can_be_late_and_a_client_may_leave_meanwhile(self):
        self.inject(delayMs=400, resource="pods")
        begin = time.monotonic()
        self.assertEqual(200, self.cluster.call("GET", core("pods")).status)
        self.assertGreaterEqual(time.monotonic() - begin, 0.4)
        self.inject(delayMs=60000, resource="pods")
        connection = self.cluster.connect(timeout=0.2)
        connection.request("GET", core("pods"), headers=self.cluster.headers("owner"))
        with self.assertRaises(TimeoutError):
            connection.getresponse()
        connection.close()

    def test_watches_can_be_dropped(self):
        stream = self.cluster.watch(core("secrets") + "?watch=1")
        self.cluster.must(201, "POST", core("secrets"), {"metadata": {"name": "s"}})
        next(stream)
        self.inject(dropWatches=True)
        with self.assertRaises((http.client.IncompleteRead, ConnectionError, ssl.SSLError, StopIteration)):
            next(stream)

    def test_requests_are_counted_by_verb_and_resource(self):
        c = self.cluster
        for _ in range(3):
            c.call("GET", core("pods"))
        c.call("GET", apps("deployments") + "/none")
        list(c.watch(core("pods") + "?watch=1&timeoutSeconds=1"))
        counts = c.must(200, "GET", "/devcluster/requests", account="admin")
        self.assertEqual(3, counts["requests"]["list pods"])
        self.assertEqual(1, counts["requests"]["get deployments"])
        self.assertEqual(1, counts["requests"]["watch pods"])
        self.assertEqual(5, counts["total"])


class Program(unittest.TestCase):
    def test_realistic_delays_are_real(self):
        c = Cluster("--delays", "schedule=50,pull_first=300,pull_again=100,start=50,ready=200,stop=50,database=100")
        try:
            begin = time.monotonic()
            c.must(201, "POST", apps("deployments"), deployment("slow", readinessProbe={"tcpSocket": {"port": 1}}))
            c.wait(apps("deployments"), "slow", lambda d: condition(d, "Available").get("status") == "True", "up")
            self.assertGreaterEqual(time.monotonic() - begin, 0.6)
        finally:
            self.assertEqual(0, c.stop())

    def test_a_restart_in_the_same_folder_keeps_authority_and_tokens(self):
        c = Cluster("--zero-delay")
        try:
            with open(c.kubeconfig()) as file:
                before = json.load(file)
            second = subprocess.Popen([os.environ["DEVCLUSTER"], "--dir", c.folder.name], stdout=subprocess.PIPE)
            self.assertIn(b"kubeconfig", second.stdout.readline())
            with open(c.kubeconfig()) as file:
                after = json.load(file)
            second.terminate()
            code = second.wait(timeout=30)
            second.stdout.close()
            self.assertEqual(0, code)
            self.assertEqual(before["users"], after["users"])
            self.assertEqual(before["clusters"][0]["cluster"]["certificate-authority-data"],
                             after["clusters"][0]["cluster"]["certificate-authority-data"])
            self.assertEqual(0o600, os.stat(c.kubeconfig()).st_mode & 0o777)
        finally:
            self.assertEqual(0, c.stop())

    def test_bad_options_end_with_2_and_start_nothing(self):
        for options in (["--port", "x", "--dir", "/tmp"], ["--nosuch"], [], ["--dir", "/tmp", "--delays", "nosuch=1"]):
            done = subprocess.run([os.environ["DEVCLUSTER"], *options], capture_output=True, timeout=30)
            self.assertEqual(2, done.returncode, options)
            self.assertEqual(b"", done.stdout)

    def test_a_thousand_pods_come_up_while_watched(self):
        c = Cluster("--zero-delay")
        try:
            streams = [c.watch(core("pods") + "?watch=1", timeout=120) for _ in range(3)]
            for i in range(20):
                c.must(201, "POST", apps("deployments"), deployment("many-%d" % i, replicas=50))
            for stream in streams:
                ready = set()
                for event in stream:
                    if condition(event["object"], "Ready").get("status") == "True":
                        ready.add(event["object"]["metadata"]["name"])
                    if len(ready) == 1000:
                        break
                stream.close()
            self.assertEqual(1000, len(c.must(200, "GET", core("pods"))["items"]))
            until(lambda: all(d["status"].get("availableReplicas") == 50
                              for d in c.must(200, "GET", apps("deployments"))["items"]), "all available", 60)
        finally:
            self.assertEqual(0, c.stop())


if __name__ == "__main__":
    sys.exit(unittest.main())
