// SPDX-License-Identifier: MIT
/* A SHA-256 of the bytes is the tag: the same bytes have the same one on every replica. */
#include "server/http_etag.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/codec.h"

enum { DIGEST_BYTES = 16 /* of the SHA-256: half of it is more than enough to tell versions apart */ };

void http_etag(struct str bytes, char ret[HTTP_ETAG_SIZE])
{
    uint8_t digest[CODEC_SHA256_BYTES];
    struct buf text;
    codec_sha256(bytes, digest);
    buf_init(&text, HTTP_ETAG_SIZE - 1);
    buf_add_byte(&text, '"');
    codec_hex(&text, digest, DIGEST_BYTES);
    buf_add_byte(&text, '"');
    memcpy(ret, buf_text(&text), text.n + 1);
    buf_fini(&text);
}

/* The weak comparison, so a W/ in front does not count. */
bool http_etag_is_known(const struct http_exchange *x, const char *etag)
{
    struct str rest = http_header(x, "If-None-Match");
    struct str part;
    while (str_next(&rest, ',', &part)) {
        part = str_trim(part);
        if (str_starts(part, STR("W/")))
            part = str_slice(part, 2, part.n);
        if (str_eq_text(part, etag) || str_eq(part, STR("*")))
            return true;
    }
    return false;
}
