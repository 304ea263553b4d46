/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_verdict_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "collectors/entity.h"

enum { COLUMNS_MAX = 9 };

/* Columns of what is read of a container or a service, and the figures they are added to. */
static const struct {
	size_t metric;
	enum deploy_verdict_figure figure;
} columns[COLUMNS_MAX] = {
	{CGROUP_cpu_used_percent, DEPLOY_VERDICT_CPU},
	{CGROUP_memory_used_bytes, DEPLOY_VERDICT_MEMORY},
	{CGROUP_disk_read_bytes_per_second, DEPLOY_VERDICT_DISK},
	{CGROUP_disk_written_bytes_per_second, DEPLOY_VERDICT_DISK},
	{CGROUP_network_received_bytes_per_second, DEPLOY_VERDICT_NETWORK},
	{CGROUP_network_sent_bytes_per_second, DEPLOY_VERDICT_NETWORK},
	{CGROUP_processes, DEPLOY_VERDICT_PROCESSES},
	{CGROUP_restarts, DEPLOY_VERDICT_RESTARTS},
	{CGROUP_oom_kills, DEPLOY_VERDICT_OOM_KILLS},
};

void deploy_verdict_data_done(struct deploy_verdict_data *v)
{
	for (size_t side = 0; side < 2; side++)
		for (size_t f = 0; f < DEPLOY_VERDICT_FIGURES; f++)
			free(v->values[side][f]);
	*v = (struct deploy_verdict_data){.n = {{0}}};
}

/* One more column of the figure: added where both are known. */
static void add_column(struct deploy_verdict_data *out, size_t side, enum deploy_verdict_figure f,
	const struct rrd_series *s, size_t column, double offset, double factor)
{
	bool first = !out->values[side][f];

	if (first) {
		out->values[side][f] = calloc(s->n_points ? s->n_points : 1, sizeof(double));
		out->n[side][f] = s->n_points;
	}
	if (!out->values[side][f])
		abort();
	for (size_t i = 0; i < s->n_points; i++)
		out->values[side][f][i] += offset + factor * s->values[i * s->n_metrics + column];
}

static int64_t seconds(int64_t ms)
{
	return ms / 1000;
}

static bool fetch(const struct deploy_verdicts_options *o, const struct entity_class *c,
	const char *key, const size_t *metrics, size_t n, int64_t from_ms, int64_t to_ms,
	struct rrd_series *out)
{
	return o->history && seconds(to_ms) > seconds(from_ms) &&
	       o->history(o->user, c, key, metrics, n, seconds(from_ms), seconds(to_ms), out,
		       NULL) == 0;
}

/* A systemd unit has a series of its own for each version, containers one for all; a profile of Nix has none. */
static const struct entity_class *entity_of(
	const struct deploy *d, const char *container, char *key, size_t size)
{
	static const char suffix[] = ".service";
	size_t n = strlen(container);

	if (!n || *container == '/')
		return NULL;
	if (!str_ends(container, suffix) || n - strlen(suffix) >= size) {
		(void)str_copy(key, size, d->app);
		return &class_container;
	}
	memcpy(key, container, n - strlen(suffix));
	key[n - strlen(suffix)] = '\0';
	return &class_service;
}

static void read_use(const struct deploy_verdicts_options *o, const struct deploy *d,
	const char *container, size_t side, int64_t from_ms, int64_t to_ms,
	struct deploy_verdict_data *out)
{
	_cleanup_(rrd_series_done) struct rrd_series s = {0};
	size_t metrics[COLUMNS_MAX];
	char key[ENTITY_KEY_MAX];
	const struct entity_class *c = entity_of(d, container, key, sizeof(key));

	for (size_t i = 0; i < COLUMNS_MAX; i++)
		metrics[i] = columns[i].metric;
	if (!c || !fetch(o, c, key, metrics, COLUMNS_MAX, from_ms, to_ms, &s))
		return;
	for (size_t i = 0; i < COLUMNS_MAX; i++)
		add_column(out, side, columns[i].figure, &s, i, 0, 1);
}

static void read_answers(const struct deploy_verdicts_options *o, const struct deploy *d,
	size_t side, int64_t from_ms, int64_t to_ms, struct deploy_verdict_data *out)
{
	static const size_t metrics[] = {APP_up, APP_latency_seconds};
	_cleanup_(rrd_series_done) struct rrd_series s = {0};

	if (!fetch(o, &class_app, d->app, metrics, 2, from_ms, to_ms, &s))
		return;
	add_column(out, side, DEPLOY_VERDICT_ERRORS, &s, 0, 100, -100);
	add_column(out, side, DEPLOY_VERDICT_LATENCY, &s, 1, 0, 1);
}

void deploy_verdict_read(const struct deploy_verdicts_options *o, const struct deploy *d,
	const struct deploy_verdict_times *t, struct deploy_verdict_data *out)
{
	*out = (struct deploy_verdict_data){.n = {{0}}};
	read_use(o, d, d->old.container, 0, t->before_from_ms, t->before_to_ms, out);
	read_use(o, d, d->new.container, 1, t->after_from_ms, t->after_to_ms, out);
	read_answers(o, d, 0, t->before_from_ms, t->before_to_ms, out);
	read_answers(o, d, 1, t->after_from_ms, t->after_to_ms, out);
}
