// SPDX-License-Identifier: MIT
/* A list in pages, and GET then DELETE with the uid and the version that were read. KubeBlocks' Clusters are listed in
 * the newest version that is served: any shows all of them. */
#include "k8s/survey.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/codec.h"
#include "core/base/json_write.h"
#include "core/base/wall.h"
#include "core/base/xmem.h"
#include "k8s/facts.h"
#include "k8s/kubeblocks.h"

enum {
    PAGE_N = 500,
    PAGES_MAX = 400, /* 200,000 objects of a kind: more is no list, but a server that does not end */
    PATH_CEILING_BYTES = 8192,
    CONTINUE_CEILING_BYTES = 4096,
    DELETE_CEILING_BYTES = 1024,
};

#define SELECTOR "labelSelector=project.fullstackagent.io%2Fid&limit="

static enum kube_kind kube_kind_of(enum survey_kind kind)
{
    static const enum kube_kind kinds[SURVEY_N] = {
        [SURVEY_DATABASE] = KIND_CLUSTER,
        [SURVEY_DEPLOYMENT] = KIND_DEPLOYMENT,
        [SURVEY_STATEFULSET] = KIND_STATEFULSET,
        [SURVEY_SERVICE] = KIND_SERVICE,
        [SURVEY_INGRESS] = KIND_INGRESS,
        [SURVEY_HTTPROUTE] = KIND_HTTPROUTE,
        [SURVEY_CLAIM] = KIND_CLAIM,
        [SURVEY_SERVICE_ACCOUNT] = KIND_SERVICE_ACCOUNT,
        [SURVEY_ROLE] = KIND_ROLE,
        [SURVEY_ROLE_BINDING] = KIND_ROLE_BINDING,
    };
    return kinds[kind];
}

/* The manager that our manifests name: of a database's rights the original's, of a claim (which a StatefulSet makes)
 * none. */
static bool is_managed(enum survey_kind kind, struct str manager)
{
    if (kind == SURVEY_CLAIM)
        return str_is_none(manager) || str_eq_text(manager, "fullstackd");
    return str_eq_text(manager, kind >= SURVEY_SERVICE_ACCOUNT ? "kbcli" : "fullstackd");
}

/* Texts are borrowed from the item. */
static void survey_read(enum survey_kind kind, const struct json_value *item, struct surveyed *ret)
{
    const struct json_value *metadata = json_find(item, "metadata");
    struct object_head head;
    facts_head(kube_kind_of(kind), item, &head);
    *ret = (struct surveyed){
        .kind = kind,
        .name = head.name,
        .project_id = head.project_id,
        .uid = head.uid,
        .version = head.version_text,
        .is_deleting = head.is_deleting,
        .is_managed = is_managed(kind, json_str(json_at(metadata, "labels", LABEL_MANAGED_BY, NULL))),
    };
    ret->base = object_base(kube_kind_of(kind), head.name, &ret->is_of_database);
    if (!wall_parse(json_str(json_find(metadata, "creationTimestamp")), &ret->made_ms))
        ret->made_ms = -1;
}

/* ---- the list ---- */

struct survey {
    struct op op;
    struct survey_of of;
    enum survey_kind kind;
    ms_t until_ms;
    size_t version; /* of KubeBlocks: which one is asked */
    unsigned pages_n;
    char *next_page; /* continue token, percent-encoded; NULL: the first page */
    struct op *call;
    struct json_stream *stream;
    struct loop_task fail; /* a stream is not freed from within its own callback */
    struct err failure;
    survey_on_object *on_object;
    op_done *done;
    void *arg;
};

static void free_survey(void *p)
{
    struct survey *s = p;
    json_stream_free(s->stream);
    free(s->next_page);
    free(s);
}

static void survey_spend(struct survey *s)
{
    op_cancel(s->call);
    s->call = NULL;
    loop_task_clear(&s->fail);
    loop_defer_free(kube_loop(s->of.kube), s, free_survey);
}

static void survey_cancel(struct op *op)
{
    survey_spend((struct survey *)op);
}

static void survey_end(struct survey *s, const struct err *err)
{
    survey_spend(s);
    s->done(s->arg, err);
}

static void ask_page(struct survey *s);

static bool on_item(void *arg, const struct json_value *item, struct err *reterr)
{
    struct survey *s = arg;
    struct surveyed object;
    (void)reterr;
    survey_read(s->kind, item, &object);
    s->on_object(s->arg, &object);
    return true;
}

static void on_fail(void *arg)
{
    struct survey *s = arg;
    survey_end(s, &s->failure);
}

static void on_bytes(void *arg, struct str bytes)
{
    struct survey *s = arg;
    if (s->failure.kind != ERR_NONE || json_stream_feed(s->stream, bytes, &s->failure))
        return;
    op_cancel(s->call);
    s->call = NULL;
    loop_defer(&s->fail);
}

/* Is there another page? */
static bool read_next(struct survey *s, const struct json_value *list, bool *ret_more, struct err *reterr)
{
    struct str next = json_str(json_at(list, "metadata", "continue", NULL));
    struct buf encoded;
    free(s->next_page);
    s->next_page = NULL;
    *ret_more = next.n > 0;
    if (!*ret_more)
        return true;
    buf_init(&encoded, CONTINUE_CEILING_BYTES);
    codec_percent_encode(&encoded, next);
    s->next_page = encoded.is_over ? NULL : buf_take(&encoded, NULL);
    buf_fini(&encoded);
    if (s->next_page == NULL || ++s->pages_n >= PAGES_MAX)
        return err_set(reterr, ERR_UPSTREAM, __func__, "the list of %s does not end", survey_kind_text(s->kind));
    return true;
}

static void on_page(void *arg, const struct err *err)
{
    struct survey *s = arg;
    const struct json_value *list = NULL;
    struct err mine = {0};
    bool has_more = false;
    s->call = NULL;
    err_copy(&mine, err);
    if (err != NULL && err->kind == ERR_DENIED)
        account_doubt(s->of.account);
    if (err != NULL && err->kind == ERR_MISSING) {
        if (s->kind == SURVEY_DATABASE && kubeblocks_likely(kubeblocks_newest(), ++s->version) != NULL)
            ask_page(s);
        else
            survey_end(s, err);
    } else if (err != NULL || !json_stream_finish(s->stream, &list, &mine) || !read_next(s, list, &has_more, &mine)) {
        survey_end(s, &mine);
    } else if (has_more) {
        ask_page(s);
    } else {
        survey_end(s, NULL);
    }
}

static void ask_page(struct survey *s)
{
    enum kube_kind kind = kube_kind_of(s->kind);
    bool is_cluster = kind == KIND_CLUSTER;
    ms_t left_ms = s->until_ms - loop_now_ms(kube_loop(s->of.kube));
    struct kube_stream req = {NULL, left_ms > 0 ? left_ms : 1, left_ms > 0 ? left_ms : 1, on_bytes, on_page, s};
    struct buf path;
    json_stream_free(s->stream);
    s->stream = json_stream_new("items", &JSON_LIMITS_KUBE, on_item, s);
    buf_init(&path, PATH_CEILING_BYTES);
    kube_path_add(&path, kind, is_cluster ? kubeblocks_likely(kubeblocks_newest(), s->version)->version : NULL,
                  s->of.namespace_name, NULL);
    buf_add_text(&path, "?" SELECTOR);
    buf_addf(&path, "%d", PAGE_N);
    if (s->next_page != NULL)
        buf_addf(&path, "&continue=%s", s->next_page);
    req.path = buf_text(&path);
    s->call = kube_stream(s->of.kube, &req);
    buf_fini(&path);
}

static struct op *list(void *self, enum survey_kind kind, ms_t timeout_ms, survey_on_object *on_object, op_done *done,
                       void *arg)
{
    const struct survey_of *of = self;
    struct survey *s = xcalloc(1, sizeof *s);
    s->op.cancel = survey_cancel;
    s->of = *of;
    s->kind = kind;
    s->until_ms = loop_now_ms(kube_loop(of->kube)) + timeout_ms;
    s->on_object = on_object;
    s->done = done;
    s->arg = arg;
    loop_task_init(&s->fail, kube_loop(of->kube), on_fail, s);
    ask_page(s);
    return &s->op;
}

/* ---- the removal ---- */

struct removal {
    struct op op;
    struct survey_of of;
    enum survey_kind kind;
    ms_t until_ms;
    char name[OBJECT_NAME_SIZE];
    char uid[40];
    char project_id[ID_SIZE];
    struct op *call;
    struct loop_task fail;
    struct err failure;
    op_done *done;
    void *arg;
};

static void free_removal(void *p)
{
    free(p);
}

static void removal_spend(struct removal *r)
{
    op_cancel(r->call);
    r->call = NULL;
    loop_task_clear(&r->fail);
    loop_defer_free(kube_loop(r->of.kube), r, free_removal);
}

static void removal_cancel(struct op *op)
{
    removal_spend((struct removal *)op);
}

static void removal_end(struct removal *r, const struct err *err)
{
    removal_spend(r);
    r->done(r->arg, err);
}

static void on_removal_failed(void *arg)
{
    struct removal *r = arg;
    removal_end(r, &r->failure);
}

static void removal_call(struct removal *r, const char *method, struct str body, kube_on_answer *on_answer)
{
    ms_t left_ms = r->until_ms - loop_now_ms(kube_loop(r->of.kube));
    struct kube_request req = {method, NULL, NULL, body, left_ms > 0 ? left_ms : 1, on_answer, r};
    struct buf path;
    buf_init(&path, KUBE_PATH_SIZE);
    kube_path_add(&path, kube_kind_of(r->kind), NULL, r->of.namespace_name, r->name);
    req.path = buf_text(&path);
    r->call = kube_call(r->of.kube, &req);
    buf_fini(&path);
}

static void on_deleted(void *arg, const struct json_value *object, const struct err *err)
{
    struct removal *r = arg;
    (void)object;
    r->call = NULL;
    removal_end(r, err != NULL && err->kind != ERR_MISSING ? err : NULL);
}

static bool write_preconditions(struct json_writer *w, const struct removal *r, struct str version, struct str *ret,
                                struct err *reterr)
{
    jw_object(w);
    jw_kv_text(w, "kind", "DeleteOptions");
    jw_kv_text(w, "apiVersion", "v1");
    jw_kv_text(w, "propagationPolicy", "Background");
    jw_key(w, "preconditions");
    jw_object(w);
    jw_kv_text(w, "uid", r->uid);
    jw_kv_str(w, "resourceVersion", version);
    jw_object_end(w);
    jw_object_end(w);
    return jw_finish(w, ret, reterr);
}

static void on_read(void *arg, const struct json_value *object, const struct err *err)
{
    struct removal *r = arg;
    struct surveyed now;
    r->call = NULL;
    if (err != NULL) {
        removal_end(r, err->kind != ERR_MISSING ? err : NULL);
        return;
    }
    survey_read(r->kind, object, &now);
    bool is_same = str_eq_text(now.uid, r->uid);
    bool is_ours = now.is_managed && str_eq_text(now.project_id, r->project_id);
    if (!is_same || now.is_deleting) {
        removal_end(r, NULL);
        return;
    }
    if (!is_ours) {
        err_set(&r->failure, ERR_CONFLICT, __func__, "its labels were changed, it is not ours any more");
        removal_end(r, &r->failure);
        return;
    }
    struct json_writer *w = jw_new(DELETE_CEILING_BYTES);
    struct str body;
    if (write_preconditions(w, r, now.version, &body, &r->failure))
        removal_call(r, "DELETE", body, on_deleted);
    else
        loop_defer(&r->fail);
    jw_free(w);
}

static struct op *remove_object(void *self, const struct surveyed *object, ms_t timeout_ms, op_done *done, void *arg)
{
    const struct survey_of *of = self;
    struct removal *r = xcalloc(1, sizeof *r);
    r->op.cancel = removal_cancel;
    r->of = *of;
    r->kind = object->kind;
    r->until_ms = loop_now_ms(kube_loop(of->kube)) + timeout_ms;
    r->done = done;
    r->arg = arg;
    loop_task_init(&r->fail, kube_loop(of->kube), on_removal_failed, r);
    bool is_good = object->name.n > 0 && object->uid.n > 0 && object->project_id.n > 0 &&
                   !survey_kind_is_data(object->kind) && str_copy(object->name, r->name, sizeof r->name) &&
                   str_copy(object->uid, r->uid, sizeof r->uid) &&
                   str_copy(object->project_id, r->project_id, sizeof r->project_id);
    if (is_good) {
        removal_call(r, "GET", STR_NONE, on_read);
    } else {
        err_set(&r->failure, ERR_BUG, __func__, "it cannot be named exactly, or holds data");
        loop_defer(&r->fail);
    }
    return &r->op;
}

/* ---- the port ---- */

static bool is_used(void *self, enum survey_kind kind)
{
    const struct survey_of *of = self;
    const struct sandbox_kinds kinds = k8s_profile_kinds(of->profile);
    return kube_is_used(kube_kind_row(kube_kind_of(kind))->use, &kinds);
}

static const char *namespace_name(void *self)
{
    const struct survey_of *of = self;
    return of->namespace_name;
}

struct port_survey survey_port(struct survey_of *of)
{
    return (struct port_survey){of, list, is_used, namespace_name, remove_object};
}
