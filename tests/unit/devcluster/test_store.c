// SPDX-License-Identifier: MIT
/* Versions, generations, the index, deletion, and the remembered events. */
#include "tests/unit/cmocka_all.h"

#include "core/base/codec.h"
#include "devcluster/objects/store.h"

enum { EVENTS_N = 4 };

struct world {
    struct loop *loop;
    struct store *store;
    struct store_listener listener;
    unsigned counts[3];
};

static void on_event(void *arg, struct entry *entry, const struct event *event)
{
    struct world *w = arg;
    assert_ptr_equal(entry->kind, event->now->kind);
    w->counts[event->type]++;
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    w->loop = loop_new_simulated(1700000000000);
    w->store = store_new(w->loop, EVENTS_N);
    w->listener = (struct store_listener){.on_event = on_event, .arg = w};
    store_listen(w->store, &w->listener);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    while (loop_turn(w->loop)) {
    }
    store_free(w->store);
    loop_free(w->loop);
    free(w);
    return 0;
}

static struct entry *add(struct world *w, enum kind_id kind, const char *name)
{
    struct arena *a = arena_new();
    struct doc *root = doc_object(a);
    struct doc *meta = doc_need_object(a, root, "metadata");
    doc_set_text(a, meta, "name", name);
    doc_set_text(a, meta, "namespace", "ns");
    doc_set_text(a, doc_need_object(a, meta, "labels"), "app", name);
    doc_need_object(a, root, "spec");
    return store_add(w->store, draft_new(kind_get(kind), root, a));
}

static bool set_spec(struct world *w, struct entry *e, int64_t value, enum store_what what)
{
    struct draft *d = draft_of(e);
    doc_set_int(d->arena, doc_need_object(d->arena, d->root, "spec"), "value", value);
    return store_put(w->store, d, what);
}

static int64_t generation(const struct entry *e)
{
    return doc_as_int(doc_find(object_meta(e->now), "generation"), -1);
}

static void versions_grow_and_an_empty_change_is_none(void **state)
{
    struct world *w = *state;
    struct entry *e = add(w, KIND_DEPLOYMENT, "a");
    uint64_t first = e->now->version;
    assert_true(set_spec(w, e, 1, STORE_MAIN));
    assert_true(e->now->version > first);
    assert_false(set_spec(w, e, 1, STORE_MAIN));
    assert_int_equal(1, w->counts[EVENT_ADDED]);
    assert_int_equal(1, w->counts[EVENT_MODIFIED]);
}

static void the_generation_follows_main_writes_only(void **state)
{
    struct world *w = *state;
    struct entry *e = add(w, KIND_DEPLOYMENT, "a");
    assert_int_equal(1, generation(e));
    assert_true(set_spec(w, e, 1, STORE_MAIN));
    assert_int_equal(2, generation(e));
    assert_true(set_spec(w, e, 2, STORE_STATUS));
    assert_int_equal(2, generation(e));
    assert_int_equal(-1, generation(add(w, KIND_SECRET, "s")));
}

static void entries_are_found_by_name_uid_and_label(void **state)
{
    struct world *w = *state;
    struct arena *a = arena_new();
    struct entry *e = add(w, KIND_POD, "b");
    add(w, KIND_POD, "a");
    add(w, KIND_POD, "c");
    assert_ptr_equal(e, store_find(w->store, kind_get(KIND_POD), STR("ns"), STR("b")));
    assert_null(store_find(w->store, kind_get(KIND_POD), STR("other"), STR("b")));
    assert_null(store_find(w->store, kind_get(KIND_SECRET), STR("ns"), STR("b")));
    assert_ptr_equal(e, store_find_uid(w->store, e->now->uid));
    struct entry **found = store_by_label(w->store, a, kind_get(KIND_POD), STR("app"), STR("b"));
    assert_ptr_equal(e, found[0]);
    assert_null(found[1]);
    size_t n;
    struct entry **all = store_range(w->store, kind_get(KIND_POD), STR("ns"), &n);
    assert_int_equal(3, n);
    assert_true(str_eq_text(all[0]->now->name, "a") && str_eq_text(all[2]->now->name, "c"));
    store_remove(w->store, e);
    found = store_by_label(w->store, a, kind_get(KIND_POD), STR("app"), STR("b"));
    assert_null(found[0]);
    arena_free(a);
}

static void a_finalizer_holds_and_lets_go(void **state)
{
    struct world *w = *state;
    struct entry *e = add(w, KIND_SECRET, "a");
    struct draft *d = draft_of(e);
    doc_append(doc_need_array(d->arena, doc_edit(d->root, "metadata"), "finalizers"), doc_text(d->arena, "x/y"));
    assert_true(store_put(w->store, d, STORE_MAIN));
    store_delete(w->store, e, DELETE_BACKGROUND, -1);
    assert_false(e->is_gone);
    assert_true(object_is_deleting(e->now));
    d = draft_of(e);
    doc_remove(doc_edit(d->root, "metadata"), "finalizers");
    assert_true(store_put(w->store, d, STORE_MAIN));
    assert_true(e->is_gone);
    assert_int_equal(1, w->counts[EVENT_DELETED]);
}

static void a_bound_pod_has_its_grace(void **state)
{
    struct world *w = *state;
    struct entry *e = add(w, KIND_POD, "a");
    struct draft *d = draft_of(e);
    doc_set_text(d->arena, doc_edit(d->root, "spec"), "nodeName", "n");
    assert_true(store_put(w->store, d, STORE_STATUS));
    store_delete(w->store, e, DELETE_BACKGROUND, -1);
    assert_false(e->is_gone);
    assert_int_equal(30, doc_as_int(doc_find(object_meta(e->now), "deletionGracePeriodSeconds"), -1));
    store_delete(w->store, e, DELETE_BACKGROUND, 0);
    assert_true(e->is_gone);
    struct entry *unbound = add(w, KIND_POD, "b");
    store_delete(w->store, unbound, DELETE_BACKGROUND, -1);
    assert_true(unbound->is_gone);
}

static void events_are_remembered_up_to_the_window(void **state)
{
    struct world *w = *state;
    const struct kind *kind = kind_get(KIND_SECRET);
    static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
    uint64_t versions[6];
    for (size_t i = 0; i < 6; i++)
        versions[i] = add(w, KIND_SECRET, names[i])->now->version;
    assert_int_equal(versions[1], store_oldest(w->store, kind));
    size_t i = 0;
    const struct event *event = store_event_after(w->store, kind, versions[3], &i);
    assert_true(str_eq_text(event->now->name, "e"));
    event = store_event_after(w->store, kind, versions[3], &i);
    assert_true(str_eq_text(event->now->name, "f"));
    assert_null(store_event_after(w->store, kind, versions[3], &i));
    store_compact(w->store);
    assert_int_equal(store_version(w->store), store_oldest(w->store, kind));
}

static void the_past_can_be_rebuilt(void **state)
{
    struct world *w = *state;
    const struct kind *kind = kind_get(KIND_SECRET);
    struct arena *a = arena_new();
    add(w, KIND_SECRET, "a");
    struct entry *b = add(w, KIND_SECRET, "b");
    uint64_t then = store_version(w->store);
    assert_true(set_spec(w, b, 7, STORE_MAIN));
    store_remove(w->store, store_find(w->store, kind, STR("ns"), STR("a")));
    add(w, KIND_SECRET, "c");
    size_t n;
    const struct object **past = store_at(w->store, a, kind, then, &n);
    assert_int_equal(2, n);
    assert_true(str_eq_text(past[0]->name, "a") && str_eq_text(past[1]->name, "b"));
    assert_null(doc_at(past[1]->root, "spec", "value", NULL));
    past = store_at(w->store, a, kind, store_version(w->store), &n);
    assert_int_equal(2, n);
    assert_true(str_eq_text(past[0]->name, "b") && str_eq_text(past[1]->name, "c"));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(versions_grow_and_an_empty_change_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_generation_follows_main_writes_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(entries_are_found_by_name_uid_and_label, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_finalizer_holds_and_lets_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bound_pod_has_its_grace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(events_are_remembered_up_to_the_window, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_past_can_be_rebuilt, set_up, tear_down),
    };
    struct err err;
    if (!codec_init(&err))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
