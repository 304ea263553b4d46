/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mail_worker.h"
#include "base/str.h"
#include "notify/sender.h"
#include "notify/transport.h"
#include "tests/unit/descriptors.h"
#include "tests/unit/http_server.h"
#include "tests/unit/scratch.h"
#include "tests/unit/smtp_server.h"
#include "tests/unit/turns.h"

static struct loop *loop;
static struct http_client *http;
static struct outgoing out;
static struct channel channel;

static struct {
	int count;
	int error;
	long status;
	int64_t retry_after_ms;
	char message[300];
	char body[CHANNEL_ANSWER_MAX + 1];
} got;

static void on_done(void *user, const struct answer *a)
{
	(void)user;
	got.count++;
	got.error = a->error;
	got.status = a->status;
	got.retry_after_ms = a->retry_after_ms;
	ck_assert(str_copy(got.message, sizeof(got.message), a->message));
	ck_assert(str_copy(got.body, sizeof(got.body), a->body));
}

static void begin(void)
{
	scratch_make();
	memset(&got, 0, sizeof(got));
	memset(&channel, 0, sizeof(channel));
	outgoing_init(&out);
	ck_assert_int_eq(loop_new(&loop, NULL), 0);
	ck_assert_int_eq(http_client_new(loop, &http, NULL), 0);
}

static void finish(void)
{
	outgoing_done(&out);
	http_client_free(http);
	loop_free(loop);
	scratch_remove();
}

static struct transport_call *start(void)
{
	struct transport_call *t = NULL;
	struct err e = {""};

	ck_assert_msg(transport_start(loop, http, &channel, &out, on_done, NULL, &t, &e) == 0, "%s",
		e.msg);
	ck_assert_int_eq(got.count, 0);
	return t;
}

static void run(void)
{
	(void)start();
	TURN_UNTIL(loop, got.count);
	turn_idle(loop);
	ck_assert_int_eq(got.count, 1);
}

static void run_http(const char *path)
{
	struct http_server server = http_server_start(NULL);

	out.transport = TRANSPORT_HTTP;
	out.url = str_format("http://127.0.0.1:%d%s", server.port, path);
	run();
	http_server_stop(&server);
}

START_TEST(http_carries_headers_and_body)
{
	outgoing_header(&out, "X-Test: yes");
	buf_adds(&out.body, "{\"a\":1}");
	run_http("/echo");
	ck_assert_int_eq(got.error, 0);
	ck_assert_int_eq(got.status, 200);
	ck_assert(str_starts(got.body, "POST /echo HTTP/1.1\r\n"));
	ck_assert_ptr_nonnull(strstr(got.body, "X-Test: yes\r\n"));
	ck_assert(str_ends(got.body, "\r\n\r\n{\"a\":1}"));
}
END_TEST

START_TEST(http_hands_on_when_to_come_again)
{
	run_http("/busy");
	ck_assert_int_eq(got.status, 503);
	ck_assert_int_eq(got.retry_after_ms, 7000);
	ck_assert_str_eq(got.body, "later");
}
END_TEST

/* It would be sent again, and again, otherwise. */
START_TEST(an_endless_http_answer_is_an_answer)
{
	run_http("/flood");
	ck_assert_int_eq(got.error, 0);
	ck_assert_int_eq(got.status, 200);
	ck_assert_uint_eq(strlen(got.body), CHANNEL_ANSWER_MAX);
}
END_TEST

START_TEST(http_that_cannot_be_sent_is_refused_at_once)
{
	struct transport_call *t = NULL;
	struct err e = {""};

	out.transport = TRANSPORT_HTTP;
	out.url = str_dup("ftp://127.0.0.1/");
	ck_assert_int_eq(
		transport_start(loop, http, &channel, &out, on_done, NULL, &t, &e), -EINVAL);
	ck_assert_str_ne(e.msg, "");
}
END_TEST

static void set_script(const char *script)
{
	static const char *argv[4];

	argv[0] = "sh";
	argv[1] = "-c";
	argv[2] = script;
	argv[3] = NULL;
	channel.command = argv;
	out.transport = TRANSPORT_COMMAND;
}

START_TEST(a_command_gets_the_event_on_stdin_and_its_names_in_the_environment)
{
	ck_assert_int_eq(setenv("SECRET_OF_THE_DAEMON", "x", 1), 0);
	set_script("cat; echo \" $AGENT_TITLE\"; env | cut -d= -f1 | sort | tr '\\n' ' '");
	buf_adds(&out.body, "{\"title\":\"x\"}");
	outgoing_header(&out, "AGENT_TITLE=%s", "$(rm -rf /) \"; 'x'");
	run();
	ck_assert_int_eq(got.error, 0);
	ck_assert_int_eq(got.status, 0);
	ck_assert(str_starts(got.body, "{\"title\":\"x\"} $(rm -rf /) \"; 'x'\n"));
	ck_assert_ptr_nonnull(strstr(got.body, " PATH "));
	ck_assert_ptr_null(strstr(got.body, "SECRET_OF"));
}
END_TEST

START_TEST(a_command_answers_by_its_exit_status_and_last_words)
{
	set_script("yes | head -c 100000; echo the end; exit 75");
	run();
	ck_assert_int_eq(got.error, 0);
	ck_assert_int_eq(got.status, 75);
	ck_assert(str_ends(got.body, "the end\n"));
}
END_TEST

START_TEST(a_command_that_dies_is_an_error)
{
	set_script("echo words; kill -9 $$");
	run();
	ck_assert_int_eq(got.error, -EIO);
	ck_assert_str_eq(got.message, "killed by signal 9 (Killed)");
	ck_assert_str_eq(got.body, "words\n");
}
END_TEST

START_TEST(a_command_that_is_not_there_is_refused_at_once)
{
	static const char *const argv[] = {"no-such-program-here", NULL};
	struct transport_call *t = NULL;
	struct err e = {""};

	if (under_valgrind()) /* it makes a fork of posix_spawn, which cannot report this */
		return;
	channel.command = argv;
	out.transport = TRANSPORT_COMMAND;
	ck_assert_int_eq(
		transport_start(loop, http, &channel, &out, on_done, NULL, &t, &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, "no-such-program-here"));
}
END_TEST

static void set_mail(const struct smtp_server *server)
{
	out.transport = TRANSPORT_MAIL;
	out.url = str_format("smtp://127.0.0.1:%d", server->port);
	out.from = str_dup("agent@example.com");
	out.to[0] = str_dup("ann@example.com");
	out.to[1] = str_dup("bob@example.com");
	buf_adds(&out.body, "Subject: x\r\n\r\nhello\r\n");
}

START_TEST(a_mail_goes_to_all_who_can_get_it)
{
	struct smtp_server server;

	if (under_valgrind()) /* its own program is what /proc/self/exe leads to */
		return;
	server = smtp_server_start((const struct smtp_rule[]){
		{"RCPT TO:<bob", "550 no such user"}, {".", "250 queued as 7"}, {NULL, NULL}});
	set_mail(&server);
	run();
	ck_assert_int_eq(got.error, 0);
	ck_assert_int_eq(got.status, 250);
	ck_assert_str_eq(got.body, "250 queued as 7");
	ck_assert_str_eq(got.message, "bob@example.com: 550 no such user");
	smtp_server_stop(&server);
}
END_TEST

START_TEST(each_can_be_cancelled)
{
	struct http_server server = http_server_start(NULL);
	struct smtp_server smtp =
		smtp_server_start((const struct smtp_rule[]){{"", "hang"}, {NULL, NULL}});
	int before;

	out.transport = TRANSPORT_HTTP;
	out.url = str_format("http://127.0.0.1:%d/hang", server.port);
	transport_cancel(start());
	turn_idle(loop);
	before = count_descriptors();
	transport_cancel(start());
	set_script("sleep 100");
	transport_cancel(start());
	outgoing_done(&out);
	set_mail(&smtp);
	transport_cancel(start());
	transport_cancel(NULL);
	turn_idle(loop);
	ck_assert_int_eq(got.count, 0);
	ck_assert_int_eq(count_descriptors(), before);
	http_server_stop(&server);
	smtp_server_stop(&smtp);
}
END_TEST

static Suite *transport_suite(void)
{
	Suite *s = suite_create("transport");
	TCase *tc = tcase_create("transport");

	tcase_add_checked_fixture(tc, begin, finish);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, http_carries_headers_and_body);
	tcase_add_test(tc, http_hands_on_when_to_come_again);
	tcase_add_test(tc, an_endless_http_answer_is_an_answer);
	tcase_add_test(tc, http_that_cannot_be_sent_is_refused_at_once);
	tcase_add_test(tc, a_command_gets_the_event_on_stdin_and_its_names_in_the_environment);
	tcase_add_test(tc, a_command_answers_by_its_exit_status_and_last_words);
	tcase_add_test(tc, a_command_that_dies_is_an_error);
	tcase_add_test(tc, a_command_that_is_not_there_is_refused_at_once);
	tcase_add_test(tc, a_mail_goes_to_all_who_can_get_it);
	tcase_add_test(tc, each_can_be_cancelled);
	suite_add_tcase(s, tc);
	return s;
}

/* What sends mail is this same program, as it is with the agent. */
int main(int argc, char **argv)
{
	SRunner *sr;
	int failed;

	if (argc == 3 && strcmp(argv[2], "mail") == 0)
		return mail_worker_main();
	sr = srunner_create(transport_suite());
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
