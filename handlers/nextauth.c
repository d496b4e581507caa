// SPDX-License-Identifier: MIT
/* The bodies and answers around NextAuth's sign-in and sign-out. Its csrfToken is taken and not looked at: Origin and
 * Sec-Fetch-Site are, before any body is read. */
#include "handlers/nextauth.h"

#include "core/base/form.h"
#include "core/base/json_read.h"
#include "core/base/json_write.h"
#include "handlers/return_path.h"

enum { ANSWER_CEILING_BYTES = 16 * 1024, WORD_MAX = 16, TOKEN_MAX = 512, URL_MAX = 2 * RETURN_PATH_MAX };

struct body {
    struct str callback_url;
    struct str csrf_token;
    struct str json;
    struct str redirect;
};

static const struct form_field form_fields[] = {
    {"callbackUrl", offsetof(struct body, callback_url), URL_MAX  },
    {"csrfToken",   offsetof(struct body, csrf_token),   TOKEN_MAX},
    {"json",        offsetof(struct body, json),         WORD_MAX },
    {"redirect",    offsetof(struct body, redirect),     WORD_MAX }, /* for the client itself, which sends it along */
};

static const struct json_field json_fields[] = {
    {"callbackUrl", JSON_STR, offsetof(struct body, callback_url), JSON_OPTIONAL, 0, URL_MAX},
};

bool nextauth_read(struct http_exchange *x, struct nextauth_wish *ret, struct err *reterr)
{
    struct body body = {STR_NONE, STR_NONE, STR_NONE, STR_NONE};
    struct arena *a = http_arena(x);
    *ret = (struct nextauth_wish){STR_NONE, false};
    if (http_body(x).n == 0 && !http_is_form(x))
        return true;
    if (http_is_form(x)) {
        if (!form_bind(a, http_body(x), form_fields, sizeof(form_fields) / sizeof(*form_fields), &body, reterr))
            return false;
        ret->is_page = !str_eq(body.json, STR("true")) && str_is_none(http_header(x, "X-Auth-Return-Redirect"));
    } else {
        const struct json_value *json = json_parse(a, http_body(x), &JSON_LIMITS_BODY, reterr);
        if (json == NULL || !json_bind(json, json_fields, sizeof(json_fields) / sizeof(*json_fields), &body, reterr))
            return false;
    }
    ret->callback_url = body.callback_url;
    return true;
}

void nextauth_answer(struct http_exchange *x, const struct nextauth_wish *wish, const char *url)
{
    http_add_header(x, "Cache-Control", STR("no-store"));
    if (wish->is_page) {
        http_add_header(x, "Location", str_from(url));
        http_answer(x, 302, NULL, STR_NONE);
        return;
    }
    struct json_writer *w = jw_new(ANSWER_CEILING_BYTES);
    jw_object(w);
    jw_kv_text(w, "url", url);
    jw_object_end(w);
    http_answer_json(x, 200, w);
}
