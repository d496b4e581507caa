// SPDX-License-Identifier: MIT
/* Items of an endless or large document, each built in an arena that is emptied after it. What stands around the items
 * of a list (its "rest") is built beside them under the same limits. */
#include <stdlib.h>
#include <string.h>

#include "core/base/json_private.h"
#include "core/base/xmem.h"

enum place {
    PLACE_REST,  /* in the document around the items; for a stream of top-level values: between them */
    PLACE_VALUE, /* the key of the items was read: their array must come */
    PLACE_ITEMS, /* in the array, between two items */
    PLACE_ITEM,
};

struct json_stream {
    struct json_sax *sax;
    const char *array_key; /* NULL: every top-level value is an item */
    json_on_item *on_item;
    void *arg;
    size_t max_bytes;
    enum place place;
    enum place outside; /* where an item's end leads back to */
    bool has_seen_items;
    bool has_failed;
    struct err fault;
    struct arena *item_arena;
    struct json_build item;
    uint64_t item_bytes;
    struct arena *rest_arena;
    struct json_build rest;
    uint64_t rest_bytes;
    uint64_t last_at;
};

static json_on_event on_event;

struct json_stream *json_stream_new(const char *array_key, const struct json_limits *item_limits, json_on_item *on_item,
                                    void *arg)
{
    struct json_stream *s = xcalloc(1, sizeof(*s));
    s->array_key = array_key;
    s->on_item = on_item;
    s->arg = arg;
    s->max_bytes = item_limits->max_bytes;
    s->outside = array_key == NULL ? PLACE_REST : PLACE_ITEMS;
    s->item_arena = arena_new();
    s->rest_arena = arena_new();
    json_build_init(&s->item, s->item_arena, item_limits);
    json_build_init(&s->rest, s->rest_arena, item_limits);
    s->sax = json_sax_new(array_key == NULL ? JSON_MANY_VALUES : JSON_ONE_VALUE, on_event, s);
    return s;
}

void json_stream_free(struct json_stream *s)
{
    if (s == NULL)
        return;
    json_sax_free(s->sax);
    json_build_fini(&s->item);
    json_build_fini(&s->rest);
    arena_free(s->item_arena);
    arena_free(s->rest_arena);
    free(s);
}

static bool too_large(struct err *reterr, const struct json_stream *s)
{
    return err_set(reterr, ERR_TOO_LARGE, "json_stream", "a JSON value is larger than %zu bytes", s->max_bytes);
}

/* ---- an item ---- */

static bool item_event(struct json_stream *s, const struct json_event *ev, struct err *reterr)
{
    if (s->item_bytes > s->max_bytes)
        return too_large(reterr, s);
    if (!json_build_event(&s->item, ev, reterr))
        return json_sax_place(s->sax, reterr);
    if (!json_build_is_done(&s->item))
        return true;
    s->place = s->outside;
    bool want_more = s->on_item(s->arg, s->item.root, reterr);
    json_build_restart(&s->item);
    arena_reset(s->item_arena);
    return want_more;
}

/* Blanks before the item are not its own: a bracket is one byte, a scalar about its text. */
static bool start_item(struct json_stream *s, const struct json_event *ev, struct err *reterr)
{
    s->place = PLACE_ITEM;
    s->item_bytes = ev->event == JSON_EV_OPEN ? 1 : ev->text.n;
    return item_event(s, ev, reterr);
}

/* ---- around the items ---- */

static bool list_error(struct json_stream *s, const char *what, struct err *reterr)
{
    char pointer[sizeof(reterr->field)];
    json_build_pointer(&s->rest, pointer, sizeof(pointer));
    err_set_field(reterr, ERR_INVALID, "json_stream", pointer, "%s", what);
    return json_sax_place(s->sax, reterr);
}

static bool is_items_key(const struct json_stream *s, const struct json_event *ev)
{
    return ev->event == JSON_EV_KEY && s->rest.depth == 1 && !s->rest.is_skipping &&
           str_eq_text(ev->text, s->array_key);
}

static bool rest_event(struct json_stream *s, const struct json_event *ev, struct err *reterr)
{
    if (s->rest_bytes > s->max_bytes)
        return too_large(reterr, s);
    if (s->rest.root == NULL && (ev->event != JSON_EV_OPEN || ev->type != JSON_OBJECT))
        return list_error(s, "a list must be a JSON object", reterr);
    if (is_items_key(s, ev)) {
        if (s->has_seen_items)
            return list_error(s, "a key is there twice", reterr);
        s->has_seen_items = true;
        s->place = PLACE_VALUE;
        return true;
    }
    return json_build_event(&s->rest, ev, reterr) || json_sax_place(s->sax, reterr);
}

/* Kubernetes writes null for an empty list. */
static bool items_value(struct json_stream *s, const struct json_event *ev, struct err *reterr)
{
    if (ev->event == JSON_EV_OPEN && ev->type == JSON_ARRAY) {
        s->place = PLACE_ITEMS;
        return true;
    }
    s->place = PLACE_REST;
    if (ev->event == JSON_EV_VALUE && ev->type == JSON_NULL)
        return true;
    return list_error(s, "the items of a list must be an array", reterr);
}

static bool on_event(void *arg, const struct json_event *ev, uint64_t at, struct err *reterr)
{
    struct json_stream *s = arg;
    uint64_t bytes = at - s->last_at;
    s->last_at = at;
    switch (s->place) {
    case PLACE_ITEM:
        s->item_bytes += bytes;
        return item_event(s, ev, reterr);
    case PLACE_ITEMS:
        if (ev->event != JSON_EV_CLOSE)
            return start_item(s, ev, reterr);
        s->place = PLACE_REST;
        return true;
    case PLACE_VALUE:
        return items_value(s, ev, reterr);
    case PLACE_REST:
        break;
    }
    if (s->array_key == NULL)
        return start_item(s, ev, reterr);
    s->rest_bytes += bytes;
    return rest_event(s, ev, reterr);
}

/* ---- feeding ---- */

static bool fail(struct json_stream *s, struct err *reterr)
{
    s->has_failed = true;
    err_copy(reterr, &s->fault);
    return false;
}

bool json_stream_feed(struct json_stream *s, struct str bytes, struct err *reterr)
{
    if (s->has_failed || !json_sax_feed(s->sax, bytes, &s->fault))
        return fail(s, reterr);
    uint64_t held = json_sax_pending_bytes(s->sax);
    if (s->place == PLACE_ITEM)
        held += s->item_bytes;
    else if (s->place == PLACE_REST)
        held += s->rest_bytes;
    if (held > s->max_bytes) {
        too_large(&s->fault, s);
        return fail(s, reterr);
    }
    return true;
}

bool json_stream_finish(struct json_stream *s, const struct json_value **ret_rest, struct err *reterr)
{
    if (s->has_failed || !json_sax_finish(s->sax, &s->fault))
        return fail(s, reterr);
    if (ret_rest != NULL)
        *ret_rest = s->rest.root;
    return true;
}
