# SPDX-License-Identifier: MIT
"""Reading C sources for the checkers of this folder: the list of files, text without comments and strings, functions.

Not a parser: it knows the layout that .clang-format produces (a function's body opens and closes in column 0), which is
checked before anything else.
"""
import os
import re

C_FOLDERS = ("core", "store", "k8s", "server", "handlers", "devcluster", "tests")
SKIPPED = {"node_modules", "build", "dist", ".git", ".run", "golden", "corpus", "regress"}


class Finding:
    """One place where a rule is broken."""

    def __init__(self, path, line, rule, text):
        self.path, self.line, self.rule, self.text = path, line, rule, text

    def __str__(self):
        return "%s:%d: %s [%s]" % (self.path, self.line, self.text, self.rule)


def files(root, endings=(".c", ".h"), folders=C_FOLDERS):
    """Paths relative to root, sorted, of the files with these endings in these folders."""
    found = []
    for folder in folders:
        for here, below, names in os.walk(os.path.join(root, folder)):
            below[:] = sorted(name for name in below if name not in SKIPPED)
            found += [os.path.relpath(os.path.join(here, name), root) for name in names if name.endswith(endings)]
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as source:
        return source.read()


TOKEN = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.S)


def _blank(text):
    return "".join(c if c == "\n" else " " for c in text)


def without_comments(text, keep_strings=False):
    """The same text, as many lines and columns, with comments (and the insides of strings) made blank."""

    def replace(match):
        token = match.group(0)
        if token[0] == "/":
            return _blank(token)
        return token if keep_strings else token[0] + _blank(token[1:-1]) + token[-1]

    return TOKEN.sub(replace, text)


def comments(text):
    """(line, text) of each comment."""
    return [(text.count("\n", 0, m.start()) + 1, m.group(0)) for m in TOKEN.finditer(text) if m.group(0)[0] == "/"]


# A head stands on one line up to its bracket; a macro call that ends its line is not part of one.
FUNCTION = re.compile(r"^(?P<head>[A-Za-z_][^;{}#=\n(]*?\b(?P<name>[A-Za-z_]\w*)\((?:(?!\)\n)[^;{}])*\))\n\{\n"
                      r"(?P<body>.*?)^\}", re.S | re.M)


class Function:
    def __init__(self, name, head, line, lines, static):
        self.name, self.head, self.line, self.lines, self.static = name, head, line, lines, static


def functions(code):
    """The function definitions of a text that went through without_comments()."""
    found = []
    for match in FUNCTION.finditer(code):
        head = match.group("head")
        line = code.count("\n", 0, match.start("head")) + 1
        lines = code.count("\n", match.start("head"), match.end()) + 1
        found.append(Function(match.group("name"), head, line, lines,
                              bool(re.search(r"\bstatic\b", head))))
    return found


def line_of(text, position):
    return text.count("\n", 0, position) + 1
