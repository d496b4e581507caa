// SPDX-License-Identifier: MIT
/* What an error of the cluster means for the step that met it: its code, whether it counts as a refusal, whether
 * another try can help, when that may be. Pure. */
#pragma once

#include <stdbool.h>

#include "core/base/err.h"
#include "core/io/loop.h"
#include "core/observed.h"
#include "core/stage.h"

/* The code that people are told. object: what was acted on; OBJECT_N: nothing was. */
enum reason flow_error_reason(const struct err *err, enum cluster_object object);

/* The API itself refused: a later try may still be answered otherwise, but not for ever. That it is busy, or is not
 * heard, refuses nothing. */
bool flow_error_is_refusal(const struct err *err);

/* No other try helps. */
bool flow_error_is_final(const struct err *err);

/* How long to wait before the next try: as long as the API asks for, within reason, and never less than backoff_ms. */
ms_t flow_error_wait_ms(const struct err *err, ms_t backoff_ms);
