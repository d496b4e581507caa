// SPDX-License-Identifier: MIT
/* What a pod asks for beyond running: faults and delays for tests, Secrets and ConfigMaps for its environment. */
#include "core/base/codec.h"
#include "devcluster/base/names.h"
#include "devcluster/control/pod_private.h"

static const struct doc *containers_of(const struct object *pod)
{
    return doc_at(pod->root, "spec", "containers", NULL);
}

/* "fail-times" is the environment variable KWOK_FAIL_TIMES. */
static const char *env_name(struct arena *a, const char *knob)
{
    char *name = arena_printf(a, "KWOK_%s", knob);
    for (char *p = name; *p != '\0'; p++)
        *p = (char)(*p == '-' ? '_' : *p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
    return name;
}

static const struct object *find_secret(struct control *control, const struct object *pod, struct str name)
{
    const struct entry *e = store_find(control->store, kind_get(KIND_SECRET), pod->ns, name);
    return e == NULL ? NULL : e->now;
}

static struct str knob_of_env(struct control *control, struct arena *a, const struct object *pod, const char *env)
{
    const struct doc *containers = containers_of(pod);
    for (const struct doc *c = containers == NULL ? NULL : containers->first; c != NULL; c = c->next) {
        const struct doc *list = doc_find(c, "env");
        for (const struct doc *e = list == NULL ? NULL : list->first; e != NULL; e = e->next)
            if (str_eq_text(doc_get(e, "name"), env))
                return doc_get(e, "value");
        const struct doc *from = doc_find(c, "envFrom");
        for (const struct doc *f = from == NULL ? NULL : from->first; f != NULL; f = f->next) {
            struct str secret = doc_as_str(doc_at(f, "secretRef", "name", NULL));
            const struct object *o = secret.n == 0 ? NULL : find_secret(control, pod, secret);
            struct str value;
            if (o != NULL && codec_base64_decode(a, doc_as_str(doc_at(o->root, "data", env, NULL)), &value, NULL) &&
                value.n > 0)
                return value;
        }
    }
    return STR_NONE;
}

static struct str knob_of(struct control *control, struct arena *a, const struct object *pod, const char *name)
{
    const char *key = arena_printf(a, "kwok.test/%s", name);
    struct str value = doc_get(doc_find(object_meta(pod), "annotations"), key);
    if (str_is_none(value))
        value = doc_get(object_labels(pod), key);
    return str_is_none(value) ? knob_of_env(control, a, pod, env_name(a, name)) : value;
}

/* begin: how the name of a pod that has this fate begins. */
static const struct {
    enum fate fate;
    const char *name;
    const char *begin;
} fates[] = {
    {FATE_IMAGE_PULL,    "ImagePullBackOff",           "podpull-"   },
    {FATE_INVALID_IMAGE, "InvalidImageName",           "podname-"   },
    {FATE_CRASH,         "CrashLoopBackOff",           "podcrash-"  },
    {FATE_OOM,           "OOMKilled",                  "podoom-"    },
    {FATE_CONFIG,        "CreateContainerConfigError", "podconfig-" },
    {FATE_NOT_READY,     "NotReady",                   "podunready-"},
    {FATE_EVICTED,       "Evicted",                    "podevicted-"},
    {FATE_NEVER_STARTS,  "NeverStarts",                "podnever-"  },
};

static bool has_no_such_image(const struct object *pod)
{
    const struct doc *containers = containers_of(pod);
    for (const struct doc *c = containers == NULL ? NULL : containers->first; c != NULL; c = c->next)
        if (str_find_str(doc_get(c, "image"), STR("nosuch")) < doc_get(c, "image").n)
            return true;
    return false;
}

enum fate pod_fate(struct control *control, const struct object *pod)
{
    struct arena *a = arena_new();
    struct str asked = knob_of(control, a, pod, "fail");
    enum fate fate = FATE_NONE;
    for (size_t i = 0; i < sizeof fates / sizeof *fates && fate == FATE_NONE; i++)
        fate = str_eq_text(asked, fates[i].name) ? fates[i].fate : FATE_NONE;
    arena_free(a);
    if (fate == FATE_NONE && has_no_such_image(pod))
        fate = FATE_IMAGE_PULL;
    for (size_t i = 0; i < sizeof fates / sizeof *fates && fate == FATE_NONE; i++)
        fate = str_starts(pod->name, str_from(fates[i].begin)) ? fates[i].fate : FATE_NONE;
    return fate;
}

int64_t pod_fail_times(struct control *control, const struct object *pod)
{
    struct arena *a = arena_new();
    uint64_t times = 1000000;
    if (!str_parse_u64(knob_of(control, a, pod, "fail-times"), 1000000, &times))
        times = 1000000;
    arena_free(a);
    return (int64_t)times;
}

ms_t pod_delay(struct control *control, const struct object *pod, const char *knob, ms_t otherwise)
{
    struct arena *a = arena_new();
    int64_t ms = otherwise;
    if (!duration_parse_ms(knob_of(control, a, pod, knob), &ms))
        ms = otherwise;
    arena_free(a);
    return ms;
}

bool pod_has_probe(const struct object *pod)
{
    const struct doc *containers = containers_of(pod);
    for (const struct doc *c = containers == NULL ? NULL : containers->first; c != NULL; c = c->next)
        if (doc_find(c, "readinessProbe") != NULL || doc_find(c, "startupProbe") != NULL)
            return true;
    return false;
}

/* ---- configuration ---- */

static bool is_optional(const struct doc *reference)
{
    return doc_as_bool(doc_find(reference, "optional"), false);
}

/* reference: {name, key?, optional?} of a Secret or ConfigMap. */
static const char *check_reference(struct control *control, struct arena *a, const struct object *pod,
                                   const struct kind *kind, const struct doc *reference)
{
    if (reference == NULL || is_optional(reference))
        return NULL;
    struct str name = doc_get(reference, "name");
    struct str key = doc_get(reference, "key");
    const struct entry *e = store_find(control->store, kind, pod->ns, name);
    if (e == NULL)
        return arena_printf(a, "%s \"%.*s\" not found", kind->singular, STR_ARG(name));
    if (key.n > 0 && doc_find_str(doc_find(e->now->root, "data"), key) == NULL)
        return arena_printf(a, "couldn't find key %.*s in %s %.*s/%.*s", STR_ARG(key), kind->name, STR_ARG(pod->ns),
                            STR_ARG(name));
    return NULL;
}

static const char *check_container(struct control *control, struct arena *a, const struct object *pod,
                                   const struct doc *container)
{
    const struct kind *secret = kind_get(KIND_SECRET);
    const struct kind *map = kind_get(KIND_CONFIGMAP);
    const char *why = NULL;
    const struct doc *from = doc_find(container, "envFrom");
    for (const struct doc *f = from == NULL ? NULL : from->first; f != NULL && why == NULL; f = f->next) {
        why = check_reference(control, a, pod, secret, doc_find(f, "secretRef"));
        if (why == NULL)
            why = check_reference(control, a, pod, map, doc_find(f, "configMapRef"));
    }
    const struct doc *env = doc_find(container, "env");
    for (const struct doc *e = env == NULL ? NULL : env->first; e != NULL && why == NULL; e = e->next) {
        why = check_reference(control, a, pod, secret, doc_at(e, "valueFrom", "secretKeyRef", NULL));
        if (why == NULL)
            why = check_reference(control, a, pod, map, doc_at(e, "valueFrom", "configMapKeyRef", NULL));
    }
    return why;
}

const char *pod_missing_config(struct control *control, struct arena *a, const struct object *pod)
{
    const char *why = NULL;
    const struct doc *containers = containers_of(pod);
    for (const struct doc *c = containers == NULL ? NULL : containers->first; c != NULL && why == NULL; c = c->next)
        why = check_container(control, a, pod, c);
    return why;
}
