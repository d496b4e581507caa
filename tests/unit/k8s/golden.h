// SPDX-License-Identifier: MIT
/* Compares a JSON text with a file under tests/golden, laid out for people. FS_UPDATE_GOLDEN=1 in the environment
 * writes the file instead: read the difference before you commit it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/buf.h"

enum { GOLDEN_CEILING_BYTES = 4 << 20 };

static inline void golden_indent(struct buf *out, unsigned depth)
{
    buf_add_byte(out, '\n');
    for (unsigned i = 0; i < depth; i++)
        buf_add_text(out, "  ");
}

/* json: as json_writer makes it, without blanks between values. */
static inline void golden_layout(struct str json, struct buf *out)
{
    unsigned depth = 0;
    bool is_text = false;

    for (size_t i = 0; i < json.n; i++) {
        char c = json.p[i];
        bool is_empty = i + 1 < json.n && (json.p[i + 1] == '}' || json.p[i + 1] == ']');

        if (is_text && c == '\\') {
            buf_add(out, json.p + i++, 2);
            continue;
        }
        is_text = is_text != (c == '"');
        if (!is_text && (c == '}' || c == ']') && json.p[i - 1] != '{' && json.p[i - 1] != '[')
            golden_indent(out, --depth);
        else if (!is_text && (c == '}' || c == ']'))
            depth--;
        buf_add_byte(out, c);
        if (is_text)
            continue;
        if (c == '{' || c == '[') {
            depth++;
            if (!is_empty)
                golden_indent(out, depth);
        } else if (c == ',') {
            golden_indent(out, depth);
        } else if (c == ':') {
            buf_add_byte(out, ' ');
        }
    }
    buf_add_byte(out, '\n');
}

static inline struct str golden_read(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "rb");
    char chunk[4096];
    size_t n;

    if (f == NULL)
        fail_msg("%s is not there; run with FS_UPDATE_GOLDEN=1", path);
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
        buf_add(out, chunk, n);
    fclose(f);
    return buf_str(out);
}

static inline void golden_check(const char *path, struct str json)
{
    struct buf got, want;
    FILE *f;

    buf_init(&got, GOLDEN_CEILING_BYTES);
    buf_init(&want, GOLDEN_CEILING_BYTES);
    golden_layout(json, &got);
    if (getenv("FS_UPDATE_GOLDEN") != NULL) {
        f = fopen(path, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(got.p, 1, got.n, f), got.n);
        assert_int_equal(fclose(f), 0);
    }
    (void)golden_read(path, &want);
    if (!str_eq(buf_str(&got), buf_str(&want)))
        fail_msg("%s differs from:\n%s", path, buf_text(&got));
    buf_fini(&got);
    buf_fini(&want);
}
