// SPDX-License-Identifier: MIT
/* Selectors: a hand-written parser of the query syntax, and matching. */
#include "devcluster/base/selector.h"

#include <string.h>

struct lexer {
    struct str rest;
    struct arena *arena;
    struct fail *fail;
};

static void skip_blanks(struct lexer *l)
{
    while (l->rest.n > 0 && (l->rest.p[0] == ' ' || l->rest.p[0] == '\t'))
        l->rest = str_slice(l->rest, 1, l->rest.n);
}

static bool take(struct lexer *l, const char *token)
{
    skip_blanks(l);
    if (!str_starts(l->rest, str_from(token)))
        return false;
    l->rest = str_slice(l->rest, strlen(token), l->rest.n);
    return true;
}

static struct str word(struct lexer *l)
{
    skip_blanks(l);
    size_t n = 0;
    while (n < l->rest.n && strchr("=!(),<> \t", l->rest.p[n]) == NULL)
        n++;
    struct str text = str_slice(l->rest, 0, n);
    l->rest = str_slice(l->rest, n, l->rest.n);
    return arena_dup_str(l->arena, text);
}

static bool refuse(struct lexer *l, const char *expected)
{
    skip_blanks(l);
    return FAIL(l->fail, 400, "BadRequest", "unable to parse requirement: found '%.*s', expected: %s",
                l->rest.n > 0 ? 1 : 0, l->rest.p, expected);
}

static bool take_word(struct lexer *l, const char *text)
{
    struct lexer before = *l;
    if (str_eq_text(word(l), text))
        return true;
    *l = before;
    return false;
}

enum { SELECTOR_VALUES_MAX = 256 };

static bool parse_set(struct lexer *l, struct selector_rule *rule)
{
    if (!take(l, "("))
        return refuse(l, "'('");
    rule->values = arena_alloc(l->arena, SELECTOR_VALUES_MAX * sizeof(struct str));
    do {
        if (rule->values_n == SELECTOR_VALUES_MAX)
            return refuse(l, "fewer values");
        rule->values[rule->values_n++] = word(l);
    } while (take(l, ","));
    return take(l, ")") || refuse(l, "',', or ')'");
}

static bool parse_value(struct lexer *l, struct selector_rule *rule)
{
    rule->values = arena_alloc(l->arena, sizeof(struct str));
    rule->values[0] = word(l);
    rule->values_n = 1;
    skip_blanks(l);
    if (l->rest.n > 0 && l->rest.p[0] != ',')
        return refuse(l, rule->values[0].n == 0 ? "identifier" : "',' or 'end of string'");
    return true;
}

static bool parse_rule(struct lexer *l, struct selector_rule *rule)
{
    if (take(l, "!")) {
        rule->op = SELECTOR_ABSENT;
        rule->key = word(l);
        return rule->key.n > 0 || refuse(l, "identifier");
    }
    rule->key = word(l);
    if (rule->key.n == 0)
        return refuse(l, "!, identifier, or 'end of string'");
    if (take(l, "!=")) {
        rule->op = SELECTOR_NOT_IN;
        return parse_value(l, rule);
    }
    if (take(l, "==") || take(l, "=")) {
        rule->op = SELECTOR_IN;
        return parse_value(l, rule);
    }
    if (take_word(l, "in")) {
        rule->op = SELECTOR_IN;
        return parse_set(l, rule);
    }
    if (take_word(l, "notin")) {
        rule->op = SELECTOR_NOT_IN;
        return parse_set(l, rule);
    }
    rule->op = SELECTOR_EXISTS;
    return true;
}

bool selector_parse(struct arena *a, struct str text, struct selector *ret, struct fail *f)
{
    struct lexer l = {.rest = text, .arena = a, .fail = f};
    struct selector_rule **at = &ret->first;
    *at = NULL;
    skip_blanks(&l);
    while (l.rest.n > 0) {
        struct selector_rule *rule = arena_alloc(a, sizeof(*rule));
        if (!parse_rule(&l, rule))
            return false;
        *at = rule;
        at = &rule->next;
        skip_blanks(&l);
        if (l.rest.n > 0 && !take(&l, ","))
            return refuse(&l, "',' or 'end of string'");
    }
    return true;
}

static struct selector_rule *rule_add(struct arena *a, struct selector *s, struct str key, enum selector_op op)
{
    struct selector_rule *rule = arena_alloc(a, sizeof(*rule));
    struct selector_rule **at = &s->first;
    while (*at != NULL)
        at = &(*at)->next;
    rule->key = key;
    rule->op = op;
    *at = rule;
    return rule;
}

static enum selector_op op_from(struct str text)
{
    if (str_eq_text(text, "NotIn"))
        return SELECTOR_NOT_IN;
    if (str_eq_text(text, "Exists"))
        return SELECTOR_EXISTS;
    return str_eq_text(text, "DoesNotExist") ? SELECTOR_ABSENT : SELECTOR_IN;
}

void selector_from_doc(struct arena *a, const struct doc *spec, struct selector *ret)
{
    ret->first = NULL;
    const struct doc *labels = doc_find(spec, "matchLabels");
    for (const struct doc *c = labels == NULL ? NULL : labels->first; c != NULL; c = c->next) {
        struct selector_rule *rule = rule_add(a, ret, c->key, SELECTOR_IN);
        rule->values = arena_alloc(a, sizeof(struct str));
        rule->values[0] = doc_as_str(c);
        rule->values_n = 1;
    }
    const struct doc *more = doc_find(spec, "matchExpressions");
    for (const struct doc *c = more == NULL ? NULL : more->first; c != NULL; c = c->next) {
        struct selector_rule *rule = rule_add(a, ret, doc_get(c, "key"), op_from(doc_get(c, "operator")));
        const struct doc *values = doc_find(c, "values");
        size_t n = doc_count(values);
        rule->values = arena_alloc(a, (n + 1) * sizeof(struct str));
        for (const struct doc *v = values == NULL ? NULL : values->first; v != NULL; v = v->next)
            rule->values[rule->values_n++] = doc_as_str(v);
    }
}

static bool rule_holds(const struct selector_rule *r, bool is_there, struct str value)
{
    bool is_in = false;
    for (size_t i = 0; is_there && i < r->values_n && !is_in; i++)
        is_in = str_eq(value, r->values[i]);
    switch (r->op) {
    case SELECTOR_IN:
        return is_in;
    case SELECTOR_NOT_IN:
        return !is_in;
    case SELECTOR_EXISTS:
        return is_there;
    case SELECTOR_ABSENT:
        return !is_there;
    }
    return false;
}

bool selector_matches(const struct selector *s, const struct doc *labels)
{
    for (const struct selector_rule *r = s->first; r != NULL; r = r->next) {
        const struct doc *value = doc_find_str(labels, r->key);
        if (!rule_holds(r, value != NULL, doc_as_str(value)))
            return false;
    }
    return true;
}

const struct selector_rule *selector_equality(const struct selector *s)
{
    for (const struct selector_rule *r = s->first; r != NULL; r = r->next)
        if (r->op == SELECTOR_IN && r->values_n == 1)
            return r;
    return NULL;
}

static bool is_known_field(const char *const *fields, struct str name)
{
    for (; *fields != NULL; fields++)
        if (str_eq_text(name, *fields))
            return true;
    return false;
}

static bool refuse_field(struct fail *f, const char *const *fields, struct str name)
{
    const char *known = "";
    for (; *fields != NULL; fields++)
        known = arena_printf(f->arena, "%s%s\"%s\"", known, known[0] == '\0' ? "" : ", ", *fields);
    return FAIL(f, 400, "BadRequest", "\"%.*s\" is not a known field selector: only %s", STR_ARG(name), known);
}

bool field_selector_parse(struct arena *a, struct str text, const char *const *fields, struct selector *ret,
                          struct fail *f)
{
    ret->first = NULL;
    struct str part;
    while (str_next(&text, ',', &part)) {
        if (part.n == 0)
            continue;
        size_t equals = str_find(part, '=', 0);
        if (equals == part.n || equals == 0)
            return FAIL(f, 400, "BadRequest", "invalid selector: '%.*s'; can't understand '%.*s'", STR_ARG(part),
                        STR_ARG(part));
        bool is_not = part.p[equals - 1] == '!';
        struct str name = str_slice(part, 0, is_not ? equals - 1 : equals);
        struct str value = str_slice(part, equals + 1, part.n);
        if (!is_not && str_starts(value, STR("=")))
            value = str_slice(value, 1, value.n);
        if (!is_known_field(fields, name))
            return refuse_field(f, fields, name);
        struct selector_rule *rule = rule_add(a, ret, arena_dup_str(a, name), is_not ? SELECTOR_NOT_IN : SELECTOR_IN);
        rule->values = arena_alloc(a, sizeof(struct str));
        rule->values[0] = arena_dup_str(a, value);
        rule->values_n = 1;
    }
    return true;
}

struct str field_value(const struct doc *root, struct str path)
{
    struct str part;
    while (root != NULL && str_next(&path, '.', &part))
        root = doc_find_str(root, part);
    struct str value = doc_as_str(root);
    return str_is_none(value) ? STR("") : value;
}

bool field_selector_matches(const struct selector *s, const struct doc *root)
{
    for (const struct selector_rule *r = s->first; r != NULL; r = r->next)
        if (!rule_holds(r, true, field_value(root, r->key)))
            return false;
    return true;
}
