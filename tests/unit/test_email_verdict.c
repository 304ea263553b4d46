/* SPDX-License-Identifier: Apache-2.0
 *
 * What of an email channel's settings cannot work, and what a mail server's answers mean.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "tests/unit/email_case.h"

static const struct {
	const char *url, *security, *from, *to;
	bool no_secret;
	const char *said; /* NULL: fine */
} settings[] = {
	{.said = NULL},
	{.url = "smtps://mail.example.com:465", .security = "tls"},
	{.url = "smtp://127.0.0.1", .security = "none"},
	{.from = "The Agent <agent@example.com>"},
	{.from = "\"The Agent\" <agent@example.com>"},
	{.url = "http://mail.example.com", .said = "smtp://"},
	{.url = "smtp://:25", .said = "no name"},
	{.url = "smtp://user:pw@mail.example.com", .said = "do not belong"},
	{.url = "smtps://mail.example.com", .said = "does not fit"},
	{.security = "tls", .said = "does not fit"},
	{.from = "agent", .said = "from: \"agent\" is not a mail address"},
	{.from = "agent@example.com <", .said = "is not a mail address"},
	{.from = "a <b@c> d", .said = "is not a mail address"},
	{.to = "a@b, c@d", .said = "to: "},
	{.to = "ops@ex\xc3\xa4mple.com", .said = "xn--"},
	{.no_secret = true, .said = "password_file is missing"},
};

START_TEST(settings_that_cannot_work_are_told)
{
	c.url = settings[_i].url ? settings[_i].url : c.url;
	c.security = settings[_i].security ? settings[_i].security : c.security;
	c.from = settings[_i].from ? settings[_i].from : c.from;
	c.to[1] = settings[_i].to ? settings[_i].to : c.to[1];
	c.secret = settings[_i].no_secret ? NULL : c.secret;
	if (!settings[_i].said) {
		ck_assert_msg(channel_check(&c, &err) == 0, "%s", err.msg);
		return;
	}
	ck_assert_int_eq(channel_check(&c, &err), -EINVAL);
	ck_assert_msg(strstr(err.msg, settings[_i].said) != NULL, "%s", err.msg);
}
END_TEST

static const struct {
	struct answer answer;
	enum verdict verdict;
	const char *why; /* is in it */
} verdicts[] = {
	{{.status = 250, .body = "250 queued", .message = ""}, VERDICT_SENT, "250 queued"},
	{{.status = 250, .body = "250 ok", .message = "bob@x: 550 who?"}, VERDICT_SENT,
		"not to all: bob@x: 550 who?"},
	{{.error = -EAGAIN, .status = 450, .body = "450 grey", .message = "RCPT TO:<a@b>"},
		VERDICT_RETRY, "450 grey"},
	{{.error = -EAGAIN, .status = 421, .body = "421 busy", .message = "x"}, VERDICT_RETRY,
		"421 busy"},
	{{.error = -EACCES, .status = 535, .body = "535 no correct horse", .message = "x"},
		VERDICT_BROKEN, "password_file): 535 no ***"},
	{{.error = -EPROTO, .status = 250, .body = "250 ok", .message = "STARTTLS not supported."},
		VERDICT_BROKEN, "nothing was sent"},
	{{.error = -EPROTO, .body = "", .message = "SSL certificate problem: self-signed"},
		VERDICT_BROKEN, "ca_file"},
	{{.error = -EPERM, .status = 550, .body = "550 not yours", .message = "MAIL FROM:<a@b>"},
		VERDICT_BROKEN, "the sender agent@example.com: 550 not yours"},
	{{.error = -EPERM, .status = 550, .body = "550 who", .message = "RCPT TO:<a@b>"},
		VERDICT_BROKEN, "every recipient: 550 who"},
	{{.error = -EPERM, .status = 554, .body = "554 go away", .message = "x"}, VERDICT_BROKEN,
		"refuses this server: 554"},
	{{.error = -EBADMSG, .status = 552, .body = "552 too big", .message = "DATA"},
		VERDICT_PLAIN, "552 too big"},
	{{.error = -ETIMEDOUT, .body = "", .message = "Operation timed out"}, VERDICT_RETRY,
		"timed out"},
	{{.error = -ECONNREFUSED, .body = "", .message = NULL}, VERDICT_RETRY, "no answer"},
};

START_TEST(an_answer_is_judged_as_it_is_meant)
{
	struct answer a = verdicts[_i].answer;
	struct verdict_of v;

	a.retry_after_ms = -1;
	memset(&v, 0x55, sizeof(v));
	channel_email.judge(&c, &a, &v);
	ck_assert_int_eq(v.verdict, verdicts[_i].verdict);
	ck_assert_int_eq(v.retry_after_ms, -1);
	ck_assert_int_eq(v.partly, strstr(v.why, "not to all") != NULL);
	ck_assert_msg(strstr(v.why, verdicts[_i].why) != NULL, "%s", v.why);
	ck_assert_str_eq(v.memory.to, "");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("email_verdict");
	TCase *tc = tcase_create("email_verdict");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, settings_that_cannot_work_are_told, 0, (int)ARRAY_LEN(settings));
	tcase_add_loop_test(tc, an_answer_is_judged_as_it_is_meant, 0, (int)ARRAY_LEN(verdicts));
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
