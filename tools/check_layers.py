#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that includes follow tools/layers.txt: the arrows between folders, and who may touch which library.

usage: check_layers.py [ROOT]      exit 1 and one line per finding
"""
import fnmatch
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from source import Finding, files, line_of, read, without_comments  # noqa: E402

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
# Headers of the C library and the kernel, which anybody may use.
SYSTEM = re.compile(r"^(sys|netinet|arpa|net|linux|sanitizer)/\w+\.h$|^(assert|ctype|dirent|errno|fcntl|fnmatch|float|getopt|grp|"
                    r"inttypes|libgen|limits|locale|math|netdb|poll|pthread|pwd|regex|sched|setjmp|signal|stdalign|"
                    r"stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|syslog|termios|"
                    r"time|ucontext|unistd|wchar|malloc|execinfo)\.h$")


class Layers:
    def __init__(self, text):
        self.layers, self.owners, self.free = [], [], []
        for number, line in enumerate(text.splitlines(), 1):
            line = line.split("#", 1)[0].strip()
            if not line:
                continue
            word, _, rest = line.partition(" ")
            parts = [part.split() for part in rest.split(":")]
            if word == "layer" and len(parts) == 2 and len(parts[0]) == 1:
                self.layers.append((parts[0][0], parts[1]))
            elif word == "own" and len(parts) == 3:
                self.owners.append((parts[0][0], parts[1], parts[2]))
            elif word == "free" and len(parts) == 1:
                self.free += parts[0]
            else:
                raise SystemExit("tools/layers.txt:%d: cannot read: %s" % (number, line))

    def is_free(self, path):
        return any(fnmatch.fnmatch(path, pattern) for pattern in self.free)

    def allowed(self, folder):
        """What the folder may include, or None when no layer names it."""
        for name, may in self.layers:
            if fnmatch.fnmatch(folder, name) and folder.count("/") == name.count("/"):
                return may
        return None

    def owner_of(self, header):
        found = [(library, owners) for library, headers, owners in self.owners
                 if any(fnmatch.fnmatch(header, pattern) for pattern in headers)]
        # The most particular row wins: event2/bufferevent_ssl.h belongs to openssl, not to event.
        exact = [row for row in found if any(header in headers for lib, headers, _ in self.owners if lib == row[0])]
        return (exact or found or [None])[0]


def is_owner(path, patterns):
    """A pattern does not reach into the folders below, so core/io/*.c is that folder only."""
    return any(pattern == "*" or fnmatch.fnmatch(path, pattern) and path.count("/") == pattern.count("/")
               for pattern in patterns)


def project_problem(layers, path, header, root):
    """What is wrong with #include "header" in path; None when nothing is."""
    if layers.is_free(path):
        return None
    if not os.path.exists(os.path.join(root, header)):
        return "there is no '%s' (headers are named from the root of the tree)" % header
    folder, target = os.path.dirname(path), os.path.dirname(header)
    may = layers.allowed(folder)
    if may is None:
        return "tools/layers.txt has no layer for %s" % folder
    if target == folder or header in may or any(fnmatch.fnmatch(target, name) for name in may):
        return None
    return "%s may not include %s" % (folder, header)


def library_problem(layers, path, header):
    """What is wrong with #include <header> in path; None when nothing is."""
    owner = layers.owner_of(header)
    if owner is None:
        return None if SYSTEM.match(header) else "<%s> belongs to no library of tools/layers.txt" % header
    library, owners = owner
    return None if layers.is_free(path) or is_owner(path, owners) else "only %s may use %s" % (" ".join(owners), library)


def check(root):
    layers = Layers(read(root, "tools/layers.txt"))
    findings = []
    for path in files(root):
        code = without_comments(read(root, path), keep_strings=True)
        project = 0
        for match in INCLUDE.finditer(code):
            quoted, header = match.group(1) == '"', match.group(2)
            problem = project_problem(layers, path, header, root) if quoted else \
                library_problem(layers, path, header)
            if problem:
                findings.append(Finding(path, line_of(code, match.start(1)), "layers", problem))
            project += quoted
        if path.endswith(".h") and project > 8:
            findings.append(Finding(path, 1, "umbrella", "a header with %d project includes (at most 8)" % project))
    return findings


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    findings = check(root)
    for finding in findings:
        print(finding)
    print("layers: %d files, %d findings" % (len(files(root)), len(findings)))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
