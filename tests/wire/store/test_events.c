// SPDX-License-Identifier: MIT
/* Reading: projects, journal, status cache; and telling the other replicas, by Redis and by NOTIFY. */
#include "tests/wire/store/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"

static struct fixture f;

static int setup_notify(void **state)
{
    (void)state;
    fixture_init(&f, "events");
    fixture_open_store(&f, NULL);
    return 0;
}

static int setup_redis(void **state)
{
    (void)state;
    fixture_init(&f, "events");
    fixture_open_store(&f, fixture_redis_url());
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_fini(&f);
    return 0;
}

/* Before each test: nothing is there, r1 lives, nobody listens. */
static int empty(void **state)
{
    (void)state;
    sql(&f, "TRUNCATE users, journal, journal_counters CASCADE");
    f.port->journal_subscribe(f.port->self, NULL, NULL);
    world_renew(&f, f.port, 60 * FIXTURE_MS);
    return 0;
}

/* ---- between replicas ---- */

struct ears {
    size_t n;
    bool has_three;
    struct journal_event events[WORLD_EVENTS_MAX];
};

static void on_event(void *arg, const struct journal_event *event)
{
    struct ears *e = arg;
    assert_true(e->n < WORLD_EVENTS_MAX);
    e->events[e->n++] = *event;
    e->has_three = e->n >= 3;
}

static void publish(const struct asked *a)
{
    for (size_t i = 0; i < a->n_events; i++)
        f.port->journal_publish(f.port->self, &a->events[i]);
}

/* One request and one write with two events at r1; r2 hears three, r1 none. */
static void tell(const struct owned *o, const char *name, struct ears *own, struct ears *others)
{
    struct asked a = world_request(&f, f.port, o, DESIRED_RUNNING, name);
    publish(&a);
    struct asked saved = world_save(&f, f.port, &a.sb, 2);
    publish(&saved);
    run_until(&f, &others->has_three);
    run_for(&f, 50);
    assert_int_equal(others->n, 3);
    assert_int_equal(own->n, 0);
    for (size_t i = 0; i < 3; i++) {
        const struct journal_event *e = &others->events[i];
        assert_int_equal(e->seq, i + 1);
        assert_string_equal(e->owner_id, o->owner_id);
        assert_string_equal(e->project_id, o->project_id);
        assert_int_equal(e->attempt, 1);
    }
    assert_int_equal(others->events[0].kind, JOURNAL_STATUS);
    assert_int_equal(others->events[0].status, SANDBOX_CREATING);
    assert_string_equal(others->events[0].message, "creation requested");
    assert_int_equal(others->events[0].at_ms, 1760176800123);
    assert_int_equal(others->events[2].kind, JOURNAL_STAGE);
    assert_int_equal(others->events[2].stage, STAGE_CONTAINER);
    assert_int_equal(others->events[2].stage_status, STAGE_STATUS_IN_PROGRESS);
    assert_string_equal(others->events[2].message, "pulling \"image\" {a,b} \\ ä");
    assert_int_equal(others->events[2].duration_ms, -1);
    struct asked end = world_settle(&f, f.port, &a.sb, SANDBOX_ERROR, OUTCOME_FAILED);
    publish(&end);
    while (others->n < 4)
        run_for(&f, 2);
    assert_int_equal(others->events[3].kind, JOURNAL_DONE);
    assert_int_equal(others->events[3].outcome, OUTCOME_FAILED);
    assert_int_equal(others->events[3].code, REASON_IMAGE_PULL);
    assert_int_equal(others->events[3].duration_ms, 877);
}

static bool is_listening(void *arg)
{
    struct arena *a = arena_new();
    const char *n = sql_value(&f, arena_printf(a, "SELECT count(*) FROM pg_stat_activity WHERE datname = 'events' AND "
                                                  "application_name = 'fullstackd listener' AND state = 'idle' AND "
                                                  "query LIKE 'LISTEN%%'"));
    bool is_it = strcmp(n, (const char *)arg) == 0;
    arena_free(a);
    return is_it;
}

static void wait_for_listeners(const char *n)
{
    while (!is_listening((void *)(uintptr_t)n))
        run_for(&f, 2);
}

static void wait_for_redis(const struct port_store *port, bool is_wanted)
{
    struct store_health health = {0};
    port->health(port->self, &health);
    while (health.is_redis_up != is_wanted) {
        run_for(&f, 2);
        port->health(port->self, &health);
    }
}

static void without_redis_the_row_tells_the_others(void **state)
{
    (void)state;
    struct ears own = {0};
    struct ears others = {0};
    struct store *r2 = fixture_another_store(&f, "r2", NULL);
    store_port(r2)->journal_subscribe(store_port(r2)->self, on_event, &others);
    f.port->journal_subscribe(f.port->self, on_event, &own);
    wait_for_listeners("2");
    struct owned o = world_project(&f, "notify");
    tell(&o, "notify", &own, &others);
    store_close(r2);
}

static void with_redis_the_others_are_told_once(void **state)
{
    (void)state;
    struct ears own = {0};
    struct ears others = {0};
    struct store *r2 = fixture_another_store(&f, "r2", fixture_redis_url());
    const struct port_store *port = store_port(r2);
    port->journal_subscribe(port->self, on_event, &others);
    f.port->journal_subscribe(f.port->self, on_event, &own);
    wait_for_listeners("2");
    wait_for_redis(port, true);
    while (fixture_redis_subscribers("fsd:journal") < 2)
        run_for(&f, 2);
    struct owned o = world_project(&f, "redis");
    tell(&o, "redis", &own, &others);
    store_close(r2);
}

static void when_redis_goes_the_rows_tell(void **state)
{
    (void)state;
    struct ears own = {0};
    struct ears others = {0};
    struct store *r2 = fixture_another_store(&f, "r2", fixture_redis_url());
    const struct port_store *port = store_port(r2);
    port->journal_subscribe(port->self, on_event, &others);
    f.port->journal_subscribe(f.port->self, on_event, &own);
    wait_for_listeners("2");
    wait_for_redis(port, true);
    control("FS_REDIS_CTL", "stop");
    wait_for_redis(port, false);
    wait_for_redis(f.port, false);
    struct owned o = world_project(&f, "away");
    tell(&o, "away", &own, &others);
    control("FS_REDIS_CTL", "start");
    wait_for_redis(f.port, true);
    store_close(r2);
}

static void a_message_that_is_nonsense_is_dropped(void **state)
{
    (void)state;
    struct ears own = {0};
    f.port->journal_subscribe(f.port->self, on_event, &own);
    wait_for_listeners("1");
    sql(&f, "SELECT pg_notify('fsd_journal', 'nonsense'), pg_notify('fsd_journal', '{\"replica\":\"r9\"}'), "
            "pg_notify('fsd_journal', '{\"replica\":\"r9\",\"owner\":\"u\",\"project\":\"p\",\"seq\":1,\"attempt\":1,"
            "\"kind\":\"dance\",\"code\":\"\",\"message\":\"\",\"at\":1}')");
    run_for(&f, 50);
    assert_int_equal(own.n, 0);
    struct store_health health;
    f.port->health(f.port->self, &health);
    assert_true(health.is_postgres_up);
}

/* ---- the journal ---- */

struct page {
    bool is_done;
    struct err err;
    size_t n;
    uint64_t first_seq;
    uint64_t last_of_page;
    uint64_t last_seq;
};

static void on_page(void *arg, const struct journal_event *events, size_t n, uint64_t last_seq, const struct err *err)
{
    struct page *p = arg;
    p->is_done = true;
    err_copy(&p->err, err);
    p->n = n;
    p->last_seq = last_seq;
    p->first_seq = n > 0 ? events[0].seq : 0;
    p->last_of_page = n > 0 ? events[n - 1].seq : 0;
}

static struct page read_page(struct journal_query query)
{
    struct page p = {0};
    f.port->journal_read(f.port->self, &query, FIXTURE_MS, on_page, &p);
    assert_false(p.is_done);
    run_until(&f, &p.is_done);
    assert_int_equal(p.err.kind, ERR_NONE);
    return p;
}

static void the_journal_is_read_by_owner_project_attempt_and_number(void **state)
{
    (void)state;
    struct owned o = world_project(&f, "one");
    struct page p = read_page((struct journal_query){.owner_id = o.owner_id, .limit = 10});
    assert_int_equal(p.n, 0);
    assert_int_equal(p.last_seq, 0);
    struct asked first = world_request(&f, f.port, &o, DESIRED_RUNNING, "one"); /* 1 */
    world_save(&f, f.port, &first.sb, 3);                                       /* 2 3 4 */
    world_settle(&f, f.port, &first.sb, SANDBOX_ERROR, OUTCOME_FAILED);         /* 5 */
    struct owned two = o;
    world_another_project(&f, &two, "two");
    world_request(&f, f.port, &two, DESIRED_RUNNING, "two"); /* 6 */
    world_request(&f, f.port, &o, DESIRED_RUNNING, "one");   /* 7, attempt 2 */
    p = read_page((struct journal_query){.owner_id = o.owner_id, .limit = 500});
    assert_int_equal(p.n, 7);
    assert_int_equal(p.last_seq, 7);
    p = read_page((struct journal_query){.owner_id = o.owner_id, .after = 2, .limit = 3});
    assert_int_equal(p.first_seq, 3);
    assert_int_equal(p.last_of_page, 5);
    assert_int_equal(p.last_seq, 7);
    p = read_page((struct journal_query){.owner_id = o.owner_id, .project_id = o.project_id, .limit = 500});
    assert_int_equal(p.n, 6);
    p = read_page(
        (struct journal_query){.owner_id = o.owner_id, .project_id = o.project_id, .attempt = 2, .limit = 500});
    assert_int_equal(p.n, 1);
    assert_int_equal(p.first_seq, 7);
    p = read_page((struct journal_query){.owner_id = "u-else", .project_id = o.project_id, .limit = 500});
    assert_int_equal(p.n, 0);
    p = read_page((struct journal_query){.owner_id = o.owner_id, .after = UINT64_MAX, .limit = 500});
    assert_int_equal(p.n, 0);
    assert_int_equal(p.last_seq, 7);
}

/* ---- projects ---- */

struct list {
    bool is_done;
    struct err err;
    size_t n;
    uint64_t seq;
    struct project first;
    struct project second;
    struct project last;
    bool has_more;
    int64_t last_us;
};

static void on_list(void *arg, const struct project_page *page, const struct err *err)
{
    struct list *l = arg;
    l->is_done = true;
    err_copy(&l->err, err);
    if (page == NULL)
        return;
    l->n = page->n;
    l->seq = page->journal_seq;
    l->has_more = page->has_more;
    l->last_us = page->last.at_us;
    if (page->n > 0)
        l->first = page->projects[0];
    if (page->n > 1)
        l->second = page->projects[1];
    if (page->n > 0) {
        l->last = page->projects[page->n - 1];
        assert_string_equal(page->last.id, l->last.id);
    }
}

static void on_project(void *arg, const struct project *project, const struct err *err)
{
    struct list *l = arg;
    l->is_done = true;
    err_copy(&l->err, err);
    l->n = project != NULL ? 1 : 0;
    if (project != NULL)
        l->first = *project;
}

static struct list list_page(const struct project_query *query)
{
    struct list l = {0};
    f.port->project_list(f.port->self, query, FIXTURE_MS, on_list, &l);
    run_until(&f, &l.is_done);
    assert_int_equal(l.err.kind, ERR_NONE);
    return l;
}

static struct list list_projects(const char *owner_id, unsigned limit)
{
    return list_page(&(struct project_query){.owner_id = owner_id, .limit = limit});
}

static struct list get_project(const char *owner_id, const char *project_id)
{
    struct list l = {0};
    f.port->project_get(f.port->self, owner_id, project_id, FIXTURE_MS, on_project, &l);
    run_until(&f, &l.is_done);
    return l;
}

static void projects_are_made_found_and_listed_newest_first(void **state)
{
    (void)state;
    sql(&f, "INSERT INTO users (id, name) VALUES ('cuid-owner', 'Owner')");
    assert_int_equal(list_projects("cuid-owner", 10).n, 0);
    struct list made[2] = {0};
    const struct project_wish first = {"cuid-owner", STR("Na\xc3\xafve \"app\""), STR_NONE, "default", NULL, 0};
    const struct project_wish second = {"cuid-owner", STR("second"), STR(""), "eu", NULL, 0};
    f.port->project_create(f.port->self, &first, FIXTURE_MS, on_project, &made[0]);
    run_until(&f, &made[0].is_done);
    f.port->project_create(f.port->self, &second, FIXTURE_MS, on_project, &made[1]);
    run_until(&f, &made[1].is_done);
    assert_string_equal(made[0].first.name, "Na\xc3\xafve \"app\"");
    assert_false(made[0].first.has_description);
    assert_true(made[1].first.has_description);
    assert_false(made[0].first.has_sandbox);
    assert_string_equal(made[0].first.cluster, "default");
    assert_string_equal(made[1].first.cluster, "eu");
    assert_true(codec_is_uuid(str_from(made[0].first.id)));
    struct list l = list_projects("cuid-owner", 10);
    assert_int_equal(l.n, 2);
    assert_string_equal(l.first.id, made[1].first.id);
    struct owned o;
    assert_true(str_copy(STR("cuid-owner"), o.owner_id, sizeof(o.owner_id)));
    memcpy(o.project_id, made[0].first.id, sizeof(o.project_id));
    sql(&f, "UPDATE projects SET updated_at = '2020-01-01'");
    world_request(&f, f.port, &o, DESIRED_RUNNING, "listed");
    l = list_projects("cuid-owner", 10);
    assert_string_equal(l.first.id, made[0].first.id); /* a request is news */
    assert_true(l.first.has_sandbox);
    assert_string_equal(l.first.sandbox.name, "listed-agentruntime-aaaaaa");
    assert_false(l.second.has_sandbox);
    assert_int_equal(l.seq, 1);
    assert_int_equal(list_projects("cuid-owner", 1).n, 1);
    struct list got = get_project("cuid-owner", made[0].first.id);
    assert_true(got.first.has_sandbox);
    assert_int_equal(got.first.sandbox.status, SANDBOX_CREATING);
    assert_int_equal(get_project("somebody", made[0].first.id).err.kind, ERR_MISSING);
    assert_int_equal(get_project("cuid-owner", "nothing").err.kind, ERR_MISSING);
}

/* Two of each moment, so that a page ends between projects of the same time. */
static void pages_hold_every_project_once(void **state)
{
    (void)state;
    sql(&f, "INSERT INTO users (id, name) VALUES ('cuid-many', 'Many')");
    sql(&f,
        "INSERT INTO projects (id, owner_id, name, updated_at) SELECT 'many-' || lpad(i::text, 2, '0'), 'cuid-many', "
        "'project ' || i, timestamptz '2026-01-01' - (i / 2) * interval '1 microsecond' FROM generate_series(0, 10) i");
    struct project_query query = {.owner_id = "cuid-many", .limit = 3};
    char after_id[ID_SIZE];
    size_t n = 0;
    struct list page;
    do {
        char expected[ID_SIZE];
        page = list_page(&query);
        (void)snprintf(expected, sizeof(expected), "many-%02zu", n);
        assert_string_equal(page.first.id, expected);
        n += page.n;
        memcpy(after_id, page.last.id, sizeof(after_id));
        query.after = (struct page_cursor){page.last_us, after_id};
    } while (page.has_more);
    assert_int_equal(n, 11);
    assert_int_equal(list_page(&query).n, 0);
}

static void a_list_is_narrowed_by_words_and_days(void **state)
{
    (void)state;
    sql(&f, "INSERT INTO users (id, name) VALUES ('cuid-some', 'Some')");
    sql(&f, "INSERT INTO projects (id, owner_id, name, description, created_at) VALUES "
            "('some-1', 'cuid-some', '100% Shop', NULL, '2026-01-01'), ('some-2', 'cuid-some', 'blog', 'a SHOP_front', "
            "'2026-01-02'), ('some-3', 'cuid-some', 'other', '', '2026-01-03')");
    struct project_query query = {.owner_id = "cuid-some", .limit = 10, .keyword = STR("shop")};
    assert_int_equal(list_page(&query).n, 2);
    query.keyword = STR("0% s"); /* no pattern */
    assert_string_equal(list_page(&query).first.id, "some-1");
    query.keyword = STR("p_f");
    assert_string_equal(list_page(&query).first.id, "some-2");
    query.keyword = STR("shopblog");
    assert_int_equal(list_page(&query).n, 0);
    query.keyword = STR_NONE;
    query.created_from_ms = 1767312000000; /* 2026-01-02 */
    assert_int_equal(list_page(&query).n, 2);
    query.created_to_ms = 1767398400000; /* 2026-01-03 */
    assert_string_equal(list_page(&query).first.id, "some-2");
    assert_int_equal(list_page(&query).n, 1);
}

/* ---- the status cache ---- */

struct found {
    bool is_done;
    enum err_kind kind;
    char json[64];
};

static void on_found(void *arg, struct str json, const struct err *err)
{
    struct found *w = arg;
    w->is_done = true;
    w->kind = err != NULL ? err->kind : ERR_NONE;
    (void)!str_copy(json, w->json, sizeof(w->json));
}

static struct found find_status(const char *project_id)
{
    struct found w = {0};
    f.port->status_find(f.port->self, "u", project_id, FIXTURE_MS, on_found, &w);
    assert_false(w.is_done);
    run_until(&f, &w.is_done);
    return w;
}

static void a_status_document_lives_until_it_is_dropped_or_written_over(void **state)
{
    (void)state;
    assert_int_equal(find_status("doc").kind, ERR_MISSING);
    f.port->status_put(f.port->self, "u", "doc", STR("{\"a\":1}"), 5000);
    f.port->status_put(f.port->self, "u", "doc", STR("{\"a\":2}"), 5000);
    struct found w = find_status("doc");
    assert_int_equal(w.kind, ERR_NONE);
    assert_string_equal(w.json, "{\"a\":2}");
    assert_int_equal(find_status("other").kind, ERR_MISSING);
    f.port->status_drop(f.port->self, "u", "doc");
    assert_int_equal(find_status("doc").kind, ERR_MISSING);
}

static void a_status_document_ends_by_itself_and_by_the_journal(void **state)
{
    (void)state;
    f.port->status_put(f.port->self, "u", "short", STR("{}"), 30);
    while (find_status("short").kind == ERR_NONE)
        run_for(&f, 5);
    struct owned o = world_project(&f, "stat");
    struct found w = {0};
    struct asked a = world_request(&f, f.port, &o, DESIRED_RUNNING, "stat");
    f.port->status_put(f.port->self, o.owner_id, o.project_id, STR("{}"), 5000);
    world_save(&f, f.port, &a.sb, 1);
    f.port->status_find(f.port->self, o.owner_id, o.project_id, FIXTURE_MS, on_found, &w);
    run_until(&f, &w.is_done);
    assert_int_equal(w.kind, ERR_MISSING);
}

/* ---- logging in ---- */

static enum err_kind prove(const char *user, const char *password, const char *database, ms_t timeout_ms)
{
    struct db_credentials c = {.host = "127.0.0.1"};
    uint64_t port = 0;
    assert_true(str_parse_u64(str_from(getenv("FS_PG_PORT")), 65535, &port));
    c.port = (int)port;
    assert_true(str_copy(str_from(user), c.user, sizeof(c.user)));
    assert_true(str_copy(str_from(database), c.database, sizeof(c.database)));
    c.password = secret_new(str_from(password));
    struct answer a = {0};
    f.port->prove_login(f.port->self, &c, timeout_ms, on_answer, &a);
    db_credentials_fini(&c);
    assert_false(a.is_done);
    run_until(&f, &a.is_done);
    return a.err.kind;
}

static void a_login_is_proven_with_exactly_the_given_credentials(void **state)
{
    (void)state;
    sql(&f, "DROP ROLE IF EXISTS app");
    sql(&f, "CREATE ROLE app LOGIN PASSWORD 'p@ss word/%?#'");
    assert_int_equal(prove("app", "p@ss word/%?#", "events", FIXTURE_MS), ERR_NONE);
    assert_int_equal(prove("app", "wrong", "events", FIXTURE_MS), ERR_NOT_READY);
    assert_int_equal(prove("app", "p@ss word/%?#", "not_there", FIXTURE_MS), ERR_NOT_READY);
}

static void nothing_is_called_after_close_or_cancel(void **state)
{
    (void)state;
    struct store *s = fixture_another_store(&f, "closing", fixture_redis_url());
    const struct port_store *port = store_port(s);
    struct list l[2] = {0};
    struct found w = {0};
    const struct project_query query = {.owner_id = "u", .limit = 10};
    port->project_list(port->self, &query, FIXTURE_MS, on_list, &l[0]);
    op_cancel(port->project_list(port->self, &query, FIXTURE_MS, on_list, &l[1]));
    port->status_find(port->self, "u", "p", FIXTURE_MS, on_found, &w);
    store_close(s);
    op_cancel(f.port->status_find(f.port->self, "u", "p", FIXTURE_MS, on_found, &w));
    run_for(&f, 50);
    assert_false(l[0].is_done || l[1].is_done || w.is_done);
}

#define COMMON                                                                                                         \
    cmocka_unit_test_setup(the_journal_is_read_by_owner_project_attempt_and_number, empty),                            \
        cmocka_unit_test_setup(a_status_document_lives_until_it_is_dropped_or_written_over, empty),                    \
        cmocka_unit_test_setup(a_status_document_ends_by_itself_and_by_the_journal, empty)

int main(void)
{
    const struct CMUnitTest with_memory[] = {
        COMMON,
        cmocka_unit_test_setup(without_redis_the_row_tells_the_others, empty),
        cmocka_unit_test_setup(a_message_that_is_nonsense_is_dropped, empty),
        cmocka_unit_test_setup(projects_are_made_found_and_listed_newest_first, empty),
        cmocka_unit_test_setup(pages_hold_every_project_once, empty),
        cmocka_unit_test_setup(a_list_is_narrowed_by_words_and_days, empty),
        cmocka_unit_test_setup(a_login_is_proven_with_exactly_the_given_credentials, empty),
    };
    const struct CMUnitTest with_redis[] = {
        COMMON,
        cmocka_unit_test_setup(with_redis_the_others_are_told_once, empty),
        cmocka_unit_test_setup(when_redis_goes_the_rows_tell, empty),
        cmocka_unit_test_setup(nothing_is_called_after_close_or_cancel, empty),
    };
    int failed_n = cmocka_run_group_tests(with_memory, setup_notify, teardown);
    return failed_n + cmocka_run_group_tests(with_redis, setup_redis, teardown);
}
