// SPDX-License-Identifier: MIT
/* Encryption at rest: XChaCha20-Poly1305 under one of several named keys. The associated data is the caller's place
 * ("table|column|row id"), a "|" and the key's id, so a box moved to another row, column or key does not open. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/codec.h"
#include "core/base/xmem.h"

enum {
    MAX_KEYS = 16,
    MAX_ID = 16,
    NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
};
_Static_assert(CODEC_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "the key's size is the cipher's");

struct key {
    char id[MAX_ID + 1];
    unsigned char bytes[CODEC_KEY_BYTES];
};

struct codec_keyring {
    struct key keys[MAX_KEYS];
    size_t n_keys;
};

static bool is_key_id(struct str id)
{
    if (id.n < 1 || id.n > MAX_ID)
        return false;
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && c != '_' && c != '-')
            return false;
    }
    return true;
}

static const struct key *find_key(const struct codec_keyring *ring, struct str id)
{
    for (size_t i = 0; i < ring->n_keys; i++) {
        if (str_eq_text(id, ring->keys[i].id))
            return &ring->keys[i];
    }
    return NULL;
}

/* The messages name a key by its place and id only; its bytes are secret. */
static bool add_key(struct codec_keyring *ring, struct str row, struct err *reterr)
{
    size_t number = ring->n_keys + 1;
    size_t colon = str_find(row, ':', 0);
    struct str id = str_slice(row, 0, colon);
    struct str text = str_slice(row, colon + 1, row.n);
    if (ring->n_keys == MAX_KEYS)
        return err_set(reterr, ERR_INVALID, __func__, "more than %d encryption keys", MAX_KEYS);
    if (colon == row.n || !is_key_id(id))
        return err_set(reterr, ERR_INVALID, __func__,
                       "encryption key %zu: must be id:base64, with an id of 1 to %d letters, digits, '_' or '-'",
                       number, MAX_ID);
    if (find_key(ring, id) != NULL)
        return err_set(reterr, ERR_INVALID, __func__, "encryption key %zu: the id \"%.*s\" is there twice", number,
                       STR_ARG(id));
    struct key *key = &ring->keys[ring->n_keys];
    size_t n = 0;
    int failed = sodium_base642bin(key->bytes, sizeof(key->bytes), text.p, text.n, NULL, &n, NULL,
                                   sodium_base64_VARIANT_ORIGINAL);
    if (failed != 0 || n != CODEC_KEY_BYTES)
        return err_set(reterr, ERR_INVALID, __func__, "encryption key \"%.*s\": must be base64 of exactly %d bytes",
                       STR_ARG(id), CODEC_KEY_BYTES);
    memcpy(key->id, id.p, id.n);
    key->id[id.n] = '\0';
    ring->n_keys++;
    return true;
}

struct codec_keyring *codec_keyring_new(const struct secret *spec, struct err *reterr)
{
    struct codec_keyring *ring = xcalloc(1, sizeof(*ring));
    struct str rest = secret_reveal(spec);
    struct str row;
    while (str_next(&rest, ',', &row)) {
        if (!add_key(ring, str_trim(row), reterr)) {
            codec_keyring_free(ring);
            return NULL;
        }
    }
    if (ring->n_keys == 0) {
        codec_keyring_free(ring);
        err_set(reterr, ERR_INVALID, __func__, "no encryption key");
        return NULL;
    }
    return ring;
}

void codec_keyring_free(struct codec_keyring *ring)
{
    if (ring == NULL)
        return;
    sodium_memzero(ring, sizeof(*ring));
    free(ring);
}

static void make_aad(struct buf *out, struct str aad, const char *key_id)
{
    buf_init(out, aad.n + 1 + MAX_ID);
    buf_add_str(out, aad);
    buf_add_byte(out, '|');
    buf_add_text(out, key_id);
}

void codec_seal(const struct codec_keyring *ring, struct str aad, struct str plain, struct buf *out)
{
    const struct key *key = &ring->keys[0];
    unsigned char nonce[NONCE_BYTES];
    randombytes_buf(nonce, sizeof(nonce));
    struct buf full_aad;
    make_aad(&full_aad, aad, key->id);
    unsigned char *box = xmalloc(plain.n + TAG_BYTES);
    unsigned long long n = 0;
    crypto_aead_xchacha20poly1305_ietf_encrypt(box, &n, (const unsigned char *)plain.p, plain.n,
                                               (const unsigned char *)full_aad.p, full_aad.n, NULL, nonce, key->bytes);
    buf_add(out, key->id, strlen(key->id) + 1);
    buf_add(out, nonce, sizeof(nonce));
    buf_add(out, box, (size_t)n);
    free(box);
    buf_fini(&full_aad);
}

/* A box of ours that does not open is never the client's fault, hence BUG: its text stays in the log. */
bool codec_open(const struct codec_keyring *ring, struct str aad, struct str box, struct secret *ret,
                struct err *reterr)
{
    size_t id_n = str_find(box, '\0', 0);
    struct str id = str_slice(box, 0, id_n);
    struct str nonce = str_slice(box, id_n + 1, id_n + 1 + NONCE_BYTES);
    struct str sealed = str_slice(box, id_n + 1 + NONCE_BYTES, box.n);
    if (!is_key_id(id) || nonce.n != NONCE_BYTES || sealed.n < TAG_BYTES)
        return err_set(reterr, ERR_BUG, __func__, "not an encrypted value");
    const struct key *key = find_key(ring, id);
    if (key == NULL)
        return err_set(reterr, ERR_BUG, __func__, "encrypted with the key \"%.*s\", which is not configured",
                       STR_ARG(id));
    struct buf full_aad;
    make_aad(&full_aad, aad, key->id);
    char *plain = xmalloc(sealed.n - TAG_BYTES + 1);
    unsigned long long n = 0;
    int failed = crypto_aead_xchacha20poly1305_ietf_decrypt(
        (unsigned char *)plain, &n, NULL, (const unsigned char *)sealed.p, sealed.n, (const unsigned char *)full_aad.p,
        full_aad.n, (const unsigned char *)nonce.p, key->bytes);
    buf_fini(&full_aad);
    if (failed == 0)
        *ret = secret_new((struct str){plain, (size_t)n});
    sodium_memzero(plain, sealed.n - TAG_BYTES + 1);
    free(plain);
    if (failed != 0)
        return err_set(reterr, ERR_BUG, __func__, "an encrypted value does not belong here or was changed");
    return true;
}
