// SPDX-License-Identifier: MIT
/* kubeconfig_parse on any bytes: it is either refused with a reason, or has a server that is not loopback, an identity
 * that is whole, and no file is named that was not read. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "k8s/kubeconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct kubeconfig_source source = {.path = NULL};
    struct err err = {0};
    struct kubeconfig *kc = kubeconfig_parse((struct str){(const char *)data, size}, "/nowhere", &source, &err);
    if (kc == NULL) {
        assert(err.kind == ERR_INVALID || err.kind == ERR_TOO_LARGE || err.kind == ERR_MISSING);
        assert(err.msg[0] != '\0');
        return 0;
    }
    assert(kc->server != NULL && kc->server[0] != '\0' && strstr(kc->server, "localhost") == NULL);
    assert(kc->context != NULL && !kc->is_unverified);
    assert(secret_is_none(&kc->cert) == secret_is_none(&kc->key));
    kubeconfig_free(kc);
    return 0;
}
