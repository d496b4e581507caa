#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a cluster holds without a row, and what rows say that is not there: found, waited with, deleted or left alone, by
the command and by the server; and failed creations that nobody tries again. Runs inside with_services.py."""
import copy
import json
import subprocess

from test_clusters import Clusters, create
from world import OF_DATABASE, Reader, StackCase, World, main, path_of, wait_for

ID = "project.fullstackagent.io/id"
MANAGED = "app.kubernetes.io/managed-by"
SWEPT = {"clusters", "deployments", "services", "ingresses", "serviceaccounts", "roles", "rolebindings"}
NOW = {"FULLSTACKD_SWEEP_GRACE": "0s"}


class SweepCase(StackCase):
    def ready(self, world, client, name):
        project, _ = client.create(name)
        self.assert_story(client.follow(project["id"]))
        return project["id"]

    def gone(self, world, client, name):
        """A project of this database that was deleted with everything."""
        project = self.ready(world, client, name)
        client.json("DELETE", f"/api/projects/{project}", status=202)
        wait_for("the deletion", lambda: client.request("GET", f"/api/projects/{project}")[0] == 404)
        return project

    def templates(self, world, project):
        """One object of each kind as the server itself makes it."""
        name, database, _ = world.sandbox_row(project)
        names = {"clusters": database, "serviceaccounts": database, "roles": database, "rolebindings": database,
                 "deployments": name, "services": name + "-service", "ingresses": name + "-app-ingress"}
        return {kind: world.kube("GET", world.path_of(kind, n), want=200) for kind, n in names.items()}

    def plant(self, world, template, kind, name, project, **more):
        """As the server itself makes it, but for `more` labels (None: without). Returns (kind, name)."""
        planted = copy.deepcopy(template[kind])
        labels = dict(planted["metadata"]["labels"], **{ID: project}, **more)
        labels = {key: value for key, value in labels.items() if value is not None}
        planted["metadata"] = {"name": name, "labels": labels}
        planted.pop("status", None)
        if kind == "deployments":
            planted["spec"]["replicas"] = 0
        if kind == "services":
            for key in ("clusterIP", "clusterIPs"):
                planted["spec"].pop(key, None)
        world.kube("POST", world.path_of(kind), planted, 201)
        return kind, name

    def sweep(self, world, *args, env=None, want=0):
        """Runs the command. Returns ({(kind, name): verdict}, the report)."""
        run = subprocess.run([f"{world.build}/fullstackd", "sweep", "--json", *world.serve_args, *args],
                             env=dict(world.server_env(world.port), **(env or {})), capture_output=True, text=True, timeout=120)
        self.assertEqual(run.returncode, want, run.stdout + run.stderr)
        report = json.loads(run.stdout)
        kinds = {"Cluster": "clusters", "Deployment": "deployments", "Service": "services", "Ingress": "ingresses",
                 "ServiceAccount": "serviceaccounts", "Role": "roles", "RoleBinding": "rolebindings"}
        return {(kinds[f["kind"]], f["name"]): f["verdict"] for f in report["findings"]}, report

    def held(self, world):
        """What a sweep looks at; what controllers make of planted objects comes when it comes."""
        return {key: uid for key, uid in world.objects().items() if key[0] in SWEPT}

    def counts(self, report):
        return {k: n for k, n in report["clusters"][0]["counts"].items() if n}


class Command(SweepCase):
    def test_each_object_is_judged_and_only_what_is_due_goes(self):
        with World() as world:
            client = world.sign_in()
            shop = self.ready(world, client, "shop")
            template = self.templates(world, shop)
            mine = {key for key in world.made() if key[0] in SWEPT}
            past = self.gone(world, client, "past")
            other = "01900000-0000-7000-8000-000000000000"
            due = {self.plant(world, template, kind, "past-agentruntime-aaaaa1" + suffix, past)
                   for kind, suffix in (("deployments", ""), ("services", "-service"), ("ingresses", "-app-ingress"),
                                        ("ingresses", "-ttyd-ingress"))}
            due |= {self.plant(world, template, kind, "past-agentruntime-rights", past)
                    for kind in ("serviceaccounts", "roles", "rolebindings")}
            due.add(self.plant(world, template, "deployments", "shop-agentruntime-former", shop))
            kept = {}
            for kind in ("clusters", "serviceaccounts", "roles", "rolebindings"):
                key = self.plant(world, template, kind, "past-agentruntime-dbkept", past)
                kept[key] = "data" if kind == "clusters" else "attached"
            for kind in ("deployments", "services", "roles"):
                kept[self.plant(world, template, kind, "past-agentruntime-strang" + ("-service" if kind == "services" else ""),
                                other)] = "stranger"
            kept[self.plant(world, template, "deployments", "made-by-hand", past)] = "unnamed"
            for kind, manager in (("deployments", "somebody"), ("serviceaccounts", None), ("roles", "fullstackd")):
                kept[self.plant(world, template, kind, "past-agentruntime-aaaaa3", past, **{MANAGED: manager})] = "foreign"
            unseen = self.plant(world, template, "deployments", "past-agentruntime-aaaaa2", None)
            before = self.held(world)

            found, report = self.sweep(world, "--dry-run", env=NOW)
            self.assertEqual(found, {**kept, **{key: "due" for key in due}})
            self.assertEqual((report["clusters"][0]["result"], self.counts(report)["due"]), ("complete", len(due)))
            self.assertEqual(self.counts(report)["known"], len(mine))
            self.assertEqual((self.held(world), world.sql("SELECT count(*) FROM sweeps")), (before, [["0"]]))

            found, _ = self.sweep(world)
            self.assertEqual({found[key] for key in due}, {"waiting"})
            self.assertEqual(self.held(world), before)
            first = world.sql("SELECT name, first_seen_at FROM sweep_findings ORDER BY kind, name")
            self.assertEqual(len(first), len(found))
            self.sweep(world)
            self.assertEqual(world.sql("SELECT name, first_seen_at FROM sweep_findings ORDER BY kind, name"), first)

            found, report = self.sweep(world, env=NOW)
            self.assertEqual({found[key] for key in due}, {"removed"})
            self.assertEqual(self.counts(report)["removed"], len(due))
            wait_for("their end", lambda: not due & set(self.held(world)))
            left = self.held(world)
            self.assertEqual({key: uid for key, uid in before.items() if key not in due}, left)
            self.assertEqual(self.sweep(world, env=NOW)[0], kept)
            self.assertIn(unseen, left)
            self.assertEqual(client.json("GET", f"/api/sandbox/{shop}")["status"], "running")

    def test_a_table_for_people_says_the_same(self):
        with World() as world:
            client = world.sign_in()
            shop = self.ready(world, client, "shop")
            self.plant(world, self.templates(world, shop), "deployments", "shop-agentruntime-former", shop)
            run = subprocess.run([f"{world.build}/fullstackd", "sweep", "--dry-run"], env=world.server_env(world.port),
                                 capture_output=True, text=True, timeout=120)
            lines = run.stdout.splitlines()
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertEqual(lines[0].split(), ["CLUSTER", "KIND", "NAME", "CREATED", "VERDICT", "MEANING"])
            self.assertEqual(lines[1].split()[:3], ["default", "Deployment", "shop-agentruntime-former"])
            self.assertEqual(lines[1].split()[4], "waiting")
            self.assertTrue(lines[2].startswith("default: complete, 9 objects: known=8 waiting=1"), lines[2])

    def test_what_cannot_be_seen_is_not_gone_and_nothing_is_deleted_by_half(self):
        with World() as world:
            client = world.sign_in()
            shop = self.ready(world, client, "shop")
            template = self.templates(world, shop)
            orphan = self.plant(world, template, "deployments", "shop-agentruntime-former", shop)
            right = self.plant(world, template, "roles", "shop-agentruntime-former", shop)
            world.fault(verb="list", resource="clusters", status=500, times=1)
            found, report = self.sweep(world, env=NOW, want=1)
            self.assertEqual((found, report["clusters"][0]["result"]), ({}, "unknown"))
            self.assertIn("Cluster", report["clusters"][0]["detail"])
            world.fault(verb="list", resource="services", status=500, times=1)
            found, report = self.sweep(world, env=NOW, want=1)
            self.assertEqual((found, report["clusters"][0]["result"]), ({orphan: "due"}, "unknown"))
            self.assertIn(orphan, self.held(world))
            # Whether the database is there is not known: its rights stay. A right that is lacking stops nothing else.
            world.fault(verb="list", resource="clusters", status=403, times=1)
            found, report = self.sweep(world, env=NOW)
            self.assertEqual((found, report["clusters"][0]["result"]), ({orphan: "removed", right: "attached"}, "partial"))
            # An API server that just began knows no CRD yet: then both versions are missing.
            world.fault(verb="list", resource="clusters", status=404, times=2)
            found, report = self.sweep(world, env=NOW)
            self.assertEqual((found, report["clusters"][0]["result"]), ({right: "attached"}, "partial"))
            self.assertEqual(self.sweep(world, env=NOW)[0], {right: "removed"})

    def test_too_many_at_once_are_a_reason_to_delete_none(self):
        with World() as world:
            client = world.sign_in()
            shop = self.ready(world, client, "shop")
            template = self.templates(world, shop)
            for i in range(3):
                self.plant(world, template, "deployments", f"shop-agentruntime-aaaaa{i}", shop)
            before = self.held(world)
            found, report = self.sweep(world, env=dict(NOW, FULLSTACKD_SWEEP_AT_MOST="2"), want=1)
            self.assertEqual((set(found.values()), self.held(world)), ({"due"}, before))
            self.assertIn("sweep.at_most", report["clusters"][0]["detail"])
            found, _ = self.sweep(world, env=dict(NOW, FULLSTACKD_SWEEP_AT_MOST="3"))
            self.assertEqual(set(found.values()), {"removed"})

    def test_one_that_changes_meanwhile_is_left_for_the_next_time(self):
        with World() as world:
            client = world.sign_in()
            shop = self.ready(world, client, "shop")
            key = self.plant(world, self.templates(world, shop), "deployments", "shop-agentruntime-former", shop)
            world.fault(verb="delete", resource="deployments", status=409, times=1)
            self.assertEqual(self.sweep(world, env=NOW, want=1)[0], {key: "refused"})
            self.assertIn(key, self.held(world))
            self.assertEqual(self.sweep(world, env=NOW)[0], {key: "removed"})

    def test_a_row_whose_object_vanished_is_told(self):
        with World() as world:
            client = world.sign_in()
            project = self.ready(world, client, "shop")
            name, database, _ = world.sandbox_row(project)
            client.json("POST", f"/api/projects/{project}/stop", status=202)
            wait_for("the stop", lambda: client.json("GET", f"/api/sandbox/{project}")["status"] == "stopped")
            self.assertEqual(self.sweep(world)[0], {})
            world.kube("DELETE", world.path_of("clusters", database), want=200)
            wait_for("the database's end", lambda: database not in world.names("clusters"))
            found, report = self.sweep(world)
            self.assertEqual(found, {("clusters", database): "missing"})
            finding = report["findings"][0]
            self.assertEqual((finding["projectId"], finding["uid"], finding["detail"]), (project, None, "the project is STOPPED"))
            world.kube("DELETE", world.path_of("deployments", name), want=200)
            wait_for("the workload's end", lambda: name not in world.names("deployments"))
            self.assertEqual(self.sweep(world)[0], {("clusters", database): "missing", ("deployments", name): "missing"})

    def test_a_database_that_was_to_stay_is_no_orphan_to_be_deleted(self):
        with World() as world:
            client = world.sign_in()
            project = self.ready(world, client, "detach")
            database = world.sandbox_row(project)[1]
            client.json("DELETE", f"/api/projects/{project}?keepDatabase=true", status=202)
            wait_for("no project", lambda: world.rows()["projects"] == 0)
            world.wait_only("nothing but the database", lambda kind, name: kind in OF_DATABASE and name.startswith(database))
            before = self.held(world)
            found, _ = self.sweep(world, env=NOW)
            self.assertEqual(found[("clusters", database)], "data")
            self.assertEqual(set(found.values()), {"data", "attached"})
            self.assertEqual(self.held(world), before)


class TwoClusters(SweepCase):
    def test_each_is_swept_on_its_own(self):
        with Clusters() as world:
            client = world.sign_in()
            here, there = (create(client, name, cluster)[0]["id"] for name, cluster in (("here", None), ("there", "eu")))
            for project in (here, there):
                self.assertEqual(client.follow(project)[-1][2]["outcome"], "ready")
            template = self.templates(world, here)
            orphans = [self.plant(world, template, "deployments", "here-agentruntime-former", here),
                       self.plant(world.eu, template, "deployments", "there-agentruntime-former", there)]
            # Two names of a configuration may lead to one cluster: what any row needs is left alone in all.
            double = self.plant(world, template, "deployments", world.sandbox_row(there)[0], there)
            found, report = self.sweep(world, env=NOW)
            self.assertEqual([(c["cluster"], c["result"]) for c in report["clusters"]], [("us", "complete"), ("eu", "complete")])
            self.assertEqual(found, {key: "removed" for key in orphans})
            self.assertIn(double, world.objects())
            self.plant(world, template, "deployments", "here-agentruntime-former", here)
            world.eu.kill()
            found, report = self.sweep(world, env=NOW, want=1)
            self.assertEqual([(c["cluster"], c["result"]) for c in report["clusters"]], [("us", "complete"), ("eu", "unknown")])
            self.assertEqual(found, {orphans[0]: "removed"})


class Server(SweepCase):
    def log_lines(self, world, event):
        lines = []
        for number in range(1, 6):
            try:
                with open(f"{world.dir}/fullstackd-{number}.log") as f:
                    lines += [json.loads(line) for line in f if line.startswith("{")]
            except FileNotFoundError:
                pass
        return [line for line in lines if line["event"] == event]

    def first_seen(self, world):
        return world.sql("SELECT name, first_seen_at, extract(epoch FROM first_seen_at) FROM sweep_findings")

    def test_an_orphan_goes_once_when_its_grace_is_over_whoever_lives(self):
        with World({"FULLSTACKD_SWEEP_INTERVAL": "1s", "FULLSTACKD_SWEEP_GRACE": "6s"}) as world:
            client = world.sign_in()
            world.sql("UPDATE users SET is_admin = true")
            shop = self.ready(world, client, "shop")
            world.serve()
            kind, name = self.plant(world, self.templates(world, shop), "deployments", "shop-agentruntime-former", shop)
            seen = wait_for("the first sight", lambda: self.first_seen(world))
            port = world.crash()
            world.serve(port)
            admin = world.sign_in()
            report = wait_for("a sweep after it", lambda: (lambda r: r if r["findings"] else None)(admin.json("GET", "/api/admin/orphans")))
            self.assertEqual([(f["kind"], f["name"], f["verdict"], f["projectId"]) for f in report["findings"]],
                             [("Deployment", name, "waiting", shop)])
            self.assertEqual(self.first_seen(world), seen, "the grace began anew")
            wait_for("its end", lambda: name not in world.names(kind))
            lines = wait_for("the log's line", lambda: self.log_lines(world, "orphan deleted"))
            self.assertEqual([line["name"] for line in lines], [name])
            gone = world.sql(f"SELECT extract(epoch FROM timestamptz '{lines[0]['time']}')")[0][0]
            self.assertGreaterEqual(float(gone) - float(seen[0][2]), 6)
            wait_for("the finding's end", lambda: not self.first_seen(world))
            self.assertEqual(len(self.log_lines(world, "orphan deleted")), 1)
            wait_for("the metrics", lambda: 'fullstackd_sweep_found{cluster="default",verdict="known"} 8' in self.metrics(world)
                     and 'fullstackd_sweep_complete{cluster="default"} 1' in self.metrics(world))
            self.assert_problem(world.sign_in("somebody").request("GET", "/api/admin/orphans"), 403)

    def metrics(self, world):
        return world.sign_in().request("GET", "/metrics")[2].decode()

    def test_a_report_deletes_nothing(self):
        with World(dict(NOW, FULLSTACKD_SWEEP_INTERVAL="1s", FULLSTACKD_SWEEP_MODE="report")) as world:
            client = world.sign_in()
            shop = self.ready(world, client, "shop")
            key = self.plant(world, self.templates(world, shop), "deployments", "shop-agentruntime-former", shop)
            seen = wait_for("the first sight", lambda: world.sql("SELECT seen_at FROM sweep_findings WHERE verdict = 'due'"))
            wait_for("the next", lambda: world.sql("SELECT seen_at FROM sweep_findings WHERE verdict = 'due'") != seen)
            self.assertIn(key, world.objects())

    def test_two_replicas_sweep_once(self):
        with World({"FULLSTACKD_SWEEP_INTERVAL": "600s"}) as world:
            world.serve()
            wait_for("a sweep", lambda: world.sql("SELECT 1 FROM sweeps WHERE result = 'complete'"))
            wait_for("both have asked", lambda: all("fullstackd_sweep_complete" in text and "default" in text.partition(
                "# TYPE fullstackd_sweep_complete")[2] for text in (self.metrics_of(world, s) for s in world.servers)))
            self.assertEqual(len(self.log_lines(world, "swept")), 1)

    def metrics_of(self, world, server):
        return world.sign_in(port=server.port).request("GET", "/metrics")[2].decode()


class FailedGrace(SweepCase):
    FAILS = {"verb": "create", "resource": "services", "status": 422, "times": 1}

    def failed(self, world, client, name):
        world.fault(**self.FAILS)
        project, _ = client.create(name)
        self.assertEqual(client.follow(project["id"])[-1][2]["outcome"], "failed")
        return project["id"]

    def state(self, client, project):
        return client.json("GET", f"/api/sandbox/{project}")["sandbox"]["status"]

    def test_a_failed_creation_is_given_up_once_and_its_database_stays(self):
        with World({"FULLSTACKD_FLOW_FAILED_GRACE": "4s"}) as world:
            client = world.sign_in()
            world.serve()
            reader = Reader(client, "/api/events")
            reader.wait("the snapshot", lambda name, _: name == "reset")
            project = self.failed(world, client, "lost")
            name, database, _ = world.sandbox_row(project)
            self.assertIn(name, world.names("deployments"))
            world.serve(world.crash())
            wait_for("its end", lambda: self.state(client, project) == "TERMINATED")
            world.wait_only("nothing but the database", lambda kind, n: kind in OF_DATABASE and n.startswith(database))
            self.assertIn(database, world.names("clusters"))
            told = world.sql(f"SELECT kind, status, outcome, message FROM journal WHERE project_id = '{project}' "
                             "AND kind <> 'stage' ORDER BY seq")
            given_up = [row for row in told if "nobody tried" in row[3]]
            self.assertEqual([row[:2] for row in given_up], [["status", "TERMINATING"]])
            self.assertEqual(told[-1][:3], ["done", "TERMINATED", "terminated"])
            since = world.sql("SELECT extract(epoch FROM (SELECT at FROM journal WHERE message LIKE 'nobody tried%') - "
                              "(SELECT at FROM journal WHERE outcome = 'failed'))")[0][0]
            self.assertGreaterEqual(float(since), 3.9)
            self.assert_gapless(world.journal(project))
            client.json("POST", f"/api/sandbox/{project}", {}, 202)
            wait_for("it is made anew", lambda: self.state(client, project) == "RUNNING")
            self.assertEqual(world.sandbox_row(project)[1], database)

    def test_what_was_ready_once_and_what_is_off_stays(self):
        with World({"FULLSTACKD_FLOW_FAILED_GRACE": "300ms"}) as world:
            client = world.sign_in()
            kept = self.ready(world, client, "kept")
            world.fault(verb="patch", resource="services", status=422, times=1)
            client.json("POST", f"/api/projects/{kept}/restart", status=202)
            self.assertEqual(client.follow(kept)[-1][2]["outcome"], "failed")
            lost = self.failed(world, client, "lost")
            wait_for("the other's end", lambda: self.state(client, lost) == "TERMINATED")
            self.assertEqual(self.state(client, kept), "ERROR")
            self.assertIn(world.sandbox_row(kept)[0], world.names("deployments"))


if __name__ == "__main__":
    main()
