// SPDX-License-Identifier: MIT
/* Every handler of the route table (routes.c): called with a request that passed the gate, answers it once, now or
 * later. http_context(x) is a struct caller (core/caller.h). */
#pragma once

#include "handlers/app.h"
#include "server/http.h"

/* auth.c */
void auth_signin_link(struct http_exchange *x, struct app *app);
void auth_csrf(struct http_exchange *x, struct app *app);
void auth_session(struct http_exchange *x, struct app *app);
void auth_signout(struct http_exchange *x, struct app *app);

/* github.c */
void github_providers(struct http_exchange *x, struct app *app);
void github_signin_page(struct http_exchange *x, struct app *app);
void github_begin(struct http_exchange *x, struct app *app);
void github_callback(struct http_exchange *x, struct app *app);

/* device.c */
void device_code(struct http_exchange *x, struct app *app);
void device_token(struct http_exchange *x, struct app *app);
void device_find(struct http_exchange *x, struct app *app);
void device_decide(struct http_exchange *x, struct app *app);

/* sessions.c */
void sessions_list(struct http_exchange *x, struct app *app);
void sessions_revoke(struct http_exchange *x, struct app *app);
void sessions_lock_out(struct http_exchange *x, struct app *app);
void sessions_revoke_all(struct http_exchange *x, struct app *app);

/* tokens.c */
void tokens_list(struct http_exchange *x, struct app *app);
void tokens_create(struct http_exchange *x, struct app *app);
void tokens_revoke(struct http_exchange *x, struct app *app);

/* health.c */
void health_live(struct http_exchange *x, struct app *app);
void health_ready(struct http_exchange *x, struct app *app);
void health_version(struct http_exchange *x, struct app *app);
void health_metrics(struct http_exchange *x, struct app *app);

/* openapi.c */
void openapi_show(struct http_exchange *x, struct app *app);

/* problems.c */
void problems_page(struct http_exchange *x, struct app *app);

/* projects.c */
void projects_list(struct http_exchange *x, struct app *app);
void projects_list_all(struct http_exchange *x, struct app *app);
void projects_create(struct http_exchange *x, struct app *app);
void projects_get(struct http_exchange *x, struct app *app);
void projects_delete(struct http_exchange *x, struct app *app);
void projects_delete_by_action(struct http_exchange *x, struct app *app);

/* admin.c */
void admin_orphans(struct http_exchange *x, struct app *app);

/* audit.c */
void audit_list(struct http_exchange *x, struct app *app);

/* users.c */
void users_list(struct http_exchange *x, struct app *app);
void users_get(struct http_exchange *x, struct app *app);
void users_set_role(struct http_exchange *x, struct app *app);

/* database.c */
void database_show(struct http_exchange *x, struct app *app);
void database_sync(struct http_exchange *x, struct app *app);

/* repository.c */
void repository_show(struct http_exchange *x, struct app *app);
void repository_connect(struct http_exchange *x, struct app *app);
void repository_disconnect(struct http_exchange *x, struct app *app);
void repository_list(struct http_exchange *x, struct app *app);

/* clusters.c */
void clusters_list(struct http_exchange *x, struct app *app);

/* actions.c */
void actions_start(struct http_exchange *x, struct app *app);
void actions_stop(struct http_exchange *x, struct app *app);
void actions_restart(struct http_exchange *x, struct app *app);
void actions_start_sandbox(struct http_exchange *x, struct app *app);
void actions_stop_sandbox(struct http_exchange *x, struct app *app);

/* limits.c */
void limits_show(struct http_exchange *x, struct app *app);
void limits_set(struct http_exchange *x, struct app *app);
void limits_activity(struct http_exchange *x, struct app *app);
/* After any request: notes the use of the project that it was about, if it was taken. */
void limits_note_use(struct http_exchange *x, struct app *app, int status);

/* environment.c */
void environment_list(struct http_exchange *x, struct app *app);
void environment_put(struct http_exchange *x, struct app *app);
void environment_update(struct http_exchange *x, struct app *app);
void environment_delete(struct http_exchange *x, struct app *app);

/* sandboxes.c */
void sandboxes_get(struct http_exchange *x, struct app *app);
void sandboxes_get_brief(struct http_exchange *x, struct app *app);
void sandboxes_create(struct http_exchange *x, struct app *app);
void sandboxes_delete(struct http_exchange *x, struct app *app);

/* events.c */
void events_of_sandbox(struct http_exchange *x, struct app *app);
void events_of_owner(struct http_exchange *x, struct app *app);
