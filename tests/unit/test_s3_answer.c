/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/s3_answer.h"
#include "backup/s3_xml.h"
#include "base/cleanup.h"

#define TEXT(s) (s), strlen(s)

struct seen {
	struct buf keys;
	struct store_object last;
	char id[128];
};

static int on_item(void *user, const struct store_object *o, const char *id)
{
	struct seen *s = user;

	buf_addf(&s->keys, "%s|", o->key);
	s->last = *o;
	(void)snprintf(s->id, sizeof(s->id), "%s", id ? id : "none");
	return 0;
}

static int page(const char *body, bool uploads, struct seen *s, struct s3_page *p)
{
	*s = (struct seen){.keys = BUF_INIT(100000)};
	return s3_page_parse(TEXT(body), uploads, on_item, s, p, NULL);
}

START_TEST(an_error_says_its_code_and_where_the_bucket_is)
{
	struct s3_error e;

	s3_error_parse(TEXT("<?xml version=\"1.0\"?><Error><Code>PermanentRedirect</Code>"
			    "<Message>not &quot;here&quot;</Message><Endpoint>x.example</Endpoint>"
			    "<Region>eu-central-1</Region><Else>1</Else></Error>"),
		&e);
	ck_assert_str_eq(e.code, "PermanentRedirect");
	ck_assert_str_eq(e.message, "not \"here\"");
	ck_assert_str_eq(e.endpoint, "x.example");
	ck_assert_str_eq(e.region, "eu-central-1");
	s3_error_parse(TEXT("<html><body>502 Bad Gateway</body></html>"), &e);
	ck_assert_str_eq(e.code, "");
	s3_error_parse("", 0, &e);
	ck_assert_str_eq(e.code, "");
}
END_TEST

START_TEST(a_page_of_objects_and_where_it_goes_on)
{
	struct seen s;
	struct s3_page p;
	int r = page(
		"<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
		"<IsTruncated>true</IsTruncated><NextContinuationToken>a/b+c==</"
		"NextContinuationToken>"
		"<Contents><Key>p/one</Key><Size>1</Size></Contents>"
		"<Contents><Key>p/two%41</Key><LastModified>2026-11-21T12:30:11.978Z</LastModified>"
		"<ETag>&quot;abc&quot;</ETag><Size>5368709120</Size></Contents>"
		"</ListBucketResult>",
		false, &s, &p);

	ck_assert_int_eq(r, 0);
	ck_assert_str_eq(buf_str(&s.keys), "p/one|p/two%41|");
	ck_assert_int_eq(s.last.bytes, 5368709120);
	ck_assert_int_eq(s.last.modified_ms, 1795264211978);
	ck_assert_str_eq(s.last.etag, "abc");
	ck_assert_str_eq(s.id, "none");
	ck_assert(p.is_truncated);
	ck_assert_str_eq(p.next, "a/b+c==");
	buf_done(&s.keys);
}
END_TEST

START_TEST(keys_are_decoded_when_the_answer_says_that_they_are_encoded)
{
	struct seen s;
	struct s3_page p;
	int r = page("<ListBucketResult><Contents><Key>p%2Fa%2Bb+c%20%25C3</Key></Contents>"
		     "<EncodingType>url</EncodingType></ListBucketResult>",
		false, &s, &p);

	ck_assert_int_eq(r, 0);
	ck_assert_str_eq(buf_str(&s.keys), "p/a+b c %C3|");
	ck_assert(!p.is_truncated);
	buf_done(&s.keys);
}
END_TEST

START_TEST(a_page_of_unfinished_uploads)
{
	struct seen s;
	struct s3_page p;
	int r = page(
		"<ListMultipartUploadsResult><NextKeyMarker>p%2Fk</NextKeyMarker>"
		"<NextUploadIdMarker>i%2Fd</NextUploadIdMarker><IsTruncated>true</IsTruncated>"
		"<EncodingType>url</EncodingType><Upload><Key>p%2Fk</Key><UploadId>i/d</UploadId>"
		"<Initiated>2026-11-21T12:30:11Z</Initiated><Owner><ID>x</ID></Owner></Upload>"
		"</ListMultipartUploadsResult>",
		true, &s, &p);

	ck_assert_int_eq(r, 0);
	ck_assert_str_eq(buf_str(&s.keys), "p/k|");
	ck_assert_str_eq(s.id, "i/d");
	ck_assert_int_eq(s.last.modified_ms, 1795264211000);
	ck_assert_str_eq(p.next, "p/k");
	ck_assert_str_eq(p.next_id, "i%2Fd");
	buf_done(&s.keys);
}
END_TEST

/* Otherwise it would be the same page for ever. */
START_TEST(a_list_that_does_not_say_where_it_goes_on_is_refused)
{
	struct seen s;
	struct s3_page p;

	ck_assert_int_eq(
		page("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>", false,
			&s, &p),
		-EBADMSG);
	buf_done(&s.keys);
}
END_TEST

static const char deep[] = "<a><a><a><a><a><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a>"
			   "</a></a></a></a></a>";

START_TEST(what_is_not_one_whole_harmless_document_is_refused)
{
	static const char *const bad[] = {"", "x", "<a>", "<a></b>", "<a/><b/>", "<a>&lt;",
		"<!DOCTYPE a><a/>", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "<a>&x;</a>",
		"<1><2/>", deep};
	struct err e;

	ck_assert(!s3_answer_is(TEXT(bad[_i]), "a"));
	ck_assert_int_eq(s3_answer_text(TEXT(bad[_i]), "a", (char[8]){""}, 8, &e), -EBADMSG);
}
END_TEST

START_TEST(a_text_that_is_too_long_is_refused)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(S3_XML_TEXT_MAX * 2);

	buf_adds(&b, "<a>");
	for (size_t i = 0; i <= S3_XML_TEXT_MAX; i++)
		buf_addc(&b, 'x');
	buf_adds(&b, "</a>");
	ck_assert(!s3_answer_is(buf_str(&b), b.len, "a"));
}
END_TEST

START_TEST(an_answer_is_known_by_its_root)
{
	const char *body = "<CompleteMultipartUploadResult><ETag/></CompleteMultipartUploadResult>";
	size_t n = 0;

	ck_assert(s3_answer_is(TEXT(body), "CompleteMultipartUploadResult"));
	ck_assert(!s3_answer_is(TEXT("<Error><Code>InternalError</Code></Error>"),
		"CompleteMultipartUploadResult"));
	ck_assert(!s3_answer_is(body, strlen(body) - 1, "CompleteMultipartUploadResult"));
	ck_assert_int_eq(s3_answer_count(TEXT("<L><P/><P/><Q><P/></Q></L>"), "L/P", &n, NULL), 0);
	ck_assert_uint_eq(n, 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("s3_answer");
	TCase *t = tcase_create("s3_answer");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(t, an_error_says_its_code_and_where_the_bucket_is);
	tcase_add_test(t, a_page_of_objects_and_where_it_goes_on);
	tcase_add_test(t, keys_are_decoded_when_the_answer_says_that_they_are_encoded);
	tcase_add_test(t, a_page_of_unfinished_uploads);
	tcase_add_test(t, a_list_that_does_not_say_where_it_goes_on_is_refused);
	tcase_add_loop_test(t, what_is_not_one_whole_harmless_document_is_refused, 0, 11);
	tcase_add_test(t, a_text_that_is_too_long_is_refused);
	tcase_add_test(t, an_answer_is_known_by_its_root);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
