/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http_request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

enum {
	CONNECT_TIMEOUT_MS = 10000,
	/* Of all header lines of an answer together. */
	HEADERS_MAX_BYTES = 128 * 1024,
	READ_BUFFER_BYTES = 8192,
	RETRY_AFTER_MAX_S = 7 * 86400,
};

static size_t on_header(char *data, size_t size, size_t n, void *user)
{
	struct http_request *r = user;

	(void)data;
	r->header_bytes += size * n;
	if (r->cancelled)
		return 0;
	if (r->header_bytes > HEADERS_MAX_BYTES) {
		r->too_large = true;
		return 0;
	}
	return size * n;
}

static size_t on_body(char *data, size_t size, size_t n, void *user)
{
	struct http_request *r = user;
	size_t len = size * n;

	if (r->cancelled)
		return 0;
	if (!r->on_data) {
		buf_add(&r->body, data, len);
		r->too_large = r->body.overflow;
		return r->too_large ? 0 : len;
	}
	r->stopped = !r->on_data(r->user, data, len);
	return r->stopped ? 0 : len;
}

static int errno_of(const struct http_request *r, CURLcode code)
{
	long os_errno = 0;

	if (r->stopped)
		return ECANCELED;
	if (r->too_large)
		return EMSGSIZE;
	switch (code) {
	case CURLE_OK:
		return 0;
	case CURLE_OPERATION_TIMEDOUT:
		return ETIMEDOUT;
	case CURLE_FILESIZE_EXCEEDED:
		return EMSGSIZE;
	case CURLE_URL_MALFORMAT:
		return EINVAL;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return EHOSTUNREACH;
	case CURLE_COULDNT_CONNECT:
		(void)curl_easy_getinfo(r->easy, CURLINFO_OS_ERRNO, &os_errno);
		return os_errno > 0 ? (int)os_errno : ECONNREFUSED;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		return EPROTO;
	default:
		return EIO;
	}
}

static void describe_error(const struct http_request *r, CURLcode code, char *to, size_t size)
{
	if (r->stopped)
		(void)snprintf(to, size, "ended by the receiver");
	else if (r->too_large || code == CURLE_FILESIZE_EXCEEDED)
		(void)snprintf(to, size, "the answer is larger than %zu bytes",
			r->header_bytes > HEADERS_MAX_BYTES ? (size_t)HEADERS_MAX_BYTES
							    : r->body.max);
	else
		(void)str_copy(to, size, *r->error ? r->error : curl_easy_strerror(code));
}

static int64_t retry_after_ms(CURL *easy)
{
	curl_off_t s = 0;

	if (curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &s) != CURLE_OK || s <= 0)
		return -1;
	return (s < RETRY_AFTER_MAX_S ? s : RETRY_AFTER_MAX_S) * 1000;
}

void http_request_tell(struct http_request *r, CURLcode code)
{
	struct http_response response = {.error = -errno_of(r, code)};

	if (response.error)
		describe_error(r, code, response.message, sizeof(response.message));
	(void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &response.status);
	response.retry_after_ms = retry_after_ms(r->easy);
	response.body = buf_str(&r->body);
	response.body_len = r->body.len;
	/* Marked so that a cancel from within `done` is harmless. */
	r->cancelled = true;
	r->done(r->user, &response);
}

static void set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
}

static void set_method(CURL *easy, const struct http_request_options *o)
{
	const char *method = o->method ? o->method : "GET";
	bool sends = o->body || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
		     strcmp(method, "PATCH") == 0;

	if (strcmp(method, "HEAD") == 0) {
		(void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (sends) {
		(void)curl_easy_setopt(
			easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(o->body ? o->body_len : 0));
		(void)curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, o->body ? o->body : "");
	}
	(void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static void set_limits(CURL *easy, const struct http_request_options *o)
{
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)READ_BUFFER_BYTES);
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)o->timeout_ms);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
		(long)(o->connect_timeout_ms > 0 ? o->connect_timeout_ms : CONNECT_TIMEOUT_MS));
	(void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	/* Says so before the body comes, where the length is known. HEAD has a length but no body. */
	if (!o->on_data && !(o->method && strcmp(o->method, "HEAD") == 0))
		(void)curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
			(curl_off_t)(o->max_body ? o->max_body : 1));
}

static void set_trust(CURL *easy, const char *ca_file)
{
	if (!ca_file)
		return;
	(void)curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
	/* The system's folder would be looked at besides. */
	(void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
}

static void set_headers(struct http_request *r, const struct http_request_options *o)
{
	/* No waiting for "100 Continue" before a body. */
	r->headers = curl_slist_append(NULL, "Expect:");
	for (size_t i = 0; o->headers && o->headers[i]; i++)
		r->headers = curl_slist_append(r->headers, o->headers[i]);
	(void)curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers);
}

int http_request_check(const struct http_request_options *o, struct err *e)
{
	if (strncasecmp(o->url, "http://", 7) != 0 && strncasecmp(o->url, "https://", 8) != 0)
		return err_set(e, EINVAL, "the address does not start with http:// or https://");
	if (o->method && o->method[strspn(o->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")])
		return err_set(e, EINVAL, "\"%s\" is not an HTTP method", o->method);
	for (size_t i = 0; o->headers && o->headers[i]; i++)
		if (strpbrk(o->headers[i], "\r\n"))
			return err_set(e, EINVAL, "an HTTP header contains a line break");
	return 0;
}

struct http_request *http_request_new(
	const struct http_request_options *o, http_done_fn done, void *user)
{
	struct http_request *r = calloc(1, sizeof(*r));

	if (!r || !(r->easy = curl_easy_init()))
		abort();
	r->on_data = o->on_data;
	r->done = done;
	r->user = user;
	buf_init(&r->body, o->max_body);
	set_protocols(r->easy);
	set_limits(r->easy, o);
	set_method(r->easy, o);
	set_headers(r, o);
	(void)curl_easy_setopt(r->easy, CURLOPT_URL, o->url);
	if (o->unix_socket)
		(void)curl_easy_setopt(r->easy, CURLOPT_UNIX_SOCKET_PATH, o->unix_socket);
	set_trust(r->easy, o->ca_file);
	(void)curl_easy_setopt(r->easy, CURLOPT_PRIVATE, r);
	(void)curl_easy_setopt(r->easy, CURLOPT_ERRORBUFFER, r->error);
	(void)curl_easy_setopt(r->easy, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(r->easy, CURLOPT_HEADERDATA, r);
	(void)curl_easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(r->easy, CURLOPT_WRITEDATA, r);
	return r;
}

void http_request_done(struct http_request *r)
{
	curl_easy_cleanup(r->easy);
	curl_slist_free_all(r->headers);
	buf_done(&r->body);
	free(r);
}
