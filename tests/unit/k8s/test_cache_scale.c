// SPDX-License-Identifier: MIT
/* What an event costs among many objects, counted in comparisons of keys and in calls, never in time. The cache is
 * compiled into this program with a comparison that counts. */
#include "tests/unit/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

static size_t compares_n;
static int counting_memcmp(const void *a, const void *b, size_t n)
{
    compares_n++;
    return memcmp(a, b, n);
}
#define HASH_KEYCMP(a, b, n) counting_memcmp((a), (b), (n))

#include "k8s/cache.c"
#include "k8s/cache_observe.c"

#include "sample.h"

enum {
    FEW_N = 100,
    MANY_N = 10000,
    COMPARES_PER_EVENT = 8, /* a few look-ups, each of one key; a chain of the hash table is hardly ever longer */
    BYTES_PER_SANDBOX = 4096,
};

struct bench {
    struct loop *loop;
    struct cache *cache;
    struct arena *arena;
    int changes_n;
    int all_n;
};

static void on_change(void *arg, struct str project_id)
{
    struct bench *b = arg;
    if (str_is_none(project_id))
        b->all_n++;
    else
        b->changes_n++;
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    b->loop = loop_new_simulated(0);
    b->cache = cache_new(b->loop);
    b->arena = arena_new();
    cache_subscribe(b->cache, on_change, b);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    cache_free(b->cache);
    arena_free(b->arena);
    loop_free(b->loop);
    free(b);
    return 0;
}

static void settle(struct bench *b)
{
    while (loop_turn(b->loop))
        ;
}

static const struct json_value *object(struct bench *b, int i, int version)
{
    const char *text = arena_printf(b->arena,
                                    "{\"metadata\":{\"name\":\"p%d-agentruntime-qwerty\",\"resourceVersion\":\"%d\","
                                    "\"labels\":{\"%s\":\"id-%d\"}},\"status\":{\"phase\":\"Running\"}}",
                                    i, version, LABEL_PROJECT_ID, i);
    const struct json_value *v = json_parse(b->arena, str_from(text), &JSON_LIMITS_KUBE, NULL);
    assert_non_null(v);
    return v;
}

/* The lists of all kinds at the same time, for reading an object's text costs more than what is counted here. */
static void list(struct bench *b, int n, int version)
{
    for (enum kube_kind kind = 0; kind < KIND_CACHED_N; kind++)
        cache_list_begin(b->cache, kind);
    for (int i = 0; i < n; i++) {
        const struct json_value *v = object(b, i, 1);
        for (enum kube_kind kind = 0; kind < KIND_CACHED_N; kind++)
            cache_put(b->cache, kind, v);
        arena_reset(b->arena);
    }
    for (enum kube_kind kind = 0; kind < KIND_CACHED_N; kind++)
        cache_list_end(b->cache, kind, (uint64_t)version);
    settle(b);
}

/* Comparisons for one event of each kind, after n sandboxes are known. */
static size_t cost_of_an_event(struct bench *b, int n)
{
    list(b, n, 2);
    compares_n = 0;
    b->changes_n = b->all_n = 0;
    for (enum kube_kind kind = 0; kind < KIND_CACHED_N; kind++) {
        cache_put(b->cache, kind, object(b, n / 2, 3));
        settle(b);
        assert_int_equal(b->changes_n, (int)kind + 1);
    }
    assert_int_equal(b->all_n, 0);
    return compares_n;
}

static void an_event_costs_the_same_among_few_and_among_many(void **state)
{
    size_t few_n = cost_of_an_event(*state, FEW_N);
    size_t many_n = cost_of_an_event(*state, MANY_N);
    assert_true(few_n > 0);
    assert_true(few_n <= (size_t)KIND_CACHED_N * COMPARES_PER_EVENT);
    assert_true(many_n <= (size_t)KIND_CACHED_N * COMPARES_PER_EVENT);
}

static void a_look_costs_the_same_among_few_and_among_many(void **state)
{
    static const int sizes[] = {FEW_N, MANY_N};
    struct bench *b = *state;
    struct sandbox sb = sample_sandbox();
    struct observed seen;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        list(b, sizes[i], 2);
        assert_true(str_copy(STR("id-7"), sb.project_id, sizeof sb.project_id));
        assert_true(str_copy(STR("p7-agentruntime-qwerty"), sb.name, sizeof sb.name));
        compares_n = 0;
        cache_observe(b->cache, &sb, &seen);
        assert_int_equal(seen.objects[OBJECT_WORKLOAD], PRESENCE_PRESENT);
        assert_true(compares_n <= (size_t)OBJECT_N * COMPARES_PER_EVENT);
    }
}

static void a_list_of_what_is_known_wakes_nobody_and_costs_no_more_per_object(void **state)
{
    struct bench *b = *state;
    list(b, MANY_N, 2);
    compares_n = 0;
    b->changes_n = b->all_n = 0;
    list(b, MANY_N, 4);
    assert_int_equal(b->changes_n, 0);
    assert_int_equal(b->all_n, 0);
    assert_true(compares_n <= (size_t)KIND_CACHED_N * MANY_N * 2);
}

static void what_a_list_no_longer_holds_is_told_once_each(void **state)
{
    struct bench *b = *state;
    list(b, MANY_N, 2);
    compares_n = 0;
    b->changes_n = 0;
    list(b, MANY_N / 2, 4);
    assert_int_equal(b->changes_n, MANY_N / 2);
    assert_true(compares_n <= (size_t)KIND_CACHED_N * MANY_N * 4);
}

/* The table itself says when its chains are longer than they should be. */
static void chains_stay_short(void **state)
{
    struct bench *b = *state;
    list(b, MANY_N, 2);
    for (size_t i = 0; i < KIND_CACHED_N; i++) {
        const UT_hash_table *table = b->cache->kinds[i].by_name->hh.tbl;
        assert_int_equal(table->num_items, MANY_N);
        assert_int_equal(table->noexpand, 0);
        assert_true(table->num_buckets * 10 >= MANY_N);
    }
}

static void a_sandbox_takes_few_bytes(void **state)
{
    size_t bytes = sizeof(struct cache_project) + KIND_CACHED_N * (sizeof(struct record) + OBJECT_NAME_SIZE);
    (void)state;
    assert_true(bytes <= BYTES_PER_SANDBOX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_event_costs_the_same_among_few_and_among_many),
        TEST(a_look_costs_the_same_among_few_and_among_many),
        TEST(a_list_of_what_is_known_wakes_nobody_and_costs_no_more_per_object),
        TEST(what_a_list_no_longer_holds_is_told_once_each),
        TEST(chains_stay_short),
        TEST(a_sandbox_takes_few_bytes),
    };
    if (!codec_init(NULL))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
