#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Keeps what a command starts: however it ends, nothing of it goes on.

    keeper.py CMD ARGS...        exit code: the command's, or 128 and the number of the signal that ended it

There are two of it. The outer one is whom the caller knows; the inner one works. Each is told by the kernel when the other
is gone, and whoever loses its parent beneath them (a daemon, what a killed test had started) becomes their child: so all of
it is known by pid, and all of it is over when they are. Linux and the standard library only.
"""
import ctypes
import os
import signal
import subprocess
import sys
import time

ENDINGS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
GRACE_S = 10
LOOK_S = 0.5  # a process whose parent lives ends without a word to us
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def prctl(option, value):
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def facts_of(pid):
    """(state, parent, start time) of a process, from /proc/PID/stat behind the command's closing bracket; None: it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[1]), fields[19]


def beneath(root):
    """{pid: start time} of all that live beneath a process, parents first."""
    children = {}
    for name in os.listdir("/proc"):
        facts = facts_of(name) if name.isdigit() else None
        if facts is not None and facts[0] != "Z":
            children.setdefault(facts[1], []).append((int(name), facts[2]))
    found = list(children.get(root, []))
    for pid, _ in found:
        found += children.get(pid, [])
    return dict(found)


def send(pid, began, signum):
    """To exactly that process; none that got its number since is reached."""
    try:
        process = os.pidfd_open(pid)
    except OSError:
        return
    try:
        facts = facts_of(pid)
        if facts is not None and facts[2] == began:
            signal.pidfd_send_signal(process, signum)
    except ProcessLookupError:
        pass
    finally:
        os.close(process)


def reap():
    """Takes the ends of our children; False: there are none."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        return False
    return True


def is_over(spared, until):
    """Waits until nothing lives beneath us but those spared."""
    while True:
        if not reap() or not set(beneath(os.getpid())) - spared():
            return True
        left = until - time.monotonic()
        if left <= 0:
            return False
        signal.sigtimedwait({signal.SIGCHLD}, min(left, LOOK_S))


def with_all_beneath(pids):
    return set(pids).union(*(beneath(pid) for pid in pids))


def command_of(pid):
    try:
        with open(f"/proc/{pid}/comm") as f:
            return f.read().strip()
    except OSError:
        return "?"


def stop_all(last=None):
    """Ends everything beneath this process: asked first, killed after GRACE_S. Returns ["PID COMMAND"] of what was there.
    last: {pid: signal} of what the others use; with all beneath it, it is asked when they are gone, and not among those told."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    there = beneath(os.getpid())
    last = {pid: how for pid, how in (last or {}).items() if pid in there}
    found = [f"{pid} {command_of(pid)}" for pid in there if pid not in with_all_beneath(last)]
    end(lambda _: signal.SIGTERM, lambda: with_all_beneath(last))
    end(last.get, set)
    return found


def end(how, spared):
    """how(pid): the signal that asks it to end; None: whoever is above it does."""
    ask(how, spared)
    if is_over(spared, time.monotonic() + GRACE_S):
        return
    while True:  # what starts more while it is stopped
        ask(lambda _: signal.SIGKILL, spared)
        if is_over(spared, time.monotonic() + LOOK_S):
            return


def ask(how, spared):
    not_asked = spared()
    for pid, began in beneath(os.getpid()).items():
        if pid in not_asked:
            continue
        if how(pid) is not None:
            send(pid, began, how(pid))
        send(pid, began, signal.SIGCONT)


def on_first_signal(signum, _):
    listen(lambda *_: None)  # from here on it is being ended: another signal must not end that
    raise SystemExit(128 + signum)


def listen(handler):
    for ending in ENDINGS:
        if signal.getsignal(ending) != signal.SIG_IGN:  # nohup, a shell's background
            signal.signal(ending, handler)


def work_inside(work, outer):
    """The inner one: never returns."""
    status = 1
    try:
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        listen(on_first_signal)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
        if os.getppid() == outer:
            status = work()
    except SystemExit as e:
        if isinstance(e.code, str):
            print(e.code, file=sys.stderr)
        status = e.code if isinstance(e.code, int) else int(e.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        stop_all()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status or 0)


def keep(work):
    """Runs work() in a process of its own and returns its exit code, once everything is over that it started. A signal that
    ends reaches work() as SystemExit."""
    outer = os.getpid()
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    sys.stdout.flush()
    sys.stderr.flush()
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    inner = os.fork()
    if inner == 0:
        work_inside(work, outer)
    listen(lambda signum, _: os.kill(inner, signum))  # it is ours until we took its end
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
    status = wait_for(inner, lambda: listen(lambda *_: None))
    if os.WIFSIGNALED(status):
        stop_all()
        return 128 + os.WTERMSIG(status)
    return os.WEXITSTATUS(status)


def wait_for(child, on_end=lambda: None):
    """The child's status as of waitpid(); takes the ends of those who became ours meanwhile, for somebody may ask whether they
    are gone. on_end is called while the child's number is still its own."""
    while True:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT).si_pid
        if ended == child:
            on_end()
        _, status = os.waitpid(ended, 0)
        if ended == child:
            return status


def run(command, environment=None):
    """For work() of keep(): the command's exit code."""
    child = subprocess.Popen(command, env=environment)
    status = os.waitstatus_to_exitcode(wait_for(child.pid))
    child.returncode = status  # Popen does not find out any more
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(keep(lambda: run(sys.argv[1:])))
