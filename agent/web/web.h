/* SPDX-License-Identifier: Apache-2.0
 *
 * The web process: what runs as `agent web`. It reads what comes from the network, so it holds
 * nothing worth stealing: no root, no secrets, no way to act but to ask the daemon. Started by the
 * daemon with
 *
 *   descriptor 3   the control socketpair (CONTROL.md); the process ends when it closes
 *   descriptor 4   the listening TCP socket, bound by the daemon, so that a restart of this process loses no connection
 *   descriptor 5   the folder of RRD files; it and what is in it must be readable by the user `agent` or `nobody`
 */
#ifndef AGENT_WEB_WEB_H
#define AGENT_WEB_WEB_H

#include <stdint.h>

#include "agent/web/deploy_counts.h"
#include "agent/web/kept_list.h"
#include "base/loop.h"

/* What the parts of the process share. */
struct web {
	struct loop *loop;
	struct upstream *upstream;
	struct http_server *http;
	struct login_limit *login_limit;
	struct role_cache *role_cache;
	struct live *live;
	struct log_streams *log_streams;
	struct health *health;
	struct webhooks *webhooks;
	struct kept_list backup_jobs, apps; /* for GET /metrics */
	struct deploy_counts deploy_counts;
	struct loop_timer *trim;
	/* From the daemon's `hello`. */
	char *version;
	char *hostname;
	char **hosts; /* allowed Host names, NULL-terminated; empty: any */
	int64_t interval_ms;
	int64_t row_seconds; /* of the finest archive */
	int64_t row_span_seconds; /* how far that one goes back */
	int64_t span_seconds; /* how far the longest one does */
};

/* Runs until the daemon closes the control socket or SIGTERM; the exit status of the process. */
int web_main(void);

#endif
