// SPDX-License-Identifier: MIT
/* Reads a conninfo by libpq's own parser and rebuilds it with addresses beside the host names. TLS still verifies the
 * names: hostaddr only says where to go. */
#include "store/pg_dsn.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "core/base/buf.h"
#include "core/base/str.h"
#include "core/base/xmem.h"

enum { CONNINFO_BYTES_MAX = 8192, SCHEMA_SIZE = 64 };

struct pg_dsn_host {
    char *name; /* empty: libpq's default, a Unix socket */
    char address[PG_DSN_ADDRESS_SIZE];
};

struct pg_dsn {
    PQconninfoOption *options;
    char *application_name;
    struct pg_dsn_host hosts[PG_DSN_HOSTS_MAX];
    size_t n_hosts;
    char schema[SCHEMA_SIZE]; /* empty: as the role is set */
    bool is_addressed;        /* the conninfo itself says hostaddr */
    struct buf hostaddr;
    struct buf server_options;
};

static const char *option_value(const struct pg_dsn *dsn, const char *keyword)
{
    for (const PQconninfoOption *o = dsn->options; o->keyword != NULL; o++) {
        if (strcmp(o->keyword, keyword) == 0 && o->val != NULL && o->val[0] != '\0')
            return o->val;
    }
    return NULL;
}

static bool is_numeric(const char *host)
{
    unsigned char address[16];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static bool is_socket(const char *host)
{
    return host[0] == '\0' || host[0] == '/' || host[0] == '@';
}

static bool split_hosts(struct pg_dsn *dsn, struct err *reterr)
{
    struct str rest = str_from(option_value(dsn, "host"));
    struct str part;
    while (str_next(&rest, ',', &part)) {
        if (dsn->n_hosts == PG_DSN_HOSTS_MAX)
            return err_set(reterr, ERR_INVALID, __func__, "the PostgreSQL connection names more than %d hosts",
                           PG_DSN_HOSTS_MAX);
        struct pg_dsn_host *host = &dsn->hosts[dsn->n_hosts++];
        host->name = xmemdup(part.p, part.n);
        if (is_numeric(host->name) && !str_copy(part, host->address, sizeof(host->address)))
            return err_set(reterr, ERR_INVALID, __func__, "the PostgreSQL connection has a bad address");
    }
    return true;
}

/* Prisma's own URI parameters, which the original's DATABASE_URL may carry and libpq would refuse. */
static bool is_prismas(struct str key)
{
    static const char *const keys[] = {"schema",         "connection_limit", "pool_timeout",
                                       "socket_timeout", "pgbouncer",        "statement_cache_size",
                                       "sslaccept",      "sslidentity",      "sslpassword"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (str_eq_text(key, keys[i]))
            return true;
    }
    return false;
}

static bool is_plain_name(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return name.n > 0;
}

/* Copies the conninfo without Prisma's parameters; ?schema= becomes the search path. */
static bool take_over(struct pg_dsn *dsn, struct str text, struct buf *out, struct err *reterr)
{
    bool is_uri = str_starts(text, STR("postgres://")) || str_starts(text, STR("postgresql://"));
    size_t mark = is_uri ? str_find(text, '?', 0) : text.n;
    struct str rest = mark < text.n ? str_slice(text, mark + 1, text.n) : STR_NONE;
    struct str part;
    char separator = '?';
    buf_add_str(out, str_slice(text, 0, mark));
    while (str_next(&rest, '&', &part)) {
        size_t equals = str_find(part, '=', 0);
        struct str key = str_slice(part, 0, equals);
        struct str value = str_slice(part, equals + 1, part.n);
        if (!is_prismas(key)) {
            buf_add_byte(out, separator);
            buf_add_str(out, part);
            separator = '&';
            continue;
        }
        if (!str_eq(key, STR("schema")) || str_eq(value, STR("public")))
            continue;
        if (!is_plain_name(value) || !str_copy(value, dsn->schema, sizeof(dsn->schema)))
            return err_set(reterr, ERR_INVALID, __func__,
                           "the PostgreSQL connection's schema has letters other than a-z, 0-9 and _");
    }
    return true;
}

static bool parse(struct pg_dsn *dsn, struct str text, struct err *reterr)
{
    char *message = NULL;
    struct buf conninfo;
    buf_init(&conninfo, CONNINFO_BYTES_MAX);
    bool is_ok = take_over(dsn, text, &conninfo, reterr);
    if (is_ok) {
        dsn->options = PQconninfoParse(buf_text(&conninfo), &message);
        /* libpq's message quotes the text at fault, which may be the password. */
        PQfreemem(message);
        is_ok = dsn->options != NULL && !conninfo.is_over;
        if (!is_ok)
            err_set(reterr, ERR_INVALID, __func__, "the PostgreSQL connection string cannot be read");
    }
    if (conninfo.p != NULL)
        explicit_bzero(conninfo.p, conninfo.cap);
    buf_fini(&conninfo);
    return is_ok;
}

struct pg_dsn *pg_dsn_new(const struct secret *conninfo, const char *application_name, struct err *reterr)
{
    struct str text = secret_reveal(conninfo);
    struct pg_dsn *dsn = xcalloc(1, sizeof(*dsn));
    dsn->application_name = xstrdup(application_name != NULL ? application_name : "fullstackd");
    buf_init(&dsn->hostaddr, PG_DSN_HOSTS_MAX * (PG_DSN_ADDRESS_SIZE + 1));
    buf_init(&dsn->server_options, 4096);
    if (!parse(dsn, str_is_none(text) ? STR("") : text, reterr) || !split_hosts(dsn, reterr)) {
        pg_dsn_free(dsn);
        return NULL;
    }
    dsn->is_addressed = option_value(dsn, "hostaddr") != NULL;
    return dsn;
}

void pg_dsn_free(struct pg_dsn *dsn)
{
    if (dsn == NULL)
        return;
    for (PQconninfoOption *o = dsn->options; o != NULL && o->keyword != NULL; o++) {
        if (o->val != NULL && strstr(o->keyword, "password") != NULL)
            explicit_bzero(o->val, strlen(o->val));
    }
    PQconninfoFree(dsn->options);
    for (size_t i = 0; i < dsn->n_hosts; i++)
        free(dsn->hosts[i].name);
    free(dsn->application_name);
    buf_fini(&dsn->hostaddr);
    buf_fini(&dsn->server_options);
    free(dsn);
}

const char *pg_dsn_host_to_look_up(const struct pg_dsn *dsn, size_t *index)
{
    for (; !dsn->is_addressed && *index < dsn->n_hosts; ++*index) {
        const char *name = dsn->hosts[*index].name;
        if (!is_socket(name) && !is_numeric(name))
            return name;
    }
    return NULL;
}

void pg_dsn_set_address(struct pg_dsn *dsn, size_t index, const char *address)
{
    if (!str_copy(str_from(address), dsn->hosts[index].address, sizeof(dsn->hosts[index].address)))
        dsn->hosts[index].address[0] = '\0';
}

/* One entry per host, in order; empty for a Unix socket. */
static const char *hostaddr_list(struct pg_dsn *dsn)
{
    bool has_any = false;
    buf_clear(&dsn->hostaddr);
    for (size_t i = 0; i < dsn->n_hosts; i++) {
        if (i > 0)
            buf_add_byte(&dsn->hostaddr, ',');
        buf_add_text(&dsn->hostaddr, dsn->hosts[i].address);
        has_any = has_any || dsn->hosts[i].address[0] != '\0';
    }
    return has_any ? buf_text(&dsn->hostaddr) : NULL;
}

static const char *joined_options(struct pg_dsn *dsn, const char *server_options)
{
    const char *own = option_value(dsn, "options");
    buf_clear(&dsn->server_options);
    buf_add_text(&dsn->server_options, server_options != NULL ? server_options : "");
    if (dsn->schema[0] != '\0')
        buf_addf(&dsn->server_options, " -c search_path=%s", dsn->schema);
    if (own != NULL)
        buf_addf(&dsn->server_options, " %s", own);
    return dsn->server_options.n > 0 ? buf_text(&dsn->server_options) : NULL;
}

static void put(struct pg_dsn_arrays *ret, size_t *n, const char *keyword, const char *value)
{
    if (value == NULL || *n == PG_DSN_KEYS_MAX)
        return;
    ret->keywords[*n] = keyword;
    ret->values[*n] = value;
    ++*n;
    ret->keywords[*n] = NULL;
    ret->values[*n] = NULL;
}

void pg_dsn_fill(struct pg_dsn *dsn, const char *server_options, struct pg_dsn_arrays *ret)
{
    size_t n = 0;
    /* Of equal keywords libpq takes the last, so what the operator wrote wins over the defaults at the front. */
    put(ret, &n, "fallback_application_name", dsn->application_name);
    put(ret, &n, "gssencmode", "disable"); /* looking for Kerberos tickets may block */
    for (const PQconninfoOption *o = dsn->options; o->keyword != NULL; o++) {
        if (o->val != NULL && o->val[0] != '\0')
            put(ret, &n, o->keyword, o->val);
    }
    if (!dsn->is_addressed)
        put(ret, &n, "hostaddr", hostaddr_list(dsn));
    put(ret, &n, "client_encoding", "UTF8");
    put(ret, &n, "options", joined_options(dsn, server_options));
}
