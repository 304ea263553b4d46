/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/s3_credentials.h"
#include "backup/s3_settings.h"
#include "base/cleanup.h"

#define BASE "\"name\":\"o\",\"bucket\":\"b\",\"credentials_file\":\"/c\""

static int parse(const char *members, struct s3_settings *s, json_t **j, struct err *e)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(10000);

	buf_addf(&b, "{" BASE "%s%s}", *members ? "," : "", members);
	*j = json_loads(buf_str(&b), 0, NULL);
	ck_assert_ptr_nonnull(*j);
	return s3_settings_from_json(*j, s, e);
}

static const char *const addresses[][3] = {
	/* settings, host, path of the key k */
	{"", "b.s3.us-east-1.amazonaws.com", "/k"},
	{"\"region\":\"eu-central-1\"", "b.s3.eu-central-1.amazonaws.com", "/k"},
	{"\"region\":\"cn-north-1\"", "b.s3.cn-north-1.amazonaws.com.cn", "/k"},
	{"\"style\":\"path\"", "s3.us-east-1.amazonaws.com", "/b/k"},
	/* The certificate would not fit. */
	{"\"bucket\":\"a.b\"", "s3.us-east-1.amazonaws.com", "/a.b/k"},
	{"\"endpoint\":\"https://s3.example.com:9000/\"", "s3.example.com:9000", "/b/k"},
	{"\"endpoint\":\"https://x.example/s3\",\"prefix\":\"vps1/\"", "x.example", "/s3/b/vps1/k"},
	{"\"endpoint\":\"http://x.example\",\"style\":\"virtual\"", "b.x.example", "/k"},
	{"\"endpoint\":\"https://s3.eu-1.amazonaws.com\"", "b.s3.eu-1.amazonaws.com", "/k"},
};

START_TEST(row_34_the_bucket_is_in_the_path_but_for_aws)
{
	_cleanup_(buf_done) struct buf host = BUF_INIT(1000), path = BUF_INIT(1000);
	struct s3_settings s;
	json_t *j;

	ck_assert_int_eq(parse(addresses[_i][0], &s, &j, NULL), 0);
	s3_settings_host(&s, &host);
	s3_settings_path(&s, "k", &path);
	ck_assert_str_eq(buf_str(&host), addresses[_i][1]);
	ck_assert_str_eq(buf_str(&path), addresses[_i][2]);
	s3_settings_done(&s);
	json_decref(j);
}
END_TEST

static const char *const mistakes[][2] = {
	{"\"bucket\":\"a/b\"", "bucket: "},
	{"\"bucket\":\"\"", "bucket: "},
	{"\"credentials_file\":null", "credentials_file: "},
	{"\"endpoint\":\"s3.example.com\"", "endpoint: "},
	{"\"endpoint\":\"https://key:secret@s3.example.com\"", "endpoint: "},
	{"\"region\":\"\"", "region: "},
	{"\"sse_key_id\":\"k\"", "sse_key_id: "},
	{"\"sse\":\"aes256\",\"sse_key_id\":\"k\"", "sse_key_id: "},
	{"\"object_lock\":\"governance\"", "object_lock_for: "},
	{"\"object_lock_for\":86400000", "object_lock_for: "},
	{"\"max_parts\":1", "max_parts: "},
	{"\"part_size\":1073741824", "part_size: "},
};

START_TEST(mistakes_name_their_option)
{
	struct s3_settings s;
	struct err e = {.msg = ""};
	json_t *j;

	ck_assert_int_eq(parse(mistakes[_i][0], &s, &j, &e), -EINVAL);
	ck_assert_msg(strncmp(e.msg, mistakes[_i][1], strlen(mistakes[_i][1])) == 0, "%s", e.msg);
	json_decref(j);
}
END_TEST

START_TEST(row_20_parts_are_as_large_as_the_last_backup_asks_for)
{
	static const int64_t mib = 1024 * 1024, gib = 1024 * mib;
	struct s3_settings s = {.max_parts = 9900};

	ck_assert_int_eq(s3_part_bytes(&s, 0), 8 * mib);
	ck_assert_int_eq(s3_part_bytes(&s, 46 * gib), 8 * mib);
	ck_assert_int_eq(s3_part_bytes(&s, 48 * gib), 9 * mib);
	ck_assert_int_eq(s3_part_bytes(&s, 600 * gib), 103 * mib);
	ck_assert_int_eq(s3_part_bytes(&s, INT64_MAX), 512 * mib);
	/* Row 22. */
	s.max_parts = 900;
	ck_assert_int_eq(s3_part_bytes(&s, 48 * gib), 91 * mib);
	s.part_bytes = 5 * mib;
	ck_assert_int_eq(s3_part_bytes(&s, 600 * gib), 5 * mib);
}
END_TEST

static const struct {
	const char *text, *id, *secret, *token;
} files[] = {
	{"access_key_id = A\nsecret_access_key = B", "A", "B", ""},
	{"\xef\xbb\xbf# c\n[default]\naws_access_key_id=A\r\n  aws_secret_access_key =\tB/+=\r\n"
	 "aws_session_token = T==\nregion = x\n",
		"A", "B/+=", "T=="},
	{"[x]\naws_access_key_id=X\naws_secret_access_key=Y\n[default]\naws_access_key_id=A\n"
	 "aws_secret_access_key=B\n[z]\naws_access_key_id=Z\naws_session_token=T\n",
		"A", "B", ""},
	{"[x]\naccess_key_id=A\nsecret_access_key=\"B\"\n[y]\naccess_key_id=C\n", "A", "B", ""},
};

START_TEST(keys_in_the_forms_people_have_them)
{
	struct s3_credentials c;
	struct err e = {.msg = ""};

	ck_assert_msg(s3_credentials_parse(files[_i].text, &c, &e) == 0, "%s", e.msg);
	ck_assert_str_eq(c.access_key_id, files[_i].id);
	ck_assert_str_eq(c.secret_access_key, files[_i].secret);
	ck_assert_str_eq(c.session_token, files[_i].token);
}
END_TEST

static const char *const bad_files[][2] = {
	{"", "access_key_id"},
	{"access_key_id = A\n", "secret_access_key"},
	{"access_key_id = A\nhunter2\n", "line 2"},
	{"access_key_id = A\nsecret_access_key = hunter2 hunter2\n", "line 2"},
	{"access_key_id = A\nsecret_access_key = hunter2\x01\n", "line 2"},
};

START_TEST(a_bad_file_is_told_without_its_secrets)
{
	struct s3_credentials c;
	struct err e;

	ck_assert_int_eq(s3_credentials_parse(bad_files[_i][0], &c, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, bad_files[_i][1]));
	ck_assert_ptr_null(strstr(e.msg, "hunter2"));
}
END_TEST

/* RFC 3720, appendix B.4, and the check value of the CRC catalogue. */
START_TEST(row_23_crc32c)
{
	unsigned char b[32] = {0};
	struct s3_payload p;

	ck_assert_uint_eq(s3_crc32c(0, b, sizeof(b)), 0x8a9136aaU);
	memset(b, 0xff, sizeof(b));
	ck_assert_uint_eq(s3_crc32c(0, b, sizeof(b)), 0x62a8ab43U);
	ck_assert_uint_eq(s3_crc32c(0, "123456789", 9), 0xe3069283U);
	ck_assert_uint_eq(s3_crc32c(s3_crc32c(0, "1234", 4), "56789", 5), 0xe3069283U);
	s3_payload_of(&p, S3_CHECKSUM_CRC32C, "123456789", 9);
	ck_assert_str_eq(p.checksum_base64, "4waSgw==");
	ck_assert_str_eq(p.md5_base64, "JfnnlDI7RTiF9RgfG2JNCw==");
	ck_assert_str_eq(p.md5_hex, "25f9e794323b453885f5181f1b624d0b");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("s3_settings");
	TCase *t = tcase_create("s3_settings");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(
		t, row_34_the_bucket_is_in_the_path_but_for_aws, 0, ARRAY_LEN(addresses));
	tcase_add_loop_test(t, mistakes_name_their_option, 0, ARRAY_LEN(mistakes));
	tcase_add_test(t, row_20_parts_are_as_large_as_the_last_backup_asks_for);
	tcase_add_loop_test(t, keys_in_the_forms_people_have_them, 0, ARRAY_LEN(files));
	tcase_add_loop_test(t, a_bad_file_is_told_without_its_secrets, 0, ARRAY_LEN(bad_files));
	tcase_add_test(t, row_23_crc32c);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
