/* SPDX-License-Identifier: Apache-2.0
 *
 * A worker is asked to stop by SIGTERM or SIGINT. Whatever waits, waits with these signals open
 * and gives up with -ECANCELED, so that the stages unwind: dump ended, upload aborted, locks free.
 */
#ifndef BACKUP_STOP_H
#define BACKUP_STOP_H

#include <stdbool.h>

#include "base/err.h"

/* SIGTERM and SIGINT set the flag and interrupt blocking calls; SIGPIPE is ignored. */
void stop_install(void);
bool stop_requested(void);
/* 0, or -ECANCELED with "stopped" in *e. */
int stop_check(struct err *e);
/* Between hold and its end nobody is stopped: for what cleans up after a stop, and for ends that must not be cut in two.
 * May be nested. A request of that time counts afterwards. */
void stop_hold(bool on);
bool stop_is_held(void);
/* For poll(2): readable once a stop was requested. -1 before stop_install() and while it is held. */
int stop_fd(void);

#endif
