/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/deploy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static const char *const state_names[DEPLOY_STATES] = {
	[DEPLOY_QUEUED] = "queued",
	[DEPLOY_FETCHING] = "fetching",
	[DEPLOY_BUILDING] = "building",
	[DEPLOY_PUSHING] = "pushing",
	[DEPLOY_RELEASING] = "releasing",
	[DEPLOY_STOPPING] = "stopping",
	[DEPLOY_STARTING] = "starting",
	[DEPLOY_PROBING] = "probing",
	[DEPLOY_ROUTING] = "routing",
	[DEPLOY_WATCHING] = "watching",
	[DEPLOY_DRAINING] = "draining",
	[DEPLOY_REMOVING] = "removing",
	[DEPLOY_RETURNING] = "returning",
	[DEPLOY_DONE] = "done",
	[DEPLOY_FAILED] = "failed",
	[DEPLOY_ROLLED_BACK] = "rolled_back",
	[DEPLOY_BROKEN] = "broken",
	[DEPLOY_SKIPPED] = "skipped",
	[DEPLOY_SUPERSEDED] = "superseded",
	[DEPLOY_CANCELLED] = "cancelled",
};

static const char *const strategy_names[DEPLOY_STRATEGIES] = {
	[DEPLOY_START_FIRST] = "start-first",
	[DEPLOY_RECREATE] = "recreate",
};

const char *deploy_state_name(enum deploy_state s)
{
	return state_names[s];
}

const char *deploy_strategy_name(enum deploy_strategy s)
{
	return strategy_names[s];
}

static int find(const char *const *names, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -ENOENT;
}

int deploy_state_find(const char *name, enum deploy_state *out)
{
	int i = find(state_names, DEPLOY_STATES, name);

	if (i < 0)
		return i;
	*out = (enum deploy_state)i;
	return 0;
}

int deploy_strategy_find(const char *name, enum deploy_strategy *out)
{
	int i = find(strategy_names, DEPLOY_STRATEGIES, name);

	if (i < 0)
		return i;
	*out = (enum deploy_strategy)i;
	return 0;
}

bool deploy_state_is_end(enum deploy_state s)
{
	return s >= DEPLOY_DONE;
}

bool deploy_state_is_good(enum deploy_state s)
{
	return s == DEPLOY_DONE || s == DEPLOY_SKIPPED;
}

bool deploy_state_touches(enum deploy_state s, enum deploy_strategy strategy)
{
	switch (s) {
	case DEPLOY_STOPPING:
	case DEPLOY_ROUTING:
	case DEPLOY_WATCHING:
	case DEPLOY_DRAINING:
	case DEPLOY_RETURNING:
		return true;
	case DEPLOY_STARTING:
	case DEPLOY_PROBING:
		return strategy == DEPLOY_RECREATE;
	default:
		return false;
	}
}

struct deploy *deploy_new(const char *app)
{
	struct deploy *d = calloc(1, sizeof(*d));

	if (!d)
		abort();
	str_copy(d->app, sizeof(d->app), app);
	d->downtime_ms = -1;
	d->stages = json_array();
	return d;
}

void deploy_free(struct deploy *d)
{
	if (!d)
		return;
	json_decref(d->stages);
	json_decref(d->document);
	free(d);
}

bool deploy_has_old(const struct deploy *d)
{
	const struct deploy_version *v = &d->old;

	return *v->image || *v->digest || *v->container || *v->address;
}

void deploy_end(struct deploy *d, enum deploy_state end, int64_t now_ms)
{
	d->state = end;
	d->ended_ms = now_ms;
	d->deadline_ms = 0;
	d->attempt = 0;
	*d->stage = '\0';
}
