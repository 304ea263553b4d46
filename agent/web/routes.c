/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/routes.h"

#include <string.h>

#include "agent/web/auth.h"
#include "agent/web/handlers.h"
#include "base/str.h"

#define JSON "application/json"
#define HTML "text/html"

/* clang-format off */
const struct route routes[] = {
	{"GET", "/", ROLE_NONE, pages_index, HTML,
		"The dashboard; without a session a redirect to /login.", {{0}}},
	{"GET", "/api/v1/classes", ROLE_VIEWER, api_classes_get, JSON,
		"The metric tables: every class of things measured, its metrics and their units.", {{0}}},
	{"GET", "/api/v1/entities", ROLE_VIEWER, api_entities_get, JSON,
		"What is measured and its values now.",
		{{"class", "string", true, false, "Only entities of this class."}}},
	{"GET", "/api/v1/host", ROLE_VIEWER, api_host_get, JSON,
		"The server, the agent, what is wrong.", {{0}}},
	{"GET", "/api/v1/live", ROLE_VIEWER, live_get, "text/event-stream",
		"Each sample as a server-sent event.",
		{{"class", "string", true, false, "Only entities of this class."},
		 {"entity", "string", true, false, "And this entity, CLASS/KEY."}}},
	{"GET", "/api/v1/openapi.json", ROLE_VIEWER, openapi_get, JSON,
		"This API for programs.", {{0}}},
	{"GET", "/api/v1/series", ROLE_VIEWER, api_series_get, JSON,
		"Stored history of some metrics of some entities.",
		{{"entity", "string", true, true, "CLASS/KEY; at most 200."},
		 {"metric", "string", true, true, "Name, or names with commas; at most 30."},
		 {"from", "integer", false, false, "Unix seconds, or seconds before now when not positive; default -3600."},
		 {"to", "integer", false, false, "The same; default now."},
		 {"points", "integer", false, false, "The most values per series, 2 to 5000; default 400."},
		 {"how", "string", false, false, "How values are merged: average (default) or maximum."}}},
	{"DELETE", "/api/v1/session", ROLE_VIEWER, api_session_delete, JSON,
		"Ends the session of the cookie.", {{0}}},
	{"GET", "/api/v1/session", ROLE_VIEWER, api_session_get, JSON,
		"The caller's role.", {{0}}},
	{"POST", "/api/v1/session", ROLE_NONE, api_session_post, JSON,
		"Begins a session: body {\"token\": \"...\"}, the answer sets the cookie.", {{0}}},
	{"GET", "/assets/", ROLE_NONE, pages_asset, "*/*",
		"Scripts, styles and icons of the pages.", {{0}}},
	{"GET", "/health", ROLE_NONE, health_get, JSON,
		"Whether samples come: 200, or 503 when there was none for 3 intervals.", {{0}}},
	{"GET", "/login", ROLE_NONE, pages_login, HTML,
		"The login page.", {{0}}},
	{"GET", "/metrics", ROLE_VIEWER, prometheus_get, "text/plain",
		"The values of now for Prometheus; with `limit` Dokploy's server records.",
		{{"limit", "string", false, false, "How many records, or all."}}},
	{"GET", "/metrics/containers", ROLE_VIEWER, dokploy_containers_get, JSON,
		"Dokploy's records of one container.",
		{{"limit", "string", false, false, "How many records, or all; default 50."},
		 {"appName", "string", false, false, "Name of the app or container."}}},
	{NULL, NULL, ROLE_NONE, NULL, NULL, NULL, {{0}}},
};
/* clang-format on */

static bool path_matches(const struct route *r, const char *path)
{
	size_t n = strlen(r->path);

	if (n > 1 && r->path[n - 1] == '/')
		return str_starts(path, r->path);
	return strcmp(path, r->path) == 0;
}

/* The route, else NULL with the methods that path has in *allow ("" for an unknown path). */
static const struct route *find(const char *method, const char *path, struct buf *allow)
{
	for (const struct route *r = routes; r->path; r++) {
		if (!path_matches(r, path))
			continue;
		if (strcmp(r->method, method) == 0)
			return r;
		buf_adds(allow, allow->len ? ", " : "");
		buf_adds(allow, strcmp(r->method, "GET") == 0 ? "GET, HEAD" : r->method);
	}
	return NULL;
}

static void call_handler(struct call *c)
{
	if (strcmp(c->route->method, "GET") == 0 || auth_origin_allowed(c))
		c->route->handler(c);
}

void routes_dispatch(void *user, struct http_request *rq)
{
	struct call *c = call_new(user, rq);
	struct buf allow = BUF_INIT(256);
	struct err e;

	if (!auth_host_allowed(c))
		return;
	c->route = find(http_method(rq), http_path(rq), &allow);
	if (!c->route && allow.len) {
		http_add_header(rq, "Allow", buf_str(&allow));
		call_fail(c, 405, "%s has only %s", http_path(rq), buf_str(&allow));
	} else if (!c->route) {
		call_fail(c, 404, "there is nothing at this address");
	} else if (query_parse(http_query(rq), &c->query, &e) < 0) {
		call_fail(c, 400, "%s", e.msg);
	} else if (c->route->role == ROLE_NONE) {
		call_handler(c);
	} else {
		auth_check(c, call_handler);
	}
	buf_done(&allow);
}
