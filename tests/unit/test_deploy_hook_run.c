/* SPDX-License-Identifier: Apache-2.0
 *
 * Hooks as processes: what they are given, what they leave.
 */
#include "agent/deploy_hook_run.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "agent/deploy_hook_processes.h"
#include "tests/unit/descriptors.h"
#include "tests/unit/effort.h"
#include "tests/unit/hook_run_case.h"

START_TEST(a_hook_gets_its_verb_its_variables_and_its_document)
{
	options.call.workdir = scratch;
	ck_assert_str_eq(
		run_hook("echo \"$#-$1-$DEPLOY_APP-$DEPLOY_STAGE-$CREDENTIALS_DIRECTORY-$(pwd)\"\n"
			 "cat; echo; umask\n"
			 "echo image=shop:$DEPLOY_ID >>\"$DEPLOY_OUTPUT\""),
		"image=shop:7\n");
	ck_assert_int_eq(ended.o.verdict, HOOK_DONE);
	ck_assert_str_eq(ended.o.why, "");
	ck_assert(has_logged("build | 1-apply-shop-build--"));
	ck_assert(has_logged(scratch));
	ck_assert(has_logged("build | {\"v\":1,\"deploy\":{"));
	ck_assert(has_logged("build | 0077\n"));
}
END_TEST

START_TEST(its_end_means_what_the_contract_says)
{
	static const struct {
		const char *script;
		enum hook_verdict verdict;
		const char *why;
	} cases[] = {{"exit 0", HOOK_DONE, ""}, {"exit 77", HOOK_SKIP, ""},
		{"exit 75", HOOK_AGAIN, "exit status 75"}, {"exit 3", HOOK_FAILED, "exit status 3"},
		{"kill -9 $$", HOOK_FAILED, "killed by signal 9 (Killed)"}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ended.count = 0;
		(void)run_hook(cases[i].script);
		ck_assert_int_eq(ended.o.verdict, cases[i].verdict);
		ck_assert_str_eq(ended.o.why, cases[i].why);
	}
}
END_TEST

START_TEST(secrets_are_files_and_nothing_else)
{
	const struct deploy_secret secrets[] = {{"token", "hunter2-secret"}};

	options.secrets = secrets;
	options.n_secrets = 1;
	(void)run_hook(
		"cd \"$CREDENTIALS_DIRECTORY\"; ls -l; cat token; echo; env | grep -c hunter2\n"
		"pwd >\"$DEPLOY_OUTPUT\"; printf folder=; pwd");
	ck_assert(has_logged("-r-------- 1"));
	ck_assert(has_logged("build | ***\n"));
	ck_assert(has_logged("build | 0\n"));
	ck_assert(!has_logged("hunter2"));
	ended.results[strcspn(ended.results, "\n")] = '\0';
	ck_assert_int_lt(access(ended.results, F_OK), 0);
}
END_TEST

START_TEST(output_is_in_the_log_as_it_comes)
{
	ck_assert_int_eq(mkfifo(scratch_path("fifo"), 0600), 0);
	options.call.workdir = scratch;
	start("echo before; read x <fifo; echo after");
	TURN_UNTIL(loop, has_logged("before\n"));
	ck_assert_int_eq(ended.count, 0);
	scratch_write("fifo", "x\n", 2);
	(void)finish();
	ck_assert(has_logged("after\n"));
}
END_TEST

START_TEST(a_hook_that_prints_without_end_does_not_fill_memory_or_disk)
{
	char script[100];
	struct stat st;

	(void)snprintf(script, sizeof(script),
		"head -c %dMB /dev/zero | tr '\\0' x; echo; echo the end", effort(100));
	(void)run_hook(script);
	ck_assert_int_eq(ended.o.verdict, HOOK_DONE);
	ck_assert(has_logged("the end\n"));
	ck_assert(has_logged(" left out ...\n"));
	ck_assert_int_eq(stat(scratch_path("log"), &st), 0);
	ck_assert_int_lt(st.st_blocks * 512, 11 << 20);
}
END_TEST

START_TEST(results_that_are_none_are_a_failure)
{
	(void)run_hook("head -c 70000 /dev/zero >\"$DEPLOY_OUTPUT\"");
	ck_assert_int_eq(ended.o.verdict, HOOK_FAILED);
	ck_assert_ptr_nonnull(strstr(ended.o.why, "65536"));
	ended.count = 0;
	ck_assert_str_eq(run_hook("ln -sf /etc/passwd \"$DEPLOY_OUTPUT\""), "");
	ck_assert_int_eq(ended.o.verdict, HOOK_FAILED);
	/* Of one that failed anyway it is not what people want to hear of. */
	ended.count = 0;
	(void)run_hook("rm \"$DEPLOY_OUTPUT\"; exit 9");
	ck_assert_str_eq(ended.o.why, "exit status 9");
}
END_TEST

START_TEST(at_its_deadline_it_is_asked_and_then_ended)
{
	char why[64];

	/* A shell that is slow to start has not set its trap by then: it is given longer. */
	options.deadline_ms = 100;
	do {
		options.deadline_ms *= 2;
		ended.count = 0;
		(void)run_hook("trap 'echo asked' TERM; while :; do sleep 0.05; done");
	} while (options.deadline_ms < 6400 && !has_logged("asked\n"));
	ck_assert_int_eq(ended.o.verdict, HOOK_FAILED);
	ck_assert(ended.o.timed_out);
	(void)snprintf(why, sizeof(why),
		options.deadline_ms < 1000 ? "not done after %.0fms" : "not done after %gs",
		(double)options.deadline_ms / (options.deadline_ms < 1000 ? 1 : 1000));
	ck_assert_str_eq(ended.o.why, why);
	ck_assert(has_logged("asked\n"));
	ck_assert_int_ge(ended.o.duration_ms, 500);
}
END_TEST

START_TEST(one_that_is_cancelled_ends_with_all_its_processes)
{
	options.call.workdir = scratch;
	start("sleep 1000 & echo $! >child; echo $$ >leader; wait");
	TURN_UNTIL(loop, number_in("leader"));
	deploy_hook_run_stop(run);
	(void)finish();
	ck_assert(ended.o.stopped);
	ck_assert_int_eq(ended.o.verdict, HOOK_FAILED);
	ck_assert_str_eq(ended.o.why, "it was stopped");
	ck_assert(!lives(number_in("child")));
	ck_assert(!lives(number_in("leader")));
}
END_TEST

/* It gave up its output, its group, its session, and does not heed TERM. */
static const char escape[] = "setsid sh -c 'trap \"\" TERM; echo $$ >escaped; "
			     "while :; do sleep 0.05; done' >/dev/null 2>&1 </dev/null &\n"
			     "while ! [ -s escaped ]; do sleep 0.01; done\n";

static void expect_escape_ends(void)
{
	options.call.workdir = scratch;
	(void)run_hook(escape);
	ck_assert_int_eq(ended.o.verdict, HOOK_DONE);
	ck_assert_uint_ge(ended.o.left_behind, 1);
	ck_assert(has_logged("not all it started"));
	ck_assert_int_gt(number_in("escaped"), 0);
	ck_assert(!lives(number_in("escaped")));
}

START_TEST(what_a_hook_leaves_behind_is_ended_before_it_is_over)
{
	expect_escape_ends();
}
END_TEST

START_TEST(what_leaves_its_group_is_ended_with_a_cancelled_hook)
{
	char script[600];

	options.call.workdir = scratch;
	(void)snprintf(script, sizeof(script), "%secho ready >ready; sleep 1000", escape);
	start(script);
	TURN_UNTIL(loop, scratch_has("ready"));
	deploy_hook_run_stop(run);
	(void)finish();
	ck_assert(!lives(number_in("escaped")));
}
END_TEST

START_TEST(nothing_leaves_its_cgroup)
{
	char pattern[512];

	if (!*cgroup_path || under_valgrind()) /* it knows no births in a cgroup */
		return;
	options.cgroup = cgroup_path;
	expect_escape_ends();
	/* Not even without its environment. */
	ended.count = 0;
	(void)unlink(scratch_path("escaped"));
	(void)snprintf(pattern, sizeof(pattern), "cat /proc/self/cgroup\n%s", escape);
	memcpy(strstr(pattern, "setsid sh"), "env -i sh", 9);
	(void)run_hook(pattern);
	ck_assert(has_logged("/hook-"));
	ck_assert(!lives(number_in("escaped")));
	ck_assert_int_eq(rmdir(cgroup_path), 0); /* nothing is left in it */
}
END_TEST

START_TEST(limits_that_cannot_be_set_are_said)
{
	if (!*cgroup_path)
		return;
	options.cgroup = cgroup_path;
	options.limits.memory_max_bytes = 64 << 20;
	(void)run_hook("exit 0");
	ck_assert_int_eq(ended.o.verdict, HOOK_DONE);
	/* A cgroup nobody delegated controllers to has none. */
	ck_assert(has_logged("memory.max cannot be set"));
}
END_TEST

START_TEST(what_cannot_start_is_said_and_leaves_nothing)
{
	struct err e = {""};
	int before = count_descriptors();

	options.path = "/nonexistent/hook";
	options.runtime_dir = scratch_path("run");
	if (!under_valgrind())
		ck_assert_int_eq(deploy_hook_run_start(loop, &options, &run, &e), -ENOENT);
	options.path = "/bin/true";
	options.call.workdir = "/nonexistent/work";
	ck_assert_int_eq(deploy_hook_run_start(loop, &options, &run, &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, "working folder /nonexistent/work"));
	options.call.workdir = NULL;
	options.cgroup = "/nonexistent/cgroup";
	ck_assert_int_eq(deploy_hook_run_start(loop, &options, &run, &e), -ENOENT);
	ck_assert_int_eq(count_descriptors(), before);
	(void)rmdir(scratch_path("run"));
	ck_assert(!scratch_has("run"));
}
END_TEST

START_TEST(one_that_is_abandoned_is_gone)
{
	options.call.workdir = scratch;
	start(escape);
	TURN_UNTIL(loop, number_in("escaped"));
	deploy_hook_run_abandon(run);
	TURN_UNTIL(loop, !lives(number_in("escaped")));
	ck_assert_int_eq(ended.count, 0);
	ck_assert_int_eq(rmdir(scratch_path("run")), 0);
	deploy_hook_run_abandon(NULL);
}
END_TEST

/* Its agent is gone: it has another's number, in its folder's name and so in its environment. */
START_TEST(what_an_agent_that_died_left_running_is_ended)
{
	const char *mark = scratch_path("run/agent-hook-999999999-abcdef");
	char output[600];
	pid_t pid;

	ck_assert_int_eq(mkdir(scratch_path("run"), 0700), 0);
	ck_assert_int_eq(mkdir(mark, 0700), 0);
	(void)snprintf(output, sizeof(output), "DEPLOY_OUTPUT=%s/output", mark);
	pid = fork();
	if (pid == 0) {
		char *argv[] = {"sleep", "1000", NULL}, *env[] = {output, NULL};

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when this test fails */
		(void)setsid();
		(void)execve("/bin/sleep", argv, env);
		_exit(1);
	}
	TURN_UNTIL(
		loop, deploy_hook_processes_signal(0, output + strlen("DEPLOY_OUTPUT="), 0) == 1);
	ck_assert_int_eq(deploy_hook_run_sweep(scratch_path("run"), NULL), 1);
	TURN_UNTIL(loop, deploy_hook_run_sweep(scratch_path("run"), NULL) == 0);
	ck_assert(!lives(pid));
	ck_assert(!scratch_has("run/agent-hook-999999999-abcdef"));
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("deploy_hook_run");
	TCase *c = tcase_create("deploy_hook_run");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(c, make, drop);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, a_hook_gets_its_verb_its_variables_and_its_document);
	tcase_add_test(c, its_end_means_what_the_contract_says);
	tcase_add_test(c, secrets_are_files_and_nothing_else);
	tcase_add_test(c, output_is_in_the_log_as_it_comes);
	tcase_add_test(c, a_hook_that_prints_without_end_does_not_fill_memory_or_disk);
	tcase_add_test(c, results_that_are_none_are_a_failure);
	tcase_add_test(c, at_its_deadline_it_is_asked_and_then_ended);
	tcase_add_test(c, one_that_is_cancelled_ends_with_all_its_processes);
	tcase_add_test(c, what_a_hook_leaves_behind_is_ended_before_it_is_over);
	tcase_add_test(c, what_leaves_its_group_is_ended_with_a_cancelled_hook);
	tcase_add_test(c, nothing_leaves_its_cgroup);
	tcase_add_test(c, limits_that_cannot_be_set_are_said);
	tcase_add_test(c, what_cannot_start_is_said_and_leaves_nothing);
	tcase_add_test(c, one_that_is_abandoned_is_gone);
	tcase_add_test(c, what_an_agent_that_died_left_running_is_ended);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
