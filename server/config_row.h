// SPDX-License-Identifier: MIT
/* Inside the configuration: a row of the table, its value as text and back. Used by config*.c only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/str.h"

/* The member's C type stands behind each. */
enum config_type {
    CONFIG_TEXT,     /* const char *, never NULL */
    CONFIG_SECRET,   /* struct secret */
    CONFIG_BOOL,     /* bool: true or false */
    CONFIG_INT,      /* int64_t */
    CONFIG_DURATION, /* ms_t: a number with ms, s, m, h or d */
    CONFIG_SIZE,     /* size_t: a number with B, KiB, MiB or GiB */
    CONFIG_CHOICE,   /* int or enum: the place in `choices` */
};

struct config_row {
    const char *key;
    enum config_type type;
    size_t offset;
    const char *standard; /* the default, as a user would write it; of a secret always "" */
    int64_t min;          /* of a number, in the member's unit (ms, bytes) */
    int64_t max;
    const char *alias;                                   /* the original's environment name; NULL: none */
    const char *choices;                                 /* CONFIG_CHOICE, or CONFIG_TEXT from a list: "a|b|c" */
    bool (*check)(struct str value, struct err *reterr); /* of a text or secret that is not empty; NULL: any */
    const char *text;                                    /* one sentence or two for docs/CONFIG.md */
};

extern const struct config_row CONFIG_ROWS[];
extern const size_t CONFIG_ROWS_N;

/* NULL if there is no such key. */
const struct config_row *config_row_find(struct str key);
/* "listen.port" is FULLSTACKD_LISTEN_PORT. */
void config_row_env_name(const struct config_row *row, struct buf *out);

/* Is it a key that each cluster has (of kube and sandbox)? Then *ret is the same row for a struct config_cluster. */
MUST_CHECK bool config_row_of_cluster(const struct config_row *row, struct config_row *ret);

enum { CONFIG_MAX_VALUE_BYTES = 16 * 1024 };

/* Reads `value` into the member of `config` at row->offset; a text goes into the arena, an old secret is freed.
 * fails: INVALID; the message never holds a secret's value. */
MUST_CHECK bool config_value_parse(const struct config_row *row, struct str value, struct arena *arena, void *config,
                                   struct err *reterr);
/* The member as a user would write it; of a secret "set" or "". */
void config_value_format(const struct config_row *row, const void *config, struct buf *out);
/* A number in the row's unit, for ranges: "5m", "16KiB", "8080". */
void config_number_format(enum config_type type, int64_t number, struct buf *out);

/* Reads a YAML file of nested mappings into dotted keys; a sequence of scalars is joined with ",".
 * on_value: once per scalar, in the order of the file; on_error: for what is no configuration, with its line. */
struct config_file_sink {
    void (*on_value)(void *arg, struct str key, struct str value, unsigned line);
    void (*on_error)(void *arg, unsigned line, const char *message);
    void *arg;
};
void config_file_parse(struct str yaml, const struct config_file_sink *sink);

enum config_source {
    CONFIG_FROM_DEFAULT,
    CONFIG_FROM_FILE,
    CONFIG_FROM_DOTENV,
    CONFIG_FROM_ENVIRONMENT,
    CONFIG_FROM_DEFAULT_CLUSTER, /* not given for this cluster: as the default one has it */
};
struct config_origin {
    enum config_source source;
    const char *where; /* "fullstackd.yaml:12", "FULLSTACKD_LISTEN_PORT"; NULL for a default */
};
