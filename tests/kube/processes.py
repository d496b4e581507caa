# SPDX-License-Identifier: MIT
"""Programs that outlive who started them, each known by its pid and start time: nobody else's process is ever signalled."""
import json
import os
import signal
import subprocess
import time


def start_time(pid):
    """Field 22 of /proc/PID/stat, counted after the bracket; None when it is gone or only waits to be asked for its end."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


class Program:
    """One of the programs of the cluster in a folder: NAME.json says how it is started, NAME.pid which one runs."""

    def __init__(self, folder, name):
        self.name = name
        self.log = f"{folder}/logs/{name}.log"
        self.pid_file = f"{folder}/pids/{name}.pid"
        self.words_file = f"{folder}/pids/{name}.json"
        self.popen = None

    def pid(self):
        try:
            with open(self.pid_file) as f:
                pid, began = f.read().split()
        except (OSError, ValueError):
            return None
        return int(pid) if start_time(pid) == began else None

    def start(self, program=None, words=None):
        """Starts the program, told by these words what it is; without any, as the last time."""
        if self.pid() is not None:
            return
        if words is None:
            with open(self.words_file) as f:
                program, words = json.load(f)
        else:
            with open(self.words_file, "w") as f:
                json.dump([program, words], f)
        with open(self.log, "a") as log:
            self.popen = subprocess.Popen(words, executable=program, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          start_new_session=True, cwd="/")
        with open(self.pid_file, "w") as f:
            f.write(f"{self.popen.pid} {start_time(self.popen.pid)}\n")

    def stop(self, signum=signal.SIGTERM, within_s=10):
        """Asks it to end, waits, and kills it when it does not. True if it ran."""
        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal.SIGCONT)
            os.kill(pid, signum)
            until = time.monotonic() + within_s
            while self.pid() is not None and time.monotonic() < until:
                time.sleep(0.02)
            if self.pid() is not None:
                os.kill(pid, signal.SIGKILL)
        if self.popen is not None:
            self.popen.wait()
        if os.path.exists(self.pid_file):
            os.unlink(self.pid_file)
        return pid is not None

    def tail(self, lines=15):
        try:
            with open(self.log, errors="replace") as f:
                return "".join(f.readlines()[-lines:])
        except OSError:
            return ""
