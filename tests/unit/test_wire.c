/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/wire.h"
#include "tests/unit/turns.h"

enum { LINE_MAX_BYTES = 1000, QUEUE_MAX_BYTES = 300000 };

/* One end is a wire, the other a plain socket in the hands of the test. */
static struct loop *loop;
static struct wire *wire;
static int peer;

/* What the wire said, and what it shall do when it says something. */
static struct seen {
	int messages;
	int last;
	int closed;
	char why[300];
	bool free_in_message;
	bool free_in_closed;
	bool echo;
	bool send_too_much;
} seen;

static void on_message(void *user, json_t *message)
{
	ck_assert_ptr_eq(user, &seen);
	ck_assert_int_eq(seen.closed, 0);
	seen.messages++;
	seen.last = (int)json_integer_value(json_object_get(message, "n"));
	if (seen.echo)
		ck_assert_int_eq(wire_send(wire, message), 0);
	while (seen.send_too_much && wire_send(wire, message) == 0)
		continue;
	if (seen.free_in_message) {
		wire_free(wire);
		wire = NULL;
	}
}

static void on_closed(void *user, const char *why)
{
	ck_assert_ptr_eq(user, &seen);
	seen.closed++;
	(void)snprintf(seen.why, sizeof(seen.why), "%s", why);
	if (seen.free_in_closed) {
		wire_free(wire);
		wire = NULL;
	}
}

static void start(void)
{
	struct wire_options o = {LINE_MAX_BYTES, QUEUE_MAX_BYTES, on_message, on_closed, &seen};
	int fds[2];

	memset(&seen, 0, sizeof(seen));
	ck_assert_int_eq(loop_new(&loop, NULL), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	peer = fds[1];
	/* Small, so that the kernel takes a queue in many pieces. */
	ck_assert_int_eq(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &(int){8192}, sizeof(int)), 0);
	ck_assert_int_eq(wire_new(loop, fds[0], &o, &wire, NULL), 0);
}

static void finish(void)
{
	wire_free(wire);
	wire = NULL;
	if (peer >= 0)
		ck_assert_int_eq(close(peer), 0);
	loop_free(loop);
}

static void say_bytes(const void *data, size_t n)
{
	ck_assert_int_eq(send(peer, data, n, MSG_NOSIGNAL), (ssize_t)n);
}

static void say(const char *text)
{
	say_bytes(text, strlen(text));
}

static void hang_up(void)
{
	ck_assert_int_eq(close(peer), 0);
	peer = -1;
}

/* Reads what the wire has sent until `n` bytes are there. */
static void hear(struct buf *b, size_t n)
{
	int64_t end_ms = turns_end_ms();

	while (b->len < n) {
		ssize_t got = recv(peer, buf_reserve(b, 65536), 65536, MSG_DONTWAIT);

		ck_assert(clock_mono_ms() < end_ms);
		if (got > 0)
			buf_grew(b, (size_t)got);
		else
			ck_assert_int_eq(errno, EAGAIN);
		ck_assert_int_eq(loop_turn(loop, 0, NULL), 0);
	}
}

START_TEST(a_message_in_pieces_arrives_once_and_whole)
{
	const char *text = "{\"n\":5}\n";

	for (const char *p = text; *p; p++) {
		ck_assert_int_eq(seen.messages, 0);
		say_bytes(p, 1);
		turn_idle(loop);
	}
	ck_assert_int_eq(seen.messages, 1);
	ck_assert_int_eq(seen.last, 5);
}
END_TEST

START_TEST(many_messages_in_one_piece_arrive_in_order)
{
	say("{\"n\":1}\n{\"n\":2}\r\n { \"n\" : 3 } \n{\"n\":");
	TURN_UNTIL(loop, seen.messages == 3);
	ck_assert_int_eq(seen.last, 3);
	say("4}\n");
	TURN_UNTIL(loop, seen.messages == 4);
	ck_assert_int_eq(seen.last, 4);
}
END_TEST

START_TEST(the_longest_line_is_taken_and_a_longer_one_ends_the_connection)
{
	char line[LINE_MAX_BYTES + 1];

	memset(line, ' ', sizeof(line));
	memcpy(line, "{\"n\":1}", 7);
	line[LINE_MAX_BYTES] = '\n';
	say_bytes(line, sizeof(line));
	say_bytes(line, sizeof(line));
	TURN_UNTIL(loop, seen.messages == 2);
	line[LINE_MAX_BYTES] = ' ';
	say_bytes(line, sizeof(line));
	say("\n");
	TURN_UNTIL(loop, seen.closed);
	ck_assert_int_eq(seen.messages, 2);
	ck_assert_str_eq(seen.why, "a message is longer than 1000 bytes");
}
END_TEST

static const char *const broken_lines[] = {"", "nonsense", "[1]", "5", "\"text\"",
	"{\"n\":1} {\"n\":2}", "{\"n\":1,\"n\":2}", "{\"n\":\"\xff\"}", "{\"n\":1e999}",
	"{\"n\":\"\\u0000\"}", "{n:1}", "{\"n\":1,}", "{\"n\":1"};

START_TEST(a_broken_line_ends_the_connection_with_a_reason)
{
	say("{\"n\":1}\n");
	say(broken_lines[_i]);
	say("\n");
	say("{\"n\":3}\n");
	TURN_UNTIL(loop, seen.closed);
	turn_idle(loop);
	ck_assert_int_eq(seen.closed, 1);
	ck_assert_int_eq(seen.messages, 1);
	ck_assert_str_ne(seen.why, "");
	ck_assert_int_eq(wire_send_text(wire, "{}", 2), -EPIPE);
}
END_TEST

START_TEST(a_nul_byte_ends_the_connection)
{
	say_bytes("{\"n\":1}\0\n", 9);
	TURN_UNTIL(loop, seen.closed);
	ck_assert_ptr_nonnull(strstr(seen.why, "NUL"));
	ck_assert_int_eq(seen.messages, 0);
}
END_TEST

/* An object whose depth is `depth`; brackets inside its strings do not count. */
static void say_nested(int depth)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1000);

	buf_adds(&b, "{\"text\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[\",\"a\":");
	for (int i = 1; i < depth; i++)
		buf_addc(&b, '[');
	for (int i = 1; i < depth; i++)
		buf_addc(&b, ']');
	buf_adds(&b, "}\n");
	say(buf_str(&b));
}

START_TEST(nesting_is_bounded)
{
	say_nested(32);
	TURN_UNTIL(loop, seen.messages == 1);
	say_nested(33);
	TURN_UNTIL(loop, seen.closed);
	ck_assert_ptr_nonnull(strstr(seen.why, "nested deeper than 32"));
}
END_TEST

START_TEST(a_clean_end_has_no_reason)
{
	say("{\"n\":1}\n");
	hang_up();
	TURN_UNTIL(loop, seen.closed);
	ck_assert_int_eq(seen.messages, 1);
	ck_assert_str_eq(seen.why, "");
}
END_TEST

START_TEST(an_end_within_a_message_is_said_so)
{
	say("{\"n\":1}\n{\"n\":2}");
	hang_up();
	TURN_UNTIL(loop, seen.closed);
	ck_assert_int_eq(seen.messages, 1);
	ck_assert_ptr_nonnull(strstr(seen.why, "within a message"));
}
END_TEST

START_TEST(what_is_sent_is_one_line_a_message)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 20);
	const char *want = "{\"n\":1}\n{\"s\":\"a\\nb\"}\n{\"n\":2}\n";
	json_t *j = json_pack("{s:s}", "s", "a\nb");

	ck_assert_int_eq(wire_send_text(wire, "{\"n\":1}", 7), 0);
	ck_assert_int_eq(wire_send(wire, j), 0);
	json_decref(j);
	ck_assert_uint_eq(wire_queued(wire), 0); /* the kernel took it at once */
	seen.echo = true;
	say("{ \"n\": 2 }\n");
	TURN_UNTIL(loop, seen.messages == 1);
	hear(&b, strlen(want));
	ck_assert_str_eq(buf_str(&b), want);
}
END_TEST

/* Sends numbered messages of about 1 kB. */
static int send_numbered(int n)
{
	char text[1000];
	int len = snprintf(text, sizeof(text), "{\"n\":%d,\"pad\":\"%0900d\"}", n, 0);

	return wire_send_text(wire, text, (size_t)len);
}

START_TEST(a_slow_reader_gets_all_in_order)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(4 << 20);
	const char *p;
	int sent = 0;

	/* In rounds, so that the queue grows, drains partly and grows again. */
	for (int round = 0; round < 10; round++) {
		while (wire_queued(wire) < QUEUE_MAX_BYTES / 2)
			ck_assert_int_eq(send_numbered(sent++), 0);
		hear(&b, b.len + 100000);
	}
	ck_assert_int_eq(send_numbered(-1), 0);
	while (wire_queued(wire))
		hear(&b, b.len + 1);
	while (b.data[b.len - 1] != '\n' || !strstr(b.data, "{\"n\":-1,"))
		hear(&b, b.len + 1);
	p = b.data;
	for (int i = 0; i < sent; i++) {
		ck_assert_int_eq(atoi(p + 5), i);
		p = strchr(p, '\n') + 1;
	}
	ck_assert(strncmp(p, "{\"n\":-1,", 8) == 0);
	ck_assert_int_eq(seen.closed, 0);
}
END_TEST

START_TEST(a_peer_that_does_not_read_is_cut_off)
{
	int r;

	while ((r = send_numbered(1)) == 0)
		ck_assert_uint_le(wire_queued(wire), QUEUE_MAX_BYTES);
	ck_assert_int_eq(r, -ENOBUFS);
	ck_assert_int_eq(seen.closed, 0); /* told from the loop, not from within */
	ck_assert_int_eq(send_numbered(1), -EPIPE);
	TURN_UNTIL(loop, seen.closed);
	ck_assert_ptr_nonnull(strstr(seen.why, "does not read"));
}
END_TEST

START_TEST(a_message_larger_than_the_queue_is_refused_alone)
{
	char *text = malloc(QUEUE_MAX_BYTES);

	ck_assert_ptr_nonnull(text);
	memset(text, ' ', QUEUE_MAX_BYTES);
	ck_assert_int_eq(wire_send_text(wire, text, QUEUE_MAX_BYTES), -EMSGSIZE);
	free(text);
	ck_assert_int_eq(wire_send_text(wire, "{}", 2), 0);
	turn_idle(loop);
	ck_assert_int_eq(seen.closed, 0);
}
END_TEST

START_TEST(sending_to_a_peer_that_is_gone_ends_the_connection)
{
	hang_up();
	ck_assert_int_eq(wire_send_text(wire, "{}", 2), -EPIPE);
	ck_assert_int_eq(seen.closed, 0);
	TURN_UNTIL(loop, seen.closed);
	turn_idle(loop);
	ck_assert_int_eq(seen.closed, 1);
}
END_TEST

/* Waits for 100 ms at least when nothing happens. */
static void expect_silence(void)
{
	int64_t start_ms = clock_mono_ms();

	ck_assert_int_eq(loop_turn(loop, 100, NULL), 0);
	ck_assert_int_ge(clock_mono_ms() - start_ms, 99);
}

START_TEST(an_idle_wire_does_not_wake_the_loop)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(4 << 20);

	ck_assert_int_eq(wire_send_text(wire, "{}", 2), 0);
	expect_silence();
	/* The same after a queue was needed and is empty again. */
	while (!wire_queued(wire))
		ck_assert_int_eq(send_numbered(1), 0);
	while (wire_queued(wire))
		hear(&b, b.len + 1);
	expect_silence();
}
END_TEST

START_TEST(the_owner_may_free_it_in_a_message)
{
	seen.free_in_message = true;
	say("{\"n\":1}\n{\"n\":2}\n");
	TURN_UNTIL(loop, seen.messages);
	turn_idle(loop);
	ck_assert_int_eq(seen.messages, 1);
	ck_assert_int_eq(seen.closed, 0);
	ck_assert_int_eq(
		recv(peer, (char[1]){0}, 1, MSG_DONTWAIT), 0); /* closed for the peer too */
}
END_TEST

START_TEST(the_owner_may_free_it_at_the_end)
{
	seen.free_in_closed = true;
	if (_i == 0) {
		hang_up();
	} else if (_i == 1) {
		say("broken\n{\"n\":1}\n");
	} else {
		while (send_numbered(1) == 0)
			continue;
	}
	TURN_UNTIL(loop, seen.closed);
	turn_idle(loop);
	ck_assert_ptr_null(wire);
	ck_assert_int_eq(seen.closed, 1);
	ck_assert_int_eq(seen.messages, 0);
}
END_TEST

START_TEST(an_end_while_answering_stops_further_messages)
{
	seen.send_too_much = true;
	seen.free_in_closed = _i;
	say("{\"n\":1,\"pad\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}\n{\"n\":"
	    "2}\n");
	TURN_UNTIL(loop, seen.closed);
	turn_idle(loop);
	ck_assert_int_eq(seen.messages, 1);
	ck_assert_int_eq(seen.closed, 1);
}
END_TEST

START_TEST(a_descriptor_that_cannot_be_watched_is_closed_and_reported)
{
	struct wire_options o = {LINE_MAX_BYTES, QUEUE_MAX_BYTES, on_message, on_closed, &seen};
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct wire *none = NULL;
	struct err e = {""};

	ck_assert_int_lt(wire_new(loop, fd, &o, &none, &e), 0);
	ck_assert_ptr_null(none);
	ck_assert_str_ne(e.msg, "");
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

static Suite *wire_suite(void)
{
	Suite *s = suite_create("wire");
	TCase *tc = tcase_create("wire");

	tcase_add_checked_fixture(tc, start, finish);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_message_in_pieces_arrives_once_and_whole);
	tcase_add_test(tc, many_messages_in_one_piece_arrive_in_order);
	tcase_add_test(tc, the_longest_line_is_taken_and_a_longer_one_ends_the_connection);
	tcase_add_loop_test(tc, a_broken_line_ends_the_connection_with_a_reason, 0,
		(int)(sizeof(broken_lines) / sizeof(*broken_lines)));
	tcase_add_test(tc, a_nul_byte_ends_the_connection);
	tcase_add_test(tc, nesting_is_bounded);
	tcase_add_test(tc, a_clean_end_has_no_reason);
	tcase_add_test(tc, an_end_within_a_message_is_said_so);
	tcase_add_test(tc, what_is_sent_is_one_line_a_message);
	tcase_add_test(tc, a_slow_reader_gets_all_in_order);
	tcase_add_test(tc, a_peer_that_does_not_read_is_cut_off);
	tcase_add_test(tc, a_message_larger_than_the_queue_is_refused_alone);
	tcase_add_test(tc, sending_to_a_peer_that_is_gone_ends_the_connection);
	tcase_add_test(tc, an_idle_wire_does_not_wake_the_loop);
	tcase_add_test(tc, the_owner_may_free_it_in_a_message);
	tcase_add_loop_test(tc, the_owner_may_free_it_at_the_end, 0, 3);
	tcase_add_loop_test(tc, an_end_while_answering_stops_further_messages, 0, 2);
	tcase_add_test(tc, a_descriptor_that_cannot_be_watched_is_closed_and_reported);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(wire_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
