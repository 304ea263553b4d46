/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of containers (or services) that `agent status` and `agent top` print. Pure.
 */
#ifndef AGENT_TABLE_H
#define AGENT_TABLE_H

#include <jansson.h>
#include <stddef.h>

#include "agent/term.h"
#include "base/buf.h"

enum table_sort { TABLE_CPU, TABLE_MEMORY, TABLE_NETWORK, TABLE_DISK, TABLE_NAME };

/* The entities of a class, the greatest first (names: alphabetical), unknown last; ties by name.
 * free() the array; the entities are borrowed. Returns how many. */
size_t table_sorted(
	const json_t *entities, const char *class_name, enum table_sort by, const json_t ***out);

/* One line each, without newline, of at most t->columns (taken as TABLE_COLUMNS_MIN when it is
 * less). `title` heads the first column. */
enum { TABLE_COLUMNS_MIN = 72 };
void table_head(const struct term *t, const char *title, enum table_sort by, struct buf *out);
/* `selected`: shown reversed, and filled up to the right edge. */
void table_row(const struct term *t, const json_t *entity, bool selected, struct buf *out);

/* What else is known about one, in a line of at most t->columns. */
void table_details(const struct term *t, const json_t *entity, struct buf *out);

#endif
