/* SPDX-License-Identifier: Apache-2.0
 *
 * What has come of a request: its headers, what is refused for them alone, and where its body goes.
 */
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "agent/web/http_internal.h"
#include "base/str.h"

enum { ERROR_MAX = 4096 };

void http_reply_error(struct http_request *rq, unsigned status, const char *sentence)
{
	struct buf b = BUF_INIT(ERROR_MAX);

	buf_adds(&b, "{\"error\": ");
	buf_add_json_string(&b, sentence);
	buf_adds(&b, "}\n");
	http_reply(rq, status, "application/json", &b);
}

static enum MHD_Result add_size(
	void *user, enum MHD_ValueKind kind, const char *name, const char *value)
{
	size_t *sum = user;

	(void)kind;
	*sum += strlen(name) + (value ? strlen(value) : 0) + 4;
	return MHD_YES;
}

void http_check_head(struct http_request *rq)
{
	const char *length = http_get_header(rq, "Content-Length");
	size_t head = 0;
	uint64_t n;

	(void)MHD_get_connection_values(rq->connection->mhd, MHD_HEADER_KIND, add_size, &head);
	if (strlen(rq->path) + strlen(rq->query) >= HTTP_URL_MAX)
		http_reply_error(rq, MHD_HTTP_URI_TOO_LONG, "the URL is longer than 8 KiB");
	else if (head > HTTP_HEAD_MAX)
		http_reply_error(rq, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE,
			"the request's headers are larger than 16 KiB");
	else if (rq->server->options.on_head)
		rq->server->options.on_head(rq->server->options.user, rq);
	if (!rq->response && !rq->sink && length &&
		(str_to_u64(length, &n, NULL) < 0 || n > HTTP_BODY_MAX))
		http_reply_error(rq, MHD_HTTP_CONTENT_TOO_LARGE, "the body is larger than 64 KiB");
}

bool http_take_body(struct http_request *rq, const char *data, size_t n)
{
	if (rq->sink)
		return rq->sink->take(rq->sink_user, data, n);
	buf_add(&rq->body, data, n);
	/* A body without a length that does not end: there is no answering in the middle of it. */
	return !rq->body.overflow;
}

void http_set_sink(struct http_request *rq, const struct http_sink *sink, void *user)
{
	rq->sink = sink;
	rq->sink_user = user;
}

void *http_sink_user(const struct http_request *rq)
{
	return rq->sink ? rq->sink_user : NULL;
}

const char *http_get_header(const struct http_request *rq, const char *name)
{
	return MHD_lookup_connection_value(rq->connection->mhd, MHD_HEADER_KIND, name);
}

struct header_search {
	const char *name;
	const char *first, *last;
	unsigned n;
};

static enum MHD_Result look_at(
	void *user, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct header_search *s = user;

	(void)kind;
	if (strcasecmp(name, s->name) != 0)
		return MHD_YES;
	s->last = value ? value : "";
	if (s->n++ == 0)
		s->first = s->last;
	return MHD_YES;
}

const char *http_get_last_header(const struct http_request *rq, const char *name)
{
	struct header_search s = {name, NULL, NULL, 0};

	(void)MHD_get_connection_values(rq->connection->mhd, MHD_HEADER_KIND, look_at, &s);
	return s.last;
}

const char *http_get_counted_header(const struct http_request *rq, const char *name, bool *twice)
{
	struct header_search s = {name, NULL, NULL, 0};

	(void)MHD_get_connection_values(rq->connection->mhd, MHD_HEADER_KIND, look_at, &s);
	*twice = s.n > 1;
	return s.first;
}
