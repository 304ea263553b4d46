/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeps the web process alive: starts `agent web` with the control socketpair as descriptor 3, the
 * listening socket as 4, the folder of RRD files as 5, and starts it again when it ends: at once
 * the first time, then after 1, 2, 4 ... 30 s while it keeps failing. The listening socket stays
 * open here, so connections wait in its backlog meanwhile and none is refused.
 */
#ifndef AGENT_WEB_CHILD_H
#define AGENT_WEB_CHILD_H

#include <sys/types.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/problem.h"

struct web_child;

/* Called with this process's end of the socketpair (ownership passes) after each start. */
typedef void (*web_child_started_fn)(void *user, int control_fd);

/* The descriptors stay the caller's. */
int web_child_new(struct loop *l, int listen_fd, int rrd_fd, struct problems *problems,
	web_child_started_fn started, void *user, struct web_child **out, struct err *e);
/* Ends the process (TERM, KILL after 2 s) and waits for it. NULL is fine. */
void web_child_free(struct web_child *w);
pid_t web_child_pid(const struct web_child *w); /* 0: not running */

#endif
