/* SPDX-License-Identifier: Apache-2.0
 *
 * The variables of an app that are nobody's business, `agent deploy env`: STATE/deploys/APP/env, mode 0600, NAME=value one a
 * line, replaced as a whole. They are given to what runs the app as a file, never as an argument, and never shown again.
 */
#ifndef AGENT_DEPLOY_ENV_H
#define AGENT_DEPLOY_ENV_H

#include <jansson.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"

enum {
	DEPLOY_ENV_MAX = 64 * 1024 - 1, /* bytes of the file: it has to fit into a deploy_secret */
	DEPLOY_ENV_VALUE_MAX = 32 * 1024, /* bytes of one value */
	DEPLOY_ENV_NAME_MAX = 58, /* bytes of a name: build-NAME is the name of a secret */
	DEPLOY_ENV_COUNT_MAX = 256,
};

struct deploy_variable {
	char *name, *value; /* owned */
};

/* In the order of their names. All memory that held values is wiped before it is freed. */
struct deploy_env {
	struct deploy_variable *list;
	size_t n;
};
void deploy_env_done(struct deploy_env *env); /* fine on a zeroed one */

/* An app without any has an empty one. -EBADMSG: the file is none of ours; -EPERM: others can read it. */
int deploy_env_load(const char *state_dir, const char *app, struct deploy_env *out, struct err *e);
/* Durable when it returns 0. */
int deploy_env_store(
	const char *state_dir, const char *app, const struct deploy_env *env, struct err *e);
/* -EINVAL: no name of a variable, a line end or control character in the value, or the file would be too large. */
int deploy_env_set(struct deploy_env *env, const char *name, const char *value, struct err *e);
/* -ENOENT names the nearest. */
int deploy_env_unset(struct deploy_env *env, const char *name, struct err *e);
const char *deploy_env_get(const struct deploy_env *env, const char *name); /* NULL: not set */

/* What the control operation does: sets (an object of texts, NULL: none), then unsets (an array of names, NULL: none), all or
 * nothing. *names is a new reference, an array of those there are then. The app is one of the configuration: it is
 * part of a path. */
int deploy_env_change(const char *state_dir, const char *app, const json_t *set,
	const json_t *unset, json_t **names, struct err *e);

#endif
