// SPDX-License-Identifier: MIT
/* Makes a tree of nodes from events, without recursion, under the limits: depth, nodes, no key twice. Knows nothing of
 * the text the events came from. */
#include <stdlib.h>
#include <string.h>

#include "core/base/codec.h"
#include "core/base/json_private.h"
#include "core/base/xmem.h"

/* ---- the keys of large objects ---- */

/* Objects of up to FEW keys are searched; the members of larger ones are found by hash, all in one table, so that an
 * object of n keys costs n and not n * n. The hash is keyed by chance: a client cannot make keys collide. */
enum { FEW = 8, FIRST_SLOTS = 64, LARGEST_KEPT_SLOTS = 1024 };

struct slot {
    const struct json_value *object; /* NULL: free */
    const struct json_value *member;
    uint64_t hash;
};

struct json_seen {
    struct slot *slots;
    size_t n_slots; /* a power of two */
    size_t n_used;
};

static uint64_t hash_of(const struct json_value *object, struct str key)
{
    return codec_hash(key.p, key.n) ^ ((uint64_t)(uintptr_t)object * UINT64_C(0x9E3779B97F4A7C15));
}

/* The slot of this key, or the free one where it belongs. */
static struct slot *seen_slot(const struct json_seen *seen, const struct json_value *object, struct str key,
                              uint64_t hash)
{
    size_t at = (size_t)hash & (seen->n_slots - 1);
    while (seen->slots[at].object != NULL) {
        const struct slot *s = &seen->slots[at];
        if (s->hash == hash && s->object == object && str_eq(s->member->key, key))
            break;
        at = (at + 1) & (seen->n_slots - 1);
    }
    return &seen->slots[at];
}

static void seen_grow(struct json_seen *seen)
{
    struct json_seen old = *seen;
    seen->n_slots = old.n_slots > 0 ? old.n_slots * 2 : FIRST_SLOTS;
    seen->slots = xcalloc(seen->n_slots, sizeof(*seen->slots));
    for (size_t i = 0; i < old.n_slots; i++) {
        const struct slot *s = &old.slots[i];
        if (s->object != NULL)
            *seen_slot(seen, s->object, s->member->key, s->hash) = *s;
    }
    free(old.slots);
}

static void seen_add(struct json_seen *seen, const struct json_value *object, const struct json_value *member)
{
    if (seen->n_used * 2 >= seen->n_slots)
        seen_grow(seen);
    uint64_t hash = hash_of(object, member->key);
    *seen_slot(seen, object, member->key, hash) = (struct slot){object, member, hash};
    seen->n_used++;
}

static void seen_clear(struct json_seen *seen)
{
    if (seen->n_slots > LARGEST_KEPT_SLOTS) {
        free(seen->slots);
        *seen = (struct json_seen){0};
    } else if (seen->n_used > 0) {
        memset(seen->slots, 0, seen->n_slots * sizeof(*seen->slots));
        seen->n_used = 0;
    }
}

static bool has_member(const struct json_seen *seen, const struct json_value *object, struct str key)
{
    if (object->count > FEW)
        return seen_slot(seen, object, key, hash_of(object, key))->object != NULL;
    for (const struct json_value *m = object->first; m != NULL; m = m->next) {
        if (str_eq(m->key, key))
            return true;
    }
    return false;
}

/* The member is the object's last and counted. */
static void remember_member(struct json_seen *seen, const struct json_value *object)
{
    if (object->count == FEW + 1) {
        for (const struct json_value *m = object->first; m != NULL; m = m->next)
            seen_add(seen, object, m);
    } else if (object->count > FEW) {
        seen_add(seen, object, object->last);
    }
}

/* ---- the builder ---- */

void json_build_init(struct json_build *b, struct arena *arena, const struct json_limits *limits)
{
    *b = (struct json_build){.arena = arena, .limits = *limits};
    if (b->limits.max_depth > JSON_MAX_DEPTH)
        b->limits.max_depth = JSON_MAX_DEPTH;
    b->seen = xcalloc(1, sizeof(*b->seen));
}

void json_build_fini(struct json_build *b)
{
    if (b->seen != NULL)
        free(b->seen->slots);
    free(b->seen);
    b->seen = NULL;
}

void json_build_restart(struct json_build *b)
{
    b->root = NULL;
    b->depth = 0;
    b->skip_depth = 0;
    b->is_skipping = false;
    b->has_key = false;
    b->n_nodes = 0;
    seen_clear(b->seen);
}

bool json_build_is_done(const struct json_build *b)
{
    return b->root != NULL && b->depth == 0;
}

static struct json_value *top(const struct json_build *b)
{
    return b->depth > 0 ? b->open[b->depth - 1] : NULL;
}

/* Bytes outside printable ASCII become "?": the pointer goes into answers and logs. */
static size_t add_pointer_part(char *ret, size_t size, size_t at, struct str key)
{
    if (at + 1 < size)
        ret[at++] = '/';
    for (size_t i = 0; i < key.n; i++) {
        char c = key.p[i];
        bool is_escaped = c == '~' || c == '/'; /* RFC 6901 section 3 */
        if (at + (is_escaped ? 2 : 1) >= size)
            break;
        if (is_escaped)
            ret[at++] = '~';
        ret[at++] = is_escaped ? (c == '~' ? '0' : '1') : c > ' ' && c < 0x7F ? c : '?';
    }
    return at;
}

static size_t add_pointer_index(char *ret, size_t size, size_t at, size_t index)
{
    char digits[24];
    size_t i = sizeof(digits);
    do {
        digits[--i] = (char)('0' + index % 10);
        index /= 10;
    } while (index > 0);
    return add_pointer_part(ret, size, at, (struct str){digits + i, sizeof(digits) - i});
}

void json_build_pointer(const struct json_build *b, char *ret, size_t size)
{
    size_t at = 0;
    for (unsigned i = 1; i < b->depth; i++) {
        const struct json_value *v = b->open[i];
        if (v->key.p != NULL)
            at = add_pointer_part(ret, size, at, v->key);
        else
            at = add_pointer_index(ret, size, at, b->open[i - 1]->count - 1);
    }
    if (b->has_key)
        at = add_pointer_part(ret, size, at, b->key);
    else if (b->depth > 0 && top(b)->type == JSON_ARRAY)
        at = add_pointer_index(ret, size, at, top(b)->count);
    ret[at] = '\0';
}

static bool refuse(const struct json_build *b, enum err_kind kind, const char *what, struct err *reterr)
{
    char pointer[sizeof(reterr->field)];
    json_build_pointer(b, pointer, sizeof(pointer));
    return err_set_field(reterr, kind, "json_build", pointer, "%s", what);
}

static struct json_value *add_node(struct json_build *b, const struct json_event *ev)
{
    struct json_value *parent = top(b);
    struct json_value *v = arena_alloc(b->arena, sizeof(*v));
    v->type = ev->type;
    b->n_nodes++;
    if (parent == NULL) {
        b->root = v;
        return v;
    }
    v->key = b->has_key ? b->key : STR_NONE;
    b->has_key = false;
    if (parent->last == NULL)
        parent->first = v;
    else
        parent->last->next = v;
    parent->last = v;
    parent->count++;
    if (parent->type == JSON_OBJECT)
        remember_member(b->seen, parent);
    return v;
}

static bool take_key(struct json_build *b, const struct json_event *ev, struct err *reterr)
{
    if (b->limits.skip_key != NULL && str_eq_text(ev->text, b->limits.skip_key)) {
        b->is_skipping = true;
        return true;
    }
    b->key = arena_dup_str(b->arena, ev->text);
    b->has_key = true;
    if (has_member(b->seen, top(b), ev->text))
        return refuse(b, ERR_INVALID, "a key is there twice", reterr);
    return true;
}

static bool has_room(struct json_build *b, const struct json_event *ev, struct err *reterr)
{
    if (ev->event == JSON_EV_OPEN && b->depth + b->skip_depth >= b->limits.max_depth)
        return refuse(b, ERR_INVALID, "JSON is nested too deeply", reterr);
    if (!b->is_skipping && b->n_nodes >= b->limits.max_nodes)
        return refuse(b, ERR_TOO_LARGE, "JSON has too many values", reterr);
    return true;
}

static void skip(struct json_build *b, const struct json_event *ev)
{
    if (ev->event == JSON_EV_OPEN)
        b->skip_depth++;
    else if (ev->event == JSON_EV_CLOSE)
        b->skip_depth--;
    if (b->skip_depth == 0)
        b->is_skipping = false;
}

static void store(struct json_build *b, const struct json_event *ev)
{
    struct json_value *v = add_node(b, ev);
    if (ev->event == JSON_EV_OPEN) {
        b->open[b->depth++] = v;
        return;
    }
    v->boolean = ev->boolean;
    v->text = ev->type == JSON_STR || ev->type == JSON_NUMBER ? arena_dup_str(b->arena, ev->text) : STR_NONE;
}

bool json_build_event(struct json_build *b, const struct json_event *ev, struct err *reterr)
{
    bool is_new_value = ev->event == JSON_EV_VALUE || ev->event == JSON_EV_OPEN;
    if (is_new_value && !has_room(b, ev, reterr))
        return false;
    if (b->is_skipping)
        skip(b, ev);
    else if (ev->event == JSON_EV_KEY)
        return take_key(b, ev, reterr);
    else if (ev->event == JSON_EV_CLOSE)
        b->depth--;
    else
        store(b, ev);
    return true;
}
