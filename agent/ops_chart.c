/* SPDX-License-Identifier: Apache-2.0
 *
 * The operation chart.render: for those who are logged in, and for who holds a signed link.
 */
#include "agent/ops.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "agent/charts.h"
#include "agent/daemon_parts.h"
#include "base/base64.h"
#include "base/str.h"
#include "collectors/rrd_chart.h"

enum { SPAN_SECONDS = 3600 };

static void on_drawn(void *user, const struct chart_spec *spec, const char *data, size_t len,
	const struct err *e)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(2 * RRD_CHART_BYTES_MAX);

	if (data) {
		buf_addf(&b, ",\"type\":\"%s\",\"data\":\"",
			spec->svg ? "image/svg+xml" : "image/png");
		base64_encode(&b, data, len, 0);
		buf_addc(&b, '"');
	}
	control_later_done(user, data ? 0 : -EIO, e, &b);
}

static const char *text(const json_t *q, const char *name)
{
	const char *s = json_string_value(json_object_get(q, name));

	return s ? s : "";
}

static int number(const json_t *q, const char *name, json_int_t otherwise)
{
	const json_t *v = json_object_get(q, name);
	json_int_t n = json_is_integer(v) ? json_integer_value(v) : otherwise;

	return n < 0 || n > RRD_CHART_MAX ? 0 : (int)n;
}

static time_t time_of(const json_t *q, const char *name, time_t otherwise)
{
	const json_t *v = json_object_get(q, name);

	return json_is_integer(v) ? (time_t)json_integer_value(v) : otherwise;
}

static int spec_of(const json_t *q, struct chart_spec *s, struct err *e)
{
	const json_t *limit = json_object_get(q, "limit");
	int metric;

	s->class = entity_class_find(text(q, "class"));
	metric = s->class ? metric_find(s->class, text(q, "metric")) : -1;
	if (metric < 0)
		return err_set(
			e, ENOENT, "there is no metric %s.%s", text(q, "class"), text(q, "metric"));
	if (!str_copy(s->entity, sizeof(s->entity), text(q, "entity")))
		return err_set(e, ENOENT, "there is no entity of that name");
	s->metric = (size_t)metric;
	s->to = time_of(q, "to", time(NULL));
	s->from = time_of(q, "from", s->to - SPAN_SECONDS);
	s->limit = json_is_number(limit) ? json_number_value(limit) : (double)NAN;
	s->width = number(q, "width", CHARTS_WIDTH);
	s->height = number(q, "height", CHARTS_HEIGHT);
	s->svg = strcmp(text(q, "format"), "svg") == 0;
	s->dark = strcmp(text(q, "theme"), "dark") == 0;
	return 0;
}

int op_chart_render(const struct control_call *c, struct err *e)
{
	struct charts *charts = c->daemon->charts;
	struct chart_spec spec = {0};
	struct control_later *later;
	struct chart_job *job;
	int r = spec_of(c->request, &spec, e);

	if (r < 0)
		return r;
	if (c->role < ROLE_VIEWER &&
		!charts_link_is_valid(charts, &spec, text(c->request, "signature"), time(NULL)))
		return err_set(e, EACCES, "this link is not valid, or not any more");
	later = control_later(c, e);
	if (!later)
		return -EAGAIN;
	r = charts_draw(charts, &spec, on_drawn, later, &job, e);
	if (r < 0)
		control_later_drop(later);
	return r < 0 ? r : CONTROL_LATER;
}
