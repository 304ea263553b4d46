/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "backup/sigv4.h"
#include "base/cleanup.h"

#define ACCESS_KEY "AKIAIOSFODNN7EXAMPLE"
#define SECRET_KEY "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define HOST "examplebucket.s3.amazonaws.com"
#define DATE "20130524T000000Z"
#define WELCOME_SHA256 "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"

/* The four examples of "Authenticating Requests: Using the Authorization Header" in the Amazon S3 API
 * Reference. */
static const struct {
	const char *method, *path;
	struct sigv4_pair query[2];
	size_t n_query;
	struct sigv4_pair headers[6];
	size_t n_headers;
	const char *payload, *signed_headers, *signature;
} examples[] = {
	{"GET", "/test.txt", {{NULL, NULL}}, 0,
		{{"Host", HOST}, {"Range", "bytes=0-9"},
			{"x-amz-content-sha256", SIGV4_EMPTY_SHA256}, {"x-amz-date", DATE}},
		4, SIGV4_EMPTY_SHA256, "host;range;x-amz-content-sha256;x-amz-date",
		"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
	{"PUT", "/test$file.text", {{NULL, NULL}}, 0,
		{{"x-amz-storage-class", "REDUCED_REDUNDANCY"}, {"x-amz-date", DATE},
			{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"Host", HOST},
			{"x-amz-content-sha256", WELCOME_SHA256}},
		5, WELCOME_SHA256, "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
		"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
	{"GET", "/", {{"lifecycle", ""}}, 1,
		{{"Host", HOST}, {"x-amz-content-sha256", SIGV4_EMPTY_SHA256},
			{"x-amz-date", DATE}},
		3, SIGV4_EMPTY_SHA256, "host;x-amz-content-sha256;x-amz-date",
		"fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
	{"GET", "/", {{"prefix", "J"}, {"max-keys", "2"}}, 2,
		{{"Host", HOST}, {"x-amz-content-sha256", SIGV4_EMPTY_SHA256},
			{"x-amz-date", DATE}},
		3, SIGV4_EMPTY_SHA256, "host;x-amz-content-sha256;x-amz-date",
		"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
};

START_TEST(the_examples_of_the_s3_reference)
{
	struct sigv4_request r = {.method = examples[_i].method,
		.path = examples[_i].path,
		.query = examples[_i].query,
		.n_query = examples[_i].n_query,
		.headers = examples[_i].headers,
		.n_headers = examples[_i].n_headers,
		.payload_sha256 = examples[_i].payload};
	struct sigv4_keys k = {ACCESS_KEY, SECRET_KEY, "us-east-1", "s3"};
	_cleanup_(buf_done) struct buf got = BUF_INIT(4096), expected = BUF_INIT(4096);

	sigv4_authorization(&got, &r, &k);
	buf_addf(&expected,
		"AWS4-HMAC-SHA256 Credential=" ACCESS_KEY
		"/20130524/us-east-1/s3/aws4_request, SignedHeaders=%s, Signature=%s",
		examples[_i].signed_headers, examples[_i].signature);
	ck_assert_str_eq(buf_str(&got), buf_str(&expected));
}
END_TEST

/* "get-vanilla" and "get-header-value-trim" of the AWS Signature Version 4 test suite. */
static const struct {
	struct sigv4_pair headers[4];
	size_t n_headers;
	const char *signed_headers, *signature;
} suite[] = {
	{{{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}}, 2,
		"host;x-amz-date",
		"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
	{{{"Host", "example.amazonaws.com"}, {"My-Header1", " value1"},
		 {"My-Header2", " \"a   b   c\""}, {"X-Amz-Date", "20150830T123600Z"}},
		4, "host;my-header1;my-header2;x-amz-date",
		"acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
};

START_TEST(the_general_test_suite)
{
	struct sigv4_request r = {.method = "GET",
		.path = "/",
		.headers = suite[_i].headers,
		.n_headers = suite[_i].n_headers,
		.payload_sha256 = SIGV4_EMPTY_SHA256};
	struct sigv4_keys k = {
		"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service"};
	_cleanup_(buf_done) struct buf got = BUF_INIT(4096), expected = BUF_INIT(4096);

	sigv4_authorization(&got, &r, &k);
	buf_addf(&expected,
		"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
		"SignedHeaders=%s, Signature=%s",
		suite[_i].signed_headers, suite[_i].signature);
	ck_assert_str_eq(buf_str(&got), buf_str(&expected));
}
END_TEST

START_TEST(all_but_unreserved_characters_are_encoded_once_in_upper_case)
{
	static const char *const cases[][3] = {
		{"AZaz09-._~", "AZaz09-._~", "AZaz09-._~"},
		{"a b+c", "a%20b%2Bc", "a%20b%2Bc"},
		{"'()!*", "%27%28%29%21%2A", "%27%28%29%21%2A"},
		{":@,;=&$", "%3A%40%2C%3B%3D%26%24", "%3A%40%2C%3B%3D%26%24"},
		{"100%", "100%25", "100%25"},
		{"%C3%A4", "%25C3%25A4", "%25C3%25A4"},
		{"a//b/../c", "a//b/../c", "a%2F%2Fb%2F..%2Fc"},
		{"\xc3\xa4\xf0\x9f\x98\x80", "%C3%A4%F0%9F%98%80", "%C3%A4%F0%9F%98%80"},
	};
	_cleanup_(buf_done) struct buf b = BUF_INIT(4096);

	sigv4_encode(&b, cases[_i][0], true);
	ck_assert_str_eq(buf_str(&b), cases[_i][1]);
	buf_clear(&b);
	sigv4_encode(&b, cases[_i][0], false);
	ck_assert_str_eq(buf_str(&b), cases[_i][2]);
}
END_TEST

START_TEST(a_query_is_sorted_by_its_encoded_names)
{
	const struct sigv4_pair query[] = {{"uploadId", "a/b+c="}, {"partNumber", "7"}, {"a", "2"},
		{"a-b", ""}, {"a", "10"}, {"\xc3\xa4", "1"}, {"Z", ""}, {"uploads", ""}};
	_cleanup_(buf_done) struct buf b = BUF_INIT(4096);

	sigv4_query(&b, query, ARRAY_LEN(query));
	ck_assert_str_eq(buf_str(&b), "%C3%A4=1&Z=&a=10&a=2&a-b=&partNumber=7&"
				      "uploadId=a%2Fb%2Bc%3D&uploads=");
}
END_TEST

/* Sorting by the whole line would put the longer name first: '-' is less than ':'. */
START_TEST(a_header_whose_name_begins_another_comes_first)
{
	const struct sigv4_pair headers[] = {{"x-amz-meta-a-b", "2"}, {"x-amz-meta-a", "1"},
		{"x-amz-date", DATE}, {"host", "h"}};
	struct sigv4_request r = {.method = "PUT",
		.path = "/k",
		.headers = headers,
		.n_headers = ARRAY_LEN(headers),
		.payload_sha256 = "UNSIGNED-PAYLOAD"};
	_cleanup_(buf_done) struct buf b = BUF_INIT(4096);

	sigv4_canonical_request(&b, &r);
	ck_assert_str_eq(buf_str(&b),
		"PUT\n/k\n\nhost:h\nx-amz-date:" DATE "\nx-amz-meta-a:1\nx-amz-meta-a-b:2\n\n"
		"host;x-amz-date;x-amz-meta-a;x-amz-meta-a-b\nUNSIGNED-PAYLOAD");
}
END_TEST

START_TEST(a_date_is_in_utc)
{
	char date[SIGV4_DATE_SIZE];

	ck_assert_int_eq(setenv("TZ", "America/New_York", 1), 0);
	sigv4_date(date, 1369353600);
	ck_assert_str_eq(date, DATE);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sigv4");
	TCase *t = tcase_create("sigv4");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, the_examples_of_the_s3_reference, 0, ARRAY_LEN(examples));
	tcase_add_loop_test(t, the_general_test_suite, 0, ARRAY_LEN(suite));
	tcase_add_loop_test(t, all_but_unreserved_characters_are_encoded_once_in_upper_case, 0, 8);
	tcase_add_test(t, a_query_is_sorted_by_its_encoded_names);
	tcase_add_test(t, a_header_whose_name_begins_another_comes_first);
	tcase_add_test(t, a_date_is_in_utc);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
