/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mail_session.h"

static struct mail_session session;

static void begin(void)
{
	mail_session_init(&session);
}

static void finish(void)
{
	mail_session_done(&session);
}

static void command(const char *line)
{
	mail_session_command(&session, line, strlen(line));
}

static bool reply(const char *line)
{
	return mail_session_reply(&session, line, strlen(line));
}

START_TEST(lines_of_a_reply_belong_together)
{
	ck_assert(reply("220-hello\r\n"));
	ck_assert_int_eq(session.status, 0);
	ck_assert(reply("220 there\r\n"));
	ck_assert_int_eq(session.status, 220);
	ck_assert_str_eq(buf_str(&session.reply), "220-hello\n220 there");
	ck_assert(reply("250 next"));
	ck_assert_str_eq(buf_str(&session.reply), "250 next");
}
END_TEST

START_TEST(what_is_no_reply_is_not_heard)
{
	ck_assert(reply(""));
	ck_assert(reply("\r\n"));
	ck_assert(reply("25"));
	ck_assert(reply("999 x"));
	ck_assert(reply("hello"));
	ck_assert(reply("2x0 hello"));
	ck_assert(reply("25: hello"));
	ck_assert_int_eq(session.status, 0);
	ck_assert_str_eq(buf_str(&session.reply), "");
}
END_TEST

START_TEST(commands_of_the_login_are_not_kept)
{
	command("EHLO web-1\r\n");
	ck_assert_str_eq(session.command, "EHLO web-1");
	command("AUTH PLAIN AHVzZXIAczNjcmV0\r\n");
	ck_assert_str_eq(session.command, "");
	command("AHVzZXIAczNjcmV0\r\n");
	ck_assert_str_eq(session.command, "");
}
END_TEST

START_TEST(a_recipient_refused_for_now_ends_it)
{
	char text[100];

	command("RCPT TO:<a@b>\r\n");
	ck_assert(!reply("451 4.7.1 later\r\n"));
	command("QUIT\r\n");
	ck_assert(reply("221 bye\r\n"));
	ck_assert_int_eq(
		mail_session_outcome(&session, EIO, "write error", text, sizeof(text)), EAGAIN);
	ck_assert_str_eq(text, "RCPT TO:<a@b>");
	ck_assert_str_eq(buf_str(&session.reply), "451 4.7.1 later");
}
END_TEST

START_TEST(all_who_were_refused_are_named)
{
	char text[200];

	command("RCPT TO:<a@b>\r\n");
	ck_assert(reply("550-5.1.1 no\r\n"));
	ck_assert(reply("550 5.1.1 such user\r\n"));
	command("RCPT TO:<c@d>\r\n");
	ck_assert(reply("250 ok\r\n"));
	command("RCPT TO:<e@f>\r\n");
	ck_assert(reply("422 4.2.2 full\r\n"));
	command("DATA\r\n");
	ck_assert(reply("354 go\r\n"));
	ck_assert(reply("250 taken\r\n"));
	ck_assert_int_eq(mail_session_outcome(&session, 0, "", text, sizeof(text)), 0);
	ck_assert_str_eq(text, "a@b: 550-5.1.1 no 550 5.1.1 such user; e@f: 422 4.2.2 full");
}
END_TEST

/* A repeat would be a second mail: what was taken was sent, whatever came afterwards. */
START_TEST(what_was_taken_is_sent_though_the_connection_broke)
{
	char text[100];

	command("RCPT TO:<a@b>");
	ck_assert(reply("250 ok"));
	command("DATA");
	ck_assert(reply("354 go"));
	ck_assert(reply("250 queued"));
	ck_assert(reply("421 shutting down"));
	ck_assert_int_eq(mail_session_outcome(&session, EIO, "reset", text, sizeof(text)), 0);
	ck_assert_int_eq(session.status, 250);
}
END_TEST

START_TEST(a_network_error_is_told_in_curls_words)
{
	char text[100];

	ck_assert(reply("220 hello"));
	ck_assert_int_eq(
		mail_session_outcome(&session, EPROTO, "bad certificate", text, sizeof(text)),
		EPROTO);
	ck_assert_str_eq(text, "bad certificate");
}
END_TEST

START_TEST(a_login_refused_for_now_is_tried_again)
{
	char text[100];

	command("AUTH PLAIN x");
	ck_assert(reply("454 4.7.0 temporary failure"));
	ck_assert_int_eq(
		mail_session_outcome(&session, EACCES, "Login denied", text, sizeof(text)), EAGAIN);
	ck_assert_str_eq(text, "Login denied");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mail_session");
	TCase *tc = tcase_create("mail_session");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, begin, finish);
	tcase_add_test(tc, lines_of_a_reply_belong_together);
	tcase_add_test(tc, what_is_no_reply_is_not_heard);
	tcase_add_test(tc, commands_of_the_login_are_not_kept);
	tcase_add_test(tc, a_recipient_refused_for_now_ends_it);
	tcase_add_test(tc, all_who_were_refused_are_named);
	tcase_add_test(tc, what_was_taken_is_sent_though_the_connection_broke);
	tcase_add_test(tc, a_network_error_is_told_in_curls_words);
	tcase_add_test(tc, a_login_refused_for_now_is_tried_again);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
