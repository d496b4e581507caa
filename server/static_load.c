// SPDX-License-Identifier: MIT
/* Reads a directory into memory. Runs once, at start, before anything listens: the only blocking reads of server/ are
 * in files that say so. */
#include "server/static_load.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/codec.h"
#include "core/base/xmem.h"
#include "server/read_file.h"

enum {
    FILES_MAX = 4000,
    DEPTH_MAX = 16,
    FILE_BYTES_MAX = 16 * 1024 * 1024,
    ALL_BYTES_MAX = 128 * 1024 * 1024,
    HASH_CHARS_MIN = 8,
};

static const struct type_row {
    const char *ending;
    const char *type;
} types[] = {
    {".html",        "text/html; charset=utf-8"      },
    {".js",          "text/javascript; charset=utf-8"},
    {".mjs",         "text/javascript; charset=utf-8"},
    {".css",         "text/css; charset=utf-8"       },
    {".json",        "application/json"              },
    {".map",         "application/json"              },
    {".svg",         "image/svg+xml"                 },
    {".png",         "image/png"                     },
    {".jpg",         "image/jpeg"                    },
    {".webp",        "image/webp"                    },
    {".ico",         "image/x-icon"                  },
    {".woff2",       "font/woff2"                    },
    {".txt",         "text/plain; charset=utf-8"     },
    {".webmanifest", "application/manifest+json"     },
    {".wasm",        "application/wasm"              },
};

static const char *type_of(struct str path)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (str_ends(path, str_from(types[i].ending)))
            return types[i].type;
    }
    return "application/octet-stream";
}

/* Upper-case base 32 or 36 as bundlers write it, or hexadecimal with a digit in it: "minified" is a word, no hash. */
static bool is_hash(struct str part)
{
    bool is_upper = true;
    bool is_hex = true;
    bool has_digit = false;
    for (size_t i = 0; i < part.n; i++) {
        char c = part.p[i];
        bool is_digit = c >= '0' && c <= '9';
        has_digit |= is_digit;
        is_upper &= is_digit || (c >= 'A' && c <= 'Z');
        is_hex &= is_digit || (c >= 'a' && c <= 'f');
    }
    return part.n >= HASH_CHARS_MIN && (is_upper || (is_hex && has_digit));
}

/* name.[hash].ext */
static bool has_hash(struct str path)
{
    struct str rest = path;
    struct str part;
    while (str_find(rest, '/', 0) < rest.n)
        rest = str_slice(rest, str_find(rest, '/', 0) + 1, rest.n);
    bool is_first = true;
    while (str_next(&rest, '.', &part)) {
        if (!is_first && !str_is_none(rest) && is_hash(part))
            return true;
        is_first = false;
    }
    return false;
}

static enum static_coding split_coding(struct str *path)
{
    static const struct str endings[STATIC_CODING_N] = {
        [STATIC_GZIP] = {".gz", 3},
          [STATIC_BROTLI] = {".br", 3}
    };
    for (int coding = STATIC_GZIP; coding < STATIC_CODING_N; coding++) {
        if (str_ends(*path, endings[coding])) {
            *path = str_slice(*path, 0, path->n - endings[coding].n);
            return (enum static_coding)coding;
        }
    }
    return STATIC_PLAIN;
}

/* In the order of reading, a file may come before or after its encodings. */
static struct static_file *get_row(struct static_files *files, struct str path)
{
    for (size_t i = 0; i < files->n; i++) {
        if (str_eq_text(path, files->rows[i].path))
            return &files->rows[i];
    }
    if (files->n == files->cap) {
        files->cap = files->cap > 0 ? files->cap * 2 : 64;
        files->rows = xrealloc(files->rows, files->cap * sizeof *files->rows);
    }
    struct static_file *row = &files->rows[files->n++];
    *row = (struct static_file){.path = xmemdup(path.p, path.n), .type = type_of(path), .is_immutable = has_hash(path)};
    return row;
}

static bool load_file(struct static_files *files, const char *name, struct str path, struct err *reterr)
{
    struct buf bytes;
    if (files->n >= FILES_MAX)
        return err_set(reterr, ERR_TOO_LARGE, __func__, "more than %d files", FILES_MAX);
    buf_init(&bytes, FILE_BYTES_MAX);
    if (!read_file(name, &bytes, reterr)) {
        buf_fini(&bytes);
        return false;
    }
    if (files->bytes + bytes.n > ALL_BYTES_MAX) {
        buf_fini(&bytes);
        return err_set(reterr, ERR_TOO_LARGE, __func__, "the files are more than %d bytes", ALL_BYTES_MAX);
    }
    enum static_coding coding = split_coding(&path);
    struct static_variant *v = &get_row(files, path)->variants[coding];
    v->bytes.p = buf_take(&bytes, &v->bytes.n);
    http_etag(v->bytes, v->etag);
    files->bytes += v->bytes.n;
    return true;
}

static bool load_entry(struct static_files *files, const char *name, const char *path, unsigned depth,
                       struct err *reterr);

/* prefix: the directory's path for clients, "" at the top. */
static bool load_dir(struct static_files *files, const char *dir, const char *prefix, unsigned depth,
                     struct err *reterr)
{
    if (depth > DEPTH_MAX)
        return err_set(reterr, ERR_TOO_LARGE, __func__, "%s: more than %d levels", dir, DEPTH_MAX);
    DIR *d = opendir(dir);
    if (d == NULL)
        return err_set(reterr, ERR_NOT_READY, __func__, "%s: %s", dir, strerror(errno));
    struct arena *a = arena_new();
    bool is_fine = true;
    const struct dirent *entry;
    while (is_fine && (entry = readdir(d)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        is_fine = load_entry(files, arena_printf(a, "%s/%s", dir, entry->d_name),
                             arena_printf(a, "%s/%s", prefix, entry->d_name), depth, reterr);
    }
    arena_free(a);
    (void)closedir(d);
    return is_fine;
}

static bool load_entry(struct static_files *files, const char *name, const char *path, unsigned depth,
                       struct err *reterr)
{
    struct stat info;
    if (lstat(name, &info) != 0)
        return err_set(reterr, ERR_NOT_READY, __func__, "%s: %s", name, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return load_dir(files, name, path, depth + 1, reterr);
    return !S_ISREG(info.st_mode) || load_file(files, name, str_from(path), reterr);
}

static int compare_rows(const void *a, const void *b)
{
    return strcmp(((const struct static_file *)a)->path, ((const struct static_file *)b)->path);
}

bool static_load(struct static_files *files, const char *dir, struct err *reterr)
{
    if (!load_dir(files, dir, "", 0, reterr))
        return false;
    if (files->n > 0)
        qsort(files->rows, files->n, sizeof *files->rows, compare_rows);
    return true;
}

static int compare_path(const void *path, const void *row)
{
    const struct str *wanted = path;
    const char *have = ((const struct static_file *)row)->path;
    size_t n = strlen(have);
    int order = memcmp(wanted->p, have, wanted->n < n ? wanted->n : n);
    if (order != 0)
        return order;
    return wanted->n < n ? -1 : wanted->n > n;
}

const struct static_file *static_find(const struct static_files *files, struct str path)
{
    if (files->n == 0 || str_is_none(path))
        return NULL;
    const struct static_file *row = bsearch(&path, files->rows, files->n, sizeof *files->rows, compare_path);
    return row != NULL && !str_is_none(row->variants[STATIC_PLAIN].bytes) ? row : NULL;
}
