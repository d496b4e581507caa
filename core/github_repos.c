// SPDX-License-Identifier: MIT
/* Each operation is a ladder of calls with one token. What answers mean: github_answers.c. */
#include "core/github_repos.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "core/base/xmem.h"
#include "core/github_private.h"

enum {
    WISH_BYTES = 4 * 1024,
    OWNER_MAX = 39,
    NAME_MAX_BYTES = 100,
};

/* ---- names ---- */

static bool is_made_of(struct str s, const char *more)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_plain && (c == '\0' || strchr(more, c) == NULL))
            return false;
    }
    return s.n > 0;
}

static bool is_owner(struct str s)
{
    return s.n <= OWNER_MAX && s.n > 0 && s.p[0] != '-' && is_made_of(s, "-_");
}

static bool is_name(struct str s)
{
    return s.n <= NAME_MAX_BYTES && is_made_of(s, "-_.") && !str_eq(s, STR(".")) && !str_eq(s, STR("..")) &&
           !str_ends(s, STR(".git"));
}

/* The owner is absent where there is no slash. */
static struct str split(struct str name, struct str *ret_owner)
{
    size_t slash = str_find(name, '/', 0);
    *ret_owner = slash < name.n ? str_slice(name, 0, slash) : STR_NONE;
    return slash < name.n ? str_slice(name, slash + 1, name.n) : name;
}

bool github_repos_check_name(struct str name, bool has_own, struct err *reterr)
{
    struct str owner;
    struct str last = split(name, &owner);
    if (name.n == 0)
        return err_set_field(reterr, ERR_INVALID, __func__, "/repoName", "Repository name is required");
    if (is_name(last) && (str_is_none(owner) ? has_own : is_owner(owner)))
        return true;
    return err_set_field(reterr, ERR_INVALID, __func__, "/repoName",
                         "Invalid repository format. Use: username/repository");
}

/* ---- looking ---- */

struct looking {
    struct github_op base; /* first */
    char name[GITHUB_REPO_SIZE];
    bool wants_owner;
    bool is_own;
    bool is_renamed;
    github_on_look *done;
    void *arg;
};

static void tell_look(struct looking *l, const struct github_repo *repo, const struct err *err)
{
    const struct github_look look = {.repo = repo, .name = l->name, .is_own = l->is_own, .is_renamed = l->is_renamed};
    l->done(l->arg, err == NULL ? &look : NULL, err);
    github_op_spend(&l->base);
}

/* The call under way has ended; without an answer that is the end of the whole. */
static bool is_answered(struct looking *l, const struct err *fetch_err)
{
    struct err err = {0};
    l->base.call = NULL;
    if (fetch_err == NULL)
        return true;
    (void)github_not_reached(fetch_err, &err);
    tell_look(l, NULL, &err);
    return false;
}

static void ask(struct looking *l, const char *path, fetch_on_done *on_done)
{
    github_op_ask(&l->base, &(struct fetch_request){.method = "GET",
                                                    .path = path,
                                                    .accept = "application/vnd.github+json",
                                                    .ceiling_bytes = GITHUB_ONE_BYTES,
                                                    .on_done = on_done,
                                                    .arg = l});
}

static void on_repo(void *arg, const struct fetch_answer *answer, const struct err *fetch_err);

/* A repository that was renamed or moved says where it is by its number. Followed once, and only to this API: the
 * token goes nowhere else. */
static bool follow(struct looking *l, const struct fetch_answer *answer)
{
    const struct str place = STR("/repositories/");
    struct str to = str_from(fetch_answer_header(answer, "Location"));
    struct str base = str_from(l->base.g->api_url);
    uint64_t id;
    char path[64];
    bool is_moved = answer->status == 301 || answer->status == 302 || answer->status == 307 || answer->status == 308;
    if (!is_moved || l->is_renamed || !str_starts(to, base) || !str_starts(str_slice(to, base.n, to.n), place) ||
        !str_parse_u64(str_slice(to, base.n + place.n, to.n), INT64_MAX, &id))
        return false;
    l->is_renamed = true;
    struct buf b;
    buf_init(&b, sizeof(path));
    buf_addf(&b, "/repositories/%llu", (unsigned long long)id);
    ask(l, buf_text(&b), on_repo);
    buf_fini(&b);
    return true;
}

static void on_repo(void *arg, const struct fetch_answer *answer, const struct err *fetch_err)
{
    struct looking *l = arg;
    struct github_repo repo;
    struct err err = {0};
    if (!is_answered(l, fetch_err) || follow(l, answer))
        return;
    struct arena *a = arena_new();
    const struct json_value *body = github_read_body(a, answer, &GITHUB_LIMITS_ONE, &err);
    bool is_absent = answer->status == 404 && body != NULL;
    bool is_ok = is_absent || (answer->status == 200 ? body != NULL && github_read_repo(body, &repo, &err)
                                                     : github_refuse(l->base.g, answer, body, &err));
    if (is_ok && !is_absent && !l->is_renamed && !str_eq_nocase(str_from(repo.name), str_from(l->name)))
        is_ok = err_set(&err, ERR_UPSTREAM, __func__, "GitHub's answer is about another repository");
    arena_free(a);
    tell_look(l, is_ok && !is_absent ? &repo : NULL, is_ok ? NULL : &err);
}

static void ask_for_repo(struct looking *l)
{
    struct buf path;
    buf_init(&path, GITHUB_REPO_SIZE + 16);
    buf_addf(&path, "/repos/%s", l->name); /* its letters are those of paths */
    ask(l, buf_text(&path), on_repo);
    buf_fini(&path);
}

/* The user's name before a name that came without. */
static bool learn_owner(struct looking *l, struct str login, struct err *reterr)
{
    struct str owner;
    struct str name = split(str_from(l->name), &owner);
    if (!is_owner(login))
        return err_set(reterr, ERR_UPSTREAM, __func__, "GitHub's answer names no user");
    l->is_own = str_is_none(owner) || str_eq_nocase(owner, login);
    if (!str_is_none(owner))
        return true;
    char whole[GITHUB_REPO_SIZE] = "";
    memcpy(whole, login.p, login.n);
    whole[login.n] = '/';
    memcpy(whole + login.n + 1, name.p, name.n + 1);
    memcpy(l->name, whole, sizeof(l->name));
    return true;
}

static void on_owner(void *arg, const struct fetch_answer *answer, const struct err *fetch_err)
{
    struct looking *l = arg;
    struct err err = {0};
    if (!is_answered(l, fetch_err))
        return;
    struct arena *a = arena_new();
    const struct json_value *body = github_read_body(a, answer, &GITHUB_LIMITS_ONE, &err);
    bool is_ok = answer->status == 200 ? body != NULL && learn_owner(l, json_str(json_find(body, "login")), &err)
                                       : github_refuse(l->base.g, answer, body, &err);
    arena_free(a);
    if (is_ok)
        ask_for_repo(l);
    else
        tell_look(l, NULL, &err);
}

struct op *github_repos_look(struct github *g, const struct github_question *question, github_on_look *done, void *arg)
{
    struct looking *l = xcalloc(1, sizeof(*l));
    l->done = done;
    l->arg = arg;
    github_op_begin(&l->base, g);
    l->base.token = secret_dup(question->token);
    (void)!str_copy(question->name, l->name, sizeof(l->name)); /* fits: it was checked */
    if (question->wants_owner || str_find(question->name, '/', 0) == question->name.n)
        ask(l, "/user", on_owner);
    else
        ask_for_repo(l);
    return &l->base.op;
}

/* ---- making ---- */

struct making {
    struct github_op base; /* first */
    github_on_repo *done;
    void *arg;
};

/* 422 is about many things; that the name is taken is told in the words of one of them. */
static bool is_taken(const struct fetch_answer *answer, const struct json_value *body)
{
    const struct json_value *list = json_find(body, "errors");
    for (const struct json_value *e = json_first(list); answer->status == 422 && e != NULL; e = json_next(e)) {
        struct str message = json_str(json_find(e, "message"));
        if (str_eq(json_str(json_find(e, "field")), STR("name")) &&
            str_find_str(message, STR("already exists")) < message.n)
            return true;
    }
    return false;
}

/* What these two mean depends on what was asked for. */
static void refuse_making(const struct making *m, const struct fetch_answer *answer, const struct json_value *body,
                          struct err *reterr)
{
    if (answer->status == 404 && body != NULL) {
        err_set(reterr, ERR_MISSING, __func__,
                "At GitHub there is no such owner, or your account may not create there");
        (void)github_set_reason(reterr, answer->status, "RepositoryOwnerMissing");
    } else if (answer->status == 422 && body != NULL) {
        err_set(reterr, ERR_UNPROCESSABLE, __func__,
                "GitHub does not accept this repository; try another name, or make it public");
        (void)github_set_reason(reterr, answer->status, "RepositoryRefused");
    } else {
        (void)github_refuse(m->base.g, answer, body, reterr);
    }
}

static void on_made(void *arg, const struct fetch_answer *answer, const struct err *fetch_err)
{
    struct making *m = arg;
    struct github_repo repo;
    struct err err = {0};
    bool is_ok = false;
    m->base.call = NULL;
    if (fetch_err != NULL) {
        (void)github_not_reached(fetch_err, &err);
    } else {
        struct arena *a = arena_new();
        const struct json_value *body = github_read_body(a, answer, &GITHUB_LIMITS_ONE, &err);
        if (answer->status == 201) {
            is_ok = body != NULL && github_read_repo(body, &repo, &err);
        } else if (is_taken(answer, body)) {
            err_set(&err, ERR_CONFLICT, __func__, "A repository of this name exists already; connect it instead");
            (void)github_set_reason(&err, answer->status, "RepositoryExists");
        } else {
            refuse_making(m, answer, body, &err);
        }
        arena_free(a);
    }
    m->done(m->arg, is_ok ? &repo : NULL, is_ok ? NULL : &err);
    github_op_spend(&m->base);
}

struct op *github_repos_create(struct github *g, const struct github_repo_wish *wish, github_on_repo *done, void *arg)
{
    struct making *m = xcalloc(1, sizeof(*m));
    struct json_writer *w = jw_new(WISH_BYTES);
    struct str owner;
    struct str json = STR_NONE;
    struct buf path;
    struct str name = split(str_from(wish->name), &owner);
    m->done = done;
    m->arg = arg;
    github_op_begin(&m->base, g);
    m->base.token = secret_dup(wish->token);
    jw_object(w);
    jw_kv_str(w, "name", name);
    jw_kv_bool(w, "private", wish->is_private);
    jw_object_end(w);
    (void)!jw_finish(w, &json, NULL); /* letters of a checked name */
    buf_init(&path, GITHUB_REPO_SIZE + 16);
    if (wish->is_own)
        buf_add_text(&path, "/user/repos");
    else
        buf_addf(&path, "/orgs/%.*s/repos", STR_ARG(owner));
    github_op_ask(&m->base, &(struct fetch_request){.method = "POST",
                                                    .path = buf_text(&path),
                                                    .accept = "application/vnd.github+json",
                                                    .body = json,
                                                    .ceiling_bytes = GITHUB_ONE_BYTES,
                                                    .on_done = on_made,
                                                    .arg = m});
    buf_fini(&path);
    jw_free(w);
    return &m->base.op;
}
