/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/run_news.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

/* What there is news of. */
struct run_kind {
	const char *event, *member, *id;
	const char *lists[5]; /* what makes it large */
};

static const struct run_kind kinds[] = {
	{"backup", "run", "run", {"decided", "warnings", "counts", "stores"}},
	{"deploy", "deploy", "id", {"stages"}},
};

enum { PRECISION = 15 }; /* digits that a double holds */

static int add_piece(const char *piece, size_t n, void *user)
{
	buf_add(user, piece, n);
	return 0;
}

static const struct run_kind *kind_of(const json_t *message)
{
	const char *event = json_string_value(json_object_get(message, "event"));

	for (size_t i = 0; event && i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].event, event) == 0)
			return &kinds[i];
	return NULL;
}

static void write_event(struct buf *b, const struct run_kind *k, const json_t *run)
{
	buf_clear(b);
	buf_addf(b, "event: %s\ndata: {\"%s\": ", k->event, k->member);
	(void)json_dump_callback(
		run, add_piece, b, JSON_ENCODE_ANY | JSON_REAL_PRECISION(PRECISION));
	buf_adds(b, "}\n\n");
}

/* NULL for what is too large without its lists too. */
static struct frame *frame_of_run(const struct run_kind *k, const json_t *run)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(RUN_NEWS_BYTES_MAX);
	json_t *copy = json_copy((json_t *)(uintptr_t)run);

	(void)json_object_del(copy, "document");
	write_event(&b, k, copy);
	for (size_t i = 0; b.overflow && k->lists[i]; i++)
		(void)json_object_del(copy, k->lists[i]);
	if (b.overflow)
		write_event(&b, k, copy);
	json_decref(copy);
	return b.overflow ? NULL : frame_take(&b);
}

/* That of the run, else the one with the oldest word. */
static struct run_word *place_of(struct run_news *n, const struct run_kind *k, int64_t run)
{
	struct run_word *oldest = &n->words[0];

	for (size_t i = 0; i < RUN_NEWS_MAX; i++) {
		struct run_word *w = &n->words[i];

		if (w->serial && w->kind == k && w->run == run)
			return w;
		if (w->serial < oldest->serial)
			oldest = w;
	}
	return oldest;
}

void run_news_done(struct run_news *n)
{
	for (size_t i = 0; i < RUN_NEWS_MAX; i++)
		frame_unref(n->words[i].frame);
	memset(n, 0, sizeof(*n));
}

void run_news_put(struct run_news *n, const json_t *message)
{
	const struct run_kind *k = kind_of(message);
	const json_t *run = k ? json_object_get(message, k->member) : NULL;
	int64_t number = k ? json_integer_value(json_object_get(run, k->id)) : 0;
	struct frame *f = number > 0 ? frame_of_run(k, run) : NULL;
	struct run_word *w;

	if (!f)
		return;
	w = place_of(n, k, number);
	frame_unref(w->frame);
	*w = (struct run_word){k, number, ++n->last, f};
}

struct frame *run_news_after(const struct run_news *n, uint64_t *serial)
{
	const struct run_word *first = NULL;

	for (size_t i = 0; i < RUN_NEWS_MAX; i++) {
		const struct run_word *w = &n->words[i];

		if (w->serial > *serial && (!first || w->serial < first->serial))
			first = w;
	}
	if (!first)
		return NULL;
	*serial = first->serial;
	return first->frame;
}
