// SPDX-License-Identifier: MIT
/* Reading of a rules review into one row of bits per right that matters. */
#include "k8s/held.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/log.h"

enum { VERBS_CEILING_BYTES = 256 };

static bool has_text(const struct json_value *list, const char *text)
{
    for (const struct json_value *v = json_first(list); v != NULL; v = json_next(v)) {
        if (str_eq_text(json_str(v), text) || str_eq(json_str(v), STR("*")))
            return true;
    }
    return false;
}

static unsigned verbs_of(const struct json_value *list)
{
    unsigned verbs = 0;
    for (size_t i = 0; i < RIGHT_VERB_N; i++) {
        if (has_text(list, right_verb_text((enum right_verb)i)))
            verbs |= 1u << i;
    }
    return verbs;
}

/* An authorizer that cannot list what it allows (a webhook) says so; then only a refusal tells. */
static bool is_incomplete(const struct json_value *review)
{
    return json_bool(json_at(review, "status", "incomplete", NULL), false);
}

void held_read(const struct json_value *review, struct held *ret)
{
    memset(ret, 0, sizeof(*ret));
    ret->is_known = !is_incomplete(review);
    const struct json_value *rules = json_at(review, "status", "resourceRules", NULL);
    for (const struct json_value *rule = json_first(rules); rule != NULL; rule = json_next(rule)) {
        if (json_count(json_find(rule, "resourceNames")) > 0)
            continue;
        unsigned verbs = verbs_of(json_find(rule, "verbs"));
        for (size_t i = 0; i < RIGHTS_N; i++) {
            if (has_text(json_find(rule, "apiGroups"), RIGHTS[i].group) &&
                has_text(json_find(rule, "resources"), RIGHTS[i].resource))
                ret->verbs[i] |= verbs;
        }
    }
}

bool held_has(const struct held *held, const char *group, const char *resource, const char *verb)
{
    if (held == NULL || !held->is_known)
        return true;
    for (size_t i = 0; i < RIGHTS_N; i++) {
        if (strcmp(RIGHTS[i].group, group) != 0 || strcmp(RIGHTS[i].resource, resource) != 0)
            continue;
        for (size_t v = 0; v < RIGHT_VERB_N; v++) {
            if (strcmp(right_verb_text((enum right_verb)v), verb) == 0)
                return (held->verbs[i] >> v & 1) != 0;
        }
    }
    return true;
}

bool held_equal(const struct held *a, const struct held *b)
{
    bool is_equal = a->is_known == b->is_known;
    for (size_t i = 0; i < RIGHTS_N; i++)
        is_equal = is_equal && a->verbs[i] == b->verbs[i];
    return is_equal;
}

static unsigned lacking_of(const struct held *held, size_t i, const struct sandbox_kinds *kinds)
{
    return right_is_needed(&RIGHTS[i], kinds) ? RIGHTS[i].verbs & ~held->verbs[i] : 0;
}

bool held_lacks(const struct held *held, const struct sandbox_kinds *kinds)
{
    for (size_t i = 0; held->is_known && i < RIGHTS_N; i++) {
        if (lacking_of(held, i, kinds) != 0)
            return true;
    }
    return false;
}

static void log_lacking(const struct right *right, unsigned lacking, const char *cluster)
{
    bool is_spared = (lacking & ~right->spared) == 0;
    struct buf verbs;
    buf_init(&verbs, VERBS_CEILING_BYTES);
    for (size_t v = 0; v < RIGHT_VERB_N; v++) {
        if ((lacking >> v & 1) != 0)
            buf_addf(&verbs, "%s%s", verbs.n > 0 ? " " : "", right_verb_text((enum right_verb)v));
    }
    if (is_spared)
        LOG(WARN, "the account may not", KV("cluster", cluster), KV("verbs", buf_str(&verbs)),
            KV("group", right->group), KV("resource", right->resource), KV("purpose", right->purpose),
            KV("lost", right->without));
    else
        LOG(ERROR, "the account may not", KV("cluster", cluster), KV("verbs", buf_str(&verbs)),
            KV("group", right->group), KV("resource", right->resource), KV("purpose", right->purpose),
            KV("lost", "sandboxes fail"));
    buf_fini(&verbs);
}

void held_log_lacking(const struct held *held, const char *cluster, const struct sandbox_kinds *kinds)
{
    for (size_t i = 0; i < RIGHTS_N; i++) {
        unsigned lacking = lacking_of(held, i, kinds);
        if (lacking != 0)
            log_lacking(&RIGHTS[i], lacking, cluster);
    }
}
