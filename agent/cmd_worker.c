/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent worker chart`: draws one picture. The order is JSON on stdin (charts.c), descriptor 3 the
 * folder of RRD files; the picture goes to stdout, or, with exit status 1, the reason.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/cmd.h"
#include "agent/privileges.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "collectors/rrd_chart.h"

enum { FD_RRD = 3, CPU_SECONDS = 20, MEMORY_BYTES = 512 << 20 };

/* Libraries for fonts and pictures get data that strangers named: no rights, little of everything.
 * What they print on stderr would end up in the picture. */
static int confine(struct err *e)
{
	const struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS}, memory = {MEMORY_BYTES, MEMORY_BYTES},
			    none = {0, 0};
	_cleanup_(close_p) int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, STDERR_FILENO) < 0)
		return err_sys(e, "/dev/null");
	if (setrlimit(RLIMIT_CPU, &cpu) < 0 || setrlimit(RLIMIT_AS, &memory) < 0 ||
		setrlimit(RLIMIT_CORE, &none) < 0)
		return err_sys(e, "setrlimit");
	return privileges_drop(FD_RRD, e);
}

static const char *text(const json_t *order, const char *name)
{
	const char *s = json_string_value(json_object_get(order, name));

	return s ? s : "";
}

static json_int_t number(const json_t *order, const char *name)
{
	return json_integer_value(json_object_get(order, name));
}

static void take_marks(const json_t *order, struct rrd_chart *c)
{
	const json_t *list = json_object_get(order, "marks"), *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (c->n_marks < RRD_CHART_MARKS_MAX)
			c->marks[c->n_marks++] = (time_t)json_integer_value(one);
	}
}

static int draw(const json_t *order, struct buf *out, struct err *e)
{
	const json_t *limit = json_object_get(order, "limit");
	struct rrd_chart c = {.path = text(order, "path"),
		.class = entity_class_find(text(order, "class")),
		.title = text(order, "title"),
		.from = (time_t)number(order, "from"),
		.to = (time_t)number(order, "to"),
		.limit = json_is_number(limit) ? json_number_value(limit) : NAN,
		.width = (int)number(order, "width"),
		.height = (int)number(order, "height"),
		.svg = json_is_true(json_object_get(order, "svg")),
		.dark = json_is_true(json_object_get(order, "dark"))};
	int metric = c.class ? metric_find(c.class, text(order, "metric")) : -1;

	if (metric < 0)
		return err_set(e, EINVAL, "there is no such metric");
	c.metric = (size_t)metric;
	take_marks(order, &c);
	return rrd_chart_draw(&c, out, e);
}

int cmd_worker_chart(const struct command_call *c)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(RRD_CHART_BYTES_MAX);
	json_error_t json_error;
	json_t *order;
	struct err e;
	int r;

	(void)c;
	order = json_loadf(stdin, 0, &json_error);
	r = order ? confine(&e) : err_set(&e, EINVAL, "the order is no JSON: %s", json_error.text);
	if (r == 0)
		r = draw(order, &out, &e);
	json_decref(order);
	if (r == 0)
		return cmd_print(&out);
	buf_clear(&out);
	buf_adds(&out, e.msg);
	(void)cmd_print(&out);
	return COMMAND_FAILED;
}
