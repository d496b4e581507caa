# SPDX-License-Identifier: MIT
"""The recipe of the real control plane, as far as it can be tried without one: where the binary comes from, which ports are
taken, whose processes are stopped, why a boot failed, and that every fate a pod can have is a Stage."""
import base64
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "kube"))
import accounts  # noqa: E402
import binary  # noqa: E402
import database_stages  # noqa: E402
import kube  # noqa: E402
import kubelet  # noqa: E402
import pod_stages  # noqa: E402
from processes import Program, start_time  # noqa: E402


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def environment(self, **given):
        env = {k: v for k, v in os.environ.items() if k not in ("KUBE", "KUBE1")}
        return mock.patch.dict(os.environ, dict(env, XDG_CACHE_HOME=self.folder, **given), clear=True)


class Binary(Folder):
    def test_the_named_one_is_taken(self):
        path = os.path.join(self.folder, "mine")
        open(path, "w").close()
        with self.environment(KUBE1=path):
            self.assertEqual(binary.find(), path)

    def test_a_name_that_leads_nowhere_is_said_and_nothing_else_is_taken(self):
        with self.environment(KUBE1=self.folder + "/none"), self.assertRaisesRegex(binary.Missing, "/none, which is not there"):
            binary.find()

    def test_one_beside_the_checkout_comes_before_the_cache(self):
        os.makedirs(os.path.join(self.folder, "other", "kube"))
        os.mkdir(os.path.join(self.folder, "checkout"))
        source = os.path.join(self.folder, "program")
        with open(source, "w") as f:
            f.write("#!/bin/sh\n")
        subprocess.run(["zstd", "-q", source, "-o", os.path.join(self.folder, "other", "kube", "kube1.zst")], check=True)
        with self.environment(), mock.patch.object(binary, "ROOT", os.path.join(self.folder, "checkout")):
            open(binary.built(), "w").close()
            found = binary.find()
            with open(found) as f:
                self.assertEqual(f.read(), "#!/bin/sh\n")
            self.assertTrue(os.access(found, os.X_OK))

    def test_a_built_one_is_found_again_and_not_one_of_other_sources(self):
        with self.environment(), mock.patch.object(binary, "ROOT", self.folder):
            open(os.path.join(binary.cache_dir(), "kube1-0000000000000000"), "w").close()
            self.assertRaises(binary.Missing, binary.find)
            open(binary.built(), "w").close()
            self.assertEqual(binary.find(), binary.built())

    def test_without_any_it_says_what_to_do(self):
        with self.environment(), mock.patch.object(binary, "ROOT", self.folder), self.assertRaisesRegex(binary.Missing, "KUBE1.*KUBE=1"):
            binary.find()

    def test_nothing_is_built_without_go(self):
        with self.environment(KUBE="1", PATH=self.folder), mock.patch.object(binary, "ROOT", self.folder):
            self.assertRaisesRegex(binary.Missing, "no Go here", binary.find)


class Ports(unittest.TestCase):
    def test_a_taken_one_is_not_chosen(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            self.assertRaisesRegex(kube.Failed, "is taken", kube.choose_ports, port)

    def test_six_different_ones_are_found(self):
        self.assertEqual(len(set(kube.choose_ports(0).values())), len(kube.PORTS))


class Processes(Folder):
    def setUp(self):
        super().setUp()
        for name in ("logs", "pids"):
            os.mkdir(os.path.join(self.folder, name))
        self.program = Program(self.folder, "nap")
        self.addCleanup(self.program.stop)

    def test_it_is_known_to_whoever_comes_later_and_started_again_as_it_was(self):
        self.program.start("/bin/sleep", ["nap", "100"])
        first = self.program.pid()
        self.assertEqual(Program(self.folder, "nap").pid(), first)
        self.assertTrue(self.program.stop())
        self.assertIsNone(start_time(first))
        again = Program(self.folder, "nap")
        self.addCleanup(again.stop)
        again.start()
        self.assertNotEqual(again.pid(), first)

    def test_somebody_elses_process_is_left_alone(self):
        victim = subprocess.Popen(["sleep", "100"])
        self.addCleanup(victim.wait)
        self.addCleanup(victim.kill)
        with open(self.program.pid_file, "w") as f:
            f.write(f"{victim.pid} 1\n")
        self.assertFalse(self.program.stop(signal.SIGKILL))
        self.assertIsNone(victim.poll())


class Boot(Folder):
    def test_a_folder_of_somebody_else_is_left_as_it_is(self):
        kept = os.path.join(self.folder, "kept")
        open(kept, "w").close()
        cluster = kube.Cluster(kube.Settings({"RUN": self.folder}), say=lambda _: None)
        self.assertRaisesRegex(kube.Failed, "not made by this command", cluster.make_folder)
        self.assertTrue(os.path.exists(kept))

    def test_a_program_that_ends_is_named_with_the_tail_of_its_log_and_the_rest_is_stopped(self):
        fake = os.path.join(self.folder, "fake")
        with open(fake, "w") as f:
            f.write("#!/bin/sh\ncase $* in *name=test*) exec sleep 100;; esac\necho this flag is unknown\nexit 1\n")
        os.chmod(fake, 0o755)
        cluster = kube.Cluster(kube.Settings({"RUN": self.folder + "/run", "KB": "none"}), say=lambda _: None)
        with self.environment(KUBE1=fake), self.assertRaises(kube.Failed) as failed:
            cluster.up()
        self.assertRegex(str(failed.exception), "(?s)kube-apiserver has ended.*this flag is unknown")
        self.assertIsNone(cluster.programs["etcd"].pid())

    def test_an_unknown_kubeblocks_is_refused(self):
        self.assertRaisesRegex(kube.Failed, "not v2", kube.Settings, {"KB": "v2"})


class Fates(unittest.TestCase):
    def chosen_by(self, documents):
        """The fates that some Stage asks for by name, and those that one excludes."""
        found = {"In": set(), "NotIn": set()}
        for document in documents:
            for expression in document["spec"]["selector"]["matchExpressions"]:
                found.get(expression["operator"], set()).update(expression.get("values", []))
        return found

    def test_each_fate_of_a_pod_has_its_stage_but_for_never_starting(self):
        found = self.chosen_by(pod_stages.pod_stages())
        crashing = {fate for fate in pod_stages.CRASHES if fate in pod_stages.IS_CRASHING}
        without = {fate for fate in pod_stages.FATES.values() if fate not in crashing | found["In"]}
        self.assertEqual(without, set())
        stays = [d["metadata"]["name"] for d in pod_stages.pod_stages() if any(
            e["operator"] == "In" and e.get("values") == ["NeverStarts"] for e in d["spec"]["selector"]["matchExpressions"])]
        self.assertEqual(stays, [], "a pod that never starts has a stage of its own")

    def test_containers_wait_for_their_secrets_only_where_a_kubelet_runs(self):
        def looks(**how):
            return any(e["key"] == pod_stages.CONFIG for d in pod_stages.pod_stages(**how) for e in d["spec"]["selector"]["matchExpressions"])
        self.assertTrue(looks())
        self.assertFalse(looks(has_kubelet=False))
        self.assertTrue(kube.Settings({}).has_kubelet)
        self.assertFalse(kube.Settings({"POD_SECRETS": "0"}).has_kubelet)

    def test_each_fate_of_a_database_is_chosen_in_both_dialects(self):
        for version in ("v1alpha1", "v1"):
            found = self.chosen_by(database_stages.database_stages(version))
            self.assertEqual(set(database_stages.FATES.values()) - found["In"] - found["NotIn"], set())

    def test_each_dialect_writes_its_own_credentials(self):
        old, new = (json.dumps(database_stages.credentials(version)) for version in ("v1alpha1", "v1"))
        self.assertIn("conn-credential", old)
        self.assertIn("-account-postgres", new)
        self.assertNotIn("host:", new)


class KubeletCase(unittest.TestCase):
    """The half of a kubelet that kwok lacks, on an API that only notes what is written."""

    def setUp(self):
        self.patched = []
        self.kubelet = kubelet.Kubelet(mock.Mock(call=self.note))

    def note(self, _method, path, body, _kind):
        self.patched.append((path, body["metadata"]["annotations"]))
        return 200, ""

    def pod(self, *secrets, **annotations):
        sources = [{"secretRef": {"name": name}} for name in secrets]
        return {"metadata": {"namespace": "n", "name": "p", "uid": "u", "annotations": annotations}, "spec": {"containers": [{"envFrom": sources}]}}

    def secret(self, name, **data):
        return {"metadata": {"namespace": "n", "name": name, "uid": name}, "data": {k: base64.b64encode(v.encode()).decode() for k, v in data.items()}}

    def test_a_pod_is_told_once_all_its_secrets_are_there_and_what_they_hold(self):
        self.kubelet.take("pods", "ADDED", self.pod("a", "b"))
        self.kubelet.take("secrets", "ADDED", self.secret("a", KWOK_FAIL="OOMKilled", OTHER="x"))
        self.assertEqual(self.patched, [])
        self.kubelet.take("secrets", "ADDED", self.secret("b"))
        self.assertEqual(self.patched, [("/api/v1/namespaces/n/pods/p", {"kwok.test/config": "ready", "kwok.test/fail": "OOMKilled"})])

    def test_an_older_event_behind_it_does_not_tell_it_twice(self):
        self.kubelet.take("secrets", "ADDED", self.secret("a"))
        for _ in range(3):
            self.kubelet.take("pods", "MODIFIED", self.pod("a"))
        self.assertEqual(len(self.patched), 1)

    def test_a_pod_that_was_told_or_needs_nothing_is_left_alone(self):
        self.kubelet.take("secrets", "LISTED", {("n", "a"): self.secret("a")})
        self.kubelet.take("pods", "ADDED", self.pod("a", **{"kwok.test/config": "ready"}))
        self.kubelet.take("pods", "MODIFIED", self.pod())
        self.assertEqual(self.patched, [])


class Accounts(unittest.TestCase):
    def test_the_server_gets_what_is_shipped_and_nothing_by_a_star(self):
        kinds = dict(accounts.shipped())
        self.assertEqual(set(kinds), {"ServiceAccount", "Role", "RoleBinding"})
        self.assertIn("deployments", kinds["Role"])
        self.assertNotIn("*", kinds["Role"])


if __name__ == "__main__":
    unittest.main()
