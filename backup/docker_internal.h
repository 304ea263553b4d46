/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls with an answer in JSON; for docker*.c and place_container.c.
 */
#ifndef BACKUP_DOCKER_INTERNAL_H
#define BACKUP_DOCKER_INTERNAL_H

#include "backup/docker.h"

enum {
	DOCKER_CALL_MS = 60 * 1000,
	DOCKER_ANSWER_MAX = 16 * 1024 * 1024, /* a list of all containers of a large host */
	DOCKER_LABEL_OWNER_MAX = 128,
};

/* Expects a status of 200 to 299, or `also` (0: none); any other is an error with the engine's words: -ENOENT (404), -EBUSY (409),
 * -EREMOTEIO. `out` (may be NULL) gets the answer when it is JSON, else NULL; json_decref() it. */
int docker_ask(const char *socket, const char *method, const char *path, const json_t *body,
	int also, json_t **out, struct err *e);

/* A name as a part of a path, %XX where needed. */
void docker_path_add(struct buf *path, const char *name);

/* "" when it is not there. Borrowed. */
const char *docker_text(const json_t *object, const char *member);

#endif
