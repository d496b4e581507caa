// SPDX-License-Identifier: MIT
/* /api/projects/{id}/github: the repository at GitHub that a project is connected with. It is connected after GitHub
 * was asked, with the user's own token, whether it is there; it is made only after it was seen that it is not, and
 * after that was written down, so that a run that was cut off is found and finished by the next one. Nothing is removed
 * at GitHub. /api/github/repositories tells which ones there are to connect. */
#include <string.h>

#include "core/base/codec.h"
#include "core/base/json_read.h"
#include "core/base/log.h"
#include "core/caller.h"
#include "core/github_repos.h"
#include "handlers/documents.h"
#include "handlers/handlers.h"
#include "handlers/paging.h"
#include "handlers/pending.h"

/* Longer than any call to GitHub may take. */
static const ms_t LATE_MS = INT64_C(300000);
enum { NAME_MAX_BYTES = 2 * GITHUB_REPO_SIZE, USUAL_PER_PAGE = 30 };

struct repository_call {
    struct pending pending; /* first: it is what pending.c knows */
    const char *owner_id;
    const char *project_id;
    struct str asked;      /* "owner/name", or "name" */
    bool is_create;        /* else it has to be there */
    bool is_private;       /* of what is made */
    bool is_own;           /* the owner is the user */
    bool was_begun;        /* an earlier run may have made it, or may yet */
    bool is_second_look;   /* after it turned out to be there */
    struct repo_link link; /* as it was when the request came */
    char name[GITHUB_REPO_SIZE];
    char beginning_id[CODEC_UUID_SIZE];
    struct err refusal;
    struct github_repo told; /* by GitHub: what is connected */
    unsigned limit;          /* of a page of the list */
    unsigned page;
    void (*with_token)(struct repository_call *c, const struct secret *token);
};

static void answer_err(struct repository_call *c, enum err_kind kind, const char *reason, const char *text)
{
    struct err err = {0};
    (void)err_set(&err, kind, __func__, "%s", text);
    (void)!str_copy(str_from(reason), err.reason, sizeof(err.reason));
    http_answer_err(c->pending.x, &err);
}

static struct repository_call *new_call(struct http_exchange *x, struct app *app)
{
    const struct caller *caller = http_context(x);
    struct repository_call *c = arena_alloc(http_arena(x), sizeof(*c));
    *c = (struct repository_call){
        .pending = {.x = x, .app = app},
          .owner_id = caller->who.user_id, .is_private = true
    };
    c->project_id = arena_dup(http_arena(x), http_param(x, "id"));
    return c;
}

/* ---- documents ---- */

static void write_repo(struct json_writer *w, const struct repository_call *c, const char *name, bool is_private)
{
    const struct github *github = c->pending.app->github;
    bool is_there = name[0] != '\0';
    jw_kv_text(w, "githubRepo", is_there ? name : NULL);
    jw_kv_text(w, "url",
               is_there && github != NULL ? arena_printf(http_arena(c->pending.x), "%s/%s", github_url(github), name)
                                          : NULL);
    jw_key(w, "private");
    if (is_there)
        jw_bool(w, is_private);
    else
        jw_null(w);
}

static void on_shown(void *arg, const struct project *project, const struct err *err)
{
    struct repository_call *c = arg;
    if (!pending_done(&c->pending, err))
        return;
    const struct repo_link *link = &project->repo;
    struct json_writer *w = jw_new(DOCUMENT_CEILING_BYTES);
    jw_object(w);
    write_repo(w, c, link->name, link->is_private);
    jw_kv_bool(w, "connected", link->name[0] != '\0');
    jw_kv_time(w, "checkedAt", link->checked_ms);
    jw_kv_text(w, "pendingRepo", link->pending[0] != '\0' ? link->pending : NULL);
    jw_object_end(w);
    http_answer_json(c->pending.x, 200, w);
}

void repository_show(struct http_exchange *x, struct app *app)
{
    struct repository_call *c = new_call(x, app);
    pending_wait(&c->pending, app->store->project_get(app->store->self, c->owner_id, c->project_id,
                                                      app->settings.request_ms, on_shown, c));
}

/* ---- with the user's token ---- */

static void on_token(void *arg, const struct secret *token, const struct err *err)
{
    struct repository_call *c = arg;
    bool is_none = err != NULL && err->kind == ERR_MISSING;
    if (!pending_done(&c->pending, is_none ? NULL : err))
        return;
    if (is_none)
        answer_err(c, ERR_CONFLICT, "GitHubAccountMissing",
                   "Repositories are for accounts that sign in with GitHub; this one came by another way");
    else
        c->with_token(c, token);
}

static void ask_token(struct repository_call *c,
                      void (*with_token)(struct repository_call *c, const struct secret *token))
{
    struct app *app = c->pending.app;
    c->with_token = with_token;
    pending_wait(&c->pending,
                 app->store->repos.token(app->store->self, c->owner_id, app->settings.request_ms, on_token, c));
}

static bool is_github_known(struct repository_call *c)
{
    if (c->pending.app->github != NULL)
        return true;
    answer_err(c, ERR_CONFLICT, "GitHubNotConfigured", "This server does not know GitHub; its operator can set it up");
    return false;
}

/* ---- the end: what GitHub told is stored ---- */

static void on_linked(void *arg, const struct err *err)
{
    struct repository_call *c = arg;
    if (!pending_done(&c->pending, err))
        return;
    struct json_writer *w = jw_new(DOCUMENT_CEILING_BYTES);
    jw_object(w);
    jw_kv_bool(w, "success", true);
    write_repo(w, c, c->told.name, c->told.is_private);
    jw_object_end(w);
    http_answer_json(c->pending.x, 200, w);
}

static void link_with(struct repository_call *c, const struct github_repo *repo)
{
    struct app *app = c->pending.app;
    c->told = *repo;
    const struct repo_linking linking = {.owner_id = c->owner_id,
                                         .project_id = c->project_id,
                                         .name = c->told.name,
                                         .repo_id = repo->id,
                                         .is_private = repo->is_private,
                                         .pending = c->was_begun ? c->name : NULL};
    pending_wait(&c->pending,
                 app->store->repos.link(app->store->self, &linking, app->settings.request_ms, on_linked, c));
}

/* ---- making one ---- */

static void look(struct repository_call *c);

static void on_given_up(void *arg, const struct err *err)
{
    struct repository_call *c = arg;
    (void)err; /* what was begun stays then: the next run looks again */
    if (pending_done(&c->pending, NULL))
        http_answer_err(c->pending.x, &c->refusal);
}

static void give_up(struct repository_call *c, const struct err *refusal)
{
    struct app *app = c->pending.app;
    const struct repo_beginning beginning = {
        .owner_id = c->owner_id, .project_id = c->project_id, .name = c->name, .id = c->beginning_id};
    err_copy(&c->refusal, refusal);
    pending_wait(&c->pending,
                 app->store->repos.refused(app->store->self, &beginning, app->settings.request_ms, on_given_up, c));
}

/* It may have been made, or may be yet. */
static void answer_unknown(struct repository_call *c, const struct err *err)
{
    LOG(WARN, "whether a repository was created is not known", KV("project", c->project_id), KV("err", err));
    answer_err(
        c, err->kind == ERR_TIMEOUT ? ERR_TIMEOUT : ERR_NOT_READY, "CreationUnknown",
        arena_printf(http_arena(c->pending.x),
                     "Whether %s was created is not known: GitHub did not say. The same request again looks first",
                     c->name));
}

static bool is_said_by_github(const struct err *err)
{
    return err->code != 0 && err->code < 500;
}

static void on_created(void *arg, const struct github_repo *repo, const struct err *err)
{
    struct repository_call *c = arg;
    bool was_earlier = c->was_begun;
    if (!pending_done(&c->pending, NULL))
        return;
    c->was_begun = true;
    if (err == NULL) {
        link_with(c, repo);
    } else if (!is_said_by_github(err)) {
        answer_unknown(c, err);
    } else if (!was_earlier) {
        give_up(c, err);
    } else if (str_eq_text(STR("RepositoryExists"), err->reason)) {
        c->is_second_look = true;
        look(c); /* the earlier call made it after we had looked */
    } else {
        http_answer_err(c->pending.x, err);
    }
}

static void create(struct repository_call *c, const struct secret *token)
{
    const struct github_repo_wish wish = {
        .token = token, .name = c->name, .is_own = c->is_own, .is_private = c->is_private};
    pending_wait(&c->pending, github_repos_create(c->pending.app->github, &wish, on_created, c));
}

static void on_begun(void *arg, bool was_begun, const struct err *err)
{
    struct repository_call *c = arg;
    if (!pending_done(&c->pending, err))
        return;
    c->was_begun = was_begun;
    ask_token(c, create);
}

static void begin(struct repository_call *c)
{
    struct app *app = c->pending.app;
    codec_uuid7(loop_wall_ms(app->loop), c->beginning_id);
    const struct repo_beginning beginning = {.owner_id = c->owner_id,
                                             .project_id = c->project_id,
                                             .name = c->name,
                                             .id = c->beginning_id,
                                             .late_ms = LATE_MS};
    pending_wait(&c->pending,
                 app->store->repos.begin(app->store->self, &beginning, app->settings.request_ms, on_begun, c));
}

/* ---- looking ---- */

static void on_look(void *arg, const struct github_look *found, const struct err *err)
{
    struct repository_call *c = arg;
    if (!pending_done(&c->pending, err))
        return;
    struct str name = str_from(found->name);
    memcpy(c->name, found->name, name.n + 1);
    c->is_own = found->is_own;
    c->was_begun = c->is_second_look || str_eq_nocase(name, str_from(c->link.pending));
    bool is_mine = c->was_begun || str_eq_nocase(name, str_from(c->link.name));
    if (found->repo != NULL && (is_mine || !c->is_create))
        link_with(c, found->repo);
    else if (found->repo != NULL)
        answer_err(c, ERR_CONFLICT, "RepositoryExists",
                   found->is_renamed ? "A renamed repository still answers to this name; choose another one"
                                     : "A repository of this name exists already; connect it instead");
    else if (c->is_create && !c->is_second_look)
        begin(c);
    else
        answer_err(c, ERR_MISSING, "RepositoryMissing",
                   "At GitHub there is no such repository, or your account may not see it");
}

static void look_with(struct repository_call *c, const struct secret *token)
{
    const struct github_question question = {.token = token, .name = c->asked, .wants_owner = c->is_create};
    pending_wait(&c->pending, github_repos_look(c->pending.app->github, &question, on_look, c));
}

static void look(struct repository_call *c)
{
    ask_token(c, look_with);
}

static void on_project(void *arg, const struct project *project, const struct err *err)
{
    struct repository_call *c = arg;
    if (!pending_done(&c->pending, err))
        return;
    c->link = project->repo;
    if (is_github_known(c))
        look(c);
}

struct connect_body {
    struct str name;
    bool is_create;
    bool is_private;
};
/* Its letters are github_repos_check_name's. */
static const struct json_field connect_fields[] = {
    {"repoName", JSON_STR,  offsetof(struct connect_body, name),       JSON_OPTIONAL, 0, NAME_MAX_BYTES},
    {"create",   JSON_BOOL, offsetof(struct connect_body, is_create),  JSON_OPTIONAL, 0, 0             },
    {"private",  JSON_BOOL, offsetof(struct connect_body, is_private), JSON_OPTIONAL, 0, 0             },
};

void repository_connect(struct http_exchange *x, struct app *app)
{
    struct repository_call *c = new_call(x, app);
    struct connect_body body = {.name = STR_NONE, .is_private = true};
    struct err err = {0};
    const struct json_value *json = json_parse(http_arena(x), http_body(x), &JSON_LIMITS_BODY, &err);
    if (json == NULL ||
        !json_bind(json, connect_fields, sizeof(connect_fields) / sizeof(*connect_fields), &body, &err) ||
        !github_repos_check_name(body.name, body.is_create, &err)) {
        http_answer_err(x, &err);
        return;
    }
    c->asked = body.name;
    c->is_create = body.is_create;
    c->is_private = body.is_private;
    pending_wait(&c->pending, app->store->project_get(app->store->self, c->owner_id, c->project_id,
                                                      app->settings.request_ms, on_project, c));
}

/* ---- the end of a link ---- */

static void on_unlinked(void *arg, const struct err *err)
{
    struct repository_call *c = arg;
    if (!pending_done(&c->pending, err))
        return;
    struct json_writer *w = jw_new(DOCUMENT_CEILING_BYTES);
    jw_object(w);
    jw_kv_bool(w, "success", true);
    jw_kv_text(w, "message", "GitHub repository disconnected");
    jw_object_end(w);
    http_answer_json(c->pending.x, 200, w);
}

void repository_disconnect(struct http_exchange *x, struct app *app)
{
    struct repository_call *c = new_call(x, app);
    pending_wait(&c->pending, app->store->repos.unlink(app->store->self, c->owner_id, c->project_id,
                                                       app->settings.request_ms, on_unlinked, c));
}

/* ---- which there are ---- */

static void write_listed(struct json_writer *w, const struct repository_call *c, const struct github_listed *l)
{
    struct str name = str_from(l->repo.name);
    jw_object(w);
    jw_kv_int(w, "id", l->repo.id);
    jw_kv_str(w, "name", str_slice(name, str_find(name, '/', 0) + 1, name.n));
    jw_kv_text(w, "fullName", l->repo.name);
    jw_kv_bool(w, "private", l->repo.is_private);
    jw_kv_text(w, "htmlUrl",
               arena_printf(http_arena(c->pending.x), "%s/%s", github_url(c->pending.app->github), l->repo.name));
    jw_kv_text(w, "defaultBranch", l->default_branch[0] != '\0' ? l->default_branch : NULL);
    jw_kv_time(w, "updatedAt", l->updated_ms);
    jw_kv_bool(w, "canPush", l->can_push);
    jw_object_end(w);
}

static void on_page(void *arg, const struct github_page *page, const struct err *err)
{
    struct repository_call *c = arg;
    struct http_exchange *x = c->pending.x;
    if (!pending_done(&c->pending, err))
        return;
    struct json_writer *w = jw_new(LIST_CEILING_BYTES);
    jw_object(w);
    jw_key(w, "repositories");
    jw_array(w);
    for (size_t i = 0; i < page->n; i++)
        write_listed(w, c, &page->repos[i]);
    jw_array_end(w);
    jw_kv_int(w, "count", (int64_t)page->n);
    jw_object_end(w);
    if (page->has_next && c->page < GITHUB_PAGE_LAST)
        http_add_header(
            x, "Link",
            str_from(arena_printf(http_arena(x), "</api/github/repositories?limit=%u&page=%u>; rel=\"next\"", c->limit,
                                  c->page + 1)));
    http_answer_json(x, 200, w);
}

static void list(struct repository_call *c, const struct secret *token)
{
    const struct github_listing listing = {.token = token, .limit = c->limit, .page = c->page};
    pending_wait(&c->pending, github_repos_list(c->pending.app->github, &listing, on_page, c));
}

void repository_list(struct http_exchange *x, struct app *app)
{
    struct repository_call *c = new_call(x, app);
    struct err err = {0};
    if (!paging_read_limit(x, GITHUB_PAGE_MAX_N, USUAL_PER_PAGE, &c->limit, &err) ||
        !paging_read_page(x, GITHUB_PAGE_LAST, &c->page, &err))
        http_answer_err(x, &err);
    else if (is_github_known(c))
        ask_token(c, list);
}
