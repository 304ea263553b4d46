/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd_pass.h"
#include "base/wire.h"
#include "tests/unit/descriptors.h"
#include "tests/unit/turns.h"

enum { LINE_MAX_BYTES = 65536, QUEUE_MAX_BYTES = 1 << 20, SEEN_MAX = 64 };

/* One end sends, the other receives; both are wires. */
static struct loop *loop;
static struct wire *sender, *receiver;
static int sender_fd;
static int before; /* descriptors that were open at first */

/* Of each message its number, and what stood in the file that came with it; -1: none came. */
static struct {
	int n, file;
} seen[SEEN_MAX];
static size_t n_seen;
static bool leave_it; /* nobody takes what comes */
static int closed;

/* A file that says its number. */
static int file_of(int number)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, &number, sizeof(number)), sizeof(number));
	return fd;
}

static void on_message(void *user, json_t *message)
{
	int fd = leave_it ? -1 : wire_take_fd(receiver);

	(void)user;
	ck_assert_uint_lt(n_seen, SEEN_MAX);
	seen[n_seen].n = (int)json_integer_value(json_object_get(message, "n"));
	seen[n_seen].file = -1;
	if (fd >= 0) {
		ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
		ck_assert_int_eq(pread(fd, &seen[n_seen].file, sizeof(int), 0), sizeof(int));
		ck_assert_int_eq(close(fd), 0);
		ck_assert_int_eq(wire_take_fd(receiver), -1);
	}
	n_seen++;
}

static void on_closed(void *user, const char *why)
{
	(void)user;
	(void)why;
	closed++;
}

static void start(void)
{
	struct wire_options o = {LINE_MAX_BYTES, QUEUE_MAX_BYTES, on_message, on_closed, NULL};
	int fds[2];

	n_seen = 0;
	closed = 0;
	leave_it = false;
	before = count_descriptors();
	ck_assert_int_eq(loop_new(&loop, NULL), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	ck_assert_int_eq(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &(int){8192}, sizeof(int)), 0);
	sender_fd = fds[0];
	ck_assert_int_eq(wire_new(loop, fds[0], &o, &sender, NULL), 0);
	ck_assert_int_eq(wire_new(loop, fds[1], &o, &receiver, NULL), 0);
	wire_accept_fds(receiver);
}

/* Nothing stays open, whatever happened. */
static void finish(void)
{
	wire_free(sender);
	wire_free(receiver);
	loop_free(loop);
	ck_assert_int_eq(count_descriptors(), before);
}

/* With a file of the same number, or none. `pad` makes it long. */
static int send_one(int n, bool with_file, int pad)
{
	char *text = malloc((size_t)pad + 1);
	json_t *j;
	int r;

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', (size_t)pad);
	text[pad] = '\0';
	j = json_pack("{s:i, s:s}", "n", n, "pad", text);
	r = with_file ? wire_send_fd(sender, j, file_of(n)) : wire_send(sender, j);
	json_decref(j);
	free(text);
	return r;
}

static void expect(size_t i, int n, bool with_file)
{
	ck_assert_uint_lt(i, n_seen);
	ck_assert_int_eq(seen[i].n, n);
	ck_assert_int_eq(seen[i].file, with_file ? n : -1);
}

START_TEST(a_file_comes_with_its_message)
{
	ck_assert_int_eq(send_one(1, true, 0), 0);
	TURN_UNTIL(loop, n_seen == 1);
	expect(0, 1, true);
}
END_TEST

/* One read of the other end may bring several lines, of which only one has a file. */
START_TEST(its_neighbours_have_none)
{
	for (int n = 1; n <= 20; n++)
		ck_assert_int_eq(send_one(n, n % 3 == 0, n * 10), 0);
	TURN_UNTIL(loop, n_seen == 20);
	for (int n = 1; n <= 20; n++)
		expect((size_t)n - 1, n, n % 3 == 0);
}
END_TEST

/* The socket takes 8 KiB; each line goes in many pieces, and all but the first wait in the queue. */
START_TEST(long_lines_that_wait_keep_theirs)
{
	for (int n = 1; n <= 16; n++)
		ck_assert_int_eq(send_one(n, n % 2 == 0, 30000), 0);
	ck_assert_uint_gt(wire_queued(sender), 0);
	TURN_UNTIL(loop, n_seen == 16);
	for (int n = 1; n <= 16; n++)
		expect((size_t)n - 1, n, n % 2 == 0);
}
END_TEST

START_TEST(no_more_than_sixteen_wait)
{
	int n = 1, r;

	ck_assert_int_eq(send_one(0, false, 60000), 0);
	ck_assert_uint_gt(wire_queued(sender), 0);
	while ((r = send_one(n, true, 0)) == 0)
		n++;
	ck_assert_int_eq(r, -EAGAIN);
	ck_assert_int_eq(n, WIRE_FDS_MAX + 1);
	/* The connection goes on, and there is room again. */
	TURN_UNTIL(loop, n_seen == WIRE_FDS_MAX + 1);
	ck_assert_int_eq(send_one(n, true, 0), 0);
	TURN_UNTIL(loop, n_seen == WIRE_FDS_MAX + 2);
	for (int i = 0; i <= n; i++)
		expect((size_t)i, i, i > 0);
	ck_assert_int_eq(closed, 0);
}
END_TEST

START_TEST(what_nobody_takes_is_closed)
{
	leave_it = true;
	for (int n = 1; n <= 5; n++)
		ck_assert_int_eq(send_one(n, true, 0), 0);
	TURN_UNTIL(loop, n_seen == 5);
	expect(4, 5, false);
}
END_TEST

/* finish() sees that nothing stays open. */
START_TEST(what_is_under_way_at_the_end_is_closed)
{
	for (int n = 0; n < 10; n++)
		ck_assert_int_eq(send_one(n, true, 20000), 0);
	if (_i)
		ck_assert_int_eq(loop_turn(loop, 0, NULL), 0);
}
END_TEST

/* Bytes and descriptors as no wire sends them. */
static void push(const char *text, const int *fds, size_t n)
{
	char control[CMSG_SPACE(8 * sizeof(int))] = {0};
	struct iovec part = {(void *)(uintptr_t)text, strlen(text)};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
	struct cmsghdr *h = (struct cmsghdr *)(void *)control;

	m.msg_control = control;
	m.msg_controllen = CMSG_SPACE(n * sizeof(int));
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(h), fds, n * sizeof(int));
	ck_assert_int_eq(sendmsg(sender_fd, &m, MSG_NOSIGNAL), (ssize_t)strlen(text));
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(close(fds[i]), 0);
}

START_TEST(more_than_one_with_a_line_are_closed)
{
	const int many[] = {file_of(1), file_of(2), file_of(3)};
	const int lots[] = {file_of(2), file_of(9), file_of(9), file_of(9), file_of(9), file_of(9),
		file_of(9), file_of(9)};

	push("{\"n\":1}\n", many, 3);
	TURN_UNTIL(loop, n_seen == 1);
	push("{\"n\":2}\n", lots, 8);
	TURN_UNTIL(loop, n_seen == 2);
	expect(0, 1, true);
	expect(1, 2, true);
}
END_TEST

START_TEST(one_in_the_middle_of_a_line_that_has_one_is_closed)
{
	push("{\"n\"", (const int[]){file_of(1)}, 1);
	turn_idle(loop);
	push(":1", (const int[]){file_of(5)}, 1);
	turn_idle(loop);
	push("}\n", (const int[]){file_of(6)}, 1);
	TURN_UNTIL(loop, n_seen == 1);
	expect(0, 1, true);
}
END_TEST

START_TEST(one_with_a_broken_line_is_closed)
{
	push("nonsense\n", (const int[]){file_of(1)}, 1);
	TURN_UNTIL(loop, closed == 1);
	ck_assert_uint_eq(n_seen, 0);
}
END_TEST

START_TEST(who_did_not_agree_gets_none)
{
	json_t *j = json_pack("{s:i}", "n", 1);

	/* The other direction: `sender` accepts nothing. */
	ck_assert_int_eq(wire_send_fd(receiver, j, file_of(1)), 0);
	json_decref(j);
	TURN_UNTIL(loop, n_seen == 1);
	expect(0, 1, false);
}
END_TEST

START_TEST(a_failure_takes_the_file_too)
{
	json_t *j = json_pack("{s:i}", "n", 1);

	wire_free(receiver);
	receiver = NULL;
	ck_assert_int_eq(wire_send_fd(sender, j, file_of(1)), -EPIPE);
	ck_assert_int_eq(wire_send_fd(sender, j, file_of(1)), -EPIPE);
	json_decref(j);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("wire_fd");
	TCase *tc = tcase_create("wire_fd");
	SRunner *runner = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, start, finish);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_file_comes_with_its_message);
	tcase_add_test(tc, its_neighbours_have_none);
	tcase_add_test(tc, long_lines_that_wait_keep_theirs);
	tcase_add_test(tc, no_more_than_sixteen_wait);
	tcase_add_test(tc, what_nobody_takes_is_closed);
	tcase_add_loop_test(tc, what_is_under_way_at_the_end_is_closed, 0, 2);
	tcase_add_test(tc, more_than_one_with_a_line_are_closed);
	tcase_add_test(tc, one_in_the_middle_of_a_line_that_has_one_is_closed);
	tcase_add_test(tc, one_with_a_broken_line_is_closed);
	tcase_add_test(tc, who_did_not_agree_gets_none);
	tcase_add_test(tc, a_failure_takes_the_file_too);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
