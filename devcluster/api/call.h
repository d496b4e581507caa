// SPDX-License-Identifier: MIT
/* One request to the API server, taken apart: what the path names, who asks, what is asked; and the ways to answer it.
 * Used by the files of this folder only. */
#pragma once

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/str.h"
#include "devcluster/api/access.h"
#include "devcluster/api/api.h"
#include "devcluster/base/fail.h"
#include "devcluster/objects/kinds.h"
#include "devcluster/objects/store.h"
#include "server/http.h"

enum { API_BODY_CEILING_BYTES = 3 << 20 }; /* what a kube-apiserver takes */

struct call {
    struct api *api;
    struct http_exchange *x;
    struct arena *arena;
    struct fail fail;
    const struct account *who;
    const char *verb; /* "get", "list", "watch", "create", … */
    struct str group;
    struct str version;
    struct str ns; /* absent: none in the path */
    struct str resource;
    struct str name;         /* absent: the collection */
    struct str sub;          /* "status", "scale", "log"; absent: the object itself */
    const struct kind *kind; /* NULL: no such resource */
    bool is_dry_run;
};

/* Takes the path apart; false when it is not that of a resource. */
bool call_parse_path(struct call *c, struct str path);
/* The object the path names, or NULL. */
struct entry *call_entry(struct call *c);
/* The verb from method and query. */
const char *call_verb(const struct call *c);
/* The object as the version that is asked for shows it: its own tree, or a converted one in the arena. */
const struct doc *call_view(struct call *c, const struct object *o);
/* Makes the draft one of the version that is stored. */
void call_to_stored(struct call *c, struct draft *d);
bool call_query_is_true(const struct call *c, const char *name);

/* ---- refusals: each fills c->fail and returns false ---- */

bool call_not_found(struct call *c);
bool call_forbidden(struct call *c);
bool call_conflict(struct call *c, const char *why);
bool call_bad_request(struct call *c, const char *why);
/* The 422 of the causes collected. name: of the object in question. */
bool call_invalid(struct call *c, struct str name);

/* ---- answers ---- */

void call_answer_fail(struct call *c);
void call_answer_json(struct call *c, int status, struct str json);
void call_answer_doc(struct call *c, int status, const struct doc *d);
/* The object, or the part of it the client's Accept header asks for (PartialObjectMetadata). */
void call_answer_object(struct call *c, int status, const struct object *o);
/* Status Success with the details of what was deleted. */
void call_answer_deleted(struct call *c, const struct object *o);
/* Does the Accept header ask for "as=NAME"? */
bool call_wants(const struct call *c, const char *name);

/* ---- what the dispatcher runs; false: c->fail holds the answer ---- */

bool call_get(struct call *c);
bool call_list(struct call *c);
bool call_watch(struct call *c);
bool call_create(struct call *c);
bool call_update(struct call *c);
bool call_patch(struct call *c);
bool call_apply(struct call *c);
bool call_delete(struct call *c);
bool call_delete_collection(struct call *c);
bool call_log(struct call *c);
/* Paths that are no resource, and the review resources. False: not one of these, nothing answered. */
bool call_discovery(struct call *c, struct str path);
bool call_review(struct call *c);

/* ---- shared by the writers ---- */

/* The body as a tree, checked for kind, apiVersion, namespace and name. */
MUST_CHECK bool body_object(struct call *c, struct arena *a, struct doc **ret);
/* 400 when a field whose type clients get wrong has another one than the API's, or when values nest too deep. */
MUST_CHECK bool body_types(struct call *c, const struct doc *root);
/* Any JSON body. */
MUST_CHECK bool body_json(struct call *c, struct arena *a, struct doc **ret);
/* False with 415 for any other media type than JSON (none counts as JSON). */
MUST_CHECK bool body_is_json(struct call *c);
bool body_is(const struct call *c, const char *media_type);
/* Drops fields the API does not know, with a Warning header; 400 when the client asked for Strict. */
MUST_CHECK bool write_known(struct call *c, struct doc *root);
/* Defaults, then validation. before: NULL for a new object. */
MUST_CHECK bool write_check(struct call *c, struct doc *root, struct arena *a, const struct doc *before);
/* Admission of a new object: namespace, quota, rights handed on. */
MUST_CHECK bool write_admit(struct call *c, const struct doc *root);
/* The same of a changed one: rights handed on. */
MUST_CHECK bool write_admit_change(struct call *c, const struct doc *before, const struct doc *root);
/* Creates or answers as if (dry run). Takes the draft. */
MUST_CHECK bool write_new(struct call *c, struct draft *d);
/* Stores a changed object and answers 200. Takes the draft. */
MUST_CHECK bool write_changed(struct call *c, struct draft *d, enum store_what what);
/* Notes in managedFields what the writer changed. */
void write_manager(struct call *c, struct draft *d, const struct doc *before);
