/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes that are one question to the daemon: what the route's row names is taken from the path,
 * the query, or the JSON body of a POST, checked against the row, and asked under the same names;
 * the answer of the daemon is the answer of the route.
 */
#ifndef AGENT_WEB_RELAY_H
#define AGENT_WEB_RELAY_H

#include <jansson.h>

#include "agent/web/call.h"
#include "agent/web/routes.h"

/* Ends the call. A POST without a body is one with {}. */
void relay(struct call *c, const char *op);
/* The same for what may take longer than UPSTREAM_TIMEOUT_MS. */
void relay_within(struct call *c, const char *op, int64_t timeout_ms);

/* The pure parts. */

/* Copies the members of a body that the row knows into `request`. -EINVAL with a sentence for an
 * unknown or missing one, and for a value that does not fit; then `request` is half filled. */
int relay_take_body(const struct route *r, const json_t *body, json_t *request, struct err *e);
/* The same for the parameters of the path and, unless it is a POST, of the query. Those of the
 * query that the row does not know are ignored, empty ones count as absent. */
int relay_take_address(const struct route *r, const char *path, const struct query *q,
	json_t *request, struct err *e);
/* An answer as JSON, without what belongs to the protocol: "id" and "ok". */
void relay_write(struct buf *b, const json_t *answer);

#endif
