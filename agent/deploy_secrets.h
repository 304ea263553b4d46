/* SPDX-License-Identifier: Apache-2.0
 *
 * The secrets a hook is given: of all an app has only those its stage needs.
 *
 *   fetch     deploy-key; git-token, git-user
 *   build     build-NAME of each name in build_secrets; env where compose builds; registry-user, registry-password where an image is
 *             pulled, or a hook of your own builds
 *   push      registry-user, registry-password
 *   release   env
 *   start     env
 */
#ifndef AGENT_DEPLOY_SECRETS_H
#define AGENT_DEPLOY_SECRETS_H

#include <stddef.h>

#include "agent/deploy_config.h"
#include "agent/deploy_hook_folder.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "deploy-hooks/deploy_log.h"

struct deploy_secrets {
	struct deploy_secret *list; /* owned, with its texts */
	size_t n;
};
void deploy_secrets_done(struct deploy_secrets *s); /* wipes; fine on a zeroed one */

/* Reads files, so it can block as long as they do. A file that is missing or that others can read is an error that names the
 * option. -ENOENT: a name in build_secrets is not set, with the command that sets it. */
int deploy_secrets_load(const struct deploy_app *a, const char *state_dir, const char *stage,
	struct deploy_secrets *out, struct err *e);
/* Whatever a hook or the app prints of all its secrets, the values of its variables included, is masked in the log. What
 * cannot be read is passed over: then no hook gets it either. */
void deploy_secrets_hide(const struct deploy_app *a, const char *state_dir, struct deploy_log *log);

#endif
