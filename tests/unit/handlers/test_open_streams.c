// SPDX-License-Identifier: MIT
/* Streams end with what opened them: by the store's word, and by asking when the word was missed. */
#include "handlers/open_streams.h"

#include "tests/unit/cmocka_all.h"

#include "core/base/xmem.h"

/* SHA-256 of "one". */
#define ONE_HEX "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"

struct fixture {
    struct loop *loop;
    struct port_store store;
    struct open_streams *streams;
    void (*on_ended)(void *arg, struct str hash_hex);
    void *ended_arg;
    bool is_session_over; /* the store knows that "one" is none any more */
    bool is_store_away;
    unsigned asked_n;
    size_t asked_hexes_n;
    struct op op;
    struct loop_task answer;
    store_on_hashes *done;
    void *done_arg;
};

static void cancel(struct op *op)
{
    struct fixture *f = (struct fixture *)((char *)op - offsetof(struct fixture, op));
    loop_task_clear(&f->answer);
}

static void answer(void *arg)
{
    struct fixture *f = arg;
    struct str one = STR(ONE_HEX);
    struct err err = {0};
    if (f->is_store_away)
        err_set(&err, ERR_NOT_READY, __func__, "away");
    f->done(f->done_arg, &one, f->is_session_over && !f->is_store_away ? 1 : 0, f->is_store_away ? &err : NULL);
}

static struct op *credentials_ended(void *self, const struct str *hexes, size_t n, ms_t timeout_ms,
                                    store_on_hashes *done, void *arg)
{
    struct fixture *f = self;
    assert_true(timeout_ms > 0);
    assert_true(n > 0 && hexes[0].n == CREDENTIAL_SIZE - 1);
    f->asked_n++;
    f->asked_hexes_n = n;
    f->done = done;
    f->done_arg = arg;
    loop_defer(&f->answer);
    return &f->op;
}

static void credentials_subscribe(void *self, void (*on_ended)(void *arg, struct str hash_hex), void *arg)
{
    struct fixture *f = self;
    f->on_ended = on_ended;
    f->ended_arg = arg;
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    f->loop = loop_new_simulated(1700000000000);
    f->op.cancel = cancel;
    loop_task_init(&f->answer, f->loop, answer, f);
    f->store = (struct port_store){
        .self = f, .credentials_subscribe = credentials_subscribe, .credentials_ended = credentials_ended};
    f->streams = open_streams_new(f->loop, &f->store, 1000);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    open_streams_free(f->streams);
    assert_null(f->on_ended);
    loop_free(f->loop);
    free(f);
    return 0;
}

static void on_member_ended(void *arg)
{
    (*(unsigned *)arg)++;
}

static void join(struct fixture *f, struct open_stream *member, const char *token, unsigned *ended_n)
{
    const struct caller caller = {.is_signed_in = true, .session_token = str_from(token)};
    *member = (struct open_stream){.on_ended = on_member_ended, .arg = ended_n};
    open_streams_add(f->streams, member, &caller);
}

static void the_word_ends_all_of_that_session_and_no_other(void **state)
{
    struct fixture *f = *state;
    struct open_stream members[3];
    unsigned n[3] = {0};
    join(f, &members[0], "one", &n[0]);
    join(f, &members[1], "two", &n[1]);
    join(f, &members[2], "one", &n[2]);
    f->on_ended(f->ended_arg, STR(ONE_HEX));
    assert_true(n[0] == 1 && n[1] == 0 && n[2] == 1);
    for (size_t i = 0; i < 3; i++)
        open_streams_remove(&members[i]);
}

static void a_missed_word_is_asked_for(void **state)
{
    struct fixture *f = *state;
    struct open_stream member;
    unsigned n = 0;
    join(f, &member, "one", &n);
    ms_t since = loop_now_ms(f->loop);
    f->is_store_away = true;
    while (f->asked_n < 2)
        loop_turn(f->loop);
    assert_int_equal(n, 0);
    f->is_store_away = false;
    f->is_session_over = true;
    while (n == 0)
        loop_turn(f->loop);
    assert_int_equal(f->asked_hexes_n, 1);
    assert_true(loop_now_ms(f->loop) - since <= 3 * OPEN_STREAMS_CHECK_MS);
    open_streams_remove(&member);
}

static void an_api_token_is_what_its_stream_hangs_on(void **state)
{
    struct fixture *f = *state;
    struct open_stream member;
    unsigned n = 0;
    const struct caller caller = {.is_signed_in = true, .is_by_token = true, .api_token = STR("one")};
    member = (struct open_stream){.on_ended = on_member_ended, .arg = &n};
    open_streams_add(f->streams, &member, &caller);
    f->on_ended(f->ended_arg, STR(ONE_HEX));
    assert_int_equal(n, 1);
    open_streams_remove(&member);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_word_ends_all_of_that_session_and_no_other),
        TEST(a_missed_word_is_asked_for),
        TEST(an_api_token_is_what_its_stream_hangs_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
