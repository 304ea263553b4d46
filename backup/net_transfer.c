/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/net_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

enum {
	CONNECT_TIMEOUT_S = 30,
	HEADERS_MAX_BYTES = 64 * 1024,
	/* What one turn can send: large enough that a fast line does not wait for turns. */
	UPLOAD_BUFFER_BYTES = 512 * 1024,
	DOWNLOAD_BUFFER_BYTES = 128 * 1024,
	IDLE_RATE_BYTES = 1024,
};

struct net_transfer {
	struct net *net;
	struct net_transfer *prev, *next;
	CURL *easy;
	struct curl_slist *headers;
	struct net_answer answer;
	bool stopped; /* by on_data */
	bool has_all_headers; /* the empty line after them */
	bool has_numbers; /* read from them */
	enum net_taken (*on_data)(
		void *user, const struct net_transfer *t, const char *data, size_t n);
	void (*on_done)(void *user, struct net_answer *a);
	void *user;
	char error[CURL_ERROR_SIZE];
};

/* Interim answers (100 Continue) have headers of their own: a status line begins anew. */
static size_t on_header(char *data, size_t size, size_t n, void *user)
{
	struct net_transfer *t = user;

	if (size * n >= 5 && memcmp(data, "HTTP/", 5) == 0)
		buf_clear(&t->answer.headers);
	t->has_all_headers = *data == '\r' || *data == '\n';
	buf_add(&t->answer.headers, data, size * n);
	return t->answer.headers.overflow ? 0 : size * n;
}

static void read_numbers(struct net_transfer *t)
{
	struct net_answer *a = &t->answer;
	curl_off_t v = -1;
	char text[64];

	t->has_numbers = true;
	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &a->status);
	if (curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &v) != CURLE_OK)
		v = -1;
	a->length = v;
	a->retry_after_ms = -1;
	if (curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &v) == CURLE_OK && v > 0)
		a->retry_after_ms = (v < 86400 ? v : 86400) * 1000;
	a->date_s = net_header(a, "Date", text, sizeof(text)) ? curl_getdate(text, NULL) : 0;
	if (a->date_s < 0)
		a->date_s = 0;
}

static size_t give(struct net_transfer *t, const char *data, size_t n)
{
	switch (t->on_data(t->user, t, data, n)) {
	case NET_TAKEN:
		return n;
	case NET_LATER:
		return CURL_WRITEFUNC_PAUSE;
	default:
		t->stopped = true;
		return 0;
	}
}

static size_t on_body(char *data, size_t size, size_t n, void *user)
{
	struct net_transfer *t = user;

	if (t->on_data) {
		if (!t->has_numbers)
			read_numbers(t);
		if (t->answer.status >= 200 && t->answer.status < 300)
			return give(t, data, size * n);
	}
	buf_add(&t->answer.body, data, size * n);
	return t->answer.body.overflow ? 0 : size * n;
}

static int errno_of(const struct net_transfer *t, CURLcode code)
{
	long os = 0;

	if (t->stopped)
		return ECANCELED;
	if (t->answer.body.overflow || t->answer.headers.overflow)
		return EMSGSIZE;
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return ETIMEDOUT;
	case CURLE_URL_MALFORMAT:
		return EINVAL;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return EHOSTUNREACH;
	case CURLE_COULDNT_CONNECT:
		(void)curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &os);
		return os > 0 ? (int)os : ECONNREFUSED;
	case CURLE_PEER_FAILED_VERIFICATION:
		return EBADE;
	case CURLE_SSL_CACERT_BADFILE:
		return ENOKEY;
	case CURLE_SSL_CONNECT_ERROR:
		return ECONNABORTED;
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return ECONNRESET;
	default:
		return EIO;
	}
}

static bool can_pass(int error, CURLcode code)
{
	return error != ECANCELED && error != EMSGSIZE && error != EINVAL &&
	       code != CURLE_PEER_FAILED_VERIFICATION && code != CURLE_SSL_CACERT_BADFILE &&
	       code != CURLE_UNSUPPORTED_PROTOCOL;
}

static void fail(struct net_transfer *t, CURLcode code)
{
	struct net_answer *a = &t->answer;
	int error = errno_of(t, code);

	a->error = -error;
	a->can_pass = can_pass(error, code);
	if (error == EMSGSIZE)
		(void)snprintf(a->message, sizeof(a->message), "the answer is too long");
	else
		(void)str_copy(a->message, sizeof(a->message),
			*t->error ? t->error : curl_easy_strerror(code));
}

void net_transfer_finish(struct net_transfer *t, CURLcode code)
{
	read_numbers(t);
	/* An answer without a body that is cut among its headers looks whole to curl. */
	if (code == CURLE_OK && !t->has_all_headers)
		code = CURLE_PARTIAL_FILE;
	if (code != CURLE_OK)
		fail(t, code);
	t->on_done(t->user, &t->answer);
	net_transfer_free(t);
}

static void set_connection(CURL *easy, const struct net_request *r)
{
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
	(void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)DOWNLOAD_BUFFER_BYTES);
	(void)curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER_BYTES);
	(void)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, r->is_fresh ? 1L : 0L);
#if LIBCURL_VERSION_NUM >= 0x075500
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
	if (!r->ca_file)
		return;
	(void)curl_easy_setopt(easy, CURLOPT_CAINFO, r->ca_file);
	/* The system's folder would be looked at besides. */
	(void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
}

static void set_pace(CURL *easy, const struct net_request *r)
{
	int64_t slowest = IDLE_RATE_BYTES;

	if (r->send_rate_bytes)
		(void)curl_easy_setopt(
			easy, CURLOPT_MAX_SEND_SPEED_LARGE, (curl_off_t)r->send_rate_bytes);
	if (r->receive_rate_bytes)
		(void)curl_easy_setopt(
			easy, CURLOPT_MAX_RECV_SPEED_LARGE, (curl_off_t)r->receive_rate_bytes);
	/* A limit of one's own is no fault of the line. */
	if (r->send_rate_bytes && r->send_rate_bytes / 2 < slowest)
		slowest = r->send_rate_bytes / 2;
	if (r->idle_s) {
		(void)curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)slowest);
		(void)curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)r->idle_s);
	}
	(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)r->timeout_s);
}

static void set_method(CURL *easy, const struct net_request *r)
{
	if (strcmp(r->method, "HEAD") == 0) {
		(void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (r->body || strcmp(r->method, "PUT") == 0 || strcmp(r->method, "POST") == 0) {
		(void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(
			easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(r->body ? r->body_len : 0));
		(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, r->body ? r->body : "");
	}
	(void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, r->method);
}

static void set_callbacks(struct net_transfer *t)
{
	(void)curl_easy_setopt(t->easy, CURLOPT_PRIVATE, (char *)t);
	(void)curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->error);
	(void)curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
	(void)curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
}

static void link_in(struct net *n, struct net_transfer *t)
{
	t->net = n;
	t->next = n->transfers;
	if (t->next)
		t->next->prev = t;
	n->transfers = t;
}

struct net_transfer *net_transfer_start(struct net *n, const struct net_request *r)
{
	struct net_transfer *t = calloc(1, sizeof(*t));

	if (!t || !(t->easy = curl_easy_init()))
		abort();
	t->on_data = r->on_data;
	t->on_done = r->on_done;
	t->user = r->user;
	buf_init(&t->answer.headers, HEADERS_MAX_BYTES);
	buf_init(&t->answer.body, r->max_body);
	set_connection(t->easy, r);
	set_pace(t->easy, r);
	set_method(t->easy, r);
	set_callbacks(t);
	(void)curl_easy_setopt(t->easy, CURLOPT_URL, r->url);
	/* A key may have "/../" in it. */
	(void)curl_easy_setopt(t->easy, CURLOPT_PATH_AS_IS, 1L);
	for (size_t i = 0; r->headers && r->headers[i]; i++)
		t->headers = curl_slist_append(t->headers, r->headers[i]);
	if (!r->expects)
		t->headers = curl_slist_append(t->headers, "Expect:");
	(void)curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
	link_in(n, t);
	if (curl_multi_add_handle(n->multi, t->easy) != CURLM_OK)
		abort();
	return t;
}

void net_transfer_free(struct net_transfer *t)
{
	if (t->prev)
		t->prev->next = t->next;
	else
		t->net->transfers = t->next;
	if (t->next)
		t->next->prev = t->prev;
	(void)curl_multi_remove_handle(t->net->multi, t->easy);
	curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->headers);
	buf_done(&t->answer.headers);
	buf_done(&t->answer.body);
	free(t);
}

void net_transfer_cancel(struct net_transfer *t)
{
	if (t)
		net_transfer_free(t);
}

void net_transfer_go_on(struct net_transfer *t)
{
	(void)curl_easy_pause(t->easy, CURLPAUSE_CONT);
}

const struct net_answer *net_transfer_answer(const struct net_transfer *t)
{
	return &t->answer;
}

bool net_header(const struct net_answer *a, const char *name, char *to, size_t size)
{
	size_t n = strlen(name);
	const char *line = buf_str(&a->headers), *end;

	*to = '\0';
	for (; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		if (strncasecmp(line, name, n) != 0 || line[n] != ':')
			continue;
		line += n + 1;
		line += strspn(line, " \t");
		n = (size_t)(end - line);
		while (n && strchr(" \t\r", line[n - 1]))
			n--;
		if (n >= size)
			return false;
		memcpy(to, line, n);
		to[n] = '\0';
		return true;
	}
	return false;
}
