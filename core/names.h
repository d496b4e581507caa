// SPDX-License-Identifier: MIT
/* Names of a project's objects: drawn once, stored, and never derived again. */
#pragma once

#include <stdint.h>

#include "core/base/err.h"
#include "core/base/str.h"
#include "core/sandbox.h"

enum {
    PROJECT_NAME_MAX_CHARACTERS = 40,
    PROJECT_TEXT_MAX_BYTES = 2000,
    ENV_VALUE_MAX_BYTES = 32 * 1024,
    ENV_KEY_MAX_BYTES = 253,
};

/* 1 to 40 characters of UTF-8, not blank, without control characters. Fails with INVALID naming "/name". */
MUST_CHECK bool names_check_project(struct str name, struct err *reterr);

/* [A-Za-z_][A-Za-z0-9_]*, at most 253 bytes. field: the JSON pointer to name on failure. */
MUST_CHECK bool names_check_env_key(struct str key, const char *field, struct err *reterr);
/* UTF-8 without NUL, at most 32 KiB. */
MUST_CHECK bool names_check_env_value(struct str value, const char *field, struct err *reterr);

/* Lower-case letters, digits and inner hyphens of the name, at most 20, beginning with a letter; "project" if nothing
 * is left. Valid as label value and as the beginning of a DNS-1035 name. */
void names_slug(struct str project_name, char ret[SLUG_SIZE]);

struct names_settings {
    const char *namespace_name;
    const char *domain; /* "usw.sealos.io" */
    const char *image;
    struct sandbox_kinds kinds;
};

/* Could it be the id of a row, as this server or the original makes them: 1 to 64 letters, digits and hyphens? What a
 * client sends as one is no text that PostgreSQL has to take. */
bool names_is_id(struct str text);

/* Could names_draw have made it, for a sandbox or a database: {slug}-agentruntime-{6 letters or digits}? */
bool names_is_drawn(struct str name);

/* Fills slug, name, database_name, hosts, labels, port names, namespace, image, kinds and restart time. */
void names_draw(struct sandbox *sb, struct str project_name, const struct names_settings *settings, int64_t wall_ms);
