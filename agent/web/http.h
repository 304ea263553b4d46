/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTP server on the loop: <microhttpd.h> is known to http.c and http_server.c alone. One
 * request at a time per connection; a request is handed over when its head and body are whole, and
 * answered by exactly one http_reply*() call, at once or later. Where bodies may be large, on_head says
 * where they go.
 *
 * What a stranger controls is bounded: URL, head, body, connections (in all and per peer), the time
 * a request may take to arrive and an answer to be fetched, and the memory all answers under way
 * hold together. A request that breaks HTTP itself, or whose head is beyond any reason, is answered
 * by libmicrohttpd with a plain page of its own.
 *
 * Every answer carries the security headers of http_secure_headers[] and, unless the handler set
 * another, `Cache-Control: no-store`.
 */
#ifndef AGENT_WEB_HTTP_H
#define AGENT_WEB_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "agent/web/peer.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"

enum {
	HTTP_URL_MAX = 8 * 1024,
	HTTP_HEAD_MAX = 16 * 1024,
	HTTP_BODY_MAX = 64 * 1024,
	/* Answers under way together; one more is refused with 503. Small ones (errors) always
	 * pass. */
	HTTP_HELD_MAX = 64 * 1024 * 1024,
	HTTP_IDLE_S = 30, /* without a byte in either direction */
	HTTP_ARRIVE_S = 60, /* from the end of the answer before to the end of this request */
	HTTP_FETCH_S = 300, /* for the client to take an answer; streams have none */
	HTTP_REPLY_HEADERS = 8, /* http_add_header() calls for one answer */
};

struct http_server;
struct http_request;

typedef void (*http_request_fn)(void *user, struct http_request *rq);

struct http_options {
	int listen_fd; /* listening; closed with the server */
	unsigned max_connections;
	/* loopback and private peers, which may be a proxy, only have the limit above */
	unsigned max_per_peer;
	http_request_fn on_request;
	void *user;
	/* The head is whole, the body not read yet: may answer (then it is not read), or call
	 * http_set_sink(). NULL: nothing is done. */
	http_request_fn on_head;
};

int http_server_new(
	struct loop *l, const struct http_options *o, struct http_server **out, struct err *e);
/* Ends streams, answers what still waits with 503, closes all connections. NULL is fine. */
void http_server_free(struct http_server *s);

/* What was asked. All text is valid until the request is over. */
const char *http_method(const struct http_request *rq); /* "HEAD" is told as "GET" */
const char *http_path(const struct http_request *rq); /* as sent, before the '?', not decoded */
const char *http_query(const struct http_request *rq); /* as sent, after the '?'; "" without */
const char *http_get_header(const struct http_request *rq, const char *name); /* NULL: absent */
/* Of a header sent several times the last one: what the nearest proxy added. */
const char *http_get_last_header(const struct http_request *rq, const char *name);
const char *http_body(const struct http_request *rq, size_t *len); /* NUL-terminated */
/* Whether it came more than once, too: then its first value. */
const char *http_get_counted_header(const struct http_request *rq, const char *name, bool *twice);
const struct sockaddr *http_peer(const struct http_request *rq);

/* Something of the handler's that lives as long as the request. */
void http_set_data(struct http_request *rq, void *data, void (*free_data)(void *data));

/* Where a body goes that may be larger than HTTP_BODY_MAX: `take` gets it in pieces, in order; false: it is enough, the
 * connection is cut. There is no answering before its end. `free` is called once, at the end of the request. */
struct http_sink {
	bool (*take)(void *user, const void *data, size_t n);
	void (*free)(void *user);
};
void http_set_sink(struct http_request *rq, const struct http_sink *sink, void *user);
void *http_sink_user(const struct http_request *rq); /* NULL: none was set */

/* Before the reply. Both are copied; `value` without control characters (asserted). */
void http_add_header(struct http_request *rq, const char *name, const char *value);

/* The answers. `type` NULL: no Content-Type. http_reply() takes what is in `body` and leaves it
 * empty. */
void http_reply(struct http_request *rq, unsigned status, const char *type, struct buf *body);
/* {"error": sentence} */
void http_reply_error(struct http_request *rq, unsigned status, const char *sentence);
/* `data` has static storage. */
void http_reply_static(
	struct http_request *rq, unsigned status, const char *type, const void *data, size_t len);

/* An answer without an end. `read` fills at most `max` bytes and returns how many; 0: nothing
 * now (http_stream_wake() when there is); HTTP_STREAM_END: over. `closed` is called once,
 * whoever ended it; the request is gone after it. */
enum { HTTP_STREAM_END = -1 };
struct http_stream {
	ssize_t (*read)(void *user, char *to, size_t max);
	void (*closed)(void *user);
};
void http_reply_stream(
	struct http_request *rq, const char *type, const struct http_stream *stream, void *user);
void http_stream_wake(struct http_request *rq);

/* Of libmicrohttpd, as it runs here. */
const char *http_library_version(void);

#endif
