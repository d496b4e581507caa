// SPDX-License-Identifier: MIT
/* Merge patch, JSON patch, strategic merge patch and the merging part of server-side apply. */
#include "devcluster/base/patch.h"

#include "devcluster/base/lists.h"

void patch_merge(struct arena *a, struct doc *target, const struct doc *patch)
{
    for (const struct doc *c = patch->first; c != NULL; c = c->next) {
        if (c->type == JSON_NULL) {
            doc_remove_str(target, c->key);
            continue;
        }
        struct doc *there = target;
        const struct doc *old = doc_find_str(target, c->key);
        if (c->type != JSON_OBJECT) {
            doc_set_str_key(a, target, c->key, doc_copy(a, c));
            continue;
        }
        if (doc_type(old) != JSON_OBJECT)
            doc_set_str_key(a, target, c->key, doc_object(a));
        for (there = target->first; !str_eq(there->key, c->key);)
            there = there->next;
        patch_merge(a, there, c);
    }
}

/* ---- RFC 6902 ---- */

struct place {
    struct doc *parent;
    struct str key;   /* the last token, unescaped */
    struct doc *self; /* NULL: nothing there */
    size_t index;     /* in an array */
};

static struct str unescape(struct arena *a, struct str token)
{
    char *text = arena_alloc(a, token.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < token.n; i++) {
        bool is_escape = token.p[i] == '~' && i + 1 < token.n;
        if (is_escape && token.p[i + 1] == '1')
            text[n++] = '/';
        else if (is_escape && token.p[i + 1] == '0')
            text[n++] = '~';
        else
            text[n++] = token.p[i];
        i += is_escape ? 1 : 0;
    }
    return (struct str){text, n};
}

static bool step_into(struct arena *a, struct place *p, struct str token)
{
    p->parent = p->self;
    p->key = unescape(a, token);
    p->self = NULL;
    if (p->parent == NULL)
        return false;
    if (p->parent->type == JSON_OBJECT) {
        for (struct doc *c = p->parent->first; c != NULL; c = c->next)
            if (str_eq(c->key, p->key))
                p->self = c;
        return true;
    }
    if (p->parent->type != JSON_ARRAY)
        return false;
    uint64_t index;
    size_t n = doc_count(p->parent);
    if (str_eq_text(p->key, "-")) {
        p->index = n;
        return true;
    }
    if (!str_parse_u64(p->key, n, &index))
        return false;
    p->index = (size_t)index;
    p->self = p->parent->first;
    for (size_t i = 0; i < p->index; i++)
        p->self = p->self->next;
    return true;
}

static bool find_place(struct arena *a, struct doc *root, struct str pointer, struct place *ret)
{
    *ret = (struct place){.self = root};
    if (pointer.n == 0)
        return true;
    struct str token;
    if (pointer.p[0] != '/')
        return false;
    pointer = str_slice(pointer, 1, pointer.n);
    while (str_next(&pointer, '/', &token))
        if (!step_into(a, ret, token))
            return false;
    return true;
}

static bool put(struct arena *a, const struct place *p, struct doc *value)
{
    if (doc_type(p->parent) == JSON_OBJECT)
        doc_set_str_key(a, p->parent, p->key, value);
    else if (doc_type(p->parent) == JSON_ARRAY)
        doc_insert(p->parent, p->index, value);
    else
        return false;
    return true;
}

static bool run_operation(struct arena *a, struct doc *root, const struct doc *operation)
{
    struct str op = doc_get(operation, "op");
    const struct doc *value = doc_find(operation, "value");
    struct place at;
    struct place from;
    if (doc_type(doc_find(operation, "path")) != JSON_STR || !find_place(a, root, doc_get(operation, "path"), &at))
        return false;
    if (str_eq_text(op, "test"))
        return at.self != NULL && doc_equal(at.self, value);
    if (str_eq_text(op, "add"))
        return value != NULL && put(a, &at, doc_copy(a, value));
    if (str_eq_text(op, "replace")) {
        if (at.self == NULL || at.parent == NULL || value == NULL)
            return false;
        doc_replace_child(at.parent, at.self, doc_copy(a, value));
        return true;
    }
    if (str_eq_text(op, "remove"))
        return at.self != NULL && at.parent != NULL && doc_remove_child(at.parent, at.self);
    if (!find_place(a, root, doc_get(operation, "from"), &from) || from.self == NULL || from.parent == NULL)
        return false;
    struct doc *copy = doc_copy(a, from.self);
    if (str_eq_text(op, "copy"))
        return put(a, &at, copy);
    if (!str_eq_text(op, "move") || !doc_remove_child(from.parent, from.self))
        return false;
    return find_place(a, root, doc_get(operation, "path"), &at) && put(a, &at, copy);
}

bool patch_json(struct arena *a, struct doc *target, const struct doc *operations)
{
    if (doc_type(operations) != JSON_ARRAY)
        return false;
    for (const struct doc *c = operations->first; c != NULL; c = c->next)
        if (!run_operation(a, target, c))
            return false;
    return true;
}

/* ---- lists with merge keys ---- */

struct merging {
    struct arena *arena;
    bool is_custom;
    bool is_strategic; /* null removes, $patch obeyed, sets are replaced; else server-side apply */
};

static void merge_object(const struct merging *m, struct doc *target, const struct doc *change);

static bool is_delete(const struct doc *element)
{
    return str_eq_text(doc_get(element, "$patch"), "delete");
}

static void merge_list(const struct merging *m, struct doc *target, const struct doc *change,
                       const struct list_rule *rule)
{
    for (const struct doc *c = change->first; c != NULL; c = c->next) {
        struct doc *there = list_find(rule, target, c);
        if (m->is_strategic && is_delete(c)) {
            if (there != NULL)
                doc_remove_child(target, there);
        } else if (there == NULL) {
            doc_append(target, doc_copy(m->arena, c));
        } else if (rule->type == LIST_MAP && there->type == JSON_OBJECT && c->type == JSON_OBJECT) {
            merge_object(m, there, c);
        }
    }
}

static void merge_member(const struct merging *m, struct doc *target, const struct doc *c)
{
    struct doc *there = NULL;
    for (struct doc *t = target->first; t != NULL && there == NULL; t = t->next)
        if (str_eq(t->key, c->key))
            there = t;
    if (c->type == JSON_ARRAY && doc_type(there) == JSON_ARRAY) {
        const struct list_rule *rule = list_rule(c->key, c, m->is_custom);
        if (rule->type == LIST_MAP || (rule->type == LIST_SET && !m->is_strategic)) {
            merge_list(m, there, c, rule);
            return;
        }
    }
    bool is_whole = !m->is_strategic && map_is_atomic(c->key, m->is_custom);
    if (c->type == JSON_OBJECT && doc_type(there) == JSON_OBJECT && !is_whole) {
        merge_object(m, there, c);
        return;
    }
    struct doc *copy = doc_copy(m->arena, c);
    if (m->is_strategic && copy->type == JSON_OBJECT)
        doc_remove(copy, "$patch");
    doc_set_str_key(m->arena, target, c->key, copy);
}

static void merge_object(const struct merging *m, struct doc *target, const struct doc *change)
{
    if (target == NULL || change == NULL)
        return;
    for (const struct doc *c = change->first; c != NULL; c = c->next) {
        if (m->is_strategic && c->key.n > 0 && c->key.p[0] == '$')
            continue;
        if (c->type != JSON_NULL)
            merge_member(m, target, c);
        else if (m->is_strategic)
            doc_remove_str(target, c->key);
    }
}

void patch_strategic(struct arena *a, struct doc *target, const struct doc *patch)
{
    merge_object(&(struct merging){.arena = a, .is_strategic = true}, target, patch);
}

void patch_apply(struct arena *a, struct doc *target, const struct doc *config, bool is_custom)
{
    merge_object(&(struct merging){.arena = a, .is_custom = is_custom}, target, config);
}
