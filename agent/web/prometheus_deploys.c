/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/prometheus_deploys.h"

#include <inttypes.h>
#include <math.h>

#include "agent/web/prometheus_list.h"
#include "agent/web/prometheus_text.h"
#include "base/cleanup.h"
#include "deploy-hooks/deploy.h"

#define TOTAL "agent_deploys_total"

enum { LABELS_MAX = 1024 };

static double end_of(const json_t *app, const char *member)
{
	return prometheus_time(json_object_get(app, member), "ended_ms");
}

static double span_of(const json_t *app, const char *member)
{
	const json_t *d = json_object_get(app, member);
	double began = prometheus_time(d, "started_ms"), ended = prometheus_time(d, "ended_ms");

	return ended >= began ? ended - began : NAN;
}

/* -1 is not measured. */
static double downtime_of(const json_t *app, const char *member)
{
	double ms = prometheus_number(json_object_get(app, member), "downtime_ms");

	return ms >= 0 ? ms / 1000 : NAN;
}

static bool find_state(const json_t *app, const char *member, enum deploy_state *out)
{
	const json_t *state = json_object_get(json_object_get(app, member), "state");

	return json_is_string(state) && deploy_state_find(json_string_value(state), out) == 0;
}

/* Of what was cancelled or superseded nothing is known. */
static double was_good(const json_t *app, const char *member)
{
	enum deploy_state s;

	if (!find_state(app, member, &s) || s == DEPLOY_SUPERSEDED || s == DEPLOY_CANCELLED)
		return NAN;
	return deploy_state_is_good(s);
}

static double is_running(const json_t *app, const char *member)
{
	enum deploy_state s;

	return find_state(app, member, &s) && s != DEPLOY_QUEUED && !deploy_state_is_end(s);
}

static double is_waiting(const json_t *app, const char *member)
{
	enum deploy_state s;

	return find_state(app, member, &s) && s == DEPLOY_QUEUED;
}

/* In alphabetical order. */
static const struct prometheus_family families[] = {
	{"agent_deploy_last_downtime_seconds",
		"How long nothing served during the last good deploy, where that was measured.",
		downtime_of, "serves"},
	{"agent_deploy_last_duration_seconds",
		"How long the last good deploy took, from its first stage to its last.", span_of,
		"serves"},
	{"agent_deploy_last_ok", "Whether the last deploy that ended was good.", was_good, "last"},
	{"agent_deploy_last_success_timestamp_seconds",
		"When the last good deploy ended: since then its version serves.", end_of,
		"serves"},
	{"agent_deploy_running", "Whether a deploy of the app is under way.", is_running,
		"current"},
	{"agent_deploy_waiting", "Whether a deploy of the app waits for its turn.", is_waiting,
		"current"},
};

/* All ends of each app, also those that never were: a counter that appears with its first event shows no increase. */
static void add_counts(struct buf *b, const char *app, const struct deploy_counts *counts)
{
	_cleanup_(buf_done) struct buf label = BUF_INIT(LABELS_MAX);

	prometheus_label(&label, "app", app);
	for (int s = 0; s < DEPLOY_STATES; s++) {
		enum deploy_state state = (enum deploy_state)s;

		if (deploy_state_is_end(state))
			buf_addf(b, TOTAL "{%s,state=\"%s\"} %" PRIu64 "\n", buf_str(&label),
				deploy_state_name(state), deploy_counts_get(counts, app, state));
	}
}

void prometheus_deploys_write(struct buf *b, const json_t *apps, const struct deploy_counts *counts)
{
	bool headed = false;

	prometheus_list_write(b, families, ARRAY_LEN(families), "app", apps);
	for (size_t i = 0; i < json_array_size(apps); i++) {
		const json_t *app = json_array_get(apps, i);
		const char *name = json_string_value(json_object_get(app, "name"));

		if (!name)
			continue;
		if (!headed)
			prometheus_head(b, TOTAL,
				"Deploys that ended, by how, since the web process began.",
				"counter");
		headed = true;
		add_counts(b, name, counts);
	}
}
