// SPDX-License-Identifier: MIT
/* Proves that a database lets its owner in: a connection of its own with exactly the given credentials. */
#include "store/store_private.h"

static void on_login(void *arg, const struct pg_result *result, const struct err *err)
{
    struct store_call *call = arg;
    struct err mine = {0};
    call->inner = NULL;
    err_copy(&mine, err);
    if (err == NULL && pg_row_int(result, 0, 0, 0) != 1)
        err_set(&mine, ERR_UPSTREAM, __func__, "the database does not answer SELECT 1 with 1");
    call->done.plain(call->arg, mine.kind == ERR_NONE ? NULL : &mine);
    store_call_end(call);
}

static struct op *prove_login(void *self, const struct db_credentials *credentials, ms_t timeout_ms, op_done *done,
                              void *arg)
{
    struct store *s = self;
    struct store_call *call = store_call_new(s, timeout_ms, arg);
    struct err err = {0};
    struct secret url = db_credentials_url(credentials);
    const struct pg_conn_config config = {
        .conninfo = &url,
        .application_name = "fullstackd login probe",
        .connect_timeout_ms = timeout_ms,
        .is_single_try = true,
    };
    call->done.plain = done;
    call->conn = pg_conn_new(s->loop, &config, &err);
    secret_fini(&url);
    if (call->conn == NULL)
        return store_call_refuse(call, &err, on_login);
    call->inner = pg_conn_query_once(call->conn, "SELECT 1", NULL, timeout_ms, on_login, call);
    return &call->op;
}

void login_probe_fill(struct port_store *port)
{
    port->prove_login = prove_login;
}
