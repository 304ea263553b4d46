/* SPDX-License-Identifier: Apache-2.0
 *
 * A program in a container, over the engine's API (docs: Docker Engine API, ContainerExec, ExecStart, ExecInspect). The command
 * line client takes a cut stream for success; here nothing is one before the stream has ended between two frames, the
 * engine says that the program is not running any more, and its exit code is a number. Ended early, it is ended in the
 * container too (container_processes.h).
 */
#ifndef BACKUP_DOCKER_EXEC_H
#define BACKUP_DOCKER_EXEC_H

#include "backup/docker.h"
#include "backup/running.h"

enum {
	/* How long the engine may take to tell the exit code after the stream has ended. */
	DOCKER_EXEC_CODE_MS = 10 * 1000,
};

/* `left_over` (a text of the place, freed by it) is set when the program could not be ended. */
int docker_exec_start(const char *socket, const struct docker_container *c,
	const struct running_options *o, char **left_over, struct running **out, struct err *e);

#endif
