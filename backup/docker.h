/* SPDX-License-Identifier: Apache-2.0
 *
 * The little of the Docker Engine API (v1.40 and later; Podman's compatible one too) that backups need, over its Unix
 * socket, blocking with deadlines. exec streams are in docker_exec.h.
 */
#ifndef BACKUP_DOCKER_H
#define BACKUP_DOCKER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"

struct docker_container {
	char *id, *name, *image; /* image: its id */
	pid_t pid; /* of its first process; 0: not running */
	bool running, paused;
	json_t *inspect; /* all the engine says */
};

/* One request; the answer's body in `out`. Returns the HTTP status (>= 100), or a negative errno. */
int docker_call(const char *socket, const char *method, const char *path, const json_t *body,
	int64_t deadline_ms, struct buf *out, struct err *e);
int docker_inspect(
	const char *socket, const char *name, struct docker_container **out, struct err *e);
void docker_container_free(struct docker_container *c); /* NULL is fine */
DEFINE_CLEANUP(struct docker_container *, docker_container_free);

int docker_pause(const char *socket, const char *id, struct err *e);
int docker_unpause(const char *socket, const char *id, struct err *e);
int docker_start(const char *socket, const char *id, struct err *e);

/* A throw-away container for a drill: from an image that is here (nothing is pulled), without network, with a fresh anonymous
 * volume, limited memory, label agent.drill=JOB; started. The caller removes it. */
struct docker_throwaway {
	const char *image;
	const char *const *env; /* NULL-terminated; NULL: none */
	const char *const *command; /* NULL: the image's own */
	int64_t memory_bytes; /* 0: no limit */
	const char *job;
};
int docker_throwaway(
	const char *socket, const struct docker_throwaway *o, char id[80], struct err *e);
/* With its volumes, running or not. 0 also when it is gone. */
int docker_remove(const char *socket, const char *id, struct err *e);
/* Removes throw-away containers that a killed worker left. */
int docker_sweep(const char *socket, size_t *removed, struct err *e);

/* Where a volume's files are on this host. -ENOENT. */
int docker_volume_path(const char *socket, const char *volume, struct buf *out, struct err *e);
/* Names of running containers that use it, with ", " between; "" for none. */
int docker_volume_users(const char *socket, const char *volume, struct buf *out, struct err *e);

#endif
