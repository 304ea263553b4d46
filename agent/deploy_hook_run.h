/* SPDX-License-Identifier: Apache-2.0
 *
 * One hook as processes on the loop: its environment, its document, its secrets, its folder, its cgroup where there is a delegated
 * one; what it prints goes to the log as it comes. It is over when all its processes have ended: at its deadline, or
 * when it is stopped, they get TERM and DEPLOY_HOOK_GRACE_MS later KILL; what a hook that has ended leaves behind gets the same.
 */
#ifndef AGENT_DEPLOY_HOOK_RUN_H
#define AGENT_DEPLOY_HOOK_RUN_H

#include "agent/deploy_cgroup.h"
#include "agent/deploy_hook_folder.h"
#include "base/loop.h"
#include "deploy-hooks/deploy_log.h"
#include "deploy-hooks/hook.h"

enum {
	DEPLOY_HOOK_GRACE_MS = 10 * 1000,
	DEPLOY_HOOK_WHY_SIZE = 256,
};

/* Of the names of their cgroups. */
#define DEPLOY_HOOK_CGROUP_PREFIX "hook-"

struct deploy_hook_run;

struct deploy_hook_outcome {
	enum hook_verdict verdict;
	int status; /* of waitpid(2) */
	bool timed_out, stopped;
	/* "exit status 3", "not done after 30s", "ran out of memory (2.0 GiB)"; "" when it is done */
	char why[DEPLOY_HOOK_WHY_SIZE];
	const char *
		results; /* what it wrote to DEPLOY_OUTPUT, for hook_results(); NUL-terminated; valid during the callback */
	size_t results_len;
	size_t left_behind; /* processes that were there when it had ended */
	int64_t duration_ms;
};

/* Once, from the loop; the handle is gone after it. */
typedef void (*deploy_hook_done_fn)(void *user, const struct deploy_hook_outcome *o);

struct deploy_hook_run_options {
	const char *path; /* of a struct hook_file without a problem */
	/* All but output, credentials and deadline_s, which are set here. A NULL workdir: it starts in its own folder. */
	struct hook_call call;
	const struct deploy *previous; /* for the document; NULL: none */
	const struct deploy_secret *secrets; /* masked in the log */
	size_t n_secrets;
	const char *runtime_dir; /* such as /run/agent */
	const char *cgroup; /* delegated, below which its own is made; NULL: none */
	struct deploy_cgroup_limits limits;
	int64_t deadline_ms; /* 0: that of the stage */
	int64_t grace_ms; /* 0: DEPLOY_HOOK_GRACE_MS */
	struct deploy_log *log; /* borrowed until the end */
	deploy_hook_done_fn done;
	void *user;
};

/* What is pointed to is needed during the call only, but for the log. */
int deploy_hook_run_start(struct loop *l, const struct deploy_hook_run_options *o,
	struct deploy_hook_run **out, struct err *e);
/* It is cancelled: TERM, and KILL after the grace. `done` is called when it is over. */
void deploy_hook_run_stop(struct deploy_hook_run *h);
/* Kills all it can and frees, without calling `done`. NULL is fine. */
void deploy_hook_run_abandon(struct deploy_hook_run *h);

/* At the start of the agent: ends what hooks of one that is gone left running, and removes their folders and cgroups. 1: some
 * are still ending, call again in a while; 0: nothing is left. */
int deploy_hook_run_sweep(const char *runtime_dir, const char *cgroup);

#endif
