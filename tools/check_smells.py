#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Finds what review would find by grep: banned calls, sizes, text built by format string, empty or historical comments,
tests that sleep, functions that should be static, names of this or that machine.

usage: check_smells.py [--root ROOT] [--only-singleuse] [FILE...]      exit 1 and one line per finding
With files named, only those are looked at.
"""
import argparse
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from source import Finding, comments, files, functions, line_of, read, without_comments  # noqa: E402

MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 6
MAX_FILE_LINES = 600
MAX_NESTING = 3

BANNED = "strcpy strcat sprintf vsprintf strncpy strncat strtok atoi atol atof sscanf gets alloca gmtime localtime ctime " \
         "asctime system popen".split()
BANNED_OUTSIDE_BASE = "strtol strtoul strtoll strtoull strtod snprintf vsnprintf malloc calloc realloc".split()
SLEEPS = "sleep usleep nanosleep".split()


def is_test(path):
    return path.startswith("tests/")


def calls(names):
    return re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(names))


CALL_BANNED, CALL_OUTSIDE_BASE, CALL_SLEEP = calls(BANNED), calls(BANNED_OUTSIDE_BASE), calls(SLEEPS)


def banned_calls(path, text, code):
    rules = [(CALL_BANNED, "is banned: no bound, no thread safety or no error")]
    if not path.startswith("core/base/") and not is_test(path):
        rules.append((CALL_OUTSIDE_BASE, "is for core/base only"))
    if is_test(path):
        rules.append((CALL_SLEEP, "in a test: wait for the thing itself"))
    for pattern, why in rules:
        for match in pattern.finditer(code):
            yield Finding(path, line_of(code, match.start()), "banned", "%s() %s" % (match.group(1), why))


def licence(path, text, code):
    head = "\n".join(text.split("\n", 2)[:2])
    if "SPDX-License-Identifier: MIT" not in head:
        yield Finding(path, 1, "spdx", "the first line is not the SPDX line")


def top_comment(path, text, code):
    """A file says at its top what it owns; the licence line does not count. A test file is named after what it tests."""
    if is_test(path) and os.path.basename(path).startswith("test_"):
        return
    lines = text.split("\n")[1:]
    while lines and (not lines[0].strip() or lines[0].startswith("#pragma once")):
        lines.pop(0)
    if not lines or not lines[0].lstrip().startswith(("//", "/*")):
        yield Finding(path, 2, "top", "no comment at the top says what this file owns")


def header_shape(path, text, code):
    if not path.endswith(".h"):
        return
    if "#pragma once" not in code:
        yield Finding(path, 1, "header", "no #pragma once")
    for match in re.finditer(r"^extern\s+(?!const\b)", code, re.M):
        yield Finding(path, line_of(code, match.start()), "header", "extern data that is not const")


ASYNC_TAIL = re.compile(r"\bms_t timeout_ms,\s*\w+ \*\w+,\s*void \*\w+\)$")
# clang-format indents by four: a control statement at 4 * (MAX_NESTING + 1) stands inside MAX_NESTING others.
NESTED = re.compile(r"^ {%d,}(if|for|while|do|switch|\w*_FOREACH\w*|HASH_ITER)\b.*" % (4 * (MAX_NESTING + 1)), re.M)


def nesting(path, text, code):
    for match in NESTED.finditer(code):
        yield Finding(path, line_of(code, match.start()), "nesting", "more than %d control statements inside each other" % MAX_NESTING)


def sizes(path, text, code):
    if text.count("\n") > MAX_FILE_LINES:
        yield Finding(path, 1, "size", "%d lines (at most %d)" % (text.count("\n"), MAX_FILE_LINES))
    for function in functions(code):
        if function.lines > MAX_FUNCTION_LINES:
            yield Finding(path, function.line, "size", "%s has %d lines (at most %d)" %
                          (function.name, function.lines, MAX_FUNCTION_LINES))
        parameters = function.head[function.head.index("(") + 1:]
        depth, n = 0, 1
        for c in parameters:
            depth += (c == "(") - (c == ")")
            n += c == "," and depth == 0
        # Every asynchronous call ends in deadline, callback and its argument (core/io/op.h): one thing, said in three words.
        if ASYNC_TAIL.search(parameters):
            n -= 2
        if n > MAX_PARAMETERS:
            yield Finding(path, function.line, "size", "%s has %d parameters (at most %d)" %
                          (function.name, n, MAX_PARAMETERS))


PRINTF_CALL = re.compile(r"\b\w*printf\w*\s*\(")


def call_text(code, start):
    """From the call's name to its closing bracket."""
    depth = 0
    for i in range(code.index("(", start), len(code)):
        depth += (code[i] == "(") - (code[i] == ")")
        if depth == 0:
            return code[start:i + 1]
    return code[start:]


def built_by_format(path, text, code):
    if is_test(path):
        return
    strings = without_comments(text, keep_strings=True)
    for match in PRINTF_CALL.finditer(code):
        call = strings[match.start():match.start() + len(call_text(code, match.start()))]
        if re.search(r'[{,]\s*\\"[\w.%*]+\\"\s*:|\[\s*\\"%', call):
            yield Finding(path, line_of(code, match.start()), "format", "JSON built by a format string: use jw_*")
        if re.search(r'"\s*(SELECT|INSERT|UPDATE|DELETE|ALTER|CREATE|DROP)\b[^;]*%[a-z]', call):
            yield Finding(path, line_of(code, match.start()), "format", "SQL built by a format string: use parameters")


def comment_smells(path, text, code):
    for line, comment in comments(text):
        words = comment.strip("/* \n\t")
        if not words or not re.search(r"\w", words):
            yield Finding(path, line, "comment", "a comment without content")
        match = re.search(r"\b(TODO|FIXME|XXX|HACK)\b", comment)
        if match:
            yield Finding(path, line, "comment", "%s: do it, or file it" % match.group(1))
        match = re.search(r"\b(no longer|previously|formerly|used to be|was changed|keep in sync)\b", comment, re.I)
        if match:
            yield Finding(path, line, "comment", "'%s' tells history or a double list" % match.group(1))


def small_smells(path, text, code):
    for pattern, why in (
            (r"\bvoid\s*\*\*\s*argv\b", "a void ** payload: name the struct"),
            (r"\bstrcmp\([^;]*(->|\.)msg\b", "compares an error's text: compare its kind"),
            (r"\b(?!assert)\w+\([^;{}]*\b(true|false),\s*(true|false)\b[^;{}]*\)\s*;", "two booleans in a call: nobody can read them"),
    ):
        if is_test(path) and "booleans" in why:
            continue
        for match in re.finditer(pattern, code):
            yield Finding(path, line_of(code, match.start()), "smell", why)


PER_FILE = (banned_calls, licence, top_comment, header_shape, sizes, nesting, built_by_format, comment_smells, small_smells)


def singleuse(sources):
    """A function that is not static and named in no other .c file: static, or dead."""
    words = {path: set(re.findall(r"\b[a-z_]\w*", code)) for path, (_, code) in sources.items() if path.endswith(".c")}
    pasted = set()
    for _, code in sources.values():
        pasted |= set(re.findall(r"##\s*(_\w+)|(\w+_)\s*##", code))
    prefixes = {first for _, first in pasted if first}
    suffixes = {last for last, _ in pasted if last}
    for path, (_, code) in sorted(sources.items()):
        if not path.endswith(".c") or is_test(path):
            continue
        for function in functions(code):
            name = function.name
            if function.static or name == "main" or any(name in found for other, found in words.items() if other != path):
                continue
            # Names put together by an X-macro are not seen as words.
            if any(name.startswith(p) for p in prefixes) or any(name.endswith(s) for s in suffixes):
                continue
            # A header's own code (macros, static inline) may use it.
            header_uses = sum(len(re.findall(r"\b%s\b" % name, other)) for p, (_, other) in sources.items() if p.endswith(".h"))
            if header_uses > 1:
                continue
            yield Finding(path, function.line, "singleuse", "%s is used by no other file: static, or dead" % name)


TEXT_ENDINGS = (".c", ".h", ".py", ".sh", ".md", ".txt", ".json", ".yaml", ".yml", ".ts", ".tsx", ".mjs", ".js", ".css", ".html",
                ".cmake", ".sql", ".toml", ".service", ".tpl", ".npmrc")
# A package registry's or mirror's host, by the first label such hosts have; and folders of one particular machine.
REGISTRY = re.compile(r"//(registry|deb|security\.debian|pypi|files\.pythonhosted|proxy\.golang|repo1?|crates|static\.crates|index\.crates)\.\w", re.I)
MACHINE = re.compile(r"(?<![\w.])/(work|root|home/\w+)/(?!\.\.\.)[\w.]|(?<![\w.])/tmp/build[-]")


def tracked(root):
    out = subprocess.run(["git", "-C", root, "ls-files", "-z"], stdout=subprocess.PIPE, check=False).stdout.decode()
    return [path for path in out.split("\0") if path and os.path.isfile(os.path.join(root, path))]


def machine_names(root, paths):
    for path in paths:
        name = os.path.basename(path)
        if not (path.endswith(TEXT_ENDINGS) or name in ("run", "Dockerfile", ".npmrc") or "hooks/" in path):
            continue
        text = read(root, path)
        for match in REGISTRY.finditer(text):
            yield Finding(path, line_of(text, match.start()), "machine", "names the host of a package registry")
        for match in MACHINE.finditer(text):
            yield Finding(path, line_of(text, match.start()), "machine", "names a folder of one machine: " + match.group(0))
        if name == "package-lock.json" and '"resolved"' in text:
            yield Finding(path, 1, "machine", "records download addresses (omit-lockfile-registry-resolved=true leaves them out)")


SCRIPT_FOLDERS = ("tools", "tests", "web", "docker", "devcluster")


def check(root, only=None):
    chosen = set(only) if only is not None else None
    sources, findings = {}, []
    for path in files(root):
        text = read(root, path)
        sources[path] = (text, without_comments(text))
        if chosen is not None and path not in chosen:
            continue
        for rule in PER_FILE:
            findings += rule(path, *sources[path])
    for path in files(root, (".py", ".sh"), SCRIPT_FOLDERS):
        if chosen is None or path in chosen:
            findings += licence(path, read(root, path), None)
    findings += machine_names(root, [p for p in tracked(root) if chosen is None or p in chosen])
    return findings, len(sources)


def check_singleuse(root):
    sources = {path: (None, without_comments(read(root, path))) for path in files(root)}
    return list(singleuse(sources)), len(sources)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default=os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parser.add_argument("--only-singleuse", action="store_true", help="only: functions that no other file names")
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    if arguments.only_singleuse:
        findings, n = check_singleuse(arguments.root)
    else:
        findings, n = check(arguments.root, arguments.files or None)
    for finding in findings:
        print(finding)
    print("smells: %d C files, %d findings" % (n, len(findings)))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
