// SPDX-License-Identifier: MIT
/* GET /api/admin/audit: who asked for which change, newest first, in pages, narrowed by `user` who asked, `project` or
 * `ofUser` that the change is of, `action`, `status` ("403", "4xx", or "none": the client left before the answer),
 * `since` and `until`. */
#include "core/base/json_write.h"
#include "handlers/documents.h"
#include "handlers/handlers.h"
#include "handlers/paging.h"
#include "handlers/pending.h"

enum { USUAL_PER_PAGE = 100, STATUS_MIN = 100, STATUS_MAX = 599 };

struct listing {
    struct pending pending;
    struct audit_query query;
};

static const char *const filters[] = {"user", "project", "ofUser", "action", "status", "since", "until", NULL};
static const struct paging_list list = {"/api/admin/audit", filters};

static void write_entry(struct json_writer *w, const struct audit_entry *e)
{
    jw_object(w);
    jw_kv_str(w, "id", e->id);
    jw_kv_time(w, "at", e->at_ms);
    jw_kv_str(w, "userId", e->user_id);
    jw_kv_str(w, "userName", e->user_name);
    jw_kv_str(w, "credential", e->credential);
    jw_kv_str(w, "tokenId", e->token_id);
    jw_kv_str(w, "action", e->action);
    jw_kv_str(w, "subjectKind", e->subject_kind);
    jw_kv_str(w, "subjectId", e->subject_id);
    jw_key(w, "status");
    if (e->status != 0)
        jw_int(w, e->status);
    else
        jw_null(w);
    jw_kv_str(w, "address", e->address);
    jw_kv_str(w, "requestId", e->request_id);
    jw_object_end(w);
}

static void on_list(void *arg, const struct audit_page *page, const struct err *err)
{
    struct listing *l = arg;
    if (!pending_done(&l->pending, err))
        return;
    struct json_writer *w = jw_new(LIST_CEILING_BYTES);
    jw_array(w);
    for (size_t i = 0; i < page->n; i++)
        write_entry(w, &page->entries[i]);
    paging_answer(l->pending.x, w, &list, l->query.limit, page->has_more ? &page->last : NULL);
}

static bool read_status(struct http_exchange *x, struct audit_query *ret, struct err *reterr)
{
    struct str text;
    uint64_t number;
    ret->status_class = -1;
    if (!paging_read_text(x, "status", &text, reterr))
        return false;
    if (str_is_none(text))
        return true;
    bool is_class = text.n == 3 && str_ends(text, STR("xx"));
    if (str_eq(text, STR("none"))) {
        ret->status_class = 0;
        return true;
    }
    if (!str_parse_u64(is_class ? str_slice(text, 0, 1) : text, STATUS_MAX, &number) ||
        (is_class ? number * 100 : number) < STATUS_MIN || (is_class && number * 100 > STATUS_MAX))
        return err_set_field(reterr, ERR_INVALID, __func__, "status",
                             "status must be one (403), a class of them (4xx), or none");
    ret->status_class = (int)(is_class ? number : number / 100);
    ret->status = is_class ? 0 : (int)number;
    return true;
}

void audit_list(struct http_exchange *x, struct app *app)
{
    struct listing *l = arena_alloc(http_arena(x), sizeof(*l));
    struct err err = {0};
    *l = (struct listing){
        .pending = {.x = x, .app = app}
    };
    if (!paging_read_limit(x, AUDIT_PER_PAGE, USUAL_PER_PAGE, &l->query.limit, &err) ||
        !paging_read_cursor(x, &l->query.after, &err) || !paging_read_id(x, "user", &l->query.user_id, &err) ||
        !paging_read_id(x, "project", &l->query.project_id, &err) ||
        !paging_read_id(x, "ofUser", &l->query.of_user_id, &err) ||
        !paging_read_text(x, "action", &l->query.action, &err) || !read_status(x, &l->query, &err) ||
        !paging_read_time(x, "since", PAGING_FROM, &l->query.since_ms, &err) ||
        !paging_read_time(x, "until", PAGING_TO, &l->query.until_ms, &err)) {
        http_answer_err(x, &err);
        return;
    }
    pending_wait(&l->pending,
                 app->store->audit.list(app->store->self, &l->query, app->settings.request_ms, on_list, l));
}
