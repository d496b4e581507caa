# SPDX-License-Identifier: MIT
"""Each checker is shown a small tree with one violation planted in it, and must find exactly that one."""
import importlib.util
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOLS = os.path.join(ROOT, "tools")
sys.path.insert(0, TOOLS)


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


layers = load("check_layers", os.path.join(TOOLS, "check_layers.py"))
smells = load("check_smells", os.path.join(TOOLS, "check_smells.py"))
collect = load("collect", os.path.join(ROOT, "tests", "harness", "collect.py"))

HEAD = "// SPDX-License-Identifier: MIT\n/* What this file owns, and what it does not. */\n"
CLEAN_C = HEAD + '#include "core/thing.h"\n\n#include <string.h>\n\nint thing_size(void)\n{\n    return 1;\n}\n'
CLEAN_H = HEAD + "#pragma once\n\n/* The size of the thing, in bytes. */\nint thing_size(void);\n"


class Tree(unittest.TestCase):
    """A temporary repository with one clean module, into which a test plants its violation."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = self.folder.name
        with open(os.path.join(TOOLS, "layers.txt"), encoding="utf-8") as rules:
            self.write("tools/layers.txt", rules.read())
        self.write("core/thing.c", CLEAN_C)
        self.write("core/thing.h", CLEAN_H)
        subprocess.run(["git", "init", "-q", self.root], check=True)

    def write(self, path, text):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)

    def rules(self, findings):
        return sorted((f.path, f.rule) for f in findings)


class Layers(Tree):
    def test_a_clean_tree_has_no_finding(self):
        self.assertEqual(self.rules(layers.check(self.root)), [])

    def test_an_include_against_the_arrows_is_found(self):
        self.write("core/base/low.c", HEAD + '#include "core/thing.h"\n')
        self.assertEqual(self.rules(layers.check(self.root)), [("core/base/low.c", "layers")])

    def test_an_include_along_the_arrows_is_not(self):
        self.write("store/row.c", HEAD + '#include "core/thing.h"\n')
        self.assertEqual(layers.check(self.root), [])

    def test_a_handler_may_include_two_headers_of_the_server_only(self):
        for header in ("http.h", "sse.h", "listener.h"):
            self.write("server/" + header, CLEAN_H)
            self.write("handlers/uses_%s.c" % header[:-2], HEAD + '#include "server/%s"\n' % header)
        self.assertEqual(self.rules(layers.check(self.root)), [("handlers/uses_listener.c", "layers")])

    def test_a_library_outside_of_its_owner_is_found(self):
        self.write("core/io/other.c", HEAD + "#include <curl/curl.h>\n")
        self.write("core/io/fetch.c", HEAD + "#include <curl/curl.h>\n")
        self.assertEqual(self.rules(layers.check(self.root)), [("core/io/other.c", "layers")])

    def test_openssl_belongs_to_tls_even_through_libevent(self):
        self.write("server/tls.c", HEAD + "#include <event2/bufferevent_ssl.h>\n")
        self.write("server/conn.c", HEAD + "#include <event2/bufferevent_ssl.h>\n#include <event2/event.h>\n")
        self.assertEqual(self.rules(layers.check(self.root)), [("server/conn.c", "layers")])

    def test_an_unknown_library_is_found(self):
        self.write("core/odd.c", HEAD + "#include <glib.h>\n")
        self.assertEqual(self.rules(layers.check(self.root)), [("core/odd.c", "layers")])

    def test_a_header_that_is_not_there_is_found(self):
        self.write("core/odd.c", HEAD + '#include "thing.h"\n')
        self.assertEqual(self.rules(layers.check(self.root)), [("core/odd.c", "layers")])

    def test_an_umbrella_header_is_found(self):
        for i in range(9):
            self.write("core/part%d.h" % i, CLEAN_H)
        self.write("core/all.h", HEAD + "".join('#include "core/part%d.h"\n' % i for i in range(9)))
        self.assertEqual(self.rules(layers.check(self.root)), [("core/all.h", "umbrella")])

    def test_an_include_in_a_comment_does_not_count(self):
        self.write("core/odd.c", HEAD + '// #include <glib.h>\n/*\n#include "server/http.h"\n*/\n')
        self.assertEqual(layers.check(self.root), [])

    def test_tests_may_include_everything(self):
        self.write("tests/unit/core/test_thing.c", HEAD + '#include <cmocka.h>\n#include "core/thing.h"\n#include <curl/curl.h>\n')
        self.assertEqual(layers.check(self.root), [])

    def test_a_line_of_the_rules_that_cannot_be_read_is_an_error(self):
        self.write("tools/layers.txt", "layer core core/base\n")
        with self.assertRaises(SystemExit):
            layers.check(self.root)


class Smells(Tree):
    def planted(self, body, path="core/odd.c"):
        self.write(path, HEAD + body)
        return self.rules(smells.check(self.root)[0])

    def test_a_clean_tree_has_no_finding(self):
        self.assertEqual(self.rules(smells.check(self.root)[0]), [])

    def test_each_banned_call_is_found(self):
        for name in smells.BANNED + smells.BANNED_OUTSIDE_BASE:
            with self.subTest(name):
                self.assertEqual(self.planted("void f(void)\n{\n    %s(a);\n}\n" % name), [("core/odd.c", "banned")])

    def test_a_banned_name_in_a_string_a_comment_or_another_name_is_not(self):
        self.assertEqual(self.planted('void f(void)\n{\n    /* not strcpy(a) */\n    my_strcpy("sprintf(a)");\n    o->gets(a);\n}\n'), [])

    def test_core_base_may_allocate_but_not_copy_without_bound(self):
        self.assertEqual(self.planted("void f(void)\n{\n    malloc(1);\n    strcpy(a, b);\n}\n", "core/base/odd.c"),
                         [("core/base/odd.c", "banned")])

    def test_a_test_that_sleeps_is_found(self):
        self.assertEqual(self.planted("void f(void)\n{\n    usleep(1);\n}\n", "tests/unit/core/odd.c"),
                         [("tests/unit/core/odd.c", "banned")])

    def test_a_missing_licence_line_is_found(self):
        self.write("core/odd.c", "/* What this file owns. */\nint a;\n")
        self.assertIn(("core/odd.c", "spdx"), self.rules(smells.check(self.root)[0]))

    def test_a_missing_comment_at_the_top_is_found(self):
        self.write("core/odd.c", "// SPDX-License-Identifier: MIT\nint a;\n")
        self.assertEqual(self.rules(smells.check(self.root)[0]), [("core/odd.c", "top")])

    def test_a_header_without_pragma_once_is_found(self):
        self.assertEqual(self.planted("int f(void);\n", "core/odd.h"), [("core/odd.h", "header")])

    def test_extern_data_that_can_change_is_found(self):
        self.assertEqual(self.planted("#pragma once\nextern int a;\nextern const int b;\n", "core/odd.h"), [("core/odd.h", "header")])

    def test_a_long_function_is_found(self):
        self.assertEqual(self.planted("void f(void)\n{\n%s}\n" % ("    g();\n" * 58)), [("core/odd.c", "size")])
        self.assertEqual(self.planted("void f(void)\n{\n%s}\n" % ("    g();\n" * 57)), [])

    def test_a_seventh_parameter_is_found(self):
        self.assertEqual(self.planted("int f(int a, int b, int c, int d, int e, void (*g)(int, int), int h)\n{\n    return 1;\n}\n"),
                         [("core/odd.c", "size")])
        self.assertEqual(self.planted("int f(int a, int b, int c, int d, int e, void (*g)(int, int))\n{\n    return 1;\n}\n"), [])

    def test_the_tail_of_an_asynchronous_call_counts_as_one_parameter(self):
        head = "int f(int a, int b, int c, int d%s, ms_t timeout_ms, op_done *done,\n      void *arg)\n{\n    return 1;\n}\n"
        self.assertEqual(self.planted(head % ", int e"), [])
        self.assertEqual(self.planted(head % ", int e, int f"), [("core/odd.c", "size")])

    def test_a_fourth_level_of_nesting_is_found(self):
        body = "void f(void)\n{\n    if (a)\n        if (b)\n            if (c)\n%s                d();\n}\n"
        self.assertEqual(self.planted(body % ""), [])
        self.assertEqual(self.planted(body % "                if (e)\n    "), [("core/odd.c", "nesting")])

    def test_a_long_file_is_found(self):
        self.assertEqual(self.planted("int a;\n" * 600), [("core/odd.c", "size")])

    def test_json_by_format_string_is_found(self):
        self.assertEqual(self.planted('void f(void)\n{\n    buf_printf(b, "{\\"name\\": \\"%s\\"}", n);\n}\n'), [("core/odd.c", "format")])

    def test_a_quoted_word_in_a_message_is_not_json(self):
        self.assertEqual(self.planted('void f(void)\n{\n    buf_printf(b, "Invalid value: \\"%s\\": must be short, \\"x\\", \\"y\\"", n);\n}\n'), [])

    def test_sql_by_format_string_is_found(self):
        self.assertEqual(self.planted('void f(void)\n{\n    buf_printf(b, "SELECT a FROM b WHERE c = \'%s\'", n);\n}\n'),
                         [("core/odd.c", "format")])

    def test_an_empty_comment_and_history_and_a_todo_are_found(self):
        self.assertEqual(self.planted("/** */\nint a;\n/* ------ */\n// no longer needed\n// TODO: more\n"), [("core/odd.c", "comment")] * 4)

    def test_two_booleans_in_a_call_are_found(self):
        self.assertEqual(self.planted("void f(void)\n{\n    g(x, true, false);\n}\n"), [("core/odd.c", "smell")])

    def test_comparing_the_text_of_an_error_is_found(self):
        self.assertEqual(self.planted('void f(void)\n{\n    if (strcmp(err->msg, "gone") == 0)\n        g();\n}\n'), [("core/odd.c", "smell")])

    def test_a_function_that_only_its_file_uses_is_found(self):
        self.write("core/odd.c", HEAD + "int alone(void)\n{\n    return 1;\n}\n\nstatic int hidden(void)\n{\n    return alone();\n}\n")
        self.write("core/user.c", HEAD + "static int user(void)\n{\n    return thing_size();\n}\n")
        found, _ = smells.check_singleuse(self.root)
        self.assertEqual([f.text.split()[0] for f in found], ["alone"])

    def test_names_made_by_pasting_are_not_taken_for_unused(self):
        self.write("core/user.c", HEAD + "static int user(void)\n{\n    return thing_size();\n}\n")
        self.write("core/table.c", HEAD + "#define ROW(x) {#x, check_##x}\nint check_one(void)\n{\n    return 1;\n}\n")
        self.assertEqual(smells.check_singleuse(self.root)[0], [])

    def test_a_registry_and_a_folder_of_one_machine_are_found_in_tracked_text(self):
        self.write("docs/a.md", "See https://registry" + ".example.org/x\n")
        self.write("docs/b.md", "It is in /home" + "/somebody/src\n")
        self.write("docs/c.md", "It is in /var/lib and https://www.example.org\n")
        self.write("web/package-lock.json", '{"resolved": "x"}\n')
        subprocess.run(["git", "-C", self.root, "add", "."], check=True)
        self.assertEqual(self.rules(smells.check(self.root)[0]),
                         [("docs/a.md", "machine"), ("docs/b.md", "machine"), ("web/package-lock.json", "machine")])


class Hooks(unittest.TestCase):
    def status(self, message):
        with tempfile.NamedTemporaryFile("w", suffix=".msg") as out:
            out.write(message)
            out.flush()
            return subprocess.run(["sh", os.path.join(TOOLS, "hooks", "commit-msg"), out.name], stderr=subprocess.DEVNULL, check=False).returncode

    def test_a_good_message_passes(self):
        self.assertEqual(self.status("core/io: stop the timer when the op ends\n\nWhy.\n"), 0)
        self.assertEqual(self.status("Merge branch 'a'\n"), 0)

    def test_bad_messages_are_refused(self):
        for message in ("stop the timer\n", "core: " + "x" * 70 + "\n", "core: stop.\n", "core: stop\nand more\n"):
            with self.subTest(message):
                self.assertNotEqual(self.status(message), 0)


class Collect(unittest.TestCase):
    def test_tap_of_cmocka_is_counted_case_by_case(self):
        text = "1..4\nok 1 - a\nnot ok 2 - b\n# c.c:1: error\nok 3 - c # SKIP no server\nnot ok 4 # SKIP d\n"
        self.assertEqual(collect.count(text, "failed"), (1, 1, 2))

    def test_a_crash_after_good_cases_is_a_failure(self):
        self.assertEqual(collect.count("1..2\nok 1 - a\n", "failed"), (1, 1, 0))

    def test_a_silent_program_is_one_case(self):
        self.assertEqual(collect.count("", "ok"), (1, 0, 0))
        self.assertEqual(collect.count("", "failed"), (0, 1, 0))
        self.assertEqual(collect.count("", "skipped"), (0, 0, 1))

    def test_other_runners_are_counted(self):
        self.assertEqual(collect.count("# tests 5\n# pass 3\n# fail 1\n# cancelled 0\n# skipped 1\n# todo 0\n", "failed"), (3, 1, 1))
        self.assertEqual(collect.count("\u2139 pass 3\n\u2139 fail 0\n", "ok"), (3, 0, 0))
        self.assertEqual(collect.count("Ran 7 tests in 0.1s\n\nFAILED (failures=1, errors=1, skipped=2)\n", "failed"), (3, 2, 2))
        self.assertEqual(collect.count("fuzz: 12 passed, 0 failed, 1 skipped\n", "ok"), (12, 0, 1))

    def total(self, tally):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "tally")
            with open(path, "w", encoding="utf-8") as out:
                out.write(tally)
            run = subprocess.run([sys.executable, collect.__file__, "total", path], stdout=subprocess.PIPE, check=False)
            return run.returncode, run.stdout.decode().splitlines()[-1]

    def test_the_closing_line_adds_up_and_decides(self):
        self.assertEqual(self.total("3 0 0 a\n2 0 1 b c\n"), (0, "5 passed, 0 failed, 1 skipped"))
        self.assertEqual(self.total("3 1 0 a\n"), (1, "3 passed, 1 failed"))

    def test_a_run_of_nothing_has_failed(self):
        self.assertEqual(self.total("0 0 2 a\n"), (1, "0 passed, 1 failed, 2 skipped"))


if __name__ == "__main__":
    unittest.main()
