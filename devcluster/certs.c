// SPDX-License-Identifier: MIT
/* X.509 with OpenSSL. */
#include "devcluster/certs.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "devcluster/files.h"

enum { CA_DAYS = 3650, SERVER_DAYS = 365, DAY_S = 24 * 3600, SERIAL_BYTES = 16, PEM_CEILING_BYTES = 64 * 1024 };

struct pair {
    X509 *cert;
    EVP_PKEY *key;
};

static void pair_fini(struct pair *p)
{
    X509_free(p->cert);
    EVP_PKEY_free(p->key);
    *p = (struct pair){NULL, NULL};
}

static bool broken(struct err *reterr, const char *what)
{
    return err_set(reterr, ERR_BUG, __func__, "OpenSSL could not %s", what);
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (extension == NULL)
        return false;
    bool is_added = X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return is_added;
}

static bool set_serial(X509 *cert)
{
    unsigned char bytes[SERIAL_BYTES];
    if (RAND_bytes(bytes, SERIAL_BYTES) != 1)
        return false;
    bytes[0] &= 0x7f;
    BIGNUM *number = BN_bin2bn(bytes, SERIAL_BYTES, NULL);
    bool is_set = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;
    BN_free(number);
    return is_set;
}

/* A certificate without extensions, with a key of its own. issuer NULL: itself. */
static bool begin(struct pair *p, const char *name, long days, const struct pair *issuer)
{
    p->key = EVP_EC_gen("P-256");
    p->cert = X509_new();
    if (p->key == NULL || p->cert == NULL || !set_serial(p->cert) || X509_set_version(p->cert, 2) != 1 ||
        X509_set_pubkey(p->cert, p->key) != 1)
        return false;
    X509_NAME *subject = X509_get_subject_name(p->cert);
    if (X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0) != 1)
        return false;
    X509_NAME *from = issuer == NULL ? subject : X509_get_subject_name(issuer->cert);
    return X509_set_issuer_name(p->cert, from) == 1 && X509_gmtime_adj(X509_getm_notBefore(p->cert), -DAY_S) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(p->cert), days * DAY_S) != NULL;
}

static bool make_ca(struct pair *p)
{
    return begin(p, "devcluster-ca", CA_DAYS, NULL) &&
           add_extension(p->cert, p->cert, NID_basic_constraints, "critical,CA:TRUE") &&
           add_extension(p->cert, p->cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
           add_extension(p->cert, p->cert, NID_subject_key_identifier, "hash") &&
           X509_sign(p->cert, p->key, EVP_sha256()) > 0;
}

static const char *names_of(struct arena *a, const char *host)
{
    static const char base[] = "IP:127.0.0.1,IP:::1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,"
                               "DNS:kubernetes.default.svc";
    unsigned char address[sizeof(struct in6_addr)];
    if (host == NULL)
        return base;
    bool is_address = inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
    return arena_printf(a, "%s,%s:%s", base, is_address ? "IP" : "DNS", host);
}

static bool make_server(struct pair *p, struct pair *ca, const char *names)
{
    return begin(p, "devcluster", SERVER_DAYS, ca) &&
           add_extension(p->cert, ca->cert, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(p->cert, ca->cert, NID_key_usage, "critical,digitalSignature") &&
           add_extension(p->cert, ca->cert, NID_ext_key_usage, "serverAuth") &&
           add_extension(p->cert, ca->cert, NID_authority_key_identifier, "keyid") &&
           add_extension(p->cert, ca->cert, NID_subject_alt_name, names) &&
           X509_sign(p->cert, ca->key, EVP_sha256()) > 0;
}

/* ---- files ---- */

static struct str take_pem(struct arena *a, BIO *bio)
{
    char *bytes = NULL;
    long n = BIO_get_mem_data(bio, &bytes);
    struct str text = arena_dup_str(a, (struct str){bytes, n > 0 ? (size_t)n : 0});
    BIO_free(bio);
    return text;
}

static bool write_pair(struct arena *a, const struct pair *p, const char *paths[2], struct err *reterr)
{
    BIO *cert = BIO_new(BIO_s_mem());
    BIO *key = BIO_new(BIO_s_mem());
    bool is_written = cert != NULL && key != NULL && PEM_write_bio_X509(cert, p->cert) == 1 &&
                      PEM_write_bio_PKCS8PrivateKey(key, p->key, NULL, NULL, 0, NULL, NULL) == 1;
    if (!is_written) {
        BIO_free(cert);
        BIO_free(key);
        return broken(reterr, "write PEM");
    }
    return files_write(paths[0], take_pem(a, cert), reterr) && files_write(paths[1], take_pem(a, key), reterr);
}

/* False without an error when there is nothing usable. */
static bool read_pair(struct arena *a, const char *paths[2], struct pair *ret)
{
    struct str texts[2];
    for (size_t i = 0; i < 2; i++)
        if (!files_read(a, paths[i], PEM_CEILING_BYTES, &texts[i], NULL))
            return false;
    BIO *cert = BIO_new_mem_buf(texts[0].p, (int)texts[0].n);
    BIO *key = BIO_new_mem_buf(texts[1].p, (int)texts[1].n);
    ret->cert = PEM_read_bio_X509(cert, NULL, NULL, NULL);
    ret->key = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
    BIO_free(cert);
    BIO_free(key);
    bool is_usable = ret->cert != NULL && ret->key != NULL && X509_check_private_key(ret->cert, ret->key) == 1 &&
                     X509_cmp_current_time(X509_get0_notAfter(ret->cert)) > 0;
    if (!is_usable)
        pair_fini(ret);
    return is_usable;
}

static bool need_ca(struct arena *a, const char *paths[2], struct pair *ret, struct err *reterr)
{
    if (read_pair(a, paths, ret))
        return true;
    return make_ca(ret) ? write_pair(a, ret, paths, reterr) : broken(reterr, "make a certificate authority");
}

bool certs_make(struct arena *a, const char *dir, const char *host, struct certs *ret, struct err *reterr)
{
    const char *ca_paths[2] = {arena_printf(a, "%s/ca.crt", dir), arena_printf(a, "%s/ca.key", dir)};
    const char *paths[2] = {arena_printf(a, "%s/server.crt", dir), arena_printf(a, "%s/server.key", dir)};
    struct pair ca = {NULL, NULL};
    struct pair server = {NULL, NULL};
    bool is_made = need_ca(a, ca_paths, &ca, reterr);
    if (is_made && !make_server(&server, &ca, names_of(a, host)))
        is_made = broken(reterr, "make a server certificate");
    is_made = is_made && write_pair(a, &server, paths, reterr) &&
              files_read(a, ca_paths[0], PEM_CEILING_BYTES, &ret->ca_pem, reterr);
    ret->cert_path = paths[0];
    ret->key_path = paths[1];
    pair_fini(&ca);
    pair_fini(&server);
    return is_made;
}
