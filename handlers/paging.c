// SPDX-License-Identifier: MIT
/* Reading of limit, cursor and filters, and writing of the Link field. */
#include "handlers/paging.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/codec.h"
#include "core/base/json_write.h"
#include "core/base/wall.h"
#include "core/names.h"

enum { DAY_MS = 24 * 60 * 60 * 1000, LINK_CEILING_BYTES = 4096 };

struct number {
    const char *name;
    unsigned most;
    unsigned usual;
};

static bool read_number(struct http_exchange *x, const struct number *number, unsigned *ret, struct err *reterr)
{
    struct str text;
    uint64_t value = number->usual;
    if (http_query_find(x, number->name, &text) && (!str_parse_u64(text, number->most, &value) || value == 0))
        return err_set_field(reterr, ERR_INVALID, __func__, number->name, "%s must be a number from 1 to %u",
                             number->name, number->most);
    *ret = (unsigned)value;
    return true;
}

bool paging_read_limit(struct http_exchange *x, unsigned most, unsigned usual, unsigned *ret, struct err *reterr)
{
    const struct number limit = {"limit", most, usual};
    return read_number(x, &limit, ret, reterr);
}

bool paging_read_page(struct http_exchange *x, unsigned most, unsigned *ret, struct err *reterr)
{
    const struct number page = {"page", most, 1};
    return read_number(x, &page, ret, reterr);
}

/* "MICROSECONDS.ID", as paging_answer wrote it. */
bool paging_read_cursor(struct http_exchange *x, struct page_cursor *ret, struct err *reterr)
{
    struct str text;
    uint64_t at_us;
    if (!http_query_find(x, "cursor", &text))
        return true;
    size_t dot = str_find(text, '.', 0);
    struct str id = str_slice(text, dot < text.n ? dot + 1 : dot, text.n);
    if (!str_parse_u64(str_slice(text, 0, dot), INT64_MAX, &at_us) || at_us == 0 || !names_is_id(id))
        return err_set_field(reterr, ERR_INVALID, __func__, "cursor",
                             "cursor must be what the Link field of another page names");
    *ret = (struct page_cursor){(int64_t)at_us, arena_dup(http_arena(x), id)};
    return true;
}

bool paging_read_text(struct http_exchange *x, const char *name, struct str *ret, struct err *reterr)
{
    struct str text = STR_NONE;
    (void)http_query_find(x, name, &text);
    text = str_trim(text);
    if (text.n > PAGING_TEXT_MAX_BYTES || !str_is_utf8(text))
        return err_set_field(reterr, ERR_INVALID, __func__, name, "%s must be UTF-8 of at most %d bytes", name,
                             PAGING_TEXT_MAX_BYTES);
    *ret = text.n > 0 ? text : STR_NONE;
    return true;
}

bool paging_read_id(struct http_exchange *x, const char *name, struct str *ret, struct err *reterr)
{
    struct str text = STR_NONE;
    if (!paging_read_text(x, name, &text, reterr))
        return false;
    if (!str_is_none(text) && !names_is_id(text))
        return err_set_field(reterr, ERR_INVALID, __func__, name, "%s must be an id", name);
    *ret = text;
    return true;
}

bool paging_read_time(struct http_exchange *x, const char *name, enum paging_bound bound, int64_t *ret_ms,
                      struct err *reterr)
{
    struct str text;
    if (!http_query_find(x, name, &text) || text.n == 0)
        return true;
    const char *midnight = arena_printf(http_arena(x), "%.*sT00:00:00Z", (int)text.n, text.p);
    if (wall_parse(text, ret_ms))
        return true;
    if (text.n == strlen("2026-01-31") && wall_parse(str_from(midnight), ret_ms)) {
        *ret_ms += bound == PAGING_TO ? DAY_MS : 0;
        return true;
    }
    return err_set_field(reterr, ERR_INVALID, __func__, name,
                         "%s must be a day (2026-01-31) or a time (2026-01-31T12:00:00Z)", name);
}

/* What stood in the query, for the next page's address. */
static void add_parameter(struct buf *out, struct http_exchange *x, const char *name)
{
    struct str value;
    if (!http_query_find(x, name, &value))
        return;
    buf_addf(out, "&%s=", name);
    codec_percent_encode(out, value);
}

static void add_next(struct http_exchange *x, const struct paging_list *list, unsigned limit,
                     const struct page_cursor *last)
{
    struct buf link;
    buf_init(&link, LINK_CEILING_BYTES);
    buf_addf(&link, "<%s?limit=%u&cursor=%lld.%s", list->path, limit, (long long)last->at_us, last->id);
    for (const char *const *name = list->filters; *name != NULL; name++)
        add_parameter(&link, x, *name);
    buf_add_text(&link, ">; rel=\"next\"");
    if (!link.is_over)
        http_add_header(x, "Link", buf_str(&link));
    buf_fini(&link);
}

void paging_answer(struct http_exchange *x, struct json_writer *w, const struct paging_list *list, unsigned limit,
                   const struct page_cursor *last)
{
    jw_array_end(w);
    if (last != NULL)
        add_next(x, list, limit, last);
    http_answer_json(x, 200, w);
}
