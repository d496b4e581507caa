// SPDX-License-Identifier: MIT
/* A request with a key is a `keyed`: reserve, run the handler, store the answer, let it go. It outlives its client,
 * because what was reserved has to be given back:
 *
 *   reserve --run--> handler --answer--> end (stored, or given back) --> answer sent
 *                       `--- client gone --> end (given back)
 *
 * Only an answer that says something was done is stored. After a refusal nothing was, and after a failure the handler
 * finds what was done when it runs again, by the operation's id or by the row it wanted to change: both are given back.
 */
#include "server/idempotency.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "core/base/buf.h"
#include "core/base/codec.h"
#include "core/base/log.h"
#include "core/base/xmem.h"

enum {
    CLEAN_MS = 60 * 1000,
    CLEAN_AGAIN_MS = 1000, /* while there is more */
    CLEAN_N = 500,
    BUSY_RETRY_S = 1,
    MANY_RETRY_S = 60,
};

/* Header fields that belong to what was done; all others belong to the one exchange. */
static const char *const kept_fields[] = {"Location", "Content-Location", "ETag", "X-Journal-Seq"};

struct idempotency {
    struct loop *loop;
    const struct port_store *store;
    struct idempotency_settings settings;
    struct loop_timer clean_timer;
    struct op *cleaning;
    LIST_HEAD(, keyed) all;
    struct idempotency_stats stats;
};

struct keyed {
    LIST_ENTRY(keyed) link;
    struct idempotency *owner;
    struct http_exchange *x; /* NULL: the client is gone */
    struct op *op;           /* of the store */
    void (*run)(void *arg, const char *operation_id);
    void *arg;
    char operation_id[ID_SIZE];
    int64_t fence;
};

/* ---- the key ---- */

static bool is_visible(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '"')
            return false;
    }
    return true;
}

bool idempotency_read_key(const struct http_exchange *x, struct str *ret, struct err *reterr)
{
    *ret = http_method(x) == HTTP_POST ? http_header(x, "Idempotency-Key") : STR_NONE;
    if (str_is_none(*ret))
        return true;
    if (ret->n >= 2 && ret->p[0] == '"' && ret->p[ret->n - 1] == '"')
        *ret = str_slice(*ret, 1, ret->n - 1);
    if (ret->n > 0 && ret->n <= IDEMPOTENCY_KEY_MAX && is_visible(*ret))
        return true;
    return err_set_field(reterr, ERR_INVALID, __func__, "Idempotency-Key",
                         "Idempotency-Key must be 1 to %d visible ASCII characters", IDEMPOTENCY_KEY_MAX);
}

/* Parts are told apart by NUL, which none of them holds; the body comes last. */
static void hash_request(const struct http_exchange *x, uint8_t ret_scope[CODEC_SHA256_BYTES],
                         uint8_t ret_all[CODEC_SHA256_BYTES])
{
    struct buf b;
    buf_init(&b, SIZE_MAX); /* of parts that have met their ceilings */
    buf_add_text(&b, http_method_name(http_method(x)));
    buf_add_byte(&b, '\0');
    buf_add_str(&b, http_path(x));
    codec_sha256(buf_str(&b), ret_scope);
    buf_add_byte(&b, '\0');
    buf_add_str(&b, http_query(x));
    buf_add_byte(&b, '\0');
    buf_add_str(&b, http_body(x));
    codec_sha256(buf_str(&b), ret_all);
    buf_fini(&b);
}

/* ---- the end of one ---- */

static void finish(struct keyed *k)
{
    LIST_REMOVE(k, link);
    loop_defer_free(k->owner->loop, k, free);
}

static void on_ended(void *arg, const struct err *err)
{
    struct keyed *k = arg;
    k->op = NULL;
    if (err != NULL)
        LOG(WARN, "answer to a request with Idempotency-Key is not stored", KV("operation", k->operation_id),
            KV("err", err));
    if (k->x != NULL)
        http_release(k->x);
    finish(k);
}

static void end(struct keyed *k, const struct idempotent_answer *answer)
{
    const struct idempotency *i = k->owner;
    k->op =
        i->store->idempotency_end(i->store->self, k->operation_id, k->fence, answer, i->settings.call_ms, on_ended, k);
}

/* ---- the handler's answer ---- */

enum { FIRST_REFUSAL = 400 };

static bool is_kept(struct str line)
{
    for (size_t i = 0; i < sizeof(kept_fields) / sizeof(kept_fields[0]); i++) {
        if (str_eq_nocase(str_slice(line, 0, str_find(line, ':', 0)), str_from(kept_fields[i])))
            return true;
    }
    return false;
}

/* *ret_is_private: a cookie is among them. */
static struct str choose_fields(struct arena *a, struct str fields, bool *ret_is_private)
{
    struct str line;
    struct buf kept;
    buf_init(&kept, fields.n + 1);
    *ret_is_private = false;
    while (str_next(&fields, '\n', &line)) {
        if (is_kept(line)) {
            buf_add_str(&kept, str_trim(line));
            buf_add_byte(&kept, '\n');
        }
        if (str_eq_nocase(str_slice(line, 0, str_find(line, ':', 0)), STR("Set-Cookie")))
            *ret_is_private = true;
    }
    struct str ret = arena_dup_str(a, buf_str(&kept));
    buf_fini(&kept);
    return ret;
}

static void on_answer(void *arg, const struct http_held *held)
{
    struct keyed *k = arg;
    bool has_cookie;
    struct idempotent_answer answer = {
        .status = held->status,
        .content_type = held->content_type,
        .fields = choose_fields(http_arena(k->x), held->fields, &has_cookie),
        .body = held->body.p != NULL ? held->body : STR(""),
    };
    if (held->is_private || has_cookie || held->body.n > IDEMPOTENCY_ANSWER_MAX_BYTES)
        answer.body = STR_NONE;
    end(k, held->status < FIRST_REFUSAL ? &answer : NULL);
}

/* The client left, or its time is over. What waits for the store goes on. */
static void on_gone(void *arg)
{
    struct keyed *k = arg;
    k->x = NULL;
    if (k->op == NULL)
        end(k, NULL);
}

/* ---- the reservation ---- */

static void replay(struct http_exchange *x, const struct idempotent_answer *answer)
{
    struct arena *a = http_arena(x);
    struct str rest = answer->fields;
    struct str line;
    while (str_next(&rest, '\n', &line)) {
        size_t colon = str_find(line, ':', 0);
        if (colon < line.n)
            http_add_header(x, arena_dup(a, str_slice(line, 0, colon)), str_trim(str_slice(line, colon + 1, line.n)));
    }
    http_add_header(x, "Idempotency-Replayed", STR("true"));
    http_answer(x, answer->status, str_is_none(answer->content_type) ? NULL : arena_dup(a, answer->content_type),
                answer->body);
}

static void refuse(struct http_exchange *x, enum err_kind kind, const char *reason, unsigned retry_s, const char *why)
{
    struct err err = {0};
    if (kind == ERR_INVALID || kind == ERR_UNPROCESSABLE)
        err_set_field(&err, kind, __func__, "Idempotency-Key", "%s", why);
    else
        err_set(&err, kind, __func__, "%s", why);
    (void)!str_copy(str_from(reason), err.reason, sizeof(err.reason));
    err.retry_after_s = retry_s;
    http_answer_err(x, &err);
}

static void answer_found(struct idempotency *i, struct http_exchange *x, const struct idempotency_found *found)
{
    bool is_there = found->verdict == IDEMPOTENCY_ANSWERED && !str_is_none(found->answer.body);
    i->stats.replayed_n += is_there;
    i->stats.refused_n += !is_there;
    switch (found->verdict) {
    case IDEMPOTENCY_ANSWERED:
        if (is_there)
            replay(x, &found->answer);
        else
            refuse(x, ERR_CONFLICT, "AnswerNotKept", 0,
                   "The request was done already; its answer held what is shown once only");
        return;
    case IDEMPOTENCY_BUSY:
        refuse(x, ERR_CONFLICT, "InProgress", BUSY_RETRY_S, "A request with this Idempotency-Key is being worked on");
        return;
    case IDEMPOTENCY_OTHER:
        refuse(x, ERR_UNPROCESSABLE, "KeyReused", 0, "This Idempotency-Key was used for another request");
        return;
    case IDEMPOTENCY_MANY:
        refuse(x, ERR_LIMIT, "TooManyKeys", MANY_RETRY_S,
               "Too many Idempotency-Keys are in use; leave it out, or come later");
        return;
    case IDEMPOTENCY_RUN:
        return; /* on_begun's */
    }
}

static void on_begun(void *arg, const struct idempotency_found *found, const struct err *err)
{
    struct keyed *k = arg;
    struct http_exchange *x = k->x;
    bool is_mine = err == NULL && found->verdict == IDEMPOTENCY_RUN;
    k->op = NULL;
    if (is_mine) {
        k->fence = found->fence;
        (void)!str_copy(str_from(found->operation_id), k->operation_id, sizeof(k->operation_id));
    }
    if (x == NULL && is_mine) {
        end(k, NULL);
        return;
    }
    if (x != NULL)
        http_on_gone(x, NULL, NULL);
    if (is_mine) {
        k->owner->stats.runs_n++;
        http_hold(x, on_answer, on_gone, k);
        k->run(k->arg, arena_dup(http_arena(x), str_from(k->operation_id)));
        return;
    }
    if (x != NULL && err != NULL)
        http_answer_err(x, err);
    else if (x != NULL)
        answer_found(k->owner, x, found);
    finish(k);
}

static void on_gone_early(void *arg)
{
    struct keyed *k = arg;
    k->x = NULL; /* what is reserved has to be given back: see on_begun */
}

void idempotency_run(struct idempotency *i, struct http_exchange *x, const char *owner_id, struct str key,
                     void (*run)(void *arg, const char *operation_id), void *arg)
{
    uint8_t scope[CODEC_SHA256_BYTES];
    uint8_t fingerprint[CODEC_SHA256_BYTES];
    struct keyed *k = xcalloc(1, sizeof(*k));
    *k = (struct keyed){.owner = i, .x = x, .run = run, .arg = arg};
    LIST_INSERT_HEAD(&i->all, k, link);
    hash_request(x, scope, fingerprint);
    const struct idempotent_request request = {
        .owner_id = owner_id,
        .scope = {(const char *)scope,       sizeof(scope)      },
        .key = key,
        .fingerprint = {(const char *)fingerprint, sizeof(fingerprint)},
        .hold_ms = i->settings.hold_ms,
        .valid_ms = i->settings.valid_ms,
        .keys_max = i->settings.keys_max,
    };
    http_on_gone(x, on_gone_early, k);
    k->op = i->store->idempotency_begin(i->store->self, &request, i->settings.call_ms, on_begun, k);
}

/* ---- what is over ---- */

static void on_cleaned(void *arg, size_t n, const struct err *err)
{
    struct idempotency *i = arg;
    i->cleaning = NULL;
    if (err != NULL)
        LOG(DEBUG, "old idempotency keys are not removed", KV("err", err));
    loop_timer_set(&i->clean_timer, n >= CLEAN_N ? CLEAN_AGAIN_MS : CLEAN_MS);
}

static void on_clean_timer(void *arg)
{
    struct idempotency *i = arg;
    i->cleaning = i->store->idempotency_clean(i->store->self, CLEAN_N, i->settings.call_ms, on_cleaned, i);
}

/* ---- life ---- */

struct idempotency *idempotency_new(struct loop *loop, const struct port_store *store,
                                    const struct idempotency_settings *settings)
{
    struct idempotency *i = xcalloc(1, sizeof(*i));
    i->loop = loop;
    i->store = store;
    i->settings = *settings;
    LIST_INIT(&i->all);
    loop_timer_init(&i->clean_timer, loop, on_clean_timer, i);
    loop_timer_set(&i->clean_timer, CLEAN_MS);
    return i;
}

void idempotency_free(struct idempotency *i)
{
    if (i == NULL)
        return;
    loop_timer_clear(&i->clean_timer);
    op_cancel(i->cleaning);
    while (!LIST_EMPTY(&i->all)) {
        struct keyed *k = LIST_FIRST(&i->all);
        op_cancel(k->op);
        finish(k);
    }
    free(i);
}

void idempotency_stats(const struct idempotency *i, struct idempotency_stats *ret)
{
    *ret = i->stats;
}
