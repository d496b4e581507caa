#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Stopping, starting and restarting a project: what runs ends and comes back, what it holds stays. Runs inside
with_services.py."""
import subprocess

from world import Reader, StackCase, World, main, path_of, wait_for

# Slow enough that a stop can be looked at, or broken off, on its way.
def slow_stop(ms):
    return ("--delays", f"schedule=0,pull_first=0,pull_again=0,start=0,ready=0,stop={ms},database=0,retry=100")


def is_done_with(outcome):
    return lambda name, data: name == "done" and data["outcome"] == outcome


class Stop(StackCase):
    def ready(self, world, client, name):
        project, answer = client.create(name)
        self.assert_story(client.follow(project["id"]))
        return project["id"], answer["sandbox"]

    def act(self, client, project_id, action, status=202):
        return client.json("POST", f"/api/projects/{project_id}/{action}", status=status)

    def replicas(self, world, name):
        return world.kube("GET", path_of("deployments", name), want=200)["spec"]["replicas"]

    def cluster(self, world, name):
        return world.kube("GET", path_of("clusters", name), want=200)

    def has_ended(self, world, reader, outcome):
        """Ends whatever pod there is at this moment, since a Deployment may still make another, and looks."""
        for pod in world.names("pods"):
            world.kube("DELETE", path_of("pods", pod) + "?gracePeriodSeconds=0")
        return any(is_done_with(outcome)(name, data) for _, name, data in list(reader.events))

    def test_what_is_stopped_does_not_run_and_comes_back_with_its_data(self):
        with World() as world:
            client = world.sign_in()
            project, sandbox = self.ready(world, client, "till")
            name, database, _ = world.sandbox_row(project)
            url = world.env_of(name)["DATABASE_URL"].partition("?")[0]
            subprocess.run(["psql", "-X", "-q", url, "-c", "CREATE TABLE ledger AS SELECT 42 AS sum"], check=True)
            reader = Reader(client, "/api/events")
            self.assertEqual(self.act(client, project, "stop")["project"]["status"], "STOPPING")
            end = reader.wait("the stop", is_done_with("stopped"))
            self.assertEqual(end["status"], "stopped")
            self.assertEqual(self.replicas(world, name), 0)
            self.assertEqual([n for n in world.names("pods") if n.startswith(name)], [])
            stopped = self.cluster(world, database)
            self.assertEqual(stopped["status"]["phase"], "Stopped")
            self.assertEqual(stopped["metadata"]["annotations"]["kubeblocks.io/snapshot-for-start"], '{"postgresql":1}')
            self.assertEqual(world.count_made()["ingresses"], 2)
            status = client.json("GET", f"/api/sandbox/{project}")
            self.assertEqual((status["status"], status["sandbox"]["status"]), ("stopped", "STOPPED"))
            self.assertEqual(status["actions"], ["start", "delete"])
            self.assertEqual(self.act(client, project, "stop", 200)["project"]["status"], "STOPPED")
            answer = self.act(client, project, "start")
            self.assertEqual(answer["project"]["status"], "STARTING")
            reader.wait("the start", lambda n, d: n == "done" and d["outcome"] == "ready" and d["attempt"] == 2)
            self.assertEqual(self.replicas(world, name), 1)
            started = self.cluster(world, database)
            self.assertEqual(started["status"]["phase"], "Running")
            self.assertNotIn("kubeblocks.io/snapshot-for-start", started["metadata"]["annotations"])
            self.assertEqual(client.json("GET", f"/api/sandbox/{project}")["sandbox"]["publicUrl"], sandbox["publicUrl"])
            out = subprocess.run(["psql", "-X", "-A", "-t", url, "-c", "SELECT sum FROM ledger"], check=True,
                                 capture_output=True, text=True).stdout
            self.assertEqual(out.strip(), "42")
            told = [(d["stage"], d["status"]) for _, n, d in reader.events if n == "stage" and d["attempt"] == 2]
            self.assertEqual([stage for stage, status in told if status == "completed"].count("database"), 1)
            self.assert_gapless(world.journal(project))

    def test_a_restart_replaces_the_container_alone(self):
        with World() as world:
            client = world.sign_in()
            project, _ = self.ready(world, client, "kiosk")
            name, database, _ = world.sandbox_row(project)
            before = {n for n in world.names("pods") if n.startswith(name)}
            uid = self.cluster(world, database)["metadata"]["uid"]
            self.act(client, project, "restart")
            self.assert_story(client.follow(project))
            wait_for("one other pod", lambda: len({n for n in world.names("pods") if n.startswith(name)} - before) == 1
                     and not before & world.names("pods"))
            self.assertEqual(self.cluster(world, database)["metadata"]["uid"], uid)
            self.assertEqual(world.sandbox_row(project)[2], 2)
            self.assertEqual(world.count_made()["deployments"], 1)

    def test_what_a_state_does_not_allow_is_refused_with_its_reason(self):
        with World() as world:
            client = world.sign_in()
            project = client.json("POST", "/api/projects", {"name": "not yet"})["id"]
            for action in ("start", "stop", "restart"):
                self.assert_problem(client.request("POST", f"/api/projects/{project}/{action}"), 400, word="no sandbox")
            world.fault(verb="create", resource="deployments", status=503, times=100000)
            client.json("POST", f"/api/sandbox/{project}", {}, 202)
            self.assert_problem(client.request("POST", f"/api/projects/{project}/stop"), 400, word="CREATING cannot stop")
            self.assert_problem(client.request("POST", "/api/projects/none/stop"), 404)
            world.kube("DELETE", "/devcluster/faults", None, 200)
            self.assert_story(client.follow(project))
            self.act(client, project, "start", 200)

    def test_a_stop_survives_the_death_of_its_process(self):
        with World(cluster_args=slow_stop(1500)) as world:
            client = world.sign_in()
            project, _ = self.ready(world, client, "dies")
            name, database, _ = world.sandbox_row(project)
            reader = Reader(client, "/api/events")
            self.act(client, project, "stop")
            reader.wait("words", lambda n, d: n == "status" and "container to end" in (d["message"] or ""))
            port = world.crash()
            world.serve(port)
            wait_for("the end", lambda: client.json("GET", f"/api/sandbox/{project}")["status"] == "stopped")
            self.assertEqual(self.cluster(world, database)["status"]["phase"], "Stopped")
            self.assertEqual(self.replicas(world, name), 0)
            self.assert_gapless(world.journal(project))

    def test_a_stop_can_be_turned_into_a_start_and_into_a_deletion(self):
        with World(cluster_args=slow_stop(600000)) as world:
            client = world.sign_in()
            project, _ = self.ready(world, client, "turns")
            name, _, _ = world.sandbox_row(project)
            reader = Reader(client, "/api/events")
            self.act(client, project, "stop")
            wait_for("the halt", lambda: self.replicas(world, name) == 0)
            self.act(client, project, "start")
            reader.wait("the start", lambda n, d: n == "done" and d["outcome"] == "ready" and d["attempt"] == 2)
            self.assertEqual(self.replicas(world, name), 1)
            self.act(client, project, "stop")
            client.json("DELETE", f"/api/projects/{project}", status=202)
            wait_for("the deletion", lambda: self.has_ended(world, reader, "deleted"))
            wait_for("nothing", lambda: not world.made())


if __name__ == "__main__":
    main()
