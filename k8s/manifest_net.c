// SPDX-License-Identifier: MIT
/* How a sandbox is reached and what it may reach: Service, the two Ingresses, NetworkPolicy. */
#include <stddef.h>

#include "k8s/manifest.h"
#include "k8s/objects.h"

enum { APP_PORT = 3000, TERMINAL_PORT = 7681, DNS_PORT = 53, POSTGRES_PORT = 5432, ANNOTATIONS_MAX = 16 };

void manifest_service(struct json_writer *w, const struct manifest *m)
{
    const struct manifest_pair labels[] = {
        {"cloud.sealos.io/app-deploy-manager", m->sb->name },
        {LABEL_MANAGED_BY,                     "fullstackd"},
        {NULL,                                 NULL        },
    };

    manifest_metadata(w, m, OBJECT_SERVICE, labels, NULL);
    manifest_open(w, "spec", NULL);
    jw_key(w, "ports");
    jw_array(w);
    for (size_t i = 0; i < SANDBOX_PORT_N; i++) {
        jw_object(w);
        jw_kv_int(w, "port", SANDBOX_PORTS[i]);
        jw_kv_int(w, "targetPort", SANDBOX_PORTS[i]);
        jw_kv_text(w, "name", m->sb->port_names[i]);
        jw_kv_text(w, "protocol", "TCP");
        jw_object_end(w);
    }
    jw_array_end(w);
    manifest_open(w, "selector", NULL);
    jw_kv_text(w, "app", m->sb->name);
    manifest_close(w, 2);
}

/* ---- ingresses ---- */

struct face {
    enum cluster_object object;
    const char *host;
    const char *label;
    int port;
};

static void write_rule(struct json_writer *w, const struct manifest *m, const struct face *face)
{
    char service[OBJECT_NAME_SIZE];
    object_name(OBJECT_SERVICE, m->sb, service);
    jw_object(w);
    jw_kv_text(w, "host", face->host);
    manifest_open(w, "http", NULL);
    jw_key(w, "paths");
    jw_array(w);
    jw_object(w);
    jw_kv_text(w, "pathType", "Prefix");
    jw_kv_text(w, "path", "/");
    manifest_open(w, "backend", "service", NULL);
    jw_kv_text(w, "name", service);
    manifest_open(w, "port", NULL);
    jw_kv_int(w, "number", face->port);
    manifest_close(w, 4);
    jw_array_end(w);
    manifest_close(w, 2);
}

static void write_tls(struct json_writer *w, const struct manifest *m, const struct face *face)
{
    const char *const hosts[] = {face->host, NULL};
    jw_key(w, "tls");
    jw_array(w);
    jw_object(w);
    manifest_texts(w, "hosts", hosts);
    jw_kv_text(w, "secretName", m->profile->tls_secret);
    jw_object_end(w);
    jw_array_end(w);
}

static void write_ingress(struct json_writer *w, const struct manifest *m, const struct face *face)
{
    const struct ingress_profile *profile = m->profile->ingress;
    const char *class_name = m->profile->ingress_class != NULL ? m->profile->ingress_class : profile->class_name;
    const struct manifest_pair labels[] = {
        {"cloud.sealos.io/app-deploy-manager",        m->sb->name },
        {"cloud.sealos.io/app-deploy-manager-domain", face->label },
        {LABEL_MANAGED_BY,                            "fullstackd"},
        {NULL,                                        NULL        },
    };
    struct manifest_pair annotations[ANNOTATIONS_MAX + 1] = {
        {NULL, NULL}
    };

    for (size_t i = 0; i < profile->annotations_n && i < ANNOTATIONS_MAX; i++)
        annotations[i] = (struct manifest_pair){profile->annotations[i].key, profile->annotations[i].value};
    manifest_metadata(w, m, face->object, labels, annotations);
    manifest_open(w, "spec", NULL);
    if (class_name != NULL)
        jw_kv_text(w, "ingressClassName", class_name);
    jw_key(w, "rules");
    jw_array(w);
    write_rule(w, m, face);
    jw_array_end(w);
    if (m->profile->tls_secret != NULL)
        write_tls(w, m, face);
    jw_object_end(w);
}

void manifest_ingress_app(struct json_writer *w, const struct manifest *m)
{
    write_ingress(w, m, &(struct face){OBJECT_INGRESS_APP, m->sb->app_host, m->sb->app_label, APP_PORT});
}

void manifest_ingress_tty(struct json_writer *w, const struct manifest *m)
{
    write_ingress(w, m, &(struct face){OBJECT_INGRESS_TTY, m->sb->tty_host, m->sb->tty_label, TERMINAL_PORT});
}

/* ---- network policy ---- */

static void write_port(struct json_writer *w, int port, const char *protocol)
{
    jw_object(w);
    jw_kv_int(w, "port", port);
    jw_kv_text(w, "protocol", protocol);
    jw_object_end(w);
}

/* One peer chosen by one label of a pod or a namespace. */
static void write_peer(struct json_writer *w, const char *selector, const char *key, const char *value)
{
    jw_object(w);
    manifest_open(w, selector, "matchLabels", NULL);
    jw_kv_text(w, key, value);
    manifest_close(w, 3);
}

static void write_block(struct json_writer *w, const char *cidr, const char *const *except)
{
    jw_object(w);
    manifest_open(w, "ipBlock", NULL);
    jw_kv_text(w, "cidr", cidr);
    manifest_texts(w, "except", except);
    manifest_close(w, 2);
}

static void write_ingress_rules(struct json_writer *w, const struct manifest *m)
{
    jw_key(w, "ingress");
    jw_array(w);
    jw_object(w);
    jw_key(w, "from");
    jw_array(w);
    write_peer(w, "namespaceSelector", "kubernetes.io/metadata.name", m->profile->controller_namespace);
    jw_array_end(w);
    jw_key(w, "ports");
    jw_array(w);
    write_port(w, APP_PORT, "TCP");
    write_port(w, TERMINAL_PORT, "TCP");
    jw_array_end(w);
    jw_object_end(w);
    jw_array_end(w);
}

static void write_egress_to(struct json_writer *w, const char *selector, const char *key, const char *value, int port)
{
    jw_object(w);
    jw_key(w, "to");
    jw_array(w);
    write_peer(w, selector, key, value);
    jw_array_end(w);
    jw_key(w, "ports");
    jw_array(w);
    write_port(w, port, "TCP");
    if (port == DNS_PORT)
        write_port(w, port, "UDP");
    jw_array_end(w);
    jw_object_end(w);
}

/* Name resolution, the project's own database, and public addresses: no neighbour, no node, no metadata service. */
static void write_egress_rules(struct json_writer *w, const struct manifest *m)
{
    static const char *const private4[] = {"0.0.0.0/8",      "10.0.0.0/8",    "100.64.0.0/10", "127.0.0.0/8",
                                           "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",  "192.168.0.0/16",
                                           "198.18.0.0/15",  "224.0.0.0/4",   "240.0.0.0/4",   NULL};
    static const char *const private6[] = {"::1/128", "fc00::/7", "fe80::/10", "ff00::/8", NULL};
    jw_key(w, "egress");
    jw_array(w);
    write_egress_to(w, "namespaceSelector", "kubernetes.io/metadata.name", "kube-system", DNS_PORT);
    write_egress_to(w, "podSelector", "app.kubernetes.io/instance", m->sb->database_name, POSTGRES_PORT);
    jw_object(w);
    jw_key(w, "to");
    jw_array(w);
    write_block(w, "0.0.0.0/0", private4);
    write_block(w, "::/0", private6);
    jw_array_end(w);
    jw_object_end(w);
    jw_array_end(w);
}

void manifest_network_policy(struct json_writer *w, const struct manifest *m)
{
    static const char *const types[] = {"Ingress", "Egress", NULL};
    const struct manifest_pair labels[] = {
        {"cloud.sealos.io/app-deploy-manager", m->sb->name },
        {"app",                                m->sb->name },
        {LABEL_MANAGED_BY,                     "fullstackd"},
        {NULL,                                 NULL        },
    };

    manifest_metadata(w, m, OBJECT_NETWORK_POLICY, labels, NULL);
    manifest_open(w, "spec", "podSelector", "matchLabels", NULL);
    jw_kv_text(w, "app", m->sb->name);
    manifest_close(w, 2);
    manifest_texts(w, "policyTypes", types);
    write_ingress_rules(w, m);
    write_egress_rules(w, m);
    jw_object_end(w);
}
