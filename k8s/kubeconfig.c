// SPDX-License-Identifier: MIT
/* From a kubeconfig's context to server, trust and identity; or the same from a pod's service account. */
#include "k8s/kubeconfig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/codec.h"
#include "core/base/xmem.h"
#include "k8s/yaml_doc.h"

static const char ACCOUNT_DIR[] = "/var/run/secrets/kubernetes.io/serviceaccount";
static const char *const usual_paths[] = {".secret/kubeconfig", "../.secret/kubeconfig"};

/* ---- files ---- */

static bool read_file(const char *path, struct secret *ret, int64_t *ret_mtime_ns, struct err *reterr)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a named pipe must not hold us */
    struct stat st;
    struct buf bytes;
    char chunk[4096];
    ssize_t n;
    bool is_over;
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        int code = fd < 0 ? errno : EINVAL;
        if (fd >= 0)
            close(fd);
        err_set(reterr, code == ENOENT ? ERR_MISSING : ERR_INVALID, __func__, "%s: %s", path, strerror(code));
        return false;
    }
    buf_init(&bytes, KUBECONFIG_CEILING_BYTES);
    while ((n = read(fd, chunk, sizeof chunk)) > 0 && !bytes.is_over)
        buf_add(&bytes, chunk, (size_t)n);
    close(fd);
    explicit_bzero(chunk, sizeof chunk);
    is_over = bytes.is_over;
    if (n == 0 && !is_over) {
        *ret = secret_new((struct str){buf_text(&bytes), bytes.n});
        *ret_mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    }
    if (bytes.p != NULL)
        explicit_bzero(bytes.p, bytes.cap);
    buf_fini(&bytes);
    if (is_over)
        return err_set(reterr, ERR_TOO_LARGE, __func__, "%s: larger than %d bytes", path, KUBECONFIG_CEILING_BYTES);
    return n == 0 || err_set(reterr, ERR_INVALID, __func__, "%s: cannot be read", path);
}

static char *path_in(struct arena *a, const char *dir, struct str name)
{
    if (name.n > 0 && name.p[0] == '/')
        return arena_dup(a, name);
    return arena_printf(a, "%s/%.*s", dir, STR_ARG(name));
}

static bool token_from_bytes(struct kubeconfig *kc, const struct secret *bytes, bool *ret_is_new)
{
    struct secret token = secret_new(str_trim(secret_reveal(bytes)));
    *ret_is_new = !codec_equal_secret(secret_reveal(&token), secret_reveal(&kc->token));
    secret_fini(&kc->token);
    kc->token = token;
    return true;
}

bool kubeconfig_refresh_token(struct kubeconfig *kc, bool is_forced, bool *ret_is_new, struct err *reterr)
{
    struct secret bytes = SECRET_NONE;
    struct stat st;
    *ret_is_new = false;
    if (kc->token_path == NULL)
        return true;
    if (!is_forced && stat(kc->token_path, &st) == 0 &&
        (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec == kc->token_mtime_ns)
        return true;
    if (!read_file(kc->token_path, &bytes, &kc->token_mtime_ns, reterr))
        return err_wrap(reterr, "reading the token");
    (void)token_from_bytes(kc, &bytes, ret_is_new);
    secret_fini(&bytes);
    return true;
}

/* ---- the parts of a kubeconfig ---- */

struct reading {
    struct yaml_doc *doc;
    struct arena *arena;
    const char *dir;
    const struct kubeconfig_source *source;
    struct kubeconfig *kc;
};

static struct str text_at(const struct reading *r, const struct yaml_at *v, const char *key)
{
    return yaml_doc_text(yaml_doc_find(r->doc, v, key));
}

/* "{key}-data" as base64 or "{key}" as a file name; neither: none. */
static bool read_pem(const struct reading *r, const struct yaml_at *v, const char *key, struct secret *ret,
                     struct err *reterr)
{
    struct str data = text_at(r, v, arena_printf(r->arena, "%s-data", key));
    struct str file = text_at(r, v, key);
    struct str bytes = STR_NONE;
    int64_t mtime_ns;
    if (!str_is_none(data)) {
        if (!codec_base64_decode(r->arena, data, &bytes, reterr))
            return err_wrap(reterr, "kubeconfig: certificate or key data");
        *ret = secret_new(bytes);
        return true;
    }
    if (str_is_none(file))
        return true;
    return read_file(path_in(r->arena, r->dir, file), ret, &mtime_ns, reterr) ||
           err_wrap(reterr, "kubeconfig: certificate or key file");
}

static bool is_loopback(struct str server)
{
    size_t at = str_find_str(server, STR("://"));
    struct str host = at < server.n ? str_slice(server, at + 3, server.n) : server;
    return str_find_str(server, STR("localhost")) < server.n || str_starts(host, STR("127.")) ||
           str_starts(host, STR("[::1]")) || str_starts(host, STR("0.0.0.0"));
}

static bool read_cluster(struct reading *r, const struct yaml_at *cluster, struct err *reterr)
{
    struct str server = text_at(r, cluster, "server");
    bool is_unverified = str_eq_text(text_at(r, cluster, "insecure-skip-tls-verify"), "true");
    if (str_is_none(server) || server.n == 0 || (is_loopback(server) && !r->source->is_loopback_allowed))
        return err_set(reterr, ERR_INVALID, __func__, "Invalid server endpoint: %.*s", STR_ARG(server));
    if (is_unverified && !r->source->is_unverified_allowed)
        return err_set(reterr, ERR_INVALID, __func__,
                       "kubeconfig: insecure-skip-tls-verify is set and not allowed here");
    if (!str_is_none(text_at(r, cluster, "tls-server-name")))
        return err_set(reterr, ERR_INVALID, __func__, "kubeconfig: tls-server-name is not supported");
    if (!str_is_none(text_at(r, cluster, "proxy-url")))
        return err_set(reterr, ERR_INVALID, __func__, "kubeconfig: proxy-url is not supported");
    r->kc->server = xmemdup(server.p, server.n);
    r->kc->is_unverified = is_unverified;
    return read_pem(r, cluster, "certificate-authority", &r->kc->ca, reterr);
}

static bool read_user(struct reading *r, const struct yaml_at *user, struct err *reterr)
{
    static const char *const refused[] = {"exec", "auth-provider", "username", "password"};
    struct str token = text_at(r, user, "token");
    struct str token_file = text_at(r, user, "tokenFile");
    bool is_new;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (yaml_doc_find(r->doc, user, refused[i]) != NULL)
            return err_set(reterr, ERR_INVALID, __func__, "kubeconfig: users that log in by \"%s\" are not supported",
                           refused[i]);
    }
    r->kc->token = secret_new(token);
    if (!str_is_none(token_file)) { /* it wins over "token", as in client-go */
        r->kc->token_path = xstrdup(path_in(r->arena, r->dir, token_file));
        if (!kubeconfig_refresh_token(r->kc, true, &is_new, reterr))
            return false;
    }
    if (!read_pem(r, user, "client-certificate", &r->kc->cert, reterr) ||
        !read_pem(r, user, "client-key", &r->kc->key, reterr))
        return false;
    if (secret_is_none(&r->kc->cert) != secret_is_none(&r->kc->key))
        return err_set(reterr, ERR_INVALID, __func__, "kubeconfig: client certificate and key come as a pair");
    return true;
}

static bool read_context(struct reading *r, struct err *reterr)
{
    const struct yaml_at *root = yaml_doc_root(r->doc);
    struct str name = r->source->context != NULL ? str_from(r->source->context) : text_at(r, root, "current-context");
    const struct yaml_at *context =
        yaml_doc_find(r->doc, yaml_doc_named(r->doc, yaml_doc_find(r->doc, root, "contexts"), name), "context");
    const struct yaml_at *cluster = yaml_doc_find(
        r->doc, yaml_doc_named(r->doc, yaml_doc_find(r->doc, root, "clusters"), text_at(r, context, "cluster")),
        "cluster");
    const struct yaml_at *user = yaml_doc_find(
        r->doc, yaml_doc_named(r->doc, yaml_doc_find(r->doc, root, "users"), text_at(r, context, "user")), "user");
    struct str namespace_name = text_at(r, context, "namespace");
    if (context == NULL)
        return err_set(reterr, ERR_INVALID, __func__, "kubeconfig: no context \"%.*s\"", STR_ARG(name));
    if (cluster == NULL)
        return err_set(reterr, ERR_INVALID, __func__, "Invalid server endpoint: (context \"%.*s\" names no cluster)",
                       STR_ARG(name));
    if (user == NULL)
        return err_set(reterr, ERR_INVALID, __func__, "kubeconfig: context \"%.*s\" names no user", STR_ARG(name));
    r->kc->context = xmemdup(name.p, name.n);
    if (!str_is_none(namespace_name))
        r->kc->namespace_name = xmemdup(namespace_name.p, namespace_name.n);
    return read_cluster(r, cluster, reterr) && read_user(r, user, reterr);
}

struct kubeconfig *kubeconfig_parse(struct str text, const char *dir, const struct kubeconfig_source *source,
                                    struct err *reterr)
{
    struct reading r = {yaml_doc_parse(text, reterr), NULL, dir, source, NULL};
    bool is_good;
    if (r.doc == NULL)
        return NULL;
    r.arena = arena_new();
    r.kc = xcalloc(1, sizeof *r.kc);
    is_good = read_context(&r, reterr);
    yaml_doc_free(r.doc);
    arena_free(r.arena);
    if (is_good)
        return r.kc;
    kubeconfig_free(r.kc);
    return NULL;
}

void kubeconfig_free(struct kubeconfig *kc)
{
    if (kc == NULL)
        return;
    free(kc->server);
    free(kc->namespace_name);
    free(kc->context);
    free(kc->token_path);
    secret_fini(&kc->ca);
    secret_fini(&kc->cert);
    secret_fini(&kc->key);
    secret_fini(&kc->token);
    free(kc);
}

/* ---- where it comes from ---- */

static struct kubeconfig *load_account(const struct kubeconfig_source *source, struct err *reterr)
{
    const char *dir = source->account_dir != NULL ? source->account_dir : ACCOUNT_DIR;
    const char *port = source->service_port != NULL ? source->service_port : "443";
    bool is_ipv6 = strchr(source->service_host, ':') != NULL;
    struct kubeconfig *kc = xcalloc(1, sizeof *kc);
    struct arena *a = arena_new();
    struct secret namespace_name = SECRET_NONE;
    int64_t mtime_ns;
    bool is_new;
    bool is_good;
    kc->context = xstrdup("in-cluster");
    kc->server = xstrdup(arena_printf(a, is_ipv6 ? "https://[%s]:%s" : "https://%s:%s", source->service_host, port));
    kc->token_path = xstrdup(path_in(a, dir, STR("token")));
    is_good = kubeconfig_refresh_token(kc, true, &is_new, reterr) &&
              read_file(path_in(a, dir, STR("ca.crt")), &kc->ca, &mtime_ns, reterr) &&
              read_file(path_in(a, dir, STR("namespace")), &namespace_name, &mtime_ns, reterr);
    if (is_good) {
        struct str name = str_trim(secret_reveal(&namespace_name));
        kc->namespace_name = name.n > 0 ? xmemdup(name.p, name.n) : NULL;
    }
    secret_fini(&namespace_name);
    arena_free(a);
    if (is_good)
        return kc;
    kubeconfig_free(kc);
    return NULL;
}

static struct kubeconfig *load_file(const char *path, const struct kubeconfig_source *source, struct err *reterr)
{
    struct secret bytes = SECRET_NONE;
    struct kubeconfig *kc;
    const char *slash = strrchr(path, '/');
    char *dir = slash != NULL ? xmemdup(path, (size_t)(slash - path)) : xstrdup(".");
    int64_t mtime_ns;
    if (!read_file(path, &bytes, &mtime_ns, reterr)) {
        if (reterr != NULL && reterr->kind == ERR_MISSING)
            err_set(reterr, ERR_MISSING, __func__, "Kubeconfig file not found at: %s", path);
        free(dir);
        return NULL;
    }
    kc = kubeconfig_parse(secret_reveal(&bytes), dir[0] != '\0' ? dir : "/", source, reterr);
    secret_fini(&bytes);
    free(dir);
    return kc;
}

struct kubeconfig *kubeconfig_load(const struct kubeconfig_source *source, struct err *reterr)
{
    if (source->path != NULL)
        return load_file(source->path, source, reterr);
    for (size_t i = 0; i < sizeof usual_paths / sizeof *usual_paths; i++) {
        if (access(usual_paths[i], F_OK) == 0)
            return load_file(usual_paths[i], source, reterr);
    }
    if (source->service_host != NULL && source->service_host[0] != '\0')
        return load_account(source, reterr);
    err_set(reterr, ERR_MISSING, __func__, "Kubeconfig file not found at: %s", usual_paths[0]);
    return NULL;
}
