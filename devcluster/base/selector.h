// SPDX-License-Identifier: MIT
/* Label selectors (equality, set-based, existence) and field selectors, parsed once and matched often. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/str.h"
#include "devcluster/base/doc.h"
#include "devcluster/base/fail.h"

enum selector_op { SELECTOR_IN, SELECTOR_NOT_IN, SELECTOR_EXISTS, SELECTOR_ABSENT };

struct selector_rule {
    struct str key;
    enum selector_op op;
    struct str *values; /* of IN and NOT_IN */
    size_t values_n;
    struct selector_rule *next;
};

struct selector {
    struct selector_rule *first; /* all must hold; NULL: everything matches */
};

/* "a=b,c!=d,e in (f,g),h,!i". Texts are copied into `a`. False: 400 BadRequest as a real server words it. */
MUST_CHECK bool selector_parse(struct arena *a, struct str text, struct selector *ret, struct fail *f);
/* From an object's {matchLabels, matchExpressions}. Borrows the texts of `spec`. */
void selector_from_doc(struct arena *a, const struct doc *spec, struct selector *ret);
/* labels: an object of texts; NULL has none. */
bool selector_matches(const struct selector *s, const struct doc *labels);
/* The first rule of the form key=value, or NULL: a way into an index. */
const struct selector_rule *selector_equality(const struct selector *s);

/* "metadata.name=x,type!=y". fields: the known names, ended by NULL. Other names: 400. */
MUST_CHECK bool field_selector_parse(struct arena *a, struct str text, const char *const *fields, struct selector *ret,
                                     struct fail *f);
/* The value of a dotted path, as field selectors compare it: absent is "". */
struct str field_value(const struct doc *root, struct str path);
bool field_selector_matches(const struct selector *s, const struct doc *root);
