// SPDX-License-Identifier: MIT
/* Merging of environment variables. Knows no Kubernetes: the Secret's manifest is k8s/'s. */
#include "core/environment.h"

#include <stdlib.h>
#include <string.h>

static const struct env_var fixed[] = {
    {{"NODE_ENV", 8},        {"development", 11}},
    {{"TTYD_PORT", 9},       {"7681", 4}        },
    {{"TTYD_INTERFACE", 14}, {"0.0.0.0", 7}     },
};

struct ranked {
    struct env_var var;
    size_t rank; /* of two with one key the higher wins */
};

static int by_key_then_rank(const void *left, const void *right)
{
    const struct ranked *a = left;
    const struct ranked *b = right;
    size_t n = a->var.key.n < b->var.key.n ? a->var.key.n : b->var.key.n;
    int order = n > 0 ? memcmp(a->var.key.p, b->var.key.p, n) : 0;
    if (order != 0)
        return order;
    if (a->var.key.n != b->var.key.n)
        return a->var.key.n < b->var.key.n ? -1 : 1;
    return a->rank < b->rank ? -1 : 1;
}

static size_t add(struct ranked *all, size_t n, const struct env_list *list)
{
    for (size_t i = 0; list != NULL && i < list->n; i++, n++)
        all[n] = (struct ranked){list->vars[i], n};
    return n;
}

struct env_list environment_merge(struct arena *a, const struct env_list *base, const struct env_list *project,
                                  const struct db_credentials *credentials)
{
    size_t room = (base ? base->n : 0) + (project ? project->n : 0) + sizeof(fixed) / sizeof(*fixed) + 1;
    struct ranked *all = arena_alloc(a, room * sizeof(*all));
    size_t n = add(all, 0, base);
    n = add(all, n, project);
    if (credentials != NULL) {
        struct secret url = db_credentials_url(credentials);
        struct env_var var = {STR("DATABASE_URL"), arena_dup_str(a, secret_reveal(&url))};
        secret_fini(&url);
        all[n] = (struct ranked){var, n};
        n++;
    }
    const struct env_list own = {fixed, sizeof(fixed) / sizeof(*fixed)};
    n = add(all, n, &own);
    qsort(all, n, sizeof(*all), by_key_then_rank);

    struct env_var *vars = arena_alloc(a, (n + 1) * sizeof(*vars));
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        bool is_overridden = i + 1 < n && str_eq(all[i].var.key, all[i + 1].var.key);
        if (!is_overridden)
            vars[kept++] = all[i].var;
    }
    return (struct env_list){vars, kept};
}
