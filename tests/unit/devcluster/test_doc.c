// SPDX-License-Identifier: MIT
/* The changeable JSON tree. */
#include "tests/unit/cmocka_all.h"

#include "devcluster/base/doc.h"

static struct doc *parse(struct arena *a, const char *text)
{
    const struct json_value *v = json_parse(a, str_from(text), &JSON_LIMITS_BODY, NULL);
    assert_non_null(v);
    return doc_from_json(a, v);
}

static void assert_json(struct arena *a, const struct doc *d, const char *text)
{
    struct str json = doc_json(a, d);
    assert_string_equal(arena_dup(a, json), text);
}

static void what_is_read_is_written(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":[1,-2,1.5,true,null,\"x\\n\"],\"b\":{\"c\":{}},\"e\":9007199254740993}";
    struct arena *a = arena_new();
    struct doc *d = parse(a, text);
    assert_json(a, d, text);
    struct arena *b = arena_new();
    struct doc *copy = doc_copy(b, d);
    arena_free(a);
    assert_json(b, copy, text);
    arena_free(b);
}

static void members_are_set_in_place_and_removed(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct doc *d = parse(a, "{\"a\":1,\"b\":2,\"c\":3}");
    doc_set_text(a, d, "b", "new");
    doc_set_bool(a, d, "d", true);
    assert_json(a, d, "{\"a\":1,\"b\":\"new\",\"c\":3,\"d\":true}");
    assert_true(doc_remove(d, "d"));
    assert_true(doc_remove(d, "a"));
    assert_false(doc_remove(d, "a"));
    doc_set_int(a, d, "z", 9);
    assert_json(a, d, "{\"b\":\"new\",\"c\":3,\"z\":9}");
    assert_int_equal(3, doc_count(d));
    arena_free(a);
}

static void needed_containers_replace_other_types(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct doc *d = parse(a, "{\"a\":1}");
    doc_append(doc_need_array(a, d, "a"), doc_text(a, "x"));
    doc_set_int(a, doc_need_object(a, d, "o"), "k", 1);
    assert_ptr_equal(doc_need_object(a, d, "o"), doc_edit(d, "o"));
    assert_json(a, d, "{\"a\":[\"x\"],\"o\":{\"k\":1}}");
    arena_free(a);
}

static void elements_are_inserted_anywhere(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct doc *d = doc_array(a);
    doc_insert(d, 0, doc_int(a, 2));
    doc_insert(d, 0, doc_int(a, 1));
    doc_insert(d, 2, doc_int(a, 4));
    doc_insert(d, 2, doc_int(a, 3));
    doc_append(d, doc_int(a, 5));
    assert_json(a, d, "[1,2,3,4,5]");
    arena_free(a);
}

static void equality_ignores_the_order_of_members_only(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    assert_true(doc_equal(parse(a, "{\"a\":1,\"b\":[1,2]}"), parse(a, "{\"b\":[1,2],\"a\":1}")));
    assert_false(doc_equal(parse(a, "{\"a\":1,\"b\":[2,1]}"), parse(a, "{\"b\":[1,2],\"a\":1}")));
    assert_false(doc_equal(parse(a, "{\"a\":1}"), parse(a, "{\"a\":1,\"b\":null}")));
    assert_false(doc_equal(parse(a, "{\"a\":1}"), parse(a, "{\"a\":1.5}")));
    assert_true(doc_equal(NULL, parse(a, "null")));
    arena_free(a);
}

static void sorting_goes_deep_when_asked(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct doc *d = parse(a, "{\"b\":{\"z\":1,\"y\":2},\"a\":[{\"d\":1,\"c\":2}]}");
    struct doc *shallow = doc_copy(a, d);
    doc_sort(a, shallow, false);
    assert_json(a, shallow, "{\"a\":[{\"d\":1,\"c\":2}],\"b\":{\"z\":1,\"y\":2}}");
    doc_sort(a, d, true);
    assert_json(a, d, "{\"a\":[{\"c\":2,\"d\":1}],\"b\":{\"y\":2,\"z\":1}}");
    arena_free(a);
}

static void absent_values_read_as_absent(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct doc *d = parse(a, "{\"a\":{\"b\":\"x\"},\"n\":1}");
    assert_true(str_eq_text(doc_as_str(doc_at(d, "a", "b", NULL)), "x"));
    assert_true(str_is_none(doc_as_str(doc_at(d, "a", "none", "b", NULL))));
    assert_true(str_is_none(doc_get(d, "n")));
    assert_int_equal(7, doc_as_int(doc_find(NULL, "n"), 7));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_written),
        cmocka_unit_test(members_are_set_in_place_and_removed),
        cmocka_unit_test(needed_containers_replace_other_types),
        cmocka_unit_test(elements_are_inserted_anywhere),
        cmocka_unit_test(equality_ignores_the_order_of_members_only),
        cmocka_unit_test(sorting_goes_deep_when_asked),
        cmocka_unit_test(absent_values_read_as_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
