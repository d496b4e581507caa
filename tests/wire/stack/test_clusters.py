#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two clusters behind one server: each project lives in its own, one that is away or taken out of the configuration stops
nobody else, and nothing of it is lost. Runs inside with_services.py; the class Real, where eu is a real control plane, inside
with_kube.py as well."""
import http.client
import json
import os
import signal
import ssl
import subprocess
import unittest

from world import NS, Reader, StackCase, World, main, wait_for
from stack import Process, SANITIZED, free_port  # its folder is on the path by then

DELAYS = ("--delays", "schedule=20,pull_first=100,pull_again=100,start=50,ready=100,stop=20,database=200,retry=200")
PATIENT = {"FULLSTACKD_FLOW_APPLY_DEADLINE": "10m", "FULLSTACKD_FLOW_DATABASE_DEADLINE": "10m"}


class Second:
    """The cluster eu, asked in the same words as a World's own one."""
    cluster_call, kube, names, objects, made, count_made = (
        World.cluster_call, World.kube, World.names, World.objects, World.made, World.count_made)
    path_of, is_cluster_running, collect_secrets = World.path_of, World.is_cluster_running, World.collect_secrets
    is_real, namespace, cluster_version = False, NS, "apps.kubeblocks.io/v1alpha1"

    def __init__(self, world, has_databases, delays=DELAYS):
        self.delays = delays
        self.has_databases = has_databases  # else they are nowhere: nobody can log in
        self.world, self.secrets = world, world.secrets
        self.dir = f"{world.dir}/eu"
        self.port = free_port()
        self.kubeconfig = f"{self.dir}/cluster/sealos-user.kubeconfig"
        os.mkdir(self.dir)
        self.cluster = None

    def start(self):
        argv = [f"{self.world.build}/devcluster", "--dir", f"{self.dir}/cluster", "--port", str(self.port), *self.delays]
        if self.has_databases:
            argv += ["--pg", os.environ["FS_PG_CONNINFO"], "--pg-host", "127.0.0.1", "--pg-port", os.environ["FS_PG_PORT"]]
        else:
            argv += ["--pg-host", "127.0.0.1", "--pg-port", "1"]
        self.cluster = Process("devcluster", argv, dict(os.environ, **SANITIZED), f"{self.world.dir}/devcluster-eu.log", has_words=True)
        self.addresses = json.loads(self.cluster.popen.stdout.readline())
        self.before = self.objects()

    def kill(self):
        self.cluster.stop(signal.SIGKILL)
        self.cluster = None


class RealSecond(Second):
    """eu as a real control plane, which with_kube.py started and stops."""

    def __init__(self, world):
        super().__init__(world, has_databases=False)
        with open(os.environ["FS_KUBE"]) as f:
            self.facts = json.load(f)
        self.kubeconfig = os.environ["KUBECONFIG_REAL"]

    def start(self):
        self.before = self.objects()

    def cluster_call(self, method, path, body=None, kind="application/json"):
        context = ssl.create_default_context(cafile=self.facts["ca"])
        context.load_cert_chain(self.facts["admin"]["certificate"], self.facts["admin"]["key"])
        connection = http.client.HTTPSConnection("127.0.0.1", self.facts["port"], context=context, timeout=30)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": kind})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()


class Clusters(World):
    """A World whose own cluster is called us, with a second one, eu."""

    def __init__(self, eu_kube="", has_eu_databases=True, eu_delays=DELAYS):
        super().__init__(env=PATIENT, cluster_args=DELAYS)
        self.eu_kube, self.has_eu_databases, self.eu_delays = eu_kube, has_eu_databases, eu_delays

    def make_second(self):
        return Second(self, self.has_eu_databases, self.eu_delays)

    def start_cluster(self):
        super().start_cluster()
        self.eu = self.make_second()
        self.eu.start()
        self.write_config()
        self.serve_args = ["--config", f"{self.dir}/conf.yaml"]

    def write_config(self, has_eu=True):
        with open(f"{self.dir}/conf.yaml", "w") as f:
            f.write("default_cluster: us\n")
            if has_eu:
                f.write("clusters:\n  eu:\n    sandbox: {domain: eu.localhost, url_port: 8443}\n    kube:\n"
                        f"      kubeconfig: {self.eu.kubeconfig}\n      allow_loopback: true\n{self.eu_kube}")

    def restart(self):
        self.assert_clean(self.servers.pop().stop())
        self.serve(self.port)

    def assert_clean(self, status):
        if status != 0:
            raise AssertionError(f"a program ended with {status}")

    def __exit__(self, kind, *rest):
        eu = self.eu.cluster
        if kind is None and eu is not None:
            self.eu.collect_secrets()
        try:
            super().__exit__(kind, *rest)
        finally:
            if eu is not None:
                status = eu.stop()
        if kind is None and eu is not None:
            self.assert_clean(status)

    def doctor(self):
        return subprocess.run([f"{self.build}/fullstackd", "doctor", *self.serve_args], env=self.server_env(self.port),
                              capture_output=True, text=True).stdout


class RealClusters(Clusters):
    def __init__(self):
        super().__init__(eu_kube="      prove_login: false\n")

    def make_second(self):
        return RealSecond(self)


def create(client, name, cluster=None):
    wish = {"name": name} if cluster is None else {"name": name, "cluster": cluster}
    project = client.json("POST", "/api/projects", wish, 200)
    return project, client.json("POST", f"/api/sandbox/{project['id']}", {}, 202)


def clusters_of(client):
    return {c["name"]: c["status"] for c in client.json("GET", "/api/clusters", status=200)}


def is_unreachable(name, data):
    return data.get("code") == "CLUSTER_UNREACHABLE" and "cluster eu" in data["message"]


class ClusterCase(StackCase):
    def assert_waits(self, world, client, project_id, words):
        """Its removal is asked for, and says why it does not go on: in the document and in an event."""
        left = wait_for("why it waits", lambda: (lambda d: d["message"] and d)(client.json("GET", f"/api/sandbox/{project_id}")))
        self.assertEqual((left["status"], left["desired"]), ("terminating", "deleted"))
        self.assertIn(words, left["message"])
        told = world.sql(f"SELECT code FROM journal WHERE project_id = '{project_id}' ORDER BY seq DESC LIMIT 1")
        self.assertEqual(told, [["CLUSTER_UNREACHABLE"]])


class Each(ClusterCase):
    def test_each_project_lives_and_goes_in_its_own_cluster(self):
        with Clusters() as world:
            client = world.sign_in()
            listed = client.json("GET", "/api/clusters", status=200)
            self.assertEqual([(c["name"], c["isDefault"]) for c in listed], [("us", True), ("eu", False)])
            wait_for("both", lambda: clusters_of(client) == {"us": "available", "eu": "available"})
            other = world.sign_in("there")
            here, _ = create(client, "here")
            there, answer = create(other, "there", "eu")
            self.assertEqual((here["cluster"], there["cluster"]), ("us", "eu"))
            self.assertRegex(answer["sandbox"]["publicUrl"], r"^http://[a-z]{12}\.eu\.localhost:8443$")
            for who, project in ((client, here), (other, there)):
                self.assert_story(who.follow(project["id"]))
            for cluster, slug in ((world, "here"), (world.eu, "there")):
                self.assert_complete(cluster)
                self.assertEqual({name.partition("-")[0] for name in cluster.names("deployments")}, {slug})
            for who, project in ((client, here), (other, there)):
                self.assertEqual([p["cluster"] for p in who.json("GET", "/api/projects")], [project["cluster"]])
                who.json("DELETE", f"/api/projects/{project['id']}", status=202)
            wait_for("no project", lambda: world.rows()["projects"] == 0)
            self.assertEqual((world.made(), world.eu.made()), ({}, {}))

    def test_an_unknown_cluster_is_refused_by_its_field(self):
        with Clusters() as world:
            client = world.sign_in()
            for name in ("mars", "", "EU"):
                answer = client.request("POST", "/api/projects", {"name": "x", "cluster": name})
                self.assert_problem(answer, 400, "#/cluster", "there are: us, eu")
            self.assert_problem(client.request("POST", "/api/projects", {"name": "x", "cluster": 1}), 400, "#/cluster")
            self.assertEqual(world.rows()["projects"], 0)

    def test_a_full_cluster_says_so_and_the_other_has_room(self):
        with Clusters(eu_kube="      sandboxes: 1\n") as world:
            client = world.sign_in()
            first, _ = create(client, "first", "eu")
            second = client.json("POST", "/api/projects", {"name": "second", "cluster": "eu"}, 200)
            answer = client.request("POST", f"/api/sandbox/{second['id']}", {})
            self.assert_problem(answer, 409, word="cluster eu has 1 sandboxes, as many as it may (kube.sandboxes)")
            self.assert_story(client.follow(first["id"]))
            other, _ = create(client, "other")
            self.assertEqual(client.follow(other["id"])[-1][2]["outcome"], "ready")


    def test_databases_out_of_reach_are_told_by_their_cluster_alone(self):
        with Clusters(eu_kube="      prove_login: false\n", has_eu_databases=False) as world:
            client = world.sign_in()
            there, _ = create(client, "there", "eu")
            self.assert_story(client.follow(there["id"]))
            words = [row[0] for row in world.sql("SELECT message FROM journal WHERE stage = 'database'")]
            self.assertNotIn("PostgreSQL answers with its credentials", words)
            other = world.sign_in("here")
            here, _ = create(other, "here")
            self.assert_story(other.follow(here["id"]))
            words = [row[0] for row in world.sql("SELECT message FROM journal WHERE stage = 'database'")]
            self.assertIn("PostgreSQL answers with its credentials", words)


class Away(ClusterCase):
    """One of the two does not answer."""

    def test_while_one_stands_still_the_other_goes_on_and_it_completes_afterwards(self):
        with Clusters() as world:
            client = world.sign_in()
            leaving, _ = create(client, "leaving", "eu")
            self.assert_story(client.follow(leaving["id"]))
            os.kill(world.eu.cluster.pid, signal.SIGSTOP)
            try:
                waiting, _ = create(client, "waiting", "eu")
                reader = Reader(client, f"/api/sandbox/{waiting['id']}/events")
                reader.wait("that eu does not answer", is_unreachable)
                client.json("DELETE", f"/api/projects/{leaving['id']}", status=202)
                for i in range(3):
                    other = world.sign_in(f"meanwhile{i}")
                    self.assert_story(other.follow(create(other, "meanwhile")[0]["id"]))
                self.assertEqual(clusters_of(client), {"us": "available", "eu": "unreachable"})
                status, _, body = client.request("GET", "/readyz?verbose")
                self.assertEqual(status, 200)
                self.assertIn("[+]kubernetes ok\n", body.decode())
                self.assertIn("[!]kubernetes/eu warning: the Kubernetes API does not answer\n", body.decode())
                metrics = client.request("GET", "/metrics")[2].decode()
                self.assertIn('fullstackd_kube_reachable{cluster="us"} 1\n', metrics)
                self.assertIn('fullstackd_kube_reachable{cluster="eu"} 0\n', metrics)
                self.assert_waits(world, client, leaving["id"], "cluster eu: ")
            finally:
                os.kill(world.eu.cluster.pid, signal.SIGCONT)
            self.assertEqual(reader.end()[-1][2]["outcome"], "ready")
            wait_for("the deletion", lambda: world.rows()["projects"] == 4)
            self.assert_complete(world.eu)
            self.assertEqual({n.partition("-")[0] for n in world.eu.names("deployments")}, {"waiting"})

    def test_what_is_waited_for_there_says_so_as_well(self):
        """Nothing is sent for it while KubeBlocks works: the other's calls find out."""
        slow = ("--delays", DELAYS[1].replace("database=200", "database=4000"))
        with Clusters(eu_delays=slow) as world:
            client, other = world.sign_in("midway"), world.sign_in("late")
            midway, _ = create(client, "midway", "eu")
            reader = Reader(client, f"/api/sandbox/{midway['id']}/events")
            reader.wait("KubeBlocks", lambda name, data: data["message"] == "KubeBlocks is creating the database")
            os.kill(world.eu.cluster.pid, signal.SIGSTOP)
            try:
                late, _ = create(other, "late", "eu")
                told = reader.wait("that eu does not answer", is_unreachable)
                self.assertEqual((told["stage"], told["status"]), ("database", "in_progress"))
            finally:
                os.kill(world.eu.cluster.pid, signal.SIGCONT)
            self.assert_story(reader.end())
            self.assert_story(other.follow(late["id"]))

    def test_the_server_starts_without_one_and_takes_it_up_when_it_comes(self):
        with Clusters() as world:
            client = world.sign_in()
            world.eu.kill()
            world.restart()
            here, _ = create(client, "here")
            other = world.sign_in("there")
            there, _ = create(other, "there", "eu")
            reader = Reader(other, f"/api/sandbox/{there['id']}/events")
            reader.wait("that eu does not answer", is_unreachable)
            self.assert_story(client.follow(here["id"]))
            self.assertEqual(clusters_of(client), {"us": "available", "eu": "unreachable"})
            told = world.doctor()
            self.assertRegex(told, r"\nok +api +cluster us: answers")
            self.assertRegex(told, r"\nfail +api +cluster eu: ")
            world.eu.start()
            self.assertEqual(reader.end()[-1][2]["outcome"], "ready")
            self.assert_complete(world.eu)
            told = world.doctor()
            self.assertRegex(told, r"\nok +api +cluster eu: answers")
            self.assertRegex(told, r"\nok +databases +cluster eu: the 1 newest are all in the cluster")


class Configuration(ClusterCase):
    def test_one_taken_out_of_the_configuration_loses_nothing(self):
        with Clusters() as world:
            client = world.sign_in()
            project, _ = create(client, "kept", "eu")
            unmade = client.json("POST", "/api/projects", {"name": "unmade", "cluster": "eu"}, 200)
            self.assert_story(client.follow(project["id"]))
            made = world.eu.made()
            world.write_config(has_eu=False)
            world.restart()
            self.assertEqual(client.json("GET", f"/api/sandbox/{project['id']}")["status"], "running")
            answer = client.request("POST", f"/api/sandbox/{unmade['id']}", {})
            self.assert_problem(answer, 409, word="cluster eu is not in this server's configuration")
            client.json("DELETE", f"/api/projects/{project['id']}", status=202)
            self.assert_waits(world, client, project["id"], "cluster eu is not in this server's configuration")
            other = world.sign_in("here")
            self.assert_story(other.follow(create(other, "here")[0]["id"]))
            self.assertRegex(world.doctor(), r"\nwarn +clusters +2 projects wait for cluster eu, which is not in the")
            self.assertEqual((world.eu.made(), world.rows()["projects"]), (made, 3))
            world.write_config()
            world.restart()
            wait_for("the deletion", lambda: world.rows()["projects"] == 2)
            self.assertEqual(world.eu.made(), {})

    def test_a_wrong_kubeconfig_is_a_mistake_of_the_configuration(self):
        with Clusters() as world:
            for text, word in ((None, "Kubeconfig file not found at: "), ("clusters: [", "")):
                world.eu.kubeconfig = f"{world.dir}/other"
                if text is not None:
                    with open(world.eu.kubeconfig, "w") as f:
                        f.write(text)
                world.write_config()
                done = subprocess.run([f"{world.build}/fullstackd", "serve", *world.serve_args],
                                      env=world.server_env(free_port()), capture_output=True, text=True)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertRegex(done.stderr, r"clusters\.eu\.kube\.kubeconfig \(.*conf\.yaml:6\): " + word)


@unittest.skipUnless("FS_KUBE" in os.environ, "FS_KUBE is not set: no real control plane")
class Real(StackCase):
    def test_an_embedded_and_a_real_one_behind_one_server_each_in_its_dialect(self):
        with RealClusters() as world:
            clients = {name: world.sign_in(name) for name in ("us", "eu")}
            told = wait_for("both", lambda: (lambda text: text.count("[+]kubeblocks") == 2 and text)(
                clients["us"].request("GET", "/readyz?verbose")[2].decode()))
            self.assertIn("[+]kubernetes-caches/eu ok", told)
            projects = {name: create(client, f"in{name}", name)[0]["id"] for name, client in clients.items()}
            for name, client in clients.items():
                self.assert_story(client.follow(projects[name]))
            for cluster, name in ((world, "inus"), (world.eu, "ineu")):
                for kind in ("deployments", "services", "clusters"):
                    self.assertEqual({n.partition("-")[0] for n in cluster.names(kind)}, {name}, kind)
            for name, client in clients.items():
                client.json("DELETE", f"/api/projects/{projects[name]}", status=202)
            wait_for("no project", lambda: world.rows()["projects"] == 0)
            self.assertEqual(world.made(), {})
            # The real garbage collector is in no hurry with what a Deployment or a Cluster owned.
            wait_for("nothing left", lambda: world.eu.made() == {})


if __name__ == "__main__":
    main()
