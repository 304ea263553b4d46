/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent deploy check`: which file serves each stage of an app, and what is wrong before a deploy finds out.
 */
#ifndef AGENT_DEPLOY_CHECK_H
#define AGENT_DEPLOY_CHECK_H

#include <jansson.h>

#include "agent/deploy_config.h"
#include "base/err.h"

struct deploy_check {
	const struct deploy_app *app;
	const char *hooks_dir; /* overrides; NULL: none */
	const char *shipped_hooks;
	const char *state_dir;
	const char *path; /* where programs are looked for, as in PATH; NULL: that of hooks */
	const char *root; /* before the folders of systemd; NULL: "" */
};

/* An array of {"stage","role","name","path","override","problem","note"}, in the order of the stages, new reference; drivers have one row
 * each (without a hook: "name" and "path" are null, nothing is done), gates and observers one for each of their files.
 * "problem" is null or says what is wrong and what helps: of the file, of programs that a shipped hook needs, of
 * secrets that are missing: with one a deploy fails. "note" is null or what the options leave open. Reads files and blocks as long. */
int deploy_check(const struct deploy_check *c, json_t **out, struct err *e);

#endif
