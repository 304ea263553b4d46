/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/live.h"

#include <stdlib.h>
#include <string.h>

#include "agent/web/handlers.h"
#include "agent/web/latest.h"
#include "agent/web/run_news.h"
#include "agent/web/upstream.h"
#include "base/clock.h"

struct stream {
	struct live *live;
	struct call *call; /* its query is the filter */
	struct frame *current;
	size_t sent; /* of current */
	struct frame *next;
	bool alerts_due; /* what is firing, as of when it is sent, goes before the next sample */
	uint64_t runs_sent; /* the last word on runs of backups and deploys that it got */
	bool run_was_last;
	unsigned round; /* of the last sample put */
	int64_t until_ms;
	bool over;
	struct stream *next_stream;
};

struct live {
	struct web *web;
	struct stream *streams;
	size_t n;
	unsigned round; /* counts samples */
	json_t *subscribed; /* the request last sent; NULL: none */
	struct frame *alerts; /* what is firing; NULL: not known yet */
	struct run_news runs;
	struct loop_timer *beat;
};

/* Its next word on a run of a backup or a deploy; NULL: it knows all. */
static struct frame *next_run(struct stream *s)
{
	struct frame *f = run_news_after(&s->live->runs, &s->runs_sent);

	return f ? frame_ref(f) : NULL;
}

/* What comes after the frame that was sent. Runs and samples take turns, so that neither waits for ever. */
static void advance(struct stream *s)
{
	bool run_was_last = s->run_was_last;

	frame_unref(s->current);
	s->sent = 0;
	s->current = NULL;
	if (s->alerts_due) {
		s->alerts_due = false;
		s->current = frame_ref(s->live->alerts);
		return;
	}
	s->run_was_last = false;
	if (!(run_was_last && s->next))
		s->current = next_run(s);
	s->run_was_last = s->current != NULL;
	if (!s->current)
		s->current = TAKE_PTR(s->next);
}

static void stream_go_on(struct stream *s)
{
	if (!s->current)
		advance(s);
	http_stream_wake(s->call->rq);
}

/* Takes over one reference. What waits unsent is old news. */
static void stream_put(struct stream *s, struct frame *f)
{
	frame_unref(s->next);
	s->next = f;
	stream_go_on(s);
}

static void stream_put_alerts(struct stream *s)
{
	s->alerts_due = true;
	stream_go_on(s);
}

static ssize_t stream_read(void *user, char *to, size_t max)
{
	struct stream *s = user;
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
		advance(s);
	return (ssize_t)n;
}

static bool wants_all(const struct stream *s)
{
	return !query_get(&s->call->query, "class") && !query_get(&s->call->query, "entity");
}

static bool wants(const void *user, const json_t *entity)
{
	const struct stream *s = user;
	const char *class = json_string_value(json_object_get(entity, "class"));
	const char *text;
	size_t at = 0;

	if (wants_all(s))
		return true;
	while ((text = query_next(&s->call->query, "class", &at)))
		if (strcmp(text, class) == 0)
			return true;
	at = 0;
	while ((text = query_next(&s->call->query, "entity", &at))) {
		const char *key;

		if (latest_parse_name(text, &key) == latest_class(entity) &&
			strcmp(key, latest_key(entity)) == 0)
			return true;
	}
	return false;
}

/* Adds a text to an array once. */
static void add_once(json_t *array, const char *text)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		if (strcmp(json_string_value(json_array_get(array, i)), text) == 0)
			return;
	(void)json_array_append_new(array, json_string(text));
}

/* The values of one parameter over all streams. */
static json_t *all_values(const struct live *l, const char *name)
{
	json_t *array = json_array();

	for (const struct stream *s = l->streams; s; s = s->next_stream) {
		const char *text;
		size_t at = 0;

		while ((text = query_next(&s->call->query, name, &at)))
			add_once(array, text);
	}
	return array;
}

/* What to subscribe to so that every stream gets its share. The daemon's two filters narrow each
 * other down, a stream's add up; so either classes are asked for (those of single entities too)
 * or entities, never both. */
static json_t *union_of(const struct live *l)
{
	json_t *request = json_pack("{s:s}", "op", "sample.subscribe");
	json_t *classes = all_values(l, "class");
	json_t *entities = all_values(l, "entity");
	bool all = false;

	for (const struct stream *s = l->streams; s; s = s->next_stream)
		all = all || wants_all(s);
	if (!all && json_array_size(classes) == 0) {
		(void)json_object_set(request, "entities", entities);
	} else if (!all) {
		for (size_t i = 0; i < json_array_size(entities); i++) {
			const char *key, *text = json_string_value(json_array_get(entities, i));

			add_once(classes, latest_parse_name(text, &key)->name);
		}
		(void)json_object_set(request, "classes", classes);
	}
	json_decref(classes);
	json_decref(entities);
	return request;
}

static void on_subscribed(void *user, const json_t *answer)
{
	(void)user;
	(void)answer;
}

/* The id that upstream_ask() adds must not make two equal requests differ. */
static void subscribe(struct live *l)
{
	json_t *request = l->n ? union_of(l) : NULL;

	if (request && l->subscribed && json_equal(request, l->subscribed)) {
		json_decref(request);
		return;
	}
	json_decref(l->subscribed);
	l->subscribed = request;
	upstream_ask(l->web->upstream,
		request ? json_copy(request) : json_pack("{s:s}", "op", "sample.unsubscribe"),
		on_subscribed, NULL);
}

static void stream_closed(void *user)
{
	struct stream *s = user;
	struct live *l = s->live;

	for (struct stream **p = &l->streams; *p; p = &(*p)->next_stream) {
		if (*p == s) {
			*p = s->next_stream;
			break;
		}
	}
	l->n--;
	if (l->n == 0)
		loop_timer_stop(l->beat);
	if (l->web->upstream)
		subscribe(l);
	frame_unref(s->current);
	frame_unref(s->next);
	free(s);
}

static void end(struct stream *s)
{
	s->over = true;
	http_stream_wake(s->call->rq);
}

/* A comment line now and then tells proxies that the connection lives. */
static void on_beat(void *user)
{
	struct live *l = user;
	int64_t now = clock_mono_ms();

	for (struct stream *s = l->streams; s; s = s->next_stream) {
		if (now >= s->until_ms)
			end(s);
		else if (!s->current)
			stream_put(s, frame_of(":\n\n"));
	}
	if (l->n)
		loop_timer_after(l->beat, LIVE_BEAT_MS);
}

static struct frame *sample_frame(const struct stream *s, const json_t *message)
{
	struct buf b = BUF_INIT(CALL_ANSWER_MAX);

	buf_addf(&b, "event: sample\nid: %lld\ndata: ",
		(long long)json_number_value(json_object_get(message, "time")));
	latest_write_message(&b, message, LATEST_ONE_LINE, wants, s);
	buf_adds(&b, "\n\n");
	return frame_take(&b);
}

void live_sample(struct live *l, const json_t *message)
{
	l->round++;
	for (struct stream *s = l->streams; s; s = s->next_stream) {
		struct frame *f;

		if (s->round == l->round)
			continue;
		f = sample_frame(s, message);
		for (struct stream *t = s; t; t = t->next_stream) {
			if (strcmp(http_query(t->call->rq), http_query(s->call->rq)) != 0)
				continue;
			t->round = l->round;
			stream_put(t, frame_ref(f));
		}
		frame_unref(f);
	}
}

static struct frame *alerts_frame(const json_t *message)
{
	const char *worst = json_string_value(json_object_get(message, "worst"));
	struct buf b = BUF_INIT(4096);

	buf_addf(&b, "event: alerts\ndata: {\"firing\": %lld, \"worst\": ",
		(long long)json_integer_value(json_object_get(message, "firing")));
	buf_add_json_string(&b, worst ? worst : "info");
	buf_adds(&b, "}\n\n");
	return frame_take(&b);
}

void live_alerts(struct live *l, const json_t *message)
{
	frame_unref(l->alerts);
	l->alerts = alerts_frame(message);
	for (struct stream *s = l->streams; s; s = s->next_stream)
		stream_put_alerts(s);
}

void live_run(struct live *l, const json_t *message)
{
	run_news_put(&l->runs, message);
	for (struct stream *s = l->streams; s; s = s->next_stream)
		stream_go_on(s);
}

/* The daemon tells of changes only; what fires at the beginning has to be asked for. */
static void on_alerts(void *user, const json_t *answer)
{
	struct live *l = user;

	if (upstream_ok(answer) && !l->alerts)
		live_alerts(l, answer);
}

static void begin_alerts(struct live *l, struct stream *s)
{
	if (l->alerts)
		stream_put_alerts(s);
	else
		upstream_ask(
			l->web->upstream, json_pack("{s:s}", "op", "alerts.list"), on_alerts, l);
}

void live_end_all(struct live *l)
{
	for (struct stream *s = l->streams; s; s = s->next_stream)
		end(s);
}

struct live *live_new(struct web *w)
{
	struct live *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	l->web = w;
	l->beat = loop_timer_new(w->loop, on_beat, l);
	return l;
}

void live_free(struct live *l)
{
	if (!l)
		return;
	loop_timer_free(l->beat);
	json_decref(l->subscribed);
	frame_unref(l->alerts);
	run_news_done(&l->runs);
	free(l);
}

static bool filters_allowed(struct call *c)
{
	const char *text, *key;
	size_t at = 0, n = 0;

	while ((text = query_next(&c->query, "class", &at))) {
		n++;
		if (!entity_class_find(text)) {
			call_fail(c, 400, "there is no class \"%s\"", text);
			return false;
		}
	}
	for (at = 0; (text = query_next(&c->query, "entity", &at)); n++) {
		if (!latest_parse_name(text, &key)) {
			call_fail(c, 400, "there is no entity \"%s\"", text);
			return false;
		}
	}
	if (n > LIVE_FILTERS_MAX)
		call_fail(c, 400, "there may be at most %d filters", LIVE_FILTERS_MAX);
	return n <= LIVE_FILTERS_MAX;
}

void live_get(struct call *c)
{
	static const struct http_stream ops = {stream_read, stream_closed};
	struct live *l = c->web->live;
	struct stream *s;

	if (!filters_allowed(c))
		return;
	if (l->n >= LIVE_STREAMS_MAX) {
		http_add_header(c->rq, "Retry-After", "15");
		call_fail(c, 503, "there are %d live streams already", LIVE_STREAMS_MAX);
		return;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		abort();
	s->live = l;
	s->call = c;
	s->until_ms = clock_mono_ms() + LIVE_AGE_MAX_MS;
	s->runs_sent = l->runs.last;
	s->current = frame_of("retry: 3000\n\n");
	s->next_stream = l->streams;
	l->streams = s;
	if (l->n++ == 0)
		loop_timer_after(l->beat, LIVE_BEAT_MS);
	subscribe(l);
	http_add_header(c->rq, "X-Accel-Buffering", "no");
	http_reply_stream(c->rq, "text/event-stream", &ops, s);
	begin_alerts(l, s);
}
