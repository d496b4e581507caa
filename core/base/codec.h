// SPDX-License-Identifier: MIT
/* Random, hashes, encodings and encryption at rest; codec.c and codec_keyring.c are the only files that
 * include libsodium. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/secret.h"
#include "core/base/str.h"

enum {
    CODEC_SHA256_BYTES = 32,
    CODEC_UUID_SIZE = 37,  /* 36 characters and a NUL */
    CODEC_TOKEN_SIZE = 44, /* 256 bits as base64url without padding, and a NUL */
    CODEC_KEY_BYTES = 32,
};

/* Once, before anything else here. */
MUST_CHECK bool codec_init(struct err *reterr);

void codec_random(void *ret, size_t n);
/* 256 random bits as 43 base64url characters and a NUL. */
void codec_random_token(char ret[CODEC_TOKEN_SIZE]);
/* n characters drawn evenly from `alphabet`, and a NUL; ret holds n + 1 bytes. */
void codec_random_text(char *ret, size_t n, const char *alphabet);
/* UUIDv7 (RFC 9562 section 5.7) for the given wall time, lower case. */
void codec_uuid7(int64_t wall_ms, char ret[CODEC_UUID_SIZE]);
/* Is it 8-4-4-4-12 hexadecimal digits? */
bool codec_is_uuid(struct str s);

void codec_sha256(struct str bytes, uint8_t ret[CODEC_SHA256_BYTES]);
/* Compares in constant time; different lengths are unequal. */
bool codec_equal_secret(struct str a, struct str b);
/* Keyed SipHash-2-4 with a per-process random key: for hash tables whose keys come from clients. */
uint64_t codec_hash(const void *p, size_t n);

struct buf;
void codec_hex(struct buf *out, const void *p, size_t n);
void codec_base64(struct buf *out, struct str bytes);    /* RFC 4648 section 4, padded */
void codec_base64url(struct buf *out, struct str bytes); /* section 5, no padding */
/* Strict: alphabet of section 4 with padding; blanks are refused. */
MUST_CHECK bool codec_base64_decode(struct arena *a, struct str text, struct str *ret, struct err *reterr);
/* Everything outside RFC 3986 "unreserved" becomes %XX. */
void codec_percent_encode(struct buf *out, struct str bytes);
/* %XX decoded, '+' left alone; a bad escape or a NUL is INVALID. */
MUST_CHECK bool codec_percent_decode(struct arena *a, struct str text, struct str *ret, struct err *reterr);

/* Encryption at rest: XChaCha20-Poly1305 with a random nonce. A box is "keyid \0 nonce ciphertext" as bytes.
 * aad names where the box lives ("table|column|row id"); the key id is added to it. */
struct codec_keyring;
/* spec: "id:base64,id:base64,…" (32 bytes each); the first seals, all open. ids: 1-16 of [A-Za-z0-9_-]. */
MUST_CHECK struct codec_keyring *codec_keyring_new(const struct secret *spec, struct err *reterr);
void codec_keyring_free(struct codec_keyring *ring);
void codec_seal(const struct codec_keyring *ring, struct str aad, struct str plain, struct buf *out);
/* Fails with BUG: unknown key, another place, or changed bytes. *ret is the caller's to secret_fini. */
MUST_CHECK bool codec_open(const struct codec_keyring *ring, struct str aad, struct str box, struct secret *ret,
                           struct err *reterr);
