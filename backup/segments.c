/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/segments.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/stop.h"
#include "base/str.h"

struct segments {
	struct sink sink;
	struct store *store;
	char base_key[MANIFEST_KEY_MAX];
	struct upload_options options;
	struct upload *upload; /* the one that is filled; NULL once it was completed */
	int64_t written; /* into that one */
	struct manifest_member done; /* what was completed: its segments alone */
};

static int begin(struct segments *g, struct err *e)
{
	size_t nth = g->done.n_segments + 1;
	char key[MANIFEST_KEY_MAX + 16];
	int r;

	if (nth > MANIFEST_SEGMENTS_MAX)
		return err_set(e, EFBIG,
			"the stream does not fit into %d objects: a larger part_size is needed",
			MANIFEST_SEGMENTS_MAX);
	(void)snprintf(key, sizeof(key), nth > 1 ? "%s.%03zu" : "%s", g->base_key, nth);
	if (strlen(key) >= MANIFEST_KEY_MAX)
		return err_set(e, ENAMETOOLONG, "key %s is too long", key);
	r = g->store->ops->upload(g->store, key, &g->options, &g->upload, e);
	g->written = 0;
	return err_wrap(e, r, "%s", key);
}

/* Completes the one that is filled: from here on it exists. */
static int complete(struct segments *g, struct err *e)
{
	struct store_object o = {.key = ""};
	int r = upload_commit(g->upload, &o, e);

	if (r < 0)
		return r;
	upload_free(TAKE_PTR(g->upload));
	manifest_add_segment(&g->done, o.key, o.bytes, o.etag);
	if (o.bytes != g->written)
		return err_set(e, EIO,
			"%s: the store has %" PRId64 " bytes, %" PRId64 " were written", o.key,
			o.bytes, g->written);
	return 0;
}

static int roll(struct segments *g, struct err *e)
{
	int r = sink_finish(&g->upload->sink, e);

	if (r < 0 || (r = complete(g, e)) < 0)
		return r;
	if (g->options.expected_bytes > g->done.segments[g->done.n_segments - 1].bytes)
		g->options.expected_bytes -= g->done.segments[g->done.n_segments - 1].bytes;
	return begin(g, e);
}

static int segments_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	struct segments *g = (struct segments *)s;
	const char *from = data;
	int r;

	while (n > 0) {
		size_t now = n;

		/* Only when more is there, so that no segment is empty. */
		if (g->upload->room <= 0 && (r = roll(g, e)) < 0)
			return r;
		if (g->upload->room <= 0)
			return err_set(e, EIO, "the store takes nothing into an object");
		if (g->upload->room < (int64_t)now)
			now = (size_t)g->upload->room;
		if ((r = sink_write(&g->upload->sink, from, now, e)) < 0)
			return r;
		g->written += (int64_t)now;
		from += now;
		n -= now;
	}
	return 0;
}

static int segments_finish(struct sink *s, struct err *e)
{
	struct segments *g = (struct segments *)s;

	return sink_finish(&g->upload->sink, e);
}

/* Of a stream that was given up, perhaps because of a stop. What the store keeps on purpose stays; what it does not remove is
 * for the sweep, and as it is away then, not each object is waited for. */
static void remove_done(struct segments *g)
{
	struct err e;
	int r = 0;

	stop_hold(true);
	upload_free(g->upload);
	for (size_t i = 0; i < g->done.n_segments && g->store->may_delete; i++) {
		r = g->store->ops->remove(g->store, g->done.segments[i].key, &e);
		if (r < 0 && r != -EPERM && r != -EBUSY) {
			g->store->left_behind = true;
			break;
		}
	}
	stop_hold(false);
}

static void segments_free(struct sink *s)
{
	struct segments *g = (struct segments *)s;

	remove_done(g);
	for (size_t i = 0; i < g->done.n_segments; i++) {
		free(g->done.segments[i].key);
		free(g->done.segments[i].etag);
	}
	free(g->done.segments);
	free(g);
}

static const struct sink_ops segments_ops = {segments_write, segments_finish, segments_free};

int segments_new(struct store *s, const char *base_key, const struct upload_options *o,
	struct sink **out, struct err *e)
{
	struct segments *g;
	int r;

	if (strlen(base_key) >= MANIFEST_KEY_MAX)
		return err_set(e, ENAMETOOLONG, "key %s is too long", base_key);
	g = calloc(1, sizeof(*g));
	if (!g)
		abort();
	g->sink.ops = &segments_ops;
	g->store = s;
	g->options = *o;
	(void)str_copy(g->base_key, sizeof(g->base_key), base_key);
	r = begin(g, e);
	if (r < 0) {
		segments_free(&g->sink);
		return r;
	}
	*out = &g->sink;
	return 0;
}

int segments_commit(struct sink *segments, struct manifest_member *m, struct err *e)
{
	struct segments *g = (struct segments *)segments;
	int r = complete(g, e);

	if (r < 0)
		return r;
	m->segments = TAKE_PTR(g->done.segments);
	m->n_segments = g->done.n_segments;
	g->done.n_segments = 0;
	return 0;
}
