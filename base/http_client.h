/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP client on the loop: libcurl's multi interface, no threads, no blocking. One client serves
 * all requests of a process. Also speaks to Unix sockets (the Docker API). Redirects are not
 * followed. The other users of curl, mail_worker.h and the backup stores, have a process of their own.
 */
#ifndef BASE_HTTP_CLIENT_H
#define BASE_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"

struct http_client;
struct http_request;

struct http_response {
	/* 0, or a negative errno: no whole response came (-ETIMEDOUT, -ECONNREFUSED,
	 * -EHOSTUNREACH for a name that is not known, -EPROTO for a certificate that is not
	 * trusted, -EMSGSIZE, -EIO; -ENOENT and -EACCES for a Unix socket) */
	int error;
	char message[256]; /* why, when error != 0 */
	long status; /* HTTP status, 0 when none arrived */
	const char *body; /* NUL-terminated; valid during the callback */
	size_t body_len;
	/* from Retry-After (seconds or a date), at most a week; -1 when absent or 0 */
	int64_t retry_after_ms;
};

typedef void (*http_done_fn)(void *user, const struct http_response *r);
/* A piece of a streaming response, of any status. Return false to end the request (done is then
 * called with -ECANCELED). */
typedef bool (*http_data_fn)(void *user, const char *data, size_t len);

struct http_request_options {
	const char *method; /* NULL: GET */
	const char *url; /* http:// or https:// only */
	const char *unix_socket; /* path, or NULL for TCP */
	const char *const *headers; /* NULL-terminated "Name: value"; may be NULL */
	const void *body; /* copied; NULL for none */
	size_t body_len;
	size_t max_body; /* greatest response kept, bytes; a larger one is -EMSGSIZE */
	int64_t timeout_ms; /* whole request; 0: none (event streams) */
	int64_t connect_timeout_ms; /* 0: 10 s */
	const char *ca_file; /* certificates trusted instead of the system's; NULL: those */
	http_data_fn on_data; /* when set, the body is not kept */
};

int http_client_new(struct loop *l, struct http_client **out, struct err *e);
/* Cancels all requests without calling back; may be called from a callback. NULL is fine. */
void http_client_free(struct http_client *c);

/* Starts a request; `done` is called once, later, from the loop; the handle is gone after it. At
 * most 32 are under way at a time, further ones wait. -EINVAL for an address, method or header
 * that is none. */
int http_client_start(struct http_client *c, const struct http_request_options *o,
	http_done_fn done, void *user, struct http_request **out, struct err *e);
/* Ends it without calling `done`; may be called from a callback, of this request or another.
 * NULL is fine. */
void http_request_cancel(struct http_request *r);

/* Of libcurl, as it runs here. */
const char *http_client_library_version(void);

#endif
