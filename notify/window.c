/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/window.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	LINE_SLOTS_MIN = 5,
	/* The recent part of a line is this share of it. */
	LINE_RECENT = 6,
	LINE_RECENT_MIN = 3,
	COUNT_MAX = UINT16_MAX,
};

/* A ring of slots, each `width_ms` of time: the sum of its values and how many were known (of an
 * extreme: the extreme; of a change: the first one). `total` and `known` are the same over all
 * slots; what leaves is taken off, so that a sample costs the same for any length. */
struct window {
	enum window_how how;
	bool stale; /* `total` must be computed anew: the extreme has left */
	unsigned n; /* slots */
	unsigned at; /* the slot that is being filled */
	int64_t length_ms, interval_ms, width_ms;
	int64_t slot_end_ms; /* of that slot */
	int64_t last_ms; /* of the last sample */
	int64_t first_ms; /* of the first known value since none was known; valid when known > 0 */
	uint32_t known;
	double last; /* the last known value */
	double total;
	double *sums;
	uint16_t *counts;
	double slope; /* of a line through the slots that are full, per second; NaN: too few */
};

static unsigned slots_for(enum window_how how, int64_t length_ms, int64_t width_ms)
{
	if (how == WINDOW_LAST || length_ms <= 0)
		return 1;
	/* A change over a length lies between values that far apart. */
	return (unsigned)((length_ms + width_ms - 1) / width_ms) + (how == WINDOW_CHANGE);
}

struct window *window_new(enum window_how how, int64_t length_ms, int64_t interval_ms)
{
	struct window *w;
	int64_t width = interval_ms > 0 ? interval_ms : 1;
	int64_t most = WINDOW_SLOTS - (how == WINDOW_CHANGE);
	unsigned n;

	if (length_ms > width * most)
		width *= (length_ms + width * most - 1) / (width * most);
	n = slots_for(how, length_ms, width);
	w = calloc(1, sizeof(*w) + n * (sizeof(*w->sums) + sizeof(*w->counts)));
	if (!w)
		abort();
	w->sums = (double *)(w + 1);
	w->counts = (uint16_t *)(w->sums + n);
	w->how = how;
	w->n = n;
	w->width_ms = width;
	w->interval_ms = interval_ms > 0 ? interval_ms : 1;
	w->length_ms = length_ms;
	w->last_ms = INT64_MIN;
	w->slope = NAN;
	return w;
}

void window_free(struct window *w)
{
	free(w);
}

/* Slot of that age: 0 is the one being filled. */
static unsigned slot(const struct window *w, unsigned age)
{
	return w->at >= age ? w->at - age : w->at + w->n - age;
}

/* The total over the slots that are left when the oldest `skip` have gone. */
static double fold(const struct window *w, unsigned skip, uint32_t *known)
{
	double total = 0;

	*known = 0;
	for (unsigned age = w->n - skip; age-- > 0;) {
		unsigned i = slot(w, age);
		double v = w->sums[i];

		if (!w->counts[i])
			continue;
		if (!*known || (w->how == WINDOW_MAXIMUM && v > total) ||
			(w->how == WINDOW_MINIMUM && v < total))
			total = v;
		else if (w->how == WINDOW_AVERAGE || w->how == WINDOW_SUM)
			total += v;
		*known += w->counts[i];
	}
	return total;
}

static void evict(struct window *w, unsigned i)
{
	if (!w->counts[i])
		return;
	w->known -= w->counts[i];
	if (w->how == WINDOW_AVERAGE || w->how == WINDOW_SUM)
		w->total -= w->sums[i];
	else
		w->stale = w->stale || w->sums[i] == w->total;
	w->counts[i] = 0;
	w->sums[i] = 0;
}

static void clear(struct window *w, int64_t now_ms)
{
	memset(w->sums, 0, w->n * sizeof(*w->sums));
	memset(w->counts, 0, w->n * sizeof(*w->counts));
	w->known = 0;
	w->total = 0;
	w->stale = false;
	w->slope = NAN;
	/* A sample falls into the middle of its slot, so that its delay does not matter. */
	w->slot_end_ms = now_ms + (w->interval_ms + 1) / 2;
}

/* Slope of the least squares line through the means of the newest `n` slots, per slot; NaN with
 * fewer than `least` of them known. */
static double fit(const struct window *w, unsigned n, unsigned least)
{
	double sx = 0, sy = 0, sxx = 0, sxy = 0;
	unsigned known = 0;
	double first = 0, points;

	for (unsigned age = n; age-- > 0;) {
		unsigned i = slot(w, age);
		double x = -(double)age, y;

		if (!w->counts[i])
			continue;
		y = w->sums[i] / w->counts[i];
		/* Near the first one, large values leave their digits to the differences. */
		first = known++ ? first : y;
		y -= first;
		sx += x;
		sy += y;
		sxx += x * x;
		sxy += x * y;
	}
	if (known < least)
		return NAN;
	points = known;
	return (points * sxy - sx * sy) / (points * sxx - sx * sx);
}

/* The flatter of the lines through the whole window and through its last part: something that was
 * written once and is over by now is no trend. */
static double find_slope(const struct window *w)
{
	unsigned part = w->n / LINE_RECENT;
	double whole = fit(w, w->n, LINE_SLOTS_MIN);
	/* The slot being filled is empty still. */
	double recent = fit(w, part < LINE_RECENT_MIN ? w->n : part + 1, LINE_RECENT_MIN);

	if (isnan(whole) || isnan(recent))
		return NAN;
	if ((whole > 0) != (recent > 0))
		return 0;
	return (fabs(recent) < fabs(whole) ? recent : whole) * 1000 / (double)w->width_ms;
}

/* Makes the slot that `now_ms` falls into the current one. */
static void advance(struct window *w, int64_t now_ms)
{
	if (now_ms - w->slot_end_ms >= (int64_t)w->n * w->width_ms) {
		clear(w, now_ms);
		return;
	}
	while (now_ms >= w->slot_end_ms) {
		w->at = w->at + 1 < w->n ? w->at + 1 : 0;
		w->slot_end_ms += w->width_ms;
		evict(w, w->at);
		/* What adding and subtracting leaves of rounding does not grow. */
		w->stale = w->stale || w->at == 0;
	}
	if (w->stale)
		w->total = fold(w, 0, &w->known);
	w->stale = false;
	if (w->how == WINDOW_LINE)
		w->slope = find_slope(w);
}

static void put(struct window *w, double v)
{
	double *sum = &w->sums[w->at];
	uint16_t *count = &w->counts[w->at];
	bool is_first = !*count, is_only = !w->known;

	if (*count == COUNT_MAX)
		return;
	switch (w->how) {
	case WINDOW_MAXIMUM:
		*sum = is_first || v > *sum ? v : *sum;
		w->total = is_only || v > w->total ? v : w->total;
		break;
	case WINDOW_MINIMUM:
		*sum = is_first || v < *sum ? v : *sum;
		w->total = is_only || v < w->total ? v : w->total;
		break;
	case WINDOW_CHANGE:
		*sum = is_first ? v : *sum;
		w->total = is_only ? v : w->total;
		break;
	case WINDOW_LAST:
		*sum = v;
		break;
	case WINDOW_AVERAGE:
	case WINDOW_SUM:
	case WINDOW_LINE:
		*sum += v;
		w->total += v;
		break;
	}
	++*count;
	++w->known;
}

void window_add(struct window *w, int64_t now_ms, double v)
{
	if (w->last_ms == INT64_MIN) {
		clear(w, now_ms);
	} else if (now_ms < w->last_ms) {
		/* Older than all that is known: the clock was set back. */
		if (w->last_ms - now_ms < w->length_ms + w->width_ms)
			return;
		clear(w, now_ms);
	}
	w->last_ms = now_ms;
	if (now_ms >= w->slot_end_ms)
		advance(w, now_ms);
	if (!isfinite(v))
		return;
	if (!w->known)
		w->first_ms = now_ms;
	w->last = v;
	put(w, v);
}

/* Half an interval is allowed for samples that come early or late. */
static bool is_full(const struct window *w, int64_t now_ms)
{
	int64_t span = now_ms - w->first_ms + (w->interval_ms + 1) / 2;

	/* A value stands for the interval before it; a change needs two that far apart. */
	if (w->how != WINDOW_CHANGE)
		span += w->interval_ms;
	return span >= w->length_ms;
}

double window_value(const struct window *w, int64_t now_ms)
{
	uint32_t known = w->known;
	double total = w->total;

	if (now_ms >= w->slot_end_ms) {
		int64_t skip = (now_ms - w->slot_end_ms) / w->width_ms + 1;

		if (skip >= w->n)
			return NAN;
		total = fold(w, (unsigned)skip, &known);
	}
	if (!known || (w->how != WINDOW_SUM && !is_full(w, now_ms)))
		return NAN;
	switch (w->how) {
	case WINDOW_AVERAGE:
		return total / known;
	case WINDOW_CHANGE:
		return w->last - total;
	case WINDOW_LAST:
		return w->last;
	case WINDOW_LINE:
		return NAN;
	default:
		return total;
	}
}

/* Whether the values came from the other side of the target. */
static bool has_crossed(const struct window *w, double target)
{
	for (unsigned age = w->n; age-- > 0;) {
		unsigned i = slot(w, age);
		double first;

		if (!w->counts[i])
			continue;
		first = w->sums[i] / w->counts[i];
		return (first < target && w->last > target) || (first > target && w->last < target);
	}
	return false;
}

double window_seconds_until(const struct window *w, int64_t now_ms, double target)
{
	double way = target - w->last;

	if (w->how != WINDOW_LINE || !w->known || !is_full(w, now_ms) || isnan(w->slope))
		return NAN;
	if (now_ms - w->last_ms >= w->length_ms)
		return NAN;
	if (way == 0 || has_crossed(w, target))
		return 0;
	if (w->slope == 0 || (w->slope > 0) != (way > 0))
		return INFINITY;
	return way / w->slope;
}
