// SPDX-License-Identifier: MIT
/* Finds one recorded answer or watch by name under tests/golden/kube. */
#pragma once

#include "core/base/json_read.h"
#include "golden.h"

struct capture_search {
    struct arena *arena;
    const char *name;
    struct str text;
};

static inline bool capture_on_item(void *arg, const struct json_value *item, struct err *reterr)
{
    struct capture_search *s = arg;
    struct str text = json_str(json_find(item, json_find(item, "events") != NULL ? "events" : "body"));

    (void)reterr;
    if (str_eq_text(json_str(json_find(item, "name")), s->name))
        s->text = arena_dup_str(s->arena, text);
    return true;
}

/* file: "answers" or "watches". The body's or the events' text. */
static inline struct str capture_text(struct arena *a, const char *file, const char *name)
{
    struct capture_search search = {a, name, STR_NONE};
    struct json_stream *s = json_stream_new(NULL, &JSON_LIMITS_KUBE, capture_on_item, &search);
    struct buf text;
    char path[512];

    buf_init(&text, GOLDEN_CEILING_BYTES);
    assert_true(snprintf(path, sizeof path, "%s/tests/golden/kube/%s.jsonl", FS_SOURCE_DIR, file) > 0);
    assert_true(json_stream_feed(s, golden_read(path, &text), NULL) && json_stream_finish(s, NULL, NULL));
    json_stream_free(s);
    buf_fini(&text);
    if (str_is_none(search.text))
        fail_msg("no recording %s", name);
    return search.text;
}

static inline const struct json_value *capture_answer(struct arena *a, const char *name)
{
    const struct json_value *v = json_parse(a, capture_text(a, "answers", name), &JSON_LIMITS_KUBE, NULL);

    assert_non_null(v);
    return v;
}
