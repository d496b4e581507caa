// SPDX-License-Identifier: MIT
/* Finds in raw JSON what is lost once texts are decoded: NUL escapes and broken surrogate pairs (RFC 8259 section 8.2
 * calls their meaning unpredictable). Everything else is left to yajl. */
#include "core/base/json_private.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static const char *scan_code_unit(struct json_scan *s)
{
    bool is_high = s->code_unit >= 0xD800 && s->code_unit <= 0xDBFF;
    bool is_low = s->code_unit >= 0xDC00 && s->code_unit <= 0xDFFF;
    if (s->want_low != is_low)
        return "half of a surrogate pair";
    if (s->code_unit == 0)
        return "a NUL character";
    s->want_low = is_high;
    s->state = is_high ? SCAN_LOW_BACKSLASH : SCAN_STRING;
    return NULL;
}

static const char *scan_hex(struct json_scan *s, char c)
{
    int digit = hex_value(c);
    if (digit < 0)
        return "an escape without four hexadecimal digits";
    s->code_unit = s->code_unit * 16 + (unsigned)digit;
    return ++s->hex_n == 4 ? scan_code_unit(s) : NULL;
}

static void start_hex(struct json_scan *s)
{
    s->state = SCAN_HEX;
    s->hex_n = 0;
    s->code_unit = 0;
}

static const char *scan_in_string(struct json_scan *s, char c)
{
    switch (s->state) {
    case SCAN_OUTSIDE:
        break;
    case SCAN_STRING:
        if (c == '"')
            s->state = SCAN_OUTSIDE;
        else if (c == '\\')
            s->state = SCAN_ESCAPE;
        break;
    case SCAN_ESCAPE:
        if (c == 'u')
            start_hex(s);
        else
            s->state = SCAN_STRING;
        break;
    case SCAN_HEX:
        return scan_hex(s, c);
    case SCAN_LOW_BACKSLASH:
        if (c != '\\')
            return "half of a surrogate pair";
        s->state = SCAN_LOW_U;
        break;
    case SCAN_LOW_U:
        if (c != 'u')
            return "half of a surrogate pair";
        start_hex(s);
        break;
    }
    return NULL;
}

static void scan_outside(struct json_scan *s, char c, size_t i)
{
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
        s->blank_at = s->bytes_n + i + 1;
        return;
    }
    s->has_text = true;
    if (c == '"')
        s->state = SCAN_STRING;
}

const char *json_scan_bytes(struct json_scan *s, struct str bytes, size_t *ret_at)
{
    for (size_t i = 0; i < bytes.n; i++) {
        const char *fault = NULL;
        if (s->state == SCAN_OUTSIDE)
            scan_outside(s, bytes.p[i], i);
        else
            fault = scan_in_string(s, bytes.p[i]);
        if (fault != NULL) {
            *ret_at = i;
            return fault;
        }
    }
    s->bytes_n += bytes.n;
    return NULL;
}
