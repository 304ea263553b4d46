/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is asking, and whether from here: bearer tokens, the session cookie, the Host and Origin
 * headers. What a token or session is worth is the daemon's to say (`auth.token`, `session.check`).
 */
#ifndef AGENT_WEB_AUTH_H
#define AGENT_WEB_AUTH_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/web/call.h"

enum {
	AUTH_TOKEN_MAX = 256, /* bytes of a token, with the terminator */
	AUTH_SESSION_LEN = 64, /* hex digits */
};
#define AUTH_COOKIE "agent_session"

/* Goes on with `then` when the caller has at least the role of the route; c->role tells which.
 * Otherwise answers 401, 403, 429 or 503. Counts wrong tokens against their sender. */
void auth_check(struct call *c, call_fn then);
/* The same, but somebody unknown goes on too, with ROLE_NONE. */
void auth_look(struct call *c, call_fn then);

/* Asks for the role of a token given in a login; `then` is called with c->role set, else the
 * failure is answered. */
void auth_login(struct call *c, const char *token, call_fn then);

/* The session in the request's cookie: AUTH_SESSION_LEN digits and a NUL. False when there is none. */
bool auth_session(const struct call *c, char *out);

/* 421 unless the Host is one of `hosts` (empty: any), an IP address or localhost: what an
 * attacker's DNS name cannot be. Answers and returns false when it is not. */
bool auth_host_allowed(struct call *c);
/* Answers 403 and returns false when a state-changing request may come from another site's page. */
bool auth_origin_allowed(struct call *c);

/* The pure parts. */

/* The token of an Authorization header: the scheme Bearer in any case, then 1 to AUTH_TOKEN_MAX
 * - 1 visible ASCII characters. */
bool auth_parse_bearer(const char *header, char *out);
/* The value of the cookie AUTH_COOKIE in a Cookie header, when it looks like a session. */
bool auth_parse_cookie(const char *header, char *out);
/* `host` as in the Host header, with or without port. Names are compared without regard to case
 * and a final dot. */
bool auth_host_matches(const char *host, const char *const *allowed);
/* A request is the site's own when the browser says so (Sec-Fetch-Site, which pages cannot
 * forge), else when Origin names the host it was sent to. `sec_fetch_site` and `origin` may be
 * NULL. */
bool auth_same_site(const char *origin, const char *sec_fetch_site, const char *host);

#endif
