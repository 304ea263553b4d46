/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/retention.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/str.h"

enum { DAY = 86400, YEAR = 365 * DAY };

static const struct rrd_archive usual[] = {{20, 2 * DAY}, {300, 30 * DAY}, {7200, YEAR}};

void retention_format(char *to, size_t size, const struct rrd_archive *a)
{
	char row[32], span[32];

	str_from_duration_ms(row, sizeof(row), a->row_seconds * 1000);
	str_from_duration_ms(span, sizeof(span), a->span_seconds * 1000);
	(void)snprintf(to, size, "%s for %s", row, span);
}

void retention_default(int64_t interval, struct rrd_layout *out)
{
	struct rrd_layout l = {.step_seconds = interval};
	size_t n = 0;

	if (interval < usual[0].row_seconds) {
		l.archives[n].row_seconds = interval;
		l.archives[n++].span_seconds = interval * (2 * DAY / 20);
	}
	for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
		struct rrd_archive a = usual[i];

		a.row_seconds = (a.row_seconds + interval - 1) / interval * interval;
		/* Two that became the same: the one kept longer, which comes later, stays. */
		if (n && l.archives[n - 1].row_seconds == a.row_seconds)
			n--;
		l.archives[n++] = a;
	}
	l.n_archives = n;
	*out = l;
}

int retention_check(const struct rrd_layout *l, struct err *e)
{
	char text[RETENTION_TEXT_MAX], step[32];

	str_from_duration_ms(step, sizeof(step), l->step_seconds * 1000);
	for (size_t i = 0; i < l->n_archives; i++) {
		const struct rrd_archive *a = &l->archives[i];

		retention_format(text, sizeof(text), a);
		if (a->row_seconds % l->step_seconds)
			return err_set(e, EINVAL,
				"\"%s\": the row must be a multiple of the interval (%s)", text,
				step);
		if (i && (a->row_seconds <= a[-1].row_seconds ||
				 a->span_seconds <= a[-1].span_seconds))
			return err_set(e, EINVAL,
				"\"%s\" must be wider and kept longer than the one before it",
				text);
	}
	return 0;
}
