/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/plain_text.h"

#include <check.h>
#include <string.h>

#include "base/buf.h"

static struct buf out = BUF_INIT(1 << 20);
static struct plain_text text;

/* What comes of it, lines ended by `|`, the unfinished one after them. */
static const char *lines_n(const char *in, size_t n)
{
	memset(&text, 0, sizeof(text));
	buf_done(&out);
	for (size_t i = 0; i < n; i++) {
		enum plain_text_has has = plain_text_add(&text, in[i]);

		if (has == PLAIN_TEXT_MORE)
			continue;
		buf_add(&out, text.line, text.n);
		buf_addc(&out, '|');
		plain_text_taken(&text, text.n);
	}
	buf_add(&out, text.line, text.n);
	return buf_str(&out);
}

static const char *lines(const char *in)
{
	return lines_n(in, strlen(in));
}

START_TEST(lines_are_lines)
{
	ck_assert_str_eq(lines("a\nb\n\nc"), "a|b||c");
	ck_assert_str_eq(lines("a\r\nb\r\n"), "a|b|");
	ck_assert_str_eq(lines("tab\tü\n"), "tab\tü|");
}
END_TEST

START_TEST(a_bar_of_progress_is_what_it_was_last)
{
	ck_assert_str_eq(lines("10%\r20%\r100%\n"), "100%|");
	ck_assert_str_eq(lines("10%\r\033[K20%\r\033[K\n"), "20%|");
	ck_assert_str_eq(lines("done\r"), "done");
	ck_assert_str_eq(lines("done\r\r\r\nx"), "done|x");
}
END_TEST

START_TEST(escape_sequences_are_dropped)
{
	ck_assert_str_eq(lines("\033[1;31mred\033[0m\n"), "red|");
	ck_assert_str_eq(lines("\033]0;title\atext\n"), "text|");
	ck_assert_str_eq(lines("\033]8;;http://x\033\\link\033]8;;\033\\\n"), "link|");
	ck_assert_str_eq(lines("\033(Bx\033=y\0337z\n"), "xyz|");
	ck_assert_str_eq(lines("\033P1$r\033\\x\n"), "x|");
	ck_assert_str_eq(lines("\033[?25lx\033[38;2;1;2;3my\n"), "xy|");
}
END_TEST

START_TEST(a_sequence_without_an_end_does_not_swallow_the_rest)
{
	ck_assert_str_eq(lines("\033]0;never\nnext\n"), "|next|");
	ck_assert_str_eq(lines("\033[1;\nnext\n"), "|next|");
	ck_assert_str_eq(lines("\033\nnext\n"), "|next|");
	ck_assert_str_eq(lines("a\033"), "a");
}
END_TEST

START_TEST(bytes_that_are_no_text_stay_for_others_to_judge)
{
	ck_assert_uint_eq(strlen(lines_n("a\0b\n", 4)), 1);
	ck_assert_uint_eq(out.len, 4);
	ck_assert_int_eq(memcmp(out.data, "a\0b|", 4), 0);
}
END_TEST

START_TEST(an_endless_line_comes_in_parts)
{
	static char in[100000];

	memset(in, 'x', sizeof(in));
	(void)lines_n(in, sizeof(in));
	ck_assert_uint_eq(out.len, sizeof(in) + sizeof(in) / PLAIN_TEXT_MAX);
	ck_assert_uint_lt(text.n, PLAIN_TEXT_MAX);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("plain_text");
	TCase *c = tcase_create("plain_text");
	SRunner *sr;
	int failed;

	tcase_add_test(c, lines_are_lines);
	tcase_add_test(c, a_bar_of_progress_is_what_it_was_last);
	tcase_add_test(c, escape_sequences_are_dropped);
	tcase_add_test(c, a_sequence_without_an_end_does_not_swallow_the_rest);
	tcase_add_test(c, bytes_that_are_no_text_stay_for_others_to_judge);
	tcase_add_test(c, an_endless_line_comes_in_parts);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
