/* SPDX-License-Identifier: Apache-2.0
 *
 * What drills of database servers have in common: a throw-away container of the same image, or, for a server on this host,
 * throw-away databases on it, whose names begin with agent_drill_.
 */
#ifndef BACKUP_DRILL_H
#define BACKUP_DRILL_H

#include "backup/docker.h"
#include "backup/engine.h"

/* The state of an engine's target. */
struct drill {
	char container[80]; /* "" on the host */
	char *prefix; /* of the databases on the host; NULL in a container */
};

/* A container of the job's drill_image, or else of the image of its own container, which is c->place. `o` has no image and no job. Also
 * when it fails *id is to be removed, unless "". */
int drill_container(const struct engine_call *c, struct docker_throwaway o, char id[80],
	struct place **out, struct err *e);
/* "" is fine. What goes wrong is a warning. */
void drill_remove_container(const struct engine_call *c, const char *id);

/* For drill_begin of an engine. */
struct drill *drill_new(struct engine_call *out, char into[128], struct engine_target *t);
/* How to reach a server in such a container, over TCP: while the image is still setting itself up there is a server that
 * listens on the socket only, and ends again. */
struct drill_server {
	const char *const *env; /* of the container, NULL-terminated */
	const char *login;
	int port;
	/* -EREMOTEIO: not yet. */
	int (*answers)(const struct engine_call *drill, struct err *e);
};
int drill_start_server(const struct engine_call *c, const struct drill_server *s, struct drill *d,
	struct engine_call *out, struct err *e);
/* Databases on the job's own server. */
void drill_add_prefix(const struct engine_call *c, struct drill *d, struct engine_call *out);

/* For drill_end; drop() removes all databases whose names begin so. */
void drill_end(const struct engine_call *c, struct engine_call *drill, struct engine_target *t,
	void (*drop)(const struct engine_call *c, const char *prefix));

#endif
