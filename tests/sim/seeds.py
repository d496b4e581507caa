#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs many seeds of the simulation in as many processes as there are processors.

usage: seeds.py PROGRAM FIRST_SEED N      PROGRAM: sim_engine of a build without sanitizers
"""
import collections
import concurrent.futures
import os
import re
import subprocess
import sys

CHUNK_N = 1000
CHUNK_S = 300


def run_chunk(program, first, n):
    try:
        done = subprocess.run([program, str(first), str(n)], capture_output=True, text=True, timeout=CHUNK_S, check=False)
    except subprocess.TimeoutExpired:
        return 0, n, [f"seeds {first} to {first + n - 1}: no end within {CHUNK_S} s"], {}
    lines = done.stdout.splitlines()
    counts = re.fullmatch(r"(\d+) passed, (\d+) failed", lines[-1]) if lines else None
    if counts is None:
        return 0, n, lines + done.stderr.splitlines() + [f"{program} {first} {n} ended with {done.returncode}"], {}
    ends = {word: int(number) for word, number in re.findall(r"([a-z ]+?) (\d+)(?:  |$)", lines[-2])}
    return int(counts[1]), int(counts[2]), lines[:-2], ends


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    program, first, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    passed = failed = 0
    ends = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        chunks = [pool.submit(run_chunk, program, at, min(CHUNK_N, first + n - at)) for at in range(first, first + n, CHUNK_N)]
        for chunk in chunks:
            good, bad, said, ended = chunk.result()
            passed, failed = passed + good, failed + bad
            ends.update(ended)
            print("\n".join(said), end="\n" if said else "")
    print("  ".join(f"{word} {number}" for word, number in ends.items()))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
