/* SPDX-License-Identifier: Apache-2.0
 *
 * The entities of the daemon's `latest` and `sample` (values as arrays in the order of the metric
 * table) written as the API shows them (values by name, API.md). Pure.
 */
#ifndef AGENT_WEB_LATEST_H
#define AGENT_WEB_LATEST_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "collectors/metric.h"

/* The class of an entity; NULL when there is none of that name or the entity has no key. */
const struct entity_class *latest_class(const json_t *entity);
/* Value i of "values" or "totals"; NaN when it is null, absent, or no number. */
double latest_number(const json_t *entity, const char *array, size_t i);
/* NULL when absent. */
const char *latest_label(const json_t *entity, const char *name);
const char *latest_key(const json_t *entity);
bool latest_live(const json_t *entity);

/* The class in "CLASS/KEY" and where the key begins; NULL when it is not of that form or there
 * is no such class. */
const struct entity_class *latest_parse_name(const char *text, const char **out_key);

enum latest_flags {
	LATEST_MISSING = 1, /* with the reasons why values are missing */
	LATEST_ONE_LINE = 2, /* no newlines, as the data of an event */
};

/* One entity as an object; nothing for an entity without a known class. */
void latest_write(struct buf *b, const json_t *entity, unsigned flags);

/* Whether an entity is to be written. */
typedef bool (*latest_fn)(const void *user, const json_t *entity);
/* {"time": .., "entities": [..]} of a whole message; `wanted` NULL: all. */
void latest_write_message(
	struct buf *b, const json_t *message, unsigned flags, latest_fn wanted, const void *user);

#endif
