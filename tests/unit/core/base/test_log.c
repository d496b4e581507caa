// SPDX-License-Identifier: MIT
#include "unit/cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/json_read.h"
#include "core/base/log.h"

struct pipe_log {
    int ends[2];
    struct arena *arena;
    char text[300000];
};

static int start(void **state)
{
    struct pipe_log *t = calloc(1, sizeof(*t));
    if (t == NULL || pipe(t->ends) != 0)
        return -1;
    t->arena = arena_new();
    fcntl(t->ends[0], F_SETFL, O_NONBLOCK);
    log_init(t->ends[1], LOG_FORMAT_AUTO, LOG_LEVEL_INFO);
    *state = t;
    return 0;
}

static int stop(void **state)
{
    struct pipe_log *t = *state;
    log_scope_set(NULL);
    log_init(STDERR_FILENO, LOG_FORMAT_AUTO, LOG_LEVEL_INFO);
    close(t->ends[0]);
    close(t->ends[1]);
    arena_free(t->arena);
    free(t);
    return 0;
}

/* Everything that is in the pipe. */
static const char *written(struct pipe_log *t)
{
    size_t n = 0;
    ssize_t got;
    while ((got = read(t->ends[0], t->text + n, sizeof(t->text) - 1 - n)) > 0)
        n += (size_t)got;
    t->text[n] = '\0';
    return t->text;
}

/* The one line in the pipe, parsed. */
static const struct json_value *line(struct pipe_log *t)
{
    struct str text = str_from(written(t));
    assert_true(text.n > 0);
    assert_int_equal(str_find(text, '\n', 0), text.n - 1);
    struct err err;
    const struct json_value *v = json_parse(t->arena, text, &JSON_LIMITS_BODY, &err);
    if (v == NULL)
        fail_msg("%s: %s", err.msg, text.p);
    return v;
}

static void a_line_is_one_json_object_with_typed_facts(void **state)
{
    struct pipe_log *t = *state;
    char array[] = "array";
    LOG(WARN, "something happened", KV("text", "a \"b\""), KV("str", STR("s")), KV("none", STR_NONE), KV("int", -5),
        KV("size", (size_t)7), KV("huge", UINT64_MAX), KV("bool", (bool)true), KV("real", 0.5), KV("array", array),
        KV("nan", (double)NAN));
    const struct json_value *v = line(t);
    const struct json_value *first = json_first(v);
    assert_str(json_key(first), "time");
    assert_int_equal(json_str(first).n, 24);
    assert_true(str_ends(json_str(first), STR("Z")));
    assert_str(json_str(json_find(v, "level")), "warn");
    assert_str(json_str(json_find(v, "event")), "something happened");
    assert_null(json_find(v, "id"));
    assert_str(json_str(json_find(v, "text")), "a \"b\"");
    assert_str(json_str(json_find(v, "str")), "s");
    assert_non_null(json_find(v, "none"));
    assert_int_equal(json_type(json_find(v, "none")), JSON_NULL);
    assert_int_equal(json_int(json_find(v, "int"), 0), -5);
    assert_int_equal(json_int(json_find(v, "size"), 0), 7);
    assert_int_equal(json_int(json_find(v, "huge"), 0), INT64_MAX);
    assert_true(json_bool(json_find(v, "bool"), false));
    assert_true(json_double(json_find(v, "real"), 0) == 0.5);
    assert_str(json_str(json_find(v, "array")), "array");
    assert_int_equal(json_type(json_find(v, "nan")), JSON_NULL);
}

static void an_error_is_told_with_its_parts(void **state)
{
    struct pipe_log *t = *state;
    struct err e;
    err_set_field(&e, ERR_CONFLICT, "k8s_apply", "/name", "it is there");
    e.code = 409;
    memcpy(e.reason, "AlreadyExists", sizeof("AlreadyExists"));
    LOG(ERROR, "apply failed", KV("err", &e), KV("none", (const struct err *)NULL));
    const struct json_value *v = line(t);
    assert_str(json_str(json_at(v, "err", "kind", NULL)), "conflict");
    assert_str(json_str(json_at(v, "err", "msg", NULL)), "it is there");
    assert_str(json_str(json_at(v, "err", "reason", NULL)), "AlreadyExists");
    assert_str(json_str(json_at(v, "err", "field", NULL)), "/name");
    assert_str(json_str(json_at(v, "err", "origin", NULL)), "k8s_apply");
    assert_int_equal(json_int(json_at(v, "err", "code", NULL), 0), 409);
    assert_non_null(json_find(v, "none"));
}

static void the_scope_stands_on_every_line_until_it_changes(void **state)
{
    struct pipe_log *t = *state;
    log_scope_set("req-1");
    LOG(INFO, "one", KV("n", 1));
    assert_str(json_str(json_find(line(t), "id")), "req-1");
    LOG(INFO, "two", KV("n", 2));
    assert_str(json_str(json_find(line(t), "id")), "req-1");
    log_scope_set(NULL);
    LOG(INFO, "three", KV("n", 3));
    assert_null(json_find(line(t), "id"));
}

static unsigned evaluated;

static int count_evaluation(void)
{
    return (int)++evaluated;
}

static void a_level_that_is_off_costs_nothing(void **state)
{
    struct pipe_log *t = *state;
    evaluated = 0;
    LOG(DEBUG, "not seen", KV("n", count_evaluation()));
    assert_int_equal(evaluated, 0);
    assert_string_equal(written(t), "");
    log_set_level(LOG_LEVEL_DEBUG);
    LOG(DEBUG, "seen", KV("n", count_evaluation()));
    assert_int_equal(evaluated, 1);
    assert_str(json_str(json_find(line(t), "level")), "debug");
    log_set_level(LOG_LEVEL_ERROR);
    LOG(WARN, "not seen", KV("n", 1));
    assert_string_equal(written(t), "");
    LOG(ERROR, "seen", KV("n", 1));
    assert_str(json_str(json_find(line(t), "level")), "error");
}

static void a_text_that_is_not_utf8_does_not_lose_the_line(void **state)
{
    struct pipe_log *t = *state;
    LOG(INFO, "odd", KV("bad", "a\xFF\xC3\xA4\xC0\x80z"), KV("nul", STR("a\0b")));
    struct str text = str_from(written(t));
    assert_true(str_find_str(text, STR("\"bad\":\"a\xEF\xBF\xBD\xC3\xA4\xEF\xBF\xBD\xEF\xBF\xBDz\"")) < text.n);
    assert_true(str_find_str(text, STR("\"nul\":\"a\\u0000b\"")) < text.n);
}

static void a_long_text_is_cut_between_characters(void **state)
{
    struct pipe_log *t = *state;
    char text[5000];
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'a', shift);
        for (size_t i = shift; i + 3 < sizeof(text); i += 3)
            memcpy(text + i, "\xE2\x82\xAC", 4);
        LOG(INFO, "long", KV("text", (const char *)text), KV("after", 1));
        const struct json_value *v = line(t);
        struct str s = json_str(json_find(v, "text"));
        assert_in_range(s.n, 2040, 2060);
        assert_true(str_ends(s, STR("...")));
        assert_int_equal(json_int(json_find(v, "after"), 0), 1);
    }
}

static void a_line_that_is_too_long_is_replaced_by_its_head(void **state)
{
    struct pipe_log *t = *state;
    char text[2000];
    memset(text, '\x01', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    LOG(INFO, "huge", KV("a", text), KV("b", text), KV("c", text), KV("d", text));
    const struct json_value *v = line(t);
    assert_str(json_str(json_find(v, "event")), "huge");
    assert_true(json_bool(json_find(v, "cut"), false));
    assert_null(json_find(v, "a"));
}

static void logfmt_quotes_what_could_be_misread(void **state)
{
    struct pipe_log *t = *state;
    struct err e;
    err_set(&e, ERR_TIMEOUT, "f", "too late");
    log_init(t->ends[1], LOG_FORMAT_LOGFMT, LOG_LEVEL_INFO);
    log_scope_set("req 1");
    LOG(INFO, "step entered", KV("plain", "abc-1/2"), KV("empty", ""), KV("blank", "a b"), KV("quote", "a\"b\\"),
        KV("esc", "\x1B[31m\n\xC2\x9B\x7F"), KV("utf", "\xC3\xA4"), KV("n", 3), KV("none", STR_NONE),
        KV("yes", (bool)true), KV("real", 0.25), KV("err", &e));
    const char *text = written(t);
    assert_memory_equal(text, "time=2", 6);
    assert_string_equal(strstr(text, " level="),
                        " level=info event=\"step entered\" id=\"req 1\" plain=abc-1/2 empty=\"\" blank=\"a b\" "
                        "quote=\"a\\\"b\\\\\" esc=\"\\u001b[31m\\n\\u009b\\u007f\" utf=\"\xC3\xA4\" n=3 none=null "
                        "yes=true real=0.25 err.kind=timeout err.msg=\"too late\" err.origin=f err.code=0\n");
}

static void logfmt_lines_have_a_ceiling_too(void **state)
{
    struct pipe_log *t = *state;
    char text[2000];
    memset(text, '\x01', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_init(t->ends[1], LOG_FORMAT_LOGFMT, LOG_LEVEL_INFO);
    LOG(INFO, "huge", KV("a", text), KV("b", text), KV("c", text), KV("d", text));
    LOG(INFO, "next", KV("a", 1));
    const char *out = written(t);
    assert_non_null(strstr(out, "event=huge cut=true\n"));
    assert_non_null(strstr(out, "event=next a=1\n"));
}

static void a_full_pipe_never_blocks_and_the_loss_is_told(void **state)
{
    struct pipe_log *t = *state;
    assert_true(fcntl(t->ends[1], F_GETFL) & O_NONBLOCK);
    unsigned sent = 0;
    char pad[1000];
    memset(pad, 'x', sizeof(pad) - 1);
    pad[sizeof(pad) - 1] = '\0';
    while (log_dropped_lines() < 5 && sent < 10000) {
        LOG(INFO, "flood", KV("n", sent), KV("pad", (const char *)pad));
        sent++;
    }
    assert_int_equal(log_dropped_lines(), 5);
    size_t n_lines = 0;
    struct str rest = str_from(written(t));
    struct str row;
    while (str_next(&rest, '\n', &row) && row.n > 0) {
        assert_true(str_ends(row, STR("}")));
        n_lines++;
    }
    LOG(INFO, "after", KV("n", 1));
    LOG(INFO, "later", KV("n", 1));
    rest = str_from(written(t));
    assert_true(str_next(&rest, '\n', &row));
    /* The end of a line the pipe took half of may come first. */
    if (!str_starts(row, STR("{"))) {
        assert_true(str_ends(row, STR("}")));
        assert_true(str_next(&rest, '\n', &row));
    }
    assert_int_equal(n_lines, sent - 5);
    assert_true(str_find_str(row, STR("\"event\":\"after\"")) < row.n);
    assert_true(str_next(&rest, '\n', &row));
    assert_true(str_find_str(row, STR("\"event\":\"log lines dropped\",\"lines\":5}")) < row.n);
    assert_true(str_next(&rest, '\n', &row));
    assert_true(str_find_str(row, STR("\"event\":\"later\"")) < row.n);
    assert_int_equal(rest.n, 0); /* the loss is told once */
    assert_int_equal(log_dropped_lines(), 5);
}

/* Lines over PIPE_BUF may be taken in part; the reader must see every accepted line whole and nothing between. */
static void lines_stay_whole_when_the_pipe_takes_them_in_parts(void **state)
{
    struct pipe_log *t = *state;
    char pad[2000];
    memset(pad, 'x', sizeof(pad) - 1);
    pad[sizeof(pad) - 1] = '\0';
    struct buf all;
    buf_init(&all, 1000000);
    char piece[700];
    for (int i = 0; i < 200; i++) {
        LOG(INFO, "large", KV("n", i), KV("a", (const char *)pad), KV("b", (const char *)pad),
            KV("c", (const char *)pad));
        ssize_t n = i % 3 == 0 ? read(t->ends[0], piece, sizeof(piece)) : 0;
        if (n > 0)
            buf_add(&all, piece, (size_t)n);
    }
    assert_true(log_dropped_lines() > 0);
    buf_add_text(&all, written(t));
    LOG(INFO, "end", KV("n", 0));
    buf_add_text(&all, written(t));
    struct str rest = buf_str(&all);
    struct str row;
    size_t n_rows = 0;
    while (str_next(&rest, '\n', &row) && row.n > 0) {
        struct err err;
        if (json_parse(t->arena, row, &JSON_LIMITS_BODY, &err) == NULL)
            fail_msg("%s: %.*s", err.msg, STR_ARG(row));
        if (str_find_str(row, STR("\"event\":\"log lines dropped\"")) == row.n)
            n_rows++;
    }
    assert_int_equal(n_rows, 200 - log_dropped_lines() + 1); /* and "end" */
    buf_fini(&all);
}

static void logging_leaves_errno_alone(void **state)
{
    (void)state;
    log_init(-1, LOG_FORMAT_JSON, LOG_LEVEL_INFO);
    errno = ENOENT;
    LOG(INFO, "nowhere", KV("n", 1));
    assert_int_equal(errno, ENOENT);
    assert_int_equal(log_dropped_lines(), 1);
}

static void a_file_stays_blocking(void **state)
{
    (void)state;
    int fd = open("/dev/null", O_WRONLY);
    assert_true(fd >= 0);
    log_init(fd, LOG_FORMAT_JSON, LOG_LEVEL_INFO);
    assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
    close(fd);
}

static void levels_parse_by_name(void **state)
{
    (void)state;
    enum log_level level = LOG_LEVEL_DEBUG;
    assert_true(log_level_parse(STR("error"), &level));
    assert_int_equal(level, LOG_LEVEL_ERROR);
    assert_true(log_level_parse(STR("Warn"), &level));
    assert_int_equal(level, LOG_LEVEL_WARN);
    assert_true(log_level_parse(STR("INFO"), &level));
    assert_int_equal(level, LOG_LEVEL_INFO);
    assert_true(log_level_parse(STR("debug"), &level));
    assert_int_equal(level, LOG_LEVEL_DEBUG);
    level = LOG_LEVEL_WARN;
    assert_false(log_level_parse(STR("verbose"), &level));
    assert_false(log_level_parse(STR(""), &level));
    assert_false(log_level_parse(STR_NONE, &level));
    assert_int_equal(level, LOG_LEVEL_WARN);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_line_is_one_json_object_with_typed_facts),
        TEST(an_error_is_told_with_its_parts),
        TEST(the_scope_stands_on_every_line_until_it_changes),
        TEST(a_level_that_is_off_costs_nothing),
        TEST(a_text_that_is_not_utf8_does_not_lose_the_line),
        TEST(a_long_text_is_cut_between_characters),
        TEST(a_line_that_is_too_long_is_replaced_by_its_head),
        TEST(logfmt_quotes_what_could_be_misread),
        TEST(logfmt_lines_have_a_ceiling_too),
        TEST(a_full_pipe_never_blocks_and_the_loss_is_told),
        TEST(lines_stay_whole_when_the_pipe_takes_them_in_parts),
        TEST(logging_leaves_errno_alone),
        TEST(a_file_stays_blocking),
        TEST(levels_parse_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
