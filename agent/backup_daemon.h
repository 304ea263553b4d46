/* SPDX-License-Identifier: Apache-2.0
 *
 * Backups joined with the rest of the daemon: made from the configuration, told through notify_event(), heard by the web
 * process and by those who subscribed.
 */
#ifndef AGENT_BACKUP_DAEMON_H
#define AGENT_BACKUP_DAEMON_H

#include "agent/backups.h"
#include "agent/config.h"
#include "agent/mistakes.h"
#include "base/err.h"

struct daemon;
struct backup_daemon;

/* After alerts; the control socket may be opened later. */
int backup_daemon_new(struct daemon *d, struct backup_daemon **out, struct err *e);
void backup_daemon_free(struct backup_daemon *b); /* NULL is fine; as backups_free() */
struct backups *backup_daemon_backups(struct backup_daemon *b);

/* A reload in two steps: what can fail, and then taking it, after which the old configuration is no longer needed. */
int backup_daemon_prepare(const struct daemon *d, const struct config *c,
	struct backup_config **out, struct mistakes *m);
void backup_daemon_take(struct backup_daemon *b, struct backup_config *c);

#endif
