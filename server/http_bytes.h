// SPDX-License-Identifier: MIT
/* Which bytes may stand where in a request: one table for all readers of the wire. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum http_byte_class {
    HTTP_BYTE_TOKEN = 1,  /* RFC 9110 tchar */
    HTTP_BYTE_TARGET = 2, /* visible ASCII without " # < > \ : what browsers send, nothing that means a fragment */
    HTTP_BYTE_VALUE = 4,  /* RFC 9110 field-vchar, SP, HTAB, obs-text */
    HTTP_BYTE_HOST = 8,   /* RFC 3986 reg-name, IP-literal and port */
};

extern const uint8_t http_byte_classes[256];

static inline bool http_byte_is(char byte, enum http_byte_class class)
{
    return (http_byte_classes[(unsigned char)byte] & class) != 0;
}

/* The value of a hexadecimal digit, or -1. */
static inline int http_hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}
