// SPDX-License-Identifier: MIT
/* Collects what is wrong with a configuration, so that all of it is told at once. */
#include "server/config_report.h"

#include <stdarg.h>

enum { REPORT_MAX_BYTES = 64 * 1024 };

void config_report_init(struct config_report *report)
{
    *report = (struct config_report){0};
    buf_init(&report->errors, REPORT_MAX_BYTES);
    buf_init(&report->warnings, REPORT_MAX_BYTES);
}

void config_report_fini(struct config_report *report)
{
    buf_fini(&report->errors);
    buf_fini(&report->warnings);
}

static void PRINTF_LIKE(3, 0) add_line(struct buf *out, const char *where, const char *fmt, va_list args)
{
    buf_addf(out, "%s: ", where);
    buf_addv(out, fmt, args);
    buf_add_byte(out, '\n');
}

void config_report_error(struct config_report *report, const char *where, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    add_line(&report->errors, where, fmt, args);
    va_end(args);
    report->errors_n++;
}

void config_report_warning(struct config_report *report, const char *where, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    add_line(&report->warnings, where, fmt, args);
    va_end(args);
    report->warnings_n++;
}
