// SPDX-License-Identifier: MIT
/* One row per way to install KubeBlocks. */
#include "devcluster/objects/crd.h"

#include "devcluster/objects/schema.h"

static const struct {
    const char *name;
    bool serves_v1alpha1;
    bool serves_v1;
} ROWS[] = {
    [CRD_V1ALPHA1] = {"v1alpha1", true,  false},
    [CRD_V1] = {"v1",       false, true },
    [CRD_BOTH] = {"both",     true,  true },
    [CRD_NONE] = {"none",     false, false},
};

bool crd_parse(struct str text, enum crd *ret)
{
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
        if (str_eq_text(text, ROWS[i].name)) {
            *ret = (enum crd)i;
            return true;
        }
    return false;
}

static bool is_served(enum crd crd, const struct kind *kind)
{
    if (kind->id != KIND_CLUSTER)
        return true;
    return kind == kind_cluster_v1() ? ROWS[crd].serves_v1 : ROWS[crd].serves_v1alpha1;
}

const struct kind *crd_find(enum crd crd, struct str group, struct str version, struct str plural)
{
    const struct kind *kind = kind_find(group, version, plural);
    return kind != NULL && is_served(crd, kind) ? kind : NULL;
}

bool crd_has_version(enum crd crd, struct str group, struct str version)
{
    const struct kind *cluster = kind_find(group, version, STR("clusters"));
    return kind_has_version(group, version) && (cluster == NULL || is_served(crd, cluster));
}

const struct kind *crd_stored(enum crd crd, const struct kind *kind)
{
    if (kind->id != KIND_CLUSTER)
        return kind;
    return ROWS[crd].serves_v1 ? kind_cluster_v1() : kind_get(KIND_CLUSTER);
}

struct doc *crd_convert(struct arena *a, const struct kind *to, const struct doc *root)
{
    struct doc *copy = doc_copy(a, root);
    doc_set_text(a, copy, "apiVersion", kind_api_version(a, to));
    (void)schema_prune(a, to, copy);
    if (to->fill != NULL)
        to->fill(a, copy);
    doc_sort(a, copy, true);
    return copy;
}
