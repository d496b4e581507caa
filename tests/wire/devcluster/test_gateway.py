#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The gateway answers host names of Ingresses and accepted HTTPRoutes: a page, 404, 503."""
import http.client
import sys
import unittest

from cluster import NS, Cluster, apps, condition, core, deployment

INGRESSES = "/apis/networking.k8s.io/v1/namespaces/%s/ingresses" % NS


def ingress(name, host, service, port, path="/"):
    backend = {"service": {"name": service, "port": {"number": port}}}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name},
            "spec": {"rules": [{"host": host, "http": {"paths": [{"path": path, "pathType": "Prefix", "backend": backend}]}}]}}


class Gateway(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster("--zero-delay", "--gateway-port", "0")

    def tearDown(self):
        self.assertEqual(0, self.cluster.stop(), "devcluster ended with an error (a sanitizer's, or a leak)")

    def get(self, host, path="/"):
        connection = http.client.HTTPConnection("127.0.0.1", self.cluster.ready["gateway_port"], timeout=30)
        connection.request("GET", path, headers={"Host": host})
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, text

    def test_hosts_lead_to_ready_pods_only(self):
        c = self.cluster
        self.assertEqual(404, self.get("web.localhost")[0])
        c.must(201, "POST", INGRESSES, ingress("web-ttyd", "web.localhost", "web-service", 7681))
        self.assertEqual(503, self.get("web.localhost:8080")[0])
        c.must(201, "POST", core("services"), {"metadata": {"name": "web-service"},
                                               "spec": {"selector": {"app": "web"}, "ports": [{"port": 7681}]}})
        self.assertEqual(503, self.get("web.localhost")[0])
        c.must(201, "POST", apps("deployments"), deployment("web"))
        c.wait(apps("deployments"), "web", lambda d: condition(d, "Available").get("status") == "True", "up")
        status, page = self.get("WEB.localhost".lower() + ":1234")
        self.assertEqual(200, status)
        self.assertIn("the web terminal (ttyd) of the pod web-", page)
        self.assertIn("port 7681", page)
        c.must(200, "PATCH", apps("deployments") + "/web", {"spec": {"replicas": 0}},
               headers={"Content-Type": "application/merge-patch+json"})
        c.wait(apps("deployments"), "web", lambda d: "replicas" not in d["status"], "scaled down")
        self.assertEqual(503, self.get("web.localhost")[0])
        c.must(200, "DELETE", INGRESSES + "/web-ttyd")
        self.assertEqual(404, self.get("web.localhost")[0])

    def test_a_route_leads_once_its_gateway_takes_it(self):
        c = self.cluster
        routes = "/apis/gateway.networking.k8s.io/v1/namespaces/%s/httproutes" % NS
        body = {"metadata": {"name": "web"},
                "spec": {"parentRefs": [{"name": "gateway", "namespace": "gateway-system", "sectionName": "nosuch"}],
                         "hostnames": ["route.localhost"],
                         "rules": [{"matches": [{"path": {"value": "/v1"}}], "backendRefs": [{"name": "front", "port": 80}]}]}}
        c.must(201, "POST", routes, body)
        c.wait(routes, "web", lambda r: r and r.get("status", {}).get("parents"), "told")
        self.assertEqual(404, self.get("route.localhost", "/v1")[0])
        parent = [{"name": "gateway", "namespace": "gateway-system"}]
        c.must(200, "PATCH", routes + "/web", {"spec": {"parentRefs": parent}},
               headers={"Content-Type": "application/merge-patch+json"})
        c.wait(routes, "web", lambda r: r["status"]["parents"][0]["conditions"][0]["status"] == "True", "accepted")
        self.assertEqual(503, self.get("route.localhost", "/v1/x")[0])
        self.assertEqual(404, self.get("route.localhost", "/v2")[0])

    def test_a_path_prefix_ends_at_a_slash_and_hosts_are_escaped(self):
        c = self.cluster
        c.must(201, "POST", INGRESSES, ingress("api", "api.localhost", "none", 3000, path="/v1"))
        self.assertEqual(503, self.get("api.localhost", "/v1/x")[0])
        self.assertEqual(404, self.get("api.localhost", "/v1x")[0])
        status, page = self.get("no&such.localhost")
        self.assertEqual(404 if status == 404 else 400, status)
        self.assertNotIn("no&such", page)


if __name__ == "__main__":
    sys.exit(unittest.main())
