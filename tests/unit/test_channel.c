/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "notify/channel.h"

static const struct channel_type chat = {
	.name = "chat", .doc = "For tests.", .needs = "url to", .check = channel_check_url};

static struct channel good(void)
{
	struct channel c = {
		.name = "ops",
		.type = &chat,
		.url = "https://chat.example.com/hook",
		.to = {"room"},
		.n_to = 1,
		.recoveries = true,
	};

	return c;
}

START_TEST(what_is_missing_or_wrong_is_named)
{
	static const struct {
		const char *url, *to, *says;
	} cases[] = {
		{"https://chat.example.com", "room", NULL},
		{"http://127.0.0.1:8080/x", "room", NULL},
		{NULL, "room", "channel \"ops\": url is missing"},
		{"", "room", "channel \"ops\": url is missing"},
		{"https://chat.example.com", NULL, "channel \"ops\": to is missing"},
		{"https://chat.example.com", "", "channel \"ops\": to is missing"},
		{"chat.example.com", "room",
			"channel \"ops\": url must begin with https:// or http://"},
		{"file:///etc/passwd", "room",
			"channel \"ops\": url must begin with https:// or http://"},
		{"https:///x", "room", "channel \"ops\": url has no host name in it"},
		{"https://a b/", "room", "channel \"ops\": url has a space in it"},
		{"https://a\r\nX: y/", "room",
			"channel \"ops\": url has a control character in it"},
		{"https://a/", "room\nBcc: x", "channel \"ops\": to has a control character in it"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct channel c = good();
		struct err e = {""};

		c.url = cases[i].url;
		c.to[0] = cases[i].to;
		c.n_to = cases[i].to ? 1 : 0;
		ck_assert_msg(channel_check(&c, &e) == (cases[i].says ? -EINVAL : 0), "%zu: %s", i,
			e.msg);
		ck_assert_str_eq(e.msg, cases[i].says ? cases[i].says : "");
	}
}
END_TEST

START_TEST(a_channel_without_a_type_is_refused)
{
	struct channel c = good();
	struct err e = {""};

	c.type = NULL;
	ck_assert_int_eq(channel_check(&c, &e), -EINVAL);
	ck_assert_str_eq(e.msg, "channel \"ops\": type is missing");
}
END_TEST

START_TEST(a_secret_of_several_lines_is_refused_without_being_shown)
{
	struct channel c = good();
	struct err e = {""};

	c.secret = "hunter2\nhunter3";
	ck_assert_int_eq(channel_check(&c, &e), -EINVAL);
	ck_assert_ptr_null(strstr(e.msg, "hunter"));
}
END_TEST

START_TEST(types_are_found_by_name_and_sorted)
{
	ck_assert_ptr_null(channel_type_find("pigeon"));
	for (size_t i = 0; channel_types[i]; i++) {
		ck_assert_ptr_eq(channel_type_find(channel_types[i]->name), channel_types[i]);
		if (i > 0)
			ck_assert(strcmp(channel_types[i - 1]->name, channel_types[i]->name) < 0);
	}
}
END_TEST

START_TEST(a_header_stays_one_line)
{
	struct outgoing o;

	outgoing_init(&o);
	outgoing_header(&o, "Title: %s", "a\r\nX-Evil: 1");
	ck_assert_uint_eq(o.n_headers, 1);
	ck_assert_str_eq(o.headers[0], "Title: a  X-Evil: 1");
	ck_assert_ptr_null(o.headers[1]);
	outgoing_done(&o);
	ck_assert_uint_eq(o.n_headers, 0);
	outgoing_done(&o);
}
END_TEST

static struct event an_event(void)
{
	static char kind[] = "alert.firing", class[] = "container", entity[] = "shop-web";
	struct event ev = {
		.severity = SEVERITY_WARNING, .kind = kind, .class = class, .entity = entity};

	return ev;
}

START_TEST(severity_and_recoveries_decide_what_a_channel_gets)
{
	struct channel c = good();
	struct event ev = an_event();

	c.min_severity = SEVERITY_WARNING;
	ck_assert(channel_wants(&c, &ev));
	ev.severity = SEVERITY_INFO;
	ck_assert(!channel_wants(&c, &ev));
	ev.severity = SEVERITY_CRITICAL;
	ck_assert(channel_wants(&c, &ev));
	ev.is_end = true;
	ck_assert(channel_wants(&c, &ev));
	c.recoveries = false;
	ck_assert(!channel_wants(&c, &ev));
}
END_TEST

static bool takes_criticals(const struct event *ev)
{
	return ev->severity == SEVERITY_CRITICAL;
}

START_TEST(a_type_that_cannot_use_an_event_does_not_get_it)
{
	struct channel_type picky = chat;
	struct channel c = good();
	struct event ev = an_event();

	picky.takes = takes_criticals;
	c.type = &picky;
	ck_assert(!channel_wants(&c, &ev));
	ev.severity = SEVERITY_CRITICAL;
	ck_assert(channel_wants(&c, &ev));
}
END_TEST

START_TEST(quiet_hours_hold_back_what_is_below_their_severity)
{
	struct channel c = good();
	struct err e = {""};
	int64_t now_ms = 1795240000000;

	ck_assert_int_eq(quiet_parse("sun-sat 00:00-24:00", &c.quiet[0], &e), 0);
	c.quiet_below = SEVERITY_CRITICAL;
	ck_assert_int_eq(channel_quiet_until(&c, SEVERITY_WARNING, now_ms), 0);
	c.n_quiet = 1;
	ck_assert_int_gt(channel_quiet_until(&c, SEVERITY_WARNING, now_ms), now_ms / 1000);
	ck_assert_int_eq(channel_quiet_until(&c, SEVERITY_CRITICAL, now_ms), 0);
}
END_TEST

START_TEST(patterns_decide_what_a_channel_gets)
{
	static const char *const shops[] = {"container/shop-*"};
	static const char *const not_shops[] = {"!container/shop-*"};
	static const char *const alerts[] = {"!alert.reminder", "alert.*"};
	struct channel c = good();
	struct event ev = an_event();
	char other[] = "blog", reminder[] = "alert.reminder", backup[] = "backup.failed",
	     none[] = "";

	c.entities = (struct rule_patterns){shops, 1};
	ck_assert(channel_wants(&c, &ev));
	ev.entity = other;
	ck_assert(!channel_wants(&c, &ev));
	c.entities = (struct rule_patterns){not_shops, 1};
	ck_assert(channel_wants(&c, &ev)); /* only excluding: the rest comes */
	c.entities = (struct rule_patterns){shops, 1};
	ev.class = ev.entity = none;
	ck_assert(channel_wants(&c, &ev)); /* about no entity */
	c.events = (struct rule_patterns){alerts, 2};
	ck_assert(channel_wants(&c, &ev));
	ev.kind = reminder;
	ck_assert(!channel_wants(&c, &ev));
	ev.kind = backup;
	ck_assert(!channel_wants(&c, &ev));
}
END_TEST

/* Who did what is there to be looked up. */
START_TEST(notes_go_only_to_channels_that_name_them)
{
	static const char *const all[] = {"*"}, *const some[] = {"audit.*", "deploy.*"},
				 *const but[] = {"!deploy.done"};
	struct channel c = good();
	struct event ev = an_event();
	char note[] = "audit.deploy";

	ev.kind = note;
	ck_assert(!channel_wants(&c, &ev));
	c.events = (struct rule_patterns){all, 1};
	ck_assert(!channel_wants(&c, &ev));
	c.events = (struct rule_patterns){but, 1};
	ck_assert(!channel_wants(&c, &ev));
	c.events = (struct rule_patterns){some, 2};
	ck_assert(channel_wants(&c, &ev));
}
END_TEST

static struct verdict_of judge(int error, long status, const char *body, int64_t retry_after_ms)
{
	struct channel c = good();
	struct answer a = {
		error, error ? "connection refused" : NULL, status, body, retry_after_ms};
	struct verdict_of v;

	memset(&v, 'x', sizeof(v));
	channel_judge(&c, &a, &v);
	return v;
}

START_TEST(passing_errors_are_told_from_lasting_ones)
{
	static const struct {
		long status;
		enum verdict verdict;
	} cases[] = {
		{200, VERDICT_SENT},
		{204, VERDICT_SENT},
		{0, VERDICT_RETRY},
		{301, VERDICT_BROKEN},
		{400, VERDICT_REFUSED},
		{401, VERDICT_BROKEN},
		{403, VERDICT_BROKEN},
		{404, VERDICT_BROKEN},
		{408, VERDICT_RETRY},
		{410, VERDICT_BROKEN},
		{413, VERDICT_REFUSED},
		{422, VERDICT_REFUSED},
		{429, VERDICT_RETRY},
		{500, VERDICT_RETRY},
		{502, VERDICT_RETRY},
		{503, VERDICT_RETRY},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct verdict_of v = judge(0, cases[i].status, "", -1);

		ck_assert_msg(v.verdict == cases[i].verdict, "%ld", cases[i].status);
		ck_assert_int_eq(v.retry_after_ms, -1);
		ck_assert_str_eq(v.memory.to, "");
	}
	ck_assert_int_eq(judge(0, 429, "", 7000).retry_after_ms, 7000);
	ck_assert_int_eq(judge(0, 503, "", 7000).retry_after_ms, 7000);
	ck_assert_int_eq(judge(0, 200, "", 7000).retry_after_ms, -1);
	ck_assert_int_eq(judge(-ECONNREFUSED, 0, "", -1).verdict, VERDICT_RETRY);
	ck_assert_int_eq(judge(-EPROTO, 0, "", -1).verdict, VERDICT_BROKEN);
}
END_TEST

START_TEST(the_providers_words_are_kept_on_one_line)
{
	char text[1000];
	struct verdict_of v = judge(0, 400, "\n invalid_payload:\r\n\t bad \xff block ", -1);

	ck_assert_str_eq(v.why, "HTTP 400: invalid_payload: bad ? block");
	v = judge(0, 502, "<html><h1>Bad gateway", -1);
	ck_assert_str_eq(v.why, "HTTP 502, and a web page instead of an answer");
	v = judge(-ECONNREFUSED, 0, "", -1);
	ck_assert_str_eq(v.why, "connection refused");
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	v = judge(0, 400, text, -1);
	ck_assert_uint_eq(strlen(v.why), sizeof(v.why) - 1);
	ck_assert_str_eq(v.why + sizeof(v.why) - 4, "\u2026");
}
END_TEST

static void assert_redacted(const struct channel *c, const char *in, const char *out)
{
	char text[2000];

	ck_assert_uint_lt(strlen(in), sizeof(text));
	memcpy(text, in, strlen(in) + 1);
	channel_redact(c, text, sizeof(text));
	ck_assert_str_eq(text, out);
}

START_TEST(a_token_is_found_in_every_form_it_comes_back_in)
{
	struct channel c = good();

	c.url = NULL;
	c.secret = "12:Ab/+9%x&";
	assert_redacted(&c, "no 12:Ab/+9%x&!", "no ***!");
	assert_redacted(&c, "12%3AAb%2F%2b9%25x%26", "***");
	assert_redacted(&c, "12:Ab%2F+9%25x&", "***");
	assert_redacted(&c, "{\"12:Ab\\/\\u002b9%x\\u0026\"}", "{\"***\"}");
	assert_redacted(&c, "<b>12:Ab/+9%x&amp;</b>", "<b>***amp;</b>");
	assert_redacted(&c, "/bot12:Ab/+9%x&/send 12:Ab/+9%x&", "/bot***/send ***");
	assert_redacted(&c, "12:Ab/+9%x 12%3", "12:Ab/+9%x 12%3");
	assert_redacted(&c, "12:Ab/\\u002", "12:Ab/\\u002");
	assert_redacted(&c, "", "");
	c.secret = "a&b&c";
	assert_redacted(&c, "x a&amp;b&amp;c y", "x *** y");
	c.secret = "%41%41%41";
	assert_redacted(&c, "a %41%41%41 b", "a *** b");
}
END_TEST

START_TEST(a_login_is_found_as_it_goes_over_the_wire)
{
	struct channel c = good();

	c.url = NULL;
	c.user = "phil";
	c.secret = "mypass";
	assert_redacted(&c, "Authorization: Basic cGhpbDpteXBhc3M=", "Authorization: Basic ***");
	assert_redacted(&c, "phil:mypass", "phil:***");
	c.user = NULL;
	c.secret = "123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc";
	assert_redacted(
		&c, "bot 123456789, AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc", "bot 123456789, ***");
}
END_TEST

START_TEST(the_address_of_a_webhook_is_a_secret)
{
	struct channel c = good();

	c.url = "https://hooks.slack.com/services/T0000/B0000/XyzXyzXyzXyzXyzXyz";
	assert_redacted(&c, "bad https://hooks.slack.com/services/T0000/B0000/XyzXyzXyzXyzXyzXyz",
		"bad https://hooks.slack.com***");
	assert_redacted(&c, "token XyzXyzXyzXyzXyzXyz", "token ***");
	assert_redacted(&c, "%2Fservices%2FT0000%2FB0000%2FXyzXyzXyzXyzXyzXyz", "***");
	c.url = "https://x.example.com:443/a/b?sp=%2Ftriggers&sig=ab%2Bc";
	assert_redacted(&c, "wrong sig ab+c or ab%2Bc", "wrong sig *** or ***");
	assert_redacted(&c, "/a/b?sp=/triggers&sig=ab%2Bc", "***");
	assert_redacted(&c, "a b c", "a b c");
	c.url = "https://me:pa%3Ass@x.example.com/";
	assert_redacted(&c, "me:pa:ss, pa:ss, pa%3Ass, me", "***, ***, ***, me");
	c.url = "https://x.example.com/";
	assert_redacted(&c, "https://x.example.com/", "https://x.example.com/");
}
END_TEST

START_TEST(addresses_on_a_command_line_are_secrets)
{
	static const char *const argv[] = {"/usr/bin/apprise",
		"tgram://123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc/-100123", NULL};
	struct channel c = good();

	c.url = NULL;
	c.command = argv;
	assert_redacted(&c,
		"apprise: tgram://123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc/-100123 failed",
		"apprise: tgram://*** failed");
}
END_TEST

START_TEST(a_secret_at_the_cut_is_not_shown_in_part)
{
	struct channel c = good();
	struct verdict_of v;
	char pad[300];

	c.url = NULL;
	c.secret = "SECRETSECRETSECRETSECRET";
	for (size_t n = 250; n < sizeof(pad); n++) {
		memset(pad, '.', n);
		pad[n] = '\0';
		channel_why(&c, &v, "%s%s", pad, c.secret);
		ck_assert_ptr_null(strstr(v.why, "SEC"));
		channel_why(&c, &v, "%s%s", c.secret, pad);
		ck_assert_ptr_null(strstr(v.why, "SEC"));
	}
}
END_TEST

static Suite *channel_suite(void)
{
	Suite *s = suite_create("channel");
	TCase *tc = tcase_create("channel");

	tcase_add_test(tc, what_is_missing_or_wrong_is_named);
	tcase_add_test(tc, a_channel_without_a_type_is_refused);
	tcase_add_test(tc, a_secret_of_several_lines_is_refused_without_being_shown);
	tcase_add_test(tc, types_are_found_by_name_and_sorted);
	tcase_add_test(tc, a_header_stays_one_line);
	tcase_add_test(tc, severity_and_recoveries_decide_what_a_channel_gets);
	tcase_add_test(tc, patterns_decide_what_a_channel_gets);
	tcase_add_test(tc, notes_go_only_to_channels_that_name_them);
	tcase_add_test(tc, a_type_that_cannot_use_an_event_does_not_get_it);
	tcase_add_test(tc, quiet_hours_hold_back_what_is_below_their_severity);
	tcase_add_test(tc, passing_errors_are_told_from_lasting_ones);
	tcase_add_test(tc, the_providers_words_are_kept_on_one_line);
	tcase_add_test(tc, a_token_is_found_in_every_form_it_comes_back_in);
	tcase_add_test(tc, a_login_is_found_as_it_goes_over_the_wire);
	tcase_add_test(tc, the_address_of_a_webhook_is_a_secret);
	tcase_add_test(tc, addresses_on_a_command_line_are_secrets);
	tcase_add_test(tc, a_secret_at_the_cut_is_not_shown_in_part);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(channel_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
