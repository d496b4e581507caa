// SPDX-License-Identifier: MIT
/* Private to store/: which columns make a project, a sandbox, a flow, an event, and how a row of them becomes the
 * struct. The lists expect the row aliases p (projects), s (sandboxes), d (databases), j (journal), u (users). */
#pragma once

#include "core/base/codec.h"
#include "core/port_store.h"
#include "core/sandbox.h"
#include "store/pg_params.h"
#include "store/pg_row.h"

#define ROWS_SANDBOX                                                                                                   \
    "(s).id, (s).project_id, (p).owner_id, (p).name, (p).cluster, (s).slug, (s).namespace_name, (s).name, (d).name, "  \
    "(s).app_host, "                                                                                                   \
    "(s).tty_host, (s).app_label, (s).tty_label, (s).port_names[1], (s).port_names[2], (s).port_names[3], "            \
    "(s).port_names[4], (s).image, (s).restart_time, (s).message, (s).status, (s).desired, (s).attempt, "              \
    "fs_ms((s).attempt_started_at), (s).code, (s).is_settled, (s).fence, fs_ms((s).created_at), "                      \
    "fs_ms((s).updated_at), (s).saves, (s).workload, (s).route, "                                                      \
    "CASE WHEN (s).drift_attempt = (s).attempt THEN fs_ms((s).drift_at) END, fs_ms((s).queued_at), "                   \
    "(s).queue_position, (s).queue_wait_ms"
#define ROWS_CREDENTIALS "(d).host, (d).username, (d).dbname, (d).port, (d).password_box"
#define ROWS_FLOW        ROWS_SANDBOX ", (s).steps, " ROWS_CREDENTIALS
#define ROWS_PROJECT                                                                                                   \
    "(p).id, (p).owner_id, (p).name, (p).description, (p).cluster, (p).github_repo, (p).github_pending, "              \
    "(p).github_is_private, fs_ms((p).github_checked_at), fs_ms((p).created_at), fs_ms((p).updated_at)"
#define ROWS_EVENT                                                                                                     \
    "(j).owner_id, (j).project_id, (j).message, (j).seq, (j).attempt, (j).kind, (j).stage, (j).stage_status, "         \
    "(j).status, (j).outcome, (j).code, fs_ms((j).at), (j).duration_ms, (j).position"
#define ROWS_USER "(u).id, (u).name, (u).email, (u).image, (u).is_admin"

enum {
    ROWS_SANDBOX_N = 36,
    ROWS_CREDENTIALS_N = 5,
    ROWS_FLOW_N = ROWS_SANDBOX_N + 1 + ROWS_CREDENTIALS_N,
    ROWS_PROJECT_N = 11,
    ROWS_EVENT_N = 14,
    ROWS_USER_N = 5,
    ROWS_BOX_BYTES_MAX = 3 << 20
};

/* Where to read: a row of a result, from a column on. */
struct rows_at {
    const struct pg_result *result;
    size_t row;
    int column;
};

/* Each fails with BUG when the row holds what this program does not know. */
MUST_CHECK bool rows_sandbox(struct rows_at at, struct sandbox *ret, struct err *reterr);
MUST_CHECK bool rows_project(struct rows_at at, struct project *ret, struct err *reterr);
MUST_CHECK bool rows_event(struct rows_at at, struct journal_event *ret, struct err *reterr);
MUST_CHECK bool rows_user(struct rows_at at, struct principal *ret, struct err *reterr);
/* *ret_has: false when none are stored. project_id: of the row, to open the password's box. */
MUST_CHECK bool rows_credentials(struct rows_at at, const struct codec_keyring *ring, const char *project_id,
                                 struct db_credentials *ret, bool *ret_has, struct err *reterr);

/* The ids of enum journal_kind in rows and messages. JOURNAL_QUEUED is JOURNAL_STATUS with a position there, so that a
 * server of the version before can read it; rows_kind_parse never gives it. */
const char *rows_kind_id(enum journal_kind kind);
MUST_CHECK bool rows_kind_parse(struct str text, enum journal_kind *ret);

/* "table|column|row id", where a box lives. */
struct str rows_aad(struct arena *a, const char *table, const char *column, const char *row_id);
/* Adds the sealed box as a bytea; an absent `plain` adds NULL. Over ROWS_BOX_BYTES_MAX the query fails with TOO_LARGE.
 */
void rows_add_box(struct pg_params *p, const struct codec_keyring *ring, struct str aad, struct str plain);
