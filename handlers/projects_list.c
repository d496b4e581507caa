// SPDX-License-Identifier: MIT
/* GET /api/projects: the plain array of the original, in pages when asked for (`limit`, then the Link field's next),
 * narrowed by `keyword`, `createdFrom` and `createdTo`. */
#include <string.h>

#include "core/base/codec.h"
#include "core/base/wall.h"
#include "core/caller.h"
#include "core/names.h"
#include "handlers/documents.h"
#include "handlers/handlers.h"
#include "handlers/pending.h"

enum { DAY_MS = 24 * 60 * 60 * 1000, LINK_CEILING_BYTES = 4096 };

struct listing {
    struct pending pending;
    struct project_query query;
};

/* ---- the page ---- */

/* What stood in the query, for the next page's address. */
static void add_parameter(struct buf *out, struct http_exchange *x, const char *name)
{
    struct str value;
    if (!http_query_find(x, name, &value))
        return;
    buf_addf(out, "&%s=", name);
    codec_percent_encode(out, value);
}

/* RFC 8288. The cursor says where this page ended. */
static void add_next(struct http_exchange *x, const struct listing *l, const struct project_page *page)
{
    struct buf link;
    buf_init(&link, LINK_CEILING_BYTES);
    buf_addf(&link, "</api/projects?limit=%u&cursor=%lld.%s", l->query.limit, (long long)page->last_us,
             page->projects[page->n - 1].id);
    add_parameter(&link, x, "keyword");
    add_parameter(&link, x, "createdFrom");
    add_parameter(&link, x, "createdTo");
    buf_add_text(&link, ">; rel=\"next\"");
    if (!link.is_over)
        http_add_header(x, "Link", buf_str(&link));
    buf_fini(&link);
}

static void on_list(void *arg, const struct project_page *page, const struct err *err)
{
    struct listing *l = arg;
    struct http_exchange *x = l->pending.x;
    if (!pending_done(&l->pending, err))
        return;
    struct json_writer *w = jw_new(LIST_CEILING_BYTES);
    jw_array(w);
    for (size_t i = 0; i < page->n; i++)
        documents_project(w, l->pending.app, &page->projects[i]);
    jw_array_end(w);
    /* Where a stream that shows what follows this answer begins. */
    http_add_header(x, "X-Journal-Seq",
                    str_from(arena_printf(http_arena(x), "%llu", (unsigned long long)page->journal_seq)));
    if (page->has_more)
        add_next(x, l, page);
    http_answer_json(x, 200, w);
}

/* ---- what is asked for ---- */

static bool read_limit(struct http_exchange *x, unsigned *ret, struct err *reterr)
{
    struct str text;
    uint64_t limit = PROJECTS_PER_PAGE;
    if (http_query_find(x, "limit", &text) && (!str_parse_u64(text, PROJECTS_PER_PAGE, &limit) || limit == 0))
        return err_set_field(reterr, ERR_INVALID, __func__, "limit", "limit must be a number from 1 to %d",
                             PROJECTS_PER_PAGE);
    *ret = (unsigned)limit;
    return true;
}

/* "MICROSECONDS.ID", as add_next wrote it. */
static bool read_cursor(struct http_exchange *x, struct project_query *ret, struct err *reterr)
{
    struct str text;
    uint64_t after_us;
    if (!http_query_find(x, "cursor", &text))
        return true;
    size_t dot = str_find(text, '.', 0);
    struct str id = str_slice(text, dot < text.n ? dot + 1 : dot, text.n);
    if (!str_parse_u64(str_slice(text, 0, dot), INT64_MAX, &after_us) || after_us == 0 || !names_is_id(id))
        return err_set_field(reterr, ERR_INVALID, __func__, "cursor",
                             "cursor must be what the Link field of another page names");
    ret->after_us = (int64_t)after_us;
    ret->after_id = arena_dup(http_arena(x), id);
    return true;
}

static bool read_keyword(struct http_exchange *x, struct str *ret, struct err *reterr)
{
    struct str text = STR_NONE;
    (void)http_query_find(x, "keyword", &text);
    text = str_trim(text);
    if (text.n > PROJECT_KEYWORD_MAX_BYTES || !str_is_utf8(text))
        return err_set_field(reterr, ERR_INVALID, __func__, "keyword", "keyword must be UTF-8 of at most %d bytes",
                             PROJECT_KEYWORD_MAX_BYTES);
    *ret = text.n > 0 ? text : STR_NONE;
    return true;
}

/* A moment, or a day in UTC, which ends day_ms after its begin. */
static bool read_time(struct http_exchange *x, const char *name, int64_t day_ms, int64_t *ret_ms, struct err *reterr)
{
    struct str text;
    if (!http_query_find(x, name, &text) || text.n == 0)
        return true;
    const char *midnight = arena_printf(http_arena(x), "%.*sT00:00:00Z", (int)text.n, text.p);
    if (wall_parse(text, ret_ms))
        return true;
    if (text.n == strlen("2026-01-31") && wall_parse(str_from(midnight), ret_ms)) {
        *ret_ms += day_ms;
        return true;
    }
    return err_set_field(reterr, ERR_INVALID, __func__, name,
                         "%s must be a day (2026-01-31) or a time (2026-01-31T12:00:00Z)", name);
}

void projects_list(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    struct listing *l = arena_alloc(http_arena(x), sizeof(*l));
    struct err err = {0};
    *l = (struct listing){
        .pending = {.x = x, .app = app},
          .query = {.owner_id = caller->who.user_id     }
    };
    if (!read_limit(x, &l->query.limit, &err) || !read_cursor(x, &l->query, &err) ||
        !read_keyword(x, &l->query.keyword, &err) || !read_time(x, "createdFrom", 0, &l->query.created_from_ms, &err) ||
        !read_time(x, "createdTo", DAY_MS, &l->query.created_to_ms, &err)) {
        http_answer_err(x, &err);
        return;
    }
    pending_wait(&l->pending,
                 app->store->project_list(app->store->self, &l->query, app->settings.request_ms, on_list, l));
}
