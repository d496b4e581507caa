// SPDX-License-Identifier: MIT
/* libyaml's event API first, to count depth and nodes; then its document API. */
#include "k8s/yaml_doc.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "core/base/xmem.h"
#include "k8s/kubeconfig.h"

struct yaml_doc {
    yaml_document_t document;
};

static bool refuse(const yaml_parser_t *parser, struct err *reterr)
{
    return err_set(reterr, ERR_INVALID, "yaml_doc_parse", "not readable as YAML: %s at line %zu, column %zu",
                   parser->problem != NULL ? parser->problem : "bad text", parser->problem_mark.line + 1,
                   parser->problem_mark.column + 1);
}

static int depth_step(yaml_event_type_t type)
{
    if (type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT)
        return 1;
    if (type == YAML_MAPPING_END_EVENT || type == YAML_SEQUENCE_END_EVENT)
        return -1;
    return 0;
}

static bool is_within_ceilings(struct str text, struct err *reterr)
{
    yaml_parser_t parser;
    yaml_event_t event;
    int depth = 0;
    int events_n = 0;
    bool is_end = false;
    bool is_good = true;
    if (!yaml_parser_initialize(&parser))
        return err_set(reterr, ERR_BUG, __func__, "libyaml does not start");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.p, text.n);
    while (is_good && !is_end) {
        if (!yaml_parser_parse(&parser, &event)) {
            is_good = refuse(&parser, reterr);
            break;
        }
        depth += depth_step(event.type);
        is_end = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (depth > KUBECONFIG_DEPTH_MAX || ++events_n > KUBECONFIG_EVENTS_MAX)
            is_good =
                err_set(reterr, ERR_TOO_LARGE, __func__, "the document is nested too deeply or has too many parts");
    }
    yaml_parser_delete(&parser);
    return is_good;
}

struct yaml_doc *yaml_doc_parse(struct str text, struct err *reterr)
{
    yaml_parser_t parser;
    struct yaml_doc *doc;
    bool is_good;
    if (text.n > KUBECONFIG_CEILING_BYTES) {
        err_set(reterr, ERR_TOO_LARGE, __func__, "larger than %d bytes", KUBECONFIG_CEILING_BYTES);
        return NULL;
    }
    if (!is_within_ceilings(text, reterr) || !yaml_parser_initialize(&parser))
        return NULL;
    doc = xcalloc(1, sizeof *doc);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.p, text.n);
    is_good = yaml_parser_load(&parser, &doc->document) != 0;
    if (!is_good) {
        (void)refuse(&parser, reterr);
        free(doc);
    }
    yaml_parser_delete(&parser);
    return is_good ? doc : NULL;
}

void yaml_doc_free(struct yaml_doc *doc)
{
    if (doc == NULL)
        return;
    yaml_document_delete(&doc->document);
    free(doc);
}

static const yaml_node_t *node_of(const struct yaml_at *v)
{
    return (const yaml_node_t *)v;
}

const struct yaml_at *yaml_doc_root(struct yaml_doc *doc)
{
    return (const struct yaml_at *)yaml_document_get_root_node(&doc->document);
}

struct str yaml_doc_text(const struct yaml_at *v)
{
    const yaml_node_t *node = node_of(v);
    if (node == NULL || node->type != YAML_SCALAR_NODE)
        return STR_NONE;
    if (node->data.scalar.length == 0 && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return STR_NONE;
    return (struct str){(const char *)node->data.scalar.value, node->data.scalar.length};
}

const struct yaml_at *yaml_doc_find(struct yaml_doc *doc, const struct yaml_at *v, const char *key)
{
    const yaml_node_t *node = node_of(v);
    const yaml_node_t *found = NULL;
    if (node == NULL || node->type != YAML_MAPPING_NODE)
        return NULL;
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *name = yaml_document_get_node(&doc->document, pair->key);
        if (!str_eq_text(yaml_doc_text((const struct yaml_at *)name), key))
            continue;
        if (found != NULL)
            return NULL; /* readers disagree which of two equal keys counts */
        found = yaml_document_get_node(&doc->document, pair->value);
    }
    return (const struct yaml_at *)found;
}

const struct yaml_at *yaml_doc_named(struct yaml_doc *doc, const struct yaml_at *v, struct str name)
{
    const yaml_node_t *node = node_of(v);
    if (node == NULL || node->type != YAML_SEQUENCE_NODE || str_is_none(name))
        return NULL;
    for (const yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
        const struct yaml_at *element = (const struct yaml_at *)yaml_document_get_node(&doc->document, *item);
        if (str_eq(yaml_doc_text(yaml_doc_find(doc, element, "name")), name))
            return element;
    }
    return NULL;
}
