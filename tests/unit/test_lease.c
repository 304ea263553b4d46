/* SPDX-License-Identifier: Apache-2.0
 *
 * What a killed process left is put right by the next one, what a living one holds is let alone.
 */
#include "backup/lease.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/str.h"
#include "tests/unit/fork.h"
#include "tests/unit/scratch.h"

static struct err e;
static char swept[256];
static bool put_right;

static bool take(void *user, const char *text)
{
	size_t len = strlen(swept);

	(void)user;
	(void)str_copy(swept + len, sizeof(swept) - len, text);
	return put_right;
}

static const char *sweep(void)
{
	swept[0] = '\0';
	lease_sweep(scratch_path("leases"), take, NULL);
	return swept;
}

static size_t n_files(void)
{
	DIR *dir = opendir(scratch_path("leases"));
	size_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n - 2;
}

/* A process that is killed while it holds one; `heir` (may be NULL): a child of it that keeps the descriptor. */
static void die_with_one(const char *text, int heir[2])
{
	pid_t pid = fork_in_test();
	if (pid == 0) {
		struct lease *l;
		char c;

		if (lease_new(scratch_path("leases"), text, &l, NULL) < 0)
			_exit(1);
		if (heir && fork() == 0) {
			(void)close(heir[1]);
			_exit(read(heir[0], &c, 1) < 0);
		}
		(void)raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(what_a_dead_process_left_is_put_right_once)
{
	put_right = true;
	die_with_one("pause 1\n", NULL);
	ck_assert_str_eq(sweep(), "pause 1\n");
	ck_assert_str_eq(sweep(), "");
	ck_assert_uint_eq(n_files(), 0);
}
END_TEST

START_TEST(what_cannot_be_put_right_stays_for_the_next)
{
	put_right = false;
	die_with_one("pause 1\n", NULL);
	ck_assert_str_eq(sweep(), "pause 1\n");
	ck_assert_str_eq(sweep(), "pause 1\n");
	ck_assert_uint_eq(n_files(), 1);
}
END_TEST

START_TEST(what_a_living_process_holds_is_let_alone)
{
	struct lease *l = NULL;

	put_right = true;
	ck_assert_int_eq(lease_new(scratch_path("leases"), "mine\n", &l, &e), 0);
	ck_assert_str_eq(sweep(), "");
	lease_leave(l);
	ck_assert_str_eq(sweep(), "mine\n");
	ck_assert_int_eq(lease_new(scratch_path("leases"), "mine\n", &l, &e), 0);
	lease_done(l);
	ck_assert_uint_eq(n_files(), 0);
}
END_TEST

START_TEST(a_child_holds_it_for_its_dead_parent)
{
	int heir[2];

	put_right = true;
	ck_assert_int_eq(pipe(heir), 0);
	die_with_one("watched\n", heir);
	ck_assert_str_eq(sweep(), "");
	(void)close(heir[1]);
	/* It ends some time after that. */
	while (!*sweep())
		;
	ck_assert_str_eq(swept, "watched\n");
}
END_TEST

START_TEST(a_folder_that_cannot_be_is_an_error)
{
	struct lease *l = NULL;

	scratch_write("file", "", 0);
	ck_assert_int_lt(lease_new(scratch_path("file/leases"), "x", &l, &e), 0);
	ck_assert_ptr_null(l);
	lease_done(NULL);
	lease_leave(NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lease");
	TCase *tc = tcase_create("lease");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_test(tc, what_a_dead_process_left_is_put_right_once);
	tcase_add_test(tc, what_cannot_be_put_right_stays_for_the_next);
	tcase_add_test(tc, what_a_living_process_holds_is_let_alone);
	tcase_add_test(tc, a_child_holds_it_for_its_dead_parent);
	tcase_add_test(tc, a_folder_that_cannot_be_is_an_error);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
