// SPDX-License-Identifier: MIT
/* What GitHub's answers mean: users, addresses, tokens and repositories are read from them, believed only where they
 * are whole; what a refusal means stands in one table. */
#include <string.h>

#include "core/base/wall.h"
#include "core/github_private.h"

enum {
    TOKEN_MAX = 512,
    RATE_LIMIT_MAX_S = 3600,  /* GitHub counts by the hour */
    RATE_LIMIT_SILENT_S = 60, /* what its documentation asks for where it does not say how long */
    /* A repository in a list has some 110 members and 6 KiB. */
    LIST_NODES = 40000,
};

const struct json_limits GITHUB_LIMITS_ONE = {.max_bytes = GITHUB_ONE_BYTES, .max_depth = 8, .max_nodes = 4000};
const struct json_limits GITHUB_LIMITS_LIST = {.max_bytes = GITHUB_LIST_BYTES, .max_depth = 8, .max_nodes = LIST_NODES};

/* ---- who it is ---- */

static bool is_token_text(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
            return false;
    }
    return s.n > 0 && s.n <= TOKEN_MAX;
}

/* GitHub tells refusals with status 200 and a member "error". */
bool github_read_token(const struct json_value *v, struct secret *ret, struct err *reterr)
{
    struct str token = json_str(json_find(v, "access_token"));
    if (json_find(v, "error") != NULL)
        return err_set(reterr, ERR_DENIED, __func__, "GitHub refuses the code");
    if (!is_token_text(token) || !str_eq_nocase(json_str(json_find(v, "token_type")), STR("bearer")))
        return err_set(reterr, ERR_UPSTREAM, __func__, "GitHub's answer holds no bearer token");
    *ret = secret_new(token);
    return true;
}

static bool is_web_url(struct str s)
{
    return str_starts(s, STR("https://")) || str_starts(s, STR("http://127.0.0.1:"));
}

bool github_read_user(const struct json_value *v, struct github_user *ret, struct err *reterr)
{
    struct str name = json_str(json_find(v, "name"));
    struct str image = json_str(json_find(v, "avatar_url"));
    struct str login = json_str(json_find(v, "login"));
    ret->id = json_int(json_find(v, "id"), 0);
    if (ret->id <= 0 || login.n == 0 || !str_copy(login, ret->login, sizeof(ret->login)))
        return err_set(reterr, ERR_UPSTREAM, __func__, "GitHub's answer names no user");
    if (str_trim(name).n == 0 || !str_copy(str_trim(name), ret->name, sizeof(ret->name)))
        memcpy(ret->name, ret->login, sizeof(ret->login));
    if (!is_web_url(image) || !str_copy(image, ret->image, sizeof(ret->image)))
        ret->image[0] = '\0';
    return true;
}

void github_read_address(const struct json_value *list, struct github_user *ret)
{
    for (const struct json_value *v = json_first(list); v != NULL; v = json_next(v)) {
        bool is_good = json_bool(json_find(v, "primary"), false) && json_bool(json_find(v, "verified"), false);
        if (is_good && !str_copy(json_str(json_find(v, "email")), ret->email, sizeof(ret->email)))
            ret->email[0] = '\0';
    }
}

/* ---- refusals ---- */

static const struct refusal {
    int status;
    enum err_kind kind;
    const char *reason;
    const char *text;
} refusals[] = {
    {401, ERR_CONFLICT, "GitHubSignInNeeded", "GitHub no longer accepts your sign-in here; sign in with GitHub again"},
    {403, ERR_DENIED,   "GitHubDenied",
     "GitHub refuses this to your account; an organization may ask for its own sign-on or its approval first"        },
};

static unsigned parse_s(const char *text)
{
    uint64_t value;
    return str_parse_u64(str_from(text), UINT32_MAX, &value) ? (unsigned)value : 0;
}

/* How long to stay away; 0: it is no matter of rates. */
static unsigned rate_limited_s(const struct fetch_answer *answer, struct str message, int64_t wall_ms)
{
    bool is_used_up = str_eq_text(STR("0"), fetch_answer_header(answer, "X-RateLimit-Remaining"));
    int64_t now_s = (answer->date_ms >= 0 ? answer->date_ms : wall_ms) / 1000;
    int64_t left_s = parse_s(fetch_answer_header(answer, "X-RateLimit-Reset")) - now_s;
    if (answer->status != 403 && answer->status != 429)
        return 0;
    if (answer->retry_after_s > 0)
        return answer->retry_after_s;
    if (is_used_up)
        return left_s < 1 ? 1 : left_s < RATE_LIMIT_MAX_S ? (unsigned)left_s : RATE_LIMIT_MAX_S;
    bool is_told = str_find_str(message, STR("rate limit")) < message.n;
    return answer->status == 429 || is_told ? RATE_LIMIT_SILENT_S : 0;
}

bool github_set_reason(struct err *reterr, int status, const char *reason)
{
    reterr->code = status;
    (void)!str_copy(str_from(reason), reterr->reason, sizeof(reterr->reason));
    return false;
}

bool github_refuse(const struct github *g, const struct fetch_answer *answer, const struct json_value *body,
                   struct err *reterr)
{
    unsigned wait_s = rate_limited_s(answer, json_str(json_find(body, "message")), loop_wall_ms(g->loop));
    if (wait_s > 0) {
        err_set(reterr, ERR_NOT_READY, __func__, "GitHub has had too many requests for your account; try again later");
        reterr->retry_after_s = wait_s;
        return github_set_reason(reterr, answer->status, "GitHubRateLimited");
    }
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
        /* Without a document it is a proxy that speaks. */
        if (refusals[i].status == answer->status && body != NULL) {
            err_set(reterr, refusals[i].kind, __func__, "%s", refusals[i].text);
            return github_set_reason(reterr, answer->status, refusals[i].reason);
        }
    }
    if (answer->status >= 500) {
        err_set(reterr, ERR_NOT_READY, __func__, "GitHub has trouble of its own (%d); try again later", answer->status);
        return github_set_reason(reterr, answer->status, "GitHubUnavailable");
    }
    return err_set(reterr, ERR_UPSTREAM, __func__, "GitHub answered %d with %.60s", answer->status,
                   answer->content_type);
}

bool github_not_reached(const struct err *fetch_err, struct err *reterr)
{
    err_copy(reterr, fetch_err);
    (void)err_wrap(reterr, "asking GitHub");
    bool is_away = str_eq_text(STR("connect"), fetch_err->reason) || str_eq_text(STR("resolve"), fetch_err->reason);
    reterr->code = 0; /* curl's own, not a status */
    reterr->reason[0] = '\0';
    if (reterr->kind == ERR_TOO_LARGE)
        reterr->kind = ERR_UPSTREAM; /* not the client's body */
    if (!is_away)
        return false;
    err_set(reterr, ERR_NOT_READY, __func__, "GitHub cannot be reached from here; try again later");
    return github_set_reason(reterr, 0, "GitHubUnavailable");
}

const struct json_value *github_read_body(struct arena *a, const struct fetch_answer *answer,
                                          const struct json_limits *limits, struct err *reterr)
{
    const struct json_value *v = github_is_json(answer) ? json_parse(a, answer->body, limits, NULL) : NULL;
    if (v == NULL)
        err_set(reterr, ERR_UPSTREAM, __func__, "GitHub's answer (%d) cannot be read", answer->status);
    return v;
}

/* ---- repositories ---- */

bool github_read_repo(const struct json_value *v, struct github_repo *ret, struct err *reterr)
{
    struct str name = json_str(json_find(v, "full_name"));
    const struct json_value *is_private = json_find(v, "private");
    *ret = (struct github_repo){.id = json_int(json_find(v, "id"), 0), .is_private = json_bool(is_private, true)};
    if (ret->id <= 0 || is_private == NULL || json_type(is_private) != JSON_BOOL ||
        !github_repos_check_name(name, false, NULL) || !str_copy(name, ret->name, sizeof(ret->name)))
        return err_set(reterr, ERR_UPSTREAM, __func__, "GitHub's answer names no repository");
    return true;
}

/* Without a time or a branch it is a repository still. */
static bool read_listed(const struct json_value *v, struct github_listed *ret, struct err *reterr)
{
    struct str branch = json_str(json_find(v, "default_branch"));
    *ret = (struct github_listed){.updated_ms = -1};
    ret->can_push = json_bool(json_find(json_find(v, "permissions"), "push"), false);
    if (!wall_parse(json_str(json_find(v, "updated_at")), &ret->updated_ms) || ret->updated_ms < 0)
        ret->updated_ms = -1;
    if (!str_copy(branch, ret->default_branch, sizeof(ret->default_branch)))
        ret->default_branch[0] = '\0';
    return github_read_repo(v, &ret->repo, reterr);
}

bool github_read_repos(struct arena *a, const struct json_value *list, struct github_page *ret, struct err *reterr)
{
    size_t n = json_count(list);
    if (json_type(list) != JSON_ARRAY || n > GITHUB_PAGE_MAX_N)
        return err_set(reterr, ERR_UPSTREAM, __func__, "GitHub's answer is no page of repositories");
    struct github_listed *repos = arena_alloc(a, (n + 1) * sizeof(*repos));
    *ret = (struct github_page){.repos = repos};
    for (const struct json_value *v = json_first(list); v != NULL; v = json_next(v)) {
        if (!read_listed(v, &repos[ret->n++], reterr))
            return false;
    }
    return true;
}
