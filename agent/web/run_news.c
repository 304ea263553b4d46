/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/run_news.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

enum { PRECISION = 15 }; /* digits that a double holds */

static int add_piece(const char *piece, size_t n, void *user)
{
	buf_add(user, piece, n);
	return 0;
}

static void write_event(struct buf *b, const json_t *run)
{
	buf_clear(b);
	buf_adds(b, "event: backup\ndata: {\"run\": ");
	(void)json_dump_callback(
		run, add_piece, b, JSON_ENCODE_ANY | JSON_REAL_PRECISION(PRECISION));
	buf_adds(b, "}\n\n");
}

/* The same run without its lists. */
static json_t *shortened(const json_t *run)
{
	static const char *const lists[] = {"decided", "warnings", "counts", "stores"};
	json_t *copy = json_copy((json_t *)(uintptr_t)run);

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		(void)json_object_del(copy, lists[i]);
	return copy;
}

/* NULL for what is too large without its lists too. */
static struct frame *frame_of_run(const json_t *run)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(RUN_NEWS_BYTES_MAX);
	json_t *copy;

	write_event(&b, run);
	if (!b.overflow)
		return frame_take(&b);
	copy = shortened(run);
	write_event(&b, copy);
	json_decref(copy);
	return b.overflow ? NULL : frame_take(&b);
}

/* That of the run, else the one with the oldest word. */
static struct run_word *place_of(struct run_news *n, int64_t run)
{
	struct run_word *oldest = &n->words[0];

	for (size_t i = 0; i < RUN_NEWS_MAX; i++) {
		struct run_word *w = &n->words[i];

		if (w->serial && w->run == run)
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
	const json_t *run = json_object_get(message, "run");
	int64_t number = json_integer_value(json_object_get(run, "run"));
	struct frame *f = number > 0 ? frame_of_run(run) : NULL;
	struct run_word *w;

	if (!f)
		return;
	w = place_of(n, number);
	frame_unref(w->frame);
	*w = (struct run_word){number, ++n->last, f};
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
