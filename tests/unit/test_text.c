/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "notify/text.h"

/* Zero width space. */
#define Z "\u200b"

typedef void (*cut_fn)(struct buf *b, const char *s, size_t max);

static void assert_cut(cut_fn cut, const char *in, size_t max, const char *out)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1000);

	cut(&b, in, max);
	ck_assert_str_eq(buf_str(&b), out);
}

static void assert_escaped(text_escape_fn escape, const char *in, const char *out)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1000);

	escape(&b, in);
	ck_assert_str_eq(buf_str(&b), out);
}

START_TEST(lengths_are_counted_as_providers_count)
{
	ck_assert_uint_eq(text_utf16_len(""), 0);
	ck_assert_uint_eq(text_utf16_len("aü€"), 3);
	ck_assert_uint_eq(text_utf16_len("a\U0001f525b"), 4);
}
END_TEST

START_TEST(what_fits_is_not_cut)
{
	assert_cut(text_cut_bytes, "abcü", 5, "abcü");
	assert_cut(text_cut_chars, "abcü", 4, "abcü");
	assert_cut(text_cut_utf16, "ab\U0001f525", 4, "ab\U0001f525");
	assert_cut(text_cut_lines_utf16, "a\nb\n", 4, "a\nb\n");
	assert_cut(text_cut_chars, "", 0, "");
}
END_TEST

START_TEST(a_cut_is_marked_and_within_the_limit)
{
	assert_cut(text_cut_bytes, "abcdef", 5, "ab…");
	assert_cut(text_cut_bytes, "aüüü", 5, "a…"); /* not half an ü */
	assert_cut(text_cut_bytes, "abc", 2, "ab"); /* no room for the mark */
	assert_cut(text_cut_chars, "abcdef", 5, "abcd…");
	assert_cut(text_cut_chars, "a\U0001f525\U0001f525\U0001f525", 3, "a\U0001f525…");
	assert_cut(text_cut_utf16, "abcdef", 5, "abcd…");
	assert_cut(text_cut_utf16, "a\U0001f525\U0001f525\U0001f525", 5, "a\U0001f525…");
	assert_cut(text_cut_utf16, "a\U0001f525\U0001f525\U0001f525", 6, "a\U0001f525\U0001f525…");
	assert_cut(text_cut_utf16, "\U0001f525\U0001f525", 2, "…");
	assert_cut(text_cut_utf16, "abc", 1, "…");
	assert_cut(text_cut_utf16, "abc", 0, "");
	assert_cut(text_cut_chars, "ab  cdef", 5, "ab…"); /* no blank before the mark */
}
END_TEST

START_TEST(long_texts_are_cut_at_a_line)
{
	_cleanup_(buf_done) struct buf in = BUF_INIT(10000), b = BUF_INIT(10000);

	for (int i = 100; i < 200; i++)
		buf_addf(&in, "line %d\n", i);
	text_cut_lines_utf16(&b, buf_str(&in), 200);
	ck_assert_uint_le(text_utf16_len(buf_str(&b)), 200);
	ck_assert_msg(str_ends(buf_str(&b), "line 117\n…(82 more lines)"), "%s", buf_str(&b));
	/* One line without an end is cut as it is. */
	buf_clear(&in);
	buf_clear(&b);
	for (int i = 0; i < 500; i++)
		buf_addc(&in, 'x');
	text_cut_lines_utf16(&b, buf_str(&in), 200);
	ck_assert_uint_eq(text_utf16_len(buf_str(&b)), 200);
	ck_assert(str_ends(buf_str(&b), "xx…"));
	buf_clear(&in);
	buf_clear(&b);
	buf_adds(&in, "first\n");
	for (int i = 0; i < 500; i++)
		buf_addc(&in, 'x');
	text_cut_lines_utf16(&b, buf_str(&in), 200);
	ck_assert(str_ends(buf_str(&b), "xx…"));
}
END_TEST

START_TEST(html_is_text)
{
	assert_escaped(text_add_html, "<b a=\"x\" c='y'>&amp;",
		"&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;&amp;amp;");
}
END_TEST

START_TEST(mrkdwn_is_text)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"Disk / is 93.1 % full", "Disk / is 93.1 % full"},
		{"shop_web_1 at 03:12:05", "shop_web_1 at 03:12:05"}, /* nothing means anything */
		{"2 * 3 * 4", "2 * 3 * 4"},
		{"<!channel> & <https://a|b>", "&lt;!channel&gt; &amp; &lt;https://a|b&gt;"},
		{"*bold*", "*" Z "bold" Z "*"},
		{"(_it_)", "(_" Z "it" Z "_)"},
		{"~no~ `code`", "~" Z "no" Z "~ `" Z "code" Z "`"},
		{"@channel @here @everyone me@x", "@" Z "channel @" Z "here @" Z "everyone me@x"},
		{":fire: :+1:", ":" Z "fire: :" Z "+1:"},
		{"> quote\n> quote", Z "&gt; quote\n" Z "&gt; quote"},
		{"a > b", "a &gt; b"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_escaped(text_add_mrkdwn, cases[i].in, cases[i].out);
}
END_TEST

START_TEST(markdown_is_text)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"Disk / is 93.1 % full - since 03:12:05",
			"Disk / is 93.1 % full - since 03:12:05"},
		{"**b** _i_ ~~s~~ ||x||", "\\*\\*b\\*\\* \\_i\\_ \\~\\~s\\~\\~ \\|\\|x\\|\\|"},
		{"`c` \\ [l](http://x) ![p](y)", "\\`c\\` \\\\ \\[l\\](http://x) \\!\\[p\\](y)"},
		{"<@123> <script>", "\\<@123\\> \\<script\\>"},
		{"@everyone @here", "@" Z "everyone @" Z "here"},
		{"# h\n- l\n  + l\n= \n1. x\n2) y\nv1. z",
			"\\# h\n\\- l\n  \\+ l\n\\= \n1\\. x\n2\\) y\nv1. z"},
		{"&lt; a & b &#60;", "\\&lt; a & b \\&#60;"},
		{":fire: 10:00:00", "\\:fire: 10:00:00"},
		{"    code\n\tcode", "\u00a0   code\n\u00a0code"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_escaped(text_add_markdown, cases[i].in, cases[i].out);
}
END_TEST

START_TEST(escaped_text_is_within_the_limit)
{
	_cleanup_(buf_done) struct buf in = BUF_INIT(200000), b = BUF_INIT(10000);

	for (int i = 0; i < 50000; i++)
		buf_adds(&in, i % 40 == 39 ? "\n" : "<");
	for (size_t max = 0; max < 300; max += 7) {
		buf_clear(&b);
		text_cut_escaped(&b, buf_str(&in), max, text_add_html);
		ck_assert_uint_le(text_utf16_len(buf_str(&b)), max);
		/* Nothing but whole entities. */
		ck_assert(strcspn(buf_str(&b), "&") == 0 || max < 5);
		for (const char *p = buf_str(&b); (p = strchr(p, '&')); p++)
			ck_assert(str_starts(p, "&lt;"));
	}
	buf_clear(&b);
	text_cut_escaped(&b, "a < b", 8, text_add_html);
	ck_assert_str_eq(buf_str(&b), "a &lt; b");
}
END_TEST

/* The text behind encoded words, as a mail reader sees it. */
static void decode_words(const char *s, struct buf *out)
{
	while (*s) {
		const char *end;

		s += strspn(s, "\r\n ");
		ck_assert_msg(str_starts(s, "=?UTF-8?B?"), "%s", s);
		end = strstr(s + 10, "?=");
		ck_assert_ptr_nonnull(end);
		ck_assert_int_eq(base64_decode(out, s + 10, (size_t)(end - s - 10), NULL), 0);
		ck_assert_uint_le((size_t)(end + 2 - s), 75);
		s = end + 2;
	}
}

START_TEST(mail_headers_are_encoded_and_folded)
{
	_cleanup_(buf_done) struct buf in = BUF_INIT(1000), b = BUF_INIT(10000),
				       back = BUF_INIT(1000);

	text_add_mail_header(&b, "Disk / is full\r\nBcc: x", 9);
	ck_assert_str_eq(buf_str(&b), "Disk / is full  Bcc: x");
	buf_clear(&b);
	text_add_mail_header(&b, "=?UTF-8?B?eA==?=", 9); /* would be decoded */
	decode_words(buf_str(&b), &back);
	ck_assert_str_eq(buf_str(&back), "=?UTF-8?B?eA==?=");
	for (size_t used = 0; used < 90; used++) {
		size_t column;

		buf_clear(&in);
		buf_clear(&b);
		buf_clear(&back);
		for (int i = 0; i < 50; i++)
			buf_adds(&in, i % 2 ? "\U0001f525é" : "x€");
		text_add_mail_header(&b, buf_str(&in), used);
		decode_words(buf_str(&b), &back);
		ck_assert_str_eq(buf_str(&back), buf_str(&in));
		column = used;
		for (const char *p = buf_str(&b); *p; p++) {
			column = *p == '\n' ? 0 : column + 1;
			ck_assert(*p == '\r' || column <= 76 || column == used + 1);
		}
	}
}
END_TEST

START_TEST(each_encoded_word_is_whole_characters)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(10000);
	const char *p;

	text_add_mail_header(&b, "äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüx", 10);
	for (p = buf_str(&b); (p = strstr(p, "?B?")); p++) {
		_cleanup_(buf_done) struct buf word = BUF_INIT(100);
		size_t n = strcspn(p + 3, "?");

		ck_assert_int_eq(base64_decode(&word, p + 3, n, NULL), 0);
		for (const char *q = buf_str(&word); *q; q += str_utf8_char(q))
			ck_assert_uint_gt(str_utf8_char(q), 0);
	}
}
END_TEST

START_TEST(percent_encoding_leaves_what_is_unreserved)
{
	assert_escaped(text_add_percent, "aZ0-._~ /?ü%", "aZ0-._~%20%2F%3F%C3%BC%25");
}
END_TEST

static Suite *text_suite(void)
{
	Suite *s = suite_create("text");
	TCase *tc = tcase_create("text");

	tcase_add_test(tc, lengths_are_counted_as_providers_count);
	tcase_add_test(tc, what_fits_is_not_cut);
	tcase_add_test(tc, a_cut_is_marked_and_within_the_limit);
	tcase_add_test(tc, long_texts_are_cut_at_a_line);
	tcase_add_test(tc, html_is_text);
	tcase_add_test(tc, mrkdwn_is_text);
	tcase_add_test(tc, markdown_is_text);
	tcase_add_test(tc, escaped_text_is_within_the_limit);
	tcase_add_test(tc, mail_headers_are_encoded_and_folded);
	tcase_add_test(tc, each_encoded_word_is_whole_characters);
	tcase_add_test(tc, percent_encoding_leaves_what_is_unreserved);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(text_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
