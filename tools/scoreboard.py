#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One line for each measure of the code, with its limit; '!' marks a measure beyond it. usage: scoreboard.py [ROOT]"""
import os
import re
import statistics
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import check_layers  # noqa: E402
import check_smells  # noqa: E402
from source import comments, files, functions, read, without_comments  # noqa: E402

PROTOTYPE = re.compile(r"^(?!static|typedef|#|extern)[A-Za-z_][\w \t*]*\b\w+\([^;{}]*\)[^;{}]*;", re.M)


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0


def documented(root, headers):
    """(declarations with a comment directly above them or above their group, all declarations)"""
    good = total = 0
    for path in headers:
        text = read(root, path)
        code = without_comments(text)
        commented = {line + comment.count("\n") for line, comment in comments(text)}
        lines, covered = code.split("\n"), set()
        for number in range(1, len(lines) + 1):
            # A group of declarations without an empty line between them shares the comment above it.
            if number - 1 in commented or number in commented or (number - 1 in covered and lines[number - 2].strip()):
                covered.add(number)
        for match in PROTOTYPE.finditer(code):
            total += 1
            good += code.count("\n", 0, match.start()) + 1 in covered
    return good, total


def state_setters(root, sources):
    """Files in which more than two functions assign ->state."""
    found = []
    for path in sources:
        code = without_comments(read(root, path))
        starts = [m.start() for m in re.finditer(r"->(state|status)\s*=[^=]", code)]
        owners = {sum(1 for f in functions(code[:s])) for s in starts}
        if len(owners) > 2:
            found.append(path)
    return found


def measures(root):
    everything = files(root)
    product = [p for p in everything if not p.startswith("tests/")]
    sources = [p for p in product if p.endswith(".c")]
    texts = {p: read(root, p) for p in everything}
    lengths = [texts[p].count("\n") for p in sources]
    sizes = [f.lines for p in sources for f in functions(without_comments(texts[p]))]
    comment_lines = sum(c.count("\n") + 1 for p in product for _, c in comments(texts[p]) if "SPDX" not in c)
    code_lines = sum(1 for p in product for line in without_comments(texts[p]).split("\n") if line.strip())
    folders = {}
    for path in sources:
        folders.setdefault(os.path.dirname(path), []).append(path)
    widest = max(folders.items(), key=lambda item: len(item[1]), default=("-", []))
    smells, _ = check_smells.check(root)
    single, _ = check_smells.check_singleuse(root)
    good, total = documented(root, [p for p in product if p.endswith(".h")])
    ratio = comment_lines / code_lines if code_lines else 0
    many = state_setters(root, sources)
    yield "C files, product / tests", "%d / %d" % (len(product), len(everything) - len(product)), "", True
    yield "lines of code, product", code_lines, "", True
    yield "layer violations", len(check_layers.check(root)), "0", not check_layers.check(root)
    yield "smells", len(smells), "0", not smells
    yield "functions that should be static", len(single), "0", not single
    yield "function lines, median / p90 / max", "%d / %d / %d" % (statistics.median(sizes or [0]), percentile(sizes, .9), max(sizes or [0])), \
        "p90 40, max 60", percentile(sizes, .9) <= 40 and max(sizes or [0]) <= 60
    yield "lines per .c, median / max", "%d / %d" % (statistics.median(lengths or [0]), max(lengths or [0])), "median 250, max 600", \
        statistics.median(lengths or [0]) <= 250 and max(lengths or [0]) <= 600
    yield "widest folder", "%s: %d .c" % (widest[0], len(widest[1])), "15", len(widest[1]) <= 15
    yield "comment to code", "%.2f" % ratio, "0.10 to 0.25", .10 <= ratio <= .25
    yield "declarations with a comment", "%d of %d" % (good, total), "all", good == total
    yield "files where 3 functions set a state", " ".join(many) or 0, "look at them", True


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for name, value, limit, is_within in measures(root):
        print("%s %-36s %-40s %s" % (" " if is_within else "!", name, value, limit and "(%s)" % limit))


if __name__ == "__main__":
    main()
