// SPDX-License-Identifier: MIT
/* Label and field selectors; names, quantities and durations. */
#include "tests/unit/cmocka_all.h"

#include "devcluster/base/names.h"
#include "devcluster/base/selector.h"

static struct doc *parse(struct arena *a, const char *text)
{
    const struct json_value *v = json_parse(a, str_from(text), &JSON_LIMITS_BODY, NULL);
    assert_non_null(v);
    return doc_from_json(a, v);
}

static void label_selectors_match(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool matches; /* {"a":"1","b":"","tier":"front"} */
    } rows[] = {
        {"",                        true },
        {"a=1",                     true },
        {"a==1",                    true },
        {" a = 1 , tier = front ",  true },
        {"a=2",                     false},
        {"a!=2",                    true },
        {"none!=2",                 true },
        {"b=",                      true },
        {"b",                       true },
        {"!b",                      false},
        {"!none",                   true },
        {"tier in (front, back)",   true },
        {"tier in (back)",          false},
        {"tier notin (back)",       true },
        {"none notin (x)",          true },
        {"none in (x)",             false},
        {"a,tier in (front),!none", true },
    };
    struct arena *a = arena_new();
    struct doc *labels = parse(a, "{\"a\":\"1\",\"b\":\"\",\"tier\":\"front\"}");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct selector s;
        struct fail f;
        fail_init(&f, a);
        assert_true(selector_parse(a, str_from(rows[i].text), &s, &f));
        if (selector_matches(&s, labels) != rows[i].matches)
            fail_msg("%s", rows[i].text);
    }
    arena_free(a);
}

static void bad_selectors_are_400(void **state)
{
    (void)state;
    static const char *const texts[] = {"a===b", "=b", "a in b", "a in (b", "a=b c", ",", "a=b,,c=d", "!"};
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct selector s;
        struct fail f;
        fail_init(&f, a);
        if (selector_parse(a, str_from(texts[i]), &s, &f))
            fail_msg("taken: %s", texts[i]);
        assert_int_equal(400, f.code);
    }
    arena_free(a);
}

static void selectors_of_objects_match(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct selector s;
    selector_from_doc(a,
                      parse(a,
                            "{\"matchLabels\":{\"app\":\"x\"},\"matchExpressions\":[{\"key\":\"t\",\"operator\":\"In\","
                            "\"values\":[\"a\",\"b\"]},{\"key\":\"n\",\"operator\":\"DoesNotExist\"}]}"),
                      &s);
    assert_true(selector_matches(&s, parse(a, "{\"app\":\"x\",\"t\":\"b\"}")));
    assert_false(selector_matches(&s, parse(a, "{\"app\":\"x\",\"t\":\"c\"}")));
    assert_false(selector_matches(&s, parse(a, "{\"app\":\"x\",\"t\":\"b\",\"n\":\"\"}")));
    assert_true(str_eq_text(selector_equality(&s)->key, "app"));
    arena_free(a);
}

static void field_selectors_know_their_fields(void **state)
{
    (void)state;
    static const char *const fields[] = {"metadata.name", "type", NULL};
    struct arena *a = arena_new();
    struct doc *root = parse(a, "{\"metadata\":{\"name\":\"x\"},\"type\":\"Warning\"}");
    struct selector s;
    struct fail f;
    fail_init(&f, a);
    assert_true(field_selector_parse(a, STR("metadata.name=x,type!=Normal"), fields, &s, &f));
    assert_true(field_selector_matches(&s, root));
    assert_true(field_selector_parse(a, STR("type=Normal"), fields, &s, &f));
    assert_false(field_selector_matches(&s, root));
    assert_false(field_selector_parse(a, STR("spec.x=1"), fields, &s, &f));
    assert_string_equal("\"spec.x\" is not a known field selector: only \"metadata.name\", \"type\"", f.message);
    assert_false(field_selector_parse(a, STR("nonsense"), fields, &s, &f));
    arena_free(a);
}

static void names_obey_their_rules(void **state)
{
    (void)state;
    assert_null(name_refusal(NAME_SUBDOMAIN, STR("a.b-c.9")));
    assert_non_null(name_refusal(NAME_SUBDOMAIN, STR("A")));
    assert_non_null(name_refusal(NAME_SUBDOMAIN, STR("a..b")));
    assert_non_null(name_refusal(NAME_SUBDOMAIN, STR("-a")));
    assert_non_null(name_refusal(NAME_LABEL, STR("a.b")));
    assert_null(name_refusal(NAME_LABEL, STR("9a")));
    assert_null(name_refusal(NAME_PATH, STR("system:Node")));
    assert_non_null(name_refusal(NAME_PATH, STR("a/b")));
    assert_null(label_value_refusal(STR("")));
    assert_null(label_value_refusal(STR("A_b.c-9")));
    assert_non_null(label_value_refusal(STR("a-")));
    assert_null(label_key_refusal(STR("example.com/Name_1")));
    assert_non_null(label_key_refusal(STR("/x")));
    assert_non_null(label_key_refusal(STR("Example.com/x")));
    assert_non_null(port_name_refusal(STR("abcdefghijklmnop")));
    assert_non_null(port_name_refusal(STR("123")));
    assert_null(env_name_refusal(STR("MY.VAR-1")));
    assert_non_null(env_name_refusal(STR("A=B")));
}

static void quantities_are_read_in_thousandths(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t milli;
    } rows[] = {
        {"1",                      1000        },
        {"100m",                   100         },
        {"0.5",                    500         },
        {"1.25",                   1250        },
        {"5k",                     5000000     },
        {"1Ki",                    1024000     },
        {"256Mi",                  268435456000},
        {"1e3",                    1000000     },
        {"1500u",                  -1          },
        {"",                       -1          },
        {"m",                      -1          },
        {"-1",                     -1          },
        {"1.2.3",                  -1          },
        {"99999999999999999999Gi", -1          },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t milli = -1;
        if (!quantity_parse(str_from(rows[i].text), &milli))
            milli = -1;
        if (milli != rows[i].milli)
            fail_msg("%s is %lld", rows[i].text, (long long)milli);
    }
}

static void durations_are_read(void **state)
{
    (void)state;
    int64_t ms;
    assert_true(duration_parse_ms(STR("2s"), &ms) && ms == 2000);
    assert_true(duration_parse_ms(STR("1m30s"), &ms) && ms == 90000);
    assert_true(duration_parse_ms(STR("300ms"), &ms) && ms == 300);
    assert_false(duration_parse_ms(STR("2"), &ms));
    assert_false(duration_parse_ms(STR("s"), &ms));
    assert_false(duration_parse_ms(STR(""), &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(label_selectors_match),      cmocka_unit_test(bad_selectors_are_400),
        cmocka_unit_test(selectors_of_objects_match), cmocka_unit_test(field_selectors_know_their_fields),
        cmocka_unit_test(names_obey_their_rules),     cmocka_unit_test(quantities_are_read_in_thousandths),
        cmocka_unit_test(durations_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
