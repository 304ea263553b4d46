/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_client.h"
#include "tests/unit/http_server.h"
#include "tests/unit/scratch.h"
#include "tests/unit/turns.h"

static struct http_server server;
static struct loop *loop;
static struct http_client *client;

/* What became of one request. */
struct answer {
	int count;
	int error;
	long status;
	int64_t retry_after_ms;
	char message[256];
	char body[20000];
	size_t body_len;
	size_t data_len; /* by on_data */
	char data[200];
	/* What to do in on_data or at the end. */
	struct http_request *request;
	struct http_request *cancel;
	bool stop;
	bool free_client;
	struct answer *start_next;
};

static void get(struct answer *a, const char *path);

static void act(struct answer *a)
{
	if (a->cancel) {
		http_request_cancel(a->cancel);
		a->cancel = NULL;
	}
	if (a->start_next) {
		struct answer *next = a->start_next;

		a->start_next = NULL;
		get(next, "/hello");
	}
	if (a->free_client) {
		http_client_free(client);
		client = NULL;
		a->free_client = false;
	}
}

static void on_done(void *user, const struct http_response *r)
{
	struct answer *a = user;

	a->count++;
	a->error = r->error;
	a->status = r->status;
	a->retry_after_ms = r->retry_after_ms;
	a->body_len = r->body_len;
	ck_assert_uint_lt(r->body_len, sizeof(a->body));
	ck_assert_int_eq(r->body[r->body_len], '\0');
	memcpy(a->body, r->body, r->body_len + 1);
	memcpy(a->message, r->message, sizeof(a->message));
	act(a);
}

static bool on_data(void *user, const char *data, size_t len)
{
	struct answer *a = user;

	if (a->data_len + len < sizeof(a->data))
		memcpy(a->data + a->data_len, data, len);
	a->data_len += len;
	act(a);
	return !a->stop;
}

static void start(void)
{
	scratch_make();
	server = http_server_start(NULL);
	ck_assert_int_eq(loop_new(&loop, NULL), 0);
	ck_assert_int_eq(http_client_new(loop, &client, NULL), 0);
}

static void finish(void)
{
	http_client_free(client);
	client = NULL;
	loop_free(loop);
	http_server_stop(&server);
	scratch_remove();
}

static const char *url_of(const char *path)
{
	static char url[200];

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", server.port, path);
	return url;
}

static void launch(struct answer *a, struct http_request_options o)
{
	struct err e = {""};

	if (!o.max_body)
		o.max_body = 10000;
	if (!o.timeout_ms)
		o.timeout_ms = 15000;
	ck_assert_msg(http_client_start(client, &o, on_done, a, &a->request, &e) == 0, "%s", e.msg);
}

static void get(struct answer *a, const char *path)
{
	launch(a, (struct http_request_options){.url = url_of(path)});
}

static void get_to_the_end(struct answer *a, const char *path)
{
	get(a, path);
	ck_assert_int_eq(a->count, 0); /* never from within the start */
	TURN_UNTIL(loop, a->count);
	turn_idle(loop);
	ck_assert_int_eq(a->count, 1);
}

static int count_descriptors(void)
{
	_cleanup_(closedir_p) DIR *d = opendir("/proc/self/fd");
	int n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		n++;
	return n;
}

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
	launch(&a, (struct http_request_options){
			   .url = "http://docker/v1/hello", .unix_socket = path});
	TURN_UNTIL(loop, a.count);
	ck_assert_int_eq(unsetenv("http_proxy"), 0);
	http_server_stop(&on_unix);
	ck_assert_int_eq(a.error, 0);
	ck_assert_str_eq(a.body, "hello from connection 1");
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

START_TEST(a_stream_is_delivered_as_it_comes)
{
	struct answer a = {0};

	launch(&a, (struct http_request_options){.url = url_of("/stream"), .on_data = on_data});
	TURN_UNTIL(loop, a.data_len == 6);
	ck_assert_str_eq(a.data, "event1");
	turn_idle(loop);
	ck_assert_int_eq(a.count, 0);
	http_request_cancel(a.request);
	turn_idle(loop);
	ck_assert_int_eq(a.count, 0);
}
END_TEST

START_TEST(a_stream_keeps_no_body_and_has_no_bound)
{
	struct answer a = {0};

	launch(&a, (struct http_request_options){.url = url_of("/flood"), .on_data = on_data});
	TURN_UNTIL(loop, a.data_len > 1000000);
	ck_assert_int_eq(a.count, 0);
	a.stop = true;
	TURN_UNTIL(loop, a.count);
	ck_assert_int_eq(a.error, -ECANCELED);
	ck_assert_int_eq(a.status, 200);
	ck_assert_uint_eq(a.body_len, 0);
}
END_TEST

START_TEST(a_stream_that_ends_is_done)
{
	struct answer a = {0};

	launch(&a, (struct http_request_options){.url = url_of("/chunked"), .on_data = on_data});
	TURN_UNTIL(loop, a.count);
	ck_assert_int_eq(a.error, 0);
	ck_assert_uint_eq(a.data_len, 20);
}
END_TEST

/* In these, a callback runs while curl itself is running. */
START_TEST(a_request_may_cancel_itself_while_data_comes)
{
	struct answer a = {0};

	launch(&a, (struct http_request_options){.url = url_of("/flood"), .on_data = on_data});
	a.cancel = a.request;
	TURN_UNTIL(loop, !a.cancel);
	turn_idle(loop);
	ck_assert_int_eq(a.count, 0);
}
END_TEST

START_TEST(a_request_may_cancel_another_while_data_comes)
{
	struct answer a = {0}, other = {0};

	get(&other, "/hang");
	launch(&a, (struct http_request_options){.url = url_of("/chunked"), .on_data = on_data});
	a.cancel = other.request;
	TURN_UNTIL(loop, a.count);
	ck_assert_int_eq(a.error, 0);
	turn_idle(loop);
	ck_assert_int_eq(other.count, 0);
}
END_TEST

START_TEST(a_request_may_start_another_while_data_comes)
{
	struct answer a = {0}, next = {0};

	launch(&a, (struct http_request_options){.url = url_of("/stream"), .on_data = on_data});
	a.start_next = &next;
	TURN_UNTIL(loop, next.count);
	ck_assert_int_eq(next.error, 0);
	http_request_cancel(a.request);
}
END_TEST

START_TEST(the_client_may_be_freed_while_data_comes)
{
	struct answer a = {0}, other = {0};

	get(&other, "/hang");
	launch(&a, (struct http_request_options){.url = url_of("/flood"), .on_data = on_data});
	a.free_client = true;
	TURN_UNTIL(loop, !client);
	turn_idle(loop);
	ck_assert_int_eq(a.count, 0);
	ck_assert_int_eq(other.count, 0);
}
END_TEST

/* And in these at the end of a request. */
START_TEST(the_end_of_a_request_may_start_and_cancel_others)
{
	struct answer a = {0}, next = {0}, other = {0};

	get(&other, "/hang");
	get(&a, "/hello");
	a.start_next = &next;
	a.cancel = other.request;
	TURN_UNTIL(loop, next.count);
	ck_assert_int_eq(next.error, 0);
	turn_idle(loop);
	ck_assert_int_eq(other.count, 0);
}
END_TEST

START_TEST(cancelling_at_its_own_end_does_nothing)
{
	struct answer a = {0};

	get(&a, "/hello");
	a.cancel = a.request;
	TURN_UNTIL(loop, a.count);
	turn_idle(loop);
	ck_assert_int_eq(a.count, 1);
}
END_TEST

START_TEST(the_client_may_be_freed_at_the_end_of_a_request)
{
	struct answer a = {0}, other = {0};

	get(&a, "/hello");
	get(&other, "/hang");
	a.free_client = true;
	TURN_UNTIL(loop, !client);
	turn_idle(loop);
	ck_assert_int_eq(a.count, 1);
	ck_assert_int_eq(other.count, 0);
}
END_TEST

START_TEST(freeing_the_client_ends_what_is_under_way_and_leaves_nothing)
{
	int before = count_descriptors();
	struct answer a[10] = {{0}};

	for (int i = 0; i < 10; i++)
		get(&a[i], i % 2 ? "/hang" : "/stream");
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(loop_turn(loop, 20, NULL), 0);
	http_client_free(client);
	client = NULL;
	turn_idle(loop);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(a[i].count, 0);
	ck_assert_int_eq(count_descriptors(), before);
	http_client_free(NULL);
	http_request_cancel(NULL);
}
END_TEST

static int count_ended(const struct answer *a, int n)
{
	int ended = 0;

	for (int i = 0; i < n; i++)
		ended += a[i].count;
	return ended;
}

START_TEST(many_at_once_all_end)
{
	static struct answer a[100];

	memset(a, 0, sizeof(a));
	for (int i = 0; i < 100; i++)
		get(&a[i], i % 3 ? "/hello" : "/chunked");
	TURN_UNTIL(loop, count_ended(a, 100) == 100);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(a[i].error, 0);
	/* Few connections stay open for later. */
	ck_assert_int_lt(count_descriptors(), 30);
}
END_TEST

START_TEST(an_idle_client_does_not_wake_the_loop)
{
	struct answer a = {0};
	int64_t start_ms;

	get_to_the_end(&a, "/hello");
	start_ms = clock_mono_ms();
	ck_assert_int_eq(loop_turn(loop, 300, NULL), 0);
	ck_assert_int_ge(clock_mono_ms() - start_ms, 299);
}
END_TEST

static Suite *http_client_suite(void)
{
	Suite *s = suite_create("http_client");
	TCase *tc = tcase_create("http_client");

	tcase_add_checked_fixture(tc, start, finish);
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
	tcase_add_test(tc, a_stream_is_delivered_as_it_comes);
	tcase_add_test(tc, a_stream_keeps_no_body_and_has_no_bound);
	tcase_add_test(tc, a_stream_that_ends_is_done);
	tcase_add_test(tc, a_request_may_cancel_itself_while_data_comes);
	tcase_add_test(tc, a_request_may_cancel_another_while_data_comes);
	tcase_add_test(tc, a_request_may_start_another_while_data_comes);
	tcase_add_test(tc, the_client_may_be_freed_while_data_comes);
	tcase_add_test(tc, the_end_of_a_request_may_start_and_cancel_others);
	tcase_add_test(tc, cancelling_at_its_own_end_does_nothing);
	tcase_add_test(tc, the_client_may_be_freed_at_the_end_of_a_request);
	tcase_add_test(tc, freeing_the_client_ends_what_is_under_way_and_leaves_nothing);
	tcase_add_test(tc, many_at_once_all_end);
	tcase_add_test(tc, an_idle_client_does_not_wake_the_loop);
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
