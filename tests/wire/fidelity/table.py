#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the table case x cluster from what suite.py wrote, and every way in which two clusters told a story differently.

    table.py LABEL=FILE...      the first is the one the others are held to; LABEL= without a file: skipped, LABEL=:WHY says why

A case is "ok" where it passed and told what the first cluster's told, "differs" where it passed and told something else.
Exit code 1 when one failed or differs.
"""
import json
import sys

from journal import differences


def load(words):
    """[(label, results or None, why it was skipped)]"""
    columns = []
    for word in words:
        label, _, path = word.partition("=")
        if not path or path.startswith(":"):
            columns.append((label, None, path[1:] or "not run"))
            continue
        with open(path) as f:
            columns.append((label, json.load(f), None))
    return columns


def word_for(result, first):
    if result is None:
        return "missing", []
    if result["status"] == "FAIL":
        return "FAIL", [result["why"].strip().split("\n")[-1][:600]]
    if first is None or first["status"] == "FAIL" or first is result:
        return result["status"], []
    found = differences(first["story"], result["story"])
    return ("differs" if found else "ok"), found


def tell(columns):
    """(lines of the table, what is behind its bad cells, numbers of good and of bad ones)"""
    names = []
    for _, results, _ in columns:
        names += [name for name in results or {} if name not in names]
    width = max([len(name) for name in names] + [4])
    lines = ["  ".join(["case".ljust(width)] + [label for label, *_ in columns])]
    notes, good, bad = [], 0, 0
    for name in names:
        first = (columns[0][1] or {}).get(name)
        row = [name.ljust(width)]
        for label, results, _ in columns:
            word, found = ("skipped", []) if results is None else word_for(results.get(name), first)
            row.append(word.ljust(len(label)))
            good += word == "ok"
            if word not in ("ok", "skipped"):
                bad += 1
                notes += [f"{name}, {label}: {word}"] + [f"    {line}" for line in found]
        lines.append("  ".join(row).rstrip())
    lines += [f"SKIP  {label}: {why}" for label, results, why in columns if results is None]
    return lines, notes, good, bad


def differing(columns):
    """{label: the cases it tells otherwise than the first}, with the first itself for all of them; empty when there are none."""
    first = columns[0][1] or {}
    found = {label: [name for name in results or {} if word_for(results[name], first.get(name))[0] == "differs"]
             for label, results, _ in columns[1:]}
    cases = sorted({name for names in found.values() for name in names})
    return {label: names for label, names in {columns[0][0]: cases, **found}.items() if names}


def replace(path, newer):
    """Puts the results of one file in the place of those of the same cases in another."""
    with open(path) as old, open(newer) as new:
        results = {**json.load(old), **json.load(new)}
    with open(path, "w") as file:
        json.dump(results, file)


def main():
    lines, notes, good, bad = tell(load(sys.argv[1:]))
    print("\n".join(notes + [""] + lines))
    print(f"{good} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
