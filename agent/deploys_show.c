/* SPDX-License-Identifier: Apache-2.0
 *
 * Deploys as JSON (CONTROL.md).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/deploy_check.h"
#include "agent/deploys_internal.h"
#include "agent/json_view.h"
#include "base/str.h"
#include "deploy-hooks/queue.h"

/* What only the present knows of a deploy. */
static void add_present(const struct deploys *s, const struct deploys_work *w, json_t *j)
{
	size_t n;
	_cleanup_(free_p) const struct deploy **open = deploys_open_records(s, &n);
	size_t position = queue_position(open, n, w->d);

	if (position)
		(void)json_object_set_new(j, "position", json_integer((json_int_t)position));
	if (*w->waits_for)
		(void)json_object_set_new(j, "waits_for", json_string(w->waits_for));
}

json_t *deploys_to_json(const struct deploys *s, const struct deploy *d)
{
	json_t *j = deploy_to_json(d);
	const struct deploys_work *w = deploys_find(s, d->id);

	if (w)
		add_present(s, w, j);
	return j;
}

int deploys_get(struct deploys *s, int64_t id, json_t **out, struct err *e)
{
	const struct deploys_work *w = deploys_find(s, id);
	struct deploy *d = NULL;
	int r;

	if (w) {
		*out = deploys_to_json(s, w->d);
		return 0;
	}
	r = deploy_runs_get(s->runs, id, &d, e);
	if (r == -ENOENT)
		return err_set(e, ENOENT, "there is no deploy %lld", (long long)id);
	if (r < 0)
		return r;
	*out = deploy_to_json(d);
	deploy_free(d);
	return 0;
}

int deploys_list(struct deploys *s, const struct deploy_runs_query *q, json_t **out, struct err *e)
{
	int r = deploy_runs_list(s->runs, q, out, e);
	size_t i;
	json_t *j;

	if (r < 0)
		return r;
	json_array_foreach(*out, i, j)
	{
		const struct deploys_work *w = deploys_find(s, json_view_int(j, "id"));

		if (w)
			add_present(s, w, j);
	}
	return 0;
}

struct deploy *deploys_serving(struct deploys *s, const char *app)
{
	struct deploy_list done = {NULL, 0};
	struct deploy *d = NULL;

	if (deploy_runs_done(s->runs, app, 1, &done, NULL) == 0 && done.n) {
		d = done.deploys[0];
		done.n = 0;
	}
	free(done.deploys);
	return d;
}

static const char *option_text(const struct deploy_app *a, const char *name)
{
	const char *text = json_string_value(json_object_get(a->options, name));

	return text ? text : "";
}

static void set_text(json_t *j, const char *name, const char *text)
{
	(void)json_object_set_new(j, name, json_string(text ? text : ""));
}

/* The deploy that serves, and whether there is one before it. */
static void add_serves(struct deploys *s, const struct deploy_app *a, json_t *j)
{
	struct deploy_list done = {NULL, 0};
	bool before = false;

	if (deploy_runs_done(s->runs, a->name, DEPLOY_RUNS_DONE_KEPT, &done, NULL) < 0)
		return;
	for (size_t i = 1; i < done.n; i++)
		before |= !done.deploys[i]->rollback_of;
	if (done.n)
		(void)json_object_set_new(j, "serves", deploy_to_json(done.deploys[0]));
	(void)json_object_set_new(j, "can_rollback", json_boolean(before));
	deploy_list_done(&done);
}

/* The one under way, else the one that waits. */
static void add_current(struct deploys *s, const struct deploy_app *a, json_t *j)
{
	const struct deploys_work *found = NULL;

	for (const struct deploys_work *w = s->works; w; w = w->next)
		if (strcmp(w->d->app, a->name) == 0 && !deploy_state_is_end(w->d->state) &&
			(!found || found->d->state == DEPLOY_QUEUED))
			found = w;
	if (found)
		(void)json_object_set_new(j, "current", deploys_to_json(s, found->d));
}

static void add_last(struct deploys *s, const struct deploy_app *a, json_t *j)
{
	const struct deploy_runs_query q = {.app = a->name, .limit = 20};
	json_t *list, *one;
	size_t i;

	if (deploy_runs_list(s->runs, &q, &list, NULL) < 0)
		return;
	json_array_foreach(list, i, one)
	{
		enum deploy_state state;

		if (deploy_state_find(json_view_text(one, "state"), &state) == 0 &&
			deploy_state_is_end(state)) {
			(void)json_object_set(j, "last", one);
			break;
		}
	}
	json_decref(list);
}

static json_t *app_to_json(struct deploys *s, const struct deploy_app *a)
{
	json_t *j = json_object();

	set_text(j, "name", a->name);
	set_text(j, "origin", a->origin);
	set_text(j, "source", a->source);
	(void)json_object_set_new(j, "pushed", json_boolean(a->is_pushed));
	set_text(j, "branch", a->branch);
	set_text(j, "build", a->drivers[DEPLOY_APP_BUILD]);
	set_text(j, "swap", a->drivers[DEPLOY_APP_SWAP]);
	set_text(j, "route", a->drivers[DEPLOY_APP_ROUTE]);
	set_text(j, "domain", option_text(a, "domain"));
	set_text(j, "strategy", deploy_strategy_name(a->strategy));
	set_text(j, "webhook", a->webhook.provider ? a->webhook.provider->name : "");
	add_serves(s, a, j);
	add_current(s, a, j);
	add_last(s, a, j);
	return j;
}

json_t *deploys_apps(struct deploys *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->config->n_apps; i++)
		(void)json_array_append_new(list, app_to_json(s, &s->config->apps[i]));
	return list;
}

int deploys_check(struct deploys *s, const char *app, json_t **out, struct err *e)
{
	struct deploy_check c = {.hooks_dir = s->config->hooks_dir,
		.shipped_hooks = s->o.shipped_hooks,
		.state_dir = s->o.state_dir};
	int r = deploy_config_find(s->config, app, &c.app, e);

	return r < 0 ? r : deploy_check(&c, out, e);
}
