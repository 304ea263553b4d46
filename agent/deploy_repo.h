/* SPDX-License-Identifier: Apache-2.0
 *
 * The repository of an app to push to: bare, below the state folder, with a hook (hooks/repository/proc-receive) that deploys
 * what is pushed before the branch moves.
 */
#ifndef AGENT_DEPLOY_REPO_H
#define AGENT_DEPLOY_REPO_H

#include <stdbool.h>

#include "base/err.h"

struct deploy_repo {
	const char *path; /* absolute */
	const char *app, *branch;
	const char *program, *state_dir; /* whom the hook calls; absolute */
	const char *hooks; /* the folder of those that ship */
};

/* Makes it, or makes it again as it should be: what was pushed stays. *made: it was not there. Blocks while git runs. */
int deploy_repo_make(const struct deploy_repo *r, bool *made, struct err *e);

#endif
