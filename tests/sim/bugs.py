#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shows that the simulation finds bugs: each patch of tests/sim/bugs is planted alone in a copy of the engine, which must
then break a promise within so many seeds. A patch that no longer applies, or a bug that is not found, is a failure.

usage: bugs.py [--apply-only] [NAME...]      NAME: a part of the patch's file name
"""
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PLACE = os.path.join(ROOT, "build", "sim-bugs")
TREE, BUILD = os.path.join(PLACE, "tree"), os.path.join(PLACE, "build")
PARTS = ("CMakeLists.txt", "core", "tests/CMakeLists.txt", "tests/sim", "tests/bench")
SEEDS_MAX = 20000
CHUNK_N = 200
CHUNK_S = 120


def files_of(part):
    path = os.path.join(ROOT, part)
    if os.path.isfile(path):
        yield part
    for folder, _, names in os.walk(path):
        for name in names:
            if name.endswith((".c", ".h", ".txt")):
                yield os.path.relpath(os.path.join(folder, name), ROOT)


def refresh():
    """The tree as it is here; what has not changed keeps its time, so that only what a patch touched is built anew."""
    wanted = {name for part in PARTS for name in files_of(part)}
    for folder, _, names in os.walk(TREE):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), TREE)
            if path not in wanted:
                os.unlink(os.path.join(TREE, path))
    for name in wanted:
        with open(os.path.join(ROOT, name), "rb") as source:
            text = source.read()
        path = os.path.join(TREE, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.exists(path):
            with open(path, "rb") as there:
                if there.read() == text:
                    continue
        with open(path, "wb") as target:
            target.write(text)


def run(*argv, cwd=PLACE):
    # The copy lies within a repository that ignores it: git must not look there.
    env = dict(os.environ, GIT_CEILING_DIRECTORIES=PLACE)
    return subprocess.run(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def apply(patch, *options):
    return run("git", "apply", *options, patch, cwd=TREE)


def build():
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        done = run("cmake", "-S", TREE, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_C_FLAGS_RELEASE=-O1")
        if done.returncode != 0:
            return done.stdout
    done = run("cmake", "--build", BUILD, "--target", "sim_engine", "-j", str(os.cpu_count()))
    return None if done.returncode == 0 else done.stdout


def run_chunk(first):
    """(seed, promise that was broken), or None."""
    program = os.path.join(BUILD, "tests/sim/sim_engine")
    try:
        done = subprocess.run([program, str(first), str(CHUNK_N), "1"], capture_output=True, text=True, timeout=CHUNK_S, check=False)
    except subprocess.TimeoutExpired:
        return first, f"no end within {CHUNK_S} s"
    found = re.search(r"^seed (\d+): (.*)$", done.stdout, re.M)
    if found:
        return int(found[1]), found[2]
    if done.returncode < 0:
        return first, f"died of signal {-done.returncode}"
    return None


def hunt():
    """The first seed that finds the bug; chunks run side by side."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        firsts = iter(range(1, SEEDS_MAX, CHUNK_N))
        running = [pool.submit(run_chunk, next(firsts)) for _ in range(os.cpu_count())]
        while running:
            found = running.pop(0).result()
            if found:
                return min([found] + [more for more in (chunk.result() for chunk in running) if more])
            following = next(firsts, None)
            if following:
                running.append(pool.submit(run_chunk, following))
    return None


def try_bug(patch):
    """(is it found, at which seed, by what)."""
    refresh()
    done = apply(patch)
    if done.returncode != 0:
        return False, "", "the patch does not apply: " + done.stdout.strip()
    failure = build()
    if failure:
        return False, "", "it does not build:\n" + failure
    found = hunt()
    return (True, *found) if found else (False, "", f"not found in {SEEDS_MAX} seeds")


def check_sound():
    """Without a bug nothing may be found, or everything would be found for nothing."""
    refresh()
    failure = build()
    return failure or run_chunk(1)


def main():
    names = [arg for arg in sys.argv[1:] if not arg.startswith("-")]
    if set(sys.argv[1:]) - set(names) - {"--apply-only"}:
        sys.exit(__doc__)
    patches = sorted(p for p in glob.glob(os.path.join(ROOT, "tests/sim/bugs/*.patch")) if not names or any(n in p for n in names))
    if not patches:
        sys.exit("there is no such patch")
    if shutil.which("git") is None:
        print("SKIP: no git here")
        return 77
    os.makedirs(TREE, exist_ok=True)
    passed = failed = 0
    if "--apply-only" in sys.argv:
        refresh()
        for patch in patches:
            done = apply(patch, "--check")
            print(f"{os.path.basename(patch)}: {done.stdout.strip() or 'applies'}")
            passed, failed = passed + (done.returncode == 0), failed + (done.returncode != 0)
    else:
        wrong = check_sound()
        if wrong:
            print(f"the engine as it is breaks a promise: {wrong}")
            failed += 1
        print(f"{'bug':<44} {'seed':>6} {'s':>4}  promise")
        for patch in patches if not failed else []:
            began = time.monotonic()
            is_found, seed, text = try_bug(patch)
            name = os.path.basename(patch).removesuffix(".patch")
            print(f"{name:<44} {seed:>6} {time.monotonic() - began:4.0f}  {'' if is_found else 'FAIL: '}{text}", flush=True)
            passed, failed = passed + is_found, failed + (not is_found)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
