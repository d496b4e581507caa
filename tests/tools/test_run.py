# SPDX-License-Identifier: MIT
"""The shell functions behind ./run, each in a shell of its own with a temporary folder in place of .run."""
import os
import socket
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PARTS = ("common", "packages", "build", "services", "demo")


class Shell(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def run_sh(self, script, **variables):
        before = "set -eu; ROOT=%s; DEMO_DIR=%s; YES=0; PORT=; ZERO_DELAY=0; DETACH=0; VERB=test; cd $ROOT; " % (ROOT, self.folder.name)
        before += "".join(". tools/run/%s.sh; " % part for part in PARTS) + "make_run_dir; "
        return subprocess.run(["sh", "-c", before + script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=60, check=False, env=dict(os.environ, **variables))

    def out(self, script, **variables):
        done = self.run_sh(script, **variables)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()


class Processes(Shell):
    def test_a_started_process_is_known_and_stopped_by_its_pid(self):
        self.assertEqual(self.out("spawn nap sleep 100; pid_of nap >/dev/null && echo runs; halt nap TERM 5; pid_of nap || echo gone; "
                                  "[ ! -e $RUN_DIR/nap.pid ] && echo forgotten"), "runs\ngone\nforgotten")

    def test_a_pid_that_somebody_else_has_now_is_never_signalled(self):
        victim = subprocess.Popen(["sleep", "100"])
        self.addCleanup(victim.wait)
        self.addCleanup(victim.kill)
        self.assertEqual(self.out("echo '%d 1' >$RUN_DIR/nap.pid; pid_of nap || echo unknown; halt nap KILL 1" % victim.pid), "unknown")
        self.assertIsNone(victim.poll())

    def test_a_process_that_ignores_the_request_is_killed_after_its_time(self):
        done = self.run_sh("spawn deaf sh -c 'trap \"\" TERM; while :; do sleep 1; done'; sleep 0.3; halt deaf TERM 1; pid_of deaf || echo gone")
        self.assertEqual(done.stdout.strip(), "gone")
        self.assertIn("did not stop within 1 s", done.stderr)

    def test_a_command_with_blanks_and_brackets_in_its_name_is_recognised(self):
        self.assertEqual(self.out("ln -s $(command -v sleep) \"$RUN_DIR/a ) b\"; spawn odd \"$RUN_DIR/a ) b\" 100; pid_of odd >/dev/null && echo runs; "
                                  "halt odd TERM 5"), "runs")

    def test_waiting_ends_when_the_process_has_ended(self):
        self.assertEqual(self.out("spawn brief true; wait_until 30 brief false || echo gave up"), "gave up")

    def test_the_secret_for_a_process_is_not_on_its_command_line(self):
        out = self.out("give() { export TOKEN=s3cret; }; SPAWN_ENV=give spawn nap sleep 100; p=$(pid_of nap); "
                       "until tr '\\0' ' ' </proc/$p/cmdline | grep -q '^sleep'; do :; done; "
                       "tr '\\0' '\\n' </proc/$p/environ | grep TOKEN; tr '\\0' ' ' </proc/$p/cmdline; echo; echo ${TOKEN-unset}; halt nap TERM 5")
        self.assertEqual([line.strip() for line in out.splitlines()], ["TOKEN=s3cret", "sleep 100", "unset"])


class Words(Shell):
    def test_a_word_that_a_verb_does_not_know_stops_it_before_it_does_anything(self):
        for verb, word in (("demo", "all"), ("dev", "all"), ("stop", "postgres"), ("clean", "dta"), ("doctor", "x")):
            done = subprocess.run([os.path.join(ROOT, "run"), verb, word], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=60, check=False, env=dict(os.environ, DEMO_DIR=self.folder.name))
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("./run %s knows nothing of '%s'" % (verb, word), done.stderr)
            self.assertEqual(os.listdir(self.folder.name), [])

    def test_help_is_told_whatever_the_verb(self):
        done = subprocess.run([os.path.join(ROOT, "run"), "demo", "--help"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, check=False, env=dict(os.environ, DEMO_DIR=self.folder.name))
        self.assertEqual(done.returncode, 0)
        self.assertTrue(done.stdout.startswith("Usage: ./run VERB"))


class Choices(Shell):
    def test_a_taken_port_is_passed_over(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.assertEqual(self.out("is_port_free %d || echo taken" % port), "taken")
            self.assertNotEqual(self.out("free_port %d" % port), str(port))

    def test_a_port_is_kept_for_the_next_time(self):
        first = self.out("keep_port x 40000")
        self.assertEqual(self.out("keep_port x 50000"), first)

    def test_a_secret_is_made_once_and_read_by_its_owner_only(self):
        first = self.out("secret one 16")
        self.assertRegex(first, "^[0-9a-f]{32}$")
        self.assertEqual(self.out("secret one 16"), first)
        self.assertNotEqual(self.out("secret two 16"), first)
        self.assertEqual(os.stat(os.path.join(self.folder.name, "secrets", "one")).st_mode & 0o777, 0o600)

    def test_the_key_ring_is_an_id_and_32_bytes(self):
        self.assertRegex(self.out("encryption_keys"), "^demo:[A-Za-z0-9+/]{43}=$")

    def test_a_path_in_an_url_is_escaped(self):
        self.assertEqual(self.out("percent_path '/a b/%c'"), "%2F%61%20%62%2F%25%63")

    def test_sockets_go_elsewhere_when_the_path_is_too_long_for_one(self):
        deep = os.path.join(self.folder.name, "d" * 90)
        out = self.out("RUN_DIR=%s; LOG_DIR=$RUN_DIR/log; make_run_dir; private_dir; private_dir; rm -rf $(private_dir)" % deep).splitlines()
        self.assertTrue(out[0].startswith("/var/tmp/fullstackd."), out)
        self.assertEqual(out[0], out[1])


class Packages(Shell):
    def test_nothing_is_missing_where_everything_is_found(self):
        self.assertEqual(self.out("is_present() { :; }; missing_packages build demo test lint"), "")

    def test_a_missing_library_is_named_by_its_package_once(self):
        self.assertEqual(self.out('is_present() { [ "$1" != pc:libpq ] && [ "$1" != pg: ]; }; missing_packages build demo test'), "libpq-dev postgresql")

    def test_without_a_terminal_nothing_is_installed_unasked(self):
        done = self.run_sh("missing_packages() { echo no-such-package; }; apt_install() { echo installs; }; need build")
        self.assertEqual(done.returncode, 1)
        self.assertNotIn("installs", done.stdout)
        self.assertIn("./run test -y", done.stderr)

    def test_each_probe_of_the_table_is_known(self):
        self.assertEqual(self.out("package_table | while read -r set probe package; do is_present \"$probe\" || :; done; echo all"), "all")


class Command(unittest.TestCase):
    def run_it(self, *words):
        return subprocess.run([os.path.join(ROOT, "run"), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=60, check=False)

    def test_every_verb_of_the_help_exists(self):
        verbs = [line.split()[0] for line in self.run_it("help").stdout.splitlines() if line.startswith("  ") and line[2].isalpha()]
        self.assertGreater(len(verbs), 10)
        with open(os.path.join(ROOT, "run"), encoding="utf-8") as script:
            dispatch = script.read().split("case $VERB in")[1]
        for verb in verbs:
            self.assertIn(verb, dispatch)

    def test_an_unknown_verb_fails_and_shows_the_help(self):
        done = self.run_it("dance")
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no verb 'dance'", done.stderr)
        self.assertIn("./run VERB", done.stderr)


if __name__ == "__main__":
    unittest.main()
