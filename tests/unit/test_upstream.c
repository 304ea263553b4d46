/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/web/upstream.h"
#include "base/fd_pass.h"
#include "tests/unit/turns.h"

static struct loop *loop;
static struct upstream *upstream;
static int daemon_fd;
static char order[16]; /* who was answered, in order: a letter, capital without an answer */
static struct err e;

static void on_event(void *user, const char *event, const json_t *message)
{
	(void)user;
	(void)event;
	(void)message;
}

static void on_closed(void *user, const char *why)
{
	(void)user;
	(void)why;
}

static void on_answer(void *user, const json_t *answer)
{
	const char *letter = user;

	order[strlen(order)] = (char)(answer ? *letter : *letter & ~0x20);
}

static void setup(void)
{
	struct upstream_options o = {on_event, on_closed, NULL};
	int pair[2];

	memset(order, 0, sizeof(order));
	ck_assert_int_eq(loop_new(&loop, &e), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	daemon_fd = pair[1];
	ck_assert_int_eq(upstream_new(loop, pair[0], &o, &upstream, &e), 0);
}

static void teardown(void)
{
	upstream_free(upstream);
	if (daemon_fd >= 0)
		(void)close(daemon_fd);
	loop_free(loop);
}

static void ask(const char *letter, int64_t timeout_ms)
{
	static char names[] = "abcdefgh";

	upstream_ask_within(upstream, json_pack("{s:s}", "op", letter), timeout_ms, on_answer,
		strchr(names, *letter));
}

static void say(const char *line)
{
	ck_assert_int_eq(write(daemon_fd, line, strlen(line)), (ssize_t)strlen(line));
}

START_TEST(each_question_has_its_own_deadline)
{
	ask("a", 60000);
	ask("b", 10);
	ask("c", 60000);
	TURN_UNTIL(loop, strlen(order) == 1);
	ck_assert_str_eq(order, "B");
	say("{\"id\": 1, \"ok\": true}\n{\"id\": 3, \"ok\": true}\n");
	TURN_UNTIL(loop, strlen(order) == 3);
	ck_assert_str_eq(order, "Bac");
}
END_TEST

START_TEST(answers_come_in_any_order)
{
	ask("a", 60000);
	ask("b", 60000);
	say("{\"id\": 2, \"ok\": true}\n{\"id\": 1, \"ok\": true}\n");
	TURN_UNTIL(loop, strlen(order) == 2);
	ck_assert_str_eq(order, "ba");
}
END_TEST

START_TEST(a_late_answer_is_nobodys)
{
	ask("a", 10);
	TURN_UNTIL(loop, strlen(order) == 1);
	say("{\"id\": 1, \"ok\": true}\n");
	ask("b", 60000);
	say("{\"id\": 2, \"ok\": true}\n");
	TURN_UNTIL(loop, strlen(order) == 2);
	ck_assert_str_eq(order, "Ab");
}
END_TEST

START_TEST(a_file_goes_with_its_question)
{
	int fd = memfd_create("body", MFD_CLOEXEC), got = -1;
	char line[200], text[8] = "";

	ck_assert_int_eq(write(fd, "hello", 5), 5);
	upstream_ask_with(upstream, json_pack("{s:s}", "op", "a"), fd, 60000, on_answer,
		(void *)(uintptr_t) "a");
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	ck_assert_int_gt(fd_pass_receive(daemon_fd, line, sizeof(line), &got), 0);
	ck_assert_int_eq(pread(got, text, 5, 0), 5);
	ck_assert_str_eq(text, "hello");
	ck_assert_int_eq(close(got), 0);
	/* One that cannot be sent any more is closed too. */
	ck_assert_int_eq(close(daemon_fd), 0);
	daemon_fd = -1;
	fd = memfd_create("body", MFD_CLOEXEC);
	upstream_ask_with(upstream, json_pack("{s:s}", "op", "b"), fd, 60000, on_answer,
		(void *)(uintptr_t) "b");
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	ck_assert_str_eq(order, "B");
}
END_TEST

START_TEST(the_end_answers_all)
{
	ask("a", 60000);
	ask("b", 10000);
	upstream_free(upstream);
	upstream = NULL;
	ck_assert_uint_eq(strlen(order), 2);
	ck_assert_ptr_nonnull(strchr(order, 'A'));
	ck_assert_ptr_nonnull(strchr(order, 'B'));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("upstream");
	TCase *t = tcase_create("upstream");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, each_question_has_its_own_deadline);
	tcase_add_test(t, answers_come_in_any_order);
	tcase_add_test(t, a_late_answer_is_nobodys);
	tcase_add_test(t, a_file_goes_with_its_question);
	tcase_add_test(t, the_end_answers_all);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
