// SPDX-License-Identifier: MIT
/* Files from memory: which file, which coding, how long, and 304. */
#include "unit/server/loopback_harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "server/static.h"

static char dir[] = "/tmp/fs-static-XXXXXX";
static struct static_files *files;

static void write_file(const char *name, const char *text)
{
    struct buf path;
    buf_init(&path, 1024);
    buf_addf(&path, "%s/%s", dir, name);
    FILE *f = fopen(buf_text(&path), "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    buf_fini(&path);
}

static void remove_file(const char *name)
{
    struct buf path;
    buf_init(&path, 1024);
    buf_addf(&path, "%s/%s", dir, name);
    assert_int_equal(remove(buf_text(&path)), 0);
    buf_fini(&path);
}

static const char *const names[] = {"index.html",
                                    "index.html.br",
                                    "assets/app.BB6SKGVO.js",
                                    "assets/app.BB6SKGVO.js.br",
                                    "assets/app.BB6SKGVO.js.gz",
                                    "lib.minified.js",
                                    "robots.txt",
                                    ".hidden"};

static int set_up(void **state)
{
    struct err err;
    struct buf path;
    (void)state;
    assert_non_null(mkdtemp(dir));
    buf_init(&path, 1024);
    buf_addf(&path, "%s/assets", dir);
    assert_int_equal(mkdir(buf_text(&path), 0700), 0);
    buf_fini(&path);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        write_file(names[i], names[i]);
    files = static_files_new(dir, &err);
    assert_non_null(files);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static_files_free(files);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        remove_file(names[i]);
    remove_file("assets");
    return rmdir(dir);
}

static void serve(struct harness *h, struct http_exchange *x)
{
    (void)h;
    static_files_answer(files, x);
}

static struct harness *get(const char *path, const char *fields)
{
    struct harness *h = harness_new(NULL);
    struct buf text;
    h->on_request = serve;
    buf_init(&text, 2048);
    buf_addf(&text, "GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n", path, fields);
    harness_send(h, buf_str(&text));
    buf_fini(&text);
    return h;
}

static void a_path_finds_its_file_or_the_page(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *body; /* NULL: 404 */
        const char *type;
    } rows[] = {
        {"/",                       "index.html",             "text/html; charset=utf-8"      },
        {"/index.html",             "index.html",             "text/html; charset=utf-8"      },
        {"/projects/7",             "index.html",             "text/html; charset=utf-8"      },
        {"/assets/app.BB6SKGVO.js", "assets/app.BB6SKGVO.js", "text/javascript; charset=utf-8"},
        {"/robots.txt",             "robots.txt",             "text/plain; charset=utf-8"     },
        {"/missing.js",             NULL,                     NULL                            },
        {"/.hidden",                NULL,                     NULL                            },
        {"/index.html.br",          NULL,                     NULL                            },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct harness *h = get(rows[i].path, "");
        assert_int_equal(harness_has(h, "HTTP/1.1 200 OK"), rows[i].body != NULL);
        assert_int_equal(harness_has(h, "HTTP/1.1 404 Not Found"), rows[i].body == NULL);
        if (rows[i].body != NULL) {
            assert_true(harness_has(h, rows[i].type));
            assert_true(str_ends(http_loopback_output(h->lb), str_from(rows[i].body)));
        }
        harness_free(h);
    }
    assert_int_equal(static_files_count(files), 4);
}

static void the_smallest_accepted_coding_is_chosen(void **state)
{
    (void)state;
    static const struct {
        const char *fields;
        const char *coding; /* NULL: none */
    } rows[] = {
        {"Accept-Encoding: gzip, deflate, br\r\n",      "br"  },
        {"Accept-Encoding: gzip\r\n",                   "gzip"},
        {"Accept-Encoding: gzip;q=0.5, br;q=0.1\r\n",   "br"  },
        {"Accept-Encoding: br;q=0, gzip\r\n",           "gzip"},
        {"Accept-Encoding: BR ; q=0.000, gzip;q=0\r\n", NULL  },
        {"Accept-Encoding: *\r\n",                      "br"  },
        {"Accept-Encoding: *;q=0\r\n",                  NULL  },
        {"Accept-Encoding: brx\r\n",                    NULL  },
        {"",                                            NULL  },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct harness *h = get("/assets/app.BB6SKGVO.js", rows[i].fields);
        assert_int_equal(harness_has(h, "Content-Encoding: "), rows[i].coding != NULL);
        assert_int_equal(harness_has(h, "Content-Encoding: br\r\n"),
                         rows[i].coding != NULL && strcmp(rows[i].coding, "br") == 0);
        assert_true(harness_has(h, "Vary: Accept-Encoding\r\n"));
        harness_free(h);
    }
}

static void only_names_with_a_hash_are_kept_for_ever(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        bool is_immutable;
    } rows[] = {
        {"/assets/app.BB6SKGVO.js", true },
        {"/lib.minified.js",        false},
        {"/",                       false},
        {"/robots.txt",             false}
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct harness *h = get(rows[i].path, "");
        assert_int_equal(harness_has(h, "immutable"), rows[i].is_immutable);
        assert_int_equal(harness_has(h, "Cache-Control: no-cache\r\n"), !rows[i].is_immutable);
        assert_int_equal(harness_count(h, "Cache-Control: "), 1);
        harness_free(h);
    }
}

/* The ETag of the answer, with its quotes. */
static struct str etag_of(const struct harness *h)
{
    struct str out = http_loopback_output(h->lb);
    size_t at = str_find_str(out, STR("ETag: ")) + 6;
    return str_slice(out, at, str_find(out, '\r', at));
}

static void a_known_tag_is_304_and_tags_differ_by_coding(void **state)
{
    (void)state;
    struct harness *plain = get("/", "");
    struct harness *packed = get("/", "Accept-Encoding: br\r\n");
    struct str tag = etag_of(plain);
    struct buf fields;
    assert_true(tag.n > 10 && tag.p[0] == '"');
    assert_false(str_eq(tag, etag_of(packed)));
    const char *const before[] = {"", "\"x\", ", "W/"};
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        buf_init(&fields, 1024);
        buf_addf(&fields, "If-None-Match: %s%.*s\r\n", before[i], STR_ARG(tag));
        struct harness *h = get("/", buf_text(&fields));
        assert_true(harness_has(h, "HTTP/1.1 304 Not Modified"));
        assert_true(str_ends(http_loopback_output(h->lb), STR("\r\n\r\n")));
        assert_true(http_loopback_is_open(h->lb));
        buf_fini(&fields);
        harness_free(h);
    }
    struct harness *other = get("/", "If-None-Match: \"x\"\r\n");
    assert_true(harness_has(other, "HTTP/1.1 200 OK"));
    harness_free(other);
    harness_free(plain);
    harness_free(packed);
}

static void a_directory_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    struct err err = {.kind = ERR_NONE};
    assert_null(static_files_new("/nonexistent/dist", &err));
    assert_int_equal(err.kind, ERR_NOT_READY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_finds_its_file_or_the_page),
        cmocka_unit_test(the_smallest_accepted_coding_is_chosen),
        cmocka_unit_test(only_names_with_a_hash_are_kept_for_ever),
        cmocka_unit_test(a_known_tag_is_304_and_tags_differ_by_coding),
        cmocka_unit_test(a_directory_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
