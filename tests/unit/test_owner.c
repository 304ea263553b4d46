/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/owner.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fork.h"

START_TEST(a_process_that_lives_is_known)
{
	char self[OWNER_SIZE];

	owner_self(self);
	ck_assert(owner_lives(self));
}
END_TEST

START_TEST(one_that_ended_is_not)
{
	char other[OWNER_SIZE] = "";
	int fds[2];
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork_in_test();
	if (pid == 0) {
		owner_self(other);
		_exit(write(fds[1], other, sizeof(other)) == (ssize_t)sizeof(other) ? 0 : 1);
	}
	ck_assert_int_eq(read(fds[0], other, sizeof(other)), (ssize_t)sizeof(other));
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert(!owner_lives(other));
	(void)close(fds[0]);
	(void)close(fds[1]);
}
END_TEST

START_TEST(another_process_of_the_same_number_or_another_boot_is_not)
{
	char self[OWNER_SIZE], other[OWNER_SIZE + 8];

	owner_self(self);
	(void)snprintf(other, sizeof(other), "%s1", self); /* began at another time */
	ck_assert(!owner_lives(other));
	self[0] = self[0] == 'a' ? 'b' : 'a';
	ck_assert(!owner_lives(self));
	ck_assert(!owner_lives(""));
	ck_assert(!owner_lives("x/y/z"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("owner");
	TCase *tc = tcase_create("owner");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, a_process_that_lives_is_known);
	tcase_add_test(tc, one_that_ended_is_not);
	tcase_add_test(tc, another_process_of_the_same_number_or_another_boot_is_not);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
