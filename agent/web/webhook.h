/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /deploy/APP: what git hosts and registries send. Its body is spooled, read with bounded memory into what was pushed,
 * held against what the app deploys, and handed to the daemon, which alone can tell whether it is genuine: nothing is
 * answered that depends on it before. A large body is not even read before.
 *
 * Who has sent several that were not genuine waits in a lane of their own, so that a flood of them does not keep others
 * waiting; a genuine one is taken from there too, because a git host and a flood may come from the same address.
 */
#ifndef AGENT_WEB_WEBHOOK_H
#define AGENT_WEB_WEBHOOK_H

#include "agent/web/http.h"

enum {
	/* Together fewer than DELIVERIES_AT_ONCE of the daemon. */
	WEBHOOK_QUICK = 10,
	WEBHOOK_SLOW = 4,
	/* Those wait for one of the above. */
	WEBHOOK_QUICK_WAITING = 256,
	WEBHOOK_SLOW_WAITING = 64,
	/* For the daemon to hash one of 25 MiB beside others; senders give up after 10 s. */
	WEBHOOK_TIMEOUT_MS = 8000,
};

struct webhooks;

struct webhooks *webhooks_new(void);
void webhooks_free(struct webhooks *s); /* after all requests; NULL is fine */

/* http_options.on_head; `user` is the struct web. */
void webhook_head(void *user, struct http_request *rq);

#endif
