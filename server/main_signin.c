// SPDX-License-Identifier: MIT
/* fullstackd signin-link: makes a one-time link for a local user and prints it. For the first sign-in, for machines
 * without an identity provider, and for ./run demo. */
#include <stdio.h>

#include "core/base/arena.h"
#include "core/base/codec.h"
#include "server/main_store.h"
#include "store/store_port.h"

enum { SIGNIN_TIMEOUT_MS = 10000, USER_MAX = 64 };

struct signin_link {
    struct main_store *m;
    const char *user;
    char token[CODEC_TOKEN_SIZE];
};

static bool is_user_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-')
            return false;
    }
    return s.n > 0 && s.n <= USER_MAX;
}

static void print_link(const struct signin_link *link)
{
    const struct config *c = link->m->config;
    if (c->public_url[0] != '\0')
        printf("%s/signin?token=%s\n", c->public_url, link->token);
    else
        printf("%s://localhost:%lld/signin?token=%s\n", c->listen.tls_cert[0] != '\0' ? "https" : "http",
               (long long)c->listen.port, link->token);
}

static void on_created(void *arg, const struct err *err)
{
    struct signin_link *link = arg;
    if (err == NULL)
        print_link(link);
    link->m->status = err == NULL ? EXIT_OK : main_fail(EXIT_FAILED, "making a sign-in link", err);
    loop_stop(link->m->loop);
}

static void begin(struct main_store *m, void *arg)
{
    struct signin_link *link = arg;
    const struct port_store *port = store_port(m->store);
    struct arena *arena = arena_new();
    struct str key = str_from(arena_printf(arena, "local:%s", link->user));
    link->m = m;
    codec_random_token(link->token);
    port->signin_link_create(port->self, key, str_from(link->token), m->config->signin_link_ms, SIGNIN_TIMEOUT_MS,
                             on_created, link);
    arena_free(arena);
}

int main_signin_link(const struct main_options *o)
{
    struct signin_link link = {.user = o->user};
    if (!is_user_name(str_from(o->user))) {
        fprintf(stderr, "fullstackd: --user takes 1 to %d letters, digits, '.', '_' and '-'\n", USER_MAX);
        return EXIT_USAGE;
    }
    return main_on_store(o, SIGNIN_TIMEOUT_MS, begin, &link);
}
