// SPDX-License-Identifier: MIT
/* Rows to structs. The order of columns is the order of the lists in store_rows.h. */
#include "store/store_rows.h"

#include <stddef.h>
#include <string.h>

#include "core/base/buf.h"

/* Where a text column goes. */
struct text_place {
    size_t offset;
    size_t size;
};
#define PLACE(type, member)                                                                                            \
    {                                                                                                                  \
        offsetof(struct type, member), sizeof(((struct type *)NULL)->member)                                           \
    }

static bool copy_texts(struct rows_at at, const struct text_place *places, size_t n, void *ret, struct err *reterr)
{
    for (size_t i = 0; i < n; i++) {
        char *text = (char *)ret + places[i].offset;
        if (!pg_row_copy(at.result, at.row, at.column + (int)i, text, places[i].size, reterr))
            return false;
    }
    return true;
}

bool rows_sandbox(struct rows_at at, struct sandbox *ret, struct err *reterr)
{
    static const struct text_place places[] = {
        PLACE(sandbox, id),
        PLACE(sandbox, project_id),
        PLACE(sandbox, owner_id),
        PLACE(sandbox, project_name),
        PLACE(sandbox, cluster),
        PLACE(sandbox, slug),
        PLACE(sandbox, namespace_name),
        PLACE(sandbox, name),
        PLACE(sandbox, database_name),
        PLACE(sandbox, app_host),
        PLACE(sandbox, tty_host),
        PLACE(sandbox, app_label),
        PLACE(sandbox, tty_label),
        PLACE(sandbox, port_names[0]),
        PLACE(sandbox, port_names[1]),
        PLACE(sandbox, port_names[2]),
        PLACE(sandbox, port_names[3]),
        PLACE(sandbox, image),
        PLACE(sandbox, restart_time),
        PLACE(sandbox, message),
    };
    const size_t n = sizeof(places) / sizeof(places[0]);
    *ret = (struct sandbox){0};
    if (!copy_texts(at, places, n, ret, reterr))
        return false;
    const struct pg_result *r = at.result;
    size_t row = at.row;
    int c = at.column + (int)n;
    if (!sandbox_status_parse(pg_row_str(r, row, c), &ret->status) ||
        !desired_parse(pg_row_str(r, row, c + 1), &ret->desired) ||
        !reason_parse(pg_row_str(r, row, c + 4), &ret->code) ||
        !workload_parse(pg_row_str(r, row, c + 10), &ret->kinds.workload) ||
        !route_parse(pg_row_str(r, row, c + 11), &ret->kinds.route))
        return err_set(reterr, ERR_BUG, __func__, "the row of a sandbox holds an unknown status, aim, code or kind");
    ret->attempt = (unsigned)pg_row_int(r, row, c + 2, 0);
    ret->attempt_started_ms = pg_row_time_ms(r, row, c + 3);
    ret->is_settled = pg_row_bool(r, row, c + 5);
    ret->fence = pg_row_int(r, row, c + 6, 0);
    ret->created_ms = pg_row_time_ms(r, row, c + 7);
    ret->updated_ms = pg_row_time_ms(r, row, c + 8);
    ret->saves = pg_row_int(r, row, c + 9, 0);
    ret->drift_ms = pg_row_int(r, row, c + 12, 0);
    ret->queued_ms = pg_row_int(r, row, c + 13, 0);
    ret->queue_position = (unsigned)pg_row_int(r, row, c + 14, 0);
    ret->queue_wait_ms = pg_row_int(r, row, c + 15, -1);
    return true;
}

bool rows_project(struct rows_at at, struct project *ret, struct err *reterr)
{
    static const struct text_place places[] = {
        PLACE(project, id),      PLACE(project, owner_id),  PLACE(project, name),         PLACE(project, description),
        PLACE(project, cluster), PLACE(project, repo.name), PLACE(project, repo.pending),
    };
    int c = at.column + (int)(sizeof(places) / sizeof(places[0]));
    *ret = (struct project){0};
    ret->has_description = !pg_row_is_null(at.result, at.row, at.column + 3);
    ret->repo.is_private = pg_row_bool(at.result, at.row, c);
    ret->repo.checked_ms = pg_row_time_ms(at.result, at.row, c + 1);
    ret->created_ms = pg_row_time_ms(at.result, at.row, c + 2);
    ret->updated_ms = pg_row_time_ms(at.result, at.row, c + 3);
    return copy_texts(at, places, sizeof(places) / sizeof(places[0]), ret, reterr);
}

const char *rows_kind_id(enum journal_kind kind)
{
    static const char *const ids[] = {
        [JOURNAL_STAGE] = "stage", [JOURNAL_STATUS] = "status", [JOURNAL_DONE] = "done", [JOURNAL_QUEUED] = "status"};
    return ids[kind];
}

bool rows_kind_parse(struct str text, enum journal_kind *ret)
{
    for (int kind = JOURNAL_STAGE; kind <= JOURNAL_DONE; kind++) {
        if (str_eq_text(text, rows_kind_id((enum journal_kind)kind))) {
            *ret = (enum journal_kind)kind;
            return true;
        }
    }
    return false;
}

/* NULL is what does not apply to the kind. */
static bool read_sets(const struct pg_result *r, size_t row, int c, struct journal_event *ret)
{
    return rows_kind_parse(pg_row_str(r, row, c), &ret->kind) &&
           (pg_row_is_null(r, row, c + 1) || stage_parse(pg_row_str(r, row, c + 1), &ret->stage)) &&
           (pg_row_is_null(r, row, c + 2) || stage_status_parse(pg_row_str(r, row, c + 2), &ret->stage_status)) &&
           (pg_row_is_null(r, row, c + 3) || sandbox_status_parse(pg_row_str(r, row, c + 3), &ret->status)) &&
           (pg_row_is_null(r, row, c + 4) || outcome_parse(pg_row_str(r, row, c + 4), &ret->outcome)) &&
           reason_parse(pg_row_str(r, row, c + 5), &ret->code);
}

bool rows_event(struct rows_at at, struct journal_event *ret, struct err *reterr)
{
    static const struct text_place places[] = {
        PLACE(journal_event, owner_id),
        PLACE(journal_event, project_id),
        PLACE(journal_event, message),
    };
    *ret = (struct journal_event){0};
    if (!copy_texts(at, places, sizeof(places) / sizeof(places[0]), ret, reterr))
        return false;
    const struct pg_result *r = at.result;
    size_t row = at.row;
    int c = at.column + 3;
    ret->seq = (uint64_t)pg_row_int(r, row, c, 0);
    ret->attempt = (unsigned)pg_row_int(r, row, c + 1, 0);
    ret->at_ms = pg_row_time_ms(r, row, c + 8);
    ret->duration_ms = pg_row_int(r, row, c + 9, -1);
    ret->position = (unsigned)pg_row_int(r, row, c + 10, 0);
    bool is_known = read_sets(r, row, c + 2, ret);
    if (ret->kind == JOURNAL_STATUS && ret->position > 0)
        ret->kind = JOURNAL_QUEUED;
    if (is_known)
        return true;
    return err_set(reterr, ERR_BUG, __func__, "a row of the journal holds an unknown kind, stage, status or code");
}

bool rows_user(struct rows_at at, struct principal *ret, struct err *reterr)
{
    static const struct text_place places[] = {
        PLACE(principal, user_id),
        PLACE(principal, name),
        PLACE(principal, email),
        PLACE(principal, image),
    };
    *ret = (struct principal){0};
    ret->is_admin = pg_row_bool(at.result, at.row, at.column + 4);
    return copy_texts(at, places, sizeof(places) / sizeof(places[0]), ret, reterr);
}

struct str rows_aad(struct arena *a, const char *table, const char *column, const char *row_id)
{
    return str_from(arena_printf(a, "%s|%s|%s", table, column, row_id));
}

bool rows_credentials(struct rows_at at, const struct codec_keyring *ring, const char *project_id,
                      struct db_credentials *ret, bool *ret_has, struct err *reterr)
{
    static const struct text_place places[] = {
        PLACE(db_credentials, host),
        PLACE(db_credentials, user),
        PLACE(db_credentials, database),
    };
    *ret = (struct db_credentials){0};
    *ret_has = !pg_row_is_null(at.result, at.row, at.column + 4);
    if (!*ret_has)
        return true;
    if (!copy_texts(at, places, sizeof(places) / sizeof(places[0]), ret, reterr))
        return false;
    ret->port = (int)pg_row_int(at.result, at.row, at.column + 3, 0);
    struct arena *a = arena_new();
    struct str box;
    bool is_ok = pg_row_bytea(at.result, at.row, at.column + 4, a, &box, reterr) &&
                 codec_open(ring, rows_aad(a, "databases", "password_box", project_id), box, &ret->password, reterr);
    arena_free(a);
    return is_ok;
}

void rows_add_box(struct pg_params *p, const struct codec_keyring *ring, struct str aad, struct str plain)
{
    if (str_is_none(plain)) {
        pg_add_null(p);
        return;
    }
    struct buf box;
    buf_init(&box, ROWS_BOX_BYTES_MAX);
    codec_seal(ring, aad, plain, &box);
    if (box.is_over)
        pg_params_refuse(p, ERR_TOO_LARGE);
    pg_add_bytea(p, buf_str(&box));
    buf_fini(&box);
}
