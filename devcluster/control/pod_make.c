// SPDX-License-Identifier: MIT
/* What the controllers of pods have in common: pods made from a template, and whether one counts. */
#include "core/base/codec.h"
#include "devcluster/control/control_private.h"
#include "devcluster/objects/quota.h"

const char *template_hash(struct arena *a, const struct object *owner)
{
    static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
    uint8_t digest[CODEC_SHA256_BYTES];
    char text[11];
    codec_sha256(doc_json(a, doc_at(owner->root, "spec", "template", NULL)), digest);
    for (size_t i = 0; i < 10; i++)
        text[i] = alphabet[digest[i] % (sizeof(alphabet) - 1)];
    text[10] = '\0';
    return arena_dup(a, str_from(text));
}

bool pod_is_over(const struct object *pod)
{
    struct str phase = doc_as_str(doc_at(pod->root, "status", "phase", NULL));
    return str_eq_text(phase, "Failed") || str_eq_text(phase, "Succeeded");
}

bool pod_is_ready(const struct object *pod)
{
    struct doc *conditions = (struct doc *)doc_at(pod->root, "status", "conditions", NULL);
    return str_eq_text(doc_get(condition_find(conditions, "Ready"), "status"), "True");
}

struct doc *pod_of_template(struct arena *a, const struct object *owner, const char *name)
{
    const struct doc *template = doc_at(owner->root, "spec", "template", NULL);
    struct doc *root = doc_object(a);
    doc_set_text(a, root, "kind", "Pod");
    doc_set_text(a, root, "apiVersion", "v1");
    struct doc *meta = doc_set(a, root, "metadata", doc_copy(a, doc_find(template, "metadata")));
    doc_set_text(a, meta, "name", name);
    doc_set_text(a, meta, "generateName", arena_printf(a, "%.*s-", STR_ARG(owner->name)));
    doc_set_str(a, meta, "namespace", owner->ns);
    owner_add(a, root, owner);
    doc_set(a, root, "spec", doc_copy(a, doc_find(template, "spec")));
    return root;
}

const char *pod_refusal(struct control *control, struct arena *a, const struct doc *root)
{
    struct str ns = doc_as_str(doc_at(root, "metadata", "namespace", NULL));
    struct str account = doc_as_str(doc_at(root, "spec", "serviceAccountName", NULL));
    struct str name = doc_as_str(doc_at(root, "metadata", "name", NULL));
    const char *why = NULL;
    if (!str_eq_text(account, "default") &&
        store_find(control->store, kind_get(KIND_SERVICEACCOUNT), ns, account) == NULL)
        why = arena_printf(a, "error looking up service account %.*s/%.*s: serviceaccount \"%.*s\" not found",
                           STR_ARG(ns), STR_ARG(account), STR_ARG(account));
    if (why == NULL)
        why = quota_refusal(control->store, a, kind_get(KIND_POD), root);
    return why == NULL ? NULL : arena_printf(a, "pods \"%.*s\" is forbidden: %s", STR_ARG(name), why);
}
