/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line's end of the control protocol, against a child process that plays the agent: it
 * writes a fixed text for each line it reads, then closes.
 */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/client.h"
#include "base/str.h"
#include "tests/unit/fork.h"
#include "tests/unit/scratch.h"

static pid_t server;
static struct client *client;
static struct err error;

static void teardown(void)
{
	client_close(client);
	client = NULL;
	if (server > 0)
		(void)waitpid(server, NULL, 0);
	server = 0;
	scratch_remove();
}

static void put(int fd, const char *text)
{
	size_t n = strlen(text);

	if (write(fd, text, n) != (ssize_t)n)
		_exit(1);
}

/* Reads up to a newline. */
static void take_line(int fd)
{
	char c = '\0';

	while (c != '\n')
		if (read(fd, &c, 1) != 1)
			_exit(0);
}

/* `answers`: ended by NULL. An empty one answers nothing. */
static void serve(int listening, const char *const *answers)
{
	int fd = accept(listening, NULL, NULL);

	(void)close(listening);
	for (; fd >= 0 && *answers; answers++) {
		take_line(fd);
		put(fd, *answers);
	}
	_exit(0);
}

static void start(const char *const *answers)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert(str_copy(a.sun_path, sizeof(a.sun_path), scratch_path("control.sock")));
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	server = fork_in_test();
	if (server == 0)
		serve(fd, answers);
	(void)close(fd);
	ck_assert_int_eq(client_open(scratch, &client, &error), 0);
}

static int ask(json_t **reply)
{
	return client_call(client, json_pack("{s:s}", "op", "host"), reply, &error);
}

START_TEST(an_answer_is_told_from_what_comes_in_between)
{
	static const char *const answers[] = {
		"{\"event\":\"sample\"}\n{\"id\":99,\"ok\":true}\n{\"id\":1,\"ok\":true,\"x\":5}\n",
		"{\"id\":2,\"ok\":true,\"x\":6}\n", NULL};
	json_t *reply;

	start(answers);
	ck_assert_int_eq(ask(&reply), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(reply, "x")), 5);
	json_decref(reply);
	ck_assert_int_eq(ask(&reply), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(reply, "x")), 6);
	json_decref(reply);
}
END_TEST

START_TEST(a_refusal_is_told_in_the_agents_words)
{
	static const char *const answers[] = {"{\"id\":1,\"ok\":false,\"code\":\"not_found\","
					      "\"error\":\"there is no such thing\"}\n",
		"{\"id\":2}\n", NULL};
	json_t *reply;

	start(answers);
	ck_assert_int_eq(ask(&reply), -EREMOTEIO);
	ck_assert_str_eq(error.msg, "there is no such thing");
	ck_assert_int_eq(ask(&reply), -EREMOTEIO);
}
END_TEST

START_TEST(an_agent_that_ends_or_talks_nonsense)
{
	static const char *const answers[] = {"nonsense\n", NULL};
	json_t *reply;

	start(answers);
	ck_assert_int_eq(ask(&reply), -EBADMSG);
	ck_assert_int_eq(ask(&reply), -EPIPE);
	ck_assert_str_eq(error.msg, "the agent closed the connection");
}
END_TEST

START_TEST(events_are_waited_for)
{
	static const char *const answers[] = {
		"{\"id\":1,\"ok\":true}\n{\"event\":\"sample\",\"time\":7}\n{\"event\"",
		":\"b\"}\n", "", NULL};
	json_t *message;

	start(answers);
	ck_assert_int_eq(ask(&message), 0);
	json_decref(message);
	ck_assert_int_eq(client_event(client, 5000, &message, &error), CLIENT_EVENT);
	ck_assert_int_eq(json_integer_value(json_object_get(message, "time")), 7);
	json_decref(message);
	ck_assert_int_eq(client_event(client, 0, &message, &error), CLIENT_NOTHING);
	ck_assert_int_eq(write(client_fd(client), "\n", 1), 1); /* the second answer */
	ck_assert_int_eq(client_event(client, 5000, &message, &error), CLIENT_EVENT);
	json_decref(message);
	ck_assert_int_eq(write(client_fd(client), "\n", 1), 1); /* the third: it ends */
	ck_assert_int_eq(client_event(client, 5000, &message, &error), -EPIPE);
}
END_TEST

START_TEST(no_agent_says_how_to_start_one)
{
	ck_assert_int_eq(client_open(scratch, &client, &error), -ESRCH);
	ck_assert_ptr_nonnull(strstr(error.msg, "not running"));
	ck_assert_ptr_nonnull(strstr(error.msg, "agent run --state "));
	ck_assert_int_eq(client_open(scratch_path("none"), &client, &error), -ESRCH);
	/* A socket that an agent left behind when it was killed. */
	start((const char *const[]){NULL});
	(void)waitpid(server, NULL, 0);
	server = 0;
	client_close(client);
	client = NULL;
	ck_assert_int_eq(client_open(scratch, &client, &error), -ESRCH);
	ck_assert_ptr_null(client);
}
END_TEST

START_TEST(a_path_that_is_too_long)
{
	char path[300];

	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(client_open(path, &client, &error), -ENAMETOOLONG);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("client");
	TCase *t = tcase_create("client");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, scratch_make, teardown);
	tcase_add_test(t, an_answer_is_told_from_what_comes_in_between);
	tcase_add_test(t, a_refusal_is_told_in_the_agents_words);
	tcase_add_test(t, an_agent_that_ends_or_talks_nonsense);
	tcase_add_test(t, events_are_waited_for);
	tcase_add_test(t, no_agent_says_how_to_start_one);
	tcase_add_test(t, a_path_that_is_too_long);
	suite_add_tcase(suite, t);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
