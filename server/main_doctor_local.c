// SPDX-License-Identifier: MIT
/* The doctor's checks of this machine and of the configuration: no network, except --quick, which asks the server that
 * runs here. */
#include <sys/resource.h>
#include <sys/stat.h>

#include "server/main_doctor.h"
#include "server/static.h"

enum { DESCRIPTORS_WANTED = 4096, READY_CEILING_BYTES = 16 * 1024 };

void doctor_descriptors(struct doctor *d)
{
    struct rlimit limit = {0};
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max >= DESCRIPTORS_WANTED)
        doctor_say(d, DOCTOR_OK, "descriptors", NULL, "up to %llu file descriptors",
                   (unsigned long long)limit.rlim_max);
    else
        doctor_say(d, DOCTOR_WARN, "descriptors",
                   "Raise it (LimitNOFILE= of the unit, ulimit -Hn): each open dashboard takes one",
                   "only %llu file descriptors", (unsigned long long)limit.rlim_max);
    doctor_next(d);
}

void doctor_http_client(struct doctor *d)
{
    struct fetch_features f;
    fetch_features(&f);
    if (!f.has_tls || !f.has_async_dns)
        doctor_say(d, DOCTOR_FAIL, "libcurl", "Install a libcurl built with TLS and AsynchDNS", "libcurl %s without %s",
                   f.version, !f.has_tls ? "TLS" : "AsynchDNS: a name look-up would stop all");
    else if (!f.has_http2)
        doctor_say(d, DOCTOR_WARN, "libcurl", "Install a libcurl with HTTP2: watches then share one connection",
                   "libcurl %s without HTTP2", f.version);
    else
        doctor_say(d, DOCTOR_OK, "libcurl", NULL, "libcurl %s with TLS, HTTP2 and AsynchDNS", f.version);
    doctor_next(d);
}

static void say_terminal_advice(struct doctor *d)
{
    const struct config_sandbox *c = &d->config.sandbox;
    if (str_eq_text(str_from(c->ingress_profile), "seed"))
        doctor_say(d, DOCTOR_WARN, "ingress",
                   "ingress-nginx upgrades WebSockets by itself and rejects snippets by default: set "
                   "sandbox.ingress_profile to nginx (traefik, plain for others)",
                   "profile seed: the original's annotations, among them server-snippet");
    else
        doctor_say(d, DOCTOR_OK, "ingress", NULL, "profile %s, class %s, hosts below %s", c->ingress_profile,
                   c->ingress_class, c->domain);
}

void doctor_settings(struct doctor *d)
{
    const struct config *c = &d->config;
    if (c->public_url[0] == '\0')
        doctor_say(d, DOCTOR_WARN, "public_url", "Set NEXTAUTH_URL or public_url to what browsers type",
                   "not set: writes are only checked against the Host header");
    else
        doctor_say(d, DOCTOR_OK, "public_url", NULL, "%s", c->public_url);
    if (secret_is_none(&c->encryption_keys))
        doctor_say(d, DOCTOR_FAIL, "encryption", "Set FULLSTACKD_ENCRYPTION_KEYS, or the original's NEXTAUTH_SECRET",
                   "no key ring: nothing can be stored");
    else
        doctor_say(d, DOCTOR_OK, "encryption", NULL, "%s",
                   c->is_keyring_derived ? "key ring derived from nextauth_secret" : "key ring given");
    if (c->github_client_id[0] == '\0')
        doctor_say(d, DOCTOR_OK, "sign-in", NULL, "by sign-in links only: GITHUB_CLIENT_ID is not set");
    else
        doctor_say(d, DOCTOR_OK, "sign-in", NULL, "by %s, back to %s/api/auth/callback/github", c->github_url,
                   c->public_url);
    say_terminal_advice(d);
    doctor_next(d);
}

/* Anybody else on this machine could read the file. */
static bool is_open_to_others(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
}

void doctor_secret_env(struct doctor *d)
{
    const struct dotenv *env = &d->config.secret_env;
    struct buf names;
    buf_init(&names, 1024);
    for (size_t i = 0; i < env->n && names.n < 800; i++)
        buf_addf(&names, "%s%.*s", i > 0 ? ", " : "", STR_ARG(env->vars[i].key));
    if (d->config.secret_env_path[0] == '\0')
        doctor_say(d, DOCTOR_WARN, "secret-env",
                   "Write ANTHROPIC_BASE_URL and ANTHROPIC_AUTH_TOKEN into it, or give them per project",
                   ".secret/.env is not there: containers get no Claude Code credentials");
    else if (dotenv_find(env, "ANTHROPIC_AUTH_TOKEN") == NULL)
        doctor_say(d, DOCTOR_WARN, "secret-env", "Add ANTHROPIC_AUTH_TOKEN: Claude Code needs it",
                   ".secret/.env has no ANTHROPIC_AUTH_TOKEN; it has: %s", buf_text(&names));
    else
        doctor_say(d, DOCTOR_OK, "secret-env", NULL, ".secret/.env has %s", buf_text(&names));
    if (is_open_to_others(d->config.secret_env_path))
        doctor_say(d, DOCTOR_WARN, "secret-env", "chmod 600 .secret/.env", "others on this machine may read it");
    buf_fini(&names);
    doctor_next(d);
}

void doctor_dashboard(struct doctor *d)
{
    struct err err = {0};
    const char *dir = d->config.web_dir;
    struct static_files *files = dir[0] != '\0' ? static_files_new(dir, &err) : NULL;
    if (dir[0] == '\0')
        doctor_say(d, DOCTOR_OK, "dashboard", NULL, "not served (web_dir is empty)");
    else if (files == NULL)
        doctor_say(d, DOCTOR_WARN, "dashboard", "Build it (./run build) or set web_dir; the API works without",
                   "%s: %s", dir, err.msg);
    else
        doctor_say(d, DOCTOR_OK, "dashboard", NULL, "%zu files in %s", static_files_count(files), dir);
    static_files_free(files);
    doctor_next(d);
}

/* ---- --quick ---- */

static void on_ready(void *arg, const struct fetch_answer *answer, const struct err *err)
{
    struct doctor *d = arg;
    if (err != NULL)
        doctor_say(d, DOCTOR_FAIL, "ready", "Is fullstackd serve running?", "%s", err->msg);
    else if (answer->status != 200)
        doctor_say(d, DOCTOR_FAIL, "ready", NULL, "%.*s", STR_ARG(str_trim(answer->body)));
    else
        doctor_say(d, DOCTOR_OK, "ready", NULL, "the server answers and is ready");
    doctor_next(d);
}

/* The address to ask for one to listen at: "every" means this machine. */
static const char *own_url(struct doctor *d)
{
    const struct config_listen *c = &d->config.listen;
    struct str address = str_from(c->address);
    const char *scheme = c->tls_cert[0] != '\0' ? "https" : "http";
    if (str_starts(address, STR("unix:")))
        return NULL;
    if (str_eq_text(address, "0.0.0.0"))
        address = STR("127.0.0.1");
    else if (str_eq_text(address, "::"))
        address = STR("::1");
    bool is_v6 = str_find(address, ':', 0) < address.n;
    return arena_printf(d->arena, "%s://%s%.*s%s:%lld", scheme, is_v6 ? "[" : "", STR_ARG(address), is_v6 ? "]" : "",
                        (long long)c->port);
}

void doctor_own_readiness(struct doctor *d)
{
    struct err err = {0};
    /* The certificate is made for the public name, not for this address. */
    const struct fetch_peer peer = {.base_url = own_url(d), .is_unverified = true};
    const struct fetch_request request = {.method = "GET",
                                          .path = "/readyz?verbose",
                                          .accept = "text/plain",
                                          .deadline_ms = DOCTOR_TIMEOUT_MS,
                                          .ceiling_bytes = READY_CEILING_BYTES,
                                          .on_done = on_ready,
                                          .arg = d};
    d->client = peer.base_url != NULL ? fetch_client_new(d->fetch, &peer, &err) : NULL;
    if (d->client != NULL) {
        struct op *op = fetch_start(d->client, &request);
        (void)op; /* it has a deadline, and nothing ends before it */
        return;
    }
    doctor_say(d, DOCTOR_FAIL, "ready", "--quick needs a TCP listener", "%s listens at %s%s", "the server",
               d->config.listen.address, err.msg);
    doctor_next(d);
}
