// SPDX-License-Identifier: MIT
/* What a call asked for is there, or it is not. */
#include "store/store_private.h"

bool store_found(const struct pg_result *result, const struct err *err, const char *missing, struct err *ret)
{
    err_copy(ret, err);
    if (err == NULL && pg_row_count(result) == 0)
        err_set(ret, ERR_MISSING, __func__, "%s", missing);
    return ret->kind == ERR_NONE;
}

void store_end_found(struct store_call *call, const struct pg_result *result, const struct err *err,
                     const char *missing)
{
    struct err mine;
    bool is_found = store_found(result, err, missing, &mine);
    call->done.plain(call->arg, is_found ? NULL : &mine);
    store_call_end(call);
}
