/* SPDX-License-Identifier: Apache-2.0
 *
 * A run of backups in one line: a progress bar for a terminal, or words for a log. Takes runs as CONTROL.md describes
 * them. Pure.
 */
#ifndef AGENT_BACKUP_BAR_H
#define AGENT_BACKUP_BAR_H

#include <jansson.h>

#include "agent/term.h"
#include "base/buf.h"

/* "shop  dump         [#####-----]  43%  512M of 1.2G  87M/s  8s left", at most t->columns, without a newline. */
void backup_bar(const struct term *t, const json_t *run, struct buf *out);
/* "shop: dump of blog, 512M of 1.2G, 87M/s, 8s left". */
void backup_bar_words(const json_t *run, struct buf *out);
/* How it ended: "shop  done in 12s: 1.2 GiB, stored as 340 MiB in local, offsite (20261121T030000Z-3f9a2c)", with the error
 * and warnings on lines of their own. Ends with a newline. */
void backup_bar_end(const struct term *t, const json_t *run, struct buf *out);

/* "shop  warning: ...", while it goes on. */
void backup_bar_warning(const struct term *t, const char *job, const char *text, struct buf *out);

/* "done", green; "failed", red. */
enum term_style backup_state_style(const char *state);

#endif
