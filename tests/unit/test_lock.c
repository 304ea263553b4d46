/* SPDX-License-Identifier: Apache-2.0
 *
 * One run of a job at a time.
 */
#include "backup/lock.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "backup/stop.h"
#include "base/cleanup.h"
#include "tests/unit/fork.h"
#include "tests/unit/scratch.h"

static int said; /* how often a run said that it waits */

static void say(void *user)
{
	(void)user;
	said++;
}

static int lock(const char *job)
{
	struct err e = {""};
	int fd = lock_job(scratch, job, NULL, NULL, &e);

	ck_assert_msg(fd >= 0, "%s", e.msg);
	return fd;
}

/* The other run: holds the lock until `release` is closed. */
static pid_t other_run(int *release)
{
	int ready[2], end[2];
	char c;
	pid_t pid;

	ck_assert_int_eq(pipe(ready), 0);
	ck_assert_int_eq(pipe(end), 0);
	pid = fork_in_test();
	if (pid == 0) {
		struct err e;

		(void)close(end[1]);
		if (lock_job(scratch, "shop", NULL, NULL, &e) < 0 || write(ready[1], "r", 1) != 1)
			_exit(1);
		_exit(read(end[0], &c, 1) < 0);
	}
	(void)close(ready[1]);
	(void)close(end[0]);
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	(void)close(ready[0]);
	*release = end[1];
	return pid;
}

/* As the lock says that it waits, the other run ends. */
static void release_it(void *user)
{
	said++;
	(void)close(*(int *)user);
}

START_TEST(row_13_second_run_of_a_job_waits_and_says_so)
{
	int release = -1, fd;
	pid_t pid = other_run(&release);
	struct err e = {""};

	fd = lock_job(scratch, "shop", release_it, &release, &e);
	ck_assert_msg(fd >= 0, "%s", e.msg);
	ck_assert_int_eq(said, 1);
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), pid);
	(void)close(fd);
}
END_TEST

START_TEST(other_jobs_do_not_wait)
{
	int a = lock("shop"), b = lock("blog");
	struct err e;
	int c = lock_job(scratch, "files", say, NULL, &e);

	ck_assert_int_ge(c, 0);
	ck_assert_int_eq(said, 0);
	(void)close(a);
	(void)close(b);
	(void)close(c);
}
END_TEST

START_TEST(a_killed_run_leaves_no_lock)
{
	int release = -1, fd;
	pid_t pid = other_run(&release);
	struct err e;

	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	fd = lock_job(scratch, "shop", say, NULL, &e);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(said, 0);
	(void)close(fd);
	(void)close(release);
}
END_TEST

static void stop_me(void *user)
{
	(void)user;
	(void)raise(SIGTERM);
}

START_TEST(a_run_that_waits_can_be_stopped)
{
	int release = -1;
	pid_t pid = other_run(&release);
	struct err e = {""};

	ck_assert_int_eq(lock_job(scratch, "shop", stop_me, NULL, &e), -ECANCELED);
	(void)close(release);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

static void setup(void)
{
	scratch_make();
	stop_install();
	said = 0;
}

int main(void)
{
	Suite *s = suite_create("lock");
	TCase *tc = tcase_create("lock");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, scratch_remove);
	tcase_add_test(tc, row_13_second_run_of_a_job_waits_and_says_so);
	tcase_add_test(tc, other_jobs_do_not_wait);
	tcase_add_test(tc, a_killed_run_leaves_no_lock);
	tcase_add_test(tc, a_run_that_waits_can_be_stopped);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
