// SPDX-License-Identifier: MIT
/* Merge patch, JSON patch, strategic merge, apply, and the sets of fields. */
#include "tests/unit/cmocka_all.h"

#include "devcluster/base/fields.h"
#include "devcluster/base/patch.h"

struct row {
    const char *target;
    const char *patch;
    const char *result; /* NULL: refused */
};

static struct doc *parse(struct arena *a, const char *text)
{
    const struct json_value *v = json_parse(a, str_from(text), &JSON_LIMITS_BODY, NULL);
    if (v == NULL)
        fail_msg("not JSON: %s", text);
    return doc_from_json(a, v);
}

static void assert_same(struct arena *a, const struct doc *d, const char *text)
{
    if (!doc_equal(d, parse(a, text)))
        fail_msg("is %s, not %s", arena_dup(a, doc_json(a, d)), text);
}

static void merge_patch_is_rfc_7386(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"a\":\"b\"}",             "{\"a\":\"c\"}",                    "{\"a\":\"c\"}"            },
        {"{\"a\":\"b\"}",             "{\"b\":\"c\"}",                    "{\"a\":\"b\",\"b\":\"c\"}"},
        {"{\"a\":\"b\"}",             "{\"a\":null}",                     "{}"                       },
        {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}",                     "{\"b\":\"c\"}"            },
        {"{\"a\":[\"b\"]}",           "{\"a\":\"c\"}",                    "{\"a\":\"c\"}"            },
        {"{\"a\":{\"b\":\"c\"}}",     "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"    },
        {"{\"a\":[{\"b\":\"c\"}]}",   "{\"a\":[1]}",                      "{\"a\":[1]}"              },
        {"{\"e\":null}",              "{\"a\":1}",                        "{\"e\":null,\"a\":1}"     },
        {"{}",                        "{\"a\":{\"bb\":{\"ccc\":null}}}",  "{\"a\":{\"bb\":{}}}"      },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct arena *a = arena_new();
        struct doc *d = parse(a, rows[i].target);
        patch_merge(a, d, parse(a, rows[i].patch));
        assert_same(a, d, rows[i].result);
        arena_free(a);
    }
}

static void json_patch_is_rfc_6902(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"foo\":[\"a\",\"c\"]}",    "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":\"b\"}]",
         "{\"foo\":[\"a\",\"b\",\"c\"]}"                                                                                         },
        {"{\"foo\":[\"a\"]}",          "[{\"op\":\"add\",\"path\":\"/foo/-\",\"value\":[\"x\"]}]",    "{\"foo\":[\"a\",[\"x\"]]}"},
        {"{\"foo\":[1,2,3]}",          "[{\"op\":\"remove\",\"path\":\"/foo/1\"}]",                   "{\"foo\":[1,3]}"          },
        {"{\"a\":{\"b\":1},\"c\":{}}", "[{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"/c/d\"}]",
         "{\"a\":{},\"c\":{\"d\":1}}"                                                                                            },
        {"{\"a/b\":1,\"m~n\":2}",
         "[{\"op\":\"remove\",\"path\":\"/a~1b\"},{\"op\":\"test\",\"path\":\"/m~0n\",\"value\":2}]", "{\"m~n\":2}"              },
        {"{\"a\":1}",                  "[{\"op\":\"test\",\"path\":\"/a\",\"value\":2}]",             NULL                       },
        {"{\"a\":1}",                  "[{\"op\":\"add\",\"path\":\"/b/c\",\"value\":1}]",            NULL                       },
        {"{\"a\":[1]}",                "[{\"op\":\"add\",\"path\":\"/a/2\",\"value\":1}]",            NULL                       },
        {"{\"a\":[1]}",                "[{\"op\":\"replace\",\"path\":\"/a/01x\",\"value\":1}]",      NULL                       },
        {"{\"a\":1}",                  "[{\"op\":\"replace\",\"path\":\"/b\",\"value\":1}]",          NULL                       },
        {"{\"a\":1}",                  "[{\"op\":\"grow\",\"path\":\"/a\"}]",                         NULL                       },
        {"{\"a\":1}",                  "[{\"op\":\"remove\"}]",                                       NULL                       },
        {"{\"a\":1}",                  "{\"op\":\"remove\",\"path\":\"/a\"}",                         NULL                       },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct arena *a = arena_new();
        struct doc *d = parse(a, rows[i].target);
        bool is_done = patch_json(a, d, parse(a, rows[i].patch));
        assert_int_equal(is_done, rows[i].result != NULL);
        if (is_done)
            assert_same(a, d, rows[i].result);
        arena_free(a);
    }
}

static void strategic_merge_goes_by_keys(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct doc *d = parse(a, "{\"containers\":[{\"name\":\"a\",\"image\":\"1\"},{\"name\":\"b\",\"image\":\"1\"}],"
                             "\"args\":[\"x\",\"y\"],\"gone\":1}");
    patch_strategic(a, d,
                    parse(a, "{\"containers\":[{\"name\":\"b\",\"image\":\"2\"},{\"name\":\"c\"},"
                             "{\"name\":\"a\",\"$patch\":\"delete\"}],\"args\":[\"z\"],\"gone\":null}"));
    assert_same(a, d, "{\"containers\":[{\"name\":\"b\",\"image\":\"2\"},{\"name\":\"c\"}],\"args\":[\"z\"]}");
    arena_free(a);
}

static void ports_merge_by_number_and_protocol(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct doc *d = parse(a, "{\"ports\":[{\"containerPort\":80,\"protocol\":\"TCP\",\"name\":\"old\"}]}");
    patch_apply(a, d,
                parse(a, "{\"ports\":[{\"containerPort\":80,\"name\":\"new\"},{\"containerPort\":80,"
                         "\"protocol\":\"UDP\"}]}"),
                false);
    assert_same(a, d,
                "{\"ports\":[{\"containerPort\":80,\"protocol\":\"TCP\",\"name\":\"new\"},{\"containerPort\":80,"
                "\"protocol\":\"UDP\"}]}");
    arena_free(a);
}

static void apply_replaces_what_is_atomic(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct doc *d =
        parse(a, "{\"selector\":{\"a\":\"1\",\"b\":\"2\"},\"rules\":[1,2],\"finalizers\":[\"x\"],\"keep\":1}");
    patch_apply(a, d, parse(a, "{\"selector\":{\"a\":\"3\"},\"rules\":[3],\"finalizers\":[\"y\"]}"), false);
    assert_same(a, d, "{\"selector\":{\"a\":\"3\"},\"rules\":[3],\"finalizers\":[\"x\",\"y\"],\"keep\":1}");
    arena_free(a);
}

static const char CONFIG[] =
    "{\"apiVersion\":\"v1\",\"kind\":\"X\",\"metadata\":{\"name\":\"n\",\"labels\":{\"l\":\"1\"}},"
    "\"spec\":{\"containers\":[{\"name\":\"web\",\"image\":\"i\"}],\"args\":[1],\"empty\":{}}}";

static void fields_are_named_as_managed_fields_name_them(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    assert_same(
        a, fields_of(a, parse(a, CONFIG), false),
        "{\"f:metadata\":{\"f:labels\":{\"f:l\":{}}},\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"web\\\"}\":"
        "{\".\":{},\"f:name\":{},\"f:image\":{}}},\"f:args\":{},\"f:empty\":{}}}");
    arena_free(a);
}

static void conflicts_name_the_path(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct doc *live = parse(a, CONFIG);
    struct doc *config = parse(a, "{\"spec\":{\"containers\":[{\"name\":\"web\",\"image\":\"other\"}]}}");
    struct doc *merged = doc_copy(a, live);
    patch_apply(a, merged, config, false);
    struct fail f;
    fail_init(&f, a);
    fields_conflicts(&f, fields_of(a, config, false), fields_of(a, live, false), fields_changed(a, live, merged, false),
                     STR("them"));
    assert_int_equal(1, f.causes_n);
    assert_string_equal(".spec.containers[name=\"web\"].image", f.causes[0].field);
    assert_string_equal("conflict with \"them\"", f.causes[0].message);
    arena_free(a);
}

static void sets_unite_subtract_and_prune(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct doc *set = parse(a, "{\"f:a\":{},\"f:b\":{\"f:c\":{}}}");
    fields_unite(a, set, parse(a, "{\"f:b\":{\"f:d\":{}},\"f:e\":{}}"));
    assert_same(a, set, "{\"f:a\":{},\"f:b\":{\"f:c\":{},\"f:d\":{}},\"f:e\":{}}");
    fields_subtract(set, parse(a, "{\"f:a\":{},\"f:b\":{\"f:c\":{},\"f:d\":{}}}"));
    assert_same(a, set, "{\"f:e\":{}}");
    struct doc *root = parse(a, CONFIG);
    fields_prune(a, root,
                 parse(a, "{\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"web\\\"}\":{\"f:image\":{}}},"
                          "\"f:args\":{}}}"),
                 false);
    assert_same(a, doc_find(root, "spec"), "{\"containers\":[{\"name\":\"web\"}],\"empty\":{}}");
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merge_patch_is_rfc_7386),       cmocka_unit_test(json_patch_is_rfc_6902),
        cmocka_unit_test(strategic_merge_goes_by_keys),  cmocka_unit_test(ports_merge_by_number_and_protocol),
        cmocka_unit_test(apply_replaces_what_is_atomic), cmocka_unit_test(fields_are_named_as_managed_fields_name_them),
        cmocka_unit_test(conflicts_name_the_path),       cmocka_unit_test(sets_unite_subtract_and_prune),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
