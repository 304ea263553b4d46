/* SPDX-License-Identifier: Apache-2.0
 *
 * Running children in tests: the loop, what became of the child, shell scripts as children.
 */
#ifndef TESTS_UNIT_CHILD_RUN_H
#define TESTS_UNIT_CHILD_RUN_H

#include <check.h>
#include <string.h>

#include "base/child.h"
#include "tests/unit/scratch.h"
#include "tests/unit/turns.h"

static struct loop *loop;

static struct ended {
	int count;
	int status;
	bool timed_out;
	bool cut;
	size_t len;
	char output[200000];
} ended;

static inline void on_done(void *user, const struct child_result *r)
{
	struct ended *x = user;

	x->count++;
	x->status = r->status;
	x->timed_out = r->timed_out;
	x->cut = r->output_cut;
	x->len = r->output_len;
	ck_assert_uint_lt(r->output_len, sizeof(x->output));
	memcpy(x->output, r->output, r->output_len + 1);
}

static inline void start_loop(void)
{
	scratch_make();
	memset(&ended, 0, sizeof(ended));
	ck_assert_int_eq(loop_new(&loop, NULL), 0);
}

static inline void finish_loop(void)
{
	loop_free(loop);
	scratch_remove();
}

/* Options of a shell script; the test's own shell, not one of the code under test. */
static inline struct child_options script_options(const char *script)
{
	static const char *argv[4];

	argv[0] = "sh";
	argv[1] = "-c";
	argv[2] = script;
	argv[3] = NULL;
	return (struct child_options){.argv = argv, .output_max = 100000, .pass_fd = -1};
}

static inline struct child *start_child(const struct child_options *o)
{
	struct child *c = NULL;
	struct err e = {""};

	ck_assert_msg(child_start(loop, o, on_done, &ended, &c, &e) == 0, "%s", e.msg);
	return c;
}

/* Runs a script to its end. */
static inline void run(const char *script)
{
	struct child_options o = script_options(script);

	(void)start_child(&o);
	TURN_UNTIL(loop, ended.count);
	ck_assert_int_eq(ended.count, 1);
}

#endif
