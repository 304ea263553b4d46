/* SPDX-License-Identifier: Apache-2.0
 *
 * Running hooks in tests: scripts in a scratch folder, what became of them, what is in their log.
 */
#ifndef TESTS_UNIT_HOOK_RUN_CASE_H
#define TESTS_UNIT_HOOK_RUN_CASE_H

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/deploy_hook_run.h"
#include "base/clock.h"
#include "tests/unit/cgroup_case.h"
#include "tests/unit/lives.h"
#include "tests/unit/scratch.h"
#include "tests/unit/turns.h"

static struct loop *loop;
static struct deploy_log *hook_log;
static struct deploy *deploy;
static struct deploy_hook_run_options options;
static struct deploy_hook_run *run;
static struct buf log_text;

static struct ended {
	int count;
	struct deploy_hook_outcome o;
	char results[HOOK_OUTPUT_MAX + 1];
} ended;

static inline void on_done(void *user, const struct deploy_hook_outcome *o)
{
	ck_assert_ptr_eq(user, &ended);
	ended.count++;
	ended.o = *o;
	memcpy(ended.results, o->results, o->results_len + 1);
}

static inline void make(void)
{
	scratch_make();
	cgroup_make();
	memset(&ended, 0, sizeof(ended));
	buf_init(&log_text, 64 << 20);
	ck_assert_int_eq(loop_new(&loop, NULL), 0);
	ck_assert_int_eq(deploy_log_open(scratch_path("log"), &hook_log, NULL), 0);
	deploy = deploy_new("shop");
	deploy->id = 7;
	deploy->attempt = 1;
	options = (struct deploy_hook_run_options){.path = NULL,
		.call = {.deploy = deploy, .stage = hook_stage_find("build"), .verb = "apply"},
		.log = hook_log,
		.deadline_ms = 3600000,
		.grace_ms = 300,
		.done = on_done,
		.user = &ended};
}

static inline void drop(void)
{
	deploy_log_close(hook_log);
	deploy_free(deploy);
	loop_free(loop);
	buf_done(&log_text);
	scratch_remove();
	cgroup_drop();
}

static inline void start(const char *script)
{
	char text[4096];
	struct err e = {""};
	int n = snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", script);

	scratch_write("hook", text, (size_t)n);
	ck_assert_int_eq(chmod(scratch_path("hook"), 0700), 0);
	options.path = scratch_path("hook");
	options.runtime_dir = scratch_path("run");
	ck_assert_msg(deploy_hook_run_start(loop, &options, &run, &e) == 0, "%s", e.msg);
}

/* To its end; its results. */
static inline const char *finish(void)
{
	TURN_UNTIL(loop, ended.count);
	ck_assert_int_eq(ended.count, 1);
	return ended.results;
}

static inline const char *run_hook(const char *script)
{
	start(script);
	return finish();
}

/* The whole log. */
static inline const char *logged(void)
{
	uint64_t next = 0;

	buf_clear(&log_text);
	ck_assert_int_eq(deploy_log_read(scratch_path("log"), 0, &log_text, &next, NULL), 0);
	return buf_str(&log_text);
}

static inline bool has_logged(const char *words)
{
	return strstr(logged(), words) != NULL;
}

/* The number a script wrote into a file. */
static inline int number_in(const char *name)
{
	char text[32] = "";

	if (scratch_has(name))
		(void)scratch_read(name, text, sizeof(text) - 1);
	return (int)strtol(text, NULL, 10);
}

#endif
