// SPDX-License-Identifier: MIT
/* The bus: each row once, in order, whatever is published late, twice or not at all. */
#include "tests/unit/cmocka_all.h"

#include "core/base/codec.h"
#include "core/base/fit.h"
#include "core/base/log.h"
#include "core/base/xmem.h"
#include "core/bus.h"

enum { ROWS_MAX = 600 };

/* A journal in memory behind port_store's journal_read. */
struct journal {
    struct loop *loop;
    struct port_store port;
    struct journal_event rows[ROWS_MAX];
    size_t n;
    unsigned reads_n;
    unsigned failures_left; /* so many reads fail */
};

struct read_call {
    struct op op;
    struct journal *journal;
    struct journal_query query;
    struct loop_timer answer;
    store_on_journal *done;
    void *arg;
};

static void free_call(void *p)
{
    free(p);
}

static void end_call(struct read_call *call)
{
    loop_timer_clear(&call->answer);
    loop_defer_free(call->journal->loop, call, free_call);
}

static void cancel_call(struct op *op)
{
    end_call((struct read_call *)op);
}

static void on_answer(void *arg)
{
    struct read_call *call = arg;
    struct journal *j = call->journal;
    if (j->failures_left > 0) {
        struct err err = {0};
        j->failures_left--;
        (void)err_set(&err, ERR_NOT_READY, __func__, "away");
        call->done(call->arg, NULL, 0, 0, &err);
    } else {
        static struct journal_event page[ROWS_MAX];
        size_t n = 0;
        for (size_t i = call->query.after; i < j->n && n < call->query.limit; i++) {
            bool is_wanted =
                call->query.project_id == NULL || strcmp(j->rows[i].project_id, call->query.project_id) == 0;
            if (is_wanted)
                page[n++] = j->rows[i];
        }
        call->done(call->arg, page, n, j->n, NULL);
    }
    end_call(call);
}

static struct op *journal_read(void *self, const struct journal_query *query, ms_t timeout_ms, store_on_journal *done,
                               void *arg)
{
    struct journal *j = self;
    struct read_call *call = xcalloc(1, sizeof(*call));
    (void)timeout_ms;
    j->reads_n++;
    call->op.cancel = cancel_call;
    call->journal = j;
    call->query = *query;
    call->done = done;
    call->arg = arg;
    loop_timer_init(&call->answer, j->loop, on_answer, call);
    loop_timer_set(&call->answer, 5);
    return &call->op;
}

struct seen {
    uint64_t seqs[ROWS_MAX];
    size_t n;
    unsigned lives_n;
    struct bus_reader *reader;
    size_t leave_after; /* frees its reader from within the callback; 0: never */
};

static void on_event(void *arg, const struct journal_event *event)
{
    struct seen *s = arg;
    s->seqs[s->n++] = event->seq;
    if (s->n == s->leave_after)
        bus_reader_free(s->reader);
}

static void on_live(void *arg)
{
    struct seen *s = arg;
    s->lives_n++;
}

struct bench {
    struct journal journal;
    struct bus *bus;
    struct seen seen;
};

static int set_up(void **state)
{
    struct bench *b = xcalloc(1, sizeof(*b));
    b->journal.loop = loop_new_simulated(0);
    b->journal.port.self = &b->journal;
    b->journal.port.journal_read = journal_read;
    b->bus = bus_new(b->journal.loop, &b->journal.port);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    bus_free(b->bus);
    loop_free(b->journal.loop);
    free(b);
    return 0;
}

static const struct journal_event *write_row(struct bench *b, const char *project, unsigned attempt)
{
    struct journal_event *e = &b->journal.rows[b->journal.n++];
    text_fit(e->owner_id, sizeof(e->owner_id), STR("owner"));
    text_fit(e->project_id, sizeof(e->project_id), str_from(project));
    e->attempt = attempt;
    e->seq = b->journal.n;
    return e;
}

static void begin_reading(struct bench *b, const char *project, uint64_t after, unsigned attempt)
{
    const struct bus_query query = {.owner_id = "owner", .project_id = project, .after = after, .attempt = attempt};
    const struct bus_listener listener = {.on_event = on_event, .on_live = on_live, .arg = &b->seen};
    b->seen.reader = bus_read(b->bus, &query, &listener);
}

static void on_over(void *arg)
{
    *(bool *)arg = true;
}

/* Everything that is due within `ms` happens; the clock stops there. */
static void pass(struct bench *b, ms_t ms)
{
    bool is_over = false;
    struct loop_timer over;
    loop_timer_init(&over, b->journal.loop, on_over, &is_over);
    loop_timer_set(&over, ms);
    while (!is_over)
        loop_turn(b->journal.loop);
}

static void assert_seen(const struct bench *b, size_t n, const uint64_t *seqs)
{
    assert_int_equal(b->seen.n, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(b->seen.seqs[i], seqs[i]);
}

static void what_was_missed_comes_first_then_what_happens(void **state)
{
    struct bench *b = *state;
    write_row(b, "p", 1);
    write_row(b, "p", 1);
    begin_reading(b, NULL, 0, 0);
    assert_int_equal(b->seen.n, 0); /* never before bus_read returns */
    pass(b, 20);
    assert_int_equal(b->seen.lives_n, 1);
    bus_publish(b->bus, write_row(b, "q", 1));
    assert_seen(b, 3, (const uint64_t[]){1, 2, 3});
    assert_int_equal(b->journal.reads_n, 1); /* the live row needed no reading */
}

static void a_row_published_twice_or_late_is_handed_over_once(void **state)
{
    struct bench *b = *state;
    begin_reading(b, NULL, 0, 0);
    pass(b, 20);
    const struct journal_event *first = write_row(b, "p", 1);
    const struct journal_event *second = write_row(b, "p", 1);
    bus_publish(b->bus, second);
    bus_publish(b->bus, first);
    bus_publish(b->bus, second);
    pass(b, 20);
    assert_seen(b, 2, (const uint64_t[]){1, 2});
}

static void a_row_nobody_spoke_of_is_found(void **state)
{
    struct bench *b = *state;
    begin_reading(b, NULL, 0, 0);
    pass(b, 20);
    write_row(b, "p", 1); /* its writer died before it could publish */
    pass(b, 60000);
    assert_seen(b, 1, (const uint64_t[]){1});
}

static void a_hint_makes_readers_look_at_once(void **state)
{
    struct bench *b = *state;
    begin_reading(b, NULL, 0, 0);
    pass(b, 20);
    write_row(b, "p", 1);
    bus_hint(b->bus, "owner");
    pass(b, 20);
    assert_seen(b, 1, (const uint64_t[]){1});
}

static void a_failed_read_is_tried_again_and_loses_nothing(void **state)
{
    struct bench *b = *state;
    b->journal.failures_left = 3;
    write_row(b, "p", 1);
    begin_reading(b, NULL, 0, 0);
    pass(b, 10);
    bus_publish(b->bus, write_row(b, "p", 1));
    pass(b, 30000);
    assert_seen(b, 2, (const uint64_t[]){1, 2});
    assert_int_equal(b->seen.lives_n, 1);
}

static void a_reader_of_one_project_and_attempt_sees_only_those(void **state)
{
    struct bench *b = *state;
    write_row(b, "p", 1);
    write_row(b, "q", 1);
    write_row(b, "p", 2);
    begin_reading(b, "p", 0, 2);
    pass(b, 20);
    bus_publish(b->bus, write_row(b, "q", 2));
    bus_publish(b->bus, write_row(b, "p", 2));
    pass(b, 20);
    assert_seen(b, 2, (const uint64_t[]){3, 5});
}

static void more_rows_than_a_page_all_arrive(void **state)
{
    struct bench *b = *state;
    for (size_t i = 0; i < 450; i++)
        write_row(b, "p", 1);
    begin_reading(b, NULL, 10, 0);
    pass(b, 50);
    assert_int_equal(b->seen.n, 440);
    assert_int_equal(b->seen.seqs[0], 11);
    assert_int_equal(b->seen.seqs[439], 450);
}

static void a_reader_may_leave_from_within_its_callback(void **state)
{
    struct bench *b = *state;
    for (size_t i = 0; i < 5; i++)
        write_row(b, "p", 1);
    b->seen.leave_after = 2;
    begin_reading(b, NULL, 0, 0);
    pass(b, 50);
    bus_publish(b->bus, write_row(b, "p", 1));
    assert_int_equal(b->seen.n, 2);
    assert_int_equal(b->seen.lives_n, 0);
    assert_int_equal(bus_readers_n(b->bus), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_missed_comes_first_then_what_happens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_row_published_twice_or_late_is_handed_over_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_row_nobody_spoke_of_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_hint_makes_readers_look_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failed_read_is_tried_again_and_loses_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reader_of_one_project_and_attempt_sees_only_those, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_rows_than_a_page_all_arrive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reader_may_leave_from_within_its_callback, set_up, tear_down),
    };
    struct err err = {0};
    if (!codec_init(&err))
        return 2;
    log_init(2, LOG_FORMAT_LOGFMT, LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
