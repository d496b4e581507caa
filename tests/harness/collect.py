#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts test cases in what test programs printed, and adds up the counts of a whole run.

usage: collect.py junit FILE.xml TALLY       the programs of one ctest run (each program's output counts its own cases)
       collect.py output NAME STATUS LOG TALLY   one program run by hand: its exit status and its log
       collect.py total TALLY                the closing line; exit 1 if anything failed

A TALLY is a text file, one line "passed failed skipped name" for each program.
"""
import re
import sys
import xml.etree.ElementTree

TAP = re.compile(r"^(not ok|ok)\b(?: \d+)?(.*)$", re.M)
PLAIN = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)
NODE = {word: re.compile(r"^(?:#|\u2139) %s (\d+)$" % word, re.M) for word in ("pass", "fail", "skipped", "cancelled", "todo")}
UNITTEST = re.compile(r"^Ran (\d+) tests? in .*\n\n(?:OK|FAILED)(?: \((.*)\))?", re.M)


def count_tap(text):
    passed = failed = skipped = 0
    for word, rest in TAP.findall(text):
        # cmocka 1.1.5 prints "not ok N # SKIP name" for a test that skips itself.
        if re.search(r"# SKIP\b", rest):
            skipped += 1
        elif word == "ok":
            passed += 1
        else:
            failed += 1
    return passed, failed, skipped


def count_node(text):
    numbers = {word: sum(int(n) for n in pattern.findall(text)) for word, pattern in NODE.items()}
    return numbers["pass"], numbers["fail"] + numbers["cancelled"], numbers["skipped"] + numbers["todo"]


def count_unittest(text):
    passed = failed = skipped = 0
    for ran, rest in UNITTEST.findall(text):
        parts = dict(re.findall(r"(\w[\w ]*)=(\d+)", rest))
        bad = int(parts.get("failures", 0)) + int(parts.get("errors", 0))
        skipped += int(parts.get("skipped", 0))
        failed += bad
        passed += int(ran) - bad - int(parts.get("skipped", 0))
    return passed, failed, skipped


def count(text, status):
    """Cases in a program's output; a program that says nothing countable is one case, and one that fails without naming
    a failed case (a crash, a leak, a time-out) has one failed case more."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    passed = failed = skipped = 0
    if PLAIN.search(text):
        for p, f, s in PLAIN.findall(text):
            passed, failed, skipped = passed + int(p), failed + int(f), skipped + int(s or 0)
    elif NODE["pass"].search(text):
        passed, failed, skipped = count_node(text)
    elif UNITTEST.search(text):
        passed, failed, skipped = count_unittest(text)
    elif TAP.search(text):
        passed, failed, skipped = count_tap(text)
    if status == "skipped":
        return passed, failed, skipped or 1
    if status == "failed" and failed == 0:
        failed = 1
    if status == "ok" and passed + failed + skipped == 0:
        passed = 1
    return passed, failed, skipped


def tally(path, name, counts):
    with open(path, "a", encoding="utf-8") as out:
        out.write("%d %d %d %s\n" % (*counts, name))


def from_junit(path, tally_path):
    failed_names = []
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        name, text = case.get("name"), case.findtext("system-out") or ""
        status = {"run": "ok", "fail": "failed"}.get(case.get("status"), "skipped")
        if case.get("status") == "notrun" and case.find("skipped") is not None and \
                "SKIP" not in (case.find("skipped").get("message") or "").upper():
            status = "failed"  # could not be run at all: the program is missing
        counts = count(text, status)
        tally(tally_path, name, counts)
        if counts[2]:
            reasons = re.findall(r"^.*\bSKIP(?:PED)?\b.*$", text, re.M)[:3]
            print("SKIP  %s: %s" % (name, "; ".join(reasons).strip() or "%d cases" % counts[2]))
        if counts[1]:
            failed_names.append(name)
            print("FAIL  %s" % name)
            print("\n".join("      " + line for line in text.splitlines()[-60:]))
            print("      repeat:  ./run test %s" % name)
    return 1 if failed_names else 0


def from_output(name, status, log, tally_path):
    with open(log, encoding="utf-8", errors="replace") as source:
        text = source.read()
    counts = count(text, {"0": "ok", "77": "skipped"}.get(status, "failed"))
    tally(tally_path, name, counts)
    print("%-5s %s: %d passed, %d failed, %d skipped." % ("FAIL" if counts[1] else "SKIP" if not counts[0] else "ok", name, *counts))
    return 1 if counts[1] else 0


def total(tally_path):
    passed = failed = skipped = 0
    failures, skips = [], []
    with open(tally_path, encoding="utf-8") as source:
        for line in source:
            p, f, s, name = line.rstrip("\n").split(" ", 3)
            passed, failed, skipped = passed + int(p), failed + int(f), skipped + int(s)
            failures += [name] if int(f) else []
            skips += ["%s (%s)" % (name, s)] if int(s) else []
    if skips:
        print("skipped: " + ", ".join(skips))
    if failures:
        print("failed: " + ", ".join(failures))
    if passed + failed == 0:
        print("no test ran")
        failed = 1
    print("%d passed, %d failed%s" % (passed, failed, ", %d skipped" % skipped if skipped else ""))
    return 1 if failed else 0


def main():
    verbs = {"junit": (from_junit, 2), "output": (from_output, 4), "total": (total, 1)}
    verb, n = verbs.get(sys.argv[1] if len(sys.argv) > 1 else "", (None, 0))
    if verb is None or len(sys.argv) != n + 2:
        sys.exit(__doc__)
    return verb(*sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
