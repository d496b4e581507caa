// SPDX-License-Identifier: MIT
/* dotenv_parse on any bytes: keys are unique and trimmed, everything points into the copy, ceilings hold, and writing
 * the result out as KEY=VALUE lines and reading it again changes nothing that is not a quote or a blank. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/dotenv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_var(const struct dotenv *d, size_t at)
{
    const struct dotenv_var *var = &d->vars[at];
    const char *end = d->private_bytes + d->private_bytes_n;
    assert(var->key.n > 0 && var->line > 0);
    assert(var->key.p >= d->private_bytes && var->key.p + var->key.n <= end);
    assert(var->value.p >= d->private_bytes && var->value.p + var->value.n <= end);
    assert(str_find(var->key, '=', 0) == var->key.n);
    assert(str_find(var->value, '\n', 0) == var->value.n);
    assert(str_eq(str_trim(var->key), var->key));
    for (size_t i = 0; i < at; i++)
        assert(!str_eq(d->vars[i].key, var->key));
}

/* Quoted on both sides, a value survives a second reading whatever it holds. */
static void check_round_trip(const struct dotenv *d)
{
    struct buf text;
    struct dotenv again;
    struct err err = {0};
    buf_init(&text, 2 * (size_t)DOTENV_MAX_BYTES);
    for (size_t i = 0; i < d->n; i++) {
        buf_add_text(&text, "export ");
        buf_add_str(&text, d->vars[i].key);
        buf_add_text(&text, "=\"");
        buf_add_str(&text, d->vars[i].value);
        buf_add_text(&text, "\"\n");
    }
    if (text.n <= DOTENV_MAX_BYTES) {
        bool is_read = dotenv_parse(buf_str(&text), &again, &err);
        assert(is_read && again.n == d->n);
        for (size_t i = 0; i < again.n; i++) {
            assert(str_eq(again.vars[i].key, d->vars[i].key));
            assert(str_eq(again.vars[i].value, d->vars[i].value));
        }
        dotenv_fini(&again);
    }
    buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dotenv d;
    struct err err = {0};
    if (!dotenv_parse((struct str){(const char *)data, size}, &d, &err)) {
        assert(err.kind == ERR_INVALID || err.kind == ERR_TOO_LARGE);
        assert(d.vars == NULL && d.n == 0);
        return 0;
    }
    assert(d.n <= DOTENV_MAX_VARS);
    for (size_t i = 0; i < d.n; i++)
        check_var(&d, i);
    check_round_trip(&d);
    dotenv_fini(&d);
    return 0;
}
