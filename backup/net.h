/* SPDX-License-Identifier: Apache-2.0
 *
 * The transfers of a worker: libcurl's multi interface without an event loop. While the worker waits for the
 * dump, its uploads move on. One per process. What uses it are the S3 files alone (net_internal.h); others wait with it.
 */
#ifndef BACKUP_NET_H
#define BACKUP_NET_H

#include "base/cleanup.h"
#include "base/err.h"

struct net;

int net_new(struct net **out, struct err *e);
void net_free(struct net *n); /* NULL is fine */
DEFINE_CLEANUP(struct net *, net_free);

/* Lets transfers move on until fd is readable (1), or timeout_ms passed (0; -1: no limit). fd -1: returns 1 after one turn
 * without waiting. -ECANCELED when a stop was requested (stop.h). A transfer that failed is told by its own upload. */
int net_wait(struct net *n, int fd, int timeout_ms, struct err *e);

#endif
