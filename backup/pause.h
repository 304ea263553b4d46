/* SPDX-License-Identifier: Apache-2.0
 *
 * A container that is paused while its files are read. A process of its own watches over it: when the worker dies, or the time is
 * over, it lets the container go on. It is in a session of its own and heeds no TERM, so that whatever ends the worker's group does
 * not end it too. When it is killed as well (a service manager kills all that is in a service), the next worker lets the container
 * go on: there is a lease (lease.h) in STATE/backup/pauses/.
 */
#ifndef BACKUP_PAUSE_H
#define BACKUP_PAUSE_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct pause;

/* Pauses it for at most max_ms. One that does not run, or was paused by others, is left as it is: *out is NULL then and the
 * result 0. `container` is its id or name. */
int pause_begin(const char *socket, const char *container, const char *state_dir, int64_t max_ms,
	struct pause **out, struct err *e);
/* 0, or -ETIMEDOUT as below: what is read from now on is of no use. NULL is fine. */
int pause_check(struct pause *p, struct err *e);
/* Lets it go on, and frees. NULL is fine. -ETIMEDOUT: the time was over before, so what was read meanwhile is not consistent. */
int pause_end(struct pause *p, struct err *e);

/* Lets containers go on that killed processes left paused. Tells of each. */
void pause_sweep(const char *state_dir, void (*tell)(void *user, const char *text), void *user);

#endif
