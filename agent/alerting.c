/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/alerting.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/daemon_parts.h"
#include "agent/notify_config.h"
#include "agent/pictures.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "collectors/rrd_file.h"

struct alerting {
	struct daemon *daemon;
	struct notify_config *config;
	struct notify *notify;
	struct pictures pictures;
	struct loop_timer *push;
	int64_t pushed_ms; /* monotonic */
	int64_t history_until_ms; /* monotonic; of this sample */
	int64_t last_event;
};

static void on_push(void *user)
{
	struct alerting *a = user;
	_cleanup_(buf_done) struct buf text = BUF_INIT(256);

	a->pushed_ms = clock_mono_ms();
	buf_adds(&text, "{\"event\":\"alerts\"");
	alerting_add_summary(a, &text);
	buf_addc(&text, '}');
	control_push_web(a->daemon->control, &text);
}

static void on_change(void *user)
{
	struct alerting *a = user;
	int64_t wait_ms = a->pushed_ms + ALERTING_PUSH_MS - clock_mono_ms();

	if (!loop_timer_is_running(a->push))
		loop_timer_after(a->push, wait_ms > 0 ? wait_ms : 0);
}

static void on_event(void *user, const struct event *ev)
{
	struct alerting *a = user;

	a->last_event = ev->id;
	log_info("%s: %s: %s", ev->kind, ev->is_end ? "over" : severity_name(ev->severity),
		ev->title);
}

/* A row of a coarse archive is the mean of many samples: each of them gets it, so that sums come out
 * right. What is being measured now comes from the sample itself. */
static void add_series(const struct rrd_series *s, int64_t interval_s, int64_t now,
	void (*add)(void *window, int64_t time_ms, double v), void *window)
{
	for (size_t i = 0; i < s->n_points; i++) {
		int64_t end = (int64_t)s->start + (int64_t)i * s->step_seconds;
		int64_t t = s->step_seconds > interval_s ? end - s->step_seconds + interval_s : end;

		for (; t <= end && t < now; t += interval_s)
			add(window, t * 1000, s->values[i]);
	}
}

/* Nothing any more when this sample has read for too long. */
static void on_history(void *user, const struct entity *e, size_t metric, int64_t span_ms,
	void (*add)(void *window, int64_t time_ms, double v), void *window)
{
	struct alerting *a = user;
	const struct daemon *d = a->daemon;
	_cleanup_(rrd_series_done) struct rrd_series s = {0};
	_cleanup_(free_p) char *path = NULL;
	char name[RRD_NAME_MAX];
	time_t now = d->sampling.time;

	if (clock_mono_ms() >= a->history_until_ms || !d->sampling.store)
		return;
	rrd_file_name(name, sizeof(name), e->class, e->key);
	path = str_format("%s/%s", d->rrd_path, name);
	if (rrd_file_fetch(path, e->class, &metric, 1, now - (time_t)(span_ms / 1000), now,
		    ALERTING_HISTORY_POINTS, RRD_AVERAGE, &s, NULL) == 0)
		add_series(&s, d->layout.step_seconds, (int64_t)now, add, window);
}

static void log_mistakes(struct mistakes *m)
{
	for (size_t i = 0; i < m->n; i++)
		log_error("%s", m->list[i]);
	mistakes_done(m);
}

static int read_config(struct alerting *a, struct err *e)
{
	struct mistakes m = {NULL, 0, 0};
	int r = notify_config_new(a->daemon->config, &a->config, &m);

	log_mistakes(&m);
	return r < 0 ? err_set(e, EINVAL,
			       "the configuration of alerts has mistakes; nothing was "
			       "started")
		     : 0;
}

int alerting_new(struct daemon *d, struct alerting **out, struct err *e)
{
	struct alerting *a = calloc(1, sizeof(*a));
	struct notify_options o = {.loop = d->loop,
		.http = d->http,
		.db = d->db,
		.problems = d->problems,
		.interval_ms = d->sampling.interval_ms,
		.on_event = on_event,
		.on_change = on_change,
		.history = on_history,
		.user = a};
	int r;

	if (!a)
		abort();
	a->daemon = d;
	a->push = loop_timer_new(d->loop, on_push, a);
	a->pushed_ms = clock_mono_ms() - ALERTING_PUSH_MS;
	r = read_config(a, e);
	if (r == 0) {
		const struct notify_settings *s = notify_config_settings(a->config);

		pictures_init(&a->pictures, d->charts, s->url);
		o.pictures = &a->pictures.source;
		r = notify_new(&o, s, &a->notify, e);
	}
	if (r < 0) {
		alerting_free(a);
		return r;
	}
	*out = a;
	return 0;
}

void alerting_free(struct alerting *a)
{
	if (!a)
		return;
	notify_free(a->notify);
	notify_config_free(a->config);
	loop_timer_free(a->push);
	free(a);
}

void alerting_sample(struct alerting *a, const struct registry *r, int64_t now_ms)
{
	a->history_until_ms = clock_mono_ms() + ALERTING_HISTORY_MS;
	notify_sample(a->notify, r, now_ms);
}

void alerting_gone(struct alerting *a, struct entity *e)
{
	notify_entity_gone(a->notify, e);
}

int alerting_reload(struct alerting *a, const struct config *c, struct mistakes *m)
{
	struct notify_config *new = NULL;
	struct err e;
	int r = notify_config_new(c, &new, m);

	if (r < 0)
		return r;
	r = notify_configure(a->notify, notify_config_settings(new), &e);
	if (r < 0) {
		mistakes_add(m, NULL, 0, "%s", e.msg);
		notify_config_free(new);
		return -EINVAL;
	}
	a->pictures.url = notify_config_settings(new)->url;
	notify_config_free(a->config);
	a->config = new;
	return 0;
}

const struct notify_settings *alerting_settings(const struct alerting *a)
{
	return notify_config_settings(a->config);
}

int64_t alerting_last_event(const struct alerting *a)
{
	return a->last_event;
}

void alerting_changed(struct alerting *a)
{
	on_change(a);
}

struct notify *alerting_notify(struct alerting *a)
{
	return a->notify;
}

size_t alerting_list(struct alerting *a, const struct alert ***out)
{
	size_t n;

	*out = calloc(ALERTING_LIST_MAX, sizeof(**out));
	if (!*out)
		abort();
	n = alerts_list(notify_alerts(a->notify), *out, ALERTING_LIST_MAX);
	return n < ALERTING_LIST_MAX ? n : ALERTING_LIST_MAX;
}

/* Whether it was, or would have been, told. */
static bool fires(const struct alert *a)
{
	return a->life.state != ALERT_OK && a->life.state != ALERT_PENDING;
}

void alerting_add_summary(struct alerting *a, struct buf *out)
{
	_cleanup_(free_p) const struct alert **list = NULL;
	size_t n = alerting_list(a, &list);
	enum severity worst = SEVERITY_INFO;

	for (size_t i = 0; i < n; i++) {
		const struct alert_life *l = &list[i]->life;
		/* One that is about to clear has no level any more. */
		enum severity level = l->level > SEVERITY_INFO ? l->level : l->worst;

		if (fires(list[i]) && level > worst)
			worst = level;
	}
	buf_addf(out, ",\"firing\":%zu,\"worst\":\"%s\"",
		alerts_firing(notify_alerts(a->notify), NULL), severity_name(worst));
}

uint64_t alerting_waiting(struct alerting *a)
{
	struct sender_status list[CHANNELS_MAX];
	size_t n = sender_status(notify_sender(a->notify), list, CHANNELS_MAX);
	uint64_t waiting = 0;

	for (size_t i = 0; i < n && i < CHANNELS_MAX; i++)
		waiting += list[i].waiting;
	return waiting;
}
