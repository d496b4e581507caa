// SPDX-License-Identifier: MIT
/* Filters. */
#include "devcluster/api/filter.h"

#include <stdlib.h>
#include <string.h>

#include "devcluster/api/api_private.h"

bool filter_parse(struct call *c, struct arena *a, struct filter *ret)
{
    struct str text;
    *ret = (struct filter){.ns = STR_NONE};
    if (!str_is_none(c->ns) && (c->kind->flags & IS_NAMESPACED) != 0)
        ret->ns = arena_dup_str(a, c->ns);
    if (http_query_find(c->x, "labelSelector", &text) && !selector_parse(a, text, &ret->labels, &c->fail))
        return false;
    if (http_query_find(c->x, "fieldSelector", &text) &&
        !field_selector_parse(a, text, c->kind->fields, &ret->fields, &c->fail))
        return false;
    return true;
}

bool filter_matches(const struct filter *f, const struct object *o)
{
    if (!str_is_none(f->ns) && !str_eq(f->ns, o->ns))
        return false;
    if (f->labels.first != NULL && !selector_matches(&f->labels, object_labels(o)))
        return false;
    return f->fields.first == NULL || field_selector_matches(&f->fields, o->root);
}

static int by_key(const void *left, const void *right)
{
    const struct object *a = *(const struct object *const *)left;
    const struct object *b = *(const struct object *const *)right;
    struct str sides[2][2] = {
        {a->ns, a->name},
        {b->ns, b->name}
    };
    for (size_t i = 0; i < 2; i++) {
        struct str one = sides[0][i];
        struct str two = sides[1][i];
        size_t n = one.n < two.n ? one.n : two.n;
        int order = n == 0 ? 0 : memcmp(one.p, two.p, n);
        if (order != 0 || one.n != two.n)
            return order != 0 ? order : (one.n > two.n) - (one.n < two.n);
    }
    return 0;
}

/* By the index of labels: what a client lists by "app=x" costs what matches, not what there is. */
static const struct object **collect_by_label(struct call *c, const struct filter *f, const struct selector_rule *rule,
                                              size_t *ret_n)
{
    struct entry **found = store_by_label(c->api->store, c->arena, c->kind, rule->key, rule->values[0]);
    size_t all = 0;
    while (found[all] != NULL)
        all++;
    const struct object **set = arena_alloc(c->arena, (all + 1) * sizeof(set[0]));
    size_t n = 0;
    for (size_t i = 0; i < all; i++)
        if (filter_matches(f, found[i]->now))
            set[n++] = found[i]->now;
    qsort(set, n, sizeof(set[0]), by_key);
    *ret_n = n;
    return set;
}

const struct object **filter_collect(struct call *c, const struct filter *f, size_t *ret_n)
{
    const struct selector_rule *rule = selector_equality(&f->labels);
    if (rule != NULL)
        return collect_by_label(c, f, rule, ret_n);
    size_t all;
    struct entry **range = store_range(c->api->store, c->kind, f->ns, &all);
    const struct object **set = arena_alloc(c->arena, (all + 1) * sizeof(set[0]));
    size_t n = 0;
    for (size_t i = 0; i < all; i++)
        if (filter_matches(f, range[i]->now))
            set[n++] = range[i]->now;
    *ret_n = n;
    return set;
}
