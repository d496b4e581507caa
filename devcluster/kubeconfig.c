// SPDX-License-Identifier: MIT
/* Writes kubeconfigs. */
#include "devcluster/kubeconfig.h"

#include "core/base/buf.h"
#include "core/base/codec.h"
#include "core/base/json_write.h"
#include "devcluster/files.h"

enum { KUBECONFIG_CEILING_BYTES = 64 * 1024 };

static void write_named(struct json_writer *w, const char *list, const char *name, const char *key)
{
    jw_key(w, list);
    jw_array(w);
    jw_object(w);
    jw_kv_text(w, "name", name);
    jw_key(w, key);
    jw_object(w);
}

static void end_named(struct json_writer *w)
{
    jw_object_end(w);
    jw_object_end(w);
    jw_array_end(w);
}

static void write_all(struct json_writer *w, const struct kubeconfig_cluster *cluster, const struct account *account,
                      struct str ca)
{
    jw_object(w);
    jw_kv_text(w, "apiVersion", "v1");
    jw_kv_text(w, "kind", "Config");
    jw_kv_text(w, "current-context", "devcluster");
    write_named(w, "clusters", "devcluster", "cluster");
    jw_kv_text(w, "server", cluster->server);
    jw_kv_str(w, "certificate-authority-data", ca);
    end_named(w);
    write_named(w, "contexts", "devcluster", "context");
    jw_kv_text(w, "cluster", "devcluster");
    jw_kv_text(w, "user", account->name);
    jw_kv_text(w, "namespace", cluster->ns);
    end_named(w);
    write_named(w, "users", account->name, "user");
    jw_kv_str(w, "token", secret_reveal(&account->token));
    end_named(w);
    jw_object_end(w);
}

bool kubeconfig_write(const char *path, const struct kubeconfig_cluster *cluster, const struct account *account,
                      struct err *reterr)
{
    struct buf ca;
    struct str json;
    buf_init(&ca, KUBECONFIG_CEILING_BYTES);
    codec_base64(&ca, cluster->ca_pem);
    struct json_writer *w = jw_new(KUBECONFIG_CEILING_BYTES);
    write_all(w, cluster, account, buf_str(&ca));
    bool is_written = jw_finish(w, &json, reterr) && files_write(path, json, reterr);
    jw_free(w);
    buf_fini(&ca);
    return is_written;
}
