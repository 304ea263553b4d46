/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/s3_error.h"
#include "backup/s3_retry.h"
#include "base/cleanup.h"

static const struct {
	struct s3_outcome o;
	enum s3_verdict verdict;
} cases[] = {
	{{.status = 200, .code = ""}, S3_DONE},
	{{.status = 206, .code = ""}, S3_DONE},
	{{.error = -EIO, .can_pass = true, .code = ""}, S3_AGAIN},
	{{.error = -EPROTO, .can_pass = false, .code = ""}, S3_FAILED},
	{{.status = 200, .code = "InternalError"}, S3_AGAIN},
	{{.status = 200, .code = "InvalidPart"}, S3_FAILED},
	{{.status = 408, .code = ""}, S3_AGAIN},
	{{.status = 429, .code = ""}, S3_AGAIN},
	{{.status = 499, .code = ""}, S3_AGAIN},
	{{.status = 500, .code = ""}, S3_AGAIN},
	{{.status = 503, .code = "SlowDown"}, S3_AGAIN},
	{{.status = 400, .code = "RequestTimeout"}, S3_AGAIN},
	{{.status = 400, .code = "BadDigest"}, S3_AGAIN},
	{{.status = 501, .code = "NotImplemented"}, S3_FAILED},
	{{.status = 301, .code = "PermanentRedirect"}, S3_FAILED},
	{{.status = 404, .code = "NoSuchUpload"}, S3_FAILED},
	{{.status = 412, .code = "PreconditionFailed"}, S3_FAILED},
	{{.status = 403, .code = "AccessDenied"}, S3_KEYS},
	{{.status = 403, .code = "InvalidAccessKeyId"}, S3_KEYS},
	{{.status = 400, .code = "ExpiredToken"}, S3_EXPIRED},
	/* Row 17: the server's Date tells. HEAD has no code. */
	{{.status = 403, .code = "RequestTimeTooSkewed", .clock_off_s = 1200}, S3_CLOCK},
	{{.status = 403, .code = "", .clock_off_s = -1200}, S3_CLOCK},
	{{.status = 403, .code = "", .clock_off_s = 5}, S3_KEYS},
	{{.status = 404, .code = "", .clock_off_s = 1200}, S3_FAILED},
	/* The clocks agree: it was under way for too long. */
	{{.status = 403, .code = "RequestTimeTooSkewed", .clock_off_s = 1}, S3_AGAIN},
};

START_TEST(row_19_what_passes_is_tried_again_and_what_does_not_is_not)
{
	ck_assert_int_eq(s3_judge(&cases[_i].o), cases[_i].verdict);
}
END_TEST

START_TEST(row_19_waits_grow_to_five_minutes_with_full_jitter)
{
	const struct s3_retry_limits *l = &s3_retry_usual;

	ck_assert_int_eq(l->budget_ms, 30 * 60000);
	ck_assert_int_eq(s3_retry_wait_ms(l, 0, 1.0, -1), 500);
	ck_assert_int_eq(s3_retry_wait_ms(l, 0, 0.0, -1), 0);
	ck_assert_int_eq(s3_retry_wait_ms(l, 3, 0.5, -1), 2000);
	ck_assert_int_eq(s3_retry_wait_ms(l, 10, 1.0, -1), 300000);
	ck_assert_int_eq(s3_retry_wait_ms(l, 4000000000U, 1.0, -1), 300000);
	/* The server knows better, but not how long anybody waits. */
	ck_assert_int_eq(s3_retry_wait_ms(l, 0, 0.0, 20000), 20000);
	ck_assert_int_eq(s3_retry_wait_ms(l, 0, 0.0, 86400000), 15 * 60000);
}
END_TEST

static int refusal(long status, const char *code, const char *region, struct err *e)
{
	const struct s3_settings s = {.bucket = "b",
		.region = "us-east-1",
		.scheme = (char[]){"https://"},
		.host = (char[]){"s3.example.com"},
		.base_path = (char[]){""}};
	struct s3_error said = {.message = "why"};

	(void)snprintf(said.code, sizeof(said.code), "%s", code);
	return s3_refused(&s, &(struct s3_refusal){"GET", "k", status, 8388608, &said, region}, e);
}

START_TEST(refusals_say_what_to_mend)
{
	struct err e;

	ck_assert_int_eq(refusal(404, "NoSuchKey", "", &e), -ENOENT);
	ck_assert_str_eq(e.msg, "GET k: 404 NoSuchKey: why");
	ck_assert_int_eq(refusal(404, "NoSuchBucket", "", &e), -ENXIO);
	ck_assert_ptr_nonnull(strstr(e.msg, "no bucket \"b\" at https://s3.example.com"));
	ck_assert_int_eq(refusal(403, "AccessDenied", "", &e), -EACCES);
	ck_assert_int_eq(refusal(403, "SignatureDoesNotMatch", "", &e), -EKEYREJECTED);
	ck_assert_ptr_nonnull(strstr(e.msg, "credentials_file"));
	ck_assert_int_eq(refusal(400, "ExpiredToken", "", &e), -EKEYEXPIRED);
	ck_assert_str_eq(e.msg, "the session token in credentials_file has expired (ExpiredToken)");
	/* The page of a proxy: nothing is known about the object. */
	ck_assert_int_eq(refusal(404, "", "", &e), -ENXIO);
	ck_assert_ptr_nonnull(strstr(e.msg, "https://s3.example.com may be another service"));
	ck_assert_int_eq(refusal(501, "NotImplemented", "", &e), -EOPNOTSUPP);
	ck_assert_int_eq(refusal(503, "SlowDown", "", &e), -EREMOTEIO);
	ck_assert_int_eq(refusal(400, "InvalidStorageClass", "", &e), -EINVAL);
}
END_TEST

START_TEST(a_part_of_a_wrong_size_names_the_option)
{
	struct err e;

	ck_assert_int_eq(refusal(400, "EntityTooLarge", "", &e), -EFBIG);
	ck_assert_str_eq(e.msg,
		"s3.example.com refuses a request of 8388608 bytes (400 EntityTooLarge): "
		"set a smaller part_size");
	ck_assert_int_eq(refusal(413, "", "", &e), -EFBIG);
	ck_assert_ptr_nonnull(strstr(e.msg, "(413): set a smaller part_size"));
	ck_assert_int_eq(refusal(400, "EntityTooSmall", "", &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "set a larger part_size"));
}
END_TEST

START_TEST(row_34_a_redirect_names_the_region)
{
	struct err e;

	ck_assert_int_eq(refusal(301, "PermanentRedirect", "eu-central-1", &e), -EREMOTE);
	ck_assert_ptr_nonnull(strstr(e.msg, "set region = \"eu-central-1\""));
	ck_assert_int_eq(refusal(307, "", "", &e), -EREMOTE);
	ck_assert_ptr_nonnull(strstr(e.msg, "endpoint, region or style is wrong"));
	/* The same region: then it is not that. */
	ck_assert_int_eq(refusal(301, "PermanentRedirect", "us-east-1", &e), -EREMOTE);
	ck_assert_ptr_null(strstr(e.msg, "set region"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("s3_retry");
	TCase *t = tcase_create("s3_retry");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(
		t, row_19_what_passes_is_tried_again_and_what_does_not_is_not, 0, ARRAY_LEN(cases));
	tcase_add_test(t, row_19_waits_grow_to_five_minutes_with_full_jitter);
	tcase_add_test(t, refusals_say_what_to_mend);
	tcase_add_test(t, a_part_of_a_wrong_size_names_the_option);
	tcase_add_test(t, row_34_a_redirect_names_the_region);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
