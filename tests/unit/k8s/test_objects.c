// SPDX-License-Identifier: MIT
/* Names of objects, there and back. */
#include "tests/unit/cmocka_all.h"

#include "core/sandbox.h"
#include "k8s/objects.h"

static void every_name_leads_back_to_the_one_it_is_derived_from(void **state)
{
    (void)state;
    struct sandbox sb = {.name = "shop-agentruntime-abc123", .database_name = "shop-agentruntime-db0001", .attempt = 1};
    for (size_t i = 0; i < 4; i++) {
        sb.kinds.workload = i / 2 == 0 ? WORKLOAD_DEPLOYMENT : WORKLOAD_STATEFULSET;
        sb.kinds.route = i % 2 == 0 ? ROUTE_INGRESS : ROUTE_HTTPROUTE;
        for (enum cluster_object object = 0; object < OBJECT_N; object++) {
            char name[OBJECT_NAME_SIZE];
            bool is_database;
            object_name(object, &sb, name);
            if (name[0] == '\0')
                continue;
            const struct object_row *row = object_row(object, &sb.kinds);
            struct str base = object_base(row->kind, str_from(name), &is_database);
            assert_int_equal(is_database, row->is_database);
            assert_true(str_eq_text(base, row->is_database ? sb.database_name : sb.name));
        }
    }
}

static void a_name_that_is_derived_from_none_has_no_base(void **state)
{
    (void)state;
    bool is_database;
    assert_true(str_is_none(object_base(KIND_SERVICE, STR("shop-agentruntime-abc123"), &is_database)));
    assert_true(str_is_none(object_base(KIND_SERVICE, STR("-service"), &is_database)));
    assert_true(str_is_none(object_base(KIND_INGRESS, STR("shop-ingress"), &is_database)));
    assert_true(str_is_none(object_base(KIND_CLAIM, STR("data-shop-0"), &is_database)));
    assert_true(str_is_none(object_base(KIND_POD, STR("shop"), &is_database)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_leads_back_to_the_one_it_is_derived_from),
        cmocka_unit_test(a_name_that_is_derived_from_none_has_no_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
