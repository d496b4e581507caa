// SPDX-License-Identifier: MIT
/* The token controller: a Secret that asks for an account's token gets one, and goes when the account does. */
#include "core/base/buf.h"
#include "core/base/codec.h"
#include "devcluster/control/control_private.h"
#include "devcluster/objects/token.h"

enum { VALUE_CEILING_BYTES = 64 * 1024 };

static void set_data(struct draft *d, const char *key, struct str value)
{
    struct buf text;
    buf_init(&text, VALUE_CEILING_BYTES);
    codec_base64(&text, value);
    doc_set_str(d->arena, doc_need_object(d->arena, d->root, "data"), key, buf_str(&text));
    buf_fini(&text);
}

void secret_reconcile(struct control *control, struct work *w)
{
    const struct object *o = w->entry->now;
    struct str name = token_account(o);
    struct entry *account;
    struct draft *d;
    struct doc *meta;
    if (str_is_none(name) || object_is_deleting(o))
        return;
    account = store_find(control->store, kind_get(KIND_SERVICEACCOUNT), o->ns, name);
    if (account == NULL) {
        store_delete(control->store, w->entry, DELETE_BACKGROUND, -1);
        return;
    }
    if (!str_is_none(doc_as_str(doc_at(o->root, "data", "token", NULL))))
        return;
    d = draft_of(w->entry);
    meta = doc_need_object(d->arena, d->root, "metadata");
    doc_set_str(d->arena, doc_need_object(d->arena, meta, "annotations"), TOKEN_ACCOUNT_UID_KEY, account->now->uid);
    set_data(d, "ca.crt", control->ca_pem);
    set_data(d, "namespace", o->ns);
    set_data(d, "token", token_new(d->arena, o));
    (void)store_put(control->store, d, STORE_MAIN);
}
