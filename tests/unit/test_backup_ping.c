/* SPDX-License-Identifier: Apache-2.0
 *
 * Which address is called after a backup.
 */
#include <check.h>
#include <stdlib.h>

#include "agent/backup_ping.h"

static const struct {
	const char *url, *good, *bad;
} cases[] = {
	{"https://hc.example.com/abc", "https://hc.example.com/abc",
		"https://hc.example.com/abc/fail"},
	{"https://hc.example.com/abc/", "https://hc.example.com/abc",
		"https://hc.example.com/abc/fail"},
	{"https://hc.example.com/key/shop?create=1", "https://hc.example.com/key/shop?create=1",
		"https://hc.example.com/key/shop/fail?create=1"},
	{"https://hc.example.com/abc/?rid=a/b", "https://hc.example.com/abc?rid=a/b",
		"https://hc.example.com/abc/fail?rid=a/b"},
};

START_TEST(row_29_the_path_says_how_it_went)
{
	char *good = backup_ping_address(cases[_i].url, true);
	char *bad = backup_ping_address(cases[_i].url, false);

	ck_assert_str_eq(good, cases[_i].good);
	ck_assert_str_eq(bad, cases[_i].bad);
	free(good);
	free(bad);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("backup_ping");
	TCase *tc = tcase_create("backup_ping");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(
		tc, row_29_the_path_says_how_it_went, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
