/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/rrd_chart.h"

#include <errno.h>
#include <math.h>
#include <rrd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"

enum { ARGUMENTS_MAX = 64 };

/* The colours of the dashboard. */
struct palette {
	const char *back, *text, *grid, *axis, *area, *line, *limit, *mark;
};
static const struct palette light = {
	"ffffff", "1f2933", "d5dbe1", "9aa5b1", "2f6fde38", "2f6fde", "d64545", "8b5cf6"};
static const struct palette dark = {
	"171c22", "dde3ea", "333c46", "66717d", "6ea8fe38", "6ea8fe", "ff7b72", "b794f6"};

struct arguments {
	char *list[ARGUMENTS_MAX];
	int n;
};

static void add(struct arguments *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct arguments *a, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (a->n == ARGUMENTS_MAX)
		abort(); /* the list below is fixed */
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	a->list[a->n++] = str_dup(text);
}

static void arguments_done(struct arguments *a)
{
	for (int i = 0; i < a->n; i++)
		free(a->list[i]);
}

static const char *unit_label(enum metric_unit u)
{
	static const char *const labels[] = {[UNIT_NONE] = "",
		[UNIT_PERCENT] = "%",
		[UNIT_BYTES] = "bytes",
		[UNIT_BYTES_PER_SECOND] = "bytes/s",
		[UNIT_PER_SECOND] = "per second",
		[UNIT_SECONDS] = "seconds",
		[UNIT_CORES] = "cores",
		[UNIT_CELSIUS] = "\302\260C",
		[UNIT_BOOLEAN] = ""};

	return labels[u];
}

static void add_look(struct arguments *a, const struct rrd_chart *c, const struct palette *p)
{
	const char *const colors[][2] = {{"BACK", p->back}, {"CANVAS", p->back}, {"FONT", p->text},
		{"GRID", p->grid}, {"MGRID", p->grid}, {"AXIS", p->axis}, {"ARROW", p->back},
		{"FRAME", p->back}};

	for (size_t i = 0; i < ARRAY_LEN(colors); i++)
		add(a, "--color=%s#%s", colors[i][0], colors[i][1]);
	add(a, "--font=DEFAULT:8:sans");
	add(a, "--font=TITLE:10:sans");
	add(a, "--border=0");
	add(a, "--disable-rrdtool-tag");
	add(a, "--no-legend");
	add(a, "--full-size-mode");
	add(a, "--slope-mode");
	add(a, "--grid-dash=1:0");
	add(a, "--imgformat=%s", c->svg ? "SVG" : "PNG");
	add(a, "--width=%d", c->width);
	add(a, "--height=%d", c->height);
}

/* The axis begins at 0; shares end at 100 unless there is more (a container with two cores). */
static void add_axis(struct arguments *a, const struct rrd_chart *c, enum metric_unit unit)
{
	add(a, "--start=%lld", (long long)c->from);
	add(a, "--end=%lld", (long long)c->to);
	add(a, "--lower-limit=0");
	if (unit == UNIT_PERCENT || unit == UNIT_BOOLEAN)
		add(a, "--upper-limit=%d", unit == UNIT_PERCENT ? 100 : 1);
	else if (isfinite(c->limit))
		add(a, "--upper-limit=%.9g", c->limit * 1.05);
	if (unit == UNIT_BYTES || unit == UNIT_BYTES_PER_SECOND)
		add(a, "--base=1024");
	if (unit == UNIT_PERCENT || unit == UNIT_BOOLEAN)
		add(a, "--units-exponent=0");
	add(a, "--vertical-label=%s", unit_label(unit));
	add(a, "--title=%s", c->title);
}

/* In DEF a colon ends the path. */
static void add_source(struct arguments *a, const struct rrd_chart *c)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT(4096);

	for (const char *s = c->path; *s; s++) {
		if (*s == ':' || *s == '\\')
			buf_addc(&path, '\\');
		buf_addc(&path, *s);
	}
	add(a, "DEF:v=%s:%s:AVERAGE", buf_str(&path), c->class->metrics[c->metric].ds);
}

static int check(const struct rrd_chart *c, struct err *e)
{
	const struct metric *m = &c->class->metrics[c->metric];

	if (!m->ds)
		return err_set(e, EINVAL, "%s.%s is not stored", c->class->name, m->name);
	if (c->to <= c->from)
		return err_set(e, EINVAL, "the range is empty");
	if (c->width < RRD_CHART_MIN || c->width > RRD_CHART_MAX || c->height < RRD_CHART_MIN ||
		c->height > RRD_CHART_MAX)
		return err_set(e, EINVAL, "width and height must be from %d to %d", RRD_CHART_MIN,
			RRD_CHART_MAX);
	if (access(c->path, R_OK) < 0)
		return err_sys(e, "%s", c->path);
	return 0;
}

/* The image is one of the facts librrd gives back. */
static int take_image(rrd_info_t *facts, struct buf *out, struct err *e)
{
	for (rrd_info_t *f = facts; f; f = f->next) {
		if (f->type != RD_I_BLO || strcmp(f->key, "image") != 0)
			continue;
		buf_add(out, f->value.u_blo.ptr, f->value.u_blo.size);
		return out->overflow ? err_set(e, EMSGSIZE, "the picture is too large") : 0;
	}
	return err_set(e, EIO, "librrd made no picture");
}

int rrd_chart_draw(const struct rrd_chart *c, struct buf *out, struct err *e)
{
	const struct palette *p = c->dark ? &dark : &light;
	struct arguments a = {.n = 0};
	rrd_info_t *facts;
	int r = check(c, e);

	if (r < 0)
		return r;
	add(&a, "graph");
	add(&a, "-");
	add_look(&a, c, p);
	add_axis(&a, c, c->class->metrics[c->metric].unit);
	add_source(&a, c);
	add(&a, "AREA:v#%s", p->area);
	add(&a, "LINE1.5:v#%s", p->line);
	if (isfinite(c->limit))
		add(&a, "HRULE:%.9g#%s", c->limit, p->limit);
	for (size_t i = 0; i < c->n_marks; i++)
		add(&a, "VRULE:%lld#%s::dashes=4,3", (long long)c->marks[i], p->mark);
	rrd_clear_error();
	facts = rrd_graph_v(a.n, a.list);
	r = facts ? take_image(facts, out, e) : err_set(e, EIO, "librrd: %s", rrd_get_error());
	if (facts)
		rrd_info_free(facts);
	arguments_done(&a);
	return r;
}
