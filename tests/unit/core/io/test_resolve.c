// SPDX-License-Identifier: MIT
/* resolve_start against a name server of our own on the same loop. */
#include "unit/cmocka_all.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/io/resolve.h"

enum { TYPE_A = 1, TYPE_AAAA = 28, SERVER_FAILED = 2, NOT_EXIST = 3, REFUSED = 5 };

struct fixture {
    struct loop *loop;
    struct loop_timer deadline;
    char folder[32];
    char resolv_conf[64];
    char hosts[64];
    /* the name server */
    int socket;
    struct loop_fd *fd;
    size_t questions;
    bool is_silent;
    /* what came back */
    size_t calls;
    size_t want_calls;
    struct resolved found;
    struct err err;
    struct op *op;
};

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* ---- the name server ---- */

static void add_u16(struct buf *b, unsigned value)
{
    char bytes[2] = {(char)(value >> 8), (char)value};
    buf_add(b, bytes, 2);
}

/* The name of the question as text; returns the index after it. */
static size_t read_name(struct str packet, struct buf *ret)
{
    size_t at = 12;
    while (at < packet.n && packet.p[at] != 0) {
        size_t n = (size_t)packet.p[at];
        assert_true(at + 1 + n < packet.n);
        if (ret->n > 0)
            buf_add_byte(ret, '.');
        buf_add(ret, packet.p + at + 1, n);
        at += n + 1;
    }
    return at + 1;
}

/* What the server knows: both.test has both kinds, four.test and six.test one, slow.test never answers for IPv6,
 * short.search.test is found by the search domain, broken.test and refused.test fail. */
static const char *answer_for(struct str name, int type, int *ret_code)
{
    static const struct {
        const char *name;
        int type;
        const char *address;
    } rows[] = {
        {"both.test",         TYPE_A,    "10.1.1.1"   },
        {"both.test",         TYPE_AAAA, "2001:db8::1"},
        {"four.test",         TYPE_A,    "10.1.1.2"   },
        {"four.test",         TYPE_AAAA, ""           },
        {"six.test",          TYPE_AAAA, "2001:db8::2"},
        {"six.test",          TYPE_A,    ""           },
        {"slow.test",         TYPE_A,    "10.1.1.3"   },
        {"slow.test",         TYPE_AAAA, NULL         },
        {"empty.test",        TYPE_A,    ""           },
        {"empty.test",        TYPE_AAAA, ""           },
        {"short.search.test", TYPE_A,    "10.1.1.4"   },
        {"short.search.test", TYPE_AAAA, ""           },
    };
    *ret_code = NOT_EXIST;
    if (str_eq_nocase(str_slice(name, 0, 11), STR("broken.test"))) /* evdns mixes upper and lower case */
        *ret_code = SERVER_FAILED;
    if (str_eq_nocase(str_slice(name, 0, 12), STR("refused.test")))
        *ret_code = REFUSED;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (str_eq_nocase(name, str_from(rows[i].name)) && type == rows[i].type) {
            *ret_code = 0;
            return rows[i].address;
        }
    }
    return "";
}

static void add_record(struct buf *b, int type, const char *address)
{
    unsigned char bytes[16];
    assert_int_equal(inet_pton(type == TYPE_A ? AF_INET : AF_INET6, address, bytes), 1);
    add_u16(b, 0xC00C); /* the name of the question */
    add_u16(b, (unsigned)type);
    add_u16(b, 1);
    add_u16(b, 0);
    add_u16(b, 60); /* seconds to live */
    add_u16(b, type == TYPE_A ? 4 : 16);
    buf_add(b, bytes, type == TYPE_A ? 4 : 16);
}

static void on_question(void *arg, int events)
{
    struct fixture *f = arg;
    char bytes[512];
    struct sockaddr_in peer;
    socklen_t peer_n = sizeof(peer);
    (void)events;
    ssize_t n = recvfrom(f->socket, bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&peer, &peer_n);
    if (n < 17)
        return;
    f->questions++;
    struct str packet = {bytes, (size_t)n};
    struct buf name;
    buf_init(&name, 300);
    size_t end = read_name(packet, &name);
    int type = packet.p[end + 1];
    int code = 0;
    const char *address = answer_for(buf_str(&name), type, &code);
    buf_fini(&name);
    if (f->is_silent || address == NULL)
        return;
    struct buf b;
    buf_init(&b, 512);
    buf_add(&b, bytes, 2);
    add_u16(&b, 0x8180U | (unsigned)code);
    add_u16(&b, 1);
    add_u16(&b, *address != '\0' ? 1 : 0);
    add_u16(&b, 0);
    add_u16(&b, 0);
    buf_add_str(&b, str_slice(packet, 12, end + 4));
    if (*address != '\0')
        add_record(&b, type, address);
    assert_int_equal(sendto(f->socket, b.p, b.n, 0, (struct sockaddr *)&peer, peer_n), b.n);
    buf_fini(&b);
}

static void on_deadline(void *arg)
{
    (void)arg;
    fail_msg("nothing happened in twenty seconds");
}

static int start(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    char text[200];
    if (f == NULL)
        return -1;
    memcpy(f->folder, "/tmp/test_resolve.XXXXXX", sizeof("/tmp/test_resolve.XXXXXX"));
    if (mkdtemp(f->folder) == NULL)
        return -1;
    snprintf(f->resolv_conf, sizeof(f->resolv_conf), "%s/resolv.conf", f->folder);
    snprintf(f->hosts, sizeof(f->hosts), "%s/hosts", f->folder);
    f->socket = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(f->socket, (struct sockaddr *)&address, n) != 0 ||
        getsockname(f->socket, (struct sockaddr *)&address, &n) != 0)
        return -1;
    snprintf(text, sizeof(text), "search search.test\nnameserver 127.0.0.1:%u\n", (unsigned)ntohs(address.sin_port));
    write_file(f->resolv_conf, text);
    write_file(f->hosts, "10.9.9.9 inhosts.test\n");
    f->loop = loop_new(NULL);
    loop_timer_init(&f->deadline, f->loop, on_deadline, f);
    loop_timer_set(&f->deadline, 20000);
    f->fd = loop_fd_new(f->loop, f->socket, on_question, f);
    loop_fd_want(f->fd, LOOP_READ);
    resolve_set_files(f->loop, f->resolv_conf, f->hosts);
    f->want_calls = 1;
    *state = f;
    return 0;
}

static int stop(void **state)
{
    struct fixture *f = *state;
    loop_fd_free(f->fd);
    loop_timer_clear(&f->deadline);
    loop_free(f->loop);
    close(f->socket);
    unlink(f->resolv_conf);
    unlink(f->hosts);
    rmdir(f->folder);
    free(f);
    return 0;
}

static void on_done(void *arg, const struct resolved *found, const struct err *err)
{
    struct fixture *f = arg;
    assert_true((found == NULL) == (err != NULL));
    f->calls++;
    err_copy(&f->err, err);
    f->found = found != NULL ? *found : (struct resolved){0};
    if (f->calls == f->want_calls)
        loop_stop(f->loop);
}

static void look_up(struct fixture *f, const char *host, ms_t timeout_ms)
{
    f->calls = 0;
    f->op = resolve_start(f->loop, host, timeout_ms, on_done, f);
    assert_non_null(f->op);
    assert_int_equal(f->calls, 0);
    loop_run(f->loop);
    assert_int_equal(f->calls, 1);
}

/* ---- without questions ---- */

static void an_address_comes_back_without_a_question(void **state)
{
    struct fixture *f = *state;
    look_up(f, "192.0.2.7", 1000);
    assert_int_equal(f->found.n, 1);
    assert_string_equal(f->found.addresses[0], "192.0.2.7");
    look_up(f, "2001:db8::7", 1000);
    assert_string_equal(f->found.addresses[0], "2001:db8::7");
    assert_int_equal(f->questions, 0);
}

static void the_hosts_file_wins_and_is_read_each_time(void **state)
{
    struct fixture *f = *state;
    look_up(f, "inhosts.test", 1000);
    assert_string_equal(f->found.addresses[0], "10.9.9.9");
    write_file(f->hosts, "10.9.9.8 both.test\n::8 both.test\n");
    look_up(f, "both.test", 1000);
    assert_int_equal(f->found.n, 2);
    assert_string_equal(f->found.addresses[0], "10.9.9.8");
    assert_string_equal(f->found.addresses[1], "::8");
    assert_int_equal(f->questions, 0);
}

static void localhost_needs_no_file(void **state)
{
    struct fixture *f = *state;
    unlink(f->hosts);
    look_up(f, "localhost", 1000);
    assert_string_equal(f->found.addresses[0], "127.0.0.1");
    assert_int_equal(f->questions, 0);
}

static void what_is_no_host_name_is_invalid(void **state)
{
    struct fixture *f = *state;
    const char *rows[] = {NULL, "", "a b", "a/b", "[::1]"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        look_up(f, rows[i], 1000);
        assert_int_equal(f->err.kind, ERR_INVALID);
    }
    assert_int_equal(f->questions, 0);
}

/* ---- with questions ---- */

static void both_kinds_of_address_are_found_ipv4_first(void **state)
{
    struct fixture *f = *state;
    look_up(f, "both.test", 10000);
    assert_int_equal(f->found.n, 2);
    assert_string_equal(f->found.addresses[0], "10.1.1.1");
    assert_string_equal(f->found.addresses[1], "2001:db8::1");
}

static void one_kind_is_enough(void **state)
{
    struct fixture *f = *state;
    look_up(f, "four.test", 10000);
    assert_int_equal(f->found.n, 1);
    assert_string_equal(f->found.addresses[0], "10.1.1.2");
    look_up(f, "six.test", 10000);
    assert_int_equal(f->found.n, 1);
    assert_string_equal(f->found.addresses[0], "2001:db8::2");
}

static void the_other_kind_is_not_waited_for_long(void **state)
{
    struct fixture *f = *state;
    look_up(f, "slow.test", 15000);
    assert_int_equal(f->found.n, 1);
    assert_string_equal(f->found.addresses[0], "10.1.1.3");
}

static void search_domains_are_tried(void **state)
{
    struct fixture *f = *state;
    look_up(f, "short", 10000);
    assert_string_equal(f->found.addresses[0], "10.1.1.4");
}

static void a_name_nobody_knows_is_missing(void **state)
{
    struct fixture *f = *state;
    look_up(f, "nobody.test", 10000);
    assert_int_equal(f->err.kind, ERR_MISSING);
    assert_non_null(strstr(f->err.msg, "nobody.test"));
    look_up(f, "empty.test", 10000);
    assert_int_equal(f->err.kind, ERR_MISSING);
}

/* evdns takes "server failed" for a lost packet and asks again until its tries are used up. */
static void a_name_server_that_fails_is_not_a_missing_name(void **state)
{
    struct fixture *f = *state;
    look_up(f, "refused.test", 15000);
    assert_int_equal(f->err.kind, ERR_UPSTREAM);
    look_up(f, "broken.test", 15000);
    assert_int_equal(f->err.kind, ERR_TIMEOUT);
}

static void silence_ends_in_timeout(void **state)
{
    struct fixture *f = *state;
    f->is_silent = true;
    look_up(f, "both.test", 20);
    assert_int_equal(f->err.kind, ERR_TIMEOUT);
    f->is_silent = false;
    look_up(f, "four.test", 15000);
    assert_int_equal(f->err.kind, ERR_NONE);
}

static void many_names_at_once_are_all_answered(void **state)
{
    struct fixture *f = *state;
    f->want_calls = 100;
    for (int i = 0; i < 100; i++)
        resolve_start(f->loop, i % 2 == 0 ? "both.test" : "10.0.0.1", 15000, on_done, f);
    loop_run(f->loop);
    assert_int_equal(f->calls, 100);
}

static void other_name_servers_are_asked_once_the_file_changed(void **state)
{
    struct fixture *f = *state;
    char text[200];
    struct sockaddr_in address;
    socklen_t n = sizeof(address);
    assert_int_equal(getsockname(f->socket, (struct sockaddr *)&address, &n), 0);
    write_file(f->resolv_conf, "nameserver 127.0.0.1:9\noptions attempts:1 timeout:1\n");
    look_up(f, "both.test", 20);
    assert_int_not_equal(f->err.kind, ERR_NONE);
    assert_int_equal(f->questions, 0);
    for (int i = 0; i < 10; i++)
        loop_turn(f->loop); /* evdns gives the cancelled questions back */
    snprintf(text, sizeof(text), "nameserver 127.0.0.1:%u\n", (unsigned)ntohs(address.sin_port));
    unlink(f->resolv_conf);
    write_file(f->resolv_conf, text);
    look_up(f, "both.test", 10000);
    assert_int_equal(f->err.kind, ERR_NONE);
}

/* ---- ends ---- */

static void a_cancelled_query_never_calls_back(void **state)
{
    struct fixture *f = *state;
    f->want_calls = 99;
    op_cancel(resolve_start(f->loop, "both.test", 10000, on_done, f));
    op_cancel(resolve_start(f->loop, "10.0.0.1", 10000, on_done, f));
    op_cancel(resolve_start(f->loop, "", 10000, on_done, f));
    struct op *op = resolve_start(f->loop, "slow.test", 10000, on_done, f);
    while (f->questions < 2)
        loop_turn(f->loop);
    op_cancel(op);
    for (int i = 0; i < 20; i++)
        loop_turn(f->loop);
    assert_int_equal(f->calls, 0);
}

static void on_done_cancel_other(void *arg, const struct resolved *found, const struct err *err)
{
    struct fixture *f = arg;
    op_cancel(f->op);
    on_done(arg, found, err);
}

static void a_query_can_be_cancelled_by_the_callback_of_another(void **state)
{
    struct fixture *f = *state;
    resolve_start(f->loop, "10.0.0.1", 10000, on_done_cancel_other, f);
    f->op = resolve_start(f->loop, "10.0.0.2", 10000, on_done, f);
    loop_run(f->loop);
    for (int i = 0; i < 5; i++)
        loop_turn(f->loop);
    assert_int_equal(f->calls, 1);
    assert_string_equal(f->found.addresses[0], "10.0.0.1");
}

static void queries_end_with_the_loop(void **state)
{
    struct fixture *f = *state;
    f->is_silent = true;
    for (int i = 0; i < 50; i++)
        f->op = resolve_start(f->loop, "both.test", 10000, on_done, f);
    op_cancel(f->op);
    resolve_start(f->loop, "10.0.0.1", 10000, on_done, f);
    while (f->questions < 2)
        loop_turn(f->loop);
    f->calls = 0;
    /* stop() frees the loop; LeakSanitizer sees what stays */
}

static void a_simulated_loop_knows_numbers_and_itself_only(void **state)
{
    (void)state;
    struct fixture f = {.loop = loop_new_simulated(0), .want_calls = 1};
    look_up(&f, "10.0.0.1", 10);
    assert_string_equal(f.found.addresses[0], "10.0.0.1");
    look_up(&f, "localhost", 10);
    assert_string_equal(f.found.addresses[0], "127.0.0.1");
    look_up(&f, "both.test", 10);
    assert_int_equal(f.err.kind, ERR_MISSING);
    loop_free(f.loop);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(an_address_comes_back_without_a_question),
        TEST(the_hosts_file_wins_and_is_read_each_time),
        TEST(localhost_needs_no_file),
        TEST(what_is_no_host_name_is_invalid),
        TEST(both_kinds_of_address_are_found_ipv4_first),
        TEST(one_kind_is_enough),
        TEST(the_other_kind_is_not_waited_for_long),
        TEST(search_domains_are_tried),
        TEST(a_name_nobody_knows_is_missing),
        TEST(a_name_server_that_fails_is_not_a_missing_name),
        TEST(silence_ends_in_timeout),
        TEST(many_names_at_once_are_all_answered),
        TEST(other_name_servers_are_asked_once_the_file_changed),
        TEST(a_cancelled_query_never_calls_back),
        TEST(a_query_can_be_cancelled_by_the_callback_of_another),
        TEST(queries_end_with_the_loop),
        cmocka_unit_test(a_simulated_loop_knows_numbers_and_itself_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
