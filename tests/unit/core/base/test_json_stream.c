// SPDX-License-Identifier: MIT
#include "unit/cmocka_all.h"

#include "core/base/buf.h"
#include "core/base/json_read.h"
#include "core/base/json_write.h"

/* What the items looked like, one "\n" after each. */
struct seen {
    struct buf items;
    size_t n;
    size_t refuse_at; /* the number of the item to refuse; 0: none */
};

static const struct json_limits limits = {
    .max_bytes = 200, .max_depth = 8, .max_nodes = 20, .skip_key = "managedFields"};

static bool on_item(void *arg, const struct json_value *item, struct err *reterr)
{
    struct seen *seen = arg;
    struct json_writer *w = jw_new(100000);
    struct str json;
    json_copy_to(item, w);
    assert_true(jw_finish(w, &json, NULL));
    buf_add_str(&seen->items, json);
    buf_add_byte(&seen->items, '\n');
    jw_free(w);
    if (++seen->n != seen->refuse_at)
        return true;
    err_set(reterr, ERR_LIMIT, "on_item", "enough");
    reterr->code = 77;
    return false;
}

static void seen_init(struct seen *seen)
{
    *seen = (struct seen){0};
    buf_init(&seen->items, 1000000);
}

/* Feeds text in pieces of `step` bytes. */
static bool run(struct json_stream *s, struct str text, size_t step, struct err *reterr)
{
    for (size_t at = 0; at < text.n; at += step) {
        if (!json_stream_feed(s, str_slice(text, at, at + step), reterr))
            return false;
    }
    return true;
}

static void assert_items(const char *key, struct str text, const char *want, const char *want_rest)
{
    for (size_t step = 1; step <= text.n + 1; step++) {
        struct seen seen;
        struct err err = {0};
        const struct json_value *rest = NULL;
        seen_init(&seen);
        struct json_stream *s = json_stream_new(key, &limits, on_item, &seen);
        if (!run(s, text, step, &err) || !json_stream_finish(s, &rest, &err))
            fail_msg("step %zu: %s", step, err.msg);
        assert_string_equal(buf_text(&seen.items), want);
        if (want_rest == NULL) {
            assert_null(rest);
        } else {
            struct json_writer *w = jw_new(10000);
            struct str json;
            json_copy_to(rest, w);
            assert_true(jw_finish(w, &json, NULL));
            assert_string_equal(json.p, want_rest);
            jw_free(w);
        }
        json_stream_free(s);
        buf_fini(&seen.items);
    }
}

/* Whatever the pieces: the same items before, then a failure of this kind, which stays. */
static void assert_fails(const char *key, struct str text, const char *want, enum err_kind kind)
{
    for (size_t step = 1; step <= text.n + 1; step++) {
        struct seen seen;
        struct err err = {0};
        const struct json_value *rest = NULL;
        seen_init(&seen);
        struct json_stream *s = json_stream_new(key, &limits, on_item, &seen);
        if (run(s, text, step, &err) && json_stream_finish(s, &rest, &err))
            fail_msg("accepted in steps of %zu: %.*s", step, STR_ARG(text));
        assert_int_equal(err.kind, kind);
        assert_string_equal(buf_text(&seen.items), want);
        memset(&err, 0, sizeof(err));
        assert_false(json_stream_feed(s, STR("{}"), &err));
        assert_int_equal(err.kind, kind);
        assert_false(json_stream_finish(s, &rest, &err));
        assert_null(rest);
        json_stream_free(s);
        buf_fini(&seen.items);
    }
}

/* ---- top-level values ---- */

static void values_come_in_order_however_they_are_cut(void **state)
{
    (void)state;
    assert_items(NULL, STR("{\"type\":\"ADDED\",\"object\":{\"a\":[1,2]}}\n{\"type\":\"BOOKMARK\"}\n"),
                 "{\"type\":\"ADDED\",\"object\":{\"a\":[1,2]}}\n{\"type\":\"BOOKMARK\"}\n", NULL);
    assert_items(NULL, STR("{}{}[] [1]"), "{}\n{}\n[]\n[1]\n", NULL);
    assert_items(NULL, STR(" 1 2.5\n\"x\" true null -0"), "1\n2.5\n\"x\"\ntrue\nnull\n-0\n", NULL);
    assert_items(NULL, STR("[\"\\uD83D\\uDE00\xF0\x9F\x98\x80\\\"\"]"), "[\"\xF0\x9F\x98\x80\xF0\x9F\x98\x80\\\"\"]\n",
                 NULL);
}

static void an_empty_stream_has_no_items(void **state)
{
    (void)state;
    assert_items(NULL, STR(""), "", NULL);
    assert_items(NULL, STR(" \r\n\t\n"), "", NULL);
}

static void an_event_is_delivered_when_its_last_byte_arrived(void **state)
{
    (void)state;
    struct seen seen;
    seen_init(&seen);
    struct json_stream *s = json_stream_new(NULL, &limits, on_item, &seen);
    assert_true(json_stream_feed(s, STR("{\"a\":{}"), NULL));
    assert_int_equal(seen.n, 0);
    assert_true(json_stream_feed(s, STR("}"), NULL));
    assert_int_equal(seen.n, 1);
    assert_true(json_stream_feed(s, STR("\n{\"b\":1}"), NULL));
    assert_int_equal(seen.n, 2);
    assert_true(json_stream_finish(s, NULL, NULL));
    assert_int_equal(seen.n, 2);
    json_stream_free(s);
    buf_fini(&seen.items);
}

static void a_stream_cut_inside_a_value_fails_at_the_end(void **state)
{
    (void)state;
    assert_fails(NULL, STR("{\"a\":1}\n{\"b\":"), "{\"a\":1}\n", ERR_INVALID);
    assert_fails(NULL, STR("\"a"), "", ERR_INVALID);
    assert_fails(NULL, STR("\"\\uD83D"), "", ERR_INVALID);
    assert_fails(NULL, STR("tru"), "", ERR_INVALID);
}

static void what_comes_before_a_fault_is_delivered_first(void **state)
{
    (void)state;
    assert_fails(NULL, STR("{\"a\":1}\n{\"b\":\"\\uD800\"}{}"), "{\"a\":1}\n", ERR_INVALID);
    assert_fails(NULL, STR("{\"a\":1}\n{\"b\":\"\\u0000\"}{}"), "{\"a\":1}\n", ERR_INVALID);
    assert_fails(NULL, STR("{\"a\":1}\n{\"b\":1,\"b\":1}{}"), "{\"a\":1}\n", ERR_INVALID);
    assert_fails(NULL, STR("{\"a\":1}\n{\"b\":\"\xC0\x80\"}{}"), "{\"a\":1}\n", ERR_INVALID);
    assert_fails(NULL, STR("{\"a\":1}\nx{}"), "{\"a\":1}\n", ERR_INVALID);
    assert_fails(NULL, STR("{\"a\":1}\n}{}"), "{\"a\":1}\n", ERR_INVALID);
}

static void limits_hold_for_each_item_alone(void **state)
{
    (void)state;
    struct buf text;
    struct buf want;
    buf_init(&text, 10000);
    buf_init(&want, 10000);
    for (int i = 0; i < 30; i++) {
        buf_add_text(&text, "[1,2,3,4,5,6,7,8,9,10,11,12]");
        buf_add_text(&want, "[1,2,3,4,5,6,7,8,9,10,11,12]\n");
    }
    assert_items(NULL, buf_str(&text), buf_text(&want), NULL);
    assert_fails(NULL, STR("[]\n[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]"), "[]\n", ERR_TOO_LARGE);
    assert_fails(NULL, STR("[]\n[[[[[[[[[]]]]]]]]]"), "[]\n", ERR_INVALID);
    buf_fini(&text);
    buf_fini(&want);
}

/* The arena gives the second object the address of the first. */
static void keys_of_one_item_are_forgotten_before_the_next(void **state)
{
    (void)state;
    const char *item = "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,\"j\":10}\n";
    struct buf text;
    buf_init(&text, 10000);
    for (int i = 0; i < 5; i++)
        buf_add_text(&text, item);
    assert_items(NULL, buf_str(&text), buf_text(&text), NULL);
    buf_fini(&text);
}

static void add_times(struct buf *b, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_add_text(b, text);
}

static void an_item_may_have_max_bytes_and_not_one_more(void **state)
{
    (void)state;
    for (size_t more = 0; more <= 1; more++) {
        struct buf text;
        struct buf want;
        buf_init(&text, 10000);
        buf_init(&want, 10000);
        add_times(&text, " ", 300); /* blanks between items are nobody's */
        buf_add_text(&text, "{}");
        add_times(&text, "\n", 300);
        buf_add_text(&text, "[\"");
        add_times(&text, "x", 196 + more);
        buf_add_text(&text, "\"]");
        buf_add_text(&want, "{}\n");
        if (more > 0) {
            assert_fails(NULL, buf_str(&text), buf_text(&want), ERR_TOO_LARGE);
        } else {
            buf_add_text(&want, "[\"");
            add_times(&want, "x", 196);
            buf_add_text(&want, "\"]\n");
            assert_items(NULL, buf_str(&text), buf_text(&want), NULL);
        }
        buf_fini(&text);
        buf_fini(&want);
    }
}

static void a_text_without_end_is_not_held(void **state)
{
    (void)state;
    struct seen seen;
    seen_init(&seen);
    struct json_stream *s = json_stream_new(NULL, &limits, on_item, &seen);
    assert_true(json_stream_feed(s, STR("\""), NULL));
    size_t fed = 0;
    while (fed < 10000 && json_stream_feed(s, STR("0123456789"), NULL))
        fed += 10;
    assert_in_range(fed, 180, 200);
    json_stream_free(s);
    buf_fini(&seen.items);
}

static void a_callee_can_stop_the_stream_with_its_own_error(void **state)
{
    (void)state;
    struct seen seen;
    struct err err;
    seen_init(&seen);
    seen.refuse_at = 2;
    struct json_stream *s = json_stream_new(NULL, &limits, on_item, &seen);
    assert_false(json_stream_feed(s, STR("1 2 3 4 "), &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_int_equal(err.code, 77);
    assert_string_equal(err.msg, "enough");
    assert_int_equal(seen.n, 2);
    assert_false(json_stream_feed(s, STR("5 "), &err));
    assert_int_equal(seen.n, 2);
    json_stream_free(s);
    buf_fini(&seen.items);
}

/* ---- lists ---- */

static void a_list_gives_its_items_and_its_rest(void **state)
{
    (void)state;
    assert_items("items",
                 STR("{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"12\",\"items\":[0]},"
                     "\"items\": [ {\"a\":{\"items\":[1]}} , {\"b\":2} ,3,\"x\",[4],null],\"after\":[true]} "),
                 "{\"a\":{\"items\":[1]}}\n{\"b\":2}\n3\n\"x\"\n[4]\nnull\n",
                 "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"12\",\"items\":[0]},\"after\":[true]}");
    assert_items("items", STR("{\"items\":[]}"), "", "{}");
    assert_items("items", STR("{\"items\":null,\"a\":1}"), "", "{\"a\":1}");
    assert_items("items", STR("{\"kind\":\"Status\",\"code\":404}"), "", "{\"kind\":\"Status\",\"code\":404}");
    assert_items("items", STR("{}"), "", "{}");
}

static void a_skipped_key_is_left_out_of_items_and_rest(void **state)
{
    (void)state;
    assert_items("items", STR("{\"managedFields\":{\"items\":[9]},\"items\":[{\"managedFields\":[1,2],\"a\":1}]}"),
                 "{\"a\":1}\n", "{}");
}

static void what_is_not_a_list_is_refused(void **state)
{
    (void)state;
    assert_fails("items", STR("[]"), "", ERR_INVALID);
    assert_fails("items", STR("1"), "", ERR_INVALID);
    assert_fails("items", STR(""), "", ERR_INVALID);
    assert_fails("items", STR(" \n"), "", ERR_INVALID);
    assert_fails("items", STR("{\"items\":{}}"), "", ERR_INVALID);
    assert_fails("items", STR("{\"items\":\"x\"}"), "", ERR_INVALID);
    assert_fails("items", STR("{\"items\":[1],\"items\":[2]}"), "1\n", ERR_INVALID);
    assert_fails("items", STR("{\"items\":null,\"items\":[2]}"), "", ERR_INVALID);
    assert_fails("items", STR("{\"a\":1,\"items\":[1],\"a\":2}"), "1\n", ERR_INVALID);
    assert_fails("items", STR("{\"items\":[1]}{}"), "1\n", ERR_INVALID);
    assert_fails("items", STR("{\"items\":[1,]}"), "1\n", ERR_INVALID);
    assert_fails("items", STR("{\"items\":[1]"), "1\n", ERR_INVALID);
    assert_fails("items", STR("{\"items\":[{\"a\":1}"), "{\"a\":1}\n", ERR_INVALID);
}

static void a_list_may_be_larger_than_an_item_but_not_its_rest(void **state)
{
    (void)state;
    struct buf text;
    struct buf want;
    buf_init(&text, 10000);
    buf_init(&want, 10000);
    buf_add_text(&text, "{\"items\":[1");
    add_times(&text, ",1", 199);
    add_times(&want, "1\n", 200);
    size_t keep = text.n;
    buf_add_text(&text, "]}");
    assert_items("items", buf_str(&text), buf_text(&want), "{}");
    text.n = keep;
    buf_add_text(&text, "],\"more\":\"");
    add_times(&text, "x", 200);
    buf_add_text(&text, "\"}");
    assert_fails("items", buf_str(&text), buf_text(&want), ERR_TOO_LARGE);
    buf_clear(&text);
    buf_add_text(&text, "{\"items\":[1],\"more\":[\"\"");
    add_times(&text, "                  ,\"\"", 10); /* many small values are as large as one large */
    buf_add_text(&text, "]}");
    assert_fails("items", buf_str(&text), "1\n", ERR_TOO_LARGE);
    buf_fini(&text);
    buf_fini(&want);
}

static void errors_count_lines_over_all_pieces(void **state)
{
    (void)state;
    struct seen seen;
    struct err err;
    seen_init(&seen);
    struct json_stream *s = json_stream_new(NULL, &limits, on_item, &seen);
    assert_true(json_stream_feed(s, STR("{}\n{}\n"), NULL));
    assert_true(json_stream_feed(s, STR("{}\n  {\"a\""), NULL));
    assert_false(json_stream_feed(s, STR(":1,\"a\":2}"), &err));
    assert_non_null(strstr(err.msg, "at line 4, column 12"));
    assert_string_equal(err.field, "/a");
    json_stream_free(s);
    json_stream_free(NULL);
    buf_fini(&seen.items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_in_order_however_they_are_cut),
        cmocka_unit_test(an_empty_stream_has_no_items),
        cmocka_unit_test(an_event_is_delivered_when_its_last_byte_arrived),
        cmocka_unit_test(a_stream_cut_inside_a_value_fails_at_the_end),
        cmocka_unit_test(what_comes_before_a_fault_is_delivered_first),
        cmocka_unit_test(limits_hold_for_each_item_alone),
        cmocka_unit_test(keys_of_one_item_are_forgotten_before_the_next),
        cmocka_unit_test(an_item_may_have_max_bytes_and_not_one_more),
        cmocka_unit_test(a_text_without_end_is_not_held),
        cmocka_unit_test(a_callee_can_stop_the_stream_with_its_own_error),
        cmocka_unit_test(a_list_gives_its_items_and_its_rest),
        cmocka_unit_test(a_skipped_key_is_left_out_of_items_and_rest),
        cmocka_unit_test(what_is_not_a_list_is_refused),
        cmocka_unit_test(a_list_may_be_larger_than_an_item_but_not_its_rest),
        cmocka_unit_test(errors_count_lines_over_all_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
