// SPDX-License-Identifier: MIT
/* The table of dialects. v1alpha1 is KubeBlocks up to 0.9, v1 is 1.0 and later. */
#include "k8s/kubeblocks.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/codec.h"
#include "core/base/fit.h"
#include "k8s/manifest.h"
#include "k8s/objects.h"

enum { POSTGRES_PORT = 5432, FIELD_PATH_SIZE = 96 };

static void write_quantities(struct json_writer *w, const char *key, const char *cpu, const char *memory)
{
    manifest_open(w, key, NULL);
    jw_kv_text(w, "cpu", cpu);
    jw_kv_text(w, "memory", memory);
    jw_object_end(w);
}

static void write_resources(struct json_writer *w)
{
    manifest_open(w, "resources", NULL);
    write_quantities(w, "limits", "1000m", "1024Mi");
    write_quantities(w, "requests", "100m", "102Mi");
    jw_object_end(w);
}

static void write_volume(struct json_writer *w, const struct k8s_profile *p)
{
    static const char *const modes[] = {"ReadWriteOnce", NULL};
    jw_key(w, "volumeClaimTemplates");
    jw_array(w);
    jw_object(w);
    jw_kv_text(w, "name", "data");
    manifest_open(w, "spec", NULL);
    manifest_texts(w, "accessModes", modes);
    manifest_open(w, "resources", "requests", NULL);
    jw_kv_text(w, "storage", p->storage_size);
    manifest_close(w, 2);
    if (p->storage_class != NULL)
        jw_kv_text(w, "storageClassName", p->storage_class);
    manifest_close(w, 2);
    jw_array_end(w);
}

static void write_affinity(struct json_writer *w)
{
    static const char *const keys[] = {"kubernetes.io/hostname", NULL};
    manifest_open(w, "affinity", "nodeLabels", NULL);
    jw_object_end(w);
    jw_kv_text(w, "podAntiAffinity", "Preferred");
    jw_kv_text(w, "tenancy", "SharedNode");
    manifest_texts(w, "topologyKeys", keys);
    jw_object_end(w);
}

/* noCreatePDB of the original is in no schema: the server drops it with a warning, so it is not sent. */
static void write_component_v1alpha1(struct json_writer *w, const struct manifest *m)
{
    jw_object(w);
    jw_kv_text(w, "componentDefRef", "postgresql");
    jw_kv_bool(w, "monitor", true);
    jw_kv_text(w, "name", "postgresql");
    jw_kv_int(w, "replicas", 1);
    write_resources(w);
    jw_kv_text(w, "serviceAccountName", m->sb->database_name);
    manifest_open(w, "switchPolicy", NULL);
    jw_kv_text(w, "type", "Noop");
    jw_object_end(w);
    write_volume(w, m->profile);
    jw_object_end(w);
}

static void write_metadata(struct json_writer *w, const struct manifest *m, bool has_refs)
{
    static const struct manifest_pair no_annotations[] = {
        {NULL, NULL}
    };
    const struct manifest_pair labels[] = {
        {"clusterdefinition.kubeblocks.io/name", has_refs ? "postgresql" : NULL                },
        {"clusterversion.kubeblocks.io/name",    has_refs ? m->profile->database_version : NULL},
        {"sealos-db-provider-cr",                m->sb->database_name                          },
        {LABEL_MANAGED_BY,                       "fullstackd"                                  },
        {NULL,                                   NULL                                          },
    };

    manifest_metadata(w, m, OBJECT_DATABASE, labels, no_annotations);
}

static void write_v1alpha1(struct json_writer *w, const struct manifest *m)
{
    write_metadata(w, m, true);
    manifest_open(w, "spec", NULL);
    write_affinity(w);
    jw_kv_text(w, "clusterDefinitionRef", "postgresql");
    jw_kv_text(w, "clusterVersionRef", m->profile->database_version);
    jw_key(w, "componentSpecs");
    jw_array(w);
    write_component_v1alpha1(w, m);
    jw_array_end(w);
    jw_kv_text(w, "terminationPolicy", "Delete");
    jw_key(w, "tolerations");
    jw_array(w);
    jw_array_end(w);
    jw_object_end(w);
}

static void write_v1(struct json_writer *w, const struct manifest *m)
{
    struct str version = str_from(m->profile->database_version);
    if (str_starts(version, STR("postgresql-"))) /* ClusterVersion "postgresql-14.8.0" is serviceVersion "14.8.0" */
        version = str_slice(version, sizeof "postgresql-" - 1, version.n);
    write_metadata(w, m, false);
    manifest_open(w, "spec", NULL);
    jw_kv_text(w, "clusterDef", "postgresql");
    jw_kv_text(w, "topology", "replication");
    jw_kv_text(w, "terminationPolicy", "Delete");
    jw_key(w, "componentSpecs");
    jw_array(w);
    jw_object(w);
    jw_kv_text(w, "name", "postgresql");
    jw_kv_str(w, "serviceVersion", version);
    jw_kv_int(w, "replicas", 1);
    jw_kv_bool(w, "disableExporter", true);
    write_resources(w);
    jw_kv_text(w, "serviceAccountName", m->sb->database_name);
    write_volume(w, m->profile);
    jw_object_end(w);
    jw_array_end(w);
    jw_object_end(w);
}

static const struct kubeblocks_dialect dialects[] = {
    {"v1",       "-postgresql-account-postgres", "-postgresql-postgresql", true,  write_v1      },
    {"v1alpha1", "-conn-credential",             "-postgresql",            false, write_v1alpha1},
};

const struct kubeblocks_dialect *kubeblocks_v1alpha1(void)
{
    return &dialects[1];
}

const struct kubeblocks_dialect *kubeblocks_newest(void)
{
    return &dialects[0];
}

const struct kubeblocks_dialect *kubeblocks_likely(const struct kubeblocks_dialect *served, size_t i)
{
    if (i == 0)
        return served;
    for (size_t k = 0; k < sizeof dialects / sizeof *dialects; k++) {
        if (&dialects[k] != served && --i == 0)
            return &dialects[k];
    }
    return NULL;
}

const struct kubeblocks_dialect *kubeblocks_choose(const struct json_value *group)
{
    const struct json_value *versions = json_find(group, "versions");
    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++) {
        for (const struct json_value *v = json_first(versions); v != NULL; v = json_next(v)) {
            if (str_eq_text(json_str(json_find(v, "version")), dialects[i].version))
                return &dialects[i];
        }
    }
    return NULL;
}

/* ---- what was kept ---- */

static const struct json_value *counterpart(const struct json_value *kept, struct str key, size_t index)
{
    const struct json_value *m = json_first(kept);
    if (str_is_none(key)) {
        while (m != NULL && index-- > 0)
            m = json_next(m);
        return m;
    }
    while (m != NULL && !str_eq(json_key(m), key))
        m = json_next(m);
    return m;
}

/* Only presence counts: defaulting adds, a webhook may change, an empty list or object may be left out. */
static bool lost_below(const struct json_value *sent, const struct json_value *kept, const char *at, char *ret,
                       size_t size)
{
    bool is_whole = json_type(sent) != JSON_OBJECT && json_type(sent) != JSON_ARRAY;
    char path[FIELD_PATH_SIZE];
    size_t i = 0;
    if (kept == NULL && (is_whole || json_count(sent) > 0)) {
        text_fit(ret, size, str_from(at));
        return true;
    }
    for (const struct json_value *m = json_first(sent); m != NULL; m = json_next(m), i++) {
        struct str key = json_key(m);
        if (str_is_none(key))
            text_fitf(path, sizeof path, "%s[%zu]", at, i);
        else
            text_fitf(path, sizeof path, "%s.%.*s", at, STR_ARG(key));
        if (lost_below(m, counterpart(kept, key, i), path, ret, size))
            return true;
    }
    return false;
}

bool kubeblocks_lost_field(const struct json_value *sent, const struct json_value *kept, char *ret, size_t size)
{
    return lost_below(json_find(sent, "spec"), json_find(kept, "spec"), "spec", ret, size);
}

/* ---- credentials ---- */

void kubeblocks_secret_name(const struct kubeblocks_dialect *d, const struct sandbox *sb,
                            char ret[KUBEBLOCKS_SECRET_SIZE])
{
    struct buf name;
    buf_init(&name, KUBEBLOCKS_SECRET_SIZE);
    buf_addf(&name, "%s%s", sb->database_name, d->secret_suffix);
    if (!str_copy(buf_str(&name), ret, KUBEBLOCKS_SECRET_SIZE))
        ret[0] = '\0';
    buf_fini(&name);
}

struct secret_texts {
    struct str user, password, host, port, database;
};

/* Decodes the Secret's values; one that is absent or empty stays absent. What is decoded has to fit into an environment
 * variable and a URL: UTF-8 without a NUL. */
static bool read_secret(struct arena *a, const struct json_value *secret, struct secret_texts *ret, struct err *reterr)
{
    const struct {
        const char *key;
        struct str *text;
    } rows[] = {
        {"username", &ret->user    },
        {"password", &ret->password},
        {"host",     &ret->host    },
        {"port",     &ret->port    },
        {"database", &ret->database},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str encoded = json_str(json_at(secret, "data", rows[i].key, NULL));
        struct str text = STR_NONE;
        *rows[i].text = STR_NONE;
        if (str_is_none(encoded))
            continue;
        if (!codec_base64_decode(a, encoded, &text, NULL) || !str_is_utf8(text) || str_find(text, '\0', 0) < text.n)
            return err_set(reterr, ERR_INVALID, __func__, "the %s in the credentials' Secret is not a text",
                           rows[i].key);
        if (text.n > 0)
            *rows[i].text = text;
    }
    return true;
}

static bool copy_host(const struct kubeblocks_dialect *d, const struct sandbox *sb, struct str given,
                      struct db_credentials *ret)
{
    struct buf host;
    bool is_good;
    if (!str_is_none(given))
        return str_copy(given, ret->host, sizeof ret->host);
    buf_init(&host, HOST_SIZE);
    buf_addf(&host, "%s%s.%s.svc", sb->database_name, d->host_suffix, sb->namespace_name);
    is_good = str_copy(buf_str(&host), ret->host, sizeof ret->host);
    buf_fini(&host);
    return is_good;
}

static bool fill_credentials(const struct kubeblocks_dialect *d, const struct sandbox *sb,
                             const struct secret_texts *texts, struct db_credentials *ret, struct err *reterr)
{
    struct str database = str_is_none(texts->database) ? STR("postgres") : texts->database;
    uint64_t port = POSTGRES_PORT;
    if (str_is_none(texts->user) || str_is_none(texts->password))
        return err_set(reterr, ERR_MISSING, __func__, "the credentials' Secret has no %s",
                       str_is_none(texts->user) ? "username" : "password");
    if (!str_is_none(texts->port) && (!str_parse_u64(texts->port, 65535, &port) || port == 0))
        return err_set(reterr, ERR_INVALID, __func__, "the port in the credentials' Secret is none");
    if (!copy_host(d, sb, texts->host, ret) || !str_copy(texts->user, ret->user, sizeof ret->user) ||
        !str_copy(database, ret->database, sizeof ret->database))
        return err_set(reterr, ERR_INVALID, __func__, "a text in the credentials' Secret is too long");
    ret->port = (int)port;
    ret->password = secret_new(texts->password);
    return true;
}

bool kubeblocks_credentials(const struct kubeblocks_dialect *d, const struct sandbox *sb,
                            const struct json_value *secret, struct db_credentials *ret, struct err *reterr)
{
    struct arena *a = arena_new();
    struct secret_texts texts = {0};
    bool is_good;
    memset(ret, 0, sizeof *ret);
    is_good = read_secret(a, secret, &texts, reterr) && fill_credentials(d, sb, &texts, ret, reterr);
    arena_free(a);
    return is_good;
}

/* ---- status ---- */

enum db_phase kubeblocks_phase(const struct json_value *cluster)
{
    static const struct {
        const char *text;
        enum db_phase phase;
    } phases[] = {
        {"Creating", DB_PHASE_CREATING},
        {"Updating", DB_PHASE_UPDATING},
        {"Running",  DB_PHASE_RUNNING },
        {"Stopping", DB_PHASE_STOPPING},
        {"Stopped",  DB_PHASE_STOPPED },
        {"Deleting", DB_PHASE_DELETING},
        {"Failed",   DB_PHASE_FAILED  },
        {"Abnormal", DB_PHASE_FAILED  },
    };
    struct str text = json_str(json_at(cluster, "status", "phase", NULL));
    if (str_is_none(text) || text.n == 0)
        return DB_PHASE_NONE;
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
        if (str_eq_text(text, phases[i].text))
            return phases[i].phase;
    }
    return DB_PHASE_OTHER;
}

bool kubeblocks_is_refused(const struct json_value *cluster, struct str *ret_why)
{
    const struct json_value *conditions = json_at(cluster, "status", "conditions", NULL);
    *ret_why = STR_NONE;
    for (const struct json_value *c = json_first(conditions); c != NULL; c = json_next(c)) {
        bool is_false = str_eq_text(json_str(json_find(c, "status")), "False");
        bool is_start = str_eq_text(json_str(json_find(c, "type")), "ProvisioningStarted");
        if (is_false && (is_start || str_is_none(*ret_why)))
            *ret_why = json_str(json_find(c, "message"));
        if (is_false && is_start)
            return true;
    }
    return false;
}
