// SPDX-License-Identifier: MIT
/* An answer of GitHub, read as each thing that is asked for there: what is believed is whole, fits its array and is
 * text; what is not is refused in words of our own, which quote nothing of it. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/github_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_text(const char *s, size_t array_bytes)
{
    return memchr(s, '\0', array_bytes) != NULL && str_is_utf8(str_from(s));
}

static void check_refused(const struct err *err)
{
    static const char *const ours[] = {"GitHub's answer names no user", "GitHub's answer names no repository",
                                       "GitHub's answer is no page of repositories",
                                       "GitHub's answer holds no bearer token", "GitHub refuses the code"};
    bool is_ours = false;
    for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
        is_ours |= str_eq_text(str_from(ours[i]), err->msg);
    assert(is_ours && err->field[0] == '\0');
    assert(err->kind == ERR_UPSTREAM || err->kind == ERR_DENIED);
}

static void check_token(const struct json_value *v)
{
    struct secret token = SECRET_NONE;
    struct err err = {0};
    if (!github_read_token(v, &token, &err)) {
        assert(secret_is_none(&token));
        check_refused(&err);
        return;
    }
    struct str text = secret_reveal(&token);
    assert(text.n > 0 && text.n <= 512);
    for (size_t i = 0; i < text.n; i++) /* it becomes a field of a request's head */
        assert(text.p[i] > ' ' && text.p[i] < 0x7f);
    secret_fini(&token);
}

static void check_user(const struct json_value *v)
{
    struct github_user user = {0};
    struct err err = {0};
    github_read_address(v, &user);
    assert(is_text(user.email, sizeof(user.email)));
    if (!github_read_user(v, &user, &err)) {
        check_refused(&err);
        return;
    }
    assert(user.id > 0 && user.login[0] != '\0' && user.name[0] != '\0');
    assert(is_text(user.login, sizeof(user.login)) && is_text(user.name, sizeof(user.name)));
    assert(is_text(user.image, sizeof(user.image)));
    assert(user.image[0] == '\0' || strncmp(user.image, "https://", 8) == 0 ||
           strncmp(user.image, "http://127.0.0.1:", 17) == 0);
}

/* Its name becomes a part of paths. */
static void check_repo(const struct github_repo *repo)
{
    assert(repo->id > 0 && is_text(repo->name, sizeof(repo->name)));
    assert(github_repos_check_name(str_from(repo->name), false, NULL));
    const char *last = strchr(repo->name, '/');
    assert(last == strrchr(repo->name, '/') && strcmp(last, "/.") != 0 && strcmp(last, "/..") != 0);
    assert(strpbrk(repo->name, "?#%\\ \r\n") == NULL);
}

static void check_one(const struct json_value *v)
{
    struct github_repo repo;
    struct err err = {0};
    if (github_read_repo(v, &repo, &err))
        check_repo(&repo);
    else
        check_refused(&err);
}

/* A page is believed exactly where each of it would be. */
static void check_page(struct arena *a, const struct json_value *list)
{
    struct github_page page = {0};
    struct err err = {0};
    bool is_good = json_type(list) == JSON_ARRAY && json_count(list) <= GITHUB_PAGE_MAX_N;
    size_t n = 0;
    bool is_read = github_read_repos(a, list, &page, &err);
    for (const struct json_value *v = json_first(list); is_good && v != NULL; v = json_next(v)) {
        struct github_repo repo;
        is_good = github_read_repo(v, &repo, NULL);
        assert(!is_read || (n < page.n && page.repos[n].repo.id == repo.id && !page.has_next));
        n++;
    }
    assert(is_read == is_good);
    if (!is_read)
        check_refused(&err);
    for (size_t i = 0; is_read && i < page.n; i++) {
        const struct github_listed *l = &page.repos[i];
        check_repo(&l->repo);
        assert(l->updated_ms >= -1);
        assert(is_text(l->default_branch, sizeof(l->default_branch)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = {(const char *)data, size};
    struct arena *a = arena_new();
    const struct json_value *one = json_parse(a, bytes, &GITHUB_LIMITS_ONE, NULL);
    const struct json_value *list = json_parse(a, bytes, &GITHUB_LIMITS_LIST, NULL);
    assert(one == NULL || list != NULL);
    if (one != NULL) {
        check_token(one);
        check_user(one);
        check_one(one);
    }
    if (list != NULL)
        check_page(a, list);
    arena_free(a);
    return 0;
}
