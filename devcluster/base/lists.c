// SPDX-License-Identifier: MIT
/* The merge rules of lists, as one table by field name. */
#include "devcluster/base/lists.h"

static const struct list_rule RULES[] = {
    {"containers",       LIST_MAP, {"name", NULL}               },
    {"initContainers",   LIST_MAP, {"name", NULL}               },
    {"env",              LIST_MAP, {"name", NULL}               },
    {"volumes",          LIST_MAP, {"name", NULL}               },
    {"imagePullSecrets", LIST_MAP, {"name", NULL}               },
    {"volumeMounts",     LIST_MAP, {"mountPath", NULL}          },
    {"ports",            LIST_MAP, {"containerPort", "protocol"}},
    {"ports",            LIST_MAP, {"port", "protocol"}         },
};
static const struct list_rule META_RULES[] = {
    {"conditions",      LIST_MAP, {"type", NULL}},
    {"ownerReferences", LIST_MAP, {"uid", NULL} },
    {"finalizers",      LIST_SET, {NULL, NULL}  },
    {"topologyKeys",    LIST_SET, {NULL, NULL}  },
};
static const struct list_rule ATOMIC = {
    "", LIST_ATOMIC, {NULL, NULL}
};

static bool is_rule_of(const struct list_rule *rule, struct str field, const struct doc *array)
{
    if (!str_eq_text(field, rule->field))
        return false;
    const struct doc *first = array == NULL ? NULL : array->first;
    return rule->type != LIST_MAP || first == NULL || doc_find(first, rule->keys[0]) != NULL;
}

const struct list_rule *list_rule(struct str field, const struct doc *array, bool is_custom)
{
    for (size_t i = 0; i < sizeof(META_RULES) / sizeof(META_RULES[0]); i++)
        if (is_rule_of(&META_RULES[i], field, array))
            return &META_RULES[i];
    for (size_t i = 0; !is_custom && i < sizeof(RULES) / sizeof(RULES[0]); i++)
        if (is_rule_of(&RULES[i], field, array))
            return &RULES[i];
    return &ATOMIC;
}

bool map_is_atomic(struct str field, bool is_custom)
{
    static const char *const names[] = {"selector", "podSelector", "namespaceSelector", "nodeSelector", "backend"};
    for (size_t i = 0; !is_custom && i < sizeof(names) / sizeof(names[0]); i++)
        if (str_eq_text(field, names[i]))
            return true;
    return false;
}

static bool same_key(const struct doc *a, const struct doc *b, const char *key)
{
    const struct doc *left = doc_find(a, key);
    const struct doc *right = doc_find(b, key);
    if (!str_eq_text(str_from(key), "protocol"))
        return doc_equal(left, right);
    struct str one = left == NULL ? STR("TCP") : doc_as_str(left);
    struct str two = right == NULL ? STR("TCP") : doc_as_str(right);
    return str_eq(one, two);
}

struct doc *list_find(const struct list_rule *rule, const struct doc *array, const struct doc *like)
{
    for (struct doc *c = array == NULL ? NULL : array->first; c != NULL; c = c->next) {
        if (rule->type == LIST_SET && doc_equal(c, like))
            return c;
        if (rule->type != LIST_MAP || !same_key(c, like, rule->keys[0]))
            continue;
        if (rule->keys[1] == NULL || same_key(c, like, rule->keys[1]))
            return c;
    }
    return NULL;
}

struct str list_element_key(struct arena *a, const struct list_rule *rule, const struct doc *element)
{
    struct str json;
    if (rule->type == LIST_SET) {
        json = doc_json(a, element);
        return str_from(arena_printf(a, "v:%.*s", STR_ARG(json)));
    }
    struct doc *keys = doc_object(a);
    for (size_t i = 0; i < 2 && rule->keys[i] != NULL; i++) {
        const struct doc *value = doc_find(element, rule->keys[i]);
        if (value == NULL && str_eq_text(str_from(rule->keys[i]), "protocol"))
            doc_set_text(a, keys, "protocol", "TCP");
        else
            doc_set(a, keys, rule->keys[i], doc_copy(a, value));
    }
    json = doc_json(a, keys);
    return str_from(arena_printf(a, "k:%.*s", STR_ARG(json)));
}
