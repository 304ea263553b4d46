/* SPDX-License-Identifier: Apache-2.0
 *
 * Workers that take little: reading catalogues, and sweeping what runs that were killed have left in the stores.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/backups_internal.h"
#include "agent/json_view.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

enum {
	LIST_DEADLINE_MS = 110 * 1000, /* a little less than the web process waits */
	SWEEP_DEADLINE_MS = 30 * 60 * 1000,
};

static json_t *catalogue_of(json_t *list, json_t *errors, int64_t time_ms)
{
	return json_pack("{s:O, s:I, s:O}", "backups", list, "time_ms", (json_int_t)time_ms,
		"errors", errors);
}

static void add_error(struct backups_reading *g, const char *store, const char *error)
{
	(void)json_array_append_new(
		g->errors, json_pack("{s:s, s:s}", "store", store, "error", error));
}

static void on_says(void *user, json_t *says)
{
	struct backups_reading *g = user;
	const char *store = json_view_text(says, "store"),
		   *why = json_view_text(says, "broken_why");
	json_t *list = json_object_get(says, "backups"), *one;
	size_t i;

	if (strcmp(json_view_text(says, "type"), "catalogue") != 0)
		return;
	json_array_foreach(list, i, one)
	{
		(void)json_object_set_new(one, "store", json_string(store));
		(void)json_array_append(g->backups_list, one);
	}
	if (*why)
		add_error(g, store, why);
}

static int newer(const void *a, const void *b)
{
	json_int_t x = json_view_int(*(json_t *const *)a, "started_ms");
	json_int_t y = json_view_int(*(json_t *const *)b, "started_ms");

	return (x < y) - (x > y);
}

/* Newest first over all stores. New reference. */
static json_t *sorted(const json_t *list)
{
	size_t n = json_array_size(list);
	json_t **all = calloc(n ? n : 1, sizeof(json_t *)), *out = json_array();

	if (!all)
		abort();
	for (size_t i = 0; i < n; i++)
		all[i] = json_array_get(list, i);
	qsort(all, n, sizeof(*all), newer);
	for (size_t i = 0; i < n; i++)
		(void)json_array_append(out, all[i]);
	free(all);
	return out;
}

static void reading_free(struct backups_reading *g)
{
	struct backups_reading **at = &g->backups->readings;

	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	g->backups->n_readings--;
	backup_worker_abandon(g->worker);
	json_decref(g->backups_list);
	json_decref(g->errors);
	free(g->job);
	free(g);
}

/* The result has a row for each store that could not be read. */
static void take_errors(struct backups_reading *g, const struct backup_outcome *o)
{
	const json_t *stores = json_object_get(o->result, "stores"), *one;
	size_t i, n = json_array_size(g->errors);

	json_array_foreach(stores, i, one) if (!json_is_true(json_object_get(one, "ok")))
		add_error(g, json_view_text(one, "name"), json_view_text(one, "error"));
	if (json_array_size(g->errors) > n || json_is_true(json_object_get(o->result, "ok")))
		return;
	add_error(g, "",
		o->timed_out ? "the stores did not answer in time"
		: o->result  ? json_view_text(o->result, "error")
			     : "the worker ended early");
}

static void on_read(void *user, const struct backup_outcome *o)
{
	struct backups_reading *g = user;
	json_t *list = sorted(g->backups_list), *catalogue;

	g->worker = NULL;
	take_errors(g, o);
	catalogue = catalogue_of(list, g->errors, clock_wall_ms());
	/* What was read before is better than nothing. */
	if (json_array_size(list) || !json_array_size(g->errors))
		(void)json_object_set(g->backups->catalogues, g->job, catalogue);
	if (g->done)
		g->done(g->user, catalogue);
	json_decref(catalogue);
	json_decref(list);
	reading_free(g);
}

static int start_worker(struct backups *b, const struct backup_order_options *o,
	const struct backup_worker_options *w, struct backup_worker **out, struct err *e)
{
	struct backup_worker_options with = *w;
	json_t *order;
	int r = backup_order_new(b->config, o, &order, e);

	if (r < 0)
		return r;
	with.order = order;
	with.argv = b->o.worker_argv;
	r = backup_worker_start(b->o.loop, &with, out, e);
	json_decref(order);
	return r;
}

int backups_refresh(
	struct backups *b, const char *job, backups_list_fn done, void *user, struct err *e)
{
	const struct backup_job *j;
	struct backup_order_options o = {.what = "list", .state_dir = b->o.state_dir};
	struct backup_worker_options w = {
		.deadline_ms = LIST_DEADLINE_MS, .polite = !done, .says = on_says, .done = on_read};
	struct backups_reading *g;
	int r = backup_config_find(b->config, job, &j, e);

	if (r < 0)
		return r;
	if (b->n_readings >= BACKUPS_LISTS_MAX)
		return err_set(e, EAGAIN, "the stores are being asked already");
	g = calloc(1, sizeof(*g));
	if (!g)
		abort();
	*g = (struct backups_reading){.backups = b,
		.job = str_dup(job),
		.backups_list = json_array(),
		.errors = json_array(),
		.done = done,
		.user = user,
		.next = b->readings};
	b->readings = g;
	b->n_readings++;
	o.job = j;
	w.user = g;
	r = start_worker(b, &o, &w, &g->worker, e);
	if (r < 0)
		reading_free(g);
	return r;
}

/* For pages: the next one who looks sees it. */
void backups_read_again(struct backups *b, const char *job)
{
	struct err e;

	if (!b->closing && backups_refresh(b, job, NULL, NULL, &e) < 0)
		log_debug("backups of %s: %s", job, e.msg);
}

void backups_readings_free(struct backups *b)
{
	while (b->readings)
		reading_free(b->readings);
}

int backups_catalogue(struct backups *b, const char *job, json_t **out, struct err *e)
{
	const struct backup_job *j;
	json_t *known = json_object_get(b->catalogues, job);
	int r = backup_config_find(b->config, job, &j, e);

	if (r < 0)
		return r;
	*out = known ? json_incref(known)
		     : json_pack("{s:[], s:i, s:[]}", "backups", "time_ms", 0, "errors");
	return 0;
}

static void on_swept(void *user, const struct backup_outcome *o)
{
	struct backups *b = user;
	const json_t *swept = json_object_get(o->result, "swept");
	json_int_t n = json_view_int(swept, "uploads") + json_view_int(swept, "objects");

	b->sweeper = NULL;
	if (n)
		log_info("backup: %lld unfinished uploads and objects of runs that were "
			 "interrupted are removed",
			(long long)n);
	if (json_is_true(json_object_get(o->result, "ok")))
		problem_clear(b->o.problems, "backup.sweep");
	else
		problem_set(b->o.problems, "backup.sweep",
			"what interrupted backups left in the stores could not be removed: %s",
			o->result ? json_view_text(o->result, "error") : "the worker ended early");
}

void backups_sweep(struct backups *b)
{
	const struct backup_order_options o = {.what = "sweep", .state_dir = b->o.state_dir};
	const struct backup_worker_options w = {
		.deadline_ms = SWEEP_DEADLINE_MS, .polite = true, .done = on_swept, .user = b};
	struct err e;

	if (!b->sweeper && start_worker(b, &o, &w, &b->sweeper, &e) < 0)
		log_error("backup: %s", e.msg);
}
