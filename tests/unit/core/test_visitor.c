// SPDX-License-Identifier: MIT
/* What is kept of where somebody came from. */
#include "core/visitor.h"

#include "tests/unit/cmocka_all.h"

static void browsers_are_told_apart_without_versions(void **state)
{
    (void)state;
    static const struct {
        const char *sent;
        const char *kept;
    } cases[] = {
        {"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux" },
        {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 "
         "Safari/537.36 Edg/139.0.0.0",                                   "Edge on Windows"  },
        {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
         "Safari/605.1.15",                                               "Safari on macOS"  },
        {"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Mobile "
         "Safari/537.36",                                                 "Chrome on Android"},
        {"curl/8.14.1",                                                            "curl"             },
        {"<script>alert(1)</script>",                                              ""                 },
        {"",                                                                       ""                 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char kept[VISITOR_AGENT_SIZE];
        visitor_agent(str_from(cases[i].sent), kept);
        assert_string_equal(kept, cases[i].kept);
    }
    char kept[VISITOR_AGENT_SIZE];
    visitor_agent(STR_NONE, kept);
    assert_string_equal(kept, "");
}

static void addresses_are_cut_to_their_network(void **state)
{
    (void)state;
    static const struct {
        const char *sent;
        const char *kept;
    } cases[] = {
        {"192.0.2.77",                              "192.0.2.0/24"       },
        {"::ffff:192.0.2.77",                       "192.0.2.0/24"       },
        {"2001:db8:1:2:3:4:5:6",                    "2001:db8:1::/48"    },
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff::/48"},
        {"unix",                                    ""                   },
        {"192.0.2.77.1",                            ""                   },
        {"",                                        ""                   },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char kept[VISITOR_ADDRESS_SIZE];
        visitor_address(str_from(cases[i].sent), kept);
        assert_string_equal(kept, cases[i].kept);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(browsers_are_told_apart_without_versions),
        cmocka_unit_test(addresses_are_cut_to_their_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
