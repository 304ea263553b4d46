/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/routes.h"

#include <string.h>

#include "agent/web/auth.h"
#include "agent/web/handlers.h"
#include "backup/job.h"
#include "backup/manifest.h"
#include "base/str.h"
#include "deploy-hooks/deploy.h"

#define JSON "application/json"
#define HTML "text/html"

/* Bounds of what is passed on; those of meaning are the daemon's to check. */
enum {
	NAME_MAX_BYTES = 64,
	PATTERN_MAX = 600,
	REASON_MAX = 500,
	TITLE_MAX = 500,
	TEXT_MAX = 16 * 1024,
	LIST_MAX = 500,
	YEAR_SECONDS = 366 * 86400,
};
#define ID_MAX ((int64_t)1 << 53)
#define SECONDS_MAX ((int64_t)20000000000) /* the year 2603 */

/* clang-format off */
const struct route routes[] = {
	{"GET", "/", ROLE_NONE, pages_index, HTML,
		"The dashboard; without a session a redirect to /login.", {{0}}},
	{"GET", "/api/v1/alerts", ROLE_VIEWER, api_alerts_get, JSON,
		"What is not well now.", {{0}}},
	{"POST", "/api/v1/alerts/ack", ROLE_ADMIN, api_alerts_ack, JSON,
		"Acknowledges alerts that fire: no reminders until they are over.",
		{{"alert", "integer", false, false, "One, by its id.", 1, ID_MAX},
		 {"rule", "string", false, false, "Or those of these rules: a pattern.", 1, PATTERN_MAX},
		 {"entity", "string", false, false, "And these entities: a pattern.", 1, PATTERN_MAX},
		 {"reason", "string", false, false, "What people are told.", 0, REASON_MAX}}},
	{"GET", "/api/v1/alerts/rules", ROLE_VIEWER, api_alerts_rules, JSON,
		"All rules with their limits and their state.", {{0}}},
	{"GET", "/api/v1/apps", ROLE_VIEWER, api_apps_get, JSON,
		"The apps that are deployed: what serves, what is under way.", {{0}}},
	{"GET", "/api/v1/apps/{app}/check", ROLE_ADMIN, api_apps_check, JSON,
		"Which hook serves each stage of an app, and what is wrong with it.",
		{{"app", "string", false, true, "Its name.", 1, DEPLOY_NAME_SIZE - 1}}},
	{"POST", "/api/v1/apps/{app}/deploy", ROLE_ADMIN, api_apps_deploy, JSON,
		"Deploys an app, after what is under way; the answer is the number of the deploy.",
		{{"app", "string", false, true, "Its name.", 1, DEPLOY_NAME_SIZE - 1},
		 {"ref", "string", false, false, "Branch or tag; absent: the app's branch.", 1, DEPLOY_REF_SIZE - 1},
		 {"commit", "string", false, false, "Absent: the newest one.", 1, DEPLOY_COMMIT_SIZE - 1},
		 {"image", "string", false, false, "This image instead of source.", 1, DEPLOY_IMAGE_SIZE - 1}}},
	{"POST", "/api/v1/apps/{app}/rollback", ROLE_ADMIN, api_apps_rollback, JSON,
		"Puts an earlier version of an app back, without a build; the answer is the number of the deploy.",
		{{"app", "string", false, true, "Its name.", 1, DEPLOY_NAME_SIZE - 1},
		 {"to", "integer", false, false, "The deploy whose version it is; absent: the one before.", 1, ID_MAX}}},
	{"GET", "/api/v1/backups", ROLE_VIEWER, api_backups_get, JSON,
		"The backup jobs: what is backed up where and when, and how the last run of each went.", {{0}}},
	{"GET", "/api/v1/backups/jobs/{job}", ROLE_VIEWER, api_backups_job, JSON,
		"The backups of a job in its stores, newest first.",
		{{"job", "string", false, true, "Its name.", 1, JOB_NAME_MAX},
		 {"refresh", "boolean", false, false, "Ask the stores, which may take two minutes; else what was read last.", 0, 0}}},
	{"POST", "/api/v1/backups/jobs/{job}/run", ROLE_ADMIN, api_backups_run, JSON,
		"Starts a run, which waits for those under way; the answer is its number.",
		{{"job", "string", false, true, "Name of the job.", 1, JOB_NAME_MAX},
		 {"what", "string", false, false, "backup (default), verify, drill or prune.", 1, NAME_MAX_BYTES},
		 {"backup", "string", false, false, "Verify and drill: id of the backup; the newest good one unless given.", 1, BACKUP_ID_SIZE - 1},
		 {"store", "string", false, false, "Verify, drill and prune: only in this store.", 1, NAME_MAX_BYTES},
		 {"dry_run", "boolean", false, false, "Prune: only says what would be removed.", 0, 0}}},
	{"GET", "/api/v1/backups/runs", ROLE_VIEWER, api_backups_runs, JSON,
		"Backups, verifications, drills, prunes and restores, newest first.",
		{{"job", "string", false, false, "Only of this job.", 0, JOB_NAME_MAX},
		 {"what", "string", false, false, "Only backup, verify, drill, prune or restore.", 0, NAME_MAX_BYTES},
		 {"limit", "integer", false, false, "The most; default 50.", 1, LIST_MAX},
		 {"before", "integer", false, false, "Only those with a smaller number.", 1, ID_MAX}}},
	{"GET", "/api/v1/backups/runs/{run}", ROLE_VIEWER, api_backups_runs_one, JSON,
		"One run and how far it is.",
		{{"run", "integer", false, true, "Its number.", 1, ID_MAX}}},
	{"POST", "/api/v1/backups/runs/{run}/cancel", ROLE_ADMIN, api_backups_cancel, JSON,
		"Ends a run, and answers when it has ended; no object and no part of it stays.",
		{{"run", "integer", false, true, "Its number.", 1, ID_MAX}}},
	{"GET", "/api/v1/channels", ROLE_VIEWER, api_channels_get, JSON,
		"The channels and what each does.", {{0}}},
	{"POST", "/api/v1/channels/{channel}/test", ROLE_ADMIN, api_channels_test, JSON,
		"Sends a test message at once; the answer is the provider's.",
		{{"channel", "string", false, true, "Its name.", 1, NAME_MAX_BYTES}}},
	{"GET", "/api/v1/classes", ROLE_VIEWER, api_classes_get, JSON,
		"The metric tables: every class of things measured, its metrics and their units.", {{0}}},
	{"GET", "/api/v1/deliveries", ROLE_VIEWER, api_deliveries_get, JSON,
		"What was sent where, newest first.",
		{{"channel", "string", false, false, "Only of this channel.", 0, NAME_MAX_BYTES},
		 {"state", "string", false, false,
			"Only waiting, sent, collapsed, counted, refused or expired ones.", 0, NAME_MAX_BYTES},
		 {"limit", "integer", false, false, "The most; default 50.", 1, LIST_MAX},
		 {"before", "integer", false, false, "Only those with a smaller id.", 1, ID_MAX}}},
	{"GET", "/api/v1/deploys", ROLE_VIEWER, api_deploys_get, JSON,
		"What was deployed, and how it went, newest first.",
		{{"app", "string", false, false, "Only of this app.", 0, DEPLOY_NAME_SIZE - 1},
		 {"limit", "integer", false, false, "The most; default 50.", 1, LIST_MAX},
		 {"before", "integer", false, false, "Only those with a smaller number.", 1, ID_MAX}}},
	{"GET", "/api/v1/deploys/refused", ROLE_ADMIN, api_deploys_refused, JSON,
		"Deliveries of webhooks that were refused, and why, newest first.",
		{{"limit", "integer", false, false, "The most; default 50.", 1, LIST_MAX}}},
	{"GET", "/api/v1/deploys/{deploy}", ROLE_VIEWER, api_deploys_one, JSON,
		"One deploy and how far it is.",
		{{"deploy", "integer", false, true, "Its number.", 1, ID_MAX}}},
	{"POST", "/api/v1/deploys/{deploy}/cancel", ROLE_ADMIN, api_deploys_cancel, JSON,
		"Ends a deploy, and answers when all its processes have ended and the old version serves.",
		{{"deploy", "integer", false, true, "Its number.", 1, ID_MAX}}},
	{"GET", "/api/v1/deploys/{deploy}/log", ROLE_VIEWER, deploy_log_get, "text/plain",
		"What its hooks print; with `Accept: text/event-stream` followed as server-sent events.",
		{{"deploy", "integer", false, true, "Its number.", 1, ID_MAX},
		 {"offset", "integer", false, false, "Only from here on.", 0, ID_MAX},
		 {"follow", "boolean", false, false, "Server-sent events until it has ended.", 0, 0}}},
	{"GET", "/api/v1/entities", ROLE_VIEWER, api_entities_get, JSON,
		"What is measured and its values now.",
		{{"class", "string", true, false, "Only entities of this class.", 0, 0}}},
	{"GET", "/api/v1/events", ROLE_VIEWER, api_events_get, JSON,
		"What happened, newest first.",
		{{"kinds", "string", false, false, "Patterns of kinds with commas: alert.*,message.", 0, PATTERN_MAX},
		 {"entity", "string", false, false, "Only of this entity, CLASS/KEY.", 0, PATTERN_MAX},
		 {"limit", "integer", false, false, "The most; default 50.", 1, LIST_MAX},
		 {"before", "integer", false, false, "Only those with a smaller id.", 1, ID_MAX}}},
	{"POST", "/api/v1/events", ROLE_ADMIN, api_events_post, JSON,
		"A message of your own to the channels.",
		{{"title", "string", false, true, "One line.", 1, TITLE_MAX},
		 {"text", "string", false, false, "More.", 0, TEXT_MAX},
		 {"severity", "string", false, false, "info (default), warning or critical.", 0, NAME_MAX_BYTES},
		 {"key", "string", false, false, "Messages with the same key are one story.", 0, PATTERN_MAX},
		 {"end", "boolean", false, false, "The good end of a story.", 0, 0}}},
	{"GET", "/api/v1/host", ROLE_VIEWER, api_host_get, JSON,
		"The server, the agent, what is wrong.", {{0}}},
	{"GET", "/api/v1/live", ROLE_VIEWER, live_get, "text/event-stream",
		"Each sample, what fires, and each step of a backup or deploy, as server-sent events.",
		{{"class", "string", true, false, "Only entities of this class.", 0, 0},
		 {"entity", "string", true, false, "And this entity, CLASS/KEY.", 0, 0}}},
	{"GET", "/api/v1/openapi.json", ROLE_VIEWER, openapi_get, JSON,
		"This API for programs.", {{0}}},
	{"GET", "/api/v1/series", ROLE_VIEWER, api_series_get, JSON,
		"Stored history of some metrics of some entities.",
		{{"entity", "string", true, true, "CLASS/KEY; at most 200.", 0, 0},
		 {"metric", "string", true, true, "Name, or names with commas; at most 30.", 0, 0},
		 {"from", "integer", false, false, "Unix seconds, or seconds before now when not positive; default -3600.", 0, 0},
		 {"to", "integer", false, false, "The same; default now.", 0, 0},
		 {"points", "integer", false, false, "The most values per series, 2 to 5000; default 400.", 0, 0},
		 {"how", "string", false, false, "How values are merged: average (default) or maximum.", 0, 0}}},
	{"DELETE", "/api/v1/session", ROLE_VIEWER, api_session_delete, JSON,
		"Ends the session of the cookie.", {{0}}},
	{"GET", "/api/v1/session", ROLE_VIEWER, api_session_get, JSON,
		"The caller's role.", {{0}}},
	{"POST", "/api/v1/session", ROLE_NONE, api_session_post, JSON,
		"Begins a session: body {\"token\": \"...\"}, the answer sets the cookie.",
		{{"token", "string", false, true, "An admin's or viewer's.", 0, 0}}},
	{"GET", "/api/v1/silences", ROLE_VIEWER, api_silences_get, JSON,
		"What nobody is told about for a while, and maintenance windows.", {{0}}},
	{"POST", "/api/v1/silences", ROLE_ADMIN, api_silences_post, JSON,
		"Silences alerts for a while.",
		{{"rule", "string", false, false, "Pattern of rule names; absent: all.", 1, PATTERN_MAX},
		 {"entity", "string", false, false, "Pattern of entities, CLASS/KEY or KEY; absent: all.", 1, PATTERN_MAX},
		 {"seconds", "integer", false, true, "How long, at most a year.", 1, YEAR_SECONDS},
		 {"reason", "string", false, false, "What people are told.", 0, REASON_MAX}}},
	{"DELETE", "/api/v1/silences/{silence}", ROLE_ADMIN, api_silences_delete, JSON,
		"Ends a silence.",
		{{"silence", "integer", false, true, "Its id.", 1, ID_MAX}}},
	{"GET", "/assets/", ROLE_NONE, pages_asset, "*/*",
		"Scripts, styles and icons of the pages.", {{0}}},
	{"GET", "/chart/{class}/{entity}/{picture}", ROLE_NONE, api_chart_get, "image/png",
		"A picture of history, for viewers or by a signed link.",
		{{"class", "string", false, true, "Class of the entity.", 1, NAME_MAX_BYTES},
		 {"entity", "string", false, true, "Its key.", 1, PATTERN_MAX},
		 {"picture", "string", false, true, "METRIC.png or METRIC.svg.", 1, NAME_MAX_BYTES},
		 {"from", "integer", false, false, "Unix seconds; default an hour ago.", 0, SECONDS_MAX},
		 {"to", "integer", false, false, "Unix seconds; default now.", 0, SECONDS_MAX},
		 {"limit", "number", false, false, "A line across at this value.", 0, 0},
		 {"width", "integer", false, false, "Pixels; default 640.", 100, 2000},
		 {"height", "integer", false, false, "Pixels; default 240.", 100, 2000},
		 {"theme", "string", false, false, "light (default) or dark.", 0, NAME_MAX_BYTES},
		 {"signature", "string", false, false, "Of a signed link.", 0, NAME_MAX_BYTES}}},
	{"POST", "/deploy/{app}", ROLE_NONE, webhook_post, JSON,
		"A delivery of a git host or a registry: whoever has the app's secret asks for a deploy.",
		{{"app", "string", false, true, "Name of the app.", 1, NAME_MAX_BYTES}}},
	{"POST", "/deploy/{app}/{secret}", ROLE_NONE, webhook_post, JSON,
		"The same of a sender that signs nothing (Docker Hub).",
		{{"app", "string", false, true, "Name of the app.", 1, NAME_MAX_BYTES},
		 {"secret", "string", false, true, "The app's secret.", 1, PATTERN_MAX}}},
	{"GET", "/health", ROLE_NONE, health_get, JSON,
		"Whether samples come: 200, or 503 when there was none for 3 intervals.", {{0}}},
	{"GET", "/login", ROLE_NONE, pages_login, HTML,
		"The login page.", {{0}}},
	{"GET", "/metrics", ROLE_VIEWER, prometheus_get, "text/plain",
		"The values of now for Prometheus; with `limit` Dokploy's server records.",
		{{"limit", "string", false, false, "How many records, or all.", 0, 0}}},
	{"GET", "/metrics/containers", ROLE_VIEWER, dokploy_containers_get, JSON,
		"Dokploy's records of one container.",
		{{"limit", "string", false, false, "How many records, or all; default 50.", 0, 0},
		 {"appName", "string", false, false, "Name of the app or container.", 0, 0}}},
	{NULL, NULL, ROLE_NONE, NULL, NULL, NULL, {{0}}},
};
/* clang-format on */

bool route_matches(const struct route *r, const char *path)
{
	const char *p = r->path;

	while (*p && *path) {
		if (*p == '{') {
			size_t n = strcspn(path, "/");

			if (n == 0)
				return false;
			path += n;
			p = strchr(p, '}') + 1;
		} else if (*p++ != *path++) {
			return false;
		}
	}
	/* A prefix matches what goes on, and itself. */
	return *p == '\0' && (*path == '\0' || (p > r->path + 1 && p[-1] == '/'));
}

bool route_has_segment(const struct route *r, const char *name)
{
	const char *p = strchr(r->path, '{');
	size_t n = strlen(name);

	while (p && (strncmp(p + 1, name, n) != 0 || p[n + 1] != '}'))
		p = strchr(p + 1, '{');
	return p != NULL;
}

const char *route_segment(const struct route *r, const char *path, const char *name, size_t *len)
{
	size_t n = strlen(name);

	for (const char *p = r->path; *p && *path;) {
		if (*p != '{') {
			p++;
			path++;
			continue;
		}
		*len = strcspn(path, "/");
		if (strncmp(p + 1, name, n) == 0 && p[n + 1] == '}')
			return path;
		path += *len;
		p = strchr(p, '}') + 1;
	}
	*len = 0;
	return path;
}

/* The route, else NULL with the methods that path has in *allow ("" for an unknown path). */
static const struct route *find(const char *method, const char *path, struct buf *allow)
{
	for (const struct route *r = routes; r->path; r++) {
		if (!route_matches(r, path))
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
		/* The path may have a secret in it. */
		call_fail(c, 405, "this address has only %s", buf_str(&allow));
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
