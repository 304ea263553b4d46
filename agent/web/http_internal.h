/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two halves of the HTTP server share: http_server.c holds the connections and the turns
 * of libmicrohttpd, http.c the requests and their answers. For nobody else.
 */
#ifndef AGENT_WEB_HTTP_INTERNAL_H
#define AGENT_WEB_HTTP_INTERNAL_H

#include <microhttpd.h>

#include "agent/web/http.h"

struct header {
	char *name;
	char *value;
};

struct connection {
	struct http_server *server;
	struct MHD_Connection *mhd;
	struct peer_key key;
	char *uri; /* of the request that is arriving */
	struct http_request *request; /* NULL: idle, or the head is still arriving */
	int64_t deadline_ms; /* 0: none */
	struct connection *prev, *next;
};

struct http_request {
	struct http_server *server;
	struct connection *connection;
	const char *method;
	char *path; /* path and query share one piece of memory */
	char *query;
	struct buf body;
	const struct http_sink *sink; /* takes the body in place of `body`; may be NULL */
	void *sink_user;
	bool handed_over;
	bool suspended;
	struct header headers[HTTP_REPLY_HEADERS];
	size_t n_headers;
	struct MHD_Response *response; /* NULL: not answered yet */
	unsigned status;
	size_t held;
	void *data;
	void (*free_data)(void *data);
	const struct http_stream *stream;
	void *stream_user;
	bool stream_over;
	struct loop_fd *hangup; /* tells when the reader of a stream is gone */
};

struct http_server {
	struct loop *loop;
	struct http_options options;
	struct MHD_Daemon *daemon;
	struct loop_fd *watch;
	struct loop_timer *run_timer;
	struct loop_timer *sweep_timer;
	struct peer_counts peers;
	struct connection *connections;
	size_t held;
	bool closed_some; /* a connection was closed in this turn */
	bool closing;
};

/* Connections (http_server.c). */

const union MHD_ConnectionInfo *http_info(
	const struct connection *c, enum MHD_ConnectionInfoType what);
struct connection *http_connection(struct MHD_Connection *mhd);
/* The connection is cut when it is not given another deadline before. */
void http_set_deadline(struct connection *c, int seconds);

/* Requests (http.c), called by libmicrohttpd. `user` is the server. */

enum MHD_Result http_on_access(void *user, struct MHD_Connection *mhd, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_size,
	void **context);
void http_on_completed(void *user, struct MHD_Connection *mhd, void **context,
	enum MHD_RequestTerminationCode why);
/* Answers what is refused by the head alone, before a body is read. */
void http_check_head(struct http_request *rq);
/* A piece of the body. False: the connection is cut. */
bool http_take_body(struct http_request *rq, const char *data, size_t n);
/* Ends a request that is suspended. */
void http_give_up(struct http_request *rq);

#endif
