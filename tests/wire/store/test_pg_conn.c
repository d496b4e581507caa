// SPDX-License-Identifier: MIT
/* One connection against a real PostgreSQL: values, errors, deadlines, loss, notifications. */
#include "tests/wire/store/fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/arena.h"

struct reply {
    bool is_done;
    int order; /* the how-manieth answer of the test */
    struct err err;
    char text[256];
    int64_t number;
    bool is_null;
};

static int answered_n;

static void on_reply(void *arg, const struct pg_result *result, const struct err *err)
{
    struct reply *r = arg;
    assert_false(r->is_done);
    r->is_done = true;
    r->order = ++answered_n;
    err_copy(&r->err, err);
    if (err != NULL)
        return;
    r->is_null = pg_row_is_null(result, 0, 0);
    r->number = pg_row_int(result, 0, 0, -12345);
    (void)!str_copy(pg_row_str(result, 0, 0), r->text, sizeof(r->text));
}

static struct pg_connection *connect_with(struct fixture *f, struct pg_conn_config config)
{
    struct err err = {0};
    config.conninfo = config.conninfo != NULL ? config.conninfo : &f->conninfo;
    struct pg_connection *c = pg_conn_new(f->loop, &config, &err);
    if (c == NULL)
        fail_msg("%s", err.msg);
    return c;
}

static struct pg_connection *connect_plain(struct fixture *f)
{
    return connect_with(f, (struct pg_conn_config){0});
}

static int setup(void **state)
{
    static struct fixture f;
    fixture_init(&f, "pg_conn");
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture_fini(*state);
    return 0;
}

static void values_go_there_and_back(void **state)
{
    struct fixture *f = *state;
    struct pg_connection *c = connect_plain(f);
    const char bytes[] = "\0\xff\\x'\"";
    const struct str texts[] = {STR("plain"), STR("q\"uo\\te,{}"), STR_NONE, STR(""), STR("NULL"), STR("h\xc3\xa4")};
    const struct str boxes[] = {
        {bytes, 6},
        STR("")
    };
    const int64_t ints[] = {INT64_MIN, 0, INT64_MAX};
    struct pg_params *p = pg_params_new();
    pg_add_str(p, STR("it's"));
    pg_add_int(p, INT64_MIN);
    pg_add_bool(p, true);
    pg_add_bytea(p, (struct str){bytes, 6});
    pg_add_null(p);
    pg_add_texts(p, texts, 6);
    pg_add_ints(p, ints, 3);
    pg_add_byteas(p, boxes, 2);
    struct reply r = {0};
    pg_conn_query(c,
                  "SELECT concat_ws('|', $1::text, $2::bigint, $3::boolean, encode($4::bytea, 'hex'), "
                  "($5::text IS NULL), array_to_string($6::text[], ';', '~'), array_to_string($7::bigint[], ';'), "
                  "encode(($8::bytea[])[1], 'hex'), length(($8::bytea[])[2]))",
                  p, FIXTURE_MS, on_reply, &r);
    run_until(f, &r.is_done);
    assert_string_equal(r.err.msg, "");
    assert_string_equal(r.text, "it's|-9223372036854775808|t|00ff5c782722|t|plain;q\"uo\\te,{};~;;NULL;h\xc3\xa4|"
                                "-9223372036854775808;0;9223372036854775807|00ff5c782722|0");
    pg_conn_free(c);
}

static void on_bytes(void *arg, const struct pg_result *result, const struct err *err)
{
    struct reply *r = arg;
    struct arena *a = arena_new();
    struct str bytes;
    r->is_done = true;
    assert_null(err);
    assert_int_equal(pg_row_column(result, "b"), 1);
    assert_int_equal(pg_row_column(result, "nothing"), -1);
    assert_true(pg_row_bytea(result, 0, 1, a, &bytes, &r->err));
    assert_true(str_eq(bytes, (struct str){"\0\x01\xfe", 3}));
    assert_false(pg_row_bytea(result, 0, 0, a, &bytes, &r->err));
    assert_true(pg_row_bytea(result, 0, 2, a, &bytes, &r->err));
    assert_true(str_is_none(bytes));
    assert_int_equal(pg_row_int(result, 0, 3, 0), INT64_MIN);
    assert_int_equal(pg_row_int(result, 0, 0, 7), 7);
    assert_int_equal(pg_row_count(result), 1);
    assert_true(pg_row_is_null(result, 1, 0));
    char small[3];
    assert_false(pg_row_copy(result, 0, 0, small, sizeof(small), &r->err));
    arena_free(a);
}

static void columns_are_read_as_their_types(void **state)
{
    struct fixture *f = *state;
    struct pg_connection *c = connect_plain(f);
    struct reply r = {0};
    pg_conn_query(c, "SELECT 'text' AS a, '\\x0001fe'::bytea AS b, NULL::bytea AS c, (-9223372036854775808)::bigint",
                  NULL, FIXTURE_MS, on_bytes, &r);
    run_until(f, &r.is_done);
    pg_conn_free(c);
}

static void an_error_leaves_its_neighbours_in_the_pipeline_alone(void **state)
{
    struct fixture *f = *state;
    struct pg_connection *c = connect_plain(f);
    struct reply r[5] = {0};
    answered_n = 0;
    pg_conn_query(c, "SELECT 1", NULL, FIXTURE_MS, on_reply, &r[0]);
    pg_conn_query(c, "SELECT 1 / 0", NULL, FIXTURE_MS, on_reply, &r[1]);
    pg_conn_query(c, "SELECT nonsense(", NULL, FIXTURE_MS, on_reply, &r[2]);
    pg_conn_query(c, "SELECT 1", NULL, FIXTURE_MS, on_reply, &r[3]);
    pg_conn_query_once(c, "SELECT 5", NULL, FIXTURE_MS, on_reply, &r[4]);
    run_until(f, &r[4].is_done);
    for (int i = 0; i < 5; i++)
        assert_int_equal(r[i].order, i + 1);
    assert_int_equal(r[0].number, 1);
    assert_int_equal(r[1].err.kind, ERR_INVALID);
    assert_string_equal(r[1].err.reason, "22012");
    assert_int_equal(r[2].err.kind, ERR_BUG);
    assert_int_equal(r[3].number, 1);
    assert_int_equal(r[4].number, 5);
    /* A statement that could not be prepared is prepared again, not believed. */
    struct reply again = {0};
    pg_conn_query(c, "SELECT nonsense(", NULL, FIXTURE_MS, on_reply, &again);
    run_until(f, &again.is_done);
    assert_int_equal(again.err.kind, ERR_BUG);
    assert_true(pg_conn_is_up(c));
    assert_int_equal(pg_conn_in_flight_n(c), 0);
    pg_conn_free(c);
}

static void a_deadline_is_told_at_once_and_the_connection_goes_on(void **state)
{
    struct fixture *f = *state;
    struct pg_connection *c = connect_plain(f);
    struct reply slow = {0};
    struct reply next = {0};
    struct reply first = {0};
    pg_conn_query(c, "SELECT 0", NULL, FIXTURE_MS, on_reply, &first);
    run_until(f, &first.is_done);
    pg_conn_query(c, "SELECT pg_sleep(0.5)", NULL, 50, on_reply, &slow);
    pg_conn_query(c, "SELECT 2", NULL, FIXTURE_MS, on_reply, &next);
    run_until(f, &slow.is_done);
    assert_int_equal(slow.err.kind, ERR_TIMEOUT);
    assert_false(next.is_done);
    assert_int_equal(pg_conn_in_flight_n(c), 2);
    run_until(f, &next.is_done);
    assert_int_equal(next.number, 2);
    assert_int_equal(pg_conn_in_flight_n(c), 0);
    pg_conn_free(c);
}

static void a_cancelled_statement_never_calls_back(void **state)
{
    struct fixture *f = *state;
    struct pg_connection *c = connect_plain(f);
    struct reply waiting = {0};
    struct reply sent = {0};
    struct reply last = {0};
    op_cancel(pg_conn_query(c, "SELECT 1", NULL, FIXTURE_MS, on_reply, &waiting));
    pg_conn_query(c, "SELECT 2", NULL, FIXTURE_MS, on_reply, &last);
    run_until(f, &last.is_done);
    last = (struct reply){0};
    op_cancel(pg_conn_query(c, "SELECT 3", NULL, FIXTURE_MS, on_reply, &sent));
    pg_conn_query(c, "SELECT 4", NULL, FIXTURE_MS, on_reply, &last);
    run_until(f, &last.is_done);
    assert_int_equal(last.number, 4);
    assert_false(waiting.is_done);
    assert_false(sent.is_done);
    pg_conn_free(c);
}

static void a_script_is_one_transaction(void **state)
{
    struct fixture *f = *state;
    struct pg_connection *c = connect_plain(f);
    struct reply before = {0};
    struct reply bad = {0};
    struct reply good = {0};
    struct reply after = {0};
    pg_conn_query(c, "SELECT 1", NULL, FIXTURE_MS, on_reply, &before);
    pg_conn_script(c, "CREATE TABLE script_bad (i integer); SELECT 1 / 0; SELECT 3", FIXTURE_MS, on_reply, &bad);
    pg_conn_script(c, "CREATE TABLE script_good (i integer); SELECT 3", FIXTURE_MS, on_reply, &good);
    pg_conn_query(c, "SELECT to_regclass('script_bad') IS NULL AND to_regclass('script_good') IS NOT NULL", NULL,
                  FIXTURE_MS, on_reply, &after);
    run_until(f, &after.is_done);
    assert_int_equal(before.number, 1);
    assert_int_equal(bad.err.kind, ERR_INVALID);
    assert_int_equal(good.number, 3);
    assert_string_equal(after.text, "t");
    pg_conn_free(c);
}

static void parameters_that_cannot_be_sent_are_refused(void **state)
{
    struct fixture *f = *state;
    struct pg_connection *c = connect_plain(f);
    struct reply nul = {0};
    struct reply many = {0};
    struct reply utf8 = {0};
    struct pg_params *p = pg_params_new();
    pg_add_str(p, (struct str){"a\0b", 3});
    pg_conn_query(c, "SELECT $1::text", p, FIXTURE_MS, on_reply, &nul);
    p = pg_params_new();
    for (int i = 0; i <= PG_PARAMS_MAX; i++)
        pg_add_int(p, i);
    pg_conn_query(c, "SELECT $1::text", p, FIXTURE_MS, on_reply, &many);
    p = pg_params_new();
    pg_add_text(p, "\xff");
    pg_conn_query(c, "SELECT $1::text", p, FIXTURE_MS, on_reply, &utf8);
    assert_false(nul.is_done || many.is_done);
    run_until(f, &utf8.is_done);
    run_until(f, &many.is_done);
    assert_int_equal(nul.err.kind, ERR_INVALID);
    assert_int_equal(many.err.kind, ERR_BUG);
    assert_int_equal(utf8.err.kind, ERR_INVALID);
    pg_conn_free(c);
}

struct heard {
    int n;
    bool has_two;
    char channel[32];
    char payload[32];
};

static void on_notify(void *arg, struct str channel, struct str payload)
{
    struct heard *h = arg;
    h->n++;
    h->has_two = h->n == 2;
    (void)!str_copy(channel, h->channel, sizeof(h->channel));
    (void)!str_copy(payload, h->payload, sizeof(h->payload));
}

static void kill_backends(struct fixture *f, const char *application_name)
{
    struct arena *a = arena_new();
    struct str name;
    struct err err = {0};
    assert_true(pg_quote_literal(a, str_from(application_name), &name, &err));
    sql(f, arena_printf(a, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %.*s",
                        STR_ARG(name)));
    arena_free(a);
}

static bool is_up(void *c)
{
    return pg_conn_is_up(c);
}

static bool is_down(void *c)
{
    return !pg_conn_is_up(c);
}

static void notifications_arrive_also_after_a_loss(void **state)
{
    struct fixture *f = *state;
    struct heard heard = {0};
    struct pg_connection *c = connect_with(
        f, (struct pg_conn_config){
               .application_name = "ears", .listen_channel = "a \"channel\"", .on_notify = on_notify, .arg = &heard});
    struct reply r = {0};
    pg_conn_query(c, "SELECT 1", NULL, FIXTURE_MS, on_reply, &r);
    run_until(f, &r.is_done);
    sql(f, "SELECT pg_notify('a \"channel\"', 'one')");
    bool is_first = false;
    while (!is_first) {
        run_for(f, 5);
        is_first = heard.n == 1;
    }
    assert_string_equal(heard.payload, "one");
    assert_string_equal(heard.channel, "a \"channel\"");
    kill_backends(f, "ears");
    run_until_true(f, is_down, c);
    r = (struct reply){0};
    pg_conn_query(c, "SELECT 1", NULL, FIXTURE_MS, on_reply, &r);
    run_until(f, &r.is_done);
    sql(f, "SELECT pg_notify('a \"channel\"', 'two')");
    run_until(f, &heard.has_two);
    assert_string_equal(heard.payload, "two");
    pg_conn_free(c);
}

static void what_was_sent_fails_when_the_backend_dies_and_the_rest_waits(void **state)
{
    struct fixture *f = *state;
    struct pg_connection *c = connect_with(f, (struct pg_conn_config){.application_name = "victim"});
    struct reply pid = {0};
    pg_conn_query(c, "SELECT pg_backend_pid()", NULL, FIXTURE_MS, on_reply, &pid);
    run_until(f, &pid.is_done);
    struct reply sent = {0};
    pg_conn_query(c, "SELECT pg_sleep(30)", NULL, FIXTURE_MS, on_reply, &sent);
    run_for(f, 20);
    kill_backends(f, "victim");
    run_until(f, &sent.is_done);
    assert_int_equal(sent.err.kind, ERR_NOT_READY);
    struct reply next = {0};
    pg_conn_query(c, "SELECT 7", NULL, FIXTURE_MS, on_reply, &next);
    run_until(f, &next.is_done);
    assert_int_equal(next.number, 7);
    pg_conn_free(c);
}

struct states {
    int up_n;
    int down_n;
    struct err err;
    bool is_down;
    struct pg_connection *to_free;
};

static void on_state(void *arg, bool is_up_now, const struct err *err)
{
    struct states *s = arg;
    s->up_n += is_up_now ? 1 : 0;
    s->down_n += is_up_now ? 0 : 1;
    s->is_down = !is_up_now;
    if (err != NULL)
        err_copy(&s->err, err);
    pg_conn_free(s->to_free);
    s->to_free = NULL;
}

static void a_single_try_fails_and_stays_down(void **state)
{
    struct fixture *f = *state;
    struct arena *a = arena_new();
    struct secret wrong =
        secret_new(str_from(arena_printf(a, "%.*s dbname=not_there", STR_ARG(secret_reveal(&f->conninfo)))));
    struct states states = {0};
    struct pg_connection *c = connect_with(
        f, (struct pg_conn_config){.conninfo = &wrong, .is_single_try = true, .on_state = on_state, .arg = &states});
    struct reply early = {0};
    struct reply late = {0};
    pg_conn_query(c, "SELECT 1", NULL, FIXTURE_MS, on_reply, &early);
    run_until(f, &early.is_done);
    assert_int_equal(early.err.kind, ERR_NOT_READY);
    assert_non_null(strstr(early.err.msg, "not_there"));
    assert_null(strchr(early.err.msg, '\n'));
    pg_conn_query(c, "SELECT 1", NULL, FIXTURE_MS, on_reply, &late);
    assert_false(late.is_done);
    run_until(f, &late.is_done);
    assert_int_equal(late.err.kind, ERR_NOT_READY);
    assert_int_equal(states.down_n, 1);
    assert_int_equal(states.up_n, 0);
    pg_conn_free(c);
    secret_fini(&wrong);
    arena_free(a);
}

static void it_may_be_freed_from_its_own_callbacks(void **state)
{
    struct fixture *f = *state;
    struct states states = {0};
    struct pg_connection *c = connect_with(f, (struct pg_conn_config){.on_state = on_state, .arg = &states});
    struct reply dropped = {0};
    states.to_free = c;
    pg_conn_query(c, "SELECT 1", NULL, FIXTURE_MS, on_reply, &dropped);
    run_for(f, 100);
    assert_int_equal(states.up_n, 1);
    assert_false(dropped.is_done);
}

static void a_server_that_stops_speaking_is_left(void **state)
{
    struct fixture *f = *state;
    struct states states = {0};
    struct pg_connection *c =
        connect_with(f, (struct pg_conn_config){.silence_timeout_ms = 200, .on_state = on_state, .arg = &states});
    struct reply pid = {0};
    pg_conn_query(c, "SELECT pg_backend_pid()", NULL, FIXTURE_MS, on_reply, &pid);
    run_until(f, &pid.is_done);
    assert_int_equal(kill((pid_t)pid.number, SIGSTOP), 0);
    struct reply r = {0};
    pg_conn_query(c, "SELECT 1", NULL, FIXTURE_MS, on_reply, &r);
    run_until(f, &r.is_done);
    assert_int_equal(r.err.kind, ERR_NOT_READY);
    assert_int_equal(kill((pid_t)pid.number, SIGCONT), 0);
    run_until_true(f, is_up, c);
    assert_int_equal(states.up_n, 2);
    pg_conn_free(c);
}

static void a_table_that_changed_under_a_prepared_statement_heals(void **state)
{
    struct fixture *f = *state;
    struct pg_connection *c = connect_plain(f);
    static const char select[] = "SELECT * FROM changing";
    struct reply r = {0};
    sql(f, "CREATE TABLE changing (a integer)");
    pg_conn_query(c, select, NULL, FIXTURE_MS, on_reply, &r);
    run_until(f, &r.is_done);
    sql(f, "ALTER TABLE changing ADD COLUMN b integer");
    r = (struct reply){0};
    pg_conn_query(c, select, NULL, FIXTURE_MS, on_reply, &r);
    run_until(f, &r.is_done);
    r = (struct reply){0};
    pg_conn_query(c, select, NULL, FIXTURE_MS, on_reply, &r);
    run_until(f, &r.is_done);
    assert_int_equal(r.err.kind, ERR_NONE);
    pg_conn_free(c);
}

static void host_names_are_looked_up_and_prisma_parameters_dropped(void **state)
{
    struct fixture *f = *state;
    struct arena *a = arena_new();
    sql(f, "DROP ROLE IF EXISTS guest");
    sql(f, "CREATE ROLE guest LOGIN PASSWORD 'p@ss:word/?'");
    sql(f, "CREATE SCHEMA IF NOT EXISTS inner_schema AUTHORIZATION guest");
    struct secret url = secret_new(
        str_from(arena_printf(a,
                              "postgresql://guest:p%%40ss%%3Aword%%2F%%3F@localhost:%s/pg_conn?schema=inner_schema&"
                              "connection_limit=5&connect_timeout=10",
                              getenv("FS_PG_PORT"))));
    struct pg_connection *c = connect_with(f, (struct pg_conn_config){.conninfo = &url, .is_single_try = true});
    struct reply r = {0};
    pg_conn_query(c, "SELECT current_user || ' ' || current_schema", NULL, FIXTURE_MS, on_reply, &r);
    run_until(f, &r.is_done);
    assert_string_equal(r.err.msg, "");
    assert_string_equal(r.text, "guest inner_schema");
    pg_conn_free(c);
    secret_fini(&url);
    arena_free(a);
}

static void quoting_survives_the_server(void **state)
{
    struct fixture *f = *state;
    struct arena *a = arena_new();
    const char *nasty = "a'b\"c\\d\\'e; DROP TABLE x --\n\xc3\xa9";
    struct str literal;
    struct str identifier;
    struct err err = {0};
    assert_true(pg_quote_literal(a, str_from(nasty), &literal, &err));
    assert_true(pg_quote_identifier(a, str_from(nasty), &identifier, &err));
    assert_string_equal(sql_value(f, arena_printf(a, "SELECT%.*s", STR_ARG(literal))), nasty);
    sql(f, arena_printf(a, "CREATE TABLE %.*s (i integer)", STR_ARG(identifier)));
    assert_string_equal(
        sql_value(f, arena_printf(a, "SELECT count(*) FROM pg_class WHERE relname =%.*s", STR_ARG(literal))), "1");
    assert_false(pg_quote_identifier(a, STR(""), &identifier, &err));
    assert_false(pg_quote_literal(a, STR("\xff"), &literal, &err));
    arena_free(a);
}

static void many_wait_and_one_more_is_refused(void **state)
{
    struct fixture *f = *state;
    struct arena *a = arena_new();
    struct secret nowhere = secret_new(STR("host=/nonexistent dbname=x user=x"));
    struct pg_connection *c = connect_with(f, (struct pg_conn_config){.conninfo = &nowhere});
    struct reply *r = arena_alloc(a, 1025 * sizeof(*r));
    for (int i = 0; i < 1025; i++)
        pg_conn_query(c, "SELECT 1", NULL, 300, on_reply, &r[i]);
    run_until(f, &r[1024].is_done);
    assert_int_equal(r[1024].err.kind, ERR_NOT_READY);
    assert_false(r[0].is_done);
    run_until(f, &r[0].is_done);
    assert_int_equal(r[0].err.kind, ERR_NOT_READY);
    run_until(f, &r[1023].is_done);
    pg_conn_free(c);
    secret_fini(&nowhere);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_go_there_and_back),
        cmocka_unit_test(columns_are_read_as_their_types),
        cmocka_unit_test(an_error_leaves_its_neighbours_in_the_pipeline_alone),
        cmocka_unit_test(a_deadline_is_told_at_once_and_the_connection_goes_on),
        cmocka_unit_test(a_cancelled_statement_never_calls_back),
        cmocka_unit_test(a_script_is_one_transaction),
        cmocka_unit_test(parameters_that_cannot_be_sent_are_refused),
        cmocka_unit_test(notifications_arrive_also_after_a_loss),
        cmocka_unit_test(what_was_sent_fails_when_the_backend_dies_and_the_rest_waits),
        cmocka_unit_test(a_single_try_fails_and_stays_down),
        cmocka_unit_test(it_may_be_freed_from_its_own_callbacks),
        cmocka_unit_test(a_server_that_stops_speaking_is_left),
        cmocka_unit_test(a_table_that_changed_under_a_prepared_statement_heals),
        cmocka_unit_test(host_names_are_looked_up_and_prisma_parameters_dropped),
        cmocka_unit_test(quoting_survives_the_server),
        cmocka_unit_test(many_wait_and_one_more_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
