// SPDX-License-Identifier: MIT
/* What PostgreSQL's answers mean for a caller. Longer prefixes stand before shorter ones; the first match wins.
 * Source: PostgreSQL manual, appendix A "PostgreSQL Error Codes". Class FS is this program's own, raised by the
 * functions in store/migrations. */
#include "store/sqlstate.h"

#include <stddef.h>
#include <string.h>

#include "core/base/str.h"

struct sqlstate_row {
    const char *prefix;
    enum err_kind kind;
    const char *reason; /* NULL: the SQLSTATE itself */
    unsigned retry_after_s;
};

static const struct sqlstate_row rows[] = {
    {"FS001", ERR_CONFLICT,  "Fenced",            0 },
    {"FS002", ERR_CONFLICT,  "BeingTerminated",   5 },
    {"FS003", ERR_LIMIT,     "QueueFull",         5 }, /* of servers before there was a queue */
    {"FS004", ERR_CONFLICT,  "ClusterFull",       0 },
    {"FS005", ERR_INVALID,   "VariablesRefused",  0 },
    {"FS012", ERR_LIMIT,     "QueueFull",         15},
    {"FS013", ERR_CONFLICT,  "TooManyProjects",   0 },
    {"FS014", ERR_CONFLICT,  "TooManySandboxes",  0 },
    {"FS015", ERR_CONFLICT,  "BeingStopped",      5 },
    {"FS020", ERR_CONFLICT,  "TooManyTokens",     0 },
    {"FS032", ERR_MISSING,   NULL,                0 },
    {"FS033", ERR_CONFLICT,  "LastAdministrator", 0 },
    {"FS034", ERR_CONFLICT,  "AlreadyConnected",  0 },
    {"FS035", ERR_CONFLICT,  "CreationUnknown",   0 },
    {"FS036", ERR_CONFLICT,  "Disconnected",      0 },
    {"08",    ERR_NOT_READY, NULL,                1 }, /* connection exceptions */
    {"22",    ERR_INVALID,   NULL,                0 }, /* data exceptions: bad text, out of range */
    {"23505", ERR_CONFLICT,  NULL,                0 }, /* unique violation */
    {"23503", ERR_CONFLICT,  NULL,                0 }, /* foreign key: the other row is gone */
    {"23",    ERR_INVALID,   NULL,                0 },
    {"25006", ERR_NOT_READY, NULL,                1 }, /* read-only: a standby after a switch-over */
    {"25",    ERR_BUG,       NULL,                0 },
    {"28",    ERR_DENIED,    NULL,                0 }, /* wrong role or password */
    {"3D000", ERR_MISSING,   NULL,                0 }, /* no such database */
    {"40",    ERR_CONFLICT,  NULL,                1 }, /* serialization failure, deadlock: try again */
    {"42501", ERR_DENIED,    NULL,                0 },
    {"42P04", ERR_CONFLICT,  NULL,                0 }, /* duplicate database */
    {"42710", ERR_CONFLICT,  NULL,                0 }, /* duplicate object: a role */
    {"42P01", ERR_NOT_READY, NULL,                1 }, /* no such table: the schema is not there yet */
    {"42883", ERR_NOT_READY, NULL,                1 }, /* no such function: as above */
    {"42",    ERR_BUG,       NULL,                0 },
    {"53300", ERR_NOT_READY, NULL,                2 }, /* too many connections */
    {"53",    ERR_NOT_READY, NULL,                5 }, /* disk full, out of memory */
    {"54",    ERR_TOO_LARGE, NULL,                0 },
    {"55P03", ERR_CONFLICT,  NULL,                1 }, /* lock not available */
    {"55006", ERR_CONFLICT,  NULL,                1 }, /* object in use */
    {"57014", ERR_TIMEOUT,   NULL,                0 }, /* cancelled, also by statement_timeout */
    {"57",    ERR_NOT_READY, NULL,                1 }, /* shut down, starting up, crashed */
    {"58",    ERR_UPSTREAM,  NULL,                0 }, /* system error */
    {"",      ERR_BUG,       NULL,                0 },
};

static int base36(const char *sqlstate)
{
    int value = 0;
    for (size_t i = 0; i < 5; i++) {
        char c = sqlstate[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'Z' ? c - 'A' + 10 : 0;
        value = value * 36 + digit;
    }
    return value;
}

static void flatten(char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\n' || text[i] == '\r' || text[i] == '\t')
            text[i] = ' ';
    }
    while (n > 0 && text[n - 1] == ' ')
        text[--n] = '\0';
}

bool sqlstate_err(struct err *reterr, const char *origin, const char *sqlstate, const char *message)
{
    struct err made = {0};
    bool is_known = sqlstate != NULL && strlen(sqlstate) == 5;
    const char *text = message != NULL && message[0] != '\0' ? message : "the connection to PostgreSQL is lost";
    const struct sqlstate_row *row = rows;
    while (is_known && strncmp(sqlstate, row->prefix, strlen(row->prefix)) != 0)
        row++;
    err_set(&made, is_known ? row->kind : ERR_NOT_READY, origin, "%s", text);
    flatten(made.msg);
    made.retry_after_s = is_known ? row->retry_after_s : 1;
    made.code = is_known ? base36(sqlstate) : 0;
    const char *reason = !is_known ? "ConnectionLost" : row->reason != NULL ? row->reason : sqlstate;
    if (!str_copy(str_from(reason), made.reason, sizeof(made.reason)))
        made.reason[0] = '\0';
    err_copy(reterr, &made);
    return false;
}

void sqlstate_numbers(struct err *err, const char *sqlstate, const char *detail)
{
    uint64_t limit;
    uint64_t current;
    struct str word;
    if (sqlstate == NULL || strncmp(sqlstate, "FS", 2) != 0 || detail == NULL)
        return;
    struct str rest = str_from(detail);
    if (!str_next(&rest, ' ', &word) || !str_parse_u64(word, INT64_MAX, &limit) ||
        !str_parse_u64(rest, INT64_MAX, &current))
        return;
    err->limit = (int64_t)limit;
    err->current = (int64_t)current;
}
