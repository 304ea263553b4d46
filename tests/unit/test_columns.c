/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables for a terminal.
 */
#include <check.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "agent/columns.h"

static const char *const heads[] = {">ID", "NAME", "WHAT", NULL};

static const char *print(const struct columns *c, size_t width)
{
	static char text[4096];
	struct term t = {.columns = width, .rows = 24};
	struct buf b = BUF_INIT(sizeof(text) - 1);

	columns_print(c, &t, &b);
	memcpy(text, buf_str(&b), b.len + 1);
	buf_done(&b);
	return text;
}

static void row(struct columns *c, const char *id, const char *name, const char *what)
{
	const char *cells[] = {id, name, what};

	columns_row(c, cells, 3, 1, TERM_RED);
}

START_TEST(columns_are_as_wide_as_their_contents)
{
	_cleanup_(columns_free_p) struct columns *c = columns_new(heads);

	row(c, "7", "a", "first");
	row(c, "123", "longer", "second");
	ck_assert_str_eq(print(c, 80), " ID  NAME    WHAT\n"
				       "  7  a       first\n"
				       "123  longer  second\n");
}
END_TEST

START_TEST(the_last_is_wrapped_and_notes_stand_below_it)
{
	_cleanup_(columns_free_p) struct columns *c = columns_new(heads);

	row(c, "1", "a", "one two three four five six seven");
	columns_note(c, "note %d", 1);
	columns_note(c, "%s", "another note that is too long for it");
	ck_assert_str_eq(print(c, 34), "ID  NAME  WHAT\n"
				       " 1  a     one two three four five\n"
				       "          six seven\n"
				       "          note 1\n"
				       "          another note that is too\n"
				       "          long for it\n");
	/* However narrow, something can be read. */
	ck_assert_str_eq(print(c, 10), print(c, 34));
}
END_TEST

START_TEST(texts_from_outside_neither_drive_the_terminal_nor_push_the_rest_away)
{
	_cleanup_(columns_free_p) struct columns *c = columns_new(heads);
	char name[101];

	memset(name, 'x', 100);
	name[100] = '\0';
	row(c, "1", name, "\x1b[2J\r\x07");
	columns_note(c, "\x1b[31m");
	ck_assert_ptr_null(strpbrk(print(c, 80), "\x1b\r\x07"));
	ck_assert_ptr_nonnull(strstr(print(c, 80), "xxxxxxx~  "));
	ck_assert_ptr_null(strstr(print(c, 80), "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"));
}
END_TEST

START_TEST(missing_cells_are_empty)
{
	_cleanup_(columns_free_p) struct columns *c = columns_new(heads);
	const char *cells[] = {"1", NULL};

	columns_row(c, cells, 2, COLUMNS_MAX, TERM_PLAIN);
	ck_assert_str_eq(print(c, 80), "ID  NAME  WHAT\n 1        \n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("columns");
	TCase *t = tcase_create("columns");
	SRunner *sr;
	int failed;

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	tcase_add_test(t, columns_are_as_wide_as_their_contents);
	tcase_add_test(t, the_last_is_wrapped_and_notes_stand_below_it);
	tcase_add_test(t, texts_from_outside_neither_drive_the_terminal_nor_push_the_rest_away);
	tcase_add_test(t, missing_cells_are_empty);
	suite_add_tcase(suite, t);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
