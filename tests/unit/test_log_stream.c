/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/web/log_stream.h"

static void writes(const char *lines, const char *event)
{
	struct buf b = BUF_INIT(4096);

	log_stream_write_event(&b, lines, 77);
	ck_assert_str_eq(buf_str(&b), event);
	buf_done(&b);
}

START_TEST(each_line_is_a_field)
{
	writes("one\ntwo\n", "id: 77\nevent: log\ndata: one\ndata: two\n\n");
	writes("\n\nthree\n", "id: 77\nevent: log\ndata: \ndata: \ndata: three\n\n");
	writes("without an end", "id: 77\nevent: log\ndata: without an end\n\n");
}
END_TEST

START_TEST(no_line_ends_the_event_or_makes_up_a_field)
{
	writes("a\rid: 1\n", "id: 77\nevent: log\ndata: a\ndata: id: 1\n\n");
	writes("a\r\n\r\r\nb\n", "id: 77\nevent: log\ndata: a\ndata: \ndata: \ndata: b\n\n");
	writes("event: end\ndata: x\n", "id: 77\nevent: log\ndata: event: end\ndata: data: x\n\n");
}
END_TEST

START_TEST(what_does_not_fit_is_said)
{
	struct buf b = BUF_INIT(20);

	log_stream_write_event(&b, "a line\nand another one\n", 1);
	ck_assert(b.overflow);
	buf_done(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("log_stream");
	TCase *t = tcase_create("log_stream");
	SRunner *sr;
	int failed;

	tcase_add_test(t, each_line_is_a_field);
	tcase_add_test(t, no_line_ends_the_event_or_makes_up_a_field);
	tcase_add_test(t, what_does_not_fit_is_said);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
