/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder of one run of a hook: the file for its results, and its secrets, in memory (tmpfs) and for its eyes only.
 */
#ifndef AGENT_DEPLOY_HOOK_FOLDER_H
#define AGENT_DEPLOY_HOOK_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	DEPLOY_SECRET_NAME_MAX = 64, /* [A-Za-z0-9_][A-Za-z0-9_.-]* */
	DEPLOY_SECRET_MAX = 65536, /* bytes of one */
};

struct deploy_secret {
	const char *name; /* of the file */
	const char *value;
};

struct deploy_hook_folder {
	char *path, *output, *credentials; /* owned; no secrets, no folder for them: NULL */
	bool is_on_disk; /* there are secrets, and neither `parent` nor /dev/shm is in memory */
};

/* A folder of its own in `parent`, which is made; in /dev/shm when that is no tmpfs and there are secrets. */
int deploy_hook_folder_make(const char *parent, const struct deploy_secret *secrets, size_t n,
	struct deploy_hook_folder *out, struct err *e);
/* What the hook wrote. -EBADMSG: that is no file any more, or more than out->max. */
int deploy_hook_folder_results(const struct deploy_hook_folder *f, struct buf *out, struct err *e);
/* Removes it with all that is in it. Fine on a zeroed one. */
void deploy_hook_folder_remove(struct deploy_hook_folder *f);

/* Calls fn for each folder that an agent left behind which is gone, and removes it when fn returns true. For the start,
 * when none are in use. */
typedef bool (*deploy_hook_folder_fn)(void *user, const char *path);
void deploy_hook_folder_sweep(const char *parent, deploy_hook_folder_fn fn, void *user);

#endif
