#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What earlier attempts leave: each has an environment Secret of its own, and of those only the one that is used stays.
Runs inside with_services.py."""
from world import Reader, StackCase, World, main, path_of, wait_for


class Tidy(StackCase):
    def ready(self, world, client, name):
        project, _ = client.create(name)
        self.assert_story(client.follow(project["id"]))
        return project["id"], world.sandbox_row(project["id"])[0]

    def restart(self, client, project, attempt):
        reader = Reader(client, "/api/events")
        reader.wait("the snapshot", lambda name, _: name == "reset")
        client.json("POST", f"/api/projects/{project}/restart", status=202)
        reader.wait("ready", lambda n, d: n == "done" and d["outcome"] == "ready" and d["attempt"] == attempt)

    def secrets(self, world, name):
        return {n for n in world.names("secrets") if n.startswith(name)}

    def test_of_many_attempts_one_environment_stays_and_its_pod_uses_it(self):
        with World() as world:
            client = world.sign_in()
            project, name = self.ready(world, client, "many")
            other, other_name = self.ready(world, client, "other")
            self.assertEqual(self.secrets(world, name), {f"{name}-env"})
            for attempt in (2, 3, 4):
                self.restart(client, project, attempt)
                self.assertEqual(self.secrets(world, name), {f"{name}-env-{attempt}"})
                self.assertIn("DATABASE_URL", world.env_of(name))
            self.assertEqual(self.secrets(world, other_name), {f"{other_name}-env"}, "another project's was taken")

    def test_what_failed_attempts_left_goes_with_the_first_that_is_ready(self):
        with World() as world:
            client = world.sign_in()
            project, name = self.ready(world, client, "fails")
            for path in (f"/api/projects/{project}/restart", f"/api/sandbox/{project}"):
                world.fault(verb="patch", resource="services", status=422, times=1)
                client.json("POST", path, {}, 202)
                self.assertEqual(client.follow(project)[-1][2]["outcome"], "failed")
            wait_for("their Secrets", lambda: f"{name}-env" in self.secrets(world, name))
            # What bears the name and is not of this project is nobody's to take.
            world.kube("DELETE", path_of("secrets", f"{name}-env"), want=200)
            world.kube("POST", path_of("secrets"), {"metadata": {"name": f"{name}-env"}}, 201)
            client.json("POST", f"/api/sandbox/{project}", {}, 202)
            self.assert_story(client.follow(project))
            self.assertEqual(self.secrets(world, name), {f"{name}-env", f"{name}-env-4"})

    def test_one_that_cannot_be_removed_fails_nothing_and_goes_the_next_time(self):
        with World() as world:
            client = world.sign_in()
            project, name = self.ready(world, client, "stays")
            world.fault(verb="delete", resource="secrets", status=403, times=1)
            self.restart(client, project, 2)
            self.assertEqual(self.secrets(world, name), {f"{name}-env", f"{name}-env-2"})
            world.serve(world.crash())
            self.restart(client, project, 3)
            self.assertEqual(self.secrets(world, name), {f"{name}-env-3"})


if __name__ == "__main__":
    main()
