// SPDX-License-Identifier: MIT
/* Migrations against a real PostgreSQL. */
#include "tests/wire/store/fixture.h"

#include "store/migrate.h"

struct outcome_of {
    bool is_done;
    unsigned applied_n;
    struct err err;
};

static void on_done(void *arg, unsigned applied_n, const struct err *err)
{
    struct outcome_of *o = arg;
    assert_false(o->is_done);
    o->is_done = true;
    o->applied_n = applied_n;
    err_copy(&o->err, err);
}

static struct outcome_of migrate(struct fixture *f, enum migrate_mode mode)
{
    struct outcome_of o = {0};
    migrate_start(f->loop, &f->conninfo, mode, FIXTURE_MS, on_done, &o);
    assert_false(o.is_done);
    run_until(f, &o.is_done);
    return o;
}

static void an_empty_database_gets_every_migration_once(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, "migrate_empty");
    struct outcome_of o = migrate(&f, MIGRATE_CHECK);
    assert_int_equal(o.err.kind, ERR_NOT_READY);
    assert_string_equal(o.err.reason, "SchemaOlder");
    assert_string_equal(sql_value(&f, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");
    o = migrate(&f, MIGRATE_APPLY);
    assert_int_equal(o.err.kind, ERR_NONE);
    assert_int_equal(o.applied_n, MIGRATIONS_N);
    o = migrate(&f, MIGRATE_APPLY);
    assert_int_equal(o.err.kind, ERR_NONE);
    assert_int_equal(o.applied_n, 0);
    assert_int_equal(migrate(&f, MIGRATE_CHECK).err.kind, ERR_NONE);
    uint64_t noted_n = 0;
    const char *noted = sql_value(&f, "SELECT count(*) FROM schema_migrations WHERE length(checksum) = 64");
    assert_true(str_parse_u64(str_from(noted), 1000, &noted_n));
    assert_int_equal(noted_n, MIGRATIONS_N);
    fixture_fini(&f);
}

static void two_at_once_apply_each_migration_once(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, "migrate_twice");
    struct outcome_of o[2] = {0};
    migrate_start(f.loop, &f.conninfo, MIGRATE_APPLY, FIXTURE_MS, on_done, &o[0]);
    migrate_start(f.loop, &f.conninfo, MIGRATE_APPLY, FIXTURE_MS, on_done, &o[1]);
    run_until(&f, &o[0].is_done);
    run_until(&f, &o[1].is_done);
    assert_int_equal(o[0].err.kind, ERR_NONE);
    assert_int_equal(o[1].err.kind, ERR_NONE);
    assert_int_equal(o[0].applied_n + o[1].applied_n, MIGRATIONS_N);
    fixture_fini(&f);
}

static void a_changed_file_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, "migrate_changed");
    assert_int_equal(migrate(&f, MIGRATE_APPLY).err.kind, ERR_NONE);
    sql(&f, "UPDATE schema_migrations SET checksum = repeat('0', 64) WHERE version = 1");
    struct outcome_of o = migrate(&f, MIGRATE_APPLY);
    assert_int_equal(o.err.kind, ERR_CONFLICT);
    assert_string_equal(o.err.reason, "ChecksumDiffers");
    fixture_fini(&f);
}

static void a_newer_database_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, "migrate_newer");
    assert_int_equal(migrate(&f, MIGRATE_APPLY).err.kind, ERR_NONE);
    sql(&f, "INSERT INTO schema_migrations (version, name, checksum) VALUES (9999, 'future', repeat('0', 64))");
    struct outcome_of o = migrate(&f, MIGRATE_CHECK);
    assert_int_equal(o.err.kind, ERR_CONFLICT);
    assert_string_equal(o.err.reason, "SchemaNewer");
    fixture_fini(&f);
}

static void a_script_that_fails_leaves_nothing_behind(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, "migrate_fails");
    sql(&f, "CREATE TABLE audit (other integer)"); /* stands in the way of the first file's end */
    struct outcome_of o = migrate(&f, MIGRATE_APPLY);
    assert_int_not_equal(o.err.kind, ERR_NONE);
    assert_int_equal(o.applied_n, 0);
    assert_string_equal(sql_value(&f, "SELECT to_regclass('users') IS NULL"), "t");
    assert_string_equal(sql_value(&f, "SELECT count(*) FROM schema_migrations"), "0");
    fixture_fini(&f);
}

static void a_bad_connection_string_is_told_by_the_callback(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, "migrate_bad");
    struct secret bad = secret_new(STR("postgresql://u:p@h/db?nonsense=1"));
    struct outcome_of o = {0};
    migrate_start(f.loop, &bad, MIGRATE_APPLY, FIXTURE_MS, on_done, &o);
    run_until(&f, &o.is_done);
    assert_int_equal(o.err.kind, ERR_INVALID);
    secret_fini(&bad);
    fixture_fini(&f);
}

static void a_cancelled_one_never_calls_back(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, "migrate_cancel");
    struct outcome_of o = {0};
    op_cancel(migrate_start(f.loop, &f.conninfo, MIGRATE_APPLY, FIXTURE_MS, on_done, &o));
    assert_int_equal(migrate(&f, MIGRATE_APPLY).err.kind, ERR_NONE);
    assert_false(o.is_done);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_database_gets_every_migration_once),
        cmocka_unit_test(two_at_once_apply_each_migration_once),
        cmocka_unit_test(a_changed_file_is_refused),
        cmocka_unit_test(a_newer_database_is_refused),
        cmocka_unit_test(a_script_that_fails_leaves_nothing_behind),
        cmocka_unit_test(a_bad_connection_string_is_told_by_the_callback),
        cmocka_unit_test(a_cancelled_one_never_calls_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
