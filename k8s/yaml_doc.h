// SPDX-License-Identifier: MIT
/* A YAML (or JSON) document with ceilings on size, depth and nodes, checked before anything is built. The only owner of
 * libyaml in k8s/. Aliases stay references and are not followed into: what is looked up is a plain path of mappings. */
#pragma once

#include <stdbool.h>

#include "core/base/err.h"
#include "core/base/str.h"

struct yaml_doc;
struct yaml_at; /* a node; borrowed from the document */

/* Fails with INVALID (line and column told) or TOO_LARGE. */
MUST_CHECK struct yaml_doc *yaml_doc_parse(struct str text, struct err *reterr);
void yaml_doc_free(struct yaml_doc *doc); /* NULL is fine */

const struct yaml_at *yaml_doc_root(struct yaml_doc *doc);
/* The value of `key` in a mapping; NULL if absent, if v is NULL or no mapping. Two equal keys count as absent. */
const struct yaml_at *yaml_doc_find(struct yaml_doc *doc, const struct yaml_at *v, const char *key);
/* The element of a sequence of mappings whose "name" is `name`; NULL if there is none. */
const struct yaml_at *yaml_doc_named(struct yaml_doc *doc, const struct yaml_at *v, struct str name);
/* A scalar's text, borrowed; STR_NONE otherwise and for an empty plain scalar ("key:"), which is YAML's null. */
struct str yaml_doc_text(const struct yaml_at *v);
