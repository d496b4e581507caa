// SPDX-License-Identifier: MIT
/* The ladder of one apply:  CREATE -(exists)-> READ -(ours)-> PATCH,
 * of one remove:            READ -(ours)-> DELETE,
 * of one halt or resume:    READ -(ours)-> PATCH.
 * Each call is repeated from READ when the object changed in between; a few times, then the caller tries later.
 * A Cluster that was not kept as it was written is taken away again:  CREATE -(robbed)-> UNMAKE. */
#include "k8s/act.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/fit.h"
#include "core/base/xmem.h"
#include "k8s/account.h"
#include "k8s/discovery.h"
#include "k8s/facts.h"
#include "k8s/kubeblocks.h"
#include "k8s/manifest.h"
#include "k8s/status.h"

enum { MANIFEST_CEILING_BYTES = 2 << 20, CALLS_MAX = 8 };

enum act_at { ACT_CREATE, ACT_READ, ACT_PATCH, ACT_DELETE, ACT_UNMAKE, ACT_FAIL };
enum act_verb { ACT_APPLY, ACT_REMOVE, ACT_HALT, ACT_RESUME };

struct act {
    struct op op;
    struct kube *kube;
    struct cache *cache;
    const struct k8s_profile *profile;
    struct account *account;
    const struct kubeblocks_dialect *dialect;
    struct discovery *discovery;
    enum cluster_object object;
    const struct object_row *row;
    struct sandbox sb;
    struct secret env; /* JSON */
    char name[OBJECT_NAME_SIZE];
    char uid[40];       /* of the object as read */
    char version[24];   /* resourceVersion as read */
    char owner_uid[40]; /* of the workload; empty: none */
    enum act_verb verb;
    bool is_former;                /* of an attempt before the present one */
    const struct json_value *seen; /* as read, during that callback only */
    bool was_weighed;              /* our rights were read for it after a refusal */
    enum act_at at;
    int calls_n;
    ms_t timeout_ms; /* of each call */
    struct op *call;
    struct loop_task fail; /* for what ends before any call */
    struct err failure;
    op_done *done;
    void *arg;
};

static void act_next(struct act *a, enum act_at at);

static void act_free(void *arg)
{
    struct act *a = arg;
    secret_fini(&a->env);
    free(a);
}

static void act_spend(struct act *a)
{
    op_cancel(a->call);
    a->call = NULL;
    loop_task_clear(&a->fail);
    loop_defer_free(kube_loop(a->kube), a, act_free);
}

static void act_cancel(struct op *op)
{
    act_spend((struct act *)op);
}

/* ---- the dialect ---- */

/* KubeBlocks is not as it was discovered: the same act may succeed once it is known anew what is served. */
static void doubt_dialect(struct act *a)
{
    if (a->discovery != NULL)
        discovery_ask(a->discovery);
}

static bool is_version_gone(const struct act *a, const struct err *err)
{
    return a->row->kind == KIND_CLUSTER && err->kind == ERR_MISSING &&
           str_eq_text(str_from(err->reason), "NoSuchResource");
}

/* ---- results ---- */

/* What callers of the port know: a few kinds, of which the retryable ones heal by themselves. */
static void to_port_error(struct err *err, bool is_settled, bool is_doubted)
{
    bool is_foreign = str_eq_text(str_from(err->reason), "Foreign");
    if (err->kind == ERR_UNAUTHENTICATED || err->kind == ERR_GONE || (err->kind == ERR_CONFLICT && !is_foreign))
        err->kind = ERR_NOT_READY;
    else if (err->kind == ERR_MISSING && (is_doubted || str_eq_text(str_from(err->reason), "NotFound")))
        err->kind = ERR_NOT_READY; /* a RoleBinding whose Role the authorizer does not see yet */
    else if (err->kind == ERR_DENIED && str_eq_text(str_from(err->reason), "Forbidden") && !is_settled)
        err->kind = ERR_NOT_READY;
    else if (err->kind == ERR_MISSING || err->kind == ERR_TOO_LARGE)
        err->kind = ERR_INVALID;
}

static bool is_forbidden(const struct err *err)
{
    return err->kind == ERR_DENIED && str_eq_text(str_from(err->reason), "Forbidden");
}

static void act_end(struct act *a, const struct err *err)
{
    struct err copy = {0};
    if (err != NULL && is_forbidden(err) && a->account != NULL)
        account_doubt(a->account);
    if (err != NULL) {
        err_copy(&copy, err);
        to_port_error(&copy, kube_is_settled(a->kube), is_version_gone(a, err));
        (void)err_wrap(&copy, kube_kind_row(a->row->kind)->kind);
    }
    act_spend(a);
    a->done(a->arg, err != NULL ? &copy : NULL);
}

static void on_fail(void *arg)
{
    struct act *a = arg;
    act_end(a, a->failure.kind != ERR_NONE ? &a->failure : NULL);
}

/* What becomes of a former attempt's object says nothing of the present one. */
static void note(struct act *a, enum presence presence, const char *owner_uid)
{
    if (!a->is_former)
        cache_note(a->cache, a->object, &a->sb, presence, owner_uid);
}

static void end_present(struct act *a, const struct json_value *object)
{
    if (a->row->kind < KIND_CACHED_N)
        cache_merge(a->cache, a->row->kind, object);
    note(a, PRESENCE_PRESENT, a->owner_uid[0] != '\0' ? a->owner_uid : NULL);
    act_end(a, NULL);
}

static void end_gone(struct act *a)
{
    cache_note_deleting(a->cache, a->row->kind, a->name);
    note(a, PRESENCE_UNKNOWN, NULL);
    act_end(a, NULL);
}

static void end_foreign(struct act *a)
{
    struct err err = {0};
    note(a, PRESENCE_FOREIGN, NULL);
    if (a->verb != ACT_APPLY) {
        act_end(a, NULL);
        return;
    }
    err_set(&err, ERR_CONFLICT, __func__, "%s exists and is not of this project", a->name);
    text_fit(err.reason, sizeof err.reason, STR("Foreign"));
    act_end(a, &err);
}

static void end_being_deleted(struct act *a)
{
    struct err err = {0};
    if (a->verb == ACT_REMOVE) {
        end_gone(a);
        return;
    }
    err_set(&err, ERR_NOT_READY, __func__, "%s is being deleted", a->name);
    text_fit(err.reason, sizeof err.reason, STR("BeingDeleted"));
    act_end(a, &err);
}

/* ---- answers ---- */

static void on_read(struct act *a, const struct json_value *object)
{
    struct object_head head;
    a->seen = object;
    facts_head(a->row->kind, object, &head);
    if (!str_copy(head.uid, a->uid, sizeof a->uid) || !str_copy(head.version_text, a->version, sizeof a->version))
        a->uid[0] = '\0';
    if (!str_eq_text(head.project_id, a->sb.project_id))
        end_foreign(a);
    else if (head.is_deleting)
        end_being_deleted(a);
    else if (a->verb == ACT_REMOVE)
        act_next(a, ACT_DELETE);
    else if (a->verb == ACT_APPLY && a->row->is_create_only)
        end_present(a, object);
    else
        act_next(a, ACT_PATCH);
    a->seen = NULL;
}

/* An error that another call may get over: the object came, went or changed in between. */
static bool is_overtaken(struct act *a, const struct err *err, enum act_at *ret_next)
{
    struct str reason = str_from(err->reason);
    if (a->calls_n >= CALLS_MAX)
        return false;
    *ret_next = ACT_READ;
    if (a->at == ACT_CREATE)
        return str_eq_text(reason, "AlreadyExists");
    if (str_eq_text(reason, "Conflict") || str_eq_text(reason, "Precondition"))
        return a->at == ACT_DELETE || a->at == ACT_PATCH;
    *ret_next = ACT_CREATE;
    return a->verb == ACT_APPLY && str_eq_text(reason, "NotFound");
}

static bool write_body(struct act *a, enum act_at at, struct json_writer *w, struct str *ret, struct err *reterr);

/* Was the Cluster kept as we wrote it? If not a->failure says what is lost. */
static bool is_kept(struct act *a, const struct json_value *kept)
{
    struct arena *arena = arena_new();
    struct json_writer *w = jw_new(MANIFEST_CEILING_BYTES);
    struct str text = STR_NONE;
    char field[sizeof a->failure.field];
    bool is_lost = a->object == OBJECT_DATABASE && write_body(a, ACT_CREATE, w, &text, NULL) &&
                   kubeblocks_lost_field(json_parse(arena, text, &JSON_LIMITS_KUBE, NULL), kept, field, sizeof field);
    if (is_lost) {
        err_set(&a->failure, ERR_NOT_READY, __func__, "KubeBlocks did not keep %s: it serves another version", field);
        text_fit(a->failure.reason, sizeof a->failure.reason, STR("FieldLost"));
    }
    jw_free(w);
    arena_free(arena);
    return !is_lost;
}

static void on_created(struct act *a, const struct json_value *object)
{
    struct object_head head;
    if (is_kept(a, object)) {
        end_present(a, object);
        return;
    }
    doubt_dialect(a);
    facts_head(a->row->kind, object, &head);
    if (str_copy(head.uid, a->uid, sizeof a->uid))
        act_next(a, ACT_UNMAKE);
    else
        act_end(a, &a->failure);
}

/* ---- rights that are granted on ---- */

static void on_weighed(void *arg, const struct err *err)
{
    struct act *a = arg;
    (void)err; /* then it is tried with what was known */
    a->call = NULL;
    act_next(a, a->at);
}

/* The database's Role grants of its rights what we hold ourselves: that has to be known as it is at this moment. */
static void weigh(struct act *a, enum act_at next)
{
    a->at = next;
    a->was_weighed = true;
    a->call = account_ask(a->account, on_weighed, a);
}

static bool must_weigh(const struct act *a, const struct err *refusal)
{
    if (a->object != OBJECT_ROLE || a->account == NULL || a->verb != ACT_APPLY || a->was_weighed)
        return false;
    return refusal != NULL ? a->at != ACT_READ && is_forbidden(refusal) : account_lacks(a->account);
}

static void on_answer(void *arg, const struct json_value *object, const struct err *err)
{
    struct act *a = arg;
    enum act_at next;
    a->call = NULL;
    if (a->at == ACT_UNMAKE) {
        act_end(a, &a->failure);
    } else if (err != NULL && is_version_gone(a, err)) {
        doubt_dialect(a);
        act_end(a, err);
    } else if (err != NULL && a->verb == ACT_REMOVE && err->kind == ERR_MISSING) {
        end_gone(a);
    } else if (err != NULL && a->verb != ACT_APPLY && err->kind == ERR_MISSING) {
        act_end(a, NULL); /* what is not there does not run */
    } else if (err != NULL && is_overtaken(a, err, &next)) {
        act_next(a, next);
    } else if (err != NULL && must_weigh(a, err)) {
        weigh(a, a->at);
    } else if (err != NULL) {
        act_end(a, err);
    } else if (a->at == ACT_READ) {
        on_read(a, object);
    } else if (a->at == ACT_DELETE) {
        end_gone(a);
    } else if (a->at == ACT_CREATE) {
        on_created(a, object);
    } else {
        end_present(a, object);
    }
}

/* ---- calls ---- */

static void write_delete_options(struct json_writer *w, const struct act *a)
{
    jw_object(w);
    jw_kv_text(w, "kind", "DeleteOptions");
    jw_kv_text(w, "apiVersion", "v1");
    jw_kv_text(w, "propagationPolicy", "Background");
    jw_key(w, "preconditions");
    jw_object(w);
    jw_kv_text(w, "uid", a->uid);
    jw_object_end(w);
    jw_object_end(w);
}

static bool write_body(struct act *a, enum act_at at, struct json_writer *w, struct str *ret, struct err *reterr)
{
    const struct manifest m = {
        .sb = &a->sb,
        .profile = a->profile,
        .env = secret_reveal(&a->env),
        .dialect = a->object == OBJECT_DATABASE ? a->dialect : NULL,
        .owner_uid = a->owner_uid[0] != '\0' ? a->owner_uid : NULL,
        .resource_version = at == ACT_PATCH ? a->version : NULL,
        .held = a->account != NULL ? account_held(a->account) : NULL,
    };

    if (at == ACT_DELETE || at == ACT_UNMAKE)
        write_delete_options(w, a);
    else if (a->verb != ACT_APPLY)
        manifest_write_run(w, a->object,
                           &(struct manifest_run){a->dialect, a->seen, a->version, a->verb == ACT_RESUME,
                                                  loop_wall_ms(kube_loop(a->kube))});
    else
        manifest_write(w, a->object, &m);
    return jw_finish(w, ret, reterr);
}

static void act_call(struct act *a, const char *method, const char *content_type, struct str body)
{
    const char *version = a->row->kind == KIND_CLUSTER ? a->dialect->version : NULL;
    struct kube_request req = {method, NULL, content_type, body, a->timeout_ms, on_answer, a};
    struct buf path;
    buf_init(&path, KUBE_PATH_SIZE);
    kube_path_add(&path, a->row->kind, version, a->sb.namespace_name, a->at == ACT_CREATE ? NULL : a->name);
    if (a->at == ACT_CREATE || a->at == ACT_PATCH)
        buf_add_text(&path, "?fieldManager=fullstackd");
    req.path = buf_text(&path);
    a->calls_n++;
    a->call = kube_call_in_turn(a->kube, &req, (struct kube_turn){a->row->kind, a->sb.attempt_started_ms});
    buf_fini(&path);
}

static void act_next(struct act *a, enum act_at at)
{
    static const struct {
        const char *method, *content_type;
    } calls[] = {
        [ACT_CREATE] = {"POST",   NULL                          },
        [ACT_READ] = {"GET",    NULL                          },
        [ACT_PATCH] = {"PATCH",  "application/merge-patch+json"},
        [ACT_DELETE] = {"DELETE", NULL                          },
        [ACT_UNMAKE] = {"DELETE", NULL                          },
    };
    struct json_writer *w;
    struct str body = STR_NONE;
    a->at = at;
    if (at == ACT_FAIL) {
        loop_defer(&a->fail);
        return;
    }
    if (at == ACT_READ) {
        act_call(a, "GET", NULL, STR_NONE);
        return;
    }
    w = jw_new(MANIFEST_CEILING_BYTES);
    if (write_body(a, at, w, &body, &a->failure))
        act_call(a, calls[at].method, calls[at].content_type, body);
    else
        loop_defer(&a->fail);
    jw_free(w);
}

/* ---- starting ---- */

static bool copy_env(struct act *a, const struct env_list *env, struct err *reterr)
{
    struct json_writer *w = jw_new(MANIFEST_CEILING_BYTES);
    struct str json;
    bool is_good;
    manifest_env(w, env);
    is_good = jw_finish(w, &json, reterr);
    if (is_good)
        a->env = secret_new(json);
    jw_free(w);
    return is_good;
}

static struct act *act_new(const struct act_request *req, enum act_verb verb)
{
    struct act *a = xcalloc(1, sizeof *a);
    a->op.cancel = act_cancel;
    a->kube = req->kube;
    a->cache = req->cache;
    a->profile = req->profile;
    a->account = req->account;
    a->dialect = req->dialect;
    a->discovery = req->discovery;
    a->object = req->object;
    a->row = object_row(req->object, &req->sb->kinds);
    a->sb = *req->sb;
    object_name(req->object, req->sb, a->name);
    a->verb = verb;
    a->timeout_ms = req->timeout_ms;
    a->done = req->done;
    a->arg = req->arg;
    loop_task_init(&a->fail, kube_loop(req->kube), on_fail, a);
    return a;
}

/* Is all there that the object needs? */
static bool is_possible(struct act *a, const struct act_request *req)
{
    const char *owner = a->row->is_owned ? cache_workload_uid(a->cache, &a->sb) : NULL;
    bool is_owned = a->row->is_owned && a->verb == ACT_APPLY;
    if (a->row->write == NULL)
        return err_set(&a->failure, ERR_BUG, __func__, "a %s is not ours to make", kube_kind_row(a->row->kind)->kind);
    if (a->row->kind == KIND_CLUSTER && a->dialect == NULL)
        return err_set(&a->failure, ERR_INVALID, __func__, "KubeBlocks is not installed in the cluster");
    if (is_owned && (owner == NULL || !str_copy(str_from(owner), a->owner_uid, sizeof a->owner_uid)))
        return err_set(&a->failure, ERR_NOT_READY, __func__, "its %s is not there yet",
                       workload_kind(a->sb.kinds.workload));
    return req->env == NULL || copy_env(a, req->env, &a->failure);
}

struct op *act_apply(const struct act_request *req)
{
    struct act *a = act_new(req, ACT_APPLY);
    enum act_at first = cache_has(a->cache, a->row->kind, a->name) ? ACT_READ : ACT_CREATE;
    if (!is_possible(a, req))
        act_next(a, ACT_FAIL);
    else if (must_weigh(a, NULL))
        weigh(a, first);
    else
        act_next(a, first);
    return &a->op;
}

/* What begins with a look: nothing to find without KubeBlocks. */
static struct op *act_on_seen(const struct act_request *req, enum act_verb verb)
{
    struct act *a = act_new(req, verb);
    if (a->row->kind == KIND_CLUSTER && a->dialect == NULL) {
        if (!cache_is_synced(a->cache, KIND_CLUSTER)) /* otherwise it is known that there can be none */
            err_set(&a->failure, ERR_NOT_READY, __func__, "it is not known yet whether KubeBlocks is installed");
        act_next(a, ACT_FAIL);
    } else {
        act_next(a, a->name[0] != '\0' ? ACT_READ : ACT_FAIL); /* a sandbox without such an object is done with it */
    }
    return &a->op;
}

struct op *act_remove(const struct act_request *req)
{
    return act_on_seen(req, ACT_REMOVE);
}

struct op *act_remove_former_env(const struct act_request *req, unsigned attempt)
{
    struct act *a = act_new(req, ACT_REMOVE);
    a->is_former = true;
    a->sb.attempt = attempt;
    object_name(OBJECT_ENV_SECRET, &a->sb, a->name);
    act_next(a, ACT_READ);
    return &a->op;
}

struct op *act_halt(const struct act_request *req)
{
    return act_on_seen(req, ACT_HALT);
}

struct op *act_resume(const struct act_request *req)
{
    return act_on_seen(req, ACT_RESUME);
}
