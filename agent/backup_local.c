/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/backup_local.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "agent/backup_order.h"
#include "base/child.h"
#include "base/fs.h"
#include "base/str.h"

struct waiting {
	const struct backup_local_run *run;
	struct backup_worker *worker;
	json_t *result;
	char why[600]; /* there is no result */
	bool over;
};

static void print_mistakes(struct mistakes *m)
{
	for (size_t i = 0; i < m->n; i++)
		(void)fprintf(stderr, "%s\n", m->list[i]);
	mistakes_done(m);
}

int backup_local_open(const struct command_call *c, struct backup_local *out)
{
	_cleanup_(free_p) char *state = command_state_dir(c);
	struct mistakes m = {NULL, 0, 0};
	int r;

	*out = (struct backup_local){.state = fs_absolute(state)};
	r = config_load(c->flags[FLAG_CONFIG], NULL, 0, &out->config, &m);
	if (r == 0)
		r = backup_config_new(out->config, out->state, &out->backups, &m);
	print_mistakes(&m);
	if (r < 0) {
		backup_local_done(out);
		return COMMAND_FAILED;
	}
	if (config_is_set(out->config, "timezone")) {
		(void)setenv("TZ", config_string(out->config, "timezone"), 1);
		tzset();
	}
	return 0;
}

void backup_local_done(struct backup_local *l)
{
	backup_config_free(l->backups);
	config_free(l->config);
	free(l->state);
	*l = (struct backup_local){NULL, NULL, NULL};
}

static void on_says(void *user, json_t *says)
{
	const struct waiting *w = user;

	if (w->run->says)
		w->run->says(w->run->user, says);
}

static void on_done(void *user, const struct backup_outcome *o)
{
	struct waiting *w = user;
	char how[64];

	w->worker = NULL;
	w->over = true;
	w->result = json_incref((json_t *)(uintptr_t)o->result);
	child_describe(how, sizeof(how), o->status);
	(void)snprintf(w->why, sizeof(w->why), "the worker ended early (%s)%s%.400s", how,
		*o->output ? ": " : "", o->output);
}

static void on_signal(void *user, int signo)
{
	struct waiting *w = user;

	(void)signo;
	if (w->worker)
		backup_worker_stop(w->worker);
}

static int wait_for(struct loop *l, struct waiting *w, struct err *e)
{
	int r = 0;

	loop_on_signal(l, on_signal, w);
	while (!w->over && r == 0)
		r = loop_turn(l, -1, e);
	backup_worker_abandon(w->worker);
	return r;
}

int backup_local_run(
	struct backup_local *l, const struct backup_local_run *r, json_t **result, struct err *e)
{
	_cleanup_(loop_free_p) struct loop *loop = NULL;
	const struct backup_order_options o = {.what = r->what,
		.job = r->job,
		.store = r->store,
		.state_dir = l->state,
		.restore = r->restore};
	struct waiting w = {.run = r};
	struct backup_worker_options with = {
		.inherit_output = r->inherit_output, .says = on_says, .done = on_done, .user = &w};
	json_t *order;
	int n = backup_order_new(l->backups, &o, &order, e);

	if (n < 0)
		return n;
	with.order = order;
	n = loop_new(&loop, e);
	if (n == 0)
		n = backup_worker_start(loop, &with, &w.worker, e);
	json_decref(order);
	if (n == 0)
		n = wait_for(loop, &w, e);
	if (n == 0 && !w.result)
		n = err_set(e, EIO, "%s", w.why);
	*result = w.result;
	return n;
}
