/* SPDX-License-Identifier: Apache-2.0
 *
 * Slows down guessing: after LOGIN_FAILURES_MAX wrong tokens from one client within a minute, the
 * next tries are refused unseen until the oldest of them is a minute old. The table is bounded; the
 * client whose last failure is oldest makes room. Pure: the caller gives the monotonic time.
 */
#ifndef AGENT_WEB_LOGIN_LIMIT_H
#define AGENT_WEB_LOGIN_LIMIT_H

#include <stdint.h>

#include "agent/web/peer.h"

enum {
	LOGIN_FAILURES_MAX = 5,
	LOGIN_WINDOW_MS = 60 * 1000,
	LOGIN_CLIENTS_MAX = 256,
};

struct login_limit;

struct login_limit *login_limit_new(void);
void login_limit_free(struct login_limit *l); /* NULL is fine */

void login_limit_failed(struct login_limit *l, const struct peer_key *client, int64_t now_ms);
/* Milliseconds until this client may try again; 0: it may now. */
int64_t login_limit_wait_ms(
	const struct login_limit *l, const struct peer_key *client, int64_t now_ms);

#endif
