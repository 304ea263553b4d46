/* SPDX-License-Identifier: Apache-2.0
 *
 * Text in columns, cut without breaking a character; quantities in few characters.
 */
#include <check.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "agent/term.h"
#include "base/cleanup.h"

static struct buf out = BUF_INIT(4096);

static void setup(void)
{
	(void)setlocale(LC_CTYPE, "C.UTF-8");
}

static void teardown(void)
{
	buf_done(&out);
}

static const char *left(const char *s, size_t width)
{
	buf_clear(&out);
	term_add(&out, s, width);
	return buf_str(&out);
}

static const char *right(const char *s, size_t width)
{
	buf_clear(&out);
	term_add_right(&out, s, width);
	return buf_str(&out);
}

START_TEST(columns_are_filled_and_cut)
{
	ck_assert_str_eq(left("web", 5), "web  ");
	ck_assert_str_eq(left("web", 3), "web");
	ck_assert_str_eq(left("shop-web", 5), "shop~");
	ck_assert_str_eq(left("shop-web", 0), "shop-web");
	ck_assert_str_eq(left("", 2), "  ");
	ck_assert_str_eq(left("ab", 1), "~");
	ck_assert_str_eq(right("1.5%", 6), "  1.5%");
}
END_TEST

START_TEST(characters_are_never_broken)
{
	ck_assert_uint_eq(term_width_of("b\u00fcro"), 4);
	ck_assert_str_eq(left("b\u00fcro", 3), "b\u00fc~");
	ck_assert_str_eq(left("b\u00fcro", 5), "b\u00fcro ");
	ck_assert_uint_eq(term_width_of("\u6771\u4eac"), 4);
	ck_assert_str_eq(left("\u6771\u4eac\u6771", 4), "\u6771~ ");
	ck_assert_uint_eq(term_width_of("e\u0301"), 1);
}
END_TEST

START_TEST(nothing_that_drives_the_terminal_gets_through)
{
	ck_assert_str_eq(left("a\033[31mb\n", 0), "a?[31mb?");
	ck_assert_str_eq(left("a\xff\x80z", 0), "a??z");
	ck_assert_str_eq(left("a\xc2\x9bz", 0), "a?z");
}
END_TEST

START_TEST(long_text_is_wrapped_at_words)
{
	term_add_wrapped(&out, "one two  three\nfour", 9, 2);
	ck_assert_str_eq(buf_str(&out), "one two\n  three\n  four");
	buf_clear(&out);
	term_add_wrapped(&out, "averylongword b", 5, 1);
	ck_assert_str_eq(buf_str(&out), "averylongword\n b");
	buf_clear(&out);
	term_add_wrapped(&out, "it is 97 %, or 3 %x", 9, 0);
	ck_assert_str_eq(buf_str(&out), "it is\n97 %, or\n3 %x");
}
END_TEST

static const char *bar(double percent, size_t width, bool colours)
{
	const struct term t = {.columns = 80, .rows = 24, .colours = colours, .utf8 = false};

	buf_clear(&out);
	term_bar(&t, percent, width, 80, 90, &out);
	return buf_str(&out);
}

START_TEST(bars)
{
	ck_assert_str_eq(bar(0, 4, false), "....");
	ck_assert_str_eq(bar(50, 4, false), "##..");
	ck_assert_str_eq(bar(100, 4, false), "####");
	ck_assert_str_eq(bar(250, 4, false), "####");
	ck_assert_str_eq(bar(-1, 4, false), "....");
	ck_assert_str_eq(bar(NAN, 4, false), "....");
	ck_assert_str_eq(bar(1, 4, false), "#...");
	ck_assert_str_eq(bar(95, 1, true), "\033[31m#\033[0m");
	ck_assert_str_eq(bar(85, 1, true), "\033[33m#\033[0m");
}
END_TEST

static const char *written(void (*fn)(char *, size_t, double), double v)
{
	static char text[TERM_VALUE_MAX];

	fn(text, sizeof(text), v);
	return text;
}

START_TEST(quantities_in_few_columns)
{
	ck_assert_str_eq(written(term_bytes, 0), "0B");
	ck_assert_str_eq(written(term_bytes, 1023), "1023B");
	ck_assert_str_eq(written(term_bytes, 1024), "1.0K");
	ck_assert_str_eq(written(term_bytes, 1023.7 * 1024), "1.0M");
	ck_assert_str_eq(written(term_bytes, 15.2 * 1024 * 1024), "15M");
	ck_assert_str_eq(written(term_bytes, NAN), "-");
	ck_assert_str_eq(written(term_rate, 2048), "2.0K/s");
	ck_assert_str_eq(written(term_rate, NAN), "-");
	ck_assert_str_eq(written(term_percent, 7.34), "7.3%");
	ck_assert_str_eq(written(term_percent, 100), "100%");
	ck_assert_str_eq(written(term_percent, 99.96), "100%");
	ck_assert_str_eq(written(term_percent, NAN), "-");
	ck_assert_str_eq(written(term_number, 0.424), "0.42");
	ck_assert_str_eq(written(term_number, 17), "17");
	ck_assert_str_eq(written(term_number, NAN), "-");
	ck_assert_uint_le(term_width_of(written(term_bytes, 1e19)), 5);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("term");
	TCase *t = tcase_create("term");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, columns_are_filled_and_cut);
	tcase_add_test(t, characters_are_never_broken);
	tcase_add_test(t, nothing_that_drives_the_terminal_gets_through);
	tcase_add_test(t, long_text_is_wrapped_at_words);
	tcase_add_test(t, bars);
	tcase_add_test(t, quantities_in_few_columns);
	suite_add_tcase(suite, t);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
