// SPDX-License-Identifier: MIT
/* fullstackd reencrypt: after a new key was put first into the ring, everything that older keys have sealed is sealed
 * with it, so that they can be taken out. Servers may run meanwhile, once they have the new ring. */
#include <stdio.h>

#include "server/main_store.h"
#include "store/reencrypt.h"

enum { QUERY_DEADLINE_MS = 30000 };

struct reencryption {
    struct main_store *m;
    unsigned unread_n;
};

static void on_table(void *arg, const struct reencrypt_told *told)
{
    struct reencryption *r = arg;
    printf("%s.%s: %u re-encrypted", told->table, told->column, told->sealed_n);
    if (told->unread_n > 0)
        printf(", %u that no key of the ring opens", told->unread_n);
    printf("\n");
    r->unread_n += told->unread_n;
}

static void on_end(void *arg, const struct err *err)
{
    struct reencryption *r = arg;
    if (err != NULL)
        r->m->status = main_fail(EXIT_FAILED, "re-encrypting", err);
    else
        r->m->status = r->unread_n == 0 ? EXIT_OK : EXIT_FAILED;
    loop_stop(r->m->loop);
}

static void begin(struct main_store *m, void *arg)
{
    struct reencryption *r = arg;
    r->m = m;
    reencrypt_start(m->store, QUERY_DEADLINE_MS, on_table, on_end, r);
}

int main_reencrypt(const struct main_options *o)
{
    struct reencryption r = {0};
    return main_on_store(o, QUERY_DEADLINE_MS, begin, &r);
}
