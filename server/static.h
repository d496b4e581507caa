// SPDX-License-Identifier: MIT
/* The dashboard's files, read into memory once at start: no request ever reaches the file system, so no path can
 * escape. A file's .br and .gz siblings are its encodings, not files of their own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"
#include "server/http.h"

struct static_files;

/* Reads everything below dir (hidden files and links left out). NULL with NOT_READY when it cannot be read, TOO_LARGE
 * above the ceilings of static.c. */
MUST_CHECK struct static_files *static_files_new(const char *dir, struct err *reterr);
/* After the last connection is gone: answers point into the files. NULL is fine. */
void static_files_free(struct static_files *files);
size_t static_files_count(const struct static_files *files);
/* Answers GET and HEAD of http_path(x): the file, 304, or 404. A path whose last segment has no dot and that is no file
 * gets /index.html: the dashboard routes in the browser. */
void static_files_answer(const struct static_files *files, struct http_exchange *x);
