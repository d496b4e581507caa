// SPDX-License-Identifier: MIT
/* Field sets as JSON trees: "f:NAME" a member, "k:{...}" an element by key, "v:..." a set's value, "." the item itself.
 * A node without members is a leaf. */
#include "devcluster/base/fields.h"

#include "devcluster/base/lists.h"

struct collect {
    struct arena *arena;
    bool is_custom;
    bool only_changed;
};

static void collect_value(const struct collect *c, struct doc *set, struct str key, const struct doc *before,
                          const struct doc *after);

static void put_leaf(const struct collect *c, struct doc *set, struct str key)
{
    doc_set_str_key(c->arena, set, key, doc_object(c->arena));
}

static struct str member_key(struct arena *a, struct str name)
{
    return str_from(arena_printf(a, "f:%.*s", STR_ARG(name)));
}

static void collect_members(const struct collect *c, struct doc *set, const struct doc *before, const struct doc *after)
{
    for (const struct doc *m = after->first; m != NULL; m = m->next)
        if (m->type != JSON_NULL)
            collect_value(c, set, m->key, doc_find_str(before, m->key), m);
}

static void collect_list(const struct collect *c, struct doc *set, const struct doc *before, const struct doc *after)
{
    const struct list_rule *rule = list_rule(after->key, after, c->is_custom);
    for (const struct doc *e = after->first; e != NULL; e = e->next) {
        const struct doc *old = list_find(rule, before, e);
        if (c->only_changed && old != NULL && doc_equal(old, e))
            continue;
        struct doc *item = doc_object(c->arena);
        doc_set_str_key(c->arena, set, list_element_key(c->arena, rule, e), item);
        if (rule->type != LIST_MAP)
            continue;
        if (!c->only_changed || old == NULL)
            put_leaf(c, item, STR("."));
        collect_members(c, item, old, e);
    }
}

static void collect_value(const struct collect *c, struct doc *set, struct str key, const struct doc *before,
                          const struct doc *after)
{
    if (c->only_changed && before != NULL && doc_equal(before, after))
        return;
    struct str name = member_key(c->arena, key);
    bool is_map = after->type == JSON_OBJECT && after->first != NULL && !map_is_atomic(key, c->is_custom);
    bool is_list =
        after->type == JSON_ARRAY && after->first != NULL && list_rule(key, after, c->is_custom)->type != LIST_ATOMIC;
    if (!is_map && !is_list) {
        put_leaf(c, set, name);
        return;
    }
    struct doc *inner = doc_object(c->arena);
    doc_set_str_key(c->arena, set, name, inner);
    if (is_map)
        collect_members(c, inner, before, after);
    else
        collect_list(c, inner, before, after);
    if (inner->first == NULL)
        doc_remove_str(set, name);
}

static bool is_server_owned(struct str key)
{
    static const char *const names[] = {"name",
                                        "namespace",
                                        "uid",
                                        "resourceVersion",
                                        "generation",
                                        "selfLink",
                                        "generateName",
                                        "creationTimestamp",
                                        "managedFields",
                                        "deletionTimestamp",
                                        "deletionGracePeriodSeconds"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (str_eq_text(key, names[i]))
            return true;
    return false;
}

static struct doc *collect_root(const struct collect *c, const struct doc *before, const struct doc *after)
{
    struct doc *set = doc_object(c->arena);
    for (const struct doc *m = after->first; m != NULL; m = m->next) {
        const struct doc *old = doc_find_str(before, m->key);
        if (str_eq_text(m->key, "apiVersion") || str_eq_text(m->key, "kind") || str_eq_text(m->key, "status"))
            continue;
        if (!str_eq_text(m->key, "metadata")) {
            collect_value(c, set, m->key, old, m);
            continue;
        }
        struct doc *meta = doc_object(c->arena);
        for (const struct doc *x = m->first; x != NULL; x = x->next)
            if (!is_server_owned(x->key))
                collect_value(c, meta, x->key, doc_find_str(old, x->key), x);
        if (meta->first != NULL)
            doc_set(c->arena, set, "f:metadata", meta);
    }
    return set;
}

struct doc *fields_of(struct arena *a, const struct doc *root, bool is_custom)
{
    return collect_root(&(struct collect){.arena = a, .is_custom = is_custom}, NULL, root);
}

struct doc *fields_changed(struct arena *a, const struct doc *before, const struct doc *after, bool is_custom)
{
    return collect_root(&(struct collect){.arena = a, .is_custom = is_custom, .only_changed = true}, before, after);
}

void fields_unite(struct arena *a, struct doc *set, const struct doc *more)
{
    for (const struct doc *m = more == NULL ? NULL : more->first; m != NULL; m = m->next) {
        const struct doc *there = doc_find_str(set, m->key);
        if (there == NULL) {
            doc_set_str_key(a, set, m->key, doc_copy(a, m));
            continue;
        }
        struct doc *inner = set->first;
        while (inner != there)
            inner = inner->next;
        fields_unite(a, inner, m);
    }
}

void fields_subtract(struct doc *set, const struct doc *taken)
{
    for (struct doc *m = set->first, *next; m != NULL; m = next) {
        next = m->next;
        const struct doc *other = doc_find_str(taken, m->key);
        if (other == NULL)
            continue;
        if (m->first != NULL && other->first != NULL)
            fields_subtract(m, other);
        if (m->first == NULL || other->first == NULL)
            doc_remove_child(set, m);
    }
}

bool fields_is_empty(const struct doc *set)
{
    return set == NULL || set->first == NULL;
}

/* "k:{"name":"web"}" reads [name="web"], "f:image" reads .image, as a server prints paths. */
static const char *path_join(struct arena *a, const char *path, struct str key)
{
    if (str_starts(key, STR("f:")))
        return arena_printf(a, "%s.%.*s", path, STR_ARG(str_slice(key, 2, key.n)));
    if (str_starts(key, STR("v:")))
        return arena_printf(a, "%s[=%.*s]", path, STR_ARG(str_slice(key, 2, key.n)));
    if (!str_starts(key, STR("k:")))
        return path;
    const struct json_value *keys = json_parse(a, str_slice(key, 2, key.n), &JSON_LIMITS_BODY, NULL);
    const char *text = "";
    for (const struct json_value *k = json_first(keys); k != NULL; k = json_next(k)) {
        struct str value = doc_json(a, doc_from_json(a, k));
        text = arena_printf(a, "%s%s%.*s=%.*s", text, text[0] == '\0' ? "" : ",", STR_ARG(json_key(k)), STR_ARG(value));
    }
    return arena_printf(a, "%s[%s]", path, text);
}

struct conflict {
    struct fail *fail;
    struct str manager;
};

static void find_conflicts(const struct conflict *x, const struct doc *mine, const struct doc *theirs,
                           const struct doc *changed, const char *path)
{
    for (const struct doc *c = changed->first; c != NULL; c = c->next) {
        const struct doc *own = doc_find_str(mine, c->key);
        const struct doc *other = doc_find_str(theirs, c->key);
        if (own == NULL || other == NULL)
            continue;
        const char *here = path_join(x->fail->arena, path, c->key);
        if (c->first != NULL && other->first != NULL)
            find_conflicts(x, own, other, c, here);
        else if (!str_eq_text(c->key, "."))
            fail_cause(x->fail, "FieldManagerConflict", here,
                       arena_printf(x->fail->arena, "conflict with \"%.*s\"", STR_ARG(x->manager)));
    }
}

void fields_conflicts(struct fail *f, const struct doc *mine, const struct doc *theirs, const struct doc *changed,
                      struct str manager)
{
    find_conflicts(&(struct conflict){.fail = f, .manager = manager}, mine, theirs, changed, "");
}

static void prune_list(struct arena *a, struct doc *array, const struct doc *set, bool is_custom)
{
    const struct list_rule *rule = list_rule(array->key, array, is_custom);
    for (struct doc *e = array->first, *next; e != NULL; e = next) {
        next = e->next;
        const struct doc *named = doc_find_str(set, list_element_key(a, rule, e));
        if (named == NULL)
            continue;
        if (rule->type == LIST_SET || doc_find(named, ".") != NULL)
            doc_remove_child(array, e);
        else
            fields_prune(a, e, named, is_custom);
    }
}

void fields_prune(struct arena *a, struct doc *root, const struct doc *set, bool is_custom)
{
    for (struct doc *m = root->first, *next; m != NULL; m = next) {
        next = m->next;
        const struct doc *named = doc_find_str(set, member_key(a, m->key));
        if (named == NULL)
            continue;
        if (named->first == NULL)
            doc_remove_child(root, m);
        else if (m->type == JSON_OBJECT)
            fields_prune(a, m, named, is_custom);
        else if (m->type == JSON_ARRAY && list_rule(m->key, m, is_custom)->type != LIST_ATOMIC)
            prune_list(a, m, named, is_custom);
        if (named->first != NULL && m->first == NULL)
            doc_remove_child(root, m);
    }
}
