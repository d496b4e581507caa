// SPDX-License-Identifier: MIT
/* Answers with files from memory: which coding, is it known already, how long may it be kept. */
#include "server/static.h"

#include <stdlib.h>

#include "core/base/xmem.h"
#include "server/static_load.h"

static const char *const coding_names[STATIC_CODING_N] = {
    [STATIC_PLAIN] = "identity", [STATIC_GZIP] = "gzip", [STATIC_BROTLI] = "br"};

struct static_files *static_files_new(const char *dir, struct err *reterr)
{
    struct static_files *files = xcalloc(1, sizeof *files);
    if (!static_load(files, dir, reterr)) {
        static_files_free(files);
        return NULL;
    }
    return files;
}

void static_files_free(struct static_files *files)
{
    if (files == NULL)
        return;
    for (size_t i = 0; i < files->n; i++) {
        for (int coding = 0; coding < STATIC_CODING_N; coding++)
            free((char *)(uintptr_t)files->rows[i].variants[coding].bytes.p);
        free(files->rows[i].path);
    }
    free(files->rows);
    free(files);
}

size_t static_files_count(const struct static_files *files)
{
    return files->n;
}

/* Is q not zero? "q=0", "q=0.0" and "q=0.000" refuse. */
static bool is_wanted(struct str params)
{
    struct str q = str_trim(params);
    if (q.n < 3 || (q.p[0] != 'q' && q.p[0] != 'Q') || q.p[1] != '=')
        return true;
    for (size_t i = 2; i < q.n; i++) {
        if (q.p[i] != '0' && q.p[i] != '.')
            return true;
    }
    return false;
}

/* Source: RFC 9110 12.5.3. The client's order of preference is not asked: smaller is better. */
static bool accepts(struct str field, const char *coding)
{
    struct str rest = field;
    struct str part;
    bool has_star = false;
    while (str_next(&rest, ',', &part)) {
        size_t semicolon = str_find(part, ';', 0);
        struct str name = str_trim(str_slice(part, 0, semicolon));
        bool is_fine = is_wanted(str_slice(part, semicolon + 1, part.n));
        if (str_eq_nocase(name, str_from(coding)))
            return is_fine;
        if (str_eq(name, STR("*")))
            has_star = is_fine;
    }
    return has_star;
}

static enum static_coding choose_coding(const struct static_file *file, struct str accepted)
{
    for (int coding = STATIC_CODING_N - 1; coding > STATIC_PLAIN; coding--) {
        if (!str_is_none(file->variants[coding].bytes) && accepts(accepted, coding_names[coding]))
            return (enum static_coding)coding;
    }
    return STATIC_PLAIN;
}

static const struct static_file *find_for(const struct static_files *files, struct str path)
{
    const struct static_file *file = static_find(files, path);
    struct str last = path;
    while (str_find(last, '/', 0) < last.n)
        last = str_slice(last, str_find(last, '/', 0) + 1, last.n);
    if (file == NULL && str_find(last, '.', 0) == last.n)
        file = static_find(files, STR("/index.html"));
    return file;
}

void static_files_answer(const struct static_files *files, struct http_exchange *x)
{
    const struct static_file *file = find_for(files, http_path(x));
    if (file == NULL) {
        struct err err;
        err_set(&err, ERR_MISSING, __func__, "Not found");
        http_answer_err(x, &err);
        return;
    }
    enum static_coding coding = choose_coding(file, http_header(x, "Accept-Encoding"));
    const struct static_variant *v = &file->variants[coding];
    /* A name without a hash may hold other bytes tomorrow: it is asked for each time, and mostly answered 304. */
    http_add_header(x, "Cache-Control",
                    file->is_immutable ? STR("public, max-age=31536000, immutable") : STR("no-cache"));
    http_add_header(x, "ETag", str_from(v->etag));
    http_add_header(x, "Vary", STR("Accept-Encoding"));
    if (http_etag_is_known(x, v->etag)) {
        http_answer(x, 304, NULL, STR(""));
        return;
    }
    if (coding != STATIC_PLAIN)
        http_add_header(x, "Content-Encoding", str_from(coding_names[coding]));
    http_answer_static(x, 200, file->type, v->bytes);
}
