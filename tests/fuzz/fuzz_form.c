// SPDX-License-Identifier: MIT
/* A form that is taken holds, written again as a browser writes it, the same values; none is longer than its ceiling,
 * and all are UTF-8 without NUL. What is refused names a kind and never a byte that is no text. */
#include "core/base/form.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct texts {
    struct str url;
    struct str token;
    struct str word;
};

static const struct form_field fields[] = {
    {"callbackUrl", offsetof(struct texts, url),   200},
    {"csrfToken",   offsetof(struct texts, token), 50 },
    {"json",        offsetof(struct texts, word),  5  },
};
enum { FIELDS_N = sizeof(fields) / sizeof(*fields), AGAIN_MAX = 4096 };

static struct str *member(struct texts *t, size_t i)
{
    return (struct str *)((char *)t + fields[i].offset);
}

static void check_again(struct arena *a, struct texts *first)
{
    struct texts again = {STR_NONE, STR_NONE, STR_NONE};
    struct buf text;
    buf_init(&text, AGAIN_MAX);
    for (size_t i = 0; i < FIELDS_N; i++) {
        struct str value = *member(first, i);
        if (str_is_none(value))
            continue;
        assert(value.n <= fields[i].max_bytes && str_is_utf8(value) && memchr(value.p, '\0', value.n) == NULL);
        buf_addf(&text, "&%s=", fields[i].name);
        codec_percent_encode(&text, value);
    }
    bool is_taken = form_bind(a, buf_str(&text), fields, FIELDS_N, &again, NULL);
    assert(is_taken);
    for (size_t i = 0; i < FIELDS_N; i++) {
        assert(str_is_none(*member(first, i)) == str_is_none(*member(&again, i)));
        assert(str_eq(*member(first, i), *member(&again, i)));
    }
    buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct texts got = {STR_NONE, STR_NONE, STR_NONE};
    struct err err = {0};
    struct arena *a = arena_new();
    if (form_bind(a, (struct str){(const char *)data, size}, fields, FIELDS_N, &got, &err))
        check_again(a, &got);
    else
        assert(err.kind == ERR_INVALID && err.msg[0] != '\0' && str_is_utf8(str_from(err.field)));
    arena_free(a);
    return 0;
}
