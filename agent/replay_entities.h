/* SPDX-License-Identifier: Apache-2.0
 *
 * Which entities have history: the running agent knows them with their labels, also those that are
 * gone; without one, the files tell their names.
 */
#ifndef AGENT_REPLAY_ENTITIES_H
#define AGENT_REPLAY_ENTITIES_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "collectors/entity.h"

struct replay_entities {
	/* Their `owner` is the path of the file (char *). */
	struct registry *registry;
	bool from_agent; /* else there are no labels */
	json_t *reply; /* has the names of the labels */
};

/* -ENOENT when there is no state folder to read. */
int replay_entities_find(const char *state_dir, struct replay_entities *out, struct err *e);
void replay_entities_done(struct replay_entities *r);

#endif
