// SPDX-License-Identifier: MIT
/* A watch stream of any bytes, cut anywhere, into a cache: whatever comes, what is observed is plain data in range, and
 * a list that ends empty leaves nothing behind. The first byte chooses kind and cut. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/codec.h"
#include "k8s/cache.h"
#include "k8s/status.h"
#include "k8s/watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct feeding {
    struct cache *cache;
    enum kube_kind kind;
};

static bool on_item(void *arg, const struct json_value *item, struct err *reterr)
{
    struct feeding *f = arg;
    struct watch_event event;
    if (!watch_read_event(item, &event, reterr))
        return false;
    if (event.type == WATCH_ERROR) {
        status_from_event(event.object, reterr);
        assert(reterr->kind != ERR_NONE);
        return false;
    }
    if (event.type == WATCH_DROP)
        cache_drop(f->cache, f->kind, event.object);
    else if (event.type == WATCH_PUT) {
        cache_put(f->cache, f->kind, event.object);
        cache_merge(f->cache, f->kind, event.object);
        cache_event(f->cache, (enum kube_kind)(KIND_CACHED_N + f->kind % (KIND_WATCHED_N - KIND_CACHED_N)),
                    event.object);
    }
    return true;
}

static void check_observed(const struct cache *cache, struct sandbox_kinds kinds)
{
    struct sandbox sb = {
        .project_id = "p", .name = "web", .database_name = "db", .namespace_name = "n", .kinds = kinds};
    struct observed o;
    cache_observe(cache, &sb, &o);
    assert(memchr(o.pod.message, '\0', sizeof o.pod.message) != NULL);
    assert(memchr(o.workload.message, '\0', sizeof o.workload.message) != NULL);
    assert(memchr(o.claim.message, '\0', sizeof o.claim.message) != NULL);
    assert(memchr(o.route_app.message, '\0', sizeof o.route_app.message) != NULL);
    assert(memchr(o.event_message, '\0', sizeof o.event_message) != NULL);
    assert(memchr(o.database.message, '\0', sizeof o.database.message) != NULL);
    assert(o.endpoints_ready_n <= o.endpoints_n);
    for (size_t i = 0; i < OBJECT_N; i++)
        assert(o.objects[i] <= PRESENCE_FOREIGN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_ready;
    if (!is_ready && !codec_init(NULL))
        return 0;
    is_ready = true;
    if (size < 2)
        return 0;
    struct loop *loop = loop_new_simulated(0);
    struct feeding f = {cache_new(loop), (enum kube_kind)(data[0] % KIND_CACHED_N)};
    struct str bytes = {(const char *)data + 1, size - 1};
    size_t cut = bytes.n * data[0] / 256;
    struct json_stream *s = json_stream_new(NULL, &JSON_LIMITS_KUBE, on_item, &f);
    struct err err = {0};
    if (json_stream_feed(s, str_slice(bytes, 0, cut), &err) &&
        json_stream_feed(s, str_slice(bytes, cut, bytes.n), &err))
        assert(json_stream_finish(s, NULL, &err) || err.kind != ERR_NONE);
    check_observed(f.cache, (struct sandbox_kinds){WORKLOAD_DEPLOYMENT, ROUTE_INGRESS});
    check_observed(f.cache, (struct sandbox_kinds){WORKLOAD_STATEFULSET, ROUTE_HTTPROUTE});
    cache_list_begin(f.cache, f.kind);
    cache_list_end(f.cache, f.kind, UINT64_MAX);
    while (loop_turn(loop))
        ;
    assert(!cache_has(f.cache, f.kind, "web"));
    json_stream_free(s);
    cache_free(f.cache);
    loop_free(loop);
    return 0;
}
