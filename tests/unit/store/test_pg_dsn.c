// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/pg_dsn.h"

static struct pg_dsn *parse(const char *text, struct err *reterr)
{
    struct secret conninfo = secret_new(str_from(text));
    struct pg_dsn *dsn = pg_dsn_new(&conninfo, "app", reterr);
    secret_fini(&conninfo);
    return dsn;
}

/* The value libpq would use: of equal keywords it takes the last. */
static const char *value_of(struct pg_dsn *dsn, const char *keyword)
{
    static struct pg_dsn_arrays arrays;
    const char *value = NULL;
    pg_dsn_fill(dsn, "-c statement_timeout=5", &arrays);
    for (size_t i = 0; arrays.keywords[i] != NULL; i++) {
        if (strcmp(arrays.keywords[i], keyword) == 0)
            value = arrays.values[i];
    }
    return value;
}

static void names_are_to_be_looked_up_and_addresses_are_not(void **state)
{
    (void)state;
    struct err err = {0};
    struct pg_dsn *dsn = parse("postgresql://u@db.example,10.0.0.1,other.example:5433/d?sslmode=verify-full", &err);
    assert_non_null(dsn);
    size_t i = 0;
    assert_string_equal(pg_dsn_host_to_look_up(dsn, &i), "db.example");
    assert_int_equal(i, 0);
    pg_dsn_set_address(dsn, i++, "192.0.2.1");
    assert_string_equal(pg_dsn_host_to_look_up(dsn, &i), "other.example");
    assert_int_equal(i, 2);
    pg_dsn_set_address(dsn, i++, "2001:db8::1");
    assert_null(pg_dsn_host_to_look_up(dsn, &i));
    assert_string_equal(value_of(dsn, "hostaddr"), "192.0.2.1,10.0.0.1,2001:db8::1");
    assert_string_equal(value_of(dsn, "host"), "db.example,10.0.0.1,other.example");
    assert_string_equal(value_of(dsn, "sslmode"), "verify-full");
    assert_string_equal(value_of(dsn, "client_encoding"), "UTF8");
    assert_string_equal(value_of(dsn, "fallback_application_name"), "app");
    pg_dsn_free(dsn);
}

static void sockets_and_given_addresses_need_no_look_up(void **state)
{
    (void)state;
    static const char *const texts[] = {"host=/run/postgresql dbname=d", "dbname=d",
                                        "host=db.example hostaddr=192.0.2.9", "postgresql:///d?host=/run/x",
                                        "host=@abstract"};
    for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
        struct err err = {0};
        struct pg_dsn *dsn = parse(texts[k], &err);
        size_t i = 0;
        assert_non_null(dsn);
        assert_null(pg_dsn_host_to_look_up(dsn, &i));
        pg_dsn_free(dsn);
    }
}

static void the_originals_url_is_understood(void **state)
{
    (void)state;
    struct err err = {0};
    struct pg_dsn *dsn =
        parse("postgresql://u:p@127.0.0.1:5432/d?schema=app_1&connection_limit=5&sslmode=disable&pgbouncer=true", &err);
    assert_non_null(dsn);
    assert_string_equal(value_of(dsn, "options"), "-c statement_timeout=5 -c search_path=app_1");
    assert_string_equal(value_of(dsn, "sslmode"), "disable");
    pg_dsn_free(dsn);
    dsn = parse("postgresql://u:p@127.0.0.1/d?schema=public", &err);
    assert_string_equal(value_of(dsn, "options"), "-c statement_timeout=5");
    pg_dsn_free(dsn);
    dsn = parse("postgresql://127.0.0.1/d?options=-c%20work_mem%3D1MB", &err);
    assert_string_equal(value_of(dsn, "options"), "-c statement_timeout=5 -c work_mem=1MB");
    pg_dsn_free(dsn);
}

static void what_cannot_be_read_is_refused_without_repeating_it(void **state)
{
    (void)state;
    static const char *const texts[] = {"postgresql://u:hunter2@h/d?schema=a,b",
                                        "postgresql://u:hunter2@h/d?nonsense=1",
                                        "hunter2",
                                        "host=h password='hunter2",
                                        "postgresql://u:hunter2%zz@h/d",
                                        "host=a,b,c,d,e,f,g,h,i password=hunter2"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct err err = {0};
        assert_null(parse(texts[i], &err));
        assert_int_equal(err.kind, ERR_INVALID);
        assert_null(strstr(err.msg, "hunter2"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_to_be_looked_up_and_addresses_are_not),
        cmocka_unit_test(sockets_and_given_addresses_need_no_look_up),
        cmocka_unit_test(the_originals_url_is_understood),
        cmocka_unit_test(what_cannot_be_read_is_refused_without_repeating_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
