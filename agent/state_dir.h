/* SPDX-License-Identifier: Apache-2.0
 *
 * The state folder: made when missing, held by one daemon at a time.
 */
#ifndef AGENT_STATE_DIR_H
#define AGENT_STATE_DIR_H

#include <stdbool.h>

#include "base/err.h"

struct state_dir {
	char *path; /* absolute; free() */
	int fd;
	int lock_fd; /* -1 on a folder that cannot be written */
	bool writable;
};

/* -EBUSY: another daemon holds it (the message gives its pid). A folder that exists but cannot
 * be written is a success with writable = false and *e filled: the agent then measures without
 * history. */
int state_dir_open(const char *path, struct state_dir *out, struct err *e);
void state_dir_close(struct state_dir *s);

#endif
