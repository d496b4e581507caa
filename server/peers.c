// SPDX-License-Identifier: MIT
/* Addresses, trusted networks, connections per address. The table of counts is keyed by a keyed hash: clients choose
 * their addresses. */
#include "server/peers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "core/base/codec.h"
#include "core/base/xmem.h"

enum { NETWORKS_MAX = 64, BUCKETS = 1024, MAPPED_BITS = 96 };

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct peer_networks {
    bool has_local;
    size_t n;
    struct {
        uint8_t bytes[16];
        unsigned bits;
    } rows[NETWORKS_MAX];
};

struct count {
    uint8_t key[16];
    unsigned n;
    struct count *next;
};

struct peer_counts {
    struct count *buckets[BUCKETS];
};

struct peer_address peer_address_of(const struct sockaddr *sa)
{
    struct peer_address a = {.is_local = true};
    if (sa->sa_family == AF_INET) {
        a.is_local = false;
        memcpy(a.bytes, mapped_prefix, sizeof mapped_prefix);
        memcpy(a.bytes + 12, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
    } else if (sa->sa_family == AF_INET6) {
        a.is_local = false;
        memcpy(a.bytes, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
    }
    return a;
}

/* Without a port and brackets: "1.2.3.4:80", "[::1]:80" and "[::1]". A bare IPv6 address has more than one colon. */
static struct str without_port(struct str text)
{
    if (str_starts(text, STR("[")))
        return str_slice(text, 1, str_find(text, ']', 0));
    size_t colon = str_find(text, ':', 0);
    return str_find(text, ':', colon + 1) < text.n ? text : str_slice(text, 0, colon);
}

bool peer_address_parse(struct str text, struct peer_address *ret)
{
    char buffer[INET6_ADDRSTRLEN];
    struct peer_address a = {.is_local = false};
    if (!str_copy(without_port(str_trim(text)), buffer, sizeof buffer))
        return false;
    memcpy(a.bytes, mapped_prefix, sizeof mapped_prefix);
    if (inet_pton(AF_INET, buffer, a.bytes + 12) != 1 && inet_pton(AF_INET6, buffer, a.bytes) != 1)
        return false;
    *ret = a;
    return true;
}

static bool is_mapped(const uint8_t bytes[16])
{
    return memcmp(bytes, mapped_prefix, sizeof mapped_prefix) == 0;
}

struct str peer_address_text(const struct peer_address *address, struct arena *a)
{
    char buffer[INET6_ADDRSTRLEN] = "local";
    if (!address->is_local) {
        bool is_v4 = is_mapped(address->bytes);
        if (inet_ntop(is_v4 ? AF_INET : AF_INET6, address->bytes + (is_v4 ? 12 : 0), buffer, sizeof buffer) == NULL)
            buffer[0] = '\0'; /* the buffer holds the longest form: not reached */
    }
    return arena_dup_str(a, str_from(buffer));
}

static bool add_network(struct peer_networks *networks, struct str text, struct err *reterr)
{
    struct peer_address address;
    uint64_t bits = 0;
    size_t slash = str_find(text, '/', 0);
    if (str_eq(text, STR("local"))) {
        networks->has_local = true;
        return true;
    }
    if (networks->n >= NETWORKS_MAX)
        return err_set(reterr, ERR_INVALID, __func__, "more than %d trusted networks", NETWORKS_MAX);
    if (!peer_address_parse(str_slice(text, 0, slash), &address))
        return err_set(reterr, ERR_INVALID, __func__, "\"%.*s\" is not an address or network", STR_ARG(text));
    unsigned base = is_mapped(address.bytes) ? MAPPED_BITS : 0;
    if (slash == text.n)
        bits = 128 - base;
    else if (!str_parse_u64(str_slice(text, slash + 1, text.n), 128 - base, &bits))
        return err_set(reterr, ERR_INVALID, __func__, "\"%.*s\" has no valid prefix length", STR_ARG(text));
    memcpy(networks->rows[networks->n].bytes, address.bytes, 16);
    networks->rows[networks->n++].bits = base + (unsigned)bits;
    return true;
}

struct peer_networks *peer_networks_new(const char *list, struct err *reterr)
{
    struct peer_networks *networks = xcalloc(1, sizeof *networks);
    struct str rest = str_from(list);
    struct str part;
    while (str_next(&rest, ',', &part)) {
        part = str_trim(part);
        if (part.n > 0 && !add_network(networks, part, reterr)) {
            free(networks);
            return NULL;
        }
    }
    return networks;
}

void peer_networks_free(struct peer_networks *networks)
{
    free(networks);
}

static bool has_prefix(const uint8_t address[16], const uint8_t network[16], unsigned bits)
{
    unsigned whole = bits / 8;
    if (memcmp(address, network, whole) != 0)
        return false;
    if (bits % 8 == 0)
        return true;
    unsigned mask = 0xffU << (8 - bits % 8) & 0xffU;
    return (address[whole] & mask) == (network[whole] & mask);
}

bool peer_networks_has(const struct peer_networks *networks, const struct peer_address *address)
{
    if (address->is_local)
        return networks->has_local;
    for (size_t i = 0; i < networks->n; i++) {
        if (has_prefix(address->bytes, networks->rows[i].bytes, networks->rows[i].bits))
            return true;
    }
    return false;
}

struct peer_address peer_client(const struct peer_networks *networks, const struct peer_address *direct,
                                struct str forwarded_for)
{
    struct peer_address client = *direct;
    size_t end = forwarded_for.n;
    while (end > 0 && peer_networks_has(networks, &client)) {
        size_t from = end;
        while (from > 0 && forwarded_for.p[from - 1] != ',')
            from--;
        struct peer_address next;
        if (!peer_address_parse(str_slice(forwarded_for, from, end), &next))
            break;
        client = next;
        end = from > 0 ? from - 1 : 0;
    }
    return client;
}

struct peer_counts *peer_counts_new(void)
{
    return xcalloc(1, sizeof(struct peer_counts));
}

void peer_counts_free(struct peer_counts *counts)
{
    if (counts == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        while (counts->buckets[i] != NULL) {
            struct count *first = counts->buckets[i];
            counts->buckets[i] = first->next;
            free(first);
        }
    }
    free(counts);
}

static void key_of(const struct peer_address *address, uint8_t key[16])
{
    memcpy(key, address->bytes, 16);
    if (!is_mapped(address->bytes))
        memset(key + 8, 0, 8);
}

static struct count **find_place(struct peer_counts *counts, const uint8_t key[16])
{
    struct count **place = &counts->buckets[codec_hash(key, 16) % BUCKETS];
    while (*place != NULL && memcmp((*place)->key, key, 16) != 0)
        place = &(*place)->next;
    return place;
}

bool peer_counts_add(struct peer_counts *counts, const struct peer_address *address, unsigned max)
{
    uint8_t key[16];
    if (address->is_local)
        return true;
    key_of(address, key);
    struct count **place = find_place(counts, key);
    if (*place == NULL) {
        *place = xcalloc(1, sizeof **place);
        memcpy((*place)->key, key, sizeof key);
    }
    if (max > 0 && (*place)->n >= max)
        return false;
    (*place)->n++;
    return true;
}

void peer_counts_drop(struct peer_counts *counts, const struct peer_address *address)
{
    uint8_t key[16];
    if (address->is_local)
        return;
    key_of(address, key);
    struct count **place = find_place(counts, key);
    if (*place == NULL || --(*place)->n > 0)
        return;
    struct count *gone = *place;
    *place = gone->next;
    free(gone);
}
