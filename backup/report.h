/* SPDX-License-Identifier: Apache-2.0
 *
 * What a worker says, as JSON objects, one a line (order.h lists them). Nobody listening is no reason to end a
 * backup: a line that cannot be written is lost.
 */
#ifndef BACKUP_REPORT_H
#define BACKUP_REPORT_H

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

enum { REPORT_PROGRESS_MS = 500, REPORT_WARNINGS_MAX = 100 };

struct report;

/* `fd` stays the caller's. */
struct report *report_new(int fd);
void report_free(struct report *r); /* NULL is fine */
DEFINE_CLEANUP(struct report *, report_free);

/* A JSON text of whatever bytes a program wrote: what is no UTF-8 becomes U+FFFD. */
json_t *report_text(const char *s);
/* One line; takes over `line`, adds {"type":type}. */
void report_line(struct report *r, const char *type, json_t *line);
/* NULL: not said. Also ends the pause between two lines of progress. */
void report_stage(struct report *r, const char *stage, const char *member, const char *store);
/* At most every REPORT_PROGRESS_MS. */
void report_progress(
	struct report *r, int64_t plain_bytes, int64_t stored_bytes, int64_t expected_bytes);
/* Past REPORT_WARNINGS_MAX they are not said. */
void report_warning(struct report *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
