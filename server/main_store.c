// SPDX-License-Identifier: MIT
/* Makes the parts in order and unmakes them in the opposite one. */
#include "server/main_store.h"

#include "core/base/codec.h"
#include "store/store_port.h"

struct work {
    void (*begin)(struct main_store *m, void *arg);
    void *arg;
    ms_t patience_ms;
};

static int run(struct main_store *m, const struct codec_keyring *keyring, const struct work *work)
{
    struct err err = {0};
    char replica_id[CODEC_UUID_SIZE];
    codec_uuid7(loop_wall_ms(m->loop), replica_id);
    const struct store_config config = {.database_url = &m->config->database_url,
                                        .replica_id = replica_id,
                                        .keyring = keyring,
                                        .pool_n = 1,
                                        .down_grace_ms = work->patience_ms};
    m->store = store_open(m->loop, &config, &err);
    if (m->store == NULL)
        return main_fail(EXIT_USAGE, "opening the store", &err);
    work->begin(m, work->arg);
    loop_run(m->loop);
    store_close(m->store);
    return m->status;
}

int main_on_store(const struct main_options *o, ms_t patience_ms, void (*begin)(struct main_store *m, void *arg),
                  void *arg)
{
    const struct work work = {begin, arg, patience_ms};
    struct main_store m = {.status = EXIT_FAILED};
    struct config config;
    struct err err = {0};
    int status = EXIT_USAGE;
    bool is_loaded = main_load_config(o, &config, config_require_serve);
    struct codec_keyring *keyring = is_loaded ? codec_keyring_new(&config.encryption_keys, &err) : NULL;
    m.config = &config;
    if (is_loaded && keyring == NULL) {
        main_fail(EXIT_USAGE, "encryption_keys", &err);
    } else if (is_loaded) {
        m.loop = loop_new(&err);
        status = m.loop != NULL ? run(&m, keyring, &work) : main_fail(EXIT_FAILED, "starting", &err);
    }
    loop_free(m.loop);
    codec_keyring_free(keyring);
    config_fini(&config);
    return status;
}
