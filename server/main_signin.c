// SPDX-License-Identifier: MIT
/* fullstackd signin-link: makes a one-time link for a local user and prints it. For the first sign-in, for machines
 * without an identity provider, and for ./run demo. */
#include <stdio.h>

#include "core/base/arena.h"
#include "core/base/codec.h"
#include "server/main_program.h"
#include "store/store_port.h"

enum { SIGNIN_TIMEOUT_MS = 10000, USER_MAX = 64 };

struct run {
    struct loop *loop;
    const struct config *config;
    char token[CODEC_TOKEN_SIZE];
    int status;
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

static void print_link(const struct run *run)
{
    const struct config *c = run->config;
    if (c->public_url[0] != '\0')
        printf("%s/signin?token=%s\n", c->public_url, run->token);
    else
        printf("%s://localhost:%lld/signin?token=%s\n", c->listen.tls_cert[0] != '\0' ? "https" : "http",
               (long long)c->listen.port, run->token);
}

static void on_created(void *arg, const struct err *err)
{
    struct run *run = arg;
    if (err == NULL)
        print_link(run);
    run->status = err == NULL ? EXIT_OK : main_fail(EXIT_FAILED, "making a sign-in link", err);
    loop_stop(run->loop);
}

static int make_link(struct run *run, const char *user, const struct codec_keyring *keyring)
{
    struct err err = {0};
    char replica_id[CODEC_UUID_SIZE];
    codec_uuid7(loop_wall_ms(run->loop), replica_id);
    const struct store_config config = {.database_url = &run->config->database_url,
                                        .redis_url = NULL,
                                        .replica_id = replica_id,
                                        .keyring = keyring,
                                        .pool_n = 1,
                                        .down_grace_ms = SIGNIN_TIMEOUT_MS};
    struct store *store = store_open(run->loop, &config, &err);
    if (store == NULL)
        return main_fail(EXIT_USAGE, "opening the store", &err);
    const struct port_store *port = store_port(store);
    struct arena *arena = arena_new();
    struct str key = str_from(arena_printf(arena, "local:%s", user));
    codec_random_token(run->token);
    port->signin_link_create(port->self, key, str_from(run->token), run->config->signin_link_ms, SIGNIN_TIMEOUT_MS,
                             on_created, run);
    loop_run(run->loop);
    arena_free(arena);
    store_close(store);
    return run->status;
}

int main_signin_link(const struct main_options *o)
{
    struct run run = {.status = EXIT_FAILED};
    struct config config;
    struct err err = {0};
    int status = EXIT_USAGE;
    bool is_loaded = main_load_config(o, &config, config_require_serve);
    struct codec_keyring *keyring = is_loaded ? codec_keyring_new(&config.encryption_keys, &err) : NULL;
    run.config = &config;
    if (!is_user_name(str_from(o->user))) {
        fprintf(stderr, "fullstackd: --user takes 1 to %d letters, digits, '.', '_' and '-'\n", USER_MAX);
    } else if (is_loaded && keyring == NULL) {
        main_fail(EXIT_USAGE, "encryption_keys", &err);
    } else if (is_loaded) {
        run.loop = loop_new(&err);
        status = run.loop != NULL ? make_link(&run, o->user, keyring) : main_fail(EXIT_FAILED, "starting", &err);
    }
    loop_free(run.loop);
    codec_keyring_free(keyring);
    config_fini(&config);
    return status;
}
