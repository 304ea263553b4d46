/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures of history, drawn one at a time by a worker (`agent worker chart`, low priority, no
 * rights) and handed to a callback: for messages and for GET /chart/... . The last ones are kept for a
 * moment, because a mail, a chat and a browser ask for the same one. Also the signed links under which
 * a provider fetches one without a login.
 */
#ifndef AGENT_CHARTS_H
#define AGENT_CHARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "base/loop.h"
#include "collectors/metric.h"

enum {
	CHARTS_WAITING_MAX = 32,
	CHARTS_KEPT = 4,
	CHARTS_KEPT_MS = 60 * 1000,
	CHARTS_DEADLINE_MS = 20 * 1000,
	CHARTS_WIDTH = 640,
	CHARTS_HEIGHT = 240,
	CHARTS_LINK_DAYS = 8, /* a signed link shows nothing that ended longer ago */
};

struct chart_spec {
	const struct entity_class *class;
	char entity[208]; /* key */
	size_t metric;
	time_t from, to;
	double limit; /* NaN: none */
	int width, height;
	bool svg, dark;
};

struct charts;
struct chart_job;

/* The picture, or NULL with the reason in *e. */
typedef void (*chart_done_fn)(void *user, const struct chart_spec *spec, const char *data,
	size_t len, const struct err *e);

/* `rrd_fd` is the folder of RRD files and stays the caller's. The key of the links is read from the
 * state folder, or made there; without one, links end with this process. */
struct charts *charts_new(struct loop *l, int rrd_fd, int state_fd);
/* Ends what is under way without calling back. NULL is fine. */
void charts_free(struct charts *c);

/* `done` is called once, later, from the loop. -EAGAIN: too many wait; -ENOENT: nothing is
 * stored of it; -EINVAL: a metric that is not stored, an empty range, a size out of bounds. */
int charts_draw(struct charts *c, const struct chart_spec *spec, chart_done_fn done, void *user,
	struct chart_job **out, struct err *e);
/* Whoever knows what happened to the entity within the range: lines across its pictures. Fills at most `max`, returns how many. */
typedef size_t (*chart_marks_fn)(
	void *user, const struct chart_spec *spec, time_t *marks, size_t max);
void charts_set_marks(struct charts *c, chart_marks_fn fn, void *user); /* NULL: none */
void charts_cancel(struct chart_job *j); /* without calling `done`; NULL is fine */

/* "/chart/container/shop-web/cpu_used_percent.png?from=..&to=..[&limit=..]&signature=..". At least
 * CHARTS_LINK_SIZE bytes. */
enum { CHARTS_LINK_SIZE = 1200 };
void charts_link(const struct charts *c, const struct chart_spec *spec, char *to, size_t size);
/* Whether the signature belongs to exactly that picture and is not too old. */
bool charts_link_is_valid(
	const struct charts *c, const struct chart_spec *spec, const char *signature, time_t now);

#endif
