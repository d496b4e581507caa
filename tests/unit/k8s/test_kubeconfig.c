// SPDX-License-Identifier: MIT
/* kubeconfig: contexts, identities, refusals with the original's words, ceilings, service accounts, token renewal. */
#include "unit/cmocka_all.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "k8s/kubeconfig.h"
#include "k8s/yaml_doc.h"

static const struct kubeconfig_source plain = {.path = NULL};

#define CONFIG(server, user)                                                                                           \
    "apiVersion: v1\nkind: Config\ncurrent-context: main\n"                                                            \
    "contexts:\n- name: other\n  context: {cluster: c2, user: u}\n"                                                    \
    "- name: main\n  context:\n    cluster: c\n    user: u\n    namespace: ns-ajno7yq7\n"                              \
    "clusters:\n- name: c\n  cluster:\n    server: " server "\n"                                                       \
    "- name: c2\n  cluster: {server: https://second.example.org, certificate-authority-data: Y2EgcGVt}\n"              \
    "users:\n- name: u\n  user:\n    " user "\n"

static struct kubeconfig *parse(const char *text, const struct kubeconfig_source *source, struct err *err)
{
    *err = (struct err){0};
    return kubeconfig_parse(str_from(text), "/nowhere", source, err);
}

static void refused(const char *text, const struct kubeconfig_source *source, enum err_kind kind, const char *part)
{
    struct err err;
    struct kubeconfig *kc = parse(text, source, &err);
    if (kc != NULL || err.kind != kind || strstr(err.msg, part) == NULL)
        fail_msg("wanted \"%s\", got %s \"%s\"", part, err_slug(err.kind), err.msg);
}

static void test_the_current_context_is_read(void **state)
{
    struct err err;
    struct kubeconfig *kc = parse(CONFIG("https://kube.example.org:6443", "token: abc"), &plain, &err);
    (void)state;
    assert_non_null(kc);
    assert_string_equal(kc->server, "https://kube.example.org:6443");
    assert_string_equal(kc->namespace_name, "ns-ajno7yq7");
    assert_string_equal(kc->context, "main");
    assert_str(secret_reveal(&kc->token), "abc");
    assert_true(secret_is_none(&kc->ca) && secret_is_none(&kc->cert) && !kc->is_unverified);
    kubeconfig_free(kc);
}

static void test_another_context_may_be_asked_for(void **state)
{
    struct kubeconfig_source source = {.context = "other"};
    struct err err;
    struct kubeconfig *kc = parse(CONFIG("https://kube.example.org", "token: abc"), &source, &err);
    (void)state;
    assert_non_null(kc);
    assert_string_equal(kc->server, "https://second.example.org");
    assert_str(secret_reveal(&kc->ca), "ca pem");
    assert_null(kc->namespace_name);
    kubeconfig_free(kc);
    source.context = "third";
    refused(CONFIG("https://kube.example.org", "token: abc"), &source, ERR_INVALID, "no context \"third\"");
}

static void test_json_is_read_like_yaml(void **state)
{
    struct err err;
    struct kubeconfig *kc = parse(
        "{\"current-context\":\"a\",\"contexts\":[{\"name\":\"a\",\"context\":{\"cluster\":\"c\",\"user\":\"u\"}}],"
        "\"clusters\":[{\"name\":\"c\",\"cluster\":{\"server\":\"https://k.example.org\"}}],"
        "\"users\":[{\"name\":\"u\",\"user\":{\"client-certificate-data\":\"Y2VydA==\","
        "\"client-key-data\":\"a2V5\"}}]}",
        &plain, &err);
    (void)state;
    assert_non_null(kc);
    assert_str(secret_reveal(&kc->cert), "cert");
    assert_str(secret_reveal(&kc->key), "key");
    kubeconfig_free(kc);
}

static void test_a_server_that_is_empty_or_loopback_is_refused_with_the_originals_words(void **state)
{
    struct kubeconfig_source allowed = {.is_loopback_allowed = true};
    struct err err;
    struct kubeconfig *kc = parse(CONFIG("https://127.0.0.1:6443", "token: abc"), &allowed, &err);
    (void)state;
    assert_non_null(kc);
    kubeconfig_free(kc);
    refused(CONFIG("https://localhost:6443", "token: a"), &plain, ERR_INVALID,
            "Invalid server endpoint: https://localhost:6443");
    refused(CONFIG("https://127.0.0.1:6443", "token: a"), &plain, ERR_INVALID, "Invalid server endpoint: https://127");
    refused(CONFIG("https://[::1]:6443", "token: a"), &plain, ERR_INVALID, "Invalid server endpoint: ");
    refused(CONFIG("", "token: a"), &allowed, ERR_INVALID, "Invalid server endpoint: ");
    refused(CONFIG("''", "token: a"), &allowed, ERR_INVALID, "Invalid server endpoint: ");
    refused("{}", &allowed, ERR_INVALID, "no context");
}

static void test_what_is_not_supported_is_said(void **state)
{
    struct kubeconfig_source unverified = {.is_unverified_allowed = true};
    struct err err;
    const char *text = CONFIG("https://k.example.org\n    insecure-skip-tls-verify: true", "token: a");
    struct kubeconfig *kc = parse(text, &unverified, &err);
    (void)state;
    assert_non_null(kc);
    assert_true(kc->is_unverified);
    kubeconfig_free(kc);
    refused(text, &plain, ERR_INVALID, "insecure-skip-tls-verify");
    refused(CONFIG("https://k.example.org", "exec: {command: aws}"), &plain, ERR_INVALID, "\"exec\"");
    refused(CONFIG("https://k.example.org", "username: admin"), &plain, ERR_INVALID, "\"username\"");
    refused(CONFIG("https://k.example.org", "client-key-data: a2V5"), &plain, ERR_INVALID, "come as a pair");
    refused(CONFIG("https://k.example.org", "client-key-data: '%%'"), &plain, ERR_INVALID, "certificate or key data");
    refused(CONFIG("https://k.example.org", "client-certificate: /no/such"), &plain, ERR_MISSING, "/no/such");
    refused(CONFIG("https://k.example.org", "tokenFile: /dev/zero"), &plain, ERR_INVALID, "/dev/zero");
    refused(CONFIG("https://k.example.org\n    tls-server-name: x", "token: a"), &plain, ERR_INVALID,
            "tls-server-name");
}

static void test_equal_keys_count_as_absent(void **state)
{
    (void)state;
    refused(CONFIG("https://a.example.org\n    server: https://b.example.org", "token: a"), &plain, ERR_INVALID,
            "Invalid server endpoint: ");
}

static void test_documents_are_read_within_ceilings(void **state)
{
    struct buf text;
    struct err err = {0};
    (void)state;
    buf_init(&text, 4 << 20);
    for (int i = 0; i < KUBECONFIG_DEPTH_MAX + 1; i++)
        buf_add_byte(&text, '[');
    refused(buf_text(&text), &plain, ERR_TOO_LARGE, "nested too deeply");
    buf_clear(&text);
    for (int i = 0; i < KUBECONFIG_EVENTS_MAX; i++)
        buf_add_text(&text, "- a\n");
    refused(buf_text(&text), &plain, ERR_TOO_LARGE, "too many parts");
    for (size_t i = 0; i <= KUBECONFIG_CEILING_BYTES; i++)
        buf_add_byte(&text, ' ');
    refused(buf_text(&text), &plain, ERR_TOO_LARGE, "larger than");
    refused("a: [b", &plain, ERR_INVALID, "line");
    refused("a: &x [1]\nb: *y", &plain, ERR_INVALID, "line");
    buf_fini(&text);
    struct yaml_doc *empty = yaml_doc_parse(STR(""), &err);
    assert_non_null(empty);
    assert_null(yaml_doc_root(empty));
    yaml_doc_free(empty);
}

/* ---- files ---- */

struct folder {
    char path[64];
};

static void put(const struct folder *f, const char *name, const char *text, int mtime_s)
{
    char path[256];
    struct timespec times[2] = {
        {mtime_s, 0},
        {mtime_s, 0}
    };
    FILE *file;
    assert_true(snprintf(path, sizeof path, "%s/%s", f->path, name) > 0);
    file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void clear(const struct folder *f)
{
    static const char *const names[] = {"token", "ca.crt", "namespace", "kubeconfig"};
    char path[256];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_true(snprintf(path, sizeof path, "%s/%s", f->path, names[i]) > 0);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(f->path), 0);
}

static void test_a_service_account_is_used_in_a_pod(void **state)
{
    struct folder f = {"/tmp/fs-kubeconfig-XXXXXX"};
    struct kubeconfig_source source = {.service_host = "10.96.0.1", .account_dir = f.path};
    struct err err = {0};
    struct kubeconfig *kc;
    bool is_new = true;
    (void)state;
    assert_non_null(mkdtemp(f.path));
    put(&f, "token", "first\n", 1000);
    put(&f, "ca.crt", "pem", 1000);
    put(&f, "namespace", "ns-a\n", 1000);
    kc = kubeconfig_load(&source, &err);
    assert_non_null(kc);
    assert_string_equal(kc->server, "https://10.96.0.1:443");
    assert_string_equal(kc->namespace_name, "ns-a");
    assert_str(secret_reveal(&kc->token), "first");
    assert_true(kubeconfig_refresh_token(kc, false, &is_new, &err) && !is_new);
    put(&f, "token", "second\n", 2000);
    assert_true(kubeconfig_refresh_token(kc, false, &is_new, &err) && is_new);
    assert_str(secret_reveal(&kc->token), "second");
    put(&f, "token", "third", 2000); /* the same time: only a 401 makes us look */
    assert_true(kubeconfig_refresh_token(kc, false, &is_new, &err) && !is_new);
    assert_true(kubeconfig_refresh_token(kc, true, &is_new, &err) && is_new);
    clear(&f);
    assert_false(kubeconfig_refresh_token(kc, true, &is_new, &err));
    assert_str(secret_reveal(&kc->token), "third");
    kubeconfig_free(kc);
    source.service_host = "fd00::1";
    assert_null(kubeconfig_load(&source, &err));
    assert_int_equal(err.kind, ERR_MISSING);
}

static void test_files_are_relative_to_the_kubeconfig(void **state)
{
    struct folder f = {"/tmp/fs-kubeconfig-XXXXXX"};
    char path[128];
    struct kubeconfig_source source = {.path = path};
    struct err err = {0};
    struct kubeconfig *kc;
    (void)state;
    assert_non_null(mkdtemp(f.path));
    put(&f, "token", "from-file", 1000);
    put(&f, "kubeconfig", CONFIG("https://k.example.org\n    certificate-authority: ca.crt", "tokenFile: token"), 1000);
    put(&f, "ca.crt", "the pem", 1000);
    assert_true(snprintf(path, sizeof path, "%s/kubeconfig", f.path) > 0);
    kc = kubeconfig_load(&source, &err);
    assert_non_null(kc);
    assert_str(secret_reveal(&kc->token), "from-file");
    assert_str(secret_reveal(&kc->ca), "the pem");
    kubeconfig_free(kc);
    clear(&f);
    assert_null(kubeconfig_load(&source, &err));
    assert_int_equal(err.kind, ERR_MISSING);
    assert_true(strstr(err.msg, "Kubeconfig file not found at: /tmp/fs-kubeconfig-") == err.msg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_current_context_is_read),
        cmocka_unit_test(test_another_context_may_be_asked_for),
        cmocka_unit_test(test_json_is_read_like_yaml),
        cmocka_unit_test(test_a_server_that_is_empty_or_loopback_is_refused_with_the_originals_words),
        cmocka_unit_test(test_what_is_not_supported_is_said),
        cmocka_unit_test(test_equal_keys_count_as_absent),
        cmocka_unit_test(test_documents_are_read_within_ceilings),
        cmocka_unit_test(test_a_service_account_is_used_in_a_pod),
        cmocka_unit_test(test_files_are_relative_to_the_kubeconfig),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
