// SPDX-License-Identifier: MIT
/* fullstackd reencrypt: after a new key was put first into the ring, everything that older keys have sealed is sealed
 * with it, so that they can be taken out. Servers may run meanwhile, once they have the new ring. */
#include <stdio.h>

#include "core/base/codec.h"
#include "server/main_program.h"
#include "store/reencrypt.h"

enum { QUERY_DEADLINE_MS = 30000 };

struct run {
    struct loop *loop;
    const struct config *config;
    unsigned unread_n;
    int status;
};

static void on_table(void *arg, const struct reencrypt_told *told)
{
    struct run *run = arg;
    printf("%s.%s: %u re-encrypted", told->table, told->column, told->sealed_n);
    if (told->unread_n > 0)
        printf(", %u that no key of the ring opens", told->unread_n);
    printf("\n");
    run->unread_n += told->unread_n;
}

static void on_end(void *arg, const struct err *err)
{
    struct run *run = arg;
    if (err != NULL)
        run->status = main_fail(EXIT_FAILED, "re-encrypting", err);
    else
        run->status = run->unread_n == 0 ? EXIT_OK : EXIT_FAILED;
    loop_stop(run->loop);
}

static int reencrypt(struct run *run, const struct codec_keyring *keyring)
{
    struct err err = {0};
    char replica_id[CODEC_UUID_SIZE];
    codec_uuid7(loop_wall_ms(run->loop), replica_id);
    const struct store_config config = {.database_url = &run->config->database_url,
                                        .replica_id = replica_id,
                                        .keyring = keyring,
                                        .pool_n = 1,
                                        .down_grace_ms = QUERY_DEADLINE_MS};
    struct store *store = store_open(run->loop, &config, &err);
    if (store == NULL)
        return main_fail(EXIT_USAGE, "opening the store", &err);
    reencrypt_start(store, QUERY_DEADLINE_MS, on_table, on_end, run);
    loop_run(run->loop);
    store_close(store);
    return run->status;
}

int main_reencrypt(const struct main_options *o)
{
    struct run run = {.status = EXIT_FAILED};
    struct config config;
    struct err err = {0};
    int status = EXIT_USAGE;
    bool is_loaded = main_load_config(o, &config, config_require_serve);
    struct codec_keyring *keyring = is_loaded ? codec_keyring_new(&config.encryption_keys, &err) : NULL;
    run.config = &config;
    if (is_loaded && keyring == NULL) {
        main_fail(EXIT_USAGE, "encryption_keys", &err);
    } else if (is_loaded) {
        run.loop = loop_new(&err);
        status = run.loop != NULL ? reencrypt(&run, keyring) : main_fail(EXIT_FAILED, "starting", &err);
    }
    loop_free(run.loop);
    codec_keyring_free(keyring);
    config_fini(&config);
    return status;
}
