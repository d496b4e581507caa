// SPDX-License-Identifier: MIT
/* POST: new objects. */
#include "core/base/codec.h"
#include "devcluster/api/api_private.h"
#include "devcluster/api/call.h"

enum { GENERATED_SUFFIX_N = 5, GENERATED_PREFIX_MAX = 58 };

static void generate_name(struct arena *a, struct doc *meta)
{
    struct str prefix = doc_get(meta, "generateName");
    if (doc_get(meta, "name").n > 0 || prefix.n == 0)
        return;
    char suffix[GENERATED_SUFFIX_N + 1];
    codec_random_text(suffix, GENERATED_SUFFIX_N, "bcdfghjklmnpqrstvwxz2456789");
    doc_set_text(a, meta, "name",
                 arena_printf(a, "%.*s%s", STR_ARG(str_slice(prefix, 0, GENERATED_PREFIX_MAX)), suffix));
}

/* What a client may not set on a new object. */
static void drop_server_fields(struct call *c, struct doc *root)
{
    static const char *const names[] = {"uid",           "resourceVersion",           "generation",
                                        "selfLink",      "creationTimestamp",         "deletionTimestamp",
                                        "managedFields", "deletionGracePeriodSeconds"};
    struct doc *meta = doc_edit(root, "metadata");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        doc_remove(meta, names[i]);
    if ((c->kind->flags & HAS_STATUS) != 0 && c->kind->id != KIND_NODE)
        doc_remove(root, "status");
}

static bool create_in(struct call *c, struct arena *a, struct doc **ret)
{
    struct doc *root;
    if (!body_object(c, a, &root) || !write_known(c, root))
        return false;
    struct doc *meta = doc_edit(root, "metadata");
    if (doc_get(meta, "resourceVersion").n > 0)
        return call_bad_request(c, "resourceVersion should not be set on objects to be created");
    drop_server_fields(c, root);
    generate_name(a, meta);
    if (c->kind->id == KIND_NAMESPACE)
        c->ns = STR_NONE;
    *ret = root;
    return write_check(c, root, a, NULL) && write_admit(c, root);
}

bool call_create(struct call *c)
{
    struct arena *a = arena_new();
    struct doc *root = NULL;
    if (!create_in(c, a, &root)) {
        arena_free(a);
        return false;
    }
    struct draft *d = draft_new(c->kind, root, a);
    write_manager(c, d, NULL);
    return write_new(c, d);
}
