// SPDX-License-Identifier: MIT
/* kubectl's columns. A column is a path into the object, or a small function where a path does not do. */
#include "devcluster/api/table.h"

#include "core/base/wall.h"
#include "devcluster/api/api_private.h"
#include "devcluster/base/selector.h"

struct column {
    enum kind_id kind;
    const char *name;
    const char *path; /* dotted */
    const char *(*text)(struct arena *a, const struct doc *root);
};

static int64_t number(const struct doc *root, const char *section, const char *field)
{
    return doc_as_int(doc_at(root, section, field, NULL), 0);
}

static const char *ready_replicas(struct arena *a, const struct doc *root)
{
    return arena_printf(a, "%lld/%lld", (long long)number(root, "status", "readyReplicas"),
                        (long long)number(root, "spec", "replicas"));
}

static const char *updated(struct arena *a, const struct doc *root)
{
    return arena_printf(a, "%lld", (long long)number(root, "status", "updatedReplicas"));
}

static const char *available(struct arena *a, const struct doc *root)
{
    return arena_printf(a, "%lld", (long long)number(root, "status", "availableReplicas"));
}

static const char *desired(struct arena *a, const struct doc *root)
{
    return arena_printf(a, "%lld", (long long)number(root, "spec", "replicas"));
}

static const char *ready_containers(struct arena *a, const struct doc *root)
{
    const struct doc *all = doc_at(root, "status", "containerStatuses", NULL);
    int ready = 0;
    for (const struct doc *c = all == NULL ? NULL : all->first; c != NULL; c = c->next)
        ready += doc_as_bool(doc_find(c, "ready"), false);
    return arena_printf(a, "%d/%zu", ready, doc_count(doc_at(root, "spec", "containers", NULL)));
}

static const char *pod_status(struct arena *a, const struct doc *root)
{
    if (doc_at(root, "metadata", "deletionTimestamp", NULL) != NULL)
        return "Terminating";
    const struct doc *all = doc_at(root, "status", "containerStatuses", NULL);
    const struct doc *first = all == NULL ? NULL : all->first;
    struct str text = doc_as_str(doc_at(root, "status", "reason", NULL));
    if (text.n == 0)
        text = doc_as_str(doc_at(first, "state", "waiting", "reason", NULL));
    if (text.n == 0)
        text = doc_as_str(doc_at(root, "status", "phase", NULL));
    return arena_dup(a, text);
}

static const char *restarts(struct arena *a, const struct doc *root)
{
    const struct doc *all = doc_at(root, "status", "containerStatuses", NULL);
    int64_t n = 0;
    for (const struct doc *c = all == NULL ? NULL : all->first; c != NULL; c = c->next)
        n += doc_as_int(doc_find(c, "restartCount"), 0);
    return arena_printf(a, "%lld", (long long)n);
}

static const char *service_ports(struct arena *a, const struct doc *root)
{
    const struct doc *all = doc_at(root, "spec", "ports", NULL);
    const char *text = "";
    for (const struct doc *p = all == NULL ? NULL : all->first; p != NULL; p = p->next)
        text = arena_printf(a, "%s%s%lld/%.*s", text, text[0] == '\0' ? "" : ",",
                            (long long)doc_as_int(doc_find(p, "port"), 0), STR_ARG(doc_get(p, "protocol")));
    return text;
}

static const char *hosts(struct arena *a, const struct doc *root)
{
    const struct doc *all = doc_at(root, "spec", "rules", NULL);
    const char *text = "";
    for (const struct doc *r = all == NULL ? NULL : all->first; r != NULL; r = r->next)
        text = arena_printf(a, "%s%s%.*s", text, text[0] == '\0' ? "" : ",", STR_ARG(doc_get(r, "host")));
    return text;
}

static const char *hostnames(struct arena *a, const struct doc *root)
{
    return arena_dup(a, doc_json(a, doc_at(root, "spec", "hostnames", NULL)));
}

static const char *involved(struct arena *a, const struct doc *root)
{
    const struct doc *object = doc_find(root, "involvedObject");
    return arena_printf(a, "%.*s/%.*s", STR_ARG(doc_get(object, "kind")), STR_ARG(doc_get(object, "name")));
}

static const char *data_n(struct arena *a, const struct doc *root)
{
    return arena_printf(a, "%zu", doc_count(doc_find(root, "data")));
}

static const struct column COLUMNS[] = {
    {KIND_NAMESPACE,   "Status",             "status.phase",              NULL            },
    {KIND_POD,         "Ready",              NULL,                        ready_containers},
    {KIND_POD,         "Status",             NULL,                        pod_status      },
    {KIND_POD,         "Restarts",           NULL,                        restarts        },
    {KIND_SERVICE,     "Type",               "spec.type",                 NULL            },
    {KIND_SERVICE,     "Cluster-IP",         "spec.clusterIP",            NULL            },
    {KIND_SERVICE,     "Port(s)",            NULL,                        service_ports   },
    {KIND_SECRET,      "Type",               "type",                      NULL            },
    {KIND_SECRET,      "Data",               NULL,                        data_n          },
    {KIND_CONFIGMAP,   "Data",               NULL,                        data_n          },
    {KIND_EVENT,       "Type",               "type",                      NULL            },
    {KIND_EVENT,       "Reason",             "reason",                    NULL            },
    {KIND_EVENT,       "Object",             NULL,                        involved        },
    {KIND_EVENT,       "Message",            "message",                   NULL            },
    {KIND_PVC,         "Status",             "status.phase",              NULL            },
    {KIND_PVC,         "StorageClass",       "spec.storageClassName",     NULL            },
    {KIND_DEPLOYMENT,  "Ready",              NULL,                        ready_replicas  },
    {KIND_DEPLOYMENT,  "Up-to-date",         NULL,                        updated         },
    {KIND_DEPLOYMENT,  "Available",          NULL,                        available       },
    {KIND_REPLICASET,  "Desired",            NULL,                        desired         },
    {KIND_REPLICASET,  "Ready",              NULL,                        ready_replicas  },
    {KIND_STATEFULSET, "Ready",              NULL,                        ready_replicas  },
    {KIND_GATEWAY,     "Class",              "spec.gatewayClassName",     NULL            },
    {KIND_HTTPROUTE,   "Hostnames",          NULL,                        hostnames       },
    {KIND_INGRESS,     "Class",              "spec.ingressClassName",     NULL            },
    {KIND_INGRESS,     "Hosts",              NULL,                        hosts           },
    {KIND_CLUSTER,     "Cluster-Definition", "spec.clusterDefinitionRef", NULL            },
    {KIND_CLUSTER,     "Version",            "spec.clusterVersionRef",    NULL            },
    {KIND_CLUSTER,     "Termination-Policy", "spec.terminationPolicy",    NULL            },
    {KIND_CLUSTER,     "Status",             "status.phase",              NULL            },
};
enum { COLUMNS_N = sizeof(COLUMNS) / sizeof(COLUMNS[0]) };

static const char *age(struct call *c, const struct object *o)
{
    int64_t created;
    if (!wall_parse(doc_get(object_meta(o), "creationTimestamp"), &created))
        return "<unknown>";
    int64_t s = (loop_wall_ms(c->api->loop) - created) / 1000;
    if (s < 120)
        return arena_printf(c->arena, "%llds", (long long)(s < 0 ? 0 : s));
    if (s < 7200)
        return arena_printf(c->arena, "%lldm", (long long)(s / 60));
    return s < 172800 ? arena_printf(c->arena, "%lldh", (long long)(s / 3600))
                      : arena_printf(c->arena, "%lldd", (long long)(s / 86400));
}

static void add_definition(struct arena *a, struct doc *all, const char *name, const char *format)
{
    struct doc *d = doc_append(all, doc_object(a));
    doc_set_text(a, d, "name", name);
    doc_set_text(a, d, "type", "string");
    doc_set_text(a, d, "format", format);
    doc_set_text(a, d, "description", name);
    doc_set_int(a, d, "priority", 0);
}

static void add_row(struct call *c, struct doc *rows, const struct object *o)
{
    struct arena *a = c->arena;
    struct doc *row = doc_append(rows, doc_object(a));
    struct doc *cells = doc_need_array(a, row, "cells");
    doc_append(cells, doc_str(a, o->name));
    for (const struct column *k = COLUMNS; k < COLUMNS + COLUMNS_N; k++) {
        if (k->kind != c->kind->id)
            continue;
        const char *text =
            k->text != NULL ? k->text(a, o->root) : arena_dup(a, field_value(o->root, str_from(k->path)));
        doc_append(cells, doc_text(a, text));
    }
    doc_append(cells, doc_text(a, age(c, o)));
    struct doc *partial = doc_need_object(a, row, "object");
    doc_set_text(a, partial, "kind", "PartialObjectMetadata");
    doc_set_text(a, partial, "apiVersion", "meta.k8s.io/v1");
    doc_set(a, partial, "metadata", doc_copy(a, object_meta(o)));
    doc_remove(doc_edit(partial, "metadata"), "managedFields");
}

void table_answer(struct call *c, const struct object *const *set, size_t n, const struct doc *meta)
{
    struct arena *a = c->arena;
    struct doc *table = doc_object(a);
    doc_set_text(a, table, "kind", "Table");
    doc_set_text(a, table, "apiVersion", "meta.k8s.io/v1");
    doc_set(a, table, "metadata", meta == NULL ? doc_object(a) : doc_copy(a, meta));
    struct doc *definitions = doc_need_array(a, table, "columnDefinitions");
    add_definition(a, definitions, "Name", "name");
    for (const struct column *k = COLUMNS; k < COLUMNS + COLUMNS_N; k++)
        if (k->kind == c->kind->id)
            add_definition(a, definitions, k->name, "");
    add_definition(a, definitions, "Age", "");
    struct doc *rows = doc_need_array(a, table, "rows");
    for (size_t i = 0; i < n; i++)
        add_row(c, rows, set[i]);
    call_answer_doc(c, 200, table);
}
