// SPDX-License-Identifier: MIT
/* Inside the configuration: what is decided after all sources were read. */
#pragma once

#include "server/config.h"

/* Reads .secret/.env, derives the key ring, checks keys against each other. */
void config_finish(struct config *c, const char *directory, struct config_report *report);
/* A .env file. False when there is none (no error is reported then) or it is wrong (reported). *ret is the caller's to
 * dotenv_fini in every case. */
MUST_CHECK bool config_read_dotenv(const char *path, struct dotenv *ret, struct config_report *report);
