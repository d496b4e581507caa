// SPDX-License-Identifier: MIT
/* Requests: their storage, which the connections of a listener pass on to each other, and what handlers may ask them.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/xmem.h"
#include "server/http_conn.h"
#include "server/http_path.h"

/* A per-process random part and a number: unique, and it tells the order. It is no secret. */
static void make_request_id(struct http_exchange *x)
{
    static const char digits[] = "0123456789abcdef";
    struct http_shared *s = x->conn->shared;
    uint64_t number = ++s->ids_n;
    char *end = x->request_id;
    for (int shift = 60; shift >= 0; shift -= 4)
        *end++ = digits[s->id_prefix >> shift & 15];
    *end++ = '-';
    for (int shift = 44; shift >= 0; shift -= 4)
        *end++ = digits[number >> shift & 15];
    *end = '\0';
}

struct http_exchange *exchange_new(struct http_conn *c)
{
    struct http_shared *s = c->shared;
    struct http_exchange *x = s->spares;
    if (x != NULL) {
        s->spares = x->next_spare;
        s->spares_n--;
    } else {
        x = xcalloc(1, sizeof *x);
        x->arena = arena_new();
    }
    const struct http_reader_limits limits = {s->limits.head_bytes, s->limits.fields_n, s->limits.target_bytes};
    http_reader_init(&x->reader, &limits);
    buf_init(&x->fields, HTTP_FIELDS_CEILING_BYTES);
    x->conn = c;
    x->next_spare = NULL;
    x->began_ms = loop_now_ms(s->loop);
    make_request_id(x);
    return x;
}

void exchange_release(struct http_exchange *x)
{
    if (x == NULL)
        return;
    struct http_shared *s = x->conn->shared;
    struct arena *arena = x->arena;
    if (x->on_end != NULL)
        x->on_end(x->on_end_arg, x->answered != ANSWER_NONE ? x->status : 0);
    buf_fini(&x->body);
    buf_fini(&x->fields);
    if (s->spares_n >= HTTP_SPARES_MAX) {
        arena_free(arena);
        free(x);
        return;
    }
    arena_reset(arena);
    memset(x, 0, sizeof *x);
    x->arena = arena;
    x->next_spare = s->spares;
    s->spares = x;
    s->spares_n++;
}

/* The client's own id if it is well-formed: it ends up in logs and answers. */
static void take_request_id(struct http_exchange *x)
{
    struct str id = http_header(x, "X-Request-Id");
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        bool is_fine = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
                       c == '_' || c == '-';
        if (!is_fine)
            return;
    }
    if (id.n > 0 && id.n <= HTTP_REQUEST_ID_MAX) {
        memcpy(x->request_id, id.p, id.n);
        x->request_id[id.n] = '\0';
    }
}

bool exchange_begin(struct http_exchange *x, struct str head_bytes, const char **ret_why)
{
    x->text = arena_dup_str(x->arena, head_bytes);
    x->query = x->head.query.at != 0 ? http_span_str(x->head.query, x->text) : STR_NONE;
    take_request_id(x);
    return http_path_decode(x->arena, http_target(x), &x->path, ret_why) &&
           http_query_check(x->arena, x->query, ret_why);
}

void exchange_gone(struct http_exchange *x)
{
    void (*on_gone)(void *arg) = x->on_gone;
    struct hold hold = x->hold;
    x->on_gone = NULL;
    x->hold = (struct hold){0};
    if (on_gone != NULL)
        on_gone(x->on_gone_arg);
    if (hold.on_gone != NULL)
        hold.on_gone(hold.arg);
}

void exchange_add_param(struct http_exchange *x, struct str name, struct str value)
{
    if (x->params_n < HTTP_PARAMS_MAX)
        x->params[x->params_n++] = (struct http_param){name.p, name.n, value};
}

enum http_method http_method(const struct http_exchange *x)
{
    return x->head.method;
}

struct str http_target(const struct http_exchange *x)
{
    return http_span_str(x->head.target, x->text);
}

struct str http_path(const struct http_exchange *x)
{
    return x->path;
}

struct str http_query(const struct http_exchange *x)
{
    return x->query;
}

bool http_query_find(const struct http_exchange *x, const char *name, struct str *ret)
{
    return http_query_get(x->arena, x->query, name, ret);
}

bool http_query_flag(const struct http_exchange *x, const char *name, bool *ret, struct err *reterr)
{
    struct str text = STR_NONE;
    (void)http_query_find(x, name, &text);
    *ret = str_eq(text, STR("true"));
    if (!str_is_none(text) && !*ret && !str_eq(text, STR("false")))
        return err_set_field(reterr, ERR_INVALID, __func__, name, "%s must be true or false", name);
    return true;
}

struct str http_header(const struct http_exchange *x, const char *name)
{
    struct str wanted = str_from(name);
    struct str found = STR_NONE;
    for (unsigned i = 0; i < x->head.fields_n; i++) {
        const struct http_field *field = &x->head.fields[i];
        if (!str_eq_nocase(http_span_str(field->name, x->text), wanted))
            continue;
        struct str value = http_span_str(field->value, x->text);
        found =
            str_is_none(found) ? value : str_from(arena_printf(x->arena, "%.*s, %.*s", STR_ARG(found), STR_ARG(value)));
    }
    return found;
}

bool http_is_json(const struct http_exchange *x)
{
    return str_is_media_type(http_header(x, "Content-Type"), STR("application/json"));
}

bool http_is_form(const struct http_exchange *x)
{
    return str_is_media_type(http_header(x, "Content-Type"), STR("application/x-www-form-urlencoded"));
}

struct str http_body(const struct http_exchange *x)
{
    return buf_str(&x->body);
}

struct str http_param(const struct http_exchange *x, const char *name)
{
    for (size_t i = 0; i < x->params_n; i++) {
        if (str_eq_text((struct str){x->params[i].name, x->params[i].name_n}, name))
            return x->params[i].value;
    }
    return STR_NONE;
}

struct str http_peer(const struct http_exchange *x)
{
    const struct http_conn *c = x->conn;
    struct peer_address client = peer_client(c->shared->trusted, &c->address, http_header(x, "X-Forwarded-For"));
    return peer_address_text(&client, x->arena);
}

bool http_is_secure(const struct http_exchange *x)
{
    const struct http_conn *c = x->conn;
    if (c->transport.tls != NULL)
        return true;
    return peer_networks_has(c->shared->trusted, &c->address) &&
           str_eq_nocase(http_header(x, "X-Forwarded-Proto"), STR("https"));
}

const char *http_request_id(const struct http_exchange *x)
{
    return x->request_id;
}

struct arena *http_arena(struct http_exchange *x)
{
    return x->arena;
}

void http_set_context(struct http_exchange *x, void *context)
{
    x->context = context;
}

void *http_context(const struct http_exchange *x)
{
    return x->context;
}

void http_abort(struct http_exchange *x)
{
    http_on_gone(x, NULL, NULL);
    conn_doom(x->conn);
}

void http_hold(struct http_exchange *x, void (*on_answer)(void *arg, const struct http_held *answer),
               void (*on_gone)(void *arg), void *arg)
{
    x->hold = (struct hold){.on_answer = on_answer, .on_gone = on_gone, .arg = arg};
}

void http_keep_no_copy(struct http_exchange *x)
{
    x->is_private = true;
}

void http_on_end(struct http_exchange *x, void (*on_end)(void *arg, int status), void *arg)
{
    x->on_end = on_end;
    x->on_end_arg = arg;
}

void http_on_gone(struct http_exchange *x, void (*on_gone)(void *arg), void *arg)
{
    x->on_gone = on_gone;
    x->on_gone_arg = arg;
}
