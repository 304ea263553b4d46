/* SPDX-License-Identifier: Apache-2.0
 *
 * A table for a terminal, as wide as its contents: rows are collected, then printed. The last column
 * takes the room that is left and is wrapped in it; notes follow below it. Pure.
 */
#ifndef AGENT_COLUMNS_H
#define AGENT_COLUMNS_H

#include <stddef.h>

#include "agent/term.h"
#include "base/buf.h"
#include "base/cleanup.h"

enum {
	COLUMNS_MAX = 8,
	COLUMNS_WIDTH_MAX = 32, /* of all but the last; longer texts are cut */
	COLUMNS_LAST_MIN = 24 /* of the last, however narrow the terminal */
};

struct columns;

/* `heads` are static; a '>' in front aligns the column to the right. Ended by NULL. */
struct columns *columns_new(const char *const *heads);
void columns_free(struct columns *c); /* NULL is fine */
DEFINE_CLEANUP(struct columns *, columns_free);

/* Cells in order, copied; those not given are empty. `style` is that of column `styled`. */
void columns_row(struct columns *c, const char *const *cells, size_t n, size_t styled,
	enum term_style style);
/* A line below the last column of the last row. */
void columns_note(struct columns *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void columns_print(const struct columns *c, const struct term *t, struct buf *out);

#endif
