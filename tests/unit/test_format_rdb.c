/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "backup/crc.h"
#include "tests/unit/format_case.h"

/* Three keys, written by redis-server 7.0.15. */
static const unsigned char dump[] = {
	0x52,
	0x45,
	0x44,
	0x49,
	0x53,
	0x30,
	0x30,
	0x31,
	0x30,
	0xfa,
	0x09,
	0x72,
	0x65,
	0x64,
	0x69,
	0x73,
	0x2d,
	0x76,
	0x65,
	0x72,
	0x06,
	0x37,
	0x2e,
	0x30,
	0x2e,
	0x31,
	0x35,
	0xfa,
	0x0a,
	0x72,
	0x65,
	0x64,
	0x69,
	0x73,
	0x2d,
	0x62,
	0x69,
	0x74,
	0x73,
	0xc0,
	0x40,
	0xfa,
	0x05,
	0x63,
	0x74,
	0x69,
	0x6d,
	0x65,
	0xc2,
	0x2b,
	0x92,
	0x01,
	0x6b,
	0xfa,
	0x08,
	0x75,
	0x73,
	0x65,
	0x64,
	0x2d,
	0x6d,
	0x65,
	0x6d,
	0xc2,
	0x28,
	0xb7,
	0x0e,
	0x00,
	0xfa,
	0x0e,
	0x72,
	0x65,
	0x70,
	0x6c,
	0x2d,
	0x73,
	0x74,
	0x72,
	0x65,
	0x61,
	0x6d,
	0x2d,
	0x64,
	0x62,
	0xc0,
	0x00,
	0xfa,
	0x07,
	0x72,
	0x65,
	0x70,
	0x6c,
	0x2d,
	0x69,
	0x64,
	0x28,
	0x34,
	0x63,
	0x37,
	0x62,
	0x61,
	0x66,
	0x33,
	0x33,
	0x31,
	0x62,
	0x33,
	0x66,
	0x65,
	0x64,
	0x38,
	0x38,
	0x61,
	0x37,
	0x37,
	0x62,
	0x66,
	0x36,
	0x39,
	0x39,
	0x32,
	0x64,
	0x35,
	0x37,
	0x31,
	0x35,
	0x31,
	0x39,
	0x39,
	0x63,
	0x39,
	0x66,
	0x34,
	0x31,
	0x37,
	0x61,
	0xfa,
	0x0b,
	0x72,
	0x65,
	0x70,
	0x6c,
	0x2d,
	0x6f,
	0x66,
	0x66,
	0x73,
	0x65,
	0x74,
	0xc0,
	0x00,
	0xfa,
	0x08,
	0x61,
	0x6f,
	0x66,
	0x2d,
	0x62,
	0x61,
	0x73,
	0x65,
	0xc0,
	0x00,
	0xfe,
	0x00,
	0xfb,
	0x03,
	0x00,
	0x00,
	0x02,
	0x6b,
	0x31,
	0x02,
	0x76,
	0x31,
	0x00,
	0x02,
	0x6b,
	0x32,
	0x02,
	0x76,
	0x32,
	0x00,
	0x02,
	0x6b,
	0x33,
	0x02,
	0x76,
	0x33,
	0xff,
	0x21,
	0xfc,
	0xcd,
	0x63,
	0xae,
	0x1e,
	0xf8,
	0x4c,
};

static int check(const void *data, size_t n, size_t piece)
{
	return format_check(&format_redis_rdb, data, n, piece, NULL);
}

START_TEST(the_sums_are_those_of_the_standards)
{
	struct crc_table t;

	crc_table_init(&t, CRC64_JONES);
	ck_assert_uint_eq(crc_update(&t, 0, "123456789", 9), UINT64_C(0xe9c6d914c4b8d9ca));
	crc_table_init(&t, CRC32_IEEE);
	ck_assert_uint_eq(crc_update(&t, 0xffffffff, "123456789", 9) ^ 0xffffffff, 0xcbf43926);
}
END_TEST

START_TEST(a_dump_is_right_in_pieces_of_any_size)
{
	for (size_t piece = 1; piece <= sizeof(dump); piece++)
		ck_assert_int_eq(check(dump, sizeof(dump), piece), 0);
}
END_TEST

START_TEST(row_04_a_dump_that_is_cut_is_refused_wherever)
{
	for (size_t n = 0; n < sizeof(dump); n++) {
		ck_assert_int_eq(check(dump, n, 50), -EBADMSG);
		ck_assert_int_eq(check(dump, n, 3), -EBADMSG);
	}
}
END_TEST

START_TEST(every_changed_byte_is_noticed)
{
	unsigned char copy[sizeof(dump)];

	memcpy(copy, dump, sizeof(dump));
	for (size_t i = 0; i < sizeof(dump); i++) {
		copy[i] ^= 0x20;
		/* The version's digits are part of the sum as well. */
		ck_assert_int_eq(check(copy, sizeof(copy), 100), -EBADMSG);
		copy[i] ^= 0x20;
	}
}
END_TEST

START_TEST(bytes_behind_the_end_are_refused)
{
	unsigned char copy[sizeof(dump) + 40];

	memcpy(copy, dump, sizeof(dump));
	memset(copy + sizeof(dump), 'a', 40); /* what a mark of the end looks like */
	for (size_t n = 1; n <= 40; n++)
		ck_assert_int_eq(check(copy, sizeof(dump) + n, 64), -EBADMSG);
}
END_TEST

START_TEST(without_a_sum_the_opcode_must_be_there)
{
	unsigned char copy[sizeof(dump)];

	memcpy(copy, dump, sizeof(dump));
	memset(copy + sizeof(dump) - 8, 0, 8);
	ck_assert_int_eq(check(copy, sizeof(copy), 64), 0);
	copy[sizeof(dump) - 9] = 0xfe;
	ck_assert_int_eq(check(copy, sizeof(copy), 64), -EBADMSG);
}
END_TEST

START_TEST(valkey_has_a_name_of_its_own)
{
	unsigned char copy[sizeof(dump)];

	memcpy(copy, dump, sizeof(dump));
	memset(copy + sizeof(dump) - 8, 0, 8);
	memcpy(copy, "VALKEY080", 9);
	ck_assert_int_eq(check(copy, sizeof(copy), 64), 0);
	memcpy(copy, "RODIS0011", 9);
	ck_assert_int_eq(check(copy, sizeof(copy), 64), -EBADMSG);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("format_rdb");
	TCase *c = tcase_create("format_rdb");
	SRunner *sr;
	int failed;

	tcase_add_test(c, the_sums_are_those_of_the_standards);
	tcase_add_test(c, a_dump_is_right_in_pieces_of_any_size);
	tcase_add_test(c, row_04_a_dump_that_is_cut_is_refused_wherever);
	tcase_add_test(c, every_changed_byte_is_noticed);
	tcase_add_test(c, bytes_behind_the_end_are_refused);
	tcase_add_test(c, without_a_sum_the_opcode_must_be_there);
	tcase_add_test(c, valkey_has_a_name_of_its_own);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
