/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_after.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/alerting.h"
#include "agent/daemon_parts.h"
#include "agent/deploy_events.h"
#include "agent/deploy_probes.h"
#include "agent/deploy_status.h"
#include "agent/deploy_verdicts.h"
#include "agent/json_view.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "collectors/rrd_file.h"

enum { HISTORY_POINTS = 10000, MARKS_LOOKED_AT = 100 };

struct deploy_after {
	struct daemon *daemon;
	struct deploys *deploys;
	const struct deploy_config *config;
	void (*on_change)(void *user, const struct deploy *d);
	void *user;
	struct deploy_runs *runs;
	struct deploy_probes *probes;
	struct deploy_statuses *statuses;
	struct deploy_verdicts *verdicts;
	int64_t noted; /* the newest deploy whose origin is in the events */
};

static int on_event(void *user, struct event *ev, struct err *e)
{
	struct deploy_after *x = user;

	return notify_event(alerting_notify(x->daemon->alerting), ev, e);
}

static void on_verdict(void *user, const struct deploy *d)
{
	struct deploy_after *x = user;

	log_info("deploy %lld of %s, verdict: %s: %s", (long long)d->id, d->app, d->verdict_grade,
		d->verdict);
	x->on_change(x->user, d);
}

static int roll_back(void *user, const char *app, const char *by, struct err *e)
{
	struct deploy_after *x = user;
	struct deploys_accepted accepted;

	return deploys_rollback(x->deploys, app, 0, by, "rollback", &accepted, e);
}

static int read_history(void *user, const struct entity_class *c, const char *key,
	const size_t *metrics, size_t n, int64_t from_s, int64_t to_s, struct rrd_series *out,
	struct err *e)
{
	const struct deploy_after *x = user;
	_cleanup_(free_p) char *path = NULL;
	char name[RRD_NAME_MAX];

	if (!x->daemon->sampling.store)
		return err_set(e, ENOENT, "there is no history");
	rrd_file_name(name, sizeof(name), c, key);
	path = str_format("%s/%s", x->daemon->rrd_path, name);
	return rrd_file_fetch(path, c, metrics, n, (time_t)from_s, (time_t)to_s, HISTORY_POINTS,
		RRD_AVERAGE, out, e);
}

static bool find_address(void *user, const char *app, char *address, size_t size)
{
	struct deploy_after *x = user;
	_cleanup_(deploy_free_p) struct deploy *serves = deploys_serving(x->deploys, app);

	return serves && str_copy(address, size, serves->new.address);
}

static bool is_swapping(void *user, const char *app)
{
	const struct deploy_after *x = user;

	return deploys_is_swapping(x->deploys, app);
}

/* When the requests went to the new version; 0: they never did. */
static int64_t switched_ms(const json_t *run)
{
	int64_t at_ms = 0;
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(run, "stages"), i, one)
	{
		const char *state = json_view_text(one, "state");

		if (strcmp(json_view_text(one, "stage"), "route") == 0 &&
			strcmp(json_view_text(one, "verb"), "apply") == 0 &&
			(strcmp(state, "done") == 0 || strcmp(state, "skipped") == 0))
			at_ms = json_view_int(one, "ended_ms");
	}
	return at_ms;
}

/* A line across each picture of the app where another version came. */
static size_t find_marks(void *user, const struct chart_spec *spec, time_t *marks, size_t max)
{
	struct deploy_after *x = user;
	const struct deploy_runs_query q = {.app = spec->entity, .limit = MARKS_LOOKED_AT};
	json_t *list = NULL;
	const json_t *run;
	size_t i, n = 0;

	if ((spec->class != &class_container && spec->class != &class_app) ||
		deploy_runs_list(x->runs, &q, &list, NULL) < 0)
		return 0;
	json_array_foreach(list, i, run)
	{
		time_t at = (time_t)(switched_ms(run) / 1000);

		if (n < max && at >= spec->from && at <= spec->to)
			marks[n++] = at;
	}
	json_decref(list);
	return n;
}

/* What a daemon before has noted already. */
static int64_t newest(struct deploy_after *x)
{
	const struct deploy_runs_query q = {.limit = 1};
	json_t *list = NULL;
	int64_t id = 0;

	if (deploy_runs_list(x->runs, &q, &list, NULL) == 0)
		id = json_view_int(json_array_get(list, 0), "id");
	json_decref(list);
	return id;
}

int deploy_after_new(struct daemon *d, struct deploys *s, const struct deploy_config *c,
	void (*on_change)(void *user, const struct deploy *d), void *user,
	struct deploy_after **out, struct err *e)
{
	struct deploy_after *x = calloc(1, sizeof(*x));
	struct deploy_verdicts_options verdicts = {.loop = d->loop,
		.history = read_history,
		.on_event = on_event,
		.on_change = on_verdict,
		.rollback = roll_back,
		.user = x};
	const struct deploy_probes_options probes = {
		.http = d->http, .serves = find_address, .is_swapping = is_swapping, .user = x};
	int r;

	if (!x)
		abort();
	*x = (struct deploy_after){
		.daemon = d, .deploys = s, .config = c, .on_change = on_change, .user = user};
	r = deploy_runs_open(d->db, &x->runs, e);
	if (r < 0) {
		deploy_after_free(x);
		return r;
	}
	x->noted = newest(x);
	verdicts.runs = x->runs;
	x->verdicts = deploy_verdicts_new(&verdicts, c);
	x->statuses = deploy_statuses_new(d->loop, d->http, d->problems);
	x->probes = deploy_probes_new(&probes, c);
	charts_set_marks(d->charts, find_marks, x);
	*out = x;
	return 0;
}

void deploy_after_free(struct deploy_after *x)
{
	if (!x)
		return;
	charts_set_marks(x->daemon->charts, NULL, NULL);
	deploy_probes_free(x->probes);
	deploy_statuses_free(x->statuses);
	deploy_verdicts_free(x->verdicts);
	deploy_runs_free(x->runs);
	free(x);
}

void deploy_after_configure(struct deploy_after *x, const struct deploy_config *c)
{
	x->config = c;
	deploy_verdicts_configure(x->verdicts, c);
	deploy_probes_configure(x->probes, c);
}

static void note(struct deploy_after *x, const struct deploy *d)
{
	struct err e;

	if (d->state != DEPLOY_QUEUED || d->id <= x->noted)
		return;
	x->noted = d->id;
	if (on_event(x,
		    deploy_event_audit(
			    d->app, d, d->rollback_of ? "return asked for" : "asked for", d->by),
		    &e) < 0)
		log_warning("deploy %lld of %s, asked for by %s: %s", (long long)d->id, d->app,
			d->by, e.msg);
}

void deploy_after_changed(struct deploy_after *x, const struct deploy *d)
{
	const struct deploy_app *a = x ? deploy_config_app(x->config, d->app) : NULL;

	if (!x)
		return;
	note(x, d);
	if (a)
		deploy_statuses_tell(
			x->statuses, d, a, alerting_settings(x->daemon->alerting)->url);
}

void deploy_after_ended(struct deploy_after *x, const struct deploy *d)
{
	if (!x)
		return;
	deploy_probes_changed(x->probes, d->app);
	deploy_verdicts_ended(x->verdicts, d);
}

void deploy_after_collect(struct deploy_after *x)
{
	if (x)
		deploy_probes_sample(x->probes, x->daemon->registry, clock_mono_ns());
}
