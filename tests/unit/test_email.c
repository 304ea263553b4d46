/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "notify/email_mime.h"
#include "tests/unit/email_case.h"
#include "tests/unit/scratch.h"

static const char *build_as(bool plain)
{
	outgoing_done(&out);
	ck_assert_msg(channel_email.build(&c, NULL, &m, plain, &out, &err) == 0, "%s", err.msg);
	return buf_str(&out.body);
}

static const char *build(void)
{
	return build_as(false);
}

/* The value of a header, folded lines and all, without its last line end. */
static char *header(const char *name)
{
	_cleanup_(free_p) char *begin = str_format("\r\n%s: ", name);
	_cleanup_(free_p) char *mail = str_format("\r\n%s", buf_str(&out.body));
	const char *head_end = strstr(mail, "\r\n\r\n");
	const char *at = strstr(mail, begin), *end;

	if (!at || at > head_end)
		return NULL;
	at += strlen(begin);
	for (end = strstr(at, "\r\n"); end[2] == ' '; end = strstr(end + 2, "\r\n"))
		continue;
	return str_ndup(at, (size_t)(end - at));
}

static void expect_header(const char *name, const char *value)
{
	_cleanup_(free_p) char *got = header(name);

	ck_assert_msg(got && strcmp(got, value) == 0, "%s: %s", name, got ? got : "(none)");
}

START_TEST(the_envelope_is_addresses_alone)
{
	c.from = "The agent <agent@example.com>";
	(void)build();
	ck_assert_int_eq(out.transport, TRANSPORT_MAIL);
	ck_assert_str_eq(out.url, c.url);
	ck_assert_str_eq(out.from, "agent@example.com");
	ck_assert_str_eq(out.to[0], "ops@example.com");
	ck_assert_str_eq(out.to[1], "ann@example.org");
	ck_assert_ptr_null(out.to[2]);
	ck_assert(out.require_tls);
	ck_assert_ptr_null(strstr(buf_str(&out.body), "correct horse"));
	expect_header("From", "The agent\r\n <agent@example.com>");
}
END_TEST

START_TEST(only_none_goes_without_tls)
{
	c.security = NULL;
	(void)build();
	ck_assert(out.require_tls);
	c.security = "tls";
	(void)build();
	ck_assert(out.require_tls);
	c.security = "none";
	(void)build();
	ck_assert(!out.require_tls);
}
END_TEST

START_TEST(headers_say_who_what_and_when)
{
	(void)build();
	expect_header("From", "web-1\r\n <agent@example.com>");
	expect_header("To", "ops@example.com,\r\n ann@example.org");
	expect_header("Subject", "CRITICAL web-1: Disk / is 97.2 % full");
	expect_header("Date", "Sat, 21 Nov 2026 08:33:50 +0000");
	expect_header("Auto-Submitted", "auto-generated");
	expect_header("X-Agent-Severity", "critical");
	expect_header("X-Agent-Kind", "alert.firing");
	expect_header("Importance", "high");
	expect_header("MIME-Version", "1.0");
}
END_TEST

START_TEST(the_date_is_local_time_in_english)
{
	ck_assert_int_eq(setenv("TZ", "XXX3:30", 1), 0); /* west of Greenwich */
	tzset();
	(void)build();
	expect_header("Date", "Sat, 21 Nov 2026 05:03:50 -0330");
	ck_assert_int_eq(setenv("TZ", "Europe/Berlin", 1), 0);
	tzset();
	m.now_ms = 1784600000000; /* summer */
	(void)build();
	expect_header("Date", "Tue, 21 Jul 2026 04:13:20 +0200");
}
END_TEST

START_TEST(a_repeat_has_the_same_message_id_and_another_mail_another)
{
	_cleanup_(free_p) char *first = NULL, *repeat = NULL, *later = NULL, *other = NULL;

	(void)build();
	first = header("Message-ID");
	m.now_ms += 60000;
	(void)build();
	repeat = header("Message-ID");
	ck_assert_str_eq(first, repeat);
	/* Another installation, or this one with a new database. */
	ev->time_ms++;
	(void)build();
	later = header("Message-ID");
	ck_assert_str_ne(first, later);
	/* What came meanwhile is in it. */
	m.n_more = 1;
	(void)build();
	other = header("Message-ID");
	ck_assert_str_ne(later, other);
	ck_assert_int_eq(first[0], '<');
	ck_assert(str_ends(first, ".web-1@example.com>"));
}
END_TEST

START_TEST(an_alert_and_its_recovery_are_one_thread)
{
	struct event *end = event_new("alert.recovered", SEVERITY_CRITICAL, "disk filesystem//");
	_cleanup_(free_p) char *story = NULL, *id = NULL, *other = NULL;

	end->is_end = true;
	(void)build();
	story = header("References");
	ck_assert_ptr_nonnull(story);
	expect_header("In-Reply-To", story);
	id = header("Message-ID");
	ck_assert_str_ne(id, story);
	m.events[0] = end;
	(void)build();
	expect_header("References", story);
	expect_header("X-Agent-Severity", "ok");
	ck_assert_ptr_null(header("Importance"));
	/* The same disk of another server is another story. */
	m.host = "web-2";
	(void)build();
	other = header("References");
	ck_assert_str_ne(other, story);
	event_free(end);
}
END_TEST

START_TEST(what_is_no_story_is_in_no_thread)
{
	struct event *note = event_new("message", SEVERITY_INFO, "");

	m.events[0] = note;
	(void)build();
	ck_assert_ptr_null(header("References"));
	m.events[0] = ev;
	m.events[1] = note;
	m.n = 2;
	(void)build();
	ck_assert_ptr_null(header("References"));
	ck_assert_ptr_null(header("In-Reply-To"));
	event_free(note);
}
END_TEST

START_TEST(the_picture_is_inside_when_there_is_one)
{
	m.picture = "\x89PNG picture";
	m.picture_len = 12;
	(void)build();
	expect_header("Content-Type", "multipart/related;\r\n boundary=\"=_agent_1\"");
	ck_assert_ptr_nonnull(strstr(buf_str(&out.body), "Content-Type: image/png"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out.body), "\r\niVBORyBwaWN0dXJl")); /* \x89PN */
}
END_TEST

START_TEST(no_picture_where_it_is_not_wanted)
{
	m.picture = "\x89PNG picture";
	m.picture_len = 12;
	c.pictures = false;
	ck_assert_ptr_null(strstr(build(), "image/png"));
	c.pictures = true;
	ck_assert_ptr_null(strstr(build_as(true), "image/png"));
	ck_assert_ptr_null(strstr(buf_str(&out.body), "text/html"));
	expect_header("Content-Type", "text/plain; charset=utf-8");
	m.picture_len = 200 * 1024; /* would not fit */
	ck_assert_ptr_null(strstr(build(), "image/png"));
}
END_TEST

/* Lines end with CRLF and are short; the head has the headers it should have, and no other. */
static void expect_well_formed(void)
{
	static const char *const names[] = {
		"From: ", "To: ", "Subject: ", "Date: ", "Message-ID: ", "In-Reply-To: ",
		"References: ", "Auto-Submitted: ", "X-Agent-Severity: ", "X-Agent-Kind: ",
		"Importance: ", "MIME-Version: ", "Content-Type: ", "Content-Transfer-Encoding: "};
	size_t seen[ARRAY_LEN(names)] = {0};
	const char *p = buf_str(&out.body);
	bool head = true;

	while (*p) {
		size_t n = strcspn(p, "\r\n"), i = 0, k = 0;

		ck_assert_uint_le(n, 998);
		ck_assert_msg(p[n] == '\r' && p[n + 1] == '\n', "%.*s", (int)n + 1, p);
		/* One assertion for all characters: each is a system call. */
		while (k < n && ((p[k] >= ' ' && p[k] <= '~') || p[k] == '\t'))
			k++;
		ck_assert_msg(k == n, "%.*s", (int)n, p);
		head = head && n > 0;
		while (head && *p != ' ' && i < ARRAY_LEN(names) && !str_starts(p, names[i]))
			i++;
		ck_assert_msg(i < ARRAY_LEN(names), "%.*s", (int)n, p);
		if (head && *p != ' ')
			ck_assert_uint_eq(seen[i]++, 0);
		p += n + 2;
	}
	ck_assert(!head);
	ck_assert_uint_eq(strlen(buf_str(&out.body)), out.body.len);
}

/* Texts that try to be something else than text. */
static const char *const hostile[] = {
	"x\r\nBcc: evil@example.com\r\n\r\nbody",
	"x\nBcc: evil@example.com",
	"x\r\n\r\n--=_agent_1\r\nContent-Type: text/html\r\n\r\n<script>",
	"--=_agent_1--",
	"=_agent_1",
	"=?utf-8?B?QmNjOiBldmls?=",
	".\r\nMAIL FROM:<x@y>",
	"\xf0\x9f\x94\xa5 \xd0\xbc\xd0\xb8\xd1\x80 \"quoted\" <a@b>, (comment) \\",
	"\x01\x02\x7f\x1b[31m",
	"\xff\xfe\xc3",
	"   ",
	"",
};

START_TEST(no_text_is_more_than_text)
{
	const char *text = hostile[_i];

	event_title(ev, "%s", text);
	event_text(ev, "%s", text);
	event_fact(ev, text, "%s", text);
	event_set(&ev->kind, text);
	event_set(&ev->key, text);
	event_set(&ev->link, text);
	m.host = ev->title; /* cleaned as the configuration's is */
	(void)build();
	expect_well_formed();
	m.picture = "x";
	m.picture_len = 1;
	(void)build();
	expect_well_formed();
	(void)build_as(true);
	expect_well_formed();
}
END_TEST

START_TEST(the_longest_texts_fit)
{
	static char text[EVENT_TEXT_MAX], png[128 * 1024];

	if (under_valgrind()) /* minutes; the sanitizers see it */
		return;
	memset(text, _i ? '"' : '\xc3', sizeof(text) - 1);
	for (size_t i = 1; !_i && i < sizeof(text) - 1; i += 2)
		text[i] = '\xa9'; /* é */
	event_title(ev, "%s", text);
	event_text(ev, "%s", text);
	for (int i = 0; i < EVENT_FACTS_MAX; i++)
		event_fact(ev, text, "%s", text);
	m.picture = png;
	m.picture_len = sizeof(png);
	(void)build();
	expect_well_formed();
	ck_assert_ptr_nonnull(strstr(buf_str(&out.body), "image/png"));
	for (m.n = 0; m.n < MESSAGE_EVENTS_MAX; m.n++)
		m.events[m.n] = ev;
	(void)build();
	expect_well_formed();
}
END_TEST

/* Mails of random bytes, the same each time. */
START_TEST(random_texts_make_whole_mails)
{
	unsigned seed = 1;
	char text[400];
	int rounds = under_valgrind() ? 5 : 1000;

	for (int round = 0; round < rounds; round++) {
		size_t n = (size_t)rand_r(&seed) % sizeof(text);

		for (size_t i = 0; i < n; i++)
			text[i] = (char)(rand_r(&seed) >> 3);
		text[n] = '\0';
		event_free(ev);
		m.events[0] = ev = event_new(text + n / 5, SEVERITY_WARNING, text);
		event_title(ev, "%s", text);
		event_text(ev, "%s", text + n / 3);
		event_fact(ev, text + n / 2, "%s", text + n / 4);
		(void)build();
		expect_well_formed();
	}
}
END_TEST

START_TEST(html_shows_texts_and_interprets_none)
{
	const char *mail;

	event_title(ev, "<img src=x onerror=alert(1)> & \"q\"");
	event_text(ev, "</p><script>alert(1)</script>");
	event_fact(ev, "<b>", "'\"><a href=javascript:x>");
	event_set(&ev->link, "/\"><script>");
	mail = strstr(build(), "text/html");
	ck_assert_ptr_nonnull(mail);
	ck_assert_ptr_null(strstr(mail, "<img"));
	ck_assert_ptr_null(strstr(mail, "<script"));
	ck_assert_ptr_null(strstr(mail, "<b>"));
	ck_assert_ptr_null(strstr(mail, "<a href=3Djava"));
	ck_assert_ptr_nonnull(strstr(mail, "&lt;script"));
}
END_TEST

START_TEST(quoted_printable_is_as_written_in_its_rfc)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(10000);
	char text[100];

	mime_quoted_printable(&b, "a=b \nend\t");
	ck_assert_str_eq(buf_str(&b), "a=3Db=20\r\nend=09\r\n");
	buf_clear(&b);
	memset(text, 'x', 99);
	text[99] = '\0';
	mime_quoted_printable(&b, text);
	ck_assert_uint_eq(strcspn(buf_str(&b), "\r"), 76);
	ck_assert_int_eq(buf_str(&b)[75], '=');
	ck_assert_uint_eq(b.len, 99 + 3 + 2);
}
END_TEST

static Suite *email_suite(void)
{
	Suite *s = suite_create("email");
	TCase *tc = tcase_create("email");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, the_envelope_is_addresses_alone);
	tcase_add_test(tc, only_none_goes_without_tls);
	tcase_add_test(tc, headers_say_who_what_and_when);
	tcase_add_test(tc, the_date_is_local_time_in_english);
	tcase_add_test(tc, a_repeat_has_the_same_message_id_and_another_mail_another);
	tcase_add_test(tc, an_alert_and_its_recovery_are_one_thread);
	tcase_add_test(tc, what_is_no_story_is_in_no_thread);
	tcase_add_test(tc, the_picture_is_inside_when_there_is_one);
	tcase_add_test(tc, no_picture_where_it_is_not_wanted);
	tcase_add_loop_test(tc, no_text_is_more_than_text, 0, (int)ARRAY_LEN(hostile));
	tcase_add_loop_test(tc, the_longest_texts_fit, 0, 2);
	tcase_add_test(tc, random_texts_make_whole_mails);
	tcase_add_test(tc, html_shows_texts_and_interprets_none);
	tcase_add_test(tc, quoted_printable_is_as_written_in_its_rfc);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(email_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
