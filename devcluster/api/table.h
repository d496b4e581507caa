// SPDX-License-Identifier: MIT
/* Answers in the shape kubectl prints (meta.k8s.io/v1 Table): a few columns per kind. */
#pragma once

#include "devcluster/api/call.h"

/* meta: of the list, or NULL for one object. */
void table_answer(struct call *c, const struct object *const *set, size_t n, const struct doc *meta);
/* In read.c: a list in the shape the client asked for. */
void list_answer(struct call *c, const struct object **set, size_t n, const struct doc *meta);
