// SPDX-License-Identifier: MIT
/* Owned bytes that are zeroed when freed. */
#include "core/base/secret.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/xmem.h"

struct secret secret_new(struct str bytes)
{
    if (bytes.p == NULL)
        return SECRET_NONE;
    return (struct secret){xmemdup(bytes.p, bytes.n), bytes.n};
}

struct secret secret_dup(const struct secret *s)
{
    return secret_new(secret_reveal(s));
}

void secret_fini(struct secret *s)
{
    if (s == NULL || s->private_p == NULL)
        return;
    explicit_bzero(s->private_p, s->private_n);
    free(s->private_p);
    *s = SECRET_NONE;
}

bool secret_is_none(const struct secret *s)
{
    return s == NULL || s->private_p == NULL;
}

struct str secret_reveal(const struct secret *s)
{
    if (secret_is_none(s))
        return STR_NONE;
    return (struct str){s->private_p, s->private_n};
}
