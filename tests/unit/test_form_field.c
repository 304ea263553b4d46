/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/form_field.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"

static void take(void *user, const void *data, size_t n)
{
	buf_add(user, data, n);
}

/* The value, "-" when it is refused or not there; in pieces of so many bytes. */
static const char *value_of(const char *form, size_t piece)
{
	static struct buf out = BUF_INIT(100000);
	struct form_field *f = form_field_new("payload");
	int r = 0;

	buf_done(&out);
	for (size_t at = 0; r == 0 && at < strlen(form); at += piece)
		r = form_field_add(f, form + at, strnlen(form + at, piece), take, &out);
	ck_assert(r == 0 || r == -EBADMSG);
	if (r < 0 || !form_field_is_there(f)) {
		buf_done(&out);
		buf_adds(&out, "-");
	}
	form_field_free(f);
	return buf_str(&out);
}

START_TEST(it_does_not_matter_where_the_pieces_end)
{
	const char *form = "a=b&payload=%7B%22k%22%3A+%22%C3%BC%25%22%7D&c=d";

	for (size_t piece = 1; piece <= strlen(form); piece++)
		ck_assert_str_eq(value_of(form, piece), "{\"k\": \"ü%\"}");
}
END_TEST

START_TEST(what_is_not_sure_is_refused)
{
	static const char *const bad[] = {"", "payload", "payloa=x", "payloadx=x", "Payload=x",
		"x&payload", "payload=%", "payload=%4", "payload=%4g", "payload=%%41",
		"payload=a%&b=c", "payload=a&payload=a", "payload&payload=a", "p%61yload=a",
		"payload+=a"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(strcmp(value_of(bad[i], 100), "-") == 0, "%s", bad[i]);
}
END_TEST

START_TEST(an_equals_sign_in_the_value_belongs_to_it)
{
	ck_assert_str_eq(value_of("payload=a=b==", 3), "a=b==");
	ck_assert_str_eq(value_of("payload==", 3), "=");
	ck_assert_str_eq(value_of("&&payload=x&&", 3), "x");
}
END_TEST

START_TEST(a_name_without_an_end_takes_no_memory)
{
	static char form[100001];

	memset(form, 'p', sizeof(form) - 1);
	ck_assert_str_eq(value_of(form, 1000), "-");
	memcpy(form + 50000, "=1&payload=x&", 13);
	ck_assert_str_eq(value_of(form, 1000), "x");
}
END_TEST

START_TEST(a_long_value_comes_whole)
{
	static char form[50001], want[50001];

	memset(form, 'v', sizeof(form) - 1);
	memcpy(form, "payload=", 8);
	memset(want, 'v', sizeof(want) - 9);
	want[sizeof(want) - 9] = '\0';
	ck_assert_str_eq(value_of(form, 20000), want);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("form_field");
	TCase *c = tcase_create("form_field");
	SRunner *sr;
	int failed;

	tcase_add_test(c, it_does_not_matter_where_the_pieces_end);
	tcase_add_test(c, what_is_not_sure_is_refused);
	tcase_add_test(c, an_equals_sign_in_the_value_belongs_to_it);
	tcase_add_test(c, a_name_without_an_end_takes_no_memory);
	tcase_add_test(c, a_long_value_comes_whole);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
