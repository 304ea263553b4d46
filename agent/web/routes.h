/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of routes: which request goes to which handler, who may make it, and what the API
 * description says of it. The only list: dispatch, 405's Allow and openapi.json come from it.
 */
#ifndef AGENT_WEB_ROUTES_H
#define AGENT_WEB_ROUTES_H

#include <stdbool.h>

#include "agent/web/call.h"

enum { ROUTE_PARAMS_MAX = 8 };

struct route_param {
	const char *name; /* NULL ends the list */
	const char *type; /* "string", "integer" */
	bool repeats;
	bool required;
	const char *doc;
};

struct route {
	const char *method;
	const char *path; /* ends in '/': a prefix */
	enum role role; /* ROLE_NONE: open to all */
	call_fn handler;
	const char *type; /* of the answer */
	const char *doc;
	struct route_param params[ROUTE_PARAMS_MAX];
};

/* Ended by a row without a path. */
extern const struct route routes[];

/* Host, route, query, caller, origin, then the handler. `user` is the struct web. */
void routes_dispatch(void *user, struct http_request *rq);

#endif
