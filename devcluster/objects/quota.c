// SPDX-License-Identifier: MIT
/* Counting against ResourceQuotas. */
#include "devcluster/objects/quota.h"

#include "devcluster/base/names.h"

/* The kind a quota's key counts: "pods", "services", "count/deployments.apps"; NULL: it counts amounts. */
static bool key_counts(struct arena *a, struct str key, const struct kind *kind)
{
    if (str_starts(key, STR("count/")))
        return str_eq_text(str_slice(key, 6, key.n), kind_resource(a, kind));
    return kind->group[0] == '\0' && str_eq_text(key, kind->plural);
}

static bool is_over(const struct object *pod)
{
    struct str phase = doc_as_str(doc_at(pod->root, "status", "phase", NULL));
    return str_eq_text(phase, "Failed") || str_eq_text(phase, "Succeeded");
}

static int64_t count_of(struct store *s, const struct kind *kind, struct str ns)
{
    size_t n;
    int64_t count = 0;
    struct entry **all = store_range(s, kind, ns, &n);
    for (size_t i = 0; i < n; i++)
        count += kind->id != KIND_POD || !is_over(all[i]->now);
    return count;
}

/* "requests.cpu" of one pod in thousandths. */
static int64_t amount_in(const struct doc *root, struct str section, struct str resource)
{
    const struct doc *containers = doc_at(root, "spec", "containers", NULL);
    int64_t total = 0;
    for (const struct doc *c = containers == NULL ? NULL : containers->first; c != NULL; c = c->next) {
        int64_t amount;
        const struct doc *all = doc_find_str(doc_find(c, "resources"), section);
        if (quantity_parse(doc_as_str(doc_find_str(all, resource)), &amount))
            total += amount;
    }
    return total;
}

static bool split_amount(struct str key, struct str *ret_section, struct str *ret_resource)
{
    size_t dot = str_find(key, '.', 0);
    *ret_section = dot < key.n ? str_slice(key, 0, dot) : STR("requests");
    *ret_resource = dot < key.n ? str_slice(key, dot + 1, key.n) : key;
    return str_eq_text(*ret_resource, "cpu") || str_eq_text(*ret_resource, "memory");
}

static int64_t amount_used(struct store *s, struct str ns, struct str section, struct str resource)
{
    size_t n;
    int64_t total = 0;
    struct entry **pods = store_range(s, kind_get(KIND_POD), ns, &n);
    for (size_t i = 0; i < n; i++)
        if (!is_over(pods[i]->now))
            total += amount_in(pods[i]->now->root, section, resource);
    return total;
}

static const char *amount_text(struct arena *a, int64_t milli)
{
    if (milli % 1000 != 0)
        return arena_printf(a, "%lldm", (long long)milli);
    int64_t whole = milli / 1000;
    if (whole != 0 && whole % (1 << 20) == 0)
        return arena_printf(a, "%lldMi", (long long)(whole >> 20));
    return arena_printf(a, "%lld", (long long)whole);
}

static const char *refusal_of(struct arena *a, const struct object *quota, struct str key, const int64_t amounts[2],
                              struct str limit)
{
    return arena_printf(a, "exceeded quota: %.*s, requested: %.*s=%s, used: %.*s=%s, limited: %.*s=%.*s",
                        STR_ARG(quota->name), STR_ARG(key), amount_text(a, amounts[0]), STR_ARG(key),
                        amount_text(a, amounts[1]), STR_ARG(key), STR_ARG(limit));
}

static const char *check_key(struct store *s, struct arena *a, const struct object *quota, const struct doc *row,
                             const struct draft *asked)
{
    int64_t hard;
    struct str section;
    struct str resource;
    int64_t amounts[2];
    if (!quantity_parse(doc_as_str(row), &hard))
        return NULL;
    if (key_counts(a, row->key, asked->kind)) {
        amounts[0] = 1000;
        amounts[1] = count_of(s, asked->kind, quota->ns) * 1000;
    } else if (asked->kind->id == KIND_POD && split_amount(row->key, &section, &resource)) {
        amounts[0] = amount_in(asked->root, section, resource);
        amounts[1] = amount_used(s, quota->ns, section, resource);
    } else {
        return NULL;
    }
    return amounts[0] + amounts[1] > hard ? refusal_of(a, quota, row->key, amounts, doc_as_str(row)) : NULL;
}

const char *quota_refusal(struct store *s, struct arena *a, const struct kind *kind, const struct doc *root)
{
    size_t n;
    struct str ns = doc_as_str(doc_at(root, "metadata", "namespace", NULL));
    struct entry **quotas = store_range(s, kind_get(KIND_QUOTA), str_is_none(ns) ? STR("") : ns, &n);
    const struct draft asked = {.kind = kind, .root = (struct doc *)root};
    for (size_t i = 0; i < n; i++) {
        const struct doc *hard = doc_at(quotas[i]->now->root, "spec", "hard", NULL);
        for (const struct doc *row = hard == NULL ? NULL : hard->first; row != NULL; row = row->next) {
            const char *why = check_key(s, a, quotas[i]->now, row, &asked);
            if (why != NULL)
                return why;
        }
    }
    return NULL;
}

static const char *used_text(struct store *s, struct arena *a, struct str ns, struct str key)
{
    struct str section;
    struct str resource;
    for (int id = 0; id < KIND_N; id++)
        if (key_counts(a, key, kind_get((enum kind_id)id)))
            return arena_printf(a, "%lld", (long long)count_of(s, kind_get((enum kind_id)id), ns));
    if (split_amount(key, &section, &resource))
        return amount_text(a, amount_used(s, ns, section, resource));
    return "0";
}

void quota_count(struct store *s, struct str ns)
{
    size_t n;
    struct entry **quotas = store_range(s, kind_get(KIND_QUOTA), ns, &n);
    for (size_t i = 0; i < n; i++) {
        struct draft *d = draft_of(quotas[i]);
        const struct doc *hard = doc_at(d->root, "spec", "hard", NULL);
        struct doc *status = doc_need_object(d->arena, d->root, "status");
        doc_set(d->arena, status, "hard", doc_copy(d->arena, hard));
        struct doc *used = doc_set(d->arena, status, "used", doc_object(d->arena));
        for (const struct doc *row = hard == NULL ? NULL : hard->first; row != NULL; row = row->next)
            doc_set_str_key(d->arena, used, row->key, doc_text(d->arena, used_text(s, d->arena, ns, row->key)));
        (void)store_put(s, d, STORE_STATUS);
    }
}
