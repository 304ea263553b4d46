/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /chart/CLASS/KEY/METRIC.png: a picture, drawn by a worker of the daemon.
 */
#include <string.h>

#include "agent/web/auth.h"
#include "agent/web/handlers.h"
#include "agent/web/relay.h"
#include "base/base64.h"

/* Others may be drawn before, CHARTS_DEADLINE_MS each at most (agent/charts.h). */
enum { PICTURE_MAX = 1024 * 1024, WAIT_MS = 60 * 1000 };

static void on_picture(struct call *c, const json_t *answer)
{
	const json_t *data = json_object_get(answer, "data");
	const char *type = json_string_value(json_object_get(answer, "type"));
	struct buf b = BUF_INIT(PICTURE_MAX + 4);

	if (!data || !type ||
		base64_decode(&b, json_string_value(data), json_string_length(data), NULL) < 0) {
		buf_done(&b);
		call_fail(c, 500, "the picture is broken");
		return;
	}
	/* The address says which stretch of time, so the picture changes little. */
	http_add_header(c->rq, "Cache-Control", "private, max-age=60");
	http_reply(c->rq, 200, type, &b);
}

/* "load1.png" into the members metric and format. */
static bool split_name(json_t *request)
{
	const char *picture = json_string_value(json_object_get(request, "picture"));
	const char *dot = strrchr(picture, '.');

	if (!dot || (strcmp(dot, ".png") != 0 && strcmp(dot, ".svg") != 0))
		return false;
	(void)json_object_set_new(
		request, "metric", json_stringn(picture, (size_t)(dot - picture)));
	(void)json_object_set_new(request, "format", json_string(dot + 1));
	(void)json_object_del(request, "picture");
	return true;
}

static void known(struct call *c)
{
	json_t *request;
	struct err e;

	if (c->role == ROLE_NONE && !query_get(&c->query, "signature")) {
		http_add_header(c->rq, "WWW-Authenticate", "Bearer");
		call_fail(c, 401, "log in, or use a signed link");
		return;
	}
	request = json_pack("{s:s}", "op", "chart.render");
	if (relay_take_address(c->route, http_path(c->rq), &c->query, request, &e) < 0) {
		json_decref(request);
		call_fail(c, 400, "%s", e.msg);
	} else if (!split_name(request)) {
		json_decref(request);
		call_fail(c, 400, "a picture is METRIC.png or METRIC.svg");
	} else {
		call_ask_within(c, request, WAIT_MS, on_picture);
	}
}

void api_chart_get(struct call *c)
{
	auth_look(c, known);
}
