// SPDX-License-Identifier: MIT
/* Defaults, kind by kind. */
#include "devcluster/objects/defaults.h"

#include "core/base/buf.h"
#include "core/base/codec.h"

enum { SECRET_CEILING_BYTES = 4 << 20 };

static void need_text(struct arena *a, struct doc *object, const char *key, const char *value)
{
    if (doc_find(object, key) == NULL)
        doc_set_text(a, object, key, value);
}

static void need_int(struct arena *a, struct doc *object, const char *key, int64_t value)
{
    if (doc_find(object, key) == NULL)
        doc_set_int(a, object, key, value);
}

/* Go leaves empty slices and maps out of what it prints. */
static void drop_empty(struct doc *object, const char *key)
{
    const struct doc *there = doc_find(object, key);
    if (there != NULL && there->first == NULL && (there->type == JSON_ARRAY || there->type == JSON_OBJECT))
        doc_remove(object, key);
}

static void fill_probe(struct arena *a, struct doc *container, const char *key)
{
    struct doc *probe = doc_edit(container, key);
    if (doc_type(probe) != JSON_OBJECT)
        return;
    need_int(a, probe, "timeoutSeconds", 1);
    need_int(a, probe, "periodSeconds", 10);
    need_int(a, probe, "successThreshold", 1);
    need_int(a, probe, "failureThreshold", 3);
    struct doc *get = doc_edit(probe, "httpGet");
    if (doc_type(get) == JSON_OBJECT) {
        need_text(a, get, "path", "/");
        need_text(a, get, "scheme", "HTTP");
    }
}

/* Limits without requests are requests too. */
static void fill_requests(struct arena *a, struct doc *resources)
{
    const struct doc *limits = doc_find(resources, "limits");
    if (limits == NULL || limits->first == NULL)
        return;
    struct doc *requests = doc_need_object(a, resources, "requests");
    for (const struct doc *c = limits->first; c != NULL; c = c->next)
        if (doc_find_str(requests, c->key) == NULL)
            doc_set_str_key(a, requests, c->key, doc_copy(a, c));
}

static const char *pull_policy(struct str image)
{
    size_t tag = image.n;
    while (tag > 0 && image.p[tag - 1] != ':' && image.p[tag - 1] != '/')
        tag--;
    bool has_tag = tag > 0 && image.p[tag - 1] == ':';
    bool has_digest = str_find(image, '@', 0) < image.n;
    if (has_digest || (has_tag && !str_eq_text(str_slice(image, tag, image.n), "latest")))
        return "IfNotPresent";
    return "Always";
}

static void fill_container(struct arena *a, struct doc *container)
{
    struct doc *ports = doc_edit(container, "ports");
    for (struct doc *p = ports == NULL ? NULL : ports->first; p != NULL; p = p->next)
        need_text(a, p, "protocol", "TCP");
    static const char *const lists[] = {"ports", "env", "envFrom", "volumeMounts", "command", "args"};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        drop_empty(container, lists[i]);
    fill_requests(a, doc_need_object(a, container, "resources"));
    need_text(a, container, "terminationMessagePath", "/dev/termination-log");
    need_text(a, container, "terminationMessagePolicy", "File");
    need_text(a, container, "imagePullPolicy", pull_policy(doc_get(container, "image")));
    fill_probe(a, container, "livenessProbe");
    fill_probe(a, container, "readinessProbe");
    fill_probe(a, container, "startupProbe");
}

static void fill_pod_spec(struct arena *a, struct doc *spec)
{
    static const char *const lists[] = {"containers", "initContainers"};
    for (size_t i = 0; i < 2; i++) {
        struct doc *all = doc_edit(spec, lists[i]);
        for (struct doc *c = doc_type(all) == JSON_ARRAY ? all->first : NULL; c != NULL; c = c->next)
            if (c->type == JSON_OBJECT)
                fill_container(a, c);
    }
    drop_empty(spec, "volumes");
    drop_empty(spec, "initContainers");
    drop_empty(spec, "imagePullSecrets");
    drop_empty(spec, "tolerations");
    need_text(a, spec, "restartPolicy", "Always");
    need_int(a, spec, "terminationGracePeriodSeconds", 30);
    need_text(a, spec, "dnsPolicy", "ClusterFirst");
    if (doc_find(spec, "serviceAccountName") != NULL)
        doc_set_str(a, spec, "serviceAccount", doc_get(spec, "serviceAccountName"));
    doc_need_object(a, spec, "securityContext");
    need_text(a, spec, "schedulerName", "default-scheduler");
}

static void add_toleration(struct arena *a, struct doc *all, const char *key)
{
    struct doc *t = doc_append(all, doc_object(a));
    doc_set_text(a, t, "key", key);
    doc_set_text(a, t, "operator", "Exists");
    doc_set_text(a, t, "effect", "NoExecute");
    doc_set_int(a, t, "tolerationSeconds", 300);
}

static const char *qos_class(const struct doc *spec)
{
    const struct doc *containers = doc_find(spec, "containers");
    bool has_any = false;
    bool is_guaranteed = true;
    for (const struct doc *c = containers == NULL ? NULL : containers->first; c != NULL; c = c->next) {
        const struct doc *limits = doc_at(c, "resources", "limits", NULL);
        const struct doc *requests = doc_at(c, "resources", "requests", NULL);
        has_any = has_any || doc_count(limits) > 0 || doc_count(requests) > 0;
        if (doc_find(limits, "cpu") == NULL || doc_find(limits, "memory") == NULL || !doc_equal(limits, requests))
            is_guaranteed = false;
    }
    if (!has_any)
        return "BestEffort";
    return is_guaranteed ? "Guaranteed" : "Burstable";
}

void defaults_pod(struct arena *a, struct doc *root)
{
    struct doc *spec = doc_need_object(a, root, "spec");
    fill_pod_spec(a, spec);
    need_text(a, spec, "serviceAccountName", "default");
    need_text(a, spec, "serviceAccount", "default");
    struct doc *tolerations = doc_need_array(a, spec, "tolerations");
    if (tolerations->first == NULL) {
        add_toleration(a, tolerations, "node.kubernetes.io/not-ready");
        add_toleration(a, tolerations, "node.kubernetes.io/unreachable");
    }
    need_int(a, spec, "priority", 0);
    if (doc_find(spec, "enableServiceLinks") == NULL)
        doc_set_bool(a, spec, "enableServiceLinks", true);
    need_text(a, spec, "preemptionPolicy", "PreemptLowerPriority");
    struct doc *status = doc_need_object(a, root, "status");
    need_text(a, status, "phase", "Pending");
    need_text(a, status, "qosClass", qos_class(spec));
}

void defaults_namespace(struct arena *a, struct doc *root)
{
    struct doc *labels = doc_need_object(a, doc_need_object(a, root, "metadata"), "labels");
    doc_set_str(a, labels, "kubernetes.io/metadata.name", doc_as_str(doc_at(root, "metadata", "name", NULL)));
    struct doc *finalizers = doc_need_array(a, doc_need_object(a, root, "spec"), "finalizers");
    if (finalizers->first == NULL)
        doc_append(finalizers, doc_text(a, "kubernetes"));
    need_text(a, doc_need_object(a, root, "status"), "phase", "Active");
}

void defaults_service(struct arena *a, struct doc *root)
{
    struct doc *spec = doc_need_object(a, root, "spec");
    struct doc *ports = doc_edit(spec, "ports");
    for (struct doc *p = doc_type(ports) == JSON_ARRAY ? ports->first : NULL; p != NULL; p = p->next) {
        need_text(a, p, "protocol", "TCP");
        if (doc_find(p, "targetPort") == NULL)
            doc_set(a, p, "targetPort", doc_copy(a, doc_find(p, "port")));
    }
    need_text(a, spec, "type", "ClusterIP");
    need_text(a, spec, "sessionAffinity", "None");
    struct doc *families = doc_need_array(a, spec, "ipFamilies");
    if (families->first == NULL)
        doc_append(families, doc_text(a, "IPv4"));
    need_text(a, spec, "ipFamilyPolicy", "SingleStack");
    need_text(a, spec, "internalTrafficPolicy", "Cluster");
    doc_need_object(a, doc_need_object(a, root, "status"), "loadBalancer");
}

void defaults_secret(struct arena *a, struct doc *root)
{
    const struct doc *plain = doc_find(root, "stringData");
    if (doc_type(plain) == JSON_OBJECT) {
        struct doc *data = doc_need_object(a, root, "data");
        for (const struct doc *c = plain->first; c != NULL; c = c->next) {
            struct buf text;
            buf_init(&text, SECRET_CEILING_BYTES);
            codec_base64(&text, doc_as_str(c));
            doc_set_str_key(a, data, c->key, doc_str(a, buf_str(&text)));
            buf_fini(&text);
        }
        doc_sort(a, data, false);
    }
    doc_remove(root, "stringData");
    need_text(a, root, "type", "Opaque");
}

void defaults_pvc(struct arena *a, struct doc *root)
{
    need_text(a, doc_need_object(a, root, "spec"), "volumeMode", "Filesystem");
    need_text(a, doc_need_object(a, root, "status"), "phase", "Pending");
}

static void fill_template(struct arena *a, struct doc *spec)
{
    struct doc *template = doc_edit(spec, "template");
    if (doc_type(template) != JSON_OBJECT)
        return;
    doc_need_object(a, template, "metadata");
    drop_empty(doc_edit(template, "metadata"), "annotations");
    struct doc *pod = doc_edit(template, "spec");
    if (doc_type(pod) == JSON_OBJECT)
        fill_pod_spec(a, pod);
}

static void fill_strategy(struct arena *a, struct doc *spec)
{
    struct doc *strategy = doc_need_object(a, spec, "strategy");
    need_text(a, strategy, "type", "RollingUpdate");
    if (!str_eq_text(doc_get(strategy, "type"), "RollingUpdate"))
        return;
    struct doc *rolling = doc_need_object(a, strategy, "rollingUpdate");
    need_text(a, rolling, "maxUnavailable", "25%");
    need_text(a, rolling, "maxSurge", "25%");
}

void defaults_deployment(struct arena *a, struct doc *root)
{
    struct doc *spec = doc_need_object(a, root, "spec");
    need_int(a, spec, "replicas", 1);
    fill_template(a, spec);
    fill_strategy(a, spec);
    need_int(a, spec, "revisionHistoryLimit", 10);
    need_int(a, spec, "progressDeadlineSeconds", 600);
    doc_need_object(a, root, "status");
}

void defaults_replicaset(struct arena *a, struct doc *root)
{
    struct doc *spec = doc_need_object(a, root, "spec");
    need_int(a, spec, "replicas", 1);
    fill_template(a, spec);
    need_int(a, doc_need_object(a, root, "status"), "replicas", 0);
}

void defaults_statefulset(struct arena *a, struct doc *root)
{
    struct doc *spec = doc_need_object(a, root, "spec");
    need_int(a, spec, "replicas", 1);
    fill_template(a, spec);
    need_text(a, spec, "podManagementPolicy", "OrderedReady");
    need_int(a, spec, "revisionHistoryLimit", 10);
    struct doc *strategy = doc_need_object(a, spec, "updateStrategy");
    need_text(a, strategy, "type", "RollingUpdate");
    if (str_eq_text(doc_get(strategy, "type"), "RollingUpdate")) {
        need_int(a, doc_need_object(a, strategy, "rollingUpdate"), "partition", 0);
        need_int(a, doc_need_object(a, strategy, "rollingUpdate"), "maxUnavailable", 1);
    }
    struct doc *policy = doc_need_object(a, spec, "persistentVolumeClaimRetentionPolicy");
    need_text(a, policy, "whenDeleted", "Retain");
    need_text(a, policy, "whenScaled", "Retain");
    struct doc *claims = doc_edit(spec, "volumeClaimTemplates");
    for (struct doc *c = doc_type(claims) == JSON_ARRAY ? claims->first : NULL; c != NULL; c = c->next) {
        doc_set_text(a, c, "kind", "PersistentVolumeClaim");
        doc_set_text(a, c, "apiVersion", "v1");
        defaults_pvc(a, c);
    }
    struct doc *status = doc_need_object(a, root, "status");
    need_int(a, status, "replicas", 0);
    need_int(a, status, "availableReplicas", 0);
}

void defaults_gateway(struct arena *a, struct doc *root)
{
    struct doc *listeners = doc_edit(doc_need_object(a, root, "spec"), "listeners");
    for (struct doc *l = doc_type(listeners) == JSON_ARRAY ? listeners->first : NULL; l != NULL; l = l->next)
        need_text(a, doc_need_object(a, doc_need_object(a, l, "allowedRoutes"), "namespaces"), "from", "Same");
}

static void fill_route_rule(struct arena *a, struct doc *rule)
{
    struct doc *matches = doc_need_array(a, rule, "matches");
    if (matches->first == NULL)
        doc_append(matches, doc_object(a));
    for (struct doc *m = matches->first; m != NULL; m = m->next) {
        need_text(a, doc_need_object(a, m, "path"), "type", "PathPrefix");
        need_text(a, doc_need_object(a, m, "path"), "value", "/");
    }
    struct doc *backends = doc_edit(rule, "backendRefs");
    for (struct doc *b = doc_type(backends) == JSON_ARRAY ? backends->first : NULL; b != NULL; b = b->next) {
        need_text(a, b, "group", "");
        need_text(a, b, "kind", "Service");
        need_int(a, b, "weight", 1);
    }
}

void defaults_httproute(struct arena *a, struct doc *root)
{
    struct doc *spec = doc_need_object(a, root, "spec");
    struct doc *parents = doc_edit(spec, "parentRefs");
    for (struct doc *p = doc_type(parents) == JSON_ARRAY ? parents->first : NULL; p != NULL; p = p->next) {
        need_text(a, p, "group", "gateway.networking.k8s.io");
        need_text(a, p, "kind", "Gateway");
    }
    struct doc *rules = doc_need_array(a, spec, "rules");
    if (rules->first == NULL)
        doc_append(rules, doc_object(a));
    for (struct doc *r = rules->first; r != NULL; r = r->next)
        fill_route_rule(a, r);
}

void defaults_ingress(struct arena *a, struct doc *root)
{
    doc_need_object(a, doc_need_object(a, root, "status"), "loadBalancer");
}

static void fill_policy_ports(struct arena *a, struct doc *rules)
{
    for (struct doc *r = doc_type(rules) == JSON_ARRAY ? rules->first : NULL; r != NULL; r = r->next) {
        struct doc *ports = doc_edit(r, "ports");
        for (struct doc *p = doc_type(ports) == JSON_ARRAY ? ports->first : NULL; p != NULL; p = p->next)
            need_text(a, p, "protocol", "TCP");
    }
}

void defaults_networkpolicy(struct arena *a, struct doc *root)
{
    struct doc *spec = doc_need_object(a, root, "spec");
    doc_need_object(a, spec, "podSelector");
    fill_policy_ports(a, doc_edit(spec, "ingress"));
    fill_policy_ports(a, doc_edit(spec, "egress"));
    struct doc *types = doc_need_array(a, spec, "policyTypes");
    if (types->first == NULL) {
        doc_append(types, doc_text(a, "Ingress"));
        if (doc_count(doc_find(spec, "egress")) > 0)
            doc_append(types, doc_text(a, "Egress"));
    }
}

void defaults_rolebinding(struct arena *a, struct doc *root)
{
    struct doc *ref = doc_edit(root, "roleRef");
    if (doc_type(ref) == JSON_OBJECT)
        need_text(a, ref, "apiGroup", "rbac.authorization.k8s.io");
}

/* ---- KubeBlocks: the defaults of its CustomResourceDefinitions ---- */

static void fill_components(struct arena *a, struct doc *root, const char *update_policy)
{
    const struct doc *list = doc_find(doc_edit(root, "spec"), "componentSpecs");
    for (struct doc *c = doc_type(list) == JSON_ARRAY ? list->first : NULL; c != NULL; c = c->next) {
        if (c->type != JSON_OBJECT)
            continue;
        need_int(a, c, "replicas", 1);
        if (update_policy != NULL)
            need_text(a, c, "podUpdatePolicy", update_policy);
    }
}

void defaults_cluster_v1alpha1(struct arena *a, struct doc *root)
{
    fill_components(a, root, NULL);
}

void defaults_cluster_v1(struct arena *a, struct doc *root)
{
    fill_components(a, root, "PreferInPlace");
}
