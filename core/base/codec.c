// SPDX-License-Identifier: MIT
/* Random, hashes and text encodings on libsodium. Encryption at rest is in codec_keyring.c. */
#include "core/base/codec.h"

#include <sodium.h>
#include <string.h>

#include "core/base/buf.h"

static bool is_hash_keyed;
static unsigned char hash_key[crypto_shorthash_KEYBYTES];

bool codec_init(struct err *reterr)
{
    if (sodium_init() < 0)
        return err_set(reterr, ERR_BUG, __func__, "libsodium could not be initialised");
    return true;
}

void codec_random(void *ret, size_t n)
{
    randombytes_buf(ret, n);
}

void codec_random_token(char ret[CODEC_TOKEN_SIZE])
{
    unsigned char bytes[32];
    randombytes_buf(bytes, sizeof(bytes));
    sodium_bin2base64(ret, CODEC_TOKEN_SIZE, bytes, sizeof(bytes), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bytes, sizeof(bytes));
}

void codec_random_text(char *ret, size_t n, const char *alphabet)
{
    uint32_t letters = (uint32_t)strlen(alphabet);
    for (size_t i = 0; i < n; i++)
        ret[i] = alphabet[randombytes_uniform(letters)];
    ret[n] = '\0';
}

static const char hex_digits[] = "0123456789abcdef";

void codec_uuid7(int64_t wall_ms, char ret[CODEC_UUID_SIZE])
{
    unsigned char bytes[16];
    randombytes_buf(bytes, sizeof(bytes));
    for (int i = 0; i < 6; i++)
        bytes[i] = (unsigned char)((uint64_t)wall_ms >> (40 - 8 * i));
    bytes[6] = (unsigned char)(0x70 | (bytes[6] & 0x0F));
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3F));
    char *p = ret;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = hex_digits[bytes[i] >> 4];
        *p++ = hex_digits[bytes[i] & 15];
    }
    *p = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool codec_is_uuid(struct str s)
{
    if (s.n != CODEC_UUID_SIZE - 1)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        bool want_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (want_dash ? s.p[i] != '-' : hex_value(s.p[i]) < 0)
            return false;
    }
    return true;
}

void codec_sha256(struct str bytes, uint8_t ret[CODEC_SHA256_BYTES])
{
    crypto_hash_sha256(ret, (const unsigned char *)bytes.p, bytes.n);
}

bool codec_equal_secret(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || sodium_memcmp(a.p, b.p, a.n) == 0);
}

/* The key is drawn at the first use, so that no caller can hash before it is random. */
uint64_t codec_hash(const void *p, size_t n)
{
    if (!is_hash_keyed) {
        crypto_shorthash_keygen(hash_key);
        is_hash_keyed = true;
    }
    unsigned char out[crypto_shorthash_BYTES];
    crypto_shorthash(out, p, n, hash_key);
    uint64_t value = 0;
    memcpy(&value, out, sizeof(value));
    return value;
}

void codec_hex(struct buf *out, const void *p, size_t n)
{
    const unsigned char *bytes = p;
    for (size_t i = 0; i < n; i++) {
        char pair[2] = {hex_digits[bytes[i] >> 4], hex_digits[bytes[i] & 15]};
        buf_add(out, pair, sizeof(pair));
    }
}

/* In pieces of a multiple of three bytes, which need no padding between them. */
static void add_base64(struct buf *out, struct str bytes, int variant)
{
    enum { PIECE = 768 };
    char text[PIECE / 3 * 4 + 1];
    for (size_t at = 0; at < bytes.n; at += PIECE) {
        struct str piece = str_slice(bytes, at, at + PIECE);
        sodium_bin2base64(text, sizeof(text), (const unsigned char *)piece.p, piece.n, variant);
        buf_add_text(out, text);
    }
    sodium_memzero(text, sizeof(text));
}

void codec_base64(struct buf *out, struct str bytes)
{
    add_base64(out, bytes, sodium_base64_VARIANT_ORIGINAL);
}

void codec_base64url(struct buf *out, struct str bytes)
{
    add_base64(out, bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool codec_base64_decode(struct arena *a, struct str text, struct str *ret, struct err *reterr)
{
    size_t room = text.n / 4 * 3;
    char *bytes = arena_alloc(a, room + 1);
    size_t n = 0;
    if (text.n % 4 != 0 || (text.n > 0 && sodium_base642bin((unsigned char *)bytes, room, text.p, text.n, NULL, &n,
                                                            NULL, sodium_base64_VARIANT_ORIGINAL) != 0))
        return err_set(reterr, ERR_INVALID, __func__, "not base64");
    *ret = (struct str){bytes, n};
    return true;
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

void codec_percent_encode(struct buf *out, struct str bytes)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < bytes.n; i++) {
        unsigned char c = (unsigned char)bytes.p[i];
        char escaped[3] = {'%', digits[c >> 4], digits[c & 15]};
        if (is_unreserved(bytes.p[i]))
            buf_add_byte(out, bytes.p[i]);
        else
            buf_add(out, escaped, sizeof(escaped));
    }
}

bool codec_percent_decode(struct arena *a, struct str text, struct str *ret, struct err *reterr)
{
    char *bytes = arena_dup(a, text);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        int c = (unsigned char)text.p[i];
        if (c == '%') {
            int high = text.n - i > 2 ? hex_value(text.p[i + 1]) : -1;
            int low = text.n - i > 2 ? hex_value(text.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return err_set(reterr, ERR_INVALID, __func__, "a %% sign without two hexadecimal digits after it");
            c = high * 16 + low;
            i += 2;
        }
        if (c == 0)
            return err_set(reterr, ERR_INVALID, __func__, "a NUL character");
        bytes[n++] = (char)c;
    }
    bytes[n] = '\0';
    *ret = (struct str){bytes, n};
    return true;
}
