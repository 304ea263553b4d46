/* SPDX-License-Identifier: Apache-2.0
 *
 * One request of the HTTP client, for http_client.c alone: from the caller's options to curl's easy
 * handle, and from curl's outcome to the caller's response. Knows nothing of the loop and of other
 * requests.
 */
#ifndef BASE_HTTP_REQUEST_H
#define BASE_HTTP_REQUEST_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/http_client.h"

struct http_request {
	/* The first four are http_client.c's. */
	struct http_client *client;
	struct http_request *prev, *next;
	bool added; /* to curl's list */
	/* The owner wants to hear no more of it. */
	bool cancelled;
	CURL *easy;
	struct curl_slist *headers;
	bool stopped; /* on_data wants no more */
	bool too_large;
	size_t header_bytes;
	struct buf body;
	http_data_fn on_data;
	http_done_fn done;
	void *user;
	char error[CURL_ERROR_SIZE];
};

/* -EINVAL for an address, method or header that is none; text from outside must not end a line
 * of the request. */
int http_request_check(const struct http_request_options *o, struct err *e);
/* Aborts without memory, so never NULL. */
struct http_request *http_request_new(
	const struct http_request_options *o, http_done_fn done, void *user);
/* Calls the owner's `done`. The request is marked as cancelled before, so that a cancel from
 * within does nothing. */
void http_request_tell(struct http_request *r, CURLcode code);
/* Frees it; it must be out of curl's list. */
void http_request_done(struct http_request *r);

#endif
