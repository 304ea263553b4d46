/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of routes: which request goes to which handler, who may make it, and what the API
 * description says of it. The only list: dispatch, 405's Allow and openapi.json come from it.
 */
#ifndef AGENT_WEB_ROUTES_H
#define AGENT_WEB_ROUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/web/call.h"

enum { ROUTE_PARAMS_MAX = 10 };

/* A parameter of the path where the path names it in braces, a member of the JSON body of a POST,
 * else of the query. */
struct route_param {
	const char *name; /* NULL ends the list */
	const char *type; /* "string", "integer", "number", "boolean" */
	bool repeats;
	bool required;
	const char *doc;
	/* Of an integer its range, of a string its length in bytes. max 0: the handler knows. */
	int64_t min, max;
};

struct route {
	const char *method;
	const char *path; /* ends in '/': a prefix; "{name}" is any one segment */
	enum role role; /* ROLE_NONE: open to all */
	call_fn handler;
	const char *type; /* of the answer */
	const char *doc;
	struct route_param params[ROUTE_PARAMS_MAX];
};

/* Ended by a row without a path. */
extern const struct route routes[];

/* Whether the path as sent is one of this route. */
bool route_matches(const struct route *r, const char *path);
/* Whether the route's path has a segment {name}. */
bool route_has_segment(const struct route *r, const char *name);
/* The segment of the path that the route calls {name}, as sent, not decoded; *len 0: it has none. */
const char *route_segment(const struct route *r, const char *path, const char *name, size_t *len);

/* Host, route, query, caller, origin, then the handler. `user` is the struct web. */
void routes_dispatch(void *user, struct http_request *rq);

#endif
