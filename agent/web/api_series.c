/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/api_series.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/web/handlers.h"
#include "agent/web/latest.h"
#include "base/clock.h"

/* Files are read one after another in turns of this length, so that a large answer does not keep
 * others waiting. */
enum { TURN_MS = 5 };

struct series {
	struct series_request rq;
	struct call *call;
	size_t next; /* entity to be read */
	struct buf body;
	struct loop_timer *timer;
};

static int take_entity(const char *text, struct series_entity *out, struct err *e)
{
	const char *key;
	const struct entity_class *class = latest_parse_name(text, &key);

	if (!class)
		return err_set(e, EINVAL, "\"%s\" is not CLASS/KEY with a known class", text);
	*out = (struct series_entity){class, text, key, false};
	return 0;
}

static int take_entities(const struct query *q, struct series_request *out, struct err *e)
{
	const char *text;
	size_t at = 0;
	int r = 0;

	while (r == 0 && (text = query_next(q, "entity", &at))) {
		if (out->n_entities == SERIES_ENTITIES_MAX)
			return err_set(
				e, EINVAL, "there may be at most %d entities", SERIES_ENTITIES_MAX);
		r = take_entity(text, &out->entities[out->n_entities++], e);
	}
	if (r == 0 && out->n_entities == 0)
		r = err_set(e, EINVAL, "entity=CLASS/KEY is missing");
	return r;
}

static int take_metric(const char *name, size_t len, struct series_request *out, struct err *e)
{
	if (len == 0)
		return 0;
	if (len >= sizeof(out->metrics[0]))
		return err_set(e, EINVAL, "there is no metric of that name");
	if (out->n_metrics == SERIES_METRICS_MAX)
		return err_set(e, EINVAL, "there may be at most %d metrics", SERIES_METRICS_MAX);
	memcpy(out->metrics[out->n_metrics], name, len);
	out->metrics[out->n_metrics++][len] = '\0';
	return 0;
}

static int take_metrics(const struct query *q, struct series_request *out, struct err *e)
{
	const char *text;
	size_t at = 0;
	int r = 0;

	while (r == 0 && (text = query_next(q, "metric", &at))) {
		while (r == 0 && *text) {
			size_t n = strcspn(text, ",");

			r = take_metric(text, n, out, e);
			text += n + (text[n] == ',');
		}
	}
	if (r == 0 && out->n_metrics == 0)
		r = err_set(e, EINVAL, "metric=NAME is missing");
	return r;
}

/* Every metric must have a history in every entity's class. */
static int check_metrics(const struct series_request *rq, struct err *e)
{
	for (size_t i = 0; i < rq->n_entities; i++) {
		const struct entity_class *k = rq->entities[i].class;

		for (size_t j = 0; j < rq->n_metrics; j++) {
			int m = metric_find(k, rq->metrics[j]);

			if (m < 0)
				return err_set(e, EINVAL, "class \"%s\" has no metric \"%s\"",
					k->name, rq->metrics[j]);
			if (!k->metrics[m].ds)
				return err_set(
					e, EINVAL, "%s.%s has no history", k->name, rq->metrics[j]);
		}
	}
	return 0;
}

static int take_range(const struct query *q, time_t now, int64_t span_seconds,
	struct series_request *out, struct err *e)
{
	const int64_t most = INT64_C(253402300799); /* the year 9999 */
	int64_t from, to;

	if (query_i64(q, "from", -3600, -most, most, &from, e) < 0 ||
		query_i64(q, "to", 0, -most, most, &to, e) < 0)
		return -EINVAL;
	if (from <= 0)
		from += now;
	if (to <= 0)
		to += now;
	if (from >= to)
		return err_set(e, EINVAL, "from must be before to");
	/* What librrd allocates grows with the range. */
	out->from = from < now - span_seconds ? now - span_seconds : from;
	out->to = to > now ? now : to;
	if (out->from >= out->to)
		return err_set(e, EINVAL, "there is no history of that time");
	return 0;
}

static int take_shape(const struct query *q, struct series_request *out, struct err *e)
{
	const char *how = query_get(q, "how");
	int64_t points;

	if (query_i64(q, "points", SERIES_POINTS_DEFAULT, 2, SERIES_POINTS_MAX, &points, e) < 0)
		return -EINVAL;
	if (how && strcmp(how, "average") != 0 && strcmp(how, "maximum") != 0)
		return err_set(e, EINVAL, "how must be average or maximum");
	out->points = (size_t)points;
	out->how = how && strcmp(how, "maximum") == 0 ? RRD_MAXIMUM : RRD_AVERAGE;
	if (out->n_entities * out->n_metrics * out->points > SERIES_VALUES_MAX)
		return err_set(e, EINVAL,
			"entities x metrics x points is more than %d; ask for fewer points",
			SERIES_VALUES_MAX);
	return 0;
}

int series_request_parse(const struct query *q, time_t now, int64_t span_seconds,
	struct series_request *out, struct err *e)
{
	int r;

	memset(out, 0, sizeof(*out));
	r = take_entities(q, out, e);
	if (r == 0)
		r = take_metrics(q, out, e);
	if (r == 0)
		r = check_metrics(out, e);
	if (r == 0)
		r = take_shape(q, out, e);
	if (r == 0)
		r = take_range(q, now, span_seconds, out, e);
	return r;
}

static void series_free(void *user)
{
	struct series *s = user;

	loop_timer_free(s->timer);
	buf_done(&s->body);
	free(s);
}

static void add_head(struct series *s, const struct series_entity *en)
{
	buf_adds(&s->body, s->next ? ",\n{\"entity\": " : "\n{\"entity\": ");
	buf_add_json_string(&s->body, en->text);
}

static void add_metrics(struct series *s)
{
	buf_adds(&s->body, ", \"metrics\": [");
	for (size_t i = 0; i < s->rq.n_metrics; i++)
		buf_addf(&s->body, "%s\"%s\"", i ? ", " : "", s->rq.metrics[i]);
	buf_adds(&s->body, "], \"values\": [");
}

static void add_values(struct series *s, const struct rrd_series *v)
{
	struct buf *b = &s->body;

	buf_addf(b, ", \"start\": %" PRId64 ", \"step\": %" PRId64, (int64_t)v->start,
		v->step_seconds);
	add_metrics(s);
	for (size_t m = 0; m < v->n_metrics; m++) {
		buf_adds(b, m ? ",\n [" : "\n [");
		for (size_t i = 0; i < v->n_points; i++) {
			if (i)
				buf_addc(b, ',');
			buf_add_json_number(b, v->values[i * v->n_metrics + m]);
		}
		buf_addc(b, ']');
	}
	buf_adds(b, "]}");
}

static void add_nothing(struct series *s)
{
	buf_adds(&s->body, ", \"start\": null, \"step\": null");
	add_metrics(s);
	for (size_t i = 0; i < s->rq.n_metrics; i++)
		buf_adds(&s->body, i ? ", []" : "[]");
	buf_adds(&s->body, "]}");
}

/* A broken file counts as none: the daemon finds and replaces it. */
static void add_entity(struct series *s, const struct series_entity *en)
{
	size_t metrics[SERIES_METRICS_MAX];
	char path[RRD_NAME_MAX];
	struct rrd_series v;

	for (size_t i = 0; i < s->rq.n_metrics; i++)
		metrics[i] = (size_t)metric_find(en->class, s->rq.metrics[i]);
	rrd_file_name(path, sizeof(path), en->class, en->key);
	add_head(s, en);
	if (rrd_file_fetch(path, en->class, metrics, s->rq.n_metrics, s->rq.from, s->rq.to,
		    s->rq.points, s->rq.how, &v, NULL) < 0) {
		add_nothing(s);
		return;
	}
	add_values(s, &v);
	rrd_series_done(&v);
}

static void on_turn(void *user)
{
	struct series *s = user;
	int64_t until = clock_mono_ms() + TURN_MS;

	do {
		add_entity(s, &s->rq.entities[s->next]);
		s->next++;
	} while (s->next < s->rq.n_entities && clock_mono_ms() < until);
	if (s->next < s->rq.n_entities) {
		loop_timer_after(s->timer, 0);
		return;
	}
	buf_adds(&s->body, "]}\n");
	call_json(s->call, &s->body);
}

static void begin(struct series *s)
{
	buf_addf(&s->body, "{\"from\": %" PRId64 ", \"to\": %" PRId64 ", \"series\": [",
		(int64_t)s->rq.from, (int64_t)s->rq.to);
	on_turn(s);
}

/* The daemon knows what exists and has no file yet. */
static void on_known(struct call *c, const json_t *answer)
{
	struct series *s = c->state;
	const json_t *list = json_object_get(answer, "entities");

	for (size_t i = 0; i < s->rq.n_entities; i++) {
		struct series_entity *en = &s->rq.entities[i];

		for (size_t j = 0; !en->has_file && j < json_array_size(list); j++) {
			const json_t *known = json_array_get(list, j);

			if (latest_class(known) == en->class &&
				strcmp(latest_key(known), en->key) == 0)
				en->has_file = true;
		}
		if (!en->has_file) {
			call_fail(c, 404, "there is no %s of the name \"%s\"", en->class->name,
				en->key);
			return;
		}
	}
	begin(s);
}

/* The entities without a file, as the daemon wants them; NULL when all have one. */
static json_t *without_file(struct series_request *rq)
{
	json_t *list = NULL;

	for (size_t i = 0; i < rq->n_entities; i++) {
		struct series_entity *en = &rq->entities[i];
		char path[RRD_NAME_MAX];

		rrd_file_name(path, sizeof(path), en->class, en->key);
		en->has_file = access(path, F_OK) == 0;
		if (en->has_file)
			continue;
		if (!list)
			list = json_array();
		(void)json_array_append_new(list, json_string(en->text));
	}
	return list;
}

void api_series_get(struct call *c)
{
	struct series *s = calloc(1, sizeof(*s));
	json_t *unknown;
	struct err e;

	if (!s)
		abort();
	c->state = s;
	c->free_state = series_free;
	s->call = c;
	buf_init(&s->body, CALL_ANSWER_MAX);
	s->timer = loop_timer_new(c->web->loop, on_turn, s);
	if (series_request_parse(&c->query, time(NULL), c->web->span_seconds, &s->rq, &e) < 0) {
		call_fail(c, 400, "%s", e.msg);
		return;
	}
	unknown = without_file(&s->rq);
	if (unknown)
		call_ask(c,
			json_pack(
				"{s:s, s:b, s:o}", "op", "latest", "gone", 1, "entities", unknown),
			on_known);
	else
		begin(s);
}
