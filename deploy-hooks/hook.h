/* SPDX-License-Identifier: Apache-2.0
 *
 * Hook scripts: which file serves a stage, what is wrong with it, what it is given, what its answer means. The
 * contract is in README.md.
 */
#ifndef DEPLOY_HOOKS_HOOK_H
#define DEPLOY_HOOKS_HOOK_H

#include "base/buf.h"
#include "deploy-hooks/deploy.h"
#include "deploy-hooks/recovery.h"

/* One row a stage (hook_stages.c): drivers have one hook, gates and observers run all in the folder. A gate that fails
 * ends the deploy as a driver would; what observers say changes nothing. */
struct hook_stage {
	const char *name; /* "build" */
	enum hook_role { HOOK_DRIVER, HOOK_GATE, HOOK_OBSERVER } role;
	enum deploy_state state; /* in which it usually runs */
	int64_t deadline_ms; /* unless the app says otherwise */
	bool low_priority; /* in the build's cgroup, niced, idle I/O */
	const char *results; /* keys `apply` and `revert` may set, by spaces */
	const char *doc;
};
extern const struct hook_stage hook_stages[]; /* in the order they run, ended by a NULL name */
const struct hook_stage *hook_stage_find(const char *name); /* NULL: none */

struct hook_file {
	char *path; /* owned; NULL: none */
	char *problem; /* owned; NULL: nothing is wrong. "…/build/nix is not executable: chmod +x …" */
	bool is_override; /* not one that was shipped */
};
void hook_file_done(struct hook_file *f);
/* `folders` in order of preference, the last one those that were shipped, ended by NULL; one that is not there is passed
 * over. Regular, executable, of root or the agent's user, writable by nobody else, nor the folders it is in, no link that
 * leaves its folder of `folders`, a name of [a-z0-9-], a program or a script with its interpreter. What is there and is
 * not so is a problem, not silence, and nothing behind it is looked for. */
void hook_find(
	const char *const *folders, const char *stage, const char *name, struct hook_file *out);

enum { HOOK_LIST_MAX = 64 };
/* All of a gate or an observer: each name once, in the order of their bytes. Names that start with a dot or end in ~,
 * .bak, .sample, .orig, .dpkg-* or .rpm* are none; another that is not of [a-z0-9-] is a problem. */
struct hook_list {
	struct hook_file *files; /* owned */
	size_t n;
};
void hook_list_done(struct hook_list *l);
/* -E2BIG: more than HOOK_LIST_MAX; another: a folder cannot be read. */
int hook_find_all(
	const char *const *folders, const char *stage, struct hook_list *out, struct err *e);

struct hook_call {
	const struct deploy *deploy;
	const struct hook_stage *stage;
	const char *verb; /* "apply", "revert", "status" */
	const char *workdir, *cache, *output, *credentials;
	const char *hooks; /* folder of those that were shipped, with lib/ in it */
	const char *state; /* a folder of all apps */
	const char *
		keep; /* versions the journal still needs, by spaces, for retire; NULL: not known */
	int64_t deadline_s; /* wall */
	const json_t *options; /* of the app: object of texts, numbers, lists of texts */
	bool dry_run;
};
/* "K=V" strings and a NULL; owned by the caller: hook_env_free(). All variables of README.md are there, without a value
 * where none is known. PATH, HOME and TZ are those of this process. A list is one item a line; DEPLOY_REPO is the option
 * `source`. Options of more than HOOK_ENV_MAX bytes are left to the document. */
enum { HOOK_ENV_MAX = 64 * 1024 };
char **hook_env(const struct hook_call *c);
void hook_env_free(char **env);
/* The document on stdin; a new reference. `deploy->document` is {"commits":[...],"files":[...],"files_truncated":bool}:
 * at most 200 and 5000 are handed on, of files at most 3 MiB. */
json_t *hook_document(const struct hook_call *c, const struct deploy *previous);

enum { HOOK_OUTPUT_MAX = 64 * 1024, HOOK_TEMPORARY = 75, HOOK_NOTHING = 77 };
/* Takes the lines `key=value` into `d`: image, digest, container, address of the new version, commit, author, subject,
 * downtime_ms. Keys the stage may not set, values that are none, control characters, more than HOOK_OUTPUT_MAX:
 * -EBADMSG, and `d` is as it was. The last of a key counts; empty lines and those that start with # do not. */
int hook_results(
	const struct hook_stage *s, const char *text, size_t n, struct deploy *d, struct err *e);
/* What the verb `status` of a hook said: the line `serves=old`, `new`, `neither` or `unknown`; RECOVERY_UNKNOWN without
 * one. -EBADMSG. */
int hook_status(const char *text, size_t n, enum recovery_seen *out, struct err *e);

enum hook_verdict { HOOK_DONE, HOOK_AGAIN, HOOK_SKIP, HOOK_FAILED };
/* `status` of waitpid(2). How often it is tried again is for machine.h to say. */
enum hook_verdict hook_judge(int status, bool timed_out);

#endif
