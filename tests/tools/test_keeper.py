# SPDX-License-Identifier: MIT
"""Nothing goes on that a test run or a demo started, however whoever started it ends: asked, interrupted, killed."""
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HARNESS = os.path.join(ROOT, "tests", "harness")
KEEPER = os.path.join(HARNESS, "keeper.py")
WITHIN_S = 60

# Starts what tests start and what goes wrong: a child, a daemon of another session, one that is stopped, one that was orphaned,
# one that does not want to end. Tells their pids; then waits, or ends with the code it was given.
START = """
import json, os, signal, subprocess, sys
def background(command):
    return int(subprocess.run(["sh", "-c", command + " >/dev/null 2>&1 & echo $!"], stdout=subprocess.PIPE, text=True).stdout)
nap = [sys.executable, "-c", "import signal; signal.pause()"]
stopped = subprocess.Popen(nap).pid
os.kill(stopped, signal.SIGSTOP)
pids = [subprocess.Popen(nap).pid, background("setsid sleep 1000"), background("sleep 1000"), stopped]
if "deaf" in sys.argv:
    deaf = [sys.executable, "-c", "import signal; signal.signal(15, signal.SIG_IGN); print(1, flush=True); signal.pause()"]
    child = subprocess.Popen(deaf, stdout=subprocess.PIPE)
    child.stdout.readline()
    pids.append(child.pid)
for control in ("FS_PG_CTL", "FS_REDIS_CTL"):
    if control in os.environ:
        pids.append(int(subprocess.check_output([os.environ[control], "pid"])))
print(json.dumps(pids), flush=True)
if sys.argv[-1].isdigit():
    sys.stdin.readline()
    sys.exit(int(sys.argv[-1]))
signal.pause()
"""


def listen_to_all():
    """A run in the background, or beneath nohup, ignores signals, and so would all that it starts."""
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(signum, signal.SIG_DFL)


class Watched(unittest.TestCase):
    def start(self, words, **more):
        """Starts it and waits until it has told its pids."""
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        preexec_fn=listen_to_all, **more)
        self.addCleanup(self.clean_up)
        self.pids = json.loads(next(line for line in self.process.stdout if line.startswith("[")))
        self.handles = [os.pidfd_open(pid) for pid in self.pids]
        for handle in self.handles:
            self.addCleanup(os.close, handle)

    def clean_up(self):
        """A test that failed leaves nothing either, and waits for nothing that does not come."""
        self.process.kill()
        self.process.wait(WITHIN_S)
        self.process.stdin.close()
        self.process.stdout.close()

    def end(self, signum, pid=None):
        os.kill(pid or self.process.pid, signum)
        return self.process.wait(WITHIN_S)

    def assert_all_gone(self):
        for pid, handle in zip(self.pids, self.handles):
            self.assertTrue(select.select([handle], [], [], WITHIN_S)[0], f"{pid} goes on")


class Kept(Watched):
    def test_the_command_s_exit_code_is_told_and_what_it_left_is_stopped(self):
        self.start([sys.executable, KEEPER, sys.executable, "-c", START, "7"])
        self.process.communicate("go on\n", WITHIN_S)
        self.assertEqual(self.process.returncode, 7)
        self.assert_all_gone()

    def test_one_that_does_not_want_to_end_is_killed_and_a_second_signal_changes_nothing(self):
        self.start([sys.executable, KEEPER, sys.executable, "-c", START, "deaf"])
        self.process.send_signal(signal.SIGTERM)
        select.select([self.handles[0]], [], [], WITHIN_S)  # it has begun
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.end(signal.SIGINT), 128 + signal.SIGTERM)
        self.assert_all_gone()

    def test_when_the_inner_one_is_killed_the_outer_one_stops_all(self):
        self.start([sys.executable, KEEPER, sys.executable, "-c", START])
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as f:
            inner = int(f.read().split()[0])
        self.assertEqual(self.end(signal.SIGKILL, inner), 128 + signal.SIGKILL)
        self.assert_all_gone()

    def test_a_signal_that_is_ignored_stays_ignored(self):
        self.start(["sh", "-c", "trap '' HUP; exec \"$@\"", "sh", sys.executable, KEEPER, sys.executable, "-c", START, "3"])
        self.process.send_signal(signal.SIGHUP)
        self.process.communicate("go on\n", WITHIN_S)
        self.assertEqual(self.process.returncode, 3)

    def test_a_command_that_is_not_there_is_an_error(self):
        done = subprocess.run([sys.executable, KEEPER, "/nowhere"], stderr=subprocess.PIPE, text=True, timeout=WITHIN_S, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nowhere", done.stderr)


class Services(Watched):
    """with_services.py, with its PostgreSQL and Redis."""

    def setUp(self):
        sys.path.insert(0, HARNESS)
        import with_services
        if with_services.missing_programs(True):
            self.skipTest("PostgreSQL or Redis is not installed")
        self.start([sys.executable, os.path.join(HARNESS, "with_services.py"), sys.executable, "-c", START])

    def test_asked(self):
        self.assertEqual(self.end(signal.SIGTERM), 128 + signal.SIGTERM)
        self.assert_all_gone()

    def test_interrupted(self):
        self.assertEqual(self.end(signal.SIGINT), 128 + signal.SIGINT)
        self.assert_all_gone()

    def test_killed(self):
        self.end(signal.SIGKILL)
        self.assert_all_gone()


# In place of what takes long: a group of tests that starts two processes and waits, a demo of four sleepers.
STUBS = """
need() { :; }
GROUPS_MORE="$GROUPS_MORE nap"
group_nap() {
    setsid sleep 1000 >/dev/null 2>&1 &
    nap_first=$!
    (sleep 1000 >/dev/null 2>&1 & echo "[$nap_first, $!]")
    wait
}
prepare_demo() { :; }
already_running() { return 1; }
start_all() {
    # What a shell starts in the background begins with INT ignored; as PostgreSQL does, it listens all the same.
    for name in $PROCESSES; do
        spawn $name $(tied_words TERM) python3 -c 'import signal; signal.signal(2, signal.SIG_DFL); signal.pause()'
    done
    echo x >"$RUN_DIR/address"
}
print_address() { for name in $PROCESSES; do pid_of $name; done | paste -sd , | sed 's/.*/[&]/'; }
"""


class Run(Watched):
    """./run test and ./run demo, in a checkout of their own."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        os.makedirs(f"{self.folder.name}/tests/harness")
        shutil.copy(f"{ROOT}/run", self.folder.name)
        shutil.copytree(f"{ROOT}/tools/run", f"{self.folder.name}/tools/run")
        for name in ("keeper.py", "collect.py"):
            shutil.copy(f"{HARNESS}/{name}", f"{self.folder.name}/tests/harness")
        with open(f"{self.folder.name}/tools/run/extra.sh", "a", encoding="utf-8") as extra:
            extra.write(STUBS)

    def run_verb(self, *words):
        self.start([f"{self.folder.name}/run", *words], env={k: v for k, v in os.environ.items() if k != "DEMO_DIR"})

    def test_tests_that_are_asked_to_end(self):
        self.run_verb("test", "nap")
        self.assertEqual(self.end(signal.SIGTERM), 128 + signal.SIGTERM)
        self.assert_all_gone()

    def test_tests_that_are_killed(self):
        self.run_verb("test", "nap")
        self.end(signal.SIGKILL)
        self.assert_all_gone()

    def test_a_demo_that_is_asked_to_end_and_asked_again(self):
        self.run_verb("demo")
        self.process.send_signal(signal.SIGTERM)
        self.process.stdout.close()
        select.select([self.handles[0]], [], [], WITHIN_S)  # it has begun to stop them, one after the other
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(WITHIN_S), 143)
        self.assert_all_gone()

    def test_a_demo_that_is_killed(self):
        self.run_verb("demo")
        self.end(signal.SIGKILL)
        self.assert_all_gone()

    def test_a_demo_in_the_background_goes_on_until_it_is_stopped(self):
        self.addCleanup(subprocess.run, [f"{self.folder.name}/run", "stop"], stdout=subprocess.DEVNULL, timeout=WITHIN_S, check=False)
        self.run_verb("demo", "--detach")
        self.assertEqual(self.process.wait(WITHIN_S), 0)
        self.assertFalse(select.select(self.handles, [], [], 0)[0])
        subprocess.run([f"{self.folder.name}/run", "stop"], stdout=subprocess.DEVNULL, timeout=WITHIN_S, check=True)
        self.assert_all_gone()


if __name__ == "__main__":
    unittest.main()
