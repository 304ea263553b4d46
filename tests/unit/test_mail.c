/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mail.h"
#include "base/mail_worker.h"
#include "tests/unit/descriptors.h"
#include "tests/unit/scratch.h"
#include "tests/unit/smtp_server.h"
#include "tests/unit/turns.h"

static struct loop *loop;
static struct smtp_server server;

static struct {
	int count;
	int error;
	long status;
	char message[256];
	char body[10000];
	int64_t longest_turn_ms;
} got;

static void on_done(void *user, const struct http_response *r)
{
	(void)user;
	got.count++;
	got.error = r->error;
	got.status = r->status;
	memcpy(got.message, r->message, sizeof(got.message));
	ck_assert_uint_lt(r->body_len, sizeof(got.body));
	ck_assert_uint_eq(strlen(r->body), r->body_len);
	memcpy(got.body, r->body, r->body_len + 1);
}

static void begin(void)
{
	scratch_make();
	memset(&got, 0, sizeof(got));
	ck_assert_int_eq(loop_new(&loop, NULL), 0);
}

static void finish(void)
{
	if (server.pid)
		smtp_server_stop(&server);
	loop_free(loop);
	scratch_remove();
}

static const char *const two[] = {"ann@example.com", "bob@example.com", NULL};

static struct mail_options options(void)
{
	static char url[100];

	(void)snprintf(url, sizeof(url), "smtp://127.0.0.1:%d", server.port);
	return (struct mail_options){.url = url,
		.helo = "web-1",
		.from = "agent@example.com",
		.to = two,
		.data = "Subject: x\r\n\r\nhello\r\n.dot\r\n",
		.len = 27,
		.timeout_ms = 20000};
}

static struct mail_call *start(const struct mail_options *o)
{
	struct mail_call *m = NULL;
	struct err e = {""};

	ck_assert_msg(mail_start(loop, o, on_done, NULL, &m, &e) == 0, "%s", e.msg);
	ck_assert_int_eq(got.count, 0);
	return m;
}

static void send_to(const struct smtp_rule *rules)
{
	struct mail_options o;

	server = smtp_server_start(rules);
	o = options();
	(void)start(&o);
	TURN_UNTIL(loop, got.count);
	turn_idle(loop);
	ck_assert_int_eq(got.count, 1);
}

START_TEST(a_mail_is_taken_whole)
{
	const char *mail;

	send_to((const struct smtp_rule[]){{".", "250 2.0.0 queued as 42"}, {NULL, NULL}});
	ck_assert_msg(got.error == 0, "%s", got.message);
	ck_assert_int_eq(got.status, 250);
	ck_assert_str_eq(got.body, "250 2.0.0 queued as 42");
	ck_assert_str_eq(got.message, "");
	mail = smtp_session();
	ck_assert_ptr_nonnull(strstr(mail, "EHLO web-1\r\n"));
	ck_assert_ptr_nonnull(strstr(mail, "MAIL FROM:<agent@example.com>"));
	ck_assert_ptr_nonnull(
		strstr(mail, "RCPT TO:<ann@example.com>\r\nRCPT TO:<bob@example.com>\r\n"));
	ck_assert_ptr_nonnull(strstr(mail, "DATA\r\nSubject: x\r\n\r\nhello\r\n..dot\r\n.\r\n"));
	ck_assert_ptr_nonnull(strstr(mail, "QUIT"));
}
END_TEST

/* What a server says, and what it means for the mail. */
static const struct {
	struct smtp_rule rules[3];
	int error;
	long status;
	const char *body, *message; /* NULL: any words */
} outcomes[] = {
	{{{"", "421 4.3.2 too busy"}}, -EAGAIN, 421, "421 4.3.2 too busy", NULL},
	{{{"", "554 go away"}}, -EPERM, 554, "554 go away", NULL},
	{{{"MAIL", "550 5.7.1 not your address"}}, -EPERM, 550, "550 5.7.1 not your address", NULL},
	{{{"MAIL", "552 5.3.4 too big"}}, -EBADMSG, 552, "552 5.3.4 too big", NULL},
	{{{"MAIL", "530 5.7.0 log in first"}}, -EACCES, 530, "530 5.7.0 log in first", NULL},
	{{{"RCPT", "550 5.1.1 nobody here"}}, -EPERM, 550, "550 5.1.1 nobody here", NULL},
	{{{"RCPT", "450-4.7.1 grey\r\n450 4.7.1 list"}}, -EAGAIN, 450,
		"450-4.7.1 grey\n450 4.7.1 list", "RCPT TO:<ann@example.com>"},
	{{{"RCPT TO:<bob", "451 4.7.1 later"}}, -EAGAIN, 451, "451 4.7.1 later",
		"RCPT TO:<bob@example.com>"},
	/* One who cannot get it keeps nobody else from it. */
	{{{"RCPT TO:<bob", "550 5.1.1 no such user"}}, 0, 250, "250 fine",
		"bob@example.com: 550 5.1.1 no such user"},
	{{{"RCPT TO:<ann", "452 4.2.2 mailbox full"}}, 0, 250, "250 fine",
		"ann@example.com: 452 4.2.2 mailbox full"},
	{{{"RCPT TO:<ann", "452 4.2.2 mailbox full"}, {"RCPT TO:<bob", "550 no"}}, -EPERM, 550,
		"550 no", NULL},
	{{{"RCPT TO:<bob", "450 4.2.0 greylisted"}}, -EAGAIN, 450, "450 4.2.0 greylisted", NULL},
	{{{"DATA", "451 4.3.0 disk full"}}, -EAGAIN, 451, "451 4.3.0 disk full", "DATA"},
	{{{".", "554 5.6.0 looks like spam"}}, -EBADMSG, 554, "554 5.6.0 looks like spam", "DATA"},
	{{{".", "450 later"}}, -EAGAIN, 450, "450 later", "DATA"},
	{{{".", "close"}}, -EIO, 354, "354 go on", NULL},
	{{{"DATA", "close"}}, -EIO, 250, "250 fine", NULL},
	{{{"", "close"}}, -EIO, 0, "", NULL},
};

START_TEST(each_answer_is_understood)
{
	send_to(outcomes[_i].rules);
	ck_assert_msg(got.error == outcomes[_i].error, "%d %s", got.error, got.message);
	ck_assert_int_eq(got.status, outcomes[_i].status);
	ck_assert_str_eq(got.body, outcomes[_i].body);
	if (outcomes[_i].message)
		ck_assert_str_eq(got.message, outcomes[_i].message);
	else
		ck_assert_str_ne(got.message, "");
	if (got.error == -EAGAIN && strncmp(got.message, "RCPT", 4) == 0)
		ck_assert_ptr_null(strstr(smtp_session(), "DATA"));
}
END_TEST

START_TEST(the_password_is_said_to_the_server_only)
{
	struct mail_options o;

	server = smtp_server_start((const struct smtp_rule[]){
		{"EHLO", "250-x\r\n250 AUTH NTLM GSSAPI LOGIN PLAIN"},
		{"AUTH PLAIN", "334 "},
		{"AHVzZXIAczNjcmV0", "535 5.7.8 no: s3cret"},
		{NULL, NULL},
	});
	o = options();
	o.user = "user";
	o.password = "s3cret";
	(void)start(&o);
	TURN_UNTIL(loop, got.count);
	ck_assert_int_eq(got.error, -EACCES);
	ck_assert_int_eq(got.status, 535);
	ck_assert_ptr_null(strstr(got.message, "s3cret"));
	ck_assert_ptr_null(strstr(got.message, "AHVz"));
}
END_TEST

START_TEST(without_tls_nothing_is_said_when_tls_is_required)
{
	struct mail_options o;

	server = smtp_server_start((const struct smtp_rule[]){
		{"EHLO", "250-x\r\n250 AUTH LOGIN PLAIN"}, {NULL, NULL}});
	o = options();
	o.user = "user";
	o.password = "s3cret";
	o.require_tls = true;
	(void)start(&o);
	TURN_UNTIL(loop, got.count);
	ck_assert_int_eq(got.error, -EPROTO);
	ck_assert_ptr_null(strstr(smtp_session(), "AUTH"));
	ck_assert_ptr_null(strstr(smtp_session(), "MAIL"));
	ck_assert_ptr_null(strstr(smtp_session(), "hello"));
}
END_TEST

/* Where a server may stop answering. */
static const char *const silences[] = {"", "EHLO", "MAIL", "RCPT", "DATA", "."};

START_TEST(a_server_that_hangs_costs_the_loop_nothing)
{
	int64_t began_ms = clock_mono_ms(), longest_ms = 0;
	struct mail_options o;

	server =
		smtp_server_start((const struct smtp_rule[]){{silences[_i], "hang"}, {NULL, NULL}});
	o = options();
	o.timeout_ms = 1500;
	(void)start(&o);
	while (!got.count && clock_mono_ms() - began_ms < TURNS_DEADLINE_MS) {
		int64_t before_ms = clock_mono_ms();

		ck_assert_int_eq(loop_turn(loop, 10, NULL), 0);
		if (clock_mono_ms() - before_ms > longest_ms)
			longest_ms = clock_mono_ms() - before_ms;
	}
	ck_assert_int_eq(got.error, -ETIMEDOUT);
	ck_assert_str_ne(got.message, "");
	ck_assert_int_lt(longest_ms, 500);
	ck_assert_int_lt(clock_mono_ms() - began_ms, 8000);
}
END_TEST

START_TEST(no_goodbye_after_a_refusal_does_not_hide_it)
{
	int64_t began_ms = clock_mono_ms();

	send_to((const struct smtp_rule[]){
		{"RCPT", "550 5.1.1 nobody"}, {"QUIT", "hang"}, {NULL, NULL}});
	ck_assert_int_eq(got.error, -EPERM);
	ck_assert_str_eq(got.body, "550 5.1.1 nobody");
	ck_assert_int_lt(clock_mono_ms() - began_ms, 10000);
}
END_TEST

START_TEST(no_goodbye_after_success_does_not_hide_it)
{
	send_to((const struct smtp_rule[]){{"QUIT", "hang"}, {NULL, NULL}});
	ck_assert_msg(got.error == 0, "%s", got.message);
}
END_TEST

START_TEST(nobody_listening_is_said_so)
{
	struct mail_options o;

	server = smtp_server_start((const struct smtp_rule[]){{NULL, NULL}});
	o = options();
	smtp_server_stop(&server);
	server.pid = 0;
	(void)start(&o);
	TURN_UNTIL(loop, got.count);
	ck_assert_int_eq(got.error, -ECONNREFUSED);
	ck_assert_int_eq(got.status, 0);
	ck_assert_str_eq(got.body, "");
	ck_assert_str_ne(got.message, "");
}
END_TEST

START_TEST(a_long_answer_is_cut)
{
	static char flood[20000];

	for (size_t i = 0; i + 24 < sizeof(flood); i += 16)
		memcpy(flood + i, "554-0123456789\r\n", 17);
	(void)strcat(flood, "554 end");
	send_to((const struct smtp_rule[]){{".", flood}, {NULL, NULL}});
	ck_assert_int_eq(got.error, -EBADMSG);
	ck_assert_int_eq(got.status, 554);
	ck_assert_uint_gt(strlen(got.body), 1000);
}
END_TEST

START_TEST(a_cancelled_mail_is_not_told)
{
	struct mail_options o;
	struct mail_call *m;
	int before;

	server = smtp_server_start((const struct smtp_rule[]){{"", "hang"}, {NULL, NULL}});
	before = count_descriptors();
	o = options();
	m = start(&o);
	mail_cancel(m);
	mail_cancel(NULL);
	turn_idle(loop);
	ck_assert_int_eq(got.count, 0);
	ck_assert_int_eq(count_descriptors(), before);
}
END_TEST

static const struct {
	const char *url, *user, *password, *helo, *from, *to;
} refused[] = {
	{.url = "http://127.0.0.1"},
	{.url = "smtp://127.0.0.1\r\nX"},
	{.user = "a\r\nMAIL FROM:<x@y>"},
	{.password = "a\nb"},
	{.helo = "a\r\nb"},
	{.from = "agent"},
	{.from = "agent@example.com>\r\nRCPT TO:<x@y"},
	{.from = "a b@example.com"},
	{.to = "x@y\r\nDATA"},
	{.to = "x@y> <z@y"},
	{.to = "@y"},
	{.to = "x@"},
	{.to = ""},
	{.to = "x@y,z@y"},
	{.to = "\"x\"@y"},
};

START_TEST(what_would_break_a_line_is_refused_before_anything_is_sent)
{
	const char *to[] = {refused[_i].to, NULL};
	struct mail_options o;
	struct mail_call *m = NULL;
	struct err e = {""};

	server = smtp_server_start((const struct smtp_rule[]){{NULL, NULL}});
	o = options();
	o.url = refused[_i].url ? refused[_i].url : o.url;
	o.user = refused[_i].user;
	o.password = refused[_i].password;
	o.helo = refused[_i].helo;
	o.from = refused[_i].from ? refused[_i].from : o.from;
	if (refused[_i].to)
		o.to = to;
	ck_assert_int_eq(mail_start(loop, &o, on_done, NULL, &m, &e), -EINVAL);
	ck_assert_str_ne(e.msg, "");
	ck_assert_ptr_null(m);
	ck_assert_str_eq(smtp_session(), "");
}
END_TEST

START_TEST(a_mail_for_nobody_is_refused)
{
	const char *const nobody[] = {NULL};
	struct mail_options o = options();
	struct mail_call *m = NULL;
	struct err e = {""};

	o.to = nobody;
	ck_assert_int_eq(mail_start(loop, &o, on_done, NULL, &m, &e), -EINVAL);
}
END_TEST

static Suite *mail_suite(void)
{
	Suite *s = suite_create("mail");
	TCase *tc = tcase_create("mail");

	tcase_add_checked_fixture(tc, begin, finish);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_mail_is_taken_whole);
	tcase_add_loop_test(
		tc, each_answer_is_understood, 0, (int)(sizeof(outcomes) / sizeof(outcomes[0])));
	tcase_add_test(tc, the_password_is_said_to_the_server_only);
	tcase_add_test(tc, without_tls_nothing_is_said_when_tls_is_required);
	tcase_add_loop_test(tc, a_server_that_hangs_costs_the_loop_nothing, 0,
		(int)(sizeof(silences) / sizeof(silences[0])));
	tcase_add_test(tc, no_goodbye_after_a_refusal_does_not_hide_it);
	tcase_add_test(tc, no_goodbye_after_success_does_not_hide_it);
	tcase_add_test(tc, nobody_listening_is_said_so);
	tcase_add_test(tc, a_long_answer_is_cut);
	tcase_add_test(tc, a_cancelled_mail_is_not_told);
	tcase_add_loop_test(tc, what_would_break_a_line_is_refused_before_anything_is_sent, 0,
		(int)(sizeof(refused) / sizeof(refused[0])));
	tcase_add_test(tc, a_mail_for_nobody_is_refused);
	suite_add_tcase(s, tc);
	return s;
}

/* The worker is this same program, as it is with the agent. */
int main(int argc, char **argv)
{
	SRunner *sr;
	int failed;

	if (argc == 3 && strcmp(argv[2], "mail") == 0)
		return mail_worker_main();
	sr = srunner_create(mail_suite());
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
