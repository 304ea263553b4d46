/* SPDX-License-Identifier: Apache-2.0
 *
 * Remembers for a minute which role a credential has, so that not every request asks the daemon.
 * Credentials are kept as their SHA-256 only. Good answers are kept, bad ones never: a new token
 * works at once. The table is bounded, the oldest answer makes room. Pure: the caller gives the
 * monotonic time.
 */
#ifndef AGENT_WEB_ROLE_CACHE_H
#define AGENT_WEB_ROLE_CACHE_H

#include <stdint.h>

#include "agent/role.h"

enum {
	ROLE_CACHE_MS = 60 * 1000,
	ROLE_CACHE_MAX = 64,
};

/* Tokens and sessions are different kinds: the text of the one is worth nothing as the other. */
enum credential_kind { CREDENTIAL_TOKEN, CREDENTIAL_SESSION };

struct role_cache;

struct role_cache *role_cache_new(void);
void role_cache_free(struct role_cache *c); /* NULL is fine */

/* ROLE_NONE: not known (any more). */
enum role role_cache_get(
	const struct role_cache *c, enum credential_kind kind, const char *text, int64_t now_ms);
void role_cache_put(struct role_cache *c, enum credential_kind kind, const char *text,
	enum role role, int64_t now_ms);
void role_cache_forget(struct role_cache *c, enum credential_kind kind, const char *text);
void role_cache_clear(struct role_cache *c);

#endif
