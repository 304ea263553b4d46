/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/container_report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "collectors/container_oom.h"

static const char no_engine[] = "its engine cannot be asked";
static const char no_check[] = "it has no health check";
static const char starting[] = "its health check has not passed or failed yet";
static const char no_start[] = "its start is not known";
static const char no_restarts[] = "only container engines count restarts";
static const char not_running[] = "it does not run";
static const char not_visible[] = "its cgroup cannot be seen from here";

/* A new cgroup feeds this entity: its counters have nothing to do with the ones before, but for
 * the engine's count of restarts, when it is the same container that was started again. */
static void begin(struct entity *e, const struct container_item *item)
{
	const char *before = entity_label_get(e, "container_id");
	double restarts = e->totals[CGROUP_restarts];
	bool same = before && *item->name.id && strcmp(before, item->name.id) == 0;

	if (e->last_read_ns)
		entity_rebase(e);
	if (item->fresh)
		entity_started_at(e, item->found_ns);
	e->totals[CGROUP_restarts] = same ? restarts : NAN;
}

static void set_labels(
	struct entity *e, const struct container_item *item, const struct container_info *info)
{
	char id[CGROUP_PATH_MAX + 1];

	(void)snprintf(id, sizeof(id), "/%s", item->cgroup.path);
	entity_label(e, "id", id);
	if (e->class != &class_container)
		return;
	entity_label(e, "container_id", item->name.id);
	entity_label(e, "engine", info && info->engine ? info->engine : item->name.engine);
	entity_label(e, "name", info && info->name ? info->name : item->name.name);
	entity_label(e, "image", info ? info->image : NULL);
	entity_label(e, "state",
		info && info->state != CONTAINER_STATE_UNKNOWN ? container_state_name(info->state)
							       : "running");
	entity_label(e, "pod", info ? info->pod : NULL);
	entity_label(e, "namespace", info ? info->pod_namespace : NULL);
	entity_label(e, "project", info ? info->project : NULL);
	entity_label(e, "app", info ? info->app : NULL);
	e->passing = item->passing;
}

static void set_network_label(
	struct entity *e, const struct container_item *item, const struct container_info *info)
{
	char text[CONTAINER_TEXT_MAX + 32];

	if (item->joined && item->joined->name) {
		(void)snprintf(text, sizeof(text), "shared with %s", item->joined->name);
		entity_label(e, "network", text);
	} else if (info && info->network) {
		/* Docker's default is its bridge. */
		entity_label(e, "network",
			strcmp(info->network, "default") == 0 ? "bridge" : info->network);
	} else if (item->net.kind == CGROUP_NET_HOST) {
		entity_label(e, "network", "host");
	} else {
		entity_label(e, "network", item->net.kind == CGROUP_NET_SHARED ? "shared" : NULL);
	}
}

static void report_health(struct entity *e, enum container_health h)
{
	switch (h) {
	case HEALTH_HEALTHY:
	case HEALTH_UNHEALTHY:
		entity_gauge(e, CGROUP_healthy, h == HEALTH_HEALTHY);
		break;
	case HEALTH_STARTING:
		entity_missing(e, CGROUP_healthy, starting);
		break;
	case HEALTH_NONE:
	case HEALTH_UNKNOWN:
		entity_missing(e, CGROUP_healthy, no_check);
		break;
	}
}

static void report_start(struct entity *e, double started_at, int64_t wall_ms)
{
	double age = (double)wall_ms / 1000 - started_at;

	if (isnan(started_at)) {
		entity_missing(e, CGROUP_start_time_seconds, no_start);
		entity_missing(e, CGROUP_age_seconds, no_start);
		return;
	}
	entity_gauge(e, CGROUP_start_time_seconds, started_at);
	entity_gauge(e, CGROUP_age_seconds, age > 0 ? age : 0);
}

static void report_engine(struct entity *e, const struct container_info *info)
{
	if (!info) {
		entity_missing(e, CGROUP_healthy, no_engine);
		entity_missing(e, CGROUP_restarts, no_engine);
		return;
	}
	report_health(e, info->health);
	if (isnan(info->restarts))
		entity_missing(e, CGROUP_restarts, no_engine);
	else
		entity_counter(e, CGROUP_restarts, info->restarts);
}

void container_report_live(struct entity *e, struct container_item *item,
	struct cgroup_numbers *numbers, unsigned cpus, int64_t now_ns, int64_t wall_ms)
{
	const struct container_info *info = item->info;
	double started_at = info ? info->started_at : NAN;

	if (!item->fed)
		begin(e, item);
	item->fed = true;
	if (!item->labelled || e->n_labels == 0) {
		set_labels(e, item, info);
		set_network_label(e, item, info);
		item->labelled = true;
	}
	entity_read_at(e, now_ns);
	container_oom_report(item, numbers);
	cgroup_numbers_report(numbers, cpus, e);
	entity_gauge(e, CGROUP_running, 1);
	if (isnan(started_at))
		started_at = item->fresh ? item->found_at : item->net.started_at;
	report_start(e, started_at, wall_ms);
	if (e->class == &class_container) {
		report_engine(e, info);
	} else {
		entity_missing(e, CGROUP_healthy, no_check);
		entity_missing(e, CGROUP_restarts, no_restarts);
	}
}

void container_report_ended(struct entity *e, struct container_item *item, int64_t now_ns)
{
	if (!item->fed)
		begin(e, item);
	set_labels(e, item, item->info);
	entity_label(e, "state", container_state_name(CONTAINER_EXITED));
	entity_read_at(e, now_ns);
	for (size_t m = 0; m < CGROUP_METRICS; m++)
		if (m != CGROUP_running && m != CGROUP_oom_kills)
			entity_missing(e, m, not_running);
	entity_gauge(e, CGROUP_running, 0);
	entity_counter(e, CGROUP_oom_kills, item->oom_carried + item->oom_kills);
}

void container_report_stopped(struct entity *e, const struct container_info *info, int64_t now_ns)
{
	bool live = container_state_is_live(info->state);

	entity_label(e, "id", NULL);
	entity_label(e, "container_id", info->id);
	entity_label(e, "engine", info->engine);
	entity_label(e, "name", info->name);
	entity_label(e, "image", info->image);
	entity_label(e, "network", info->network);
	entity_label(e, "state", container_state_name(info->state));
	entity_label(e, "project", info->project);
	entity_label(e, "app", info->app);
	entity_read_at(e, now_ns);
	for (size_t m = 0; m < CGROUP_METRICS; m++)
		entity_missing(e, m, live ? not_visible : not_running);
	entity_gauge(e, CGROUP_running, live);
	entity_missing(e, CGROUP_running, NULL);
	if (!isnan(info->restarts)) {
		entity_counter(e, CGROUP_restarts, info->restarts);
		entity_missing(e, CGROUP_restarts, NULL);
	}
}
