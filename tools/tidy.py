#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs clang-tidy over the compile database, in parallel, and remembers which files were clean.

usage: tidy.py --build DIR [--jobs N] [FILE...]

A file is looked at again only when it, a header it includes, its compile command, .clang-tidy or the tool changed: the
clean ones are remembered by that hash in DIR/tidy-clean. Exit 1 and the findings, if there are any.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def digest(*parts):
    total = hashlib.sha256()
    for part in parts:
        total.update(part if isinstance(part, bytes) else part.encode())
        total.update(b"\0")
    return total.hexdigest()


def dependencies(entry):
    """The project's own files that the compilation reads; system headers change with the tool's package."""
    words = [w for w in shlex.split(entry["command"])]
    command, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT", "-MQ"):
            skip = True
        elif word not in ("-c", "-MD", "-MMD", "-Werror"):
            command.append(word)
    out = subprocess.run(command + ["-MM"], cwd=entry["directory"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    names = out.stdout.decode().replace("\\\n", " ").partition(":")[2].split()
    return sorted({os.path.realpath(os.path.join(entry["directory"], n)) for n in names} | {entry["file"]})


def key_of(entry, salt):
    parts = [salt, entry["command"]]
    for name in dependencies(entry):
        with open(name, "rb") as source:
            parts += [name, source.read()]
    return digest(*parts)


def look(entry, build, clean, salt):
    key = key_of(entry, salt)
    mark = os.path.join(clean, key)
    if os.path.exists(mark):
        return entry["file"], None, ""
    run = subprocess.run(["clang-tidy", "--quiet", "-p", build, entry["file"]], cwd=ROOT, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, check=False)
    text = run.stdout.decode(errors="replace")
    if run.returncode == 0:
        open(mark, "w").close()
    return entry["file"], run.returncode, text


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    with open(os.path.join(arguments.build, "compile_commands.json"), encoding="utf-8") as database:
        entries = [e for e in json.load(database) if not e["file"].startswith(os.path.realpath(arguments.build))]
    if not arguments.files:
        entries = [e for e in entries if not os.path.relpath(e["file"], ROOT).startswith("tests" + os.sep)]
    else:
        wanted = {os.path.realpath(name) for name in arguments.files}
        entries = [e for e in entries if os.path.realpath(e["file"]) in wanted]
    with open(os.path.join(ROOT, ".clang-tidy"), "rb") as config:
        version = subprocess.run(["clang-tidy", "--version"], stdout=subprocess.PIPE, check=True).stdout
        salt = digest(config.read(), version)
    clean = os.path.join(arguments.build, "tidy-clean")
    os.makedirs(clean, exist_ok=True)
    bad = fresh = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for name, status, text in pool.map(lambda e: look(e, arguments.build, clean, salt), entries):
            fresh += status is not None
            if status:
                bad += 1
                lines = [line for line in text.splitlines() if not re.match(r"\d+ warnings? (generated|treated)|Suppressed|Use -header", line)]
                print("\n".join(lines))
                print("repeat: clang-tidy --quiet -p %s %s" % (os.path.relpath(arguments.build, ROOT), os.path.relpath(name, ROOT)))
    print("tidy: %d files (%d looked at, %d remembered), %d with findings" % (len(entries), fresh, len(entries) - fresh, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
