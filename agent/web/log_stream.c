/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/log_stream.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/web/frame.h"
#include "agent/web/handlers.h"
#include "agent/web/relay.h"
#include "agent/web/upstream.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"

#define TEXT_TYPE "text/plain; charset=utf-8"
#define EVENTS_TYPE "text/event-stream"

/* Held by its call, and by a question under way, whose answer may come when the reader has gone. */
struct log_stream {
	unsigned refs;
	struct log_streams *all;
	struct call *call; /* NULL: the reader has gone */
	int64_t deploy;
	int64_t next; /* offset of what was not sent yet */
	bool follows;
	struct frame *current;
	size_t sent; /* of current */
	bool asking;
	bool changed; /* while asking */
	bool last; /* the stream ends after current */
	bool over;
	int64_t until_ms;
	struct log_stream *next_stream;
};

struct log_streams {
	struct web *web;
	struct log_stream *streams;
	size_t n; /* calls, also those whose first answer is awaited */
	struct loop_timer *beat;
};

static void stream_unref(void *user)
{
	struct log_stream *s = user;

	if (--s->refs > 0)
		return;
	frame_unref(s->current);
	free(s);
}

static void stream_forget_call(void *user)
{
	struct log_stream *s = user;

	s->call = NULL;
	s->all->n--;
	stream_unref(s);
}

void log_stream_write_event(struct buf *b, const char *lines, int64_t next)
{
	buf_addf(b, "id: %" PRId64 "\nevent: log\n", next);
	while (*lines) {
		size_t n = strcspn(lines, "\r\n");

		buf_adds(b, "data: ");
		buf_add(b, lines, n);
		buf_addc(b, '\n');
		lines += n;
		lines += lines[0] == '\r' && lines[1] == '\n' ? 2 : *lines != '\0';
	}
	buf_addc(b, '\n');
}

static void end(struct log_stream *s)
{
	s->over = true;
	http_stream_wake(s->call->rq);
}

static void put(struct log_stream *s, struct frame *f)
{
	s->current = f;
	s->sent = 0;
	http_stream_wake(s->call->rq);
}

static void put_end(struct log_stream *s)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(200);

	if (!s->follows) {
		end(s);
		return;
	}
	buf_addf(&b, "id: %" PRId64 "\nevent: end\ndata: {\"deploy\": %" PRId64 "}\n\n", s->next,
		s->deploy);
	s->last = true;
	put(s, frame_take(&b));
}

static void put_text(struct log_stream *s, const char *text)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(LOG_STREAM_EVENT_MAX);

	if (s->follows)
		log_stream_write_event(&b, text, s->next);
	else
		buf_adds(&b, text);
	if (b.overflow)
		end(s);
	else
		put(s, frame_take(&b));
}

static void ask(struct log_stream *s);

/* Whether there is something to send now. An answer that goes nowhere would be asked for again without an end. */
static bool take(struct log_stream *s, const json_t *answer)
{
	const char *text = json_string_value(json_object_get(answer, "text"));
	int64_t next = json_integer_value(json_object_get(answer, "next"));

	if (text && *text && next > s->next) {
		s->next = next;
		put_text(s, text);
		return true;
	}
	if (json_is_true(json_object_get(answer, "ended")) || !s->follows) {
		put_end(s);
		return true;
	}
	return false;
}

static bool is_gone(const json_t *answer)
{
	const char *code = json_string_value(json_object_get(answer, "code"));

	return code && strcmp(code, "not_found") == 0;
}

static void on_answer(void *user, const json_t *answer)
{
	struct log_stream *s = user;
	bool changed = s->changed;

	s->asking = s->changed = false;
	if (!s->call || s->over)
		changed = false;
	else if (is_gone(answer))
		put_end(s);
	else if (!upstream_ok(answer))
		changed = false; /* the next beat asks again */
	else if (!take(s, answer) && changed)
		ask(s);
	stream_unref(s);
}

static void ask(struct log_stream *s)
{
	struct upstream *u = s->all->web->upstream;

	if (s->asking || s->over || s->last || !u)
		return;
	s->asking = true;
	s->refs++;
	upstream_ask(u,
		call_as(s->call, json_pack("{s:s, s:I, s:I}", "op", "deploy.log", "deploy",
					 (json_int_t)s->deploy, "offset", (json_int_t)s->next)),
		on_answer, s);
}

static void was_sent(struct log_stream *s)
{
	frame_unref(s->current);
	s->current = NULL;
	if (s->last)
		s->over = true;
	else
		ask(s);
}

static ssize_t stream_read(void *user, char *to, size_t max)
{
	struct log_stream *s = user;
	size_t n;

	if (s->over)
		return HTTP_STREAM_END;
	if (!s->current)
		return 0;
	n = s->current->len - s->sent;
	if (n > max)
		n = max;
	memcpy(to, s->current->text + s->sent, n);
	s->sent += n;
	if (s->sent == s->current->len)
		was_sent(s);
	return (ssize_t)n;
}

static void stream_closed(void *user)
{
	struct log_stream *s = user;
	struct log_streams *l = s->all;

	for (struct log_stream **p = &l->streams; *p; p = &(*p)->next_stream) {
		if (*p == s) {
			*p = s->next_stream;
			break;
		}
	}
	s->over = true;
	if (!l->streams)
		loop_timer_stop(l->beat);
}

/* A comment tells proxies that the connection lives, and after it the daemon is asked again: an answer may have been lost. */
static void on_beat(void *user)
{
	struct log_streams *l = user;
	int64_t now = clock_mono_ms();

	for (struct log_stream *s = l->streams; s; s = s->next_stream) {
		if (now >= s->until_ms || (!s->follows && !s->current && !s->asking))
			end(s);
		else if (s->follows && !s->current && !s->asking)
			put(s, frame_of(":\n\n"));
	}
	if (l->streams)
		loop_timer_after(l->beat, LOG_STREAM_BEAT_MS);
}

void log_streams_changed(struct log_streams *l, const json_t *message)
{
	const json_t *deploy = json_object_get(message, "deploy");
	int64_t id =
		json_integer_value(json_is_object(deploy) ? json_object_get(deploy, "id") : deploy);

	for (struct log_stream *s = l->streams; s; s = s->next_stream) {
		if (s->deploy != id || !s->follows)
			continue;
		s->changed = s->asking;
		if (!s->current)
			ask(s);
	}
}

void log_streams_end_all(struct log_streams *l)
{
	for (struct log_stream *s = l->streams; s; s = s->next_stream)
		end(s);
}

struct log_streams *log_streams_new(struct web *w)
{
	struct log_streams *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	l->web = w;
	l->beat = loop_timer_new(w->loop, on_beat, l);
	return l;
}

void log_streams_free(struct log_streams *l)
{
	if (!l)
		return;
	loop_timer_free(l->beat);
	free(l);
}

static void begin(struct call *c, const json_t *answer)
{
	static const struct http_stream ops = {stream_read, stream_closed};
	struct log_stream *s = c->state;
	struct log_streams *l = s->all;

	s->until_ms = clock_mono_ms() + LOG_STREAM_AGE_MAX_MS;
	s->next_stream = l->streams;
	l->streams = s;
	if (!s->next_stream)
		loop_timer_after(l->beat, LOG_STREAM_BEAT_MS);
	http_add_header(c->rq, "X-Accel-Buffering", "no");
	http_reply_stream(c->rq, s->follows ? EVENTS_TYPE : TEXT_TYPE, &ops, s);
	/* Something goes out at once, so that the reader knows that it is connected. */
	if (!take(s, answer))
		put(s, frame_of("retry: 3000\n\n"));
}

/* Whether it is followed, and from where. -EINVAL. */
static int read_wishes(struct log_stream *s, json_t *request, struct err *e)
{
	struct call *c = s->call;
	const char *accept = http_get_header(c->rq, "Accept");
	const char *last = http_get_header(c->rq, "Last-Event-ID");
	int r = relay_take_address(c->route, http_path(c->rq), &c->query, request, e);
	int64_t resume;

	if (r < 0)
		return r;
	s->follows = json_is_true(json_object_get(request, "follow")) ||
		     (accept && strstr(accept, EVENTS_TYPE));
	(void)json_object_del(request, "follow");
	s->deploy = json_integer_value(json_object_get(request, "deploy"));
	s->next = json_integer_value(json_object_get(request, "offset"));
	if (s->follows && last && str_to_i64(last, &resume, NULL) == 0 && resume >= 0)
		s->next = resume;
	(void)json_object_set_new(request, "offset", json_integer(s->next));
	return 0;
}

static struct log_stream *stream_new(struct call *c)
{
	struct log_stream *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	*s = (struct log_stream){.refs = 1, .all = c->web->log_streams, .call = c};
	s->all->n++;
	c->state = s;
	c->free_state = stream_forget_call;
	return s;
}

void deploy_log_get(struct call *c)
{
	struct log_streams *l = c->web->log_streams;
	json_t *request = json_pack("{s:s}", "op", "deploy.log");
	struct log_stream *s;
	struct err e;

	if (l->n >= LOG_STREAMS_MAX) {
		http_add_header(c->rq, "Retry-After", "15");
		call_fail(c, 503, "%d logs are read already", LOG_STREAMS_MAX);
		json_decref(request);
		return;
	}
	s = stream_new(c);
	if (read_wishes(s, request, &e) == 0) {
		call_ask(c, request, begin);
		return;
	}
	json_decref(request);
	call_fail(c, 400, "%s", e.msg);
}
