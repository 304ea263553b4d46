/* SPDX-License-Identifier: Apache-2.0
 *
 * A worker from its order to the result line.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/order.h"
#include "backup/pause.h"
#include "backup/run.h"
#include "backup/stop.h"
#include "base/clock.h"

/* Alphabetical. */
static const struct {
	const char *what;
	int (*run)(struct run *r, struct err *e);
	bool needs_job;
} runs[] = {
	{"backup", run_backup, true},
	{"check", run_check, false},
	{"drill", run_drill, true},
	{"list", run_list, true},
	{"prune", run_prune, true},
	{"restore", run_restore, true},
	{"sweep", run_sweep, false},
	{"verify", run_verify, true},
};

static int prepare(struct run *r, struct err *e)
{
	int result;

	buf_init(&r->password, RUN_SECRET_MAX);
	r->started_ms = clock_wall_ms();
	r->buffer = malloc(RUN_PIECE_BYTES);
	r->result = json_object();
	if (!r->buffer || !r->result)
		abort();
	result = net_new(&r->net, e);
	if (result == 0 && r->job)
		result = throttle_new(r->job->bandwidth_bytes, r->net, &r->throttle, e);
	return result;
}

static void tell(void *user, const char *text)
{
	report_warning(user, "%s", text);
}

/* What a killed worker left running would go on for ever, and what it left paused never. */
static void sweep_place(struct run *r)
{
	size_t ended, left;

	pause_sweep(r->o->state, tell, r->report);

	place_sweep(r->o->state, &ended, &left);
	if (ended)
		report_warning(r->report,
			"%zu processes that a killed worker had left running were "
			"ended",
			ended);
	if (left)
		report_warning(r->report,
			"%zu processes that a killed worker had left running could "
			"not be ended",
			left);
}

static int dispatch(struct run *r, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
		if (strcmp(runs[i].what, r->o->what) != 0)
			continue;
		if (runs[i].needs_job && !r->job)
			return err_set(e, EINVAL, "the order has no job");
		return runs[i].run(r, e);
	}
	return err_set(e, EINVAL, "there is nothing called \"%s\" to do", r->o->what);
}

static void say_result(struct run *r, int result, const struct err *e)
{
	const char *code = r->code ? r->code : result == -ECANCELED ? "cancelled" : "";
	json_t *line = json_pack("{s:b, s:s, s:o, s:I}", "ok", result == 0, "code", code, "error",
		report_text(result < 0 ? e->msg : ""), "duration_ms",
		(json_int_t)(clock_wall_ms() - r->started_ms));

	if (*r->id)
		json_object_set_new(line, "id", json_string(r->id));
	json_object_update(line, r->result);
	report_line(r->report, "result", line);
}

int worker_run(const struct order *o, const struct worker_options *w, int report_fd)
{
	struct run r = {.o = o, .job = o->job, .w = w, .lock = -1};
	struct err e = {""};
	int result;

	stop_install();
	r.report = report_new(report_fd);
	result = prepare(&r, &e);
	if (result == 0) {
		sweep_place(&r);
		result = dispatch(&r, &e);
	}
	if (r.place && place_left_running(r.place))
		report_warning(r.report, "%s", place_left_running(r.place));
	say_result(&r, result, &e);
	report_free(r.report);
	r.report = NULL;
	run_done(&r);
	return result == 0 ? 0 : 1;
}

int worker_refuse(const struct err *why, int report_fd)
{
	struct run r = {.report = report_new(report_fd),
		.result = json_object(),
		.started_ms = clock_wall_ms()};

	say_result(&r, -EINVAL, why);
	report_free(r.report);
	json_decref(r.result);
	return 1;
}
