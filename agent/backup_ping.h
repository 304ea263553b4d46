/* SPDX-License-Identifier: Apache-2.0
 *
 * The dead man's switch: an address that is called after each good backup, with /fail added after a bad one. What comes of
 * it is a problem that is shown, never the backup's.
 */
#ifndef AGENT_BACKUP_PING_H
#define AGENT_BACKUP_PING_H

#include <stdbool.h>

#include "agent/backup_config.h"
#include "base/http_client.h"
#include "base/loop.h"
#include "base/problem.h"

enum {
	PING_ATTEMPTS = 4,
	PING_RETRY_MS = 5000, /* before the second attempt, doubled for each further one */
	PING_TIMEOUT_MS = 15 * 1000,
	PINGS_MAX = 32,
};

struct backup_pings;

/* `http` NULL: nothing is called. */
struct backup_pings *backup_pings_new(
	struct loop *l, struct http_client *http, struct problems *problems);
void backup_pings_free(struct backup_pings *p); /* NULL is fine */

/* What is called: after a bad backup /fail ends the path, in front of a query. Pure; free(). */
char *backup_ping_address(const char *url, bool good);

/* Nothing without an address in the job. */
void backup_ping(struct backup_pings *p, const struct backup_job *j, bool good);

#endif
