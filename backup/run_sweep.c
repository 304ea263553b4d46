/* SPDX-License-Identifier: Apache-2.0
 *
 * Daily and at the start of the agent: what killed runs left in stores, and as containers.
 */
#include <errno.h>

#include "backup/docker.h"
#include "backup/run.h"
#include "base/clock.h"

enum { JOBS_MAX = 200 };

static int sweep_stores(struct run *r, struct sweep_result *swept, struct err *e)
{
	struct store *stores[RUN_STORES_MAX];
	const char *jobs[JOBS_MAX];
	size_t n = 0, n_jobs = 0;

	for (size_t i = 0; i < json_array_size(r->o->jobs) && n_jobs < JOBS_MAX; i++)
		if (json_is_string(json_array_get(r->o->jobs, i)))
			jobs[n_jobs++] = json_string_value(json_array_get(r->o->jobs, i));
	for (size_t i = 0; i < r->n_stores; i++)
		if (!r->stores[i].failed)
			stores[n++] = r->stores[i].store;
	return journal_sweep(r->o->state, stores, n, jobs, n_jobs, clock_wall_ms(), swept, e);
}

int run_sweep(struct run *r, struct err *e)
{
	struct sweep_result swept = {.uploads = 0};
	size_t containers = 0;
	struct err docker_error = {""};
	int result = run_open_any_stores(r, NULL, e), stores;

	if (result == 0)
		result = sweep_stores(r, &swept, e);
	if (r->o->container_socket &&
		docker_sweep(r->o->container_socket, &containers, &docker_error) < 0)
		report_warning(r->report, "containers of drills: %s", docker_error.msg);
	json_object_set_new(r->result, "swept",
		json_pack("{s:I, s:I, s:I, s:I}", "uploads", (json_int_t)swept.uploads, "objects",
			(json_int_t)swept.objects, "containers", (json_int_t)containers, "failed",
			(json_int_t)swept.failed));
	if (result < 0)
		return result;
	stores = run_stores_result(r, e);
	if (stores == 0 && swept.failed)
		return err_set(e, EIO, "%zu things could not be removed", swept.failed);
	return stores;
}
