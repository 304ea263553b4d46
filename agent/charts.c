/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/charts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/random.h"
#include "base/buf.h"
#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/str.h"
#include "collectors/rrd_chart.h"
#include "collectors/rrd_layout.h"

enum { KEY_BYTES = 32, NICENESS = 10, DAY_S = 86400 };
#define KEY_FILE "chart.key"

struct chart_job {
	struct charts *charts;
	struct chart_spec spec;
	chart_done_fn done; /* NULL: cancelled while it is drawn */
	void *user;
	struct chart_job *next;
};

struct kept {
	struct chart_spec spec;
	char *data;
	size_t len;
	int64_t made_ms;
};

struct charts {
	struct loop *loop;
	int rrd_fd;
	char key[2 * KEY_BYTES + 1];
	struct loop_timer *next;
	struct chart_job *jobs; /* oldest first; the first one may be drawn right now */
	size_t n_jobs;
	struct child *child;
	struct kept kept[CHARTS_KEPT];
	size_t next_kept;
	chart_marks_fn marks; /* NULL: nobody knows any */
	void *marks_user;
};

/* A key that cannot be kept is as good, until the next start. */
static void load_key(struct charts *c, int state_fd)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(256);

	if (fs_read(state_fd, KEY_FILE, &b, NULL) == 0 && b.len == sizeof(c->key) - 1 &&
		fs_check_secret(state_fd, KEY_FILE, NULL) == 0) {
		(void)str_copy(c->key, sizeof(c->key), buf_str(&b));
		return;
	}
	random_hex(c->key, KEY_BYTES);
	(void)fs_write_atomic(state_fd, KEY_FILE, c->key, strlen(c->key), 0600, NULL);
}

static bool same_picture(const struct chart_spec *a, const struct chart_spec *b)
{
	return a->class == b->class && strcmp(a->entity, b->entity) == 0 &&
	       a->metric == b->metric && a->from == b->from && a->to == b->to &&
	       (a->limit == b->limit || (isnan(a->limit) && isnan(b->limit))) &&
	       a->width == b->width && a->height == b->height && a->svg == b->svg &&
	       a->dark == b->dark;
}

static const struct kept *find_kept(const struct charts *c, const struct chart_spec *spec)
{
	for (size_t i = 0; i < CHARTS_KEPT; i++) {
		const struct kept *k = &c->kept[i];

		if (k->data && same_picture(&k->spec, spec) &&
			clock_mono_ms() - k->made_ms < CHARTS_KEPT_MS)
			return k;
	}
	return NULL;
}

static void keep(struct charts *c, const struct chart_spec *spec, const char *data, size_t len)
{
	struct kept *k = &c->kept[c->next_kept];

	c->next_kept = (c->next_kept + 1) % CHARTS_KEPT;
	free(k->data);
	k->data = malloc(len);
	if (!k->data)
		abort();
	memcpy(k->data, data, len);
	k->len = len;
	k->spec = *spec;
	k->made_ms = clock_mono_ms();
}

void charts_set_marks(struct charts *c, chart_marks_fn fn, void *user)
{
	c->marks = fn;
	c->marks_user = user;
}

static void add_marks(const struct charts *c, const struct chart_spec *s, json_t *order)
{
	time_t marks[RRD_CHART_MARKS_MAX];
	size_t n = c->marks ? c->marks(c->marks_user, s, marks, RRD_CHART_MARKS_MAX) : 0;
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_integer(marks[i]));
	(void)json_object_set_new(order, "marks", list);
}

static json_t *order_of(const struct charts *c, const struct chart_spec *s)
{
	const struct metric *m = &s->class->metrics[s->metric];
	char path[RRD_NAME_MAX];
	_cleanup_(free_p) char *title =
		str_format("%s%s%s", s->class == &class_host ? "" : s->entity,
			s->class == &class_host ? "" : " \302\267 ", m->title);
	json_t *order;

	rrd_file_name(path, sizeof(path), s->class, s->entity);
	order = json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:i,s:i,s:b,s:b}", "path", path, "class",
		s->class->name, "metric", m->name, "title", title, "from", (json_int_t)s->from,
		"to", (json_int_t)s->to, "width", s->width, "height", s->height, "svg", s->svg,
		"dark", s->dark);
	if (!order)
		abort(); /* keys of entities are valid UTF-8 */
	if (isfinite(s->limit))
		(void)json_object_set_new(order, "limit", json_real(s->limit));
	add_marks(c, s, order);
	return order;
}

static void finish(struct charts *c, const char *data, size_t len, const struct err *e)
{
	struct chart_job *j = c->jobs;

	c->jobs = j->next;
	c->n_jobs--;
	if (data)
		keep(c, &j->spec, data, len);
	loop_timer_after(c->next, 0);
	if (j->done)
		j->done(j->user, &j->spec, data, len, e);
	free(j);
}

static void on_drawn(void *user, const struct child_result *r)
{
	struct charts *c = user;
	struct err e;
	char how[64];

	c->child = NULL;
	if (r->status == 0 && r->output_len && !r->output_cut) {
		finish(c, r->output, r->output_len, NULL);
		return;
	}
	child_describe(how, sizeof(how), r->status);
	if (r->timed_out)
		(void)err_set(&e, ETIMEDOUT, "the picture was not ready within %d s",
			CHARTS_DEADLINE_MS / 1000);
	else
		(void)err_set(&e, EIO, "no picture: %s",
			r->output_len && !r->output_cut ? r->output : how);
	finish(c, NULL, 0, &e);
}

static int start_worker(struct charts *c, const struct chart_spec *spec, struct err *e)
{
	const char *const argv[] = {"/proc/self/exe", "worker", "chart", NULL};
	_cleanup_(free_p) char *zone = getenv("TZ") ? str_format("TZ=%s", getenv("TZ")) : NULL;
	const char *const env[] = {"LANG=C.UTF-8", "HOME=/nonexistent", zone, NULL};
	json_t *order = order_of(c, spec);
	_cleanup_(free_p) char *text = json_dumps(order, JSON_COMPACT);
	const struct child_options o = {.argv = argv,
		.env = env,
		.deadline_ms = CHARTS_DEADLINE_MS,
		.output_max = RRD_CHART_BYTES_MAX,
		.pass_fd = c->rrd_fd,
		.nice = NICENESS,
		.input = text,
		.input_len = text ? strlen(text) : 0};

	json_decref(order);
	return child_start(c->loop, &o, on_drawn, c, &c->child, e);
}

static void start_next(void *user)
{
	struct charts *c = user;
	const struct kept *k;
	struct err e;

	if (c->child || !c->jobs)
		return;
	if (!c->jobs->done) {
		finish(c, NULL, 0, NULL);
		return;
	}
	k = find_kept(c, &c->jobs->spec);
	if (k)
		finish(c, k->data, k->len, NULL);
	else if (start_worker(c, &c->jobs->spec, &e) < 0)
		finish(c, NULL, 0, &e);
}

struct charts *charts_new(struct loop *l, int rrd_fd, int state_fd)
{
	struct charts *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->loop = l;
	c->rrd_fd = rrd_fd;
	c->next = loop_timer_new(l, start_next, c);
	load_key(c, state_fd);
	return c;
}

void charts_free(struct charts *c)
{
	if (!c)
		return;
	child_abandon(c->child);
	loop_timer_free(c->next);
	while (c->jobs) {
		struct chart_job *j = c->jobs;

		c->jobs = j->next;
		free(j);
	}
	for (size_t i = 0; i < CHARTS_KEPT; i++)
		free(c->kept[i].data);
	free(c);
}

static int check(const struct charts *c, const struct chart_spec *s, struct err *e)
{
	const struct metric *m = &s->class->metrics[s->metric];
	char path[RRD_NAME_MAX];

	if (!m->ds)
		return err_set(e, EINVAL, "%s.%s is not stored", s->class->name, m->name);
	if (s->to <= s->from)
		return err_set(e, EINVAL, "the range is empty");
	if (s->width < RRD_CHART_MIN || s->width > RRD_CHART_MAX || s->height < RRD_CHART_MIN ||
		s->height > RRD_CHART_MAX)
		return err_set(e, EINVAL, "width and height must be from %d to %d", RRD_CHART_MIN,
			RRD_CHART_MAX);
	rrd_file_name(path, sizeof(path), s->class, s->entity);
	if (faccessat(c->rrd_fd, path, R_OK, 0) < 0)
		return err_set(e, errno, "there is no history of %s %s", s->class->name, s->entity);
	return 0;
}

int charts_draw(struct charts *c, const struct chart_spec *spec, chart_done_fn done, void *user,
	struct chart_job **out, struct err *e)
{
	struct chart_job *j, **at = &c->jobs;
	int r = check(c, spec, e);

	if (r < 0)
		return r;
	if (c->n_jobs >= CHARTS_WAITING_MAX)
		return err_set(e, EAGAIN, "too many pictures are being drawn");
	j = calloc(1, sizeof(*j));
	if (!j)
		abort();
	*j = (struct chart_job){.charts = c, .spec = *spec, .done = done, .user = user};
	while (*at)
		at = &(*at)->next;
	*at = j;
	c->n_jobs++;
	loop_timer_after(c->next, 0);
	*out = j;
	return 0;
}

/* The worker of a job under way goes on: it ends soon, and somebody may ask again. */
void charts_cancel(struct chart_job *j)
{
	if (j)
		j->done = NULL;
}

static void add_percent(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~",
			    *s))
			buf_addc(b, *s);
		else
			buf_addf(b, "%%%02X", (unsigned char)*s);
	}
}

/* What is signed, and what the link is without the signature. */
static void path_of(const struct chart_spec *s, struct buf *b)
{
	buf_addf(b, "/chart/%s/", s->class->name);
	add_percent(b, s->entity);
	buf_addf(b, "/%s.%s?from=%lld&to=%lld&width=%d&height=%d",
		s->class->metrics[s->metric].name, s->svg ? "svg" : "png", (long long)s->from,
		(long long)s->to, s->width, s->height);
	if (isfinite(s->limit))
		buf_addf(b, "&limit=%.9g", s->limit);
	if (s->dark)
		buf_adds(b, "&theme=dark");
}

static void sign(const struct charts *c, const char *path, char to[HASH_SHA256_HEX_SIZE])
{
	hash_hmac_sha256_hex(to, c->key, strlen(c->key), path, strlen(path));
}

void charts_link(const struct charts *c, const struct chart_spec *spec, char *to, size_t size)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(CHARTS_LINK_SIZE);
	char signature[HASH_SHA256_HEX_SIZE];

	path_of(spec, &b);
	sign(c, buf_str(&b), signature);
	buf_addf(&b, "&signature=%s", signature);
	if (b.overflow || !str_copy(to, size, buf_str(&b)))
		*to = '\0';
}

bool charts_link_is_valid(
	const struct charts *c, const struct chart_spec *spec, const char *signature, time_t now)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(CHARTS_LINK_SIZE);
	char expected[HASH_SHA256_HEX_SIZE];

	if (now - spec->to > (time_t)CHARTS_LINK_DAYS * DAY_S)
		return false;
	path_of(spec, &b);
	sign(c, buf_str(&b), expected);
	return !b.overflow && secrets_equal(expected, signature);
}
