/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests in tests of the HTTP client: a server, a client, and what became of each request.
 */
#ifndef TESTS_UNIT_HTTP_ANSWER_H
#define TESTS_UNIT_HTTP_ANSWER_H

#include <check.h>
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

static inline void get(struct answer *a, const char *path);

static inline void act(struct answer *a)
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

static inline void on_done(void *user, const struct http_response *r)
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

static inline bool on_data(void *user, const char *data, size_t len)
{
	struct answer *a = user;

	if (a->data_len + len < sizeof(a->data))
		memcpy(a->data + a->data_len, data, len);
	a->data_len += len;
	act(a);
	return !a->stop;
}

static inline void start_server(void)
{
	scratch_make();
	server = http_server_start(NULL);
	ck_assert_int_eq(loop_new(&loop, NULL), 0);
	ck_assert_int_eq(http_client_new(loop, &client, NULL), 0);
}

static inline void stop_server(void)
{
	http_client_free(client);
	client = NULL;
	loop_free(loop);
	http_server_stop(&server);
	scratch_remove();
}

static inline const char *url_of(const char *path)
{
	static char url[200];

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", server.port, path);
	return url;
}

static inline void launch(struct answer *a, struct http_request_options o)
{
	struct err e = {""};

	if (!o.max_body)
		o.max_body = 10000;
	if (!o.timeout_ms)
		o.timeout_ms = 15000;
	ck_assert_msg(http_client_start(client, &o, on_done, a, &a->request, &e) == 0, "%s", e.msg);
}

static inline void get(struct answer *a, const char *path)
{
	launch(a, (struct http_request_options){.url = url_of(path)});
}

static inline void get_to_the_end(struct answer *a, const char *path)
{
	get(a, path);
	ck_assert_int_eq(a->count, 0); /* never from within the start */
	TURN_UNTIL(loop, a->count);
	turn_idle(loop);
	ck_assert_int_eq(a->count, 1);
}

#endif
