// SPDX-License-Identifier: MIT
/* A refusal of the API server: what a Kubernetes Status body says. Functions that may refuse return false and fill one.
 * source: Kubernetes API conventions, "Response Status Kind"; wording as a real kube-apiserver gives it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/json_write.h"
#include "core/base/str.h"

enum { FAIL_CAUSES_MAX = 32 };

struct fail_cause {
    const char *reason; /* "FieldValueInvalid"; static */
    const char *message;
    const char *field;
};

struct fail {
    struct arena *arena; /* of the request; holds every text */
    int code;            /* HTTP status; 0: nothing refused */
    const char *reason;  /* static; NULL: left out of the body */
    const char *message;
    bool has_details;
    bool is_plain; /* answered as text/plain, not as a Status */
    const char *name;
    const char *group;
    const char *kind;
    const char *continue_token; /* metadata.continue */
    int retry_after_s;
    struct fail_cause causes[FAIL_CAUSES_MAX];
    size_t causes_n;
};

void fail_init(struct fail *f, struct arena *a);
/* Fills code, reason and message (kept, not copied); returns false. reason: static or NULL. */
bool fail_set(struct fail *f, int code, const char *reason, const char *message);
#define FAIL(f, code, reason, ...) fail_set((f), (code), (reason), arena_printf((f)->arena, __VA_ARGS__))
/* Names what was refused; empty texts are left out of the body. Returns false. */
bool fail_details(struct fail *f, const char *group, const char *kind, struct str name);
/* One more cause; one that is there already, or past FAIL_CAUSES_MAX, is dropped. */
void fail_cause(struct fail *f, const char *reason, const char *field, const char *message);
void fail_value(struct fail *f, const char *field, struct str value, const char *why); /* FieldValueInvalid of a text */
void fail_required(struct fail *f, const char *field, const char *why);                /* why NULL: no more words */
bool fail_has_causes(const struct fail *f);
/* Makes the causes collected so far a 422 Invalid of `kind_name`[.group] `name`; returns false. */
bool fail_invalid(struct fail *f, const char *group, const char *kind_name, struct str name);
/* The Status object. */
void fail_write(const struct fail *f, struct json_writer *w);
