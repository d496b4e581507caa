// SPDX-License-Identifier: MIT
/* Small helpers of the domain's plain data. */
#include "core/sandbox.h"

#include "core/base/buf.h"
#include "core/base/codec.h"

const int SANDBOX_PORTS[SANDBOX_PORT_N] = {3000, 5000, 7681, 8080};

enum { DATABASE_URL_CEILING_BYTES = 4096 };

void db_credentials_fini(struct db_credentials *c)
{
    secret_fini(&c->password);
}

const char *sandbox_object_kind(const struct sandbox *sb, enum cluster_object object)
{
    static const char *const kinds[] = {
#define X(name, kind) kind,
        CLUSTER_OBJECTS(X)
#undef X
    };
    if (object == OBJECT_WORKLOAD)
        return workload_kind(sb->kinds.workload);
    if (object == OBJECT_INGRESS_APP || object == OBJECT_INGRESS_TTY)
        return route_kind(sb->kinds.route);
    return kinds[object];
}

bool sandbox_is_repair(const struct sandbox *sb)
{
    return sb->drift_ms > 0 && sb->desired == DESIRED_RUNNING;
}

bool sandbox_has_object(const struct sandbox *sb, enum cluster_object object)
{
    return object != OBJECT_CLAIM || sb->kinds.workload == WORKLOAD_STATEFULSET;
}

bool sandbox_waits(const struct sandbox *sb)
{
    return sb->queued_ms > 0 && !sb->is_settled && sb->desired == DESIRED_RUNNING;
}

struct secret db_credentials_url(const struct db_credentials *c)
{
    struct buf url;
    buf_init(&url, DATABASE_URL_CEILING_BYTES);
    buf_add_text(&url, "postgresql://");
    codec_percent_encode(&url, str_from(c->user));
    buf_add_byte(&url, ':');
    codec_percent_encode(&url, secret_reveal(&c->password));
    buf_addf(&url, "@%s:%d/", c->host, c->port);
    codec_percent_encode(&url, str_from(c->database));
    buf_add_text(&url, "?schema=public");
    struct secret ret = secret_new(buf_str(&url));
    buf_fini(&url);
    return ret;
}
