// SPDX-License-Identifier: MIT
/* The files of static.h as they lie in memory; between static_load.c, which reads them, and static.c, which answers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"
#include "core/base/str.h"
#include "server/http_etag.h"

enum static_coding { STATIC_PLAIN, STATIC_GZIP, STATIC_BROTLI, STATIC_CODING_N };

struct static_variant {
    struct str bytes; /* absent: there is no such variant */
    char etag[HTTP_ETAG_SIZE];
};

struct static_file {
    char *path; /* "/assets/app.js" */
    const char *type;
    bool is_immutable; /* its name holds a hash of its content */
    struct static_variant variants[STATIC_CODING_N];
};

struct static_files {
    struct static_file *rows; /* by path */
    size_t n;
    size_t cap;
    size_t bytes;
};

/* Fills a zeroed *files. On failure what was read so far stays in it for static_files_free. */
MUST_CHECK bool static_load(struct static_files *files, const char *dir, struct err *reterr);
/* The file of that path or NULL. */
const struct static_file *static_find(const struct static_files *files, struct str path);
