/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/http.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/web/http_internal.h"
#include "base/str.h"

enum { SMALL_ANSWER = 64 * 1024 };

static const char *const secure_headers[][2] = {
	{"Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'self'; "
				    "frame-ancestors 'none'; object-src 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
};

static struct http_request *request_new(
	struct http_server *s, struct MHD_Connection *mhd, const char *method)
{
	struct http_request *rq = calloc(1, sizeof(*rq));
	char *mark;

	if (!rq)
		abort();
	rq->server = s;
	rq->connection = http_connection(mhd);
	rq->connection->request = rq;
	/* The text of the method lives as long as the connection's request. HEAD is a GET whose
	 * body stays here. */
	rq->method = strcmp(method, "HEAD") == 0 ? "GET" : method;
	rq->path = rq->connection->uri ? rq->connection->uri : str_dup("/");
	rq->connection->uri = NULL;
	mark = strchr(rq->path, '?');
	if (mark)
		*mark++ = '\0';
	rq->query = mark ? mark : rq->path + strlen(rq->path);
	buf_init(&rq->body, HTTP_BODY_MAX);
	return rq;
}

static void request_free(struct http_request *rq)
{
	loop_remove_fd(rq->hangup);
	if (rq->stream)
		rq->stream->closed(rq->stream_user);
	if (rq->free_data)
		rq->free_data(rq->data);
	if (rq->sink)
		rq->sink->free(rq->sink_user);
	if (rq->response)
		MHD_destroy_response(rq->response);
	rq->server->held -= rq->held;
	for (size_t i = 0; i < rq->n_headers; i++) {
		free(rq->headers[i].name);
		free(rq->headers[i].value);
	}
	buf_done(&rq->body);
	free(rq->path);
	free(rq);
}

void http_on_completed(
	void *user, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode why)
{
	struct http_request *rq = *context;

	(void)user;
	(void)mhd;
	(void)why;
	if (!rq)
		return;
	rq->connection->request = NULL;
	http_set_deadline(rq->connection, HTTP_ARRIVE_S);
	request_free(rq);
	*context = NULL;
}

static enum MHD_Result send_answer(struct http_request *rq)
{
	if (rq->stream)
		rq->connection->deadline_ms = 0;
	else
		http_set_deadline(rq->connection, HTTP_FETCH_S);
	return MHD_queue_response(rq->connection->mhd, rq->status, rq->response);
}

/* Called with the head, then with each piece of the body, then once at the end; and again after
 * a resume. */
enum MHD_Result http_on_access(void *user, struct MHD_Connection *mhd, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_size,
	void **context)
{
	struct http_server *s = user;
	struct http_request *rq = *context;

	(void)url;
	(void)version;
	if (!rq) {
		*context = rq = request_new(s, mhd, method);
		http_check_head(rq);
		return rq->response ? send_answer(rq) : MHD_YES;
	}
	if (*upload_size) {
		size_t n = *upload_size;

		*upload_size = 0;
		return http_take_body(rq, upload, n) ? MHD_YES : MHD_NO;
	}
	if (!rq->handed_over) {
		rq->handed_over = true;
		rq->connection->deadline_ms = 0;
		if (s->closing)
			http_reply_error(rq, MHD_HTTP_SERVICE_UNAVAILABLE, "the agent is stopping");
		else
			s->options.on_request(s->options.user, rq);
	}
	if (rq->response)
		return send_answer(rq);
	rq->suspended = true;
	MHD_suspend_connection(mhd);
	return MHD_YES;
}

static void resume(struct http_request *rq)
{
	if (!rq->suspended)
		return;
	rq->suspended = false;
	MHD_resume_connection(rq->connection->mhd);
	if (!rq->server->closing)
		loop_timer_after(rq->server->run_timer, 0);
}

const char *http_method(const struct http_request *rq)
{
	return rq->method;
}

const char *http_path(const struct http_request *rq)
{
	return rq->path;
}

const char *http_query(const struct http_request *rq)
{
	return rq->query;
}

const char *http_body(const struct http_request *rq, size_t *len)
{
	*len = rq->body.len;
	return buf_str(&rq->body);
}

const struct sockaddr *http_peer(const struct http_request *rq)
{
	return http_info(rq->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
}

void http_set_data(struct http_request *rq, void *data, void (*free_data)(void *data))
{
	rq->data = data;
	rq->free_data = free_data;
}

void http_add_header(struct http_request *rq, const char *name, const char *value)
{
	assert(rq->n_headers < HTTP_REPLY_HEADERS);
	assert(!strpbrk(value, "\r\n"));
	rq->headers[rq->n_headers++] = (struct header){str_dup(name), str_dup(value)};
}

static void finish(
	struct http_request *rq, unsigned status, const char *type, struct MHD_Response *response)
{
	bool cache = false;

	if (!response)
		abort();
	assert(!rq->response);
	rq->response = response;
	rq->status = status;
	if (type)
		(void)MHD_add_response_header(response, "Content-Type", type);
	for (size_t i = 0; i < ARRAY_LEN(secure_headers); i++)
		(void)MHD_add_response_header(response, secure_headers[i][0], secure_headers[i][1]);
	for (size_t i = 0; i < rq->n_headers; i++) {
		cache = cache || strcmp(rq->headers[i].name, "Cache-Control") == 0;
		(void)MHD_add_response_header(response, rq->headers[i].name, rq->headers[i].value);
	}
	if (!cache)
		(void)MHD_add_response_header(response, "Cache-Control", "no-store");
	resume(rq);
}

void http_reply(struct http_request *rq, unsigned status, const char *type, struct buf *body)
{
	struct http_server *s = rq->server;
	size_t len = body->len;

	if (body->overflow || (len > SMALL_ANSWER && s->held + len > HTTP_HELD_MAX)) {
		buf_done(body);
		http_add_header(rq, "Retry-After", "10");
		http_reply_error(rq, MHD_HTTP_SERVICE_UNAVAILABLE,
			"too much is being sent at the moment; ask for less or again later");
		return;
	}
	rq->held = len;
	s->held += len;
	finish(rq, status, type,
		MHD_create_response_from_buffer(len, buf_take(body), MHD_RESPMEM_MUST_FREE));
}

void http_reply_static(
	struct http_request *rq, unsigned status, const char *type, const void *data, size_t len)
{
	/* libmicrohttpd does not write to it, its interface is older than const. */
	void *unconst = (void *)(uintptr_t)data;

	finish(rq, status, type,
		MHD_create_response_from_buffer(len, unconst, MHD_RESPMEM_PERSISTENT));
}

static ssize_t on_stream_read(void *user, uint64_t pos, char *to, size_t max)
{
	struct http_request *rq = user;
	ssize_t n = rq->stream_over ? HTTP_STREAM_END : rq->stream->read(rq->stream_user, to, max);

	(void)pos;
	if (n < 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n == 0) {
		rq->suspended = true;
		MHD_suspend_connection(rq->connection->mhd);
	}
	return n;
}

/* A suspended connection is not looked at by libmicrohttpd; without this a reader that went away
 * would keep its place until the second write after it. */
static void on_hangup(void *user, int fd, uint32_t events)
{
	struct http_request *rq = user;

	(void)fd;
	(void)events;
	loop_remove_fd(rq->hangup);
	rq->hangup = NULL;
	rq->stream_over = true;
	resume(rq);
}

void http_reply_stream(
	struct http_request *rq, const char *type, const struct http_stream *stream, void *user)
{
	int fd = http_info(rq->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	struct err e;

	rq->stream = stream;
	rq->stream_user = user;
	if (loop_add_fd(rq->server->loop, fd, EPOLLRDHUP, on_hangup, rq, &rq->hangup, &e) < 0)
		rq->hangup = NULL;
	finish(rq, MHD_HTTP_OK, type,
		MHD_create_response_from_callback(
			MHD_SIZE_UNKNOWN, 4096, on_stream_read, rq, NULL));
}

void http_stream_wake(struct http_request *rq)
{
	resume(rq);
}

void http_give_up(struct http_request *rq)
{
	rq->stream_over = true;
	if (rq->stream)
		resume(rq);
	else
		http_reply_error(rq, MHD_HTTP_SERVICE_UNAVAILABLE, "the agent is stopping");
}
