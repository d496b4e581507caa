// SPDX-License-Identifier: MIT
/* The doctor's checks of the cluster: found, reached, permitted, and what we need in it. */
#include "k8s/kubeconfig.h"
#include "k8s/probe.h"
#include "k8s/profile.h"
#include "server/main_doctor.h"

enum { ANSWER_CEILING_BYTES = 64 * 1024, SKEW_WARN_MS = 5000, SKEW_FAIL_MS = 300000 };

void doctor_add_cluster_names(struct doctor *d, const struct config_cluster *cluster, struct str *list, size_t *n,
                              size_t max)
{
    struct str rest = str_from(cluster->kube.former_names);
    struct str name = str_from(cluster->name);
    do {
        if (*n < max && str_trim(name).n > 0)
            list[(*n)++] = arena_dup_str(d->arena, str_trim(name));
    } while (str_next(&rest, ',', &name));
}

/* ---- kubeconfig ---- */

static void use_kubeconfig(struct doctor *d, struct kubeconfig *kc)
{
    struct err err = {0};
    const struct fetch_peer peer = {.base_url = arena_dup(d->arena, str_from(kc->server)),
                                    .ca_pem = secret_reveal(&kc->ca),
                                    .cert_pem = secret_reveal(&kc->cert),
                                    .key_pem = secret_is_none(&kc->key) ? NULL : &kc->key,
                                    .is_unverified = kc->is_unverified};
    d->namespace_name = arena_dup(d->arena, str_from(main_namespace(d->cluster, kc)));
    d->client = fetch_client_new(d->fetch, &peer, &err);
    if (d->client == NULL)
        kubeconfig_free(kc);
    else
        d->kube = kube_new(d->loop, d->fetch, kc, &err);
    if (d->kube == NULL)
        doctor_say(d, DOCTOR_FAIL, "kubeconfig", "Correct the server, certificate or key in it", "%s", err.msg);
    else
        doctor_say(d, DOCTOR_OK, "kubeconfig", NULL, "%s, namespace %s", peer.base_url, d->namespace_name);
}

void doctor_kubeconfig(struct doctor *d)
{
    struct err err = {0};
    struct kubeconfig *kc = main_load_kubeconfig(d->cluster, &err);
    if (kc != NULL)
        use_kubeconfig(d, kc);
    else if (err.kind == ERR_MISSING)
        doctor_say(d, DOCTOR_FAIL, "kubeconfig", "Put it at .secret/kubeconfig or set KUBECONFIG_PATH", "%s", err.msg);
    else
        doctor_say(d, DOCTOR_FAIL, "kubeconfig",
                   "Its server must be the cluster's address (https://usw.sealos.io:6443); for a cluster on this "
                   "machine set kube.allow_loopback",
                   "%s", err.msg);
    doctor_next(d);
}

/* ---- reached, and the same time ---- */

static void say_clock(struct doctor *d, int64_t date_ms)
{
    /* Date is cut to the second it was made in. */
    int64_t skew_ms = loop_wall_ms(d->loop) - date_ms;
    int64_t size_ms = skew_ms < 0 ? -skew_ms : skew_ms - 1000;
    const char *advice = "Set the clock (timedatectl set-ntp true): tokens and certificates are judged by it";
    if (date_ms < 0)
        doctor_say(d, DOCTOR_WARN, "clock", NULL, "the API server's answer has no Date");
    else if (size_ms > SKEW_WARN_MS)
        doctor_say(d, size_ms > SKEW_FAIL_MS ? DOCTOR_FAIL : DOCTOR_WARN, "clock", advice,
                   "this machine is %lld s %s the API server", (long long)(size_ms / 1000),
                   skew_ms < 0 ? "behind" : "ahead of");
    else
        doctor_say(d, DOCTOR_OK, "clock", NULL, "within %d s of the API server's", SKEW_WARN_MS / 1000);
}

static void on_version(void *arg, const struct fetch_answer *answer, const struct err *err)
{
    struct doctor *d = arg;
    ms_t took_ms = loop_now_ms(d->loop) - d->asked_ms;
    if (err != NULL) {
        doctor_say(d, DOCTOR_FAIL, "api", "Check the address, the network in between and the certificate authority",
                   "%s", err->msg);
        kube_free(d->kube);
        d->kube = NULL;
    } else {
        doctor_say(d, DOCTOR_OK, "api", NULL, "answers in %lld ms", (long long)took_ms);
        say_clock(d, answer->date_ms);
    }
    doctor_next(d);
}

void doctor_api(struct doctor *d)
{
    const struct fetch_request request = {.method = "GET",
                                          .path = "/version",
                                          .deadline_ms = DOCTOR_TIMEOUT_MS,
                                          .ceiling_bytes = ANSWER_CEILING_BYTES,
                                          .on_done = on_version,
                                          .arg = d};
    if (d->kube == NULL) {
        doctor_next(d);
        return;
    }
    struct op *op = fetch_start(d->client, &request);
    (void)op;
}

/* ---- permitted ---- */

static const char *advice_for(struct doctor *d, const char *check)
{
    if (str_eq_text(str_from(check), "right"))
        return arena_printf(d->arena, "Grant it: kubectl -n %s apply -f docker/role.yaml (fullstackd role prints it)",
                            d->namespace_name);
    if (str_eq_text(str_from(check), "kubeblocks"))
        return "Install KubeBlocks, or use a cluster that has it: databases are its Clusters";
    return "Check the credentials in the kubeconfig";
}

static void on_finding(void *arg, const struct probe_finding *finding)
{
    struct doctor *d = arg;
    enum doctor_level level = finding->is_good ? DOCTOR_OK : finding->is_spared ? DOCTOR_WARN : DOCTOR_FAIL;
    bool is_right = str_eq_text(str_from(finding->check), "right");
    d->rights_n += is_right;
    d->rights_bad_n += is_right && !finding->is_good;
    if (str_eq_text(str_from(finding->check), "kubeblocks") && finding->is_good)
        d->kubeblocks_version =
            str_find_str(str_from(finding->text), STR("v1alpha1")) < str_from(finding->text).n ? "v1alpha1" : "v1";
    if (is_right && finding->is_good)
        return;
    doctor_say(d, level, finding->check, finding->is_good ? NULL : advice_for(d, finding->check), "%s", finding->text);
}

static void on_probed(void *arg, const struct err *err)
{
    struct doctor *d = arg;
    if (err != NULL)
        doctor_say(d, DOCTOR_FAIL, "rights", "Check the credentials in the kubeconfig", "not all could be asked: %s",
                   err->msg);
    else if (d->rights_bad_n == 0)
        doctor_say(d, DOCTOR_OK, "rights", NULL, "all %u that are needed in namespace %s", d->rights_n,
                   d->namespace_name);
    doctor_next(d);
}

void doctor_rights(struct doctor *d)
{
    if (d->kube == NULL) {
        doctor_next(d);
        return;
    }
    const struct probe_target target = {d->namespace_name, main_kinds(&d->cluster->sandbox)};
    struct op *op = probe_start(d->kube, &target, DOCTOR_TIMEOUT_MS, on_finding, on_probed, d);
    (void)op;
}

/* ---- single questions ---- */

static void ask(struct doctor *d, const char *path, kube_on_answer *on_answer)
{
    const struct kube_request request = {
        .method = "GET", .path = path, .timeout_ms = DOCTOR_TIMEOUT_MS, .on_answer = on_answer, .arg = d};
    if (d->kube == NULL || path == NULL) {
        doctor_next(d);
        return;
    }
    struct op *op = kube_call(d->kube, &request);
    (void)op;
}

static void on_pods(void *arg, const struct json_value *object, const struct err *err)
{
    struct doctor *d = arg;
    if (err != NULL)
        doctor_say(d, DOCTOR_FAIL, "answers", "See the lines about rights", "pods cannot be listed: %s", err->msg);
    else if (json_type(json_find(object, "items")) != JSON_ARRAY)
        doctor_say(d, DOCTOR_FAIL, "answers", "Is there a proxy before the API that changes answers?",
                   "a list of pods has no items");
    else
        doctor_say(d, DOCTOR_OK, "answers", NULL, "lists have the form this program reads");
    doctor_next(d);
}

void doctor_answers(struct doctor *d)
{
    ask(d, d->kube != NULL ? arena_printf(d->arena, "/api/v1/namespaces/%s/pods?limit=1", d->namespace_name) : NULL,
        on_pods);
}

/* Something outside the namespace that we need but may not be allowed to look at. */
static void say_presence(struct doctor *d, const char *check, const char *name, const struct err *err,
                         const char *advice)
{
    if (err == NULL)
        doctor_say(d, DOCTOR_OK, check, NULL, "%s is there", name);
    else if (err->kind == ERR_MISSING)
        doctor_say(d, DOCTOR_FAIL, check, advice, "%s is not there", name);
    else
        doctor_say(d, DOCTOR_WARN, check, NULL, "whether %s is there is not known: %s", name, err->msg);
    doctor_next(d);
}

static void on_storage(void *arg, const struct json_value *object, const struct err *err)
{
    struct doctor *d = arg;
    (void)object;
    say_presence(d, "storage", d->cluster->sandbox.storage_class, err,
                 "Set sandbox.storage_class to one of kubectl get storageclass, or to nothing for the default: volumes "
                 "of databases stay pending without");
}

void doctor_storage(struct doctor *d)
{
    const char *name = d->cluster->sandbox.storage_class;
    ask(d, name[0] != '\0' ? arena_printf(d->arena, "/apis/storage.k8s.io/v1/storageclasses/%s", name) : NULL,
        on_storage);
}

/* "": the cluster's default. */
static const char *class_name(const struct config_sandbox *c)
{
    const char *of_profile = ingress_profile_find(str_from(c->ingress_profile))->class_name;
    return c->ingress_class[0] != '\0' || of_profile == NULL ? c->ingress_class : of_profile;
}

static void on_ingress(void *arg, const struct json_value *object, const struct err *err)
{
    struct doctor *d = arg;
    (void)object;
    say_presence(d, "ingress", class_name(&d->cluster->sandbox), err,
                 "Set sandbox.ingress_class to one of kubectl get ingressclass: no URL answers without");
}

static void on_gateway(void *arg, const struct json_value *object, const struct err *err)
{
    struct doctor *d = arg;
    (void)object;
    say_presence(
        d, "gateway", d->cluster->sandbox.gateway_name, err,
        "Set sandbox.gateway_name and sandbox.gateway_namespace to one of kubectl get gateway -A, or install the "
        "Gateway API: no URL answers without");
}

static bool has_gateway(const struct doctor *d)
{
    return main_kinds(&d->cluster->sandbox).route == ROUTE_HTTPROUTE;
}

static void ask_gateway(struct doctor *d)
{
    const struct config_sandbox *c = &d->cluster->sandbox;
    const char *ns = c->gateway_namespace[0] != '\0' ? c->gateway_namespace : d->namespace_name;
    bool is_asked = d->kube != NULL && c->gateway_name[0] != '\0';
    ask(d,
        is_asked ? arena_printf(d->arena, "/apis/gateway.networking.k8s.io/v1/namespaces/%s/gateways/%s", ns,
                                c->gateway_name)
                 : NULL,
        on_gateway);
}

void doctor_ingress(struct doctor *d)
{
    const char *name = class_name(&d->cluster->sandbox);
    if (has_gateway(d))
        ask_gateway(d);
    else
        ask(d, name[0] != '\0' ? arena_printf(d->arena, "/apis/networking.k8s.io/v1/ingressclasses/%s", name) : NULL,
            on_ingress);
}

static void on_certificate(void *arg, const struct json_value *object, const struct err *err)
{
    struct doctor *d = arg;
    (void)object;
    say_presence(d, "certificate", d->cluster->sandbox.tls_secret, err,
                 "Put the wildcard certificate there, or set sandbox.tls_secret; browsers refuse the terminal without");
}

void doctor_certificate(struct doctor *d)
{
    const char *name = d->cluster->sandbox.tls_secret;
    bool is_used = d->kube != NULL && name[0] != '\0' && !has_gateway(d); /* a Gateway has its own */
    ask(d, is_used ? arena_printf(d->arena, "/api/v1/namespaces/%s/secrets/%s", d->namespace_name, name) : NULL,
        on_certificate);
}
