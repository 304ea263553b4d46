/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_client.h"
#include "tests/unit/http_answer.h"

START_TEST(a_plain_answer_comes_back)
{
	struct answer a = {0};

	get_to_the_end(&a, "/hello");
	ck_assert_int_eq(a.error, 0);
	ck_assert_int_eq(a.status, 200);
	ck_assert_str_eq(a.body, "hello from connection 1");
	ck_assert_str_eq(a.message, "");
	ck_assert_int_eq(a.retry_after_ms, -1);
}
END_TEST

START_TEST(the_connection_is_used_again)
{
	struct answer a = {0}, b = {0};

	get_to_the_end(&a, "/hello");
	get_to_the_end(&b, "/hello");
	ck_assert_str_eq(b.body, "hello from connection 1");
}
END_TEST

START_TEST(method_headers_and_body_are_sent)
{
	const char *headers[] = {"Content-Type: application/json", "Authorization: Bearer x", NULL};
	struct answer a = {0};
	char body[] = "{\"a\":\0001}";

	launch(&a, (struct http_request_options){.method = "PUT",
			   .url = url_of("/echo"),
			   .headers = headers,
			   .body = body,
			   .body_len = sizeof(body) - 1});
	memset(body, 'x', sizeof(body)); /* it was copied */
	TURN_UNTIL(loop, a.count);
	ck_assert_int_eq(a.error, 0);
	ck_assert(strncmp(a.body, "PUT /echo HTTP/1.1\r\n", 20) == 0);
	ck_assert_ptr_nonnull(strstr(a.body, "Content-Type: application/json\r\n"));
	ck_assert_ptr_nonnull(strstr(a.body, "Authorization: Bearer x\r\n"));
	ck_assert_ptr_nonnull(strstr(a.body, "Content-Length: 8\r\n"));
	ck_assert_ptr_null(strstr(a.body, "Expect:"));
	ck_assert_ptr_nonnull(strstr(a.body, "\r\n\r\n{\"a\":"));
}
END_TEST

START_TEST(a_post_without_a_body_says_so)
{
	struct answer a = {0};

	launch(&a, (struct http_request_options){.method = "POST", .url = url_of("/echo")});
	TURN_UNTIL(loop, a.count);
	ck_assert_int_eq(a.error, 0);
	ck_assert(strncmp(a.body, "POST /echo HTTP/1.1\r\n", 21) == 0);
	ck_assert_ptr_nonnull(strstr(a.body, "Content-Length: 0\r\n"));
}
END_TEST

START_TEST(a_plain_method_is_sent_as_it_is)
{
	struct answer a = {0};

	launch(&a, (struct http_request_options){.method = "DELETE", .url = url_of("/echo")});
	TURN_UNTIL(loop, a.count);
	ck_assert(strncmp(a.body, "DELETE /echo HTTP/1.1\r\n", 23) == 0);
	ck_assert_ptr_null(strstr(a.body, "Content-Length:"));
}
END_TEST

START_TEST(a_unix_socket_works_even_with_a_proxy_set)
{
	const char *path = scratch_path("docker.sock");
	struct http_server on_unix = http_server_start(path);
	struct answer a = {0};

	ck_assert_int_eq(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
	launch(&a, (struct http_request_options){.url = "http://docker/echo", .unix_socket = path});
	TURN_UNTIL(loop, a.count);
	ck_assert_int_eq(unsetenv("http_proxy"), 0);
	http_server_stop(&on_unix);
	ck_assert_int_eq(a.error, 0);
	ck_assert_int_eq(strncmp(a.body, "GET /echo HTTP/1.1\r\n", 20), 0);
}
END_TEST

START_TEST(a_unix_socket_that_is_not_there_is_said_so)
{
	struct answer a = {0};

	launch(&a, (struct http_request_options){
			   .url = "http://docker/", .unix_socket = scratch_path("none.sock")});
	TURN_UNTIL(loop, a.count);
	ck_assert_int_eq(a.error, -ENOENT);
	ck_assert_int_eq(a.status, 0);
	ck_assert_str_ne(a.message, "");
}
END_TEST

START_TEST(other_statuses_are_answers_not_errors)
{
	struct answer busy = {0}, missing = {0}, none = {0};

	get_to_the_end(&busy, "/busy");
	ck_assert_int_eq(busy.error, 0);
	ck_assert_int_eq(busy.status, 503);
	ck_assert_int_eq(busy.retry_after_ms, 7000);
	ck_assert_str_eq(busy.body, "later");
	get_to_the_end(&missing, "/missing");
	ck_assert_int_eq(missing.status, 404);
	ck_assert_int_eq(missing.retry_after_ms, -1);
	get_to_the_end(&none, "/none");
	ck_assert_int_eq(none.status, 204);
	ck_assert_str_eq(none.body, "");
}
END_TEST

START_TEST(redirects_are_not_followed)
{
	struct answer a = {0};

	get_to_the_end(&a, "/redirect");
	ck_assert_int_eq(a.error, 0);
	ck_assert_int_eq(a.status, 302);
	ck_assert_str_eq(a.body, "");
}
END_TEST

START_TEST(only_http_is_spoken)
{
	static const char *const urls[] = {
		"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://x", "", "127.0.0.1/"};
	struct http_request *none = NULL;
	struct answer a = {0};
	struct err e = {""};

	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		struct http_request_options o = {.url = urls[i], .max_body = 100};

		ck_assert_int_eq(http_client_start(client, &o, on_done, &a, &none, &e), -EINVAL);
	}
	ck_assert_ptr_null(none);
	turn_idle(loop);
	ck_assert_int_eq(a.count, 0);
}
END_TEST

START_TEST(text_from_outside_cannot_add_lines_to_a_request)
{
	const char *headers[] = {"X-Name: a\r\nX-Evil: b", NULL};
	struct http_request_options with_header = {.url = url_of("/echo"), .headers = headers};
	struct http_request_options with_method = {
		.url = url_of("/echo"), .method = "GET / HTTP/1.1\r\nX:"};
	struct http_request *none = NULL;
	struct answer a = {0};
	struct err e = {""};

	ck_assert_int_eq(http_client_start(client, &with_header, on_done, &a, &none, &e), -EINVAL);
	ck_assert_int_eq(http_client_start(client, &with_method, on_done, &a, &none, &e), -EINVAL);
	get_to_the_end(&a, "/echo\r\nX-Evil: b");
	ck_assert_int_eq(a.error, -EINVAL);
}
END_TEST

START_TEST(a_chunked_answer_is_put_together)
{
	struct answer a = {0};

	get_to_the_end(&a, "/chunked");
	ck_assert_int_eq(a.error, 0);
	ck_assert_str_eq(a.body, "abcd0123456789abcdef");
}
END_TEST

START_TEST(an_answer_may_end_with_the_connection)
{
	struct answer a = {0};

	get_to_the_end(&a, "/until-close");
	ck_assert_int_eq(a.error, 0);
	ck_assert_str_eq(a.body, "all of it");
}
END_TEST

START_TEST(a_body_that_just_fits_is_taken)
{
	struct answer a = {0}, b = {0};

	launch(&a, (struct http_request_options){.url = url_of("/chunked"), .max_body = 20});
	launch(&b, (struct http_request_options){.url = url_of("/chunked"), .max_body = 19});
	TURN_UNTIL(loop, a.count && b.count);
	ck_assert_int_eq(a.error, 0);
	ck_assert_int_eq(b.error, -EMSGSIZE);
	ck_assert_int_eq(b.status, 200);
	ck_assert_str_eq(b.message, "the answer is larger than 19 bytes");
}
END_TEST

static const struct {
	const char *path;
	int error;
} bad_answers[] = {
	{"/said-to-be-big", -EMSGSIZE},
	{"/flood", -EMSGSIZE},
	{"/headers", -EMSGSIZE},
	{"/cut", -EIO},
	{"/cut-chunk", -EIO},
	{"/nothing", -EIO},
	{"/no-http", -EIO},
};

START_TEST(a_bad_answer_is_an_error_with_words)
{
	struct answer a = {0}, after = {0};

	get_to_the_end(&a, bad_answers[_i].path);
	ck_assert_int_eq(a.error, bad_answers[_i].error);
	ck_assert_str_ne(a.message, "");
	get_to_the_end(&after, "/hello"); /* nothing stays broken */
	ck_assert_int_eq(after.error, 0);
}
END_TEST

START_TEST(a_refused_connection_is_said_so)
{
	struct answer a = {0};

	http_server_stop(&server);
	get_to_the_end(&a, "/hello");
	ck_assert_int_eq(a.error, -ECONNREFUSED);
	ck_assert_int_eq(a.status, 0);
	ck_assert_str_ne(a.message, "");
	server = http_server_start(NULL);
}
END_TEST

START_TEST(a_server_that_went_away_between_requests_is_connected_anew)
{
	struct http_server first = http_server_start(scratch_path("s")), second;
	struct http_request_options o = {.url = "http://x/hello", .unix_socket = scratch_path("s")};
	struct answer a = {0}, b = {0};

	launch(&a, o);
	TURN_UNTIL(loop, a.count);
	http_server_stop(&first);
	ck_assert_int_eq(unlink(scratch_path("s")), 0);
	second = http_server_start(scratch_path("s"));
	launch(&b, o);
	TURN_UNTIL(loop, b.count);
	http_server_stop(&second);
	ck_assert_int_eq(b.error, 0);
	ck_assert_str_eq(b.body, "hello from connection 1");
}
END_TEST

START_TEST(a_request_that_takes_too_long_ends)
{
	int64_t start_ms = clock_mono_ms();
	struct answer a = {0};

	launch(&a, (struct http_request_options){.url = url_of("/hang"), .timeout_ms = 200});
	TURN_UNTIL(loop, a.count);
	ck_assert_int_eq(a.error, -ETIMEDOUT);
	ck_assert_str_ne(a.message, "");
	ck_assert_int_ge(clock_mono_ms() - start_ms, 199);
	ck_assert_int_lt(clock_mono_ms() - start_ms, 3000);
}
END_TEST

static Suite *http_client_suite(void)
{
	Suite *s = suite_create("http_client");
	TCase *tc = tcase_create("http_client");

	tcase_add_checked_fixture(tc, start_server, stop_server);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_plain_answer_comes_back);
	tcase_add_test(tc, the_connection_is_used_again);
	tcase_add_test(tc, method_headers_and_body_are_sent);
	tcase_add_test(tc, a_post_without_a_body_says_so);
	tcase_add_test(tc, a_plain_method_is_sent_as_it_is);
	tcase_add_test(tc, a_unix_socket_works_even_with_a_proxy_set);
	tcase_add_test(tc, a_unix_socket_that_is_not_there_is_said_so);
	tcase_add_test(tc, other_statuses_are_answers_not_errors);
	tcase_add_test(tc, redirects_are_not_followed);
	tcase_add_test(tc, only_http_is_spoken);
	tcase_add_test(tc, text_from_outside_cannot_add_lines_to_a_request);
	tcase_add_test(tc, a_chunked_answer_is_put_together);
	tcase_add_test(tc, an_answer_may_end_with_the_connection);
	tcase_add_test(tc, a_body_that_just_fits_is_taken);
	tcase_add_loop_test(tc, a_bad_answer_is_an_error_with_words, 0,
		(int)(sizeof(bad_answers) / sizeof(*bad_answers)));
	tcase_add_test(tc, a_refused_connection_is_said_so);
	tcase_add_test(tc, a_server_that_went_away_between_requests_is_connected_anew);
	tcase_add_test(tc, a_request_that_takes_too_long_ends);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(http_client_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
