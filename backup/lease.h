/* SPDX-License-Identifier: Apache-2.0
 *
 * What has to be put right when a process is killed, as small files in a folder of its own: each is locked as long as the process
 * lives that wrote it, or a child that kept the descriptor. One whose lock is free is for the next worker.
 */
#ifndef BACKUP_LEASE_H
#define BACKUP_LEASE_H

#include <stdbool.h>

#include "base/err.h"

enum { LEASE_TEXT_MAX = 4096 };

struct lease;

/* The folder is made when it is missing. */
int lease_new(const char *folder, const char *text, struct lease **out, struct err *e);
/* Holds the lock; close-on-exec. */
int lease_fd(const struct lease *l);
/* Nothing is to be put right any more: removes the file. NULL is fine. */
void lease_done(struct lease *l);
/* Something is: leaves it to the next sweep. NULL is fine. */
void lease_leave(struct lease *l);

/* Calls fn with the text of each whose process is dead. True: it is put right, the file goes. */
void lease_sweep(const char *folder, bool (*fn)(void *user, const char *text), void *user);

#endif
