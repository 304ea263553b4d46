/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands around a backup.
 */
#include "backup/hook.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "backup/stop.h"
#include "base/cleanup.h"
#include "tests/unit/scratch.h"

static const char *const usual[] = {"sh", "-c",
	"echo \"$BACKUP_JOB $BACKUP_ID $BACKUP_STATUS $BACKUP_BYTES $BACKUP_ERROR\" >\"$0\"", NULL,
	NULL};

static int run(const char *const *argv, const char *status, const char *error, struct err *e)
{
	const char *items[8] = {NULL};
	struct job_list list = {.items = items};
	const struct hook h = {.what = "post",
		.command = &list,
		.deadline_ms = 600000,
		.job = "shop",
		.id = "20261121T030000Z-3f9a2c",
		.status = status,
		.bytes = 1234,
		.error = error};

	for (; argv && argv[list.n]; list.n++)
		items[list.n] = argv[list.n];
	return hook_run(&h, e);
}

START_TEST(it_knows_what_became_of_the_backup)
{
	const char *argv[] = {usual[0], usual[1], usual[2], scratch_path("said"), NULL};
	char text[200] = "";
	struct err e = {""};

	ck_assert_msg(run(argv, "failed", "no space", &e) == 0, "%s", e.msg);
	(void)scratch_read("said", text, sizeof(text) - 1);
	ck_assert_str_eq(text, "shop 20261121T030000Z-3f9a2c failed 1234 no space\n");
}
END_TEST

START_TEST(its_failure_has_its_own_words)
{
	const char *const argv[] = {"sh", "-c", "echo no maintenance today >&2; exit 3", NULL};
	struct err e = {""};

	ck_assert_int_lt(run(argv, "ok", "", &e), 0);
	ck_assert_msg(strstr(e.msg, "post") && strstr(e.msg, "no maintenance today"), "%s", e.msg);
}
END_TEST

START_TEST(none_is_no_failure)
{
	struct err e;

	ck_assert_int_eq(run(NULL, "ok", "", &e), 0);
}
END_TEST

START_TEST(after_a_stop_it_still_runs_when_held)
{
	const char *argv[] = {usual[0], usual[1], usual[2], scratch_path("said"), NULL};
	struct err e = {""};

	ck_assert_int_eq(raise(SIGTERM), 0);
	ck_assert_int_eq(run(argv, "cancelled", "", &e), -ECANCELED);
	stop_hold(true);
	ck_assert_msg(run(argv, "cancelled", "", &e) == 0, "%s", e.msg);
	stop_hold(false);
	ck_assert(stop_requested());
	ck_assert(scratch_has("said"));
}
END_TEST

static void setup(void)
{
	scratch_make();
	stop_install();
}

int main(void)
{
	Suite *s = suite_create("hook");
	TCase *tc = tcase_create("hook");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, scratch_remove);
	tcase_add_test(tc, it_knows_what_became_of_the_backup);
	tcase_add_test(tc, its_failure_has_its_own_words);
	tcase_add_test(tc, none_is_no_failure);
	tcase_add_test(tc, after_a_stop_it_still_runs_when_held);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
