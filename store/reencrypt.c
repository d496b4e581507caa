// SPDX-License-Identifier: MIT
/* Goes through one table of places, each in pages by key. */
#include "store/reencrypt.h"

#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/xmem.h"
#include "store/store_private.h"
#include "store/store_rows.h"

enum { PAGE_ROWS = 8, PAGE_BYTES = 1 << 20 };
_Static_assert(PAGE_BYTES + ROWS_BOX_BYTES_MAX <= PG_PARAMS_BYTES_MAX, "a page fits into one statement");
enum { COLUMN_KEY, COLUMN_ID, COLUMN_BOX };

struct place {
    const char *table;
    const char *column;
    const char *select; /* $1 how boxes of the first key begin, $2 keys above this, $3 how many */
    const char *update; /* $1 keys, $2 SHA-256 of the old boxes, $3 new boxes */
};

/* key: an SQL expression that is unique and a text; id: the row's part of the associated data, see rows_aad. */
#define PLACE(table, column, key, id)                                                                                  \
    {                                                                                                                  \
        table, column,                                                                                                 \
            "SELECT " key ", " id ", " column " FROM " table " WHERE " column " IS NOT NULL AND substring(" column     \
            " FROM 1 FOR octet_length($1::bytea)) <> $1::bytea AND " key " > $2::text ORDER BY " key                   \
            " LIMIT $3::bigint",                                                                                       \
            "UPDATE " table " SET " column " = v.fresh FROM unnest($1::text[], $2::bytea[], $3::bytea[]) "             \
            "AS v (k, old, fresh) WHERE " key " = v.k AND sha256(" column ") = v.old"                                  \
    }
static const struct place places[] = {
    PLACE("environment", "value_box", "id", "project_id || '/' || key"),
    PLACE("sandboxes", "env_box", "project_id", "project_id"),
    PLACE("databases", "password_box", "project_id", "project_id"),
    PLACE("identities", "access_token_box", "id", "provider || ':' || provider_user_id"),
    PLACE("oauth_states", "verifier_box", "encode(state_hash, 'hex')", "encode(state_hash, 'hex')"),
    PLACE("idempotency", "body_box", "operation_id", "operation_id"),
};
enum { PLACES_N = sizeof(places) / sizeof(places[0]) };

struct reencrypt {
    struct op op;
    struct store *store;
    struct op *query; /* under way */
    ms_t query_ms;
    struct buf beginning; /* of a box that the first key has sealed */
    struct buf after;     /* the last key that was looked at */
    size_t at;
    bool is_last_page;
    struct reencrypt_told told;
    reencrypt_on_table *on_table;
    op_done *on_end;
    void *arg;
};

static void free_run(void *p)
{
    struct reencrypt *r = p;
    buf_fini(&r->beginning);
    buf_fini(&r->after);
    free(r);
}

static void spend(struct reencrypt *r)
{
    op_cancel(r->query);
    r->query = NULL;
    loop_defer_free(r->store->loop, r, free_run);
}

static void on_cancel(struct op *op)
{
    spend((struct reencrypt *)op);
}

static void finish(struct reencrypt *r, const struct err *err)
{
    r->on_end(r->arg, err);
    spend(r);
}

static void on_page(void *arg, const struct pg_result *result, const struct err *err);

static void ask(struct reencrypt *r)
{
    const struct place *place = &places[r->at];
    struct pg_params *p = pg_params_new();
    pg_add_bytea(p, buf_str(&r->beginning));
    pg_add_str(p, r->after.n > 0 ? buf_str(&r->after) : STR(""));
    pg_add_int(p, PAGE_ROWS);
    r->query = pg_pool_query(r->store->pool, place->select, p, r->query_ms, on_page, r);
}

static void begin_place(struct reencrypt *r)
{
    if (r->at == PLACES_N) {
        finish(r, NULL);
        return;
    }
    r->told = (struct reencrypt_told){places[r->at].table, places[r->at].column, 0, 0};
    buf_clear(&r->after);
    ask(r);
}

static void end_page(struct reencrypt *r)
{
    if (!r->is_last_page) {
        ask(r);
        return;
    }
    r->on_table(r->arg, &r->told);
    r->at++;
    begin_place(r);
}

static void on_updated(void *arg, const struct pg_result *result, const struct err *err)
{
    struct reencrypt *r = arg;
    (void)result;
    r->query = NULL;
    if (err != NULL)
        finish(r, err);
    else
        end_page(r);
}

/* The rows of a page that could be opened. */
struct page {
    struct arena *arena;
    struct str keys[PAGE_ROWS];
    struct str olds[PAGE_ROWS];
    struct str fresh[PAGE_ROWS];
    size_t n;
    size_t bytes;
};

static void reseal(struct reencrypt *r, struct page *page, const struct pg_result *result, size_t row)
{
    const struct codec_keyring *ring = r->store->ring;
    const char *id = arena_dup(page->arena, pg_row_str(result, row, COLUMN_ID));
    struct str aad = rows_aad(page->arena, r->told.table, r->told.column, id);
    struct secret plain = SECRET_NONE;
    uint8_t hash[CODEC_SHA256_BYTES];
    struct str box;
    struct buf fresh;
    if (!pg_row_bytea(result, row, COLUMN_BOX, page->arena, &box, NULL) || !codec_open(ring, aad, box, &plain, NULL)) {
        r->told.unread_n++;
        return;
    }
    buf_init(&fresh, ROWS_BOX_BYTES_MAX);
    codec_seal(ring, aad, secret_reveal(&plain), &fresh);
    codec_sha256(box, hash);
    page->keys[page->n] = arena_dup_str(page->arena, pg_row_str(result, row, COLUMN_KEY));
    page->olds[page->n] = arena_dup_str(page->arena, (struct str){(const char *)hash, sizeof(hash)});
    page->fresh[page->n] = arena_dup_str(page->arena, buf_str(&fresh));
    page->bytes += fresh.n;
    page->n++;
    buf_fini(&fresh);
    secret_fini(&plain);
}

static void write_page(struct reencrypt *r, const struct page *page)
{
    struct pg_params *p = pg_params_new();
    pg_add_texts(p, page->keys, page->n);
    pg_add_byteas(p, page->olds, page->n);
    pg_add_byteas(p, page->fresh, page->n);
    r->told.sealed_n += (unsigned)page->n;
    r->query = pg_pool_query(r->store->pool, places[r->at].update, p, r->query_ms, on_updated, r);
}

static void on_page(void *arg, const struct pg_result *result, const struct err *err)
{
    struct reencrypt *r = arg;
    size_t rows_n = err == NULL ? pg_row_count(result) : 0;
    struct page page = {.arena = arena_new()};
    size_t row = 0;
    r->query = NULL;
    for (; row < rows_n && page.bytes < PAGE_BYTES; row++) {
        reseal(r, &page, result, row);
        buf_clear(&r->after);
        buf_add_str(&r->after, pg_row_str(result, row, COLUMN_KEY));
    }
    r->is_last_page = row == rows_n && rows_n < PAGE_ROWS;
    if (err != NULL)
        finish(r, err);
    else if (page.n > 0)
        write_page(r, &page);
    else
        end_page(r);
    arena_free(page.arena);
}

/* "key id \0", as codec_seal writes it. */
static void write_beginning(struct reencrypt *r)
{
    struct buf box;
    buf_init(&box, 1024);
    codec_seal(r->store->ring, STR(""), STR(""), &box);
    struct str all = buf_str(&box);
    buf_add_str(&r->beginning, str_slice(all, 0, str_find(all, '\0', 0) + 1));
    buf_fini(&box);
}

struct op *reencrypt_start(struct store *s, ms_t query_ms, reencrypt_on_table *on_table, op_done *on_end, void *arg)
{
    struct reencrypt *r = xcalloc(1, sizeof(*r));
    *r = (struct reencrypt){
        .op = {on_cancel}, .store = s, .query_ms = query_ms, .on_table = on_table, .on_end = on_end, .arg = arg};
    buf_init(&r->beginning, 1024);
    buf_init(&r->after, 64 * 1024);
    write_beginning(r);
    begin_place(r);
    return &r->op;
}
