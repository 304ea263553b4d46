/* SPDX-License-Identifier: Apache-2.0
 *
 * Entities as JSON text, as CONTROL.md describes them.
 */
#ifndef AGENT_ENTITY_JSON_H
#define AGENT_ENTITY_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "collectors/catalogue.h"
#include "collectors/entity.h"

/* Which entities: the members "classes" and "entities" of a request. An absent member means all. */
bool entity_json_wanted(const json_t *filter, const struct entity_class *class, const char *key);

struct entity_json_options {
	bool totals;
	bool missing;
};

/* Appends {"class":...} for the entity. */
void entity_json_add(struct buf *b, const struct entity *e, const struct entity_json_options *o);

/* Appends "entities":[...] of all wanted ones; `gone` adds those only the catalogue knows (NULL:
 * none). */
void entity_json_add_all(struct buf *b, const struct registry *r, const json_t *filter,
	const struct entity_json_options *o, struct catalogue *gone);

#endif
