/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/docker_http.h"

#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backup/docker_frames.h"
#include "backup/docker_internal.h"
#include "base/clock.h"

static struct err e;

static int head(const char *text, struct docker_head *out)
{
	return docker_head_parse(text, strlen(text), out, &e);
}

START_TEST(a_head_is_whole_at_its_empty_line)
{
	static const char text[] =
		"HTTP/1.1 404 Not Found\r\ncontent-length:  38 \r\nX: y\r\n\r\n{";
	struct docker_head h = {0};

	for (size_t n = 0; n < sizeof(text) - 2; n++)
		ck_assert_int_eq(docker_head_parse(text, n, &h, &e), 0);
	ck_assert_int_eq(head(text, &h), 1);
	ck_assert_int_eq(h.status, 404);
	ck_assert_int_eq(h.length, 38);
	ck_assert(!h.chunked);
	ck_assert_uint_eq(h.bytes, sizeof(text) - 2);
	ck_assert_int_eq(head("HTTP/1.0 200\n\n", &h), 1);
	ck_assert_int_eq(h.length, -1);
}
END_TEST

START_TEST(a_head_that_is_none_is_refused)
{
	static const char *const bad[] = {
		"SSH-2.0-OpenSSH\r\n\r\n",
		"HTTP/1.1 2x0 OK\r\n\r\n",
		"HTTP/1.1 000 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
	};
	static char endless[DOCKER_HEAD_MAX];
	struct docker_head h;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(head(bad[i], &h) == -EBADMSG, "%s", bad[i]);
	memset(endless, 'x', sizeof(endless));
	memcpy(endless, "HTTP/1.1 200 OK\r\n", 17);
	ck_assert_int_eq(docker_head_parse(endless, sizeof(endless), &h, &e), -EBADMSG);
}
END_TEST

START_TEST(chunks_come_in_pieces_of_any_size)
{
	static const char text[] = "5;a=b\r\nhello\r\n06\r\n world\r\n0\r\nT: x\r\n\r\nmore";

	for (size_t piece = 1; piece < sizeof(text); piece++) {
		struct buf out = BUF_INIT(100);
		struct docker_chunks c = {0};

		for (size_t i = 0; i < sizeof(text) - 1; i += piece) {
			size_t n = sizeof(text) - 1 - i;

			ck_assert_int_eq(
				docker_chunks_add(&c, text + i, n < piece ? n : piece, &out, &e),
				0);
		}
		ck_assert(c.done);
		ck_assert_str_eq(buf_str(&out), "hello world");
		buf_done(&out);
	}
}
END_TEST

START_TEST(broken_chunks_are_refused)
{
	static const char *const bad[] = {
		"\r\n", "x\r\n", "5\r\nhelloX", "fffffffffffff\r\n", "5\r\nhello\r\n\r\n"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf out = BUF_INIT(100);
		struct docker_chunks c = {0};

		ck_assert_int_eq(docker_chunks_add(&c, bad[i], strlen(bad[i]), &out, &e), -EBADMSG);
		buf_done(&out);
	}
}
END_TEST

/* The answer, sent and then cut, as a body. */
static int body_of(const char *text, size_t max, struct buf *out)
{
	struct docker_head h;
	int fds[2];
	int r;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert_int_eq(write(fds[1], text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fds[1]);
	buf_init(out, max);
	r = docker_recv_head(fds[0], &h, clock_mono_ms() + 5000, &e);
	if (r == 0)
		r = docker_recv_body(fds[0], &h, out, clock_mono_ms() + 5000, &e);
	(void)close(fds[0]);
	return r;
}

START_TEST(a_body_that_is_cut_is_no_body)
{
	struct buf out;

	ck_assert_int_eq(
		body_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 100, &out), 0);
	ck_assert_str_eq(buf_str(&out), "hello");
	buf_done(&out);
	ck_assert_int_eq(
		body_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", 100, &out), -EBADMSG);
	buf_done(&out);
	ck_assert_int_eq(
		body_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 100,
			&out),
		-EBADMSG);
	buf_done(&out);
	ck_assert_int_eq(body_of("HTTP/1.1 200 OK\r\n\r\nto the end", 100, &out), 0);
	ck_assert_str_eq(buf_str(&out), "to the end");
	buf_done(&out);
	ck_assert_int_eq(body_of("HTTP/1.1 200 OK\r\n\r\nto the end", 4, &out), -EFBIG);
	buf_done(&out);
	ck_assert_int_eq(body_of("HTTP/1.1 200 OK\r\nConte", 100, &out), -EBADMSG);
	buf_done(&out);
}
END_TEST

START_TEST(nothing_behind_the_head_is_taken_with_it)
{
	struct docker_head h;
	char rest[16] = "";
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert_int_eq(write(fds[1], "HTTP/1.1 101 UPGRADED\r\n\r\n\1frame", 31), 31);
	ck_assert_int_eq(docker_recv_head(fds[0], &h, clock_mono_ms() + 5000, &e), 0);
	ck_assert_int_eq(h.status, 101);
	ck_assert_int_eq(read(fds[0], rest, sizeof(rest)), 6);
	ck_assert_str_eq(rest, "\1frame");
	(void)close(fds[0]);
	(void)close(fds[1]);
}
END_TEST

START_TEST(an_engine_that_does_not_answer_is_given_up)
{
	struct docker_head h;
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert_int_eq(docker_recv_head(fds[0], &h, clock_mono_ms() + 50, &e), -ETIMEDOUT);
	(void)close(fds[0]);
	(void)close(fds[1]);
	ck_assert_int_lt(docker_connect("/nonexistent/docker.sock", &e), 0);
	ck_assert_ptr_nonnull(strstr(e.msg, "/nonexistent/docker.sock"));
}
END_TEST

/* -ENOENT would be: there is no such container. */
START_TEST(no_engine_is_not_no_container)
{
	struct docker_container *c = NULL;

	ck_assert_int_eq(docker_inspect("/tmp/agent-no-such.sock", "db", &c, &e), -ECONNREFUSED);
	ck_assert_ptr_nonnull(strstr(e.msg, "/tmp/agent-no-such.sock: No such file"));
	ck_assert_int_eq(docker_unpause("/tmp/agent-no-such.sock", "db", &e), -ECONNREFUSED);
}
END_TEST

START_TEST(frames_tell_whose_bytes_come_next)
{
	struct docker_frames f = {0};

	ck_assert(docker_frames_at_border(&f));
	ck_assert_uint_eq(docker_frames_header(&f), 8);
	ck_assert_int_eq(docker_frames_add_header(&f, "\2\0\0", 3, &e), 0);
	ck_assert(!docker_frames_at_border(&f));
	ck_assert_uint_eq(docker_frames_header(&f), 5);
	ck_assert_int_eq(docker_frames_add_header(&f, "\0\0\1\0\2", 5, &e), 0);
	ck_assert_uint_eq(docker_frames_header(&f), 0);
	ck_assert_int_eq(f.stream, DOCKER_STDERR);
	ck_assert_uint_eq(f.left, 0x10002);
	docker_frames_took(&f, 0x10001);
	ck_assert(!docker_frames_at_border(&f));
	docker_frames_took(&f, 1);
	ck_assert(docker_frames_at_border(&f));
	/* An empty frame is one. */
	ck_assert_int_eq(docker_frames_add_header(&f, "\1\0\0\0\0\0\0\0", 8, &e), 0);
	ck_assert(docker_frames_at_border(&f));
	ck_assert_int_eq(docker_frames_add_header(&f, "HTTP/1.1", 8, &e), -EBADMSG);
}
END_TEST

START_TEST(a_name_cannot_leave_its_part_of_the_path)
{
	struct buf path = BUF_INIT(100);

	docker_path_add(&path, "shop-db_1.x/../y?z \n");
	ck_assert_str_eq(buf_str(&path), "shop-db_1.x%2F..%2Fy%3Fz%20%0A");
	buf_done(&path);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("docker_http");
	TCase *tc = tcase_create("docker_http");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, a_head_is_whole_at_its_empty_line);
	tcase_add_test(tc, a_head_that_is_none_is_refused);
	tcase_add_test(tc, chunks_come_in_pieces_of_any_size);
	tcase_add_test(tc, broken_chunks_are_refused);
	tcase_add_test(tc, a_body_that_is_cut_is_no_body);
	tcase_add_test(tc, nothing_behind_the_head_is_taken_with_it);
	tcase_add_test(tc, an_engine_that_does_not_answer_is_given_up);
	tcase_add_test(tc, no_engine_is_not_no_container);
	tcase_add_test(tc, frames_tell_whose_bytes_come_next);
	tcase_add_test(tc, a_name_cannot_leave_its_part_of_the_path);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
