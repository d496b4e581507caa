// SPDX-License-Identifier: MIT
/* cmocka with the headers it wants before it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A struct str against a literal. */
#define assert_str(s, text)                                                                                            \
    do {                                                                                                               \
        struct str private_s = (s);                                                                                    \
        assert_non_null(private_s.p);                                                                                  \
        assert_int_equal(private_s.n, strlen(text));                                                                   \
        assert_memory_equal(private_s.p, (text), private_s.n);                                                         \
    } while (0)
