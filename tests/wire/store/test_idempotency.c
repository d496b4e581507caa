// SPDX-License-Identifier: MIT
/* Idempotency keys in PostgreSQL: who may run a request, what is answered later, what is forgotten. */
#include "tests/wire/store/world.h"

#include <string.h>

#include "core/base/arena.h"

enum { VALID_MS = 86400000, HOLD_MS = 60000, KEYS_MAX = 3, RACERS = 12 };

struct begun {
    bool is_done;
    struct err err;
    enum idempotency_verdict verdict;
    char operation_id[ID_SIZE];
    int64_t fence;
    int status;
    char content_type[40];
    char fields[80];
    bool has_body;
    char body[80];
};

static int setup(void **state)
{
    static struct fixture f;
    fixture_init(&f, "idempotency");
    fixture_open_store(&f, NULL);
    sql(&f, "INSERT INTO users (id, name) VALUES ('u-1', 'One'), ('u-2', 'Two'), ('u-3', 'Three')");
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture_fini(*state);
    return 0;
}

static void copy(struct str text, char *ret, size_t size)
{
    assert_true(str_copy(text, ret, size));
}

static void on_begun(void *arg, const struct idempotency_found *found, const struct err *err)
{
    struct begun *b = arg;
    b->is_done = true;
    err_copy(&b->err, err);
    if (err != NULL)
        return;
    b->verdict = found->verdict;
    b->fence = found->fence;
    copy(str_from(found->operation_id), b->operation_id, sizeof(b->operation_id));
    b->status = found->answer.status;
    copy(found->answer.content_type, b->content_type, sizeof(b->content_type));
    copy(found->answer.fields, b->fields, sizeof(b->fields));
    b->has_body = !str_is_none(found->answer.body);
    copy(found->answer.body, b->body, sizeof(b->body));
}

static void begin_start(const struct port_store *port, const char *owner, const char *scope, const char *key,
                        const char *fingerprint, struct begun *ret)
{
    const struct idempotent_request request = {.owner_id = owner,
                                               .scope = str_from(scope),
                                               .key = str_from(key),
                                               .fingerprint = str_from(fingerprint),
                                               .hold_ms = HOLD_MS,
                                               .valid_ms = VALID_MS,
                                               .keys_max = KEYS_MAX};
    *ret = (struct begun){0};
    port->idempotency_begin(port->self, &request, FIXTURE_MS, on_begun, ret);
}

static struct begun begin(struct fixture *f, const char *owner, const char *scope, const char *key,
                          const char *fingerprint)
{
    struct begun b;
    begin_start(f->port, owner, scope, key, fingerprint, &b);
    run_until(f, &b.is_done);
    assert_int_equal(b.err.kind, ERR_NONE);
    return b;
}

static void end(struct fixture *f, const struct begun *b, const struct idempotent_answer *answer)
{
    struct answer a = {0};
    f->port->idempotency_end(f->port->self, b->operation_id, b->fence, answer, FIXTURE_MS, on_answer, &a);
    expect_ok(f, &a);
}

static struct idempotent_answer created(struct str body)
{
    return (struct idempotent_answer){201, STR("application/json"), STR("Location: /x\n"), body};
}

static void on_count(void *arg, size_t n, const struct err *err)
{
    struct begun *b = arg;
    b->is_done = true;
    err_copy(&b->err, err);
    b->fence = (int64_t)n;
}

static int clean(struct fixture *f, unsigned max)
{
    struct begun b = {0};
    f->port->idempotency_clean(f->port->self, max, FIXTURE_MS, on_count, &b);
    run_until(f, &b.is_done);
    assert_int_equal(b.err.kind, ERR_NONE);
    return (int)b.fence;
}

static void the_first_runs_others_wait_and_then_get_its_answer(void **state)
{
    struct fixture *f = *state;
    struct begun first = begin(f, "u-1", "POST /a", "k", "body");
    assert_int_equal(first.verdict, IDEMPOTENCY_RUN);
    assert_int_equal(first.fence, 1);
    assert_true(codec_is_uuid(str_from(first.operation_id)));
    assert_int_equal(begin(f, "u-1", "POST /a", "k", "body").verdict, IDEMPOTENCY_BUSY);
    assert_int_equal(begin(f, "u-1", "POST /a", "k", "other").verdict, IDEMPOTENCY_OTHER);
    const struct idempotent_answer answer = created(STR("{\"secret\":\"swordfish\"}"));
    end(f, &first, &answer);
    struct begun again = begin(f, "u-1", "POST /a", "k", "body");
    assert_int_equal(again.verdict, IDEMPOTENCY_ANSWERED);
    assert_int_equal(again.status, 201);
    assert_string_equal(again.content_type, "application/json");
    assert_string_equal(again.fields, "Location: /x\n");
    assert_string_equal(again.body, "{\"secret\":\"swordfish\"}");
    assert_int_equal(begin(f, "u-1", "POST /a", "k", "other").verdict, IDEMPOTENCY_OTHER);
    assert_string_equal(
        sql_value(f, "SELECT count(*) FROM idempotency WHERE position('swordfish'::bytea in body_box) > 0"), "0");
}

static void keys_belong_to_a_user_and_to_a_path(void **state)
{
    struct fixture *f = *state;
    struct begun mine = begin(f, "u-1", "POST /b", "same", "body");
    struct begun other_path = begin(f, "u-1", "POST /c", "same", "other");
    struct begun other_user = begin(f, "u-2", "POST /b", "same", "other");
    assert_int_equal(mine.verdict, IDEMPOTENCY_RUN);
    assert_int_equal(other_path.verdict, IDEMPOTENCY_RUN);
    assert_int_equal(other_user.verdict, IDEMPOTENCY_RUN);
    assert_string_not_equal(mine.operation_id, other_path.operation_id);
    sql(f, "DELETE FROM idempotency");
}

static void an_empty_answer_is_kept_and_one_that_is_not_is_told_apart(void **state)
{
    struct fixture *f = *state;
    struct begun a = begin(f, "u-1", "POST /d", "empty", "body");
    struct begun b = begin(f, "u-1", "POST /d", "private", "body");
    const struct idempotent_answer empty = {204, STR_NONE, STR(""), STR("")};
    const struct idempotent_answer hidden = {200, STR_NONE, STR(""), STR_NONE};
    end(f, &a, &empty);
    end(f, &b, &hidden);
    struct begun found = begin(f, "u-1", "POST /d", "empty", "body");
    assert_true(found.has_body);
    assert_int_equal(found.status, 204);
    found = begin(f, "u-1", "POST /d", "private", "body");
    assert_int_equal(found.verdict, IDEMPOTENCY_ANSWERED);
    assert_false(found.has_body);
    sql(f, "DELETE FROM idempotency");
}

static void what_is_given_back_runs_again_as_the_same_operation(void **state)
{
    struct fixture *f = *state;
    struct begun first = begin(f, "u-1", "POST /e", "k", "body");
    end(f, &first, NULL);
    assert_int_equal(begin(f, "u-1", "POST /e", "k", "other").verdict, IDEMPOTENCY_OTHER);
    struct begun second = begin(f, "u-1", "POST /e", "k", "body");
    assert_int_equal(second.verdict, IDEMPOTENCY_RUN);
    assert_string_equal(second.operation_id, first.operation_id);
    assert_int_equal(second.fence, 2);
    sql(f, "DELETE FROM idempotency");
}

static void a_run_that_is_not_heard_of_is_over_and_cannot_write_any_more(void **state)
{
    struct fixture *f = *state;
    struct begun dead = begin(f, "u-1", "POST /f", "k", "body");
    sql(f, "UPDATE idempotency SET held_until = now()");
    struct begun next = begin(f, "u-1", "POST /f", "k", "body");
    assert_int_equal(next.verdict, IDEMPOTENCY_RUN);
    assert_string_equal(next.operation_id, dead.operation_id);
    const struct idempotent_answer late = created(STR("late"));
    end(f, &dead, &late);
    assert_int_equal(begin(f, "u-1", "POST /f", "k", "body").verdict, IDEMPOTENCY_BUSY);
    end(f, &dead, NULL);
    assert_int_equal(begin(f, "u-1", "POST /f", "k", "body").verdict, IDEMPOTENCY_BUSY);
    const struct idempotent_answer answer = created(STR("good"));
    end(f, &next, &answer);
    assert_string_equal(begin(f, "u-1", "POST /f", "k", "body").body, "good");
    sql(f, "DELETE FROM idempotency");
}

static void the_hold_of_a_dead_replica_is_over(void **state)
{
    struct fixture *f = *state;
    struct store *other = fixture_another_store(f, "r2", NULL);
    struct begun b;
    struct begun dead = begin(f, "u-1", "POST /k", "k", "body"); /* before its first word */
    begin_start(store_port(other), "u-1", "POST /k", "k", "body", &b);
    run_until(f, &b.is_done);
    assert_int_equal(b.verdict, IDEMPOTENCY_BUSY);
    world_renew(f, f->port, FIXTURE_MS);
    begin_start(store_port(other), "u-1", "POST /k", "k", "body", &b);
    run_until(f, &b.is_done);
    assert_int_equal(b.verdict, IDEMPOTENCY_BUSY);
    sql(f, "UPDATE replicas SET lease_until = now() WHERE id = 'r1'");
    begin_start(store_port(other), "u-1", "POST /k", "k", "body", &b);
    run_until(f, &b.is_done);
    assert_int_equal(b.verdict, IDEMPOTENCY_RUN);
    assert_string_equal(b.operation_id, dead.operation_id);
    assert_int_equal(b.fence, dead.fence + 1);
    assert_int_equal(begin(f, "u-1", "POST /k", "k", "body").verdict, IDEMPOTENCY_BUSY); /* r2 has not said a word */
    store_close(other);
    sql(f, "DELETE FROM idempotency");
    sql(f, "DELETE FROM replicas");
}

static void two_replicas_agree_on_one(void **state)
{
    struct fixture *f = *state;
    struct store *other = fixture_another_store(f, "r2", NULL);
    struct begun racers[RACERS];
    int runs_n = 0;
    for (size_t i = 0; i < RACERS; i++)
        begin_start(i % 2 == 0 ? f->port : store_port(other), "u-1", "POST /g", "k", "body", &racers[i]);
    for (size_t i = 0; i < RACERS; i++) {
        run_until(f, &racers[i].is_done);
        assert_int_equal(racers[i].err.kind, ERR_NONE);
        assert_true(racers[i].verdict == IDEMPOTENCY_RUN || racers[i].verdict == IDEMPOTENCY_BUSY);
        runs_n += racers[i].verdict == IDEMPOTENCY_RUN;
        assert_string_equal(racers[i].operation_id, racers[0].operation_id);
    }
    assert_int_equal(runs_n, 1);
    store_close(other);
    sql(f, "DELETE FROM idempotency");
}

/* Neither has found a row, both are about to make it. */
static void two_in_the_same_moment_agree_on_one(void **state)
{
    struct fixture *f = *state;
    struct store *other = fixture_another_store(f, "r2", NULL);
    struct pg_connection *holder = hold(f, "LOCK TABLE idempotency IN SHARE MODE");
    struct begun first;
    struct begun second;
    begin_start(f->port, "u-1", "POST /j", "k", "body", &first);
    begin_start(store_port(other), "u-1", "POST /j", "k", "body", &second);
    run_until_waiting(f, 2);
    hold_end(f, holder);
    run_until(f, &first.is_done);
    run_until(f, &second.is_done);
    assert_int_equal(first.err.kind, ERR_NONE);
    assert_int_equal(second.err.kind, ERR_NONE);
    assert_true((first.verdict == IDEMPOTENCY_RUN) != (second.verdict == IDEMPOTENCY_RUN));
    assert_true((first.verdict == IDEMPOTENCY_BUSY) != (second.verdict == IDEMPOTENCY_BUSY));
    assert_string_equal(first.operation_id, second.operation_id);
    store_close(other);
    sql(f, "DELETE FROM idempotency");
}

static void a_user_has_so_many_keys_and_no_more(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(begin(f, "u-3", "POST /h", "1", "body").verdict, IDEMPOTENCY_RUN);
    assert_int_equal(begin(f, "u-3", "POST /h", "2", "body").verdict, IDEMPOTENCY_RUN);
    assert_int_equal(begin(f, "u-3", "POST /h", "3", "body").verdict, IDEMPOTENCY_RUN);
    assert_int_equal(begin(f, "u-3", "POST /h", "4", "body").verdict, IDEMPOTENCY_MANY);
    assert_int_equal(begin(f, "u-3", "POST /h", "3", "body").verdict, IDEMPOTENCY_BUSY);
    assert_int_equal(begin(f, "u-1", "POST /h", "4", "body").verdict, IDEMPOTENCY_RUN);
    assert_string_equal(sql_value(f, "SELECT count(*) FROM idempotency"), "4");
    sql(f, "DELETE FROM idempotency");
}

static void what_is_over_is_new_again_and_removed_in_pieces(void **state)
{
    struct fixture *f = *state;
    const struct idempotent_answer answer = created(STR("old"));
    struct begun old = begin(f, "u-1", "POST /i", "1", "body");
    end(f, &old, &answer);
    sql(f, "UPDATE idempotency SET valid_until = now()");
    struct begun fresh = begin(f, "u-1", "POST /i", "1", "other");
    assert_int_equal(fresh.verdict, IDEMPOTENCY_RUN);
    assert_string_not_equal(fresh.operation_id, old.operation_id);
    end(f, &old, &answer); /* of a row that is another operation's by now */
    assert_int_equal(begin(f, "u-1", "POST /i", "1", "other").verdict, IDEMPOTENCY_BUSY);
    begin(f, "u-1", "POST /i", "2", "body");
    begin(f, "u-2", "POST /i", "3", "body");
    sql(f, "UPDATE idempotency SET valid_until = now()");
    assert_int_equal(clean(f, 10), 0); /* they are held */
    sql(f, "UPDATE idempotency SET held_until = now()");
    assert_int_equal(clean(f, 2), 2);
    assert_int_equal(clean(f, 2), 1);
    assert_int_equal(clean(f, 2), 0);
}

/* ---- what makes a second run harmless ---- */

struct made {
    bool is_done;
    struct err err;
    char id[ID_SIZE];
    char name[64];
};

static void on_project(void *arg, const struct project *project, const struct err *err)
{
    struct made *m = arg;
    m->is_done = true;
    err_copy(&m->err, err);
    if (project != NULL) {
        copy(str_from(project->id), m->id, sizeof(m->id));
        copy(str_from(project->name), m->name, sizeof(m->name));
    }
}

static struct made make(struct fixture *f, const char *owner, const char *name, const char *id)
{
    struct made m = {0};
    const struct project_wish wish = {owner, str_from(name), STR_NONE, "default", id, 0};
    f->port->project_create(f->port->self, &wish, FIXTURE_MS, on_project, &m);
    run_until(f, &m.is_done);
    return m;
}

static void a_project_of_the_same_id_is_made_once(void **state)
{
    struct fixture *f = *state;
    struct made first = make(f, "u-1", "Once", "op-7");
    struct made second = make(f, "u-1", "Once", "op-7");
    assert_string_equal(first.id, "op-7");
    assert_string_equal(second.id, "op-7");
    assert_string_equal(second.name, "Once");
    assert_int_equal(make(f, "u-2", "Once", "op-7").err.kind, ERR_MISSING);
    assert_string_equal(sql_value(f, "SELECT count(*) FROM projects"), "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_runs_others_wait_and_then_get_its_answer),
        cmocka_unit_test(keys_belong_to_a_user_and_to_a_path),
        cmocka_unit_test(an_empty_answer_is_kept_and_one_that_is_not_is_told_apart),
        cmocka_unit_test(what_is_given_back_runs_again_as_the_same_operation),
        cmocka_unit_test(a_run_that_is_not_heard_of_is_over_and_cannot_write_any_more),
        cmocka_unit_test(the_hold_of_a_dead_replica_is_over),
        cmocka_unit_test(two_replicas_agree_on_one),
        cmocka_unit_test(two_in_the_same_moment_agree_on_one),
        cmocka_unit_test(a_user_has_so_many_keys_and_no_more),
        cmocka_unit_test(what_is_over_is_new_again_and_removed_in_pieces),
        cmocka_unit_test(a_project_of_the_same_id_is_made_once),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
