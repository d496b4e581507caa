// SPDX-License-Identifier: MIT
/* Which objects a list, a watch or a collection delete means: namespace, labels, fields. */
#pragma once

#include "devcluster/api/call.h"
#include "devcluster/base/selector.h"

struct filter {
    struct str ns; /* absent: all */
    struct selector labels;
    struct selector fields;
};

/* From path and query; texts are copied into `a`. */
MUST_CHECK bool filter_parse(struct call *c, struct arena *a, struct filter *ret);
bool filter_matches(const struct filter *f, const struct object *o);
/* The matching living objects in order, in the request's arena. */
const struct object **filter_collect(struct call *c, const struct filter *f, size_t *ret_n);
