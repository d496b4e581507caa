// SPDX-License-Identifier: MIT
/* Sessions are rows of the store; here their cookie and document are made. */
#include "handlers/signin.h"

#include "core/base/json_write.h"
#include "core/caller.h"

enum { SESSION_BODY_BYTES = 8 * 1024 };

void signin_wish(struct signin *s, struct http_exchange *x, const struct app *app)
{
    const struct caller *caller = http_context(x);
    codec_random_token(s->token);
    visitor_agent(http_header(x, "User-Agent"), s->agent);
    visitor_address(http_peer(x), s->address);
    s->wish = (struct session_wish){
        .token = str_from(s->token),
        .former = caller->session_token,
        .idle_ms = app->settings.session_idle_ms,
        .absolute_ms = app->settings.session_absolute_ms,
        .agent = str_from(s->agent),
        .address = str_from(s->address),
    };
}

void signin_add_cookie(struct http_exchange *x, const char *token, ms_t max_age_ms)
{
    const struct caller *caller = http_context(x);
    const char *text =
        arena_printf(http_arena(x), "%s=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Lax%s", caller->cookie_name, token,
                     (long long)(max_age_ms / 1000), caller->is_secure ? "; Secure" : "");
    http_add_header(x, "Set-Cookie", str_from(text));
}

static void write_text_or_null(struct json_writer *w, const char *key, const char *text)
{
    jw_kv_text(w, key, text[0] != '\0' ? text : NULL);
}

void signin_answer(struct http_exchange *x, const struct principal *who)
{
    struct json_writer *w = jw_new(SESSION_BODY_BYTES);
    jw_object(w);
    jw_key(w, "user");
    jw_object(w);
    jw_kv_text(w, "id", who->user_id);
    write_text_or_null(w, "name", who->name);
    write_text_or_null(w, "email", who->email);
    write_text_or_null(w, "image", who->image);
    jw_kv_bool(w, "isAdmin", who->is_admin);
    jw_object_end(w);
    jw_kv_time(w, "expires", who->expires_ms);
    jw_object_end(w);
    http_add_header(x, "Cache-Control", STR("no-store"));
    http_answer_json(x, 200, w);
}
