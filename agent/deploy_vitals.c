/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_vitals.h"

#include <math.h>
#include <stdio.h>
#include <sys/statvfs.h>

void deploy_vitals_read(
	const struct containers *c, const char *container, struct deploys_vitals *out)
{
	struct container_state_now now;

	*out = (struct deploys_vitals){.known = false};
	if (!c || !containers_look(c, container, &now))
		return;
	*out = (struct deploys_vitals){
		.known = true,
		.running = now.running,
		.restarts = (uint64_t)now.restarts,
		.oom_kills = (uint64_t)now.oom_kills,
	};
}

static double host_value(const struct registry *r, enum host_metric m)
{
	const struct entity *host = registry_find(r, &class_host, "host");

	return host ? entity_value(host, m) : NAN;
}

bool deploy_vitals_is_tight(const struct registry *r, char *why, size_t size)
{
	double full = host_value(r, HOST_pressure_memory_full_percent);
	double some = host_value(r, HOST_pressure_memory_some_percent);
	bool all = full >= DEPLOY_PRESSURE_FULL_PERCENT;

	if (!all && !(some >= DEPLOY_PRESSURE_SOME_PERCENT))
		return false;
	if (why)
		(void)snprintf(why, size, "programs wait for memory %.0f %% of the time",
			all ? full : some);
	return true;
}

/* What is not there, or cannot be asked, sets no limit. */
static int64_t free_bytes(const char *folder)
{
	struct statvfs v;

	if (!folder || statvfs(folder, &v) < 0)
		return INT64_MAX;
	return (int64_t)((uint64_t)v.f_bavail * v.f_frsize);
}

void deploy_vitals_room(const struct registry *r, const char *state_dir, const char *docker_root,
	int64_t *disk_bytes, int64_t *memory_bytes)
{
	double available = host_value(r, HOST_memory_available_bytes);
	int64_t state = free_bytes(state_dir), docker = free_bytes(docker_root);

	*disk_bytes = state < docker ? state : docker;
	if (deploy_vitals_is_tight(r, NULL, 0))
		*memory_bytes = 0;
	else
		*memory_bytes = isnan(available) ? INT64_MAX : (int64_t)available;
}
