// SPDX-License-Identifier: MIT
/* The audit's queue on a simulated clock: what is written when, what is sent again, what is lost and told so, and when
 * old rows go. What PostgreSQL makes of it is tests/wire/accounts/test_audit.py. */
#include "server/audit.h"

#include "core/base/codec.h"
#include "core/base/xmem.h"
#include "tests/unit/cmocka_all.h"

enum { KEEP_MS = 86400000, CALL_MS = 5000, SECOND_MS = 1000, MINUTE_MS = 60000, BATCH_N = 500, WALL_MS = 1700000000 };

/* One call to the store, held until the test answers it. */
struct call {
    struct op op;
    struct fixture *fixture;
    op_done *written;
    void (*cleaned)(void *arg, size_t n, const struct err *err);
    void *arg;
};
struct fixture {
    struct loop *loop;
    struct port_store store;
    struct audit *audit;
    struct call *write; /* under way */
    struct call *clean;
    unsigned writes_n;
    unsigned cleans_n;
    unsigned cancelled_n;
    unsigned drained_n;
    /* the last batch */
    size_t n;
    struct audit_row rows[BATCH_N];
};

static void call_cancel(struct op *op)
{
    struct call *c = (struct call *)op;
    c->fixture->cancelled_n++;
    *(c->written != NULL ? &c->fixture->write : &c->fixture->clean) = NULL;
    free(c);
}

static struct call *call_new(struct fixture *f, void *arg)
{
    struct call *c = xcalloc(1, sizeof(*c));
    *c = (struct call){.op = {call_cancel}, .fixture = f, .arg = arg};
    return c;
}

static struct op *audit_write(void *self, const struct audit_row *rows, size_t n, ms_t timeout_ms, op_done *done,
                              void *arg)
{
    struct fixture *f = self;
    assert_null(f->write);
    assert_int_equal(timeout_ms, CALL_MS);
    assert_in_range(n, 1, BATCH_N);
    f->write = call_new(f, arg);
    f->write->written = done;
    f->writes_n++;
    f->n = n;
    memcpy(f->rows, rows, n * sizeof(*rows));
    return &f->write->op;
}

static struct op *audit_clean(void *self, ms_t keep_ms, unsigned max, ms_t timeout_ms,
                              void (*done)(void *arg, size_t n, const struct err *err), void *arg)
{
    struct fixture *f = self;
    assert_null(f->clean);
    assert_int_equal(keep_ms, KEEP_MS);
    assert_int_equal(max, BATCH_N);
    assert_int_equal(timeout_ms, CALL_MS);
    f->clean = call_new(f, arg);
    f->clean->cleaned = done;
    f->cleans_n++;
    return &f->clean->op;
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    struct err err;
    assert_true(codec_init(&err));
    f->loop = loop_new_simulated(WALL_MS);
    f->store = (struct port_store){
        .self = f, .audit = {.write = audit_write, .clean = audit_clean}
    };
    f->audit = audit_new(f->loop, &f->store, KEEP_MS, CALL_MS);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    audit_free(f->audit);
    assert_null(f->write);
    assert_null(f->clean);
    loop_free(f->loop);
    free(f);
    return 0;
}

static void on_fence(void *arg)
{
    *(bool *)arg = true;
}

static void advance(struct fixture *f, ms_t length_ms)
{
    struct loop_timer fence;
    bool is_over = false;
    loop_timer_init(&fence, f->loop, on_fence, &is_over);
    loop_timer_set(&fence, length_ms);
    while (!is_over)
        loop_turn(f->loop);
}

static void note(struct fixture *f, int status)
{
    const struct audit_row row = {
        .method = "POST", .pattern = "/api/x", .subject_kind = "other", .credential = "none", .status = status};
    audit_note(f->audit, &row);
}

static void note_many(struct fixture *f, int n)
{
    for (int i = 0; i < n; i++)
        note(f, i);
}

/* Ends the call that must be under way. */
static struct call take(struct call **at)
{
    struct call *c = *at;
    if (c == NULL)
        abort(); /* no assertion of cmocka's: the analyzer takes it for one that goes on */
    struct call taken = *c;
    free(c);
    *at = NULL;
    return taken;
}

/* PostgreSQL answers the write; ERR_NONE: it has the rows. */
static void answer(struct fixture *f, enum err_kind kind)
{
    struct err err = {0};
    struct call c = take(&f->write);
    if (kind != ERR_NONE)
        err_set(&err, kind, __func__, "refused");
    c.written(c.arg, kind != ERR_NONE ? &err : NULL);
}

static void answer_clean(struct fixture *f, size_t n, enum err_kind kind)
{
    struct err err = {0};
    struct call c = take(&f->clean);
    if (kind != ERR_NONE)
        err_set(&err, kind, __func__, "refused");
    c.cleaned(c.arg, n, kind != ERR_NONE ? &err : NULL);
}

static void on_drained(void *arg)
{
    struct fixture *f = arg;
    f->drained_n++;
}

static struct audit_stats stats(const struct fixture *f)
{
    struct audit_stats s;
    audit_stats(f->audit, &s);
    return s;
}

/* ---- writing ---- */

static void rows_of_a_second_go_together_in_their_order(void **state)
{
    struct fixture *f = *state;
    note(f, 201);
    advance(f, SECOND_MS / 2);
    note(f, 404);
    assert_int_equal(f->writes_n, 0);
    advance(f, SECOND_MS);
    assert_int_equal(f->writes_n, 1);
    assert_int_equal(f->n, 2);
    assert_int_equal(f->rows[0].status, 201);
    assert_int_equal(f->rows[1].status, 404);
    assert_int_equal(f->rows[0].at_ms, WALL_MS);
    assert_int_equal(f->rows[1].at_ms, WALL_MS + SECOND_MS / 2);
    assert_true(codec_is_uuid(str_from(f->rows[0].id)));
    assert_true(strcmp(f->rows[0].id, f->rows[1].id) < 0);
    answer(f, ERR_NONE);
    assert_int_equal(stats(f).written_n, 2);
    advance(f, MINUTE_MS / 2);
    assert_int_equal(f->writes_n, 1); /* nothing is left to be written */
}

static void what_comes_during_a_write_goes_with_the_next(void **state)
{
    struct fixture *f = *state;
    note_many(f, BATCH_N + 1);
    advance(f, SECOND_MS);
    assert_int_equal(f->n, BATCH_N);
    note(f, 7);
    advance(f, SECOND_MS * 3);
    assert_int_equal(f->writes_n, 1); /* one at a time */
    answer(f, ERR_NONE);
    advance(f, SECOND_MS);
    assert_int_equal(f->writes_n, 2);
    assert_int_equal(f->n, 2);
    assert_int_equal(f->rows[0].status, BATCH_N);
    assert_int_equal(f->rows[1].status, 7);
    answer(f, ERR_NONE);
    assert_int_equal(stats(f).written_n, BATCH_N + 2);
}

/* PostgreSQL may have the rows although the answer was lost: the same ids tell it so. */
static void a_write_without_an_answer_is_sent_again_with_the_same_ids(void **state)
{
    struct fixture *f = *state;
    char id[ID_SIZE];
    note(f, 1);
    advance(f, SECOND_MS);
    memcpy(id, f->rows[0].id, sizeof(id));
    answer(f, ERR_NOT_READY);
    note(f, 2);
    advance(f, SECOND_MS);
    assert_int_equal(f->writes_n, 2);
    assert_int_equal(f->n, 2);
    assert_string_equal(f->rows[0].id, id);
    answer(f, ERR_NONE);
    assert_int_equal(stats(f).written_n, 2);
    assert_int_equal(stats(f).dropped_n, 0);
}

static void a_batch_that_is_refused_is_counted_and_holds_up_nobody(void **state)
{
    struct fixture *f = *state;
    note_many(f, BATCH_N + 1);
    advance(f, SECOND_MS);
    answer(f, ERR_INVALID);
    assert_int_equal(stats(f).dropped_n, BATCH_N);
    advance(f, SECOND_MS);
    assert_int_equal(f->n, 1);
    assert_int_equal(f->rows[0].status, BATCH_N);
    answer(f, ERR_NONE);
    assert_int_equal(stats(f).written_n, 1);
}

static void rows_without_room_are_counted_and_the_older_ones_stay(void **state)
{
    struct fixture *f = *state;
    note_many(f, AUDIT_MAX_N + 3);
    assert_int_equal(stats(f).dropped_n, 3);
    for (int written = 0; written < AUDIT_MAX_N; written += (int)f->n) {
        advance(f, SECOND_MS);
        assert_int_equal(f->rows[0].status, written);
        answer(f, ERR_NONE);
    }
    assert_int_equal(stats(f).written_n, AUDIT_MAX_N);
    assert_int_equal(stats(f).dropped_n, 3);
}

/* ---- the end ---- */

static void draining_writes_all_that_waits_at_once(void **state)
{
    struct fixture *f = *state;
    note_many(f, BATCH_N + 1);
    audit_drain(f->audit, on_drained, f);
    assert_int_equal(f->n, BATCH_N);
    answer(f, ERR_NONE);
    assert_int_equal(f->n, 1);
    assert_int_equal(f->drained_n, 0);
    answer(f, ERR_NONE);
    assert_int_equal(f->drained_n, 1);
    assert_int_equal(stats(f).written_n, BATCH_N + 1);
}

static void draining_waits_for_the_write_that_is_under_way(void **state)
{
    struct fixture *f = *state;
    note(f, 1);
    advance(f, SECOND_MS);
    audit_drain(f->audit, on_drained, f);
    assert_int_equal(f->writes_n, 1);
    assert_int_equal(f->drained_n, 0);
    answer(f, ERR_NONE);
    assert_int_equal(f->drained_n, 1);
}

static void draining_nothing_is_over_at_once(void **state)
{
    struct fixture *f = *state;
    audit_drain(f->audit, on_drained, f);
    assert_int_equal(f->drained_n, 1);
    assert_int_equal(f->writes_n, 0);
}

/* The process ends: it cannot wait for PostgreSQL to come back, but it says how many rows it takes with it. */
static void draining_without_postgres_ends_and_tells_the_loss(void **state)
{
    struct fixture *f = *state;
    note_many(f, BATCH_N + 1);
    audit_drain(f->audit, on_drained, f);
    answer(f, ERR_NOT_READY);
    assert_int_equal(f->drained_n, 1);
    assert_int_equal(f->writes_n, 1);
    assert_int_equal(stats(f).dropped_n, BATCH_N + 1);
}

static void freeing_cancels_what_is_under_way(void **state)
{
    struct fixture *f = *state;
    advance(f, MINUTE_MS);
    note(f, 1);
    advance(f, SECOND_MS);
    assert_non_null(f->write);
    assert_non_null(f->clean);
    audit_free(f->audit);
    f->audit = NULL;
    assert_int_equal(f->cancelled_n, 2);
}

/* ---- old rows ---- */

static void old_rows_go_each_minute_and_faster_while_there_are_many(void **state)
{
    struct fixture *f = *state;
    advance(f, MINUTE_MS - 1);
    assert_int_equal(f->cleans_n, 0);
    advance(f, 1);
    assert_int_equal(f->cleans_n, 1);
    answer_clean(f, BATCH_N, ERR_NONE);
    advance(f, SECOND_MS);
    assert_int_equal(f->cleans_n, 2);
    answer_clean(f, BATCH_N - 1, ERR_NONE);
    advance(f, MINUTE_MS - 1);
    assert_int_equal(f->cleans_n, 2);
    advance(f, 1);
    assert_int_equal(f->cleans_n, 3);
    answer_clean(f, 0, ERR_NOT_READY);
    advance(f, MINUTE_MS);
    assert_int_equal(f->cleans_n, 4); /* an error is no end */
    answer_clean(f, 0, ERR_NONE);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(rows_of_a_second_go_together_in_their_order),
        CASE(what_comes_during_a_write_goes_with_the_next),
        CASE(a_write_without_an_answer_is_sent_again_with_the_same_ids),
        CASE(a_batch_that_is_refused_is_counted_and_holds_up_nobody),
        CASE(rows_without_room_are_counted_and_the_older_ones_stay),
        CASE(draining_writes_all_that_waits_at_once),
        CASE(draining_waits_for_the_write_that_is_under_way),
        CASE(draining_nothing_is_over_at_once),
        CASE(draining_without_postgres_ends_and_tells_the_loss),
        CASE(freeing_cancels_what_is_under_way),
        CASE(old_rows_go_each_minute_and_faster_while_there_are_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
