// SPDX-License-Identifier: MIT
/* THE route table: method, path, handler, who may, how large a body, which allowance. HEAD and OPTIONS, 404 and 405
 * come from the router; everything else before a handler from the gate. */
#include "handlers/routes.h"

#include "handlers/handlers.h"

enum {
    SMALL_BYTES = 16 * 1024,
    /* What a Kubernetes Secret may hold, and so the variables of a sandbox. */
    ENV_BYTES = 1024 * 1024,
};

/* clang-format off */
#define NO_BODY    {0, false}
#define SMALL_BODY {SMALL_BYTES, false}
#define ENV_BODY   {ENV_BYTES, false}
/* NextAuth's clients post forms. */
#define FORM_BODY  {SMALL_BYTES, true}
/* clang-format on */

/* clang-format off */
const struct route ROUTES[] = {
    {HTTP_GET,    "/livez",                           health_live,        ROUTE_PUBLIC,   NO_BODY,    RATE_NONE},
    {HTTP_GET,    "/readyz",                          health_ready,       ROUTE_PUBLIC,   NO_BODY,    RATE_NONE},
    {HTTP_GET,    "/healthz",                         health_ready,       ROUTE_PUBLIC,   NO_BODY,    RATE_NONE},
    {HTTP_GET,    "/version",                         health_version,     ROUTE_PUBLIC,   NO_BODY,    RATE_NONE},
    {HTTP_GET,    "/metrics",                         health_metrics,     ROUTE_PUBLIC,   NO_BODY,    RATE_NONE},
    {HTTP_GET,    "/openapi.json",                    openapi_show,       ROUTE_PUBLIC,   NO_BODY,    RATE_READ},
    {HTTP_GET,    "/problems/{slug}",                 problems_page,      ROUTE_PUBLIC,   NO_BODY,    RATE_READ},

    {HTTP_POST,   "/api/auth/signin-link",            auth_signin_link,   ROUTE_PUBLIC,   SMALL_BODY, RATE_SIGNIN},
    {HTTP_GET,    "/api/auth/providers",              github_providers,   ROUTE_PUBLIC,   NO_BODY,    RATE_READ},
    {HTTP_GET,    "/api/auth/signin",                 github_signin_page, ROUTE_PUBLIC,   NO_BODY,    RATE_READ},
    {HTTP_GET,    "/api/auth/signin/{provider}",      github_signin_page, ROUTE_PUBLIC,   NO_BODY,    RATE_READ},
    {HTTP_POST,   "/api/auth/signin/{provider}",      github_begin,       ROUTE_PUBLIC,   FORM_BODY,  RATE_SIGNIN},
    {HTTP_GET,    "/api/auth/callback/{provider}",    github_callback,    ROUTE_PUBLIC,   NO_BODY,    RATE_SIGNIN},
    {HTTP_GET,    "/api/auth/csrf",                   auth_csrf,          ROUTE_PUBLIC,   NO_BODY,    RATE_READ},
    {HTTP_GET,    "/api/auth/session",                auth_session,       ROUTE_OPTIONAL, NO_BODY,    RATE_READ},
    {HTTP_POST,   "/api/auth/signout",                auth_signout,       ROUTE_OPTIONAL, FORM_BODY,  RATE_WRITE},

    {HTTP_POST,   "/api/auth/device/code",            device_code,        ROUTE_PUBLIC,   SMALL_BODY, RATE_SIGNIN},
    {HTTP_POST,   "/api/auth/device/token",           device_token,       ROUTE_PUBLIC,   SMALL_BODY, RATE_WRITE},
    {HTTP_GET,    "/api/auth/device",                 device_find,        ROUTE_SESSION,  NO_BODY,    RATE_SIGNIN},
    {HTTP_POST,   "/api/auth/device",                 device_decide,      ROUTE_SESSION,  SMALL_BODY, RATE_SIGNIN},

    {HTTP_GET,    "/api/auth/sessions",               sessions_list,      ROUTE_SESSION,  NO_BODY,    RATE_READ},
    {HTTP_DELETE, "/api/auth/sessions",               sessions_revoke_all, ROUTE_SESSION, NO_BODY,    RATE_WRITE},
    {HTTP_DELETE, "/api/auth/sessions/{id}",          sessions_revoke,    ROUTE_SESSION,  NO_BODY,    RATE_WRITE},

    {HTTP_DELETE, "/api/admin/users/{id}/sessions",   sessions_lock_out,  ROUTE_ADMIN,    NO_BODY,    RATE_WRITE},

    {HTTP_GET,    "/api/tokens",                      tokens_list,        ROUTE_SESSION,  NO_BODY,    RATE_READ},
    {HTTP_POST,   "/api/tokens",                      tokens_create,      ROUTE_SESSION,  SMALL_BODY, RATE_WRITE},
    {HTTP_DELETE, "/api/tokens/{id}",                 tokens_revoke,      ROUTE_SESSION,  NO_BODY,    RATE_WRITE},

    {HTTP_GET,    "/api/projects",                    projects_list,      ROUTE_USER,     NO_BODY,    RATE_READ},
    {HTTP_POST,   "/api/projects",                    projects_create,    ROUTE_USER,     SMALL_BODY, RATE_WRITE},
    {HTTP_GET,    "/api/projects/{id}",               projects_get,       ROUTE_USER,     NO_BODY,    RATE_READ},
    {HTTP_DELETE, "/api/projects/{id}",               projects_delete,    ROUTE_USER,     NO_BODY,    RATE_WRITE},

    {HTTP_POST,   "/api/projects/{id}/start",         actions_start,      ROUTE_USER,     SMALL_BODY, RATE_WRITE},
    {HTTP_POST,   "/api/projects/{id}/stop",          actions_stop,       ROUTE_USER,     SMALL_BODY, RATE_WRITE},
    {HTTP_POST,   "/api/projects/{id}/restart",       actions_restart,    ROUTE_USER,     SMALL_BODY, RATE_WRITE},
    {HTTP_POST,   "/api/projects/{id}/delete",        projects_delete_by_action, ROUTE_USER, SMALL_BODY, RATE_WRITE},
    {HTTP_POST,   "/api/projects/{id}/sandbox/start", actions_start_sandbox, ROUTE_USER,  SMALL_BODY, RATE_WRITE},
    {HTTP_POST,   "/api/projects/{id}/sandbox/stop",  actions_stop_sandbox, ROUTE_USER,   SMALL_BODY, RATE_WRITE},
    {HTTP_GET,    "/api/projects/{id}/sandbox/status", sandboxes_get_brief, ROUTE_USER,   NO_BODY,    RATE_READ},

    {HTTP_GET,    "/api/projects/{id}/limits",        limits_show,        ROUTE_USER,     NO_BODY,    RATE_READ},
    {HTTP_PUT,    "/api/projects/{id}/limits",        limits_set,         ROUTE_USER,     SMALL_BODY, RATE_WRITE},
    {HTTP_POST,   "/api/projects/{id}/activity",      limits_activity,    ROUTE_USER,     SMALL_BODY, RATE_WRITE},

    {HTTP_GET,    "/api/projects/{id}/environment",   environment_list,   ROUTE_USER,     NO_BODY,    RATE_READ},
    {HTTP_POST,   "/api/projects/{id}/environment",   environment_put,    ROUTE_USER,     ENV_BODY,   RATE_WRITE},
    {HTTP_PUT,    "/api/projects/{id}/environment/{envId}", environment_update, ROUTE_USER, ENV_BODY, RATE_WRITE},
    {HTTP_DELETE, "/api/projects/{id}/environment/{envId}", environment_delete, ROUTE_USER, NO_BODY, RATE_WRITE},

    {HTTP_GET,    "/api/projects/{id}/sync-database", database_show,      ROUTE_USER,     NO_BODY,    RATE_READ},
    {HTTP_POST,   "/api/projects/{id}/sync-database", database_sync,      ROUTE_USER,     SMALL_BODY, RATE_WRITE},

    {HTTP_GET,    "/api/projects/{id}/github",        repository_show,    ROUTE_USER,     NO_BODY,    RATE_READ},
    {HTTP_POST,   "/api/projects/{id}/github",        repository_connect, ROUTE_USER,     SMALL_BODY, RATE_WRITE},
    {HTTP_DELETE, "/api/projects/{id}/github",        repository_disconnect, ROUTE_USER,  NO_BODY,    RATE_WRITE},

    {HTTP_GET,    "/api/github/repositories",         repository_list,    ROUTE_USER,     NO_BODY,    RATE_READ},

    {HTTP_GET,    "/api/clusters",                    clusters_list,      ROUTE_USER,     NO_BODY,    RATE_READ},

    {HTTP_GET,    "/api/admin/orphans",               admin_orphans,      ROUTE_ADMIN,    NO_BODY,    RATE_READ},
    {HTTP_GET,    "/api/admin/audit",                 audit_list,         ROUTE_ADMIN,    NO_BODY,    RATE_READ},
    {HTTP_GET,    "/api/admin/projects",              projects_list_all,  ROUTE_ADMIN,    NO_BODY,    RATE_READ},
    {HTTP_GET,    "/api/admin/users",                 users_list,         ROUTE_ADMIN,    NO_BODY,    RATE_READ},
    {HTTP_GET,    "/api/admin/users/{id}",            users_get,          ROUTE_ADMIN,    NO_BODY,    RATE_READ},
    {HTTP_PATCH,  "/api/admin/users/{id}",            users_set_role,     ROUTE_ADMIN,    SMALL_BODY, RATE_WRITE},

    {HTTP_GET,    "/api/sandbox/{projectId}",         sandboxes_get,      ROUTE_USER,     NO_BODY,    RATE_READ},
    {HTTP_POST,   "/api/sandbox/{projectId}",         sandboxes_create,   ROUTE_USER,     ENV_BODY,   RATE_WRITE},
    {HTTP_DELETE, "/api/sandbox/{projectId}",         sandboxes_delete,   ROUTE_USER,     NO_BODY,    RATE_WRITE},
    {HTTP_GET,    "/api/sandbox/{projectId}/events",  events_of_sandbox,  ROUTE_USER,     NO_BODY,    RATE_STREAM},
    {HTTP_GET,    "/api/events",                      events_of_owner,    ROUTE_USER,     NO_BODY,    RATE_STREAM},
};
/* clang-format on */

const size_t ROUTES_N = sizeof(ROUTES) / sizeof(ROUTES[0]);
