/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/machine_path.h"

#include <string.h>

enum {
	BUILT = MACHINE_OF_NEW,
	FETCHED = MACHINE_OF_NEW | MACHINE_OF_SOURCE,
	BESIDE = MACHINE_OF_START_FIRST,
	INSTEAD = MACHINE_OF_RECREATE,
	OLD = MACHINE_OF_OLD,
};

/* Gates stand before what they can still prevent: pre-start before the old version is stopped, pre-route while the new one
 * can be removed without anybody noticing. */
static const struct machine_stop path[] = {
	{DEPLOY_FETCHING, "fetch", "apply", FETCHED | MACHINE_SKIP_ENDS},
	{DEPLOY_FETCHING, "filter", "apply", BUILT | MACHINE_SKIP_ENDS},
	{DEPLOY_BUILDING, "pre-build", "apply", BUILT},
	{DEPLOY_BUILDING, "build", "apply", BUILT | MACHINE_SKIP_ENDS},
	{DEPLOY_PUSHING, "push", "apply", BUILT},
	{DEPLOY_RELEASING, "release", "apply", BUILT},
	{DEPLOY_RELEASING, "pre-start", "apply", 0},
	{DEPLOY_STOPPING, "stop", "apply", INSTEAD | OLD},
	{DEPLOY_STARTING, "start", "apply", MACHINE_SKIP_ENDS},
	{DEPLOY_PROBING, "probe", "apply", 0},
	{DEPLOY_PROBING, "pre-route", "apply", 0},
	{DEPLOY_ROUTING, "route", "apply", 0},
	{DEPLOY_WATCHING, "watch", NULL, 0},
	{DEPLOY_DRAINING, "drain", NULL, BESIDE | OLD},
	{DEPLOY_DRAINING, "stop", "apply", BESIDE | OLD},
	{DEPLOY_DRAINING, "retire", "apply", 0},

	{DEPLOY_REMOVING, "start", "revert", 0},

	/* The old version runs before it gets requests; the new one keeps them until then. */
	{DEPLOY_RETURNING, "stop", "revert", BESIDE | OLD | MACHINE_VITAL},
	{DEPLOY_RETURNING, "route", "revert", BESIDE | MACHINE_VITAL},
	{DEPLOY_RETURNING, "start", "revert", BESIDE},
	/* The new version gives its ports and volumes back first. */
	{DEPLOY_RETURNING, "start", "revert", INSTEAD},
	{DEPLOY_RETURNING, "stop", "revert", INSTEAD | OLD | MACHINE_VITAL},
	{DEPLOY_RETURNING, "route", "revert", INSTEAD | MACHINE_VITAL},
};

static bool applies(const struct machine_stop *m, const struct deploy *d)
{
	if (m->flags & MACHINE_OF_SOURCE && !*d->ref && !*d->commit)
		return false;
	if (m->flags & MACHINE_OF_NEW && d->rollback_of)
		return false;
	if (m->flags & MACHINE_OF_OLD && !deploy_has_old(d))
		return false;
	if (m->flags & MACHINE_OF_START_FIRST && d->strategy != DEPLOY_START_FIRST)
		return false;
	return !(m->flags & MACHINE_OF_RECREATE) || d->strategy == DEPLOY_RECREATE;
}

static bool is_forward(enum deploy_state s)
{
	return s != DEPLOY_REMOVING && s != DEPLOY_RETURNING;
}

const struct machine_stop *machine_path_enter(const struct deploy *d, enum deploy_state s)
{
	for (size_t i = 0; i < ARRAY_LEN(path); i++)
		if (path[i].state >= s && is_forward(path[i].state) == is_forward(s) &&
			applies(&path[i], d))
			return &path[i];
	return NULL;
}

const struct machine_stop *machine_path_find(const struct deploy *d)
{
	for (size_t i = 0; i < ARRAY_LEN(path); i++)
		if (path[i].state == d->state && strcmp(path[i].stage, d->stage) == 0 &&
			applies(&path[i], d))
			return &path[i];
	return NULL;
}

const struct machine_stop *machine_path_next(
	const struct deploy *d, const struct machine_stop *from)
{
	for (const struct machine_stop *m = from + 1; m < path + ARRAY_LEN(path); m++) {
		if (is_forward(m->state) != is_forward(from->state))
			return NULL;
		if (!is_forward(m->state) && m->state != from->state)
			return NULL;
		if (applies(m, d))
			return m;
	}
	return NULL;
}
