// SPDX-License-Identifier: MIT
/* What the json_*.c files share: the node, the builder of trees, the SAX reader. For them only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/json_read.h"

enum { JSON_MAX_DEPTH = 64 };

struct json_value {
    enum json_type type;
    struct str key;  /* absent for elements and the root */
    struct str text; /* of a string or number */
    bool boolean;
    size_t count; /* of members or elements */
    struct json_value *first;
    struct json_value *last;
    struct json_value *next;
};

/* ---- events ---- */

enum json_event_type { JSON_EV_VALUE, JSON_EV_KEY, JSON_EV_OPEN, JSON_EV_CLOSE };

struct json_event {
    enum json_event_type event;
    enum json_type type; /* of the value, or of what opens and closes */
    struct str text;     /* of a key, string or number; borrowed for the call */
    bool boolean;
};

/* ---- a tree made of events ---- */

struct json_seen; /* the keys of large objects */

struct json_build {
    struct arena *arena; /* borrowed */
    struct json_limits limits;
    struct json_value *root; /* NULL until the first event */
    struct json_value *open[JSON_MAX_DEPTH];
    unsigned depth;      /* open containers that are stored */
    unsigned skip_depth; /* open containers that are not; they count for max_depth */
    bool is_skipping;    /* the value that comes stands under skip_key */
    bool has_key;        /* a key is waiting for its value */
    struct str key;
    size_t n_nodes;
    struct json_seen *seen;
};

void json_build_init(struct json_build *b, struct arena *arena, const struct json_limits *limits);
void json_build_fini(struct json_build *b);
/* Ready for another tree; the arena is the caller's to reset. */
void json_build_restart(struct json_build *b);
/* Fails with INVALID or TOO_LARGE; after that only fini and restart may be called. */
bool json_build_event(struct json_build *b, const struct json_event *ev, struct err *reterr);
/* Is the tree complete? */
bool json_build_is_done(const struct json_build *b);
/* Where the builder stands, as a JSON pointer: printable ASCII, cut to `size`. */
void json_build_pointer(const struct json_build *b, char *ret, size_t size);

/* ---- the check of raw text before yajl ---- */

enum json_scan_state {
    SCAN_OUTSIDE,
    SCAN_STRING,
    SCAN_ESCAPE,
    SCAN_HEX,
    SCAN_LOW_BACKSLASH, /* the first half of a surrogate pair was read: the second must follow */
    SCAN_LOW_U,
};

/* yajl 2.1 turns a lone high surrogate into "?", pairs it with any escape, and lets "\u0000" pass. None of it can be
 * seen in the decoded text, so it is looked for in the raw bytes. */
struct json_scan {
    enum json_scan_state state;
    unsigned hex_n; /* digits seen of the escape */
    unsigned code_unit;
    bool want_low;     /* the escape being read must be a low surrogate */
    bool has_text;     /* anything but blanks was seen */
    uint64_t bytes_n;  /* seen so far */
    uint64_t blank_at; /* after the last blank outside of texts: a token that is not complete begins here or later */
};

/* NULL, or what is wrong, with *ret_at its index in bytes. Refuses only what no JSON text may hold. */
const char *json_scan_bytes(struct json_scan *s, struct str bytes, size_t *ret_at);

/* ---- SAX ---- */

struct json_sax;
/* False stops the parser with the error set. at: bytes from the beginning to the end of this event's token. */
typedef bool json_on_event(void *arg, const struct json_event *ev, uint64_t at, struct err *reterr);

enum json_values { JSON_ONE_VALUE, JSON_MANY_VALUES };

struct json_sax *json_sax_new(enum json_values values, json_on_event *on_event, void *arg);
void json_sax_free(struct json_sax *sax);
/* Fails with what on_event set, or with INVALID for bad JSON. After a failure only json_sax_free may be called. */
bool json_sax_feed(struct json_sax *sax, struct str bytes, struct err *reterr);
/* No bytes at all are fine for JSON_MANY_VALUES. */
bool json_sax_finish(struct json_sax *sax, struct err *reterr);
/* Adds " at line 1, column 2" to an error; for use in on_event. Returns false. */
bool json_sax_place(const struct json_sax *sax, struct err *err);
/* Bytes held for a token that is not complete. */
uint64_t json_sax_pending_bytes(const struct json_sax *sax);
