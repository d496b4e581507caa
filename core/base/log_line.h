// SPDX-License-Identifier: MIT
/* How one log line looks, for log.c only. */
#pragma once

#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/log.h"

struct log_line {
    int64_t wall_ms;
    const char *level;
    const char *event;
    const char *scope; /* NULL: none */
    const struct log_kv *kvs;
};

/* Both add the line with its "\n" to out. Texts that are not UTF-8 get U+FFFD for each bad byte, long ones are cut; a
 * line over out's ceiling becomes a short line that says so. */
void log_line_json(const struct log_line *line, struct buf *out);
/* time=... level=... event="..." key=value; texts with blanks or controls are quoted and escaped, so that a text from
 * outside cannot speak to the terminal. */
void log_line_logfmt(const struct log_line *line, struct buf *out);
