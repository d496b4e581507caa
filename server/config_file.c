// SPDX-License-Identifier: MIT
/* The YAML file: nested mappings become dotted keys, with their line numbers. Knows no key. Anchors, aliases, tags and
 * more than one document are refused: a configuration needs none of them, and aliases multiply. */
#include <yaml.h>

#include "server/config_row.h"

enum {
    FILE_MAX_DEPTH = 4,
    FILE_MAX_KEY = 128,
    FILE_MAX_VALUES = 1000,
    LIST_MAX_BYTES = CONFIG_MAX_VALUE_BYTES,
};

struct reader {
    const struct config_file_sink *sink;
    size_t key_n[FILE_MAX_DEPTH + 1]; /* length of the dotted key at each depth */
    unsigned depth;                   /* open mappings */
    unsigned values_n;
    bool has_key; /* a mapping key was read, its value comes next */
    bool is_over; /* an error after which the rest makes no sense */
    bool is_in_list;
    unsigned list_line;
    struct buf key;
    struct buf list;
};

static void fail(struct reader *r, unsigned line, const char *message)
{
    r->is_over = true;
    r->sink->on_error(r->sink->arg, line, message);
}

static void give(struct reader *r, struct str value, unsigned line)
{
    r->has_key = false;
    if (++r->values_n > FILE_MAX_VALUES) {
        fail(r, line, "too many values");
        return;
    }
    r->sink->on_value(r->sink->arg, buf_str(&r->key), value, line);
}

/* The dotted key of the mapping at the current depth, plus `name`. */
static void set_key(struct reader *r, struct str name, unsigned line)
{
    size_t prefix = r->key_n[r->depth];
    if (prefix + 1 + name.n > FILE_MAX_KEY || name.n == 0) {
        fail(r, line, "a key is empty or too long");
        return;
    }
    r->key.n = prefix;
    if (prefix > 0)
        buf_add_byte(&r->key, '.');
    buf_add_str(&r->key, name);
    r->has_key = true;
}

static void on_scalar(struct reader *r, const yaml_event_t *event, unsigned line)
{
    struct str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    if (event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL) {
        fail(r, line, "anchors and tags are not supported");
    } else if (r->is_in_list) {
        if (r->list.n > 0)
            buf_add_byte(&r->list, ',');
        buf_add_str(&r->list, text);
    } else if (r->depth == 0) {
        /* An empty document is one empty scalar. */
        if (text.n > 0)
            fail(r, line, "the file must be a mapping of keys to values");
    } else if (r->has_key) {
        give(r, text, line);
    } else {
        set_key(r, text, line);
    }
}

static void on_mapping(struct reader *r, unsigned line)
{
    if (r->is_in_list || (r->depth > 0 && !r->has_key)) {
        fail(r, line, "a mapping cannot stand here");
    } else if (r->depth == FILE_MAX_DEPTH) {
        fail(r, line, "nested too deeply");
    } else {
        r->key_n[++r->depth] = r->key.n;
        r->has_key = false;
    }
}

static void on_mapping_end(struct reader *r)
{
    r->depth--;
    r->key.n = r->key_n[r->depth];
    r->has_key = false;
}

static void on_list(struct reader *r, unsigned line)
{
    if (r->is_in_list || !r->has_key) {
        fail(r, line, "a list cannot stand here");
        return;
    }
    r->is_in_list = true;
    r->list_line = line;
    buf_clear(&r->list);
}

static void on_list_end(struct reader *r)
{
    r->is_in_list = false;
    if (r->list.is_over)
        fail(r, r->list_line, "the list is too long");
    else
        give(r, buf_str(&r->list), r->list_line);
}

/* False at the end of the file or after an error. */
static bool on_event(struct reader *r, const yaml_event_t *event, unsigned *documents_n)
{
    unsigned line = (unsigned)event->start_mark.line + 1;
    switch (event->type) {
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    case YAML_STREAM_END_EVENT:
        return false;
    case YAML_DOCUMENT_START_EVENT:
        if (++*documents_n > 1)
            fail(r, line, "more than one document");
        break;
    case YAML_ALIAS_EVENT:
        fail(r, line, "aliases are not supported");
        break;
    case YAML_SCALAR_EVENT:
        on_scalar(r, event, line);
        break;
    case YAML_SEQUENCE_START_EVENT:
        on_list(r, line);
        break;
    case YAML_SEQUENCE_END_EVENT:
        on_list_end(r);
        break;
    case YAML_MAPPING_START_EVENT:
        on_mapping(r, line);
        break;
    case YAML_MAPPING_END_EVENT:
        on_mapping_end(r);
        break;
    }
    return !r->is_over;
}

static void read_events(struct reader *r, yaml_parser_t *parser)
{
    unsigned documents_n = 0;
    bool goes_on = true;
    while (goes_on) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event)) {
            const char *problem = parser->problem != NULL ? parser->problem : "cannot be read";
            /* A reader's error (bytes that are not UTF-8) carries no mark of its own. */
            bool has_mark = parser->error != YAML_READER_ERROR;
            fail(r, (unsigned)(has_mark ? parser->problem_mark.line : parser->mark.line) + 1, problem);
            return;
        }
        goes_on = on_event(r, &event, &documents_n);
        yaml_event_delete(&event);
    }
}

void config_file_parse(struct str yaml, const struct config_file_sink *sink)
{
    struct reader r = {.sink = sink};
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        sink->on_error(sink->arg, 1, "cannot be read: out of memory");
        return;
    }
    buf_init(&r.key, FILE_MAX_KEY + 1);
    buf_init(&r.list, LIST_MAX_BYTES);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)(yaml.p != NULL ? yaml.p : ""), yaml.n);
    read_events(&r, &parser);
    yaml_parser_delete(&parser);
    buf_fini(&r.key);
    buf_fini(&r.list);
}
