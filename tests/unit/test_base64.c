/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"

/* RFC 4648, section 10. */
static const char *const vectors[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
	{"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};

START_TEST(the_vectors_of_the_rfc_both_ways)
{
	struct buf b = BUF_INIT(100);
	const char *plain = vectors[_i][0], *text = vectors[_i][1];

	base64_encode(&b, plain, strlen(plain), 0);
	ck_assert_str_eq(buf_str(&b), text);
	buf_clear(&b);
	ck_assert_int_eq(base64_decode(&b, text, strlen(text), NULL), 0);
	ck_assert_str_eq(buf_str(&b), plain);
	buf_done(&b);
}
END_TEST

START_TEST(every_byte_survives_and_lines_end_where_asked)
{
	struct buf text = BUF_INIT(10000), lines = BUF_INIT(10000), back = BUF_INIT(10000);
	unsigned char bytes[1000];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 7);
	base64_encode(&text, bytes, sizeof(bytes), 0);
	ck_assert_int_eq(base64_decode(&back, buf_str(&text), text.len, NULL), 0);
	ck_assert_uint_eq(back.len, sizeof(bytes));
	ck_assert_mem_eq(back.data, bytes, sizeof(bytes));
	base64_encode(&lines, bytes, sizeof(bytes), 76);
	ck_assert_mem_eq(lines.data + 76, "\r\n", 2);
	ck_assert_mem_eq(lines.data + lines.len - 2, "\r\n", 2);
	ck_assert_uint_eq(lines.len, text.len + 2 * ((text.len + 75) / 76));
	buf_done(&text);
	buf_done(&lines);
	buf_done(&back);
}
END_TEST

START_TEST(what_is_no_base64_is_refused)
{
	static const char *const bad[] = {"Zg=", "Zg", "Z===", "Zm9!", " Zm9", "Zm9v\n", "====="};
	struct buf b = BUF_INIT(100);

	ck_assert_int_eq(base64_decode(&b, bad[_i], strlen(bad[_i]), NULL), -EINVAL);
	buf_done(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base64");
	TCase *t = tcase_create("base64");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, the_vectors_of_the_rfc_both_ways, 0, 7);
	tcase_add_test(t, every_byte_survives_and_lines_end_where_asked);
	tcase_add_loop_test(t, what_is_no_base64_is_refused, 0, 7);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
