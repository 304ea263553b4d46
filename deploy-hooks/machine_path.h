/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a deploy as a table: each hook in its order, and when it is left out. Inside of machine.c; there are three ways:
 * forward, removing, returning.
 */
#ifndef DEPLOY_HOOKS_MACHINE_PATH_H
#define DEPLOY_HOOKS_MACHINE_PATH_H

#include "deploy-hooks/deploy.h"

enum machine_flag {
	/* Only of deploys that ... */
	MACHINE_OF_SOURCE = 1 << 0, /* have a ref, not an image */
	MACHINE_OF_NEW = 1 << 1, /* are no rollback */
	MACHINE_OF_OLD = 1 << 2, /* replace a version */
	MACHINE_OF_START_FIRST = 1 << 3,
	MACHINE_OF_RECREATE = 1 << 4,
	/* What comes of it. */
	MACHINE_SKIP_ENDS = 1 << 5, /* nothing to do: nothing to deploy */
	MACHINE_VITAL = 1 << 6, /* without it the old version does not serve */
};

struct machine_stop {
	enum deploy_state state;
	const char *stage, *verb; /* verb NULL: nothing is run, it is a time to wait */
	unsigned flags;
};

/* The first one from the start of the state on; never NULL for states that are under way. */
const struct machine_stop *machine_path_enter(const struct deploy *d, enum deploy_state s);
/* Where the deploy is: its state and stage. NULL: nowhere on the way. */
const struct machine_stop *machine_path_find(const struct deploy *d);
/* NULL: the end of this way. */
const struct machine_stop *machine_path_next(
	const struct deploy *d, const struct machine_stop *from);

#endif
