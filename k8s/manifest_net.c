// SPDX-License-Identifier: MIT
/* How a sandbox is reached and what it may reach: Service, the two Ingresses or HTTPRoutes, NetworkPolicy. */
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
        /* A Gateway that cannot lead a WebSocket has to say so: the terminal is one. */
        if (m->sb->kinds.route == ROUTE_HTTPROUTE && SANDBOX_PORTS[i] == TERMINAL_PORT)
            jw_kv_text(w, "appProtocol", "kubernetes.io/ws");
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

static void write_face_metadata(struct json_writer *w, const struct manifest *m, const struct face *face,
                                const struct manifest_pair *annotations)
{
    const struct manifest_pair labels[] = {
        {"cloud.sealos.io/app-deploy-manager",        m->sb->name },
        {"cloud.sealos.io/app-deploy-manager-domain", face->label },
        {LABEL_MANAGED_BY,                            "fullstackd"},
        {NULL,                                        NULL        },
    };
    manifest_metadata(w, m, face->object, labels, annotations);
}

static void write_ingress(struct json_writer *w, const struct manifest *m, const struct face *face)
{
    const struct ingress_profile *profile = m->profile->ingress;
    const char *class_name = k8s_profile_class(m->profile);
    struct manifest_pair annotations[ANNOTATIONS_MAX + 2] = {
        {NULL, NULL}
    };
    size_t n = 0;

    /* One way of naming the class or the other: both at once are refused unless they agree. */
    if (profile->is_class_annotated && class_name != NULL)
        annotations[n++] = (struct manifest_pair){"kubernetes.io/ingress.class", class_name};
    for (size_t i = 0; i < profile->annotations_n && i < ANNOTATIONS_MAX; i++)
        annotations[n++] = (struct manifest_pair){profile->annotations[i].key, profile->annotations[i].value};
    write_face_metadata(w, m, face, annotations);
    manifest_open(w, "spec", NULL);
    if (!profile->is_class_annotated && class_name != NULL)
        jw_kv_text(w, "ingressClassName", class_name);
    jw_key(w, "rules");
    jw_array(w);
    write_rule(w, m, face);
    jw_array_end(w);
    if (m->profile->tls_secret != NULL)
        write_tls(w, m, face);
    jw_object_end(w);
}

/* ---- HTTPRoutes of the Gateway API ---- */

static void write_parent(struct json_writer *w, const struct k8s_profile *p)
{
    const struct manifest_pair members[] = {
        {"group",       "gateway.networking.k8s.io"},
        {"kind",        "Gateway"                  },
        {"name",        p->gateway_name            },
        {"namespace",   p->gateway_namespace       },
        {"sectionName", p->gateway_section         },
        {NULL,          NULL                       },
    };
    jw_key(w, "parentRefs");
    jw_array(w);
    jw_object(w);
    manifest_pairs(w, members);
    jw_object_end(w);
    jw_array_end(w);
}

static void write_route_rule(struct json_writer *w, const struct manifest *m, const struct face *face)
{
    char service[OBJECT_NAME_SIZE];
    object_name(OBJECT_SERVICE, m->sb, service);
    jw_object(w);
    jw_key(w, "matches");
    jw_array(w);
    jw_object(w);
    manifest_open(w, "path", NULL);
    jw_kv_text(w, "type", "PathPrefix");
    jw_kv_text(w, "value", "/");
    manifest_close(w, 2);
    jw_array_end(w);
    jw_key(w, "backendRefs");
    jw_array(w);
    jw_object(w);
    jw_kv_text(w, "name", service);
    jw_kv_int(w, "port", face->port);
    jw_object_end(w);
    jw_array_end(w);
    if (m->profile->gateway_timeout != NULL) {
        manifest_open(w, "timeouts", NULL);
        jw_kv_text(w, "request", m->profile->gateway_timeout);
        jw_object_end(w);
    }
    jw_object_end(w);
}

static void write_route(struct json_writer *w, const struct manifest *m, const struct face *face)
{
    const char *const hosts[] = {face->host, NULL};
    write_face_metadata(w, m, face, NULL);
    manifest_open(w, "spec", NULL);
    write_parent(w, m->profile);
    manifest_texts(w, "hostnames", hosts);
    jw_key(w, "rules");
    jw_array(w);
    write_route_rule(w, m, face);
    jw_array_end(w);
    jw_object_end(w);
}

/* ---- application and terminal ---- */

static struct face face_of_app(const struct manifest *m)
{
    return (struct face){OBJECT_INGRESS_APP, m->sb->app_host, m->sb->app_label, APP_PORT};
}

static struct face face_of_tty(const struct manifest *m)
{
    return (struct face){OBJECT_INGRESS_TTY, m->sb->tty_host, m->sb->tty_label, TERMINAL_PORT};
}

void manifest_ingress_app(struct json_writer *w, const struct manifest *m)
{
    struct face face = face_of_app(m);
    write_ingress(w, m, &face);
}

void manifest_ingress_tty(struct json_writer *w, const struct manifest *m)
{
    struct face face = face_of_tty(m);
    write_ingress(w, m, &face);
}

void manifest_route_app(struct json_writer *w, const struct manifest *m)
{
    struct face face = face_of_app(m);
    write_route(w, m, &face);
}

void manifest_route_tty(struct json_writer *w, const struct manifest *m)
{
    struct face face = face_of_tty(m);
    write_route(w, m, &face);
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

/* Any namespace but our own: where the controller lives is not known, only that it is not beside the sandboxes. */
static void write_other_namespaces(struct json_writer *w, const char *own)
{
    const char *const names[] = {own, NULL};
    jw_object(w);
    manifest_open(w, "namespaceSelector", NULL);
    jw_key(w, "matchExpressions");
    jw_array(w);
    jw_object(w);
    jw_kv_text(w, "key", "kubernetes.io/metadata.name");
    jw_kv_text(w, "operator", "NotIn");
    manifest_texts(w, "values", names);
    jw_object_end(w);
    jw_array_end(w);
    manifest_close(w, 2);
}

static void write_ingress_rules(struct json_writer *w, const struct manifest *m)
{
    const char *controller = k8s_profile_controller(m->profile);
    jw_key(w, "ingress");
    jw_array(w);
    jw_object(w);
    jw_key(w, "from");
    jw_array(w);
    if (controller != NULL)
        write_peer(w, "namespaceSelector", "kubernetes.io/metadata.name", controller);
    else
        write_other_namespaces(w, m->sb->namespace_name);
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
