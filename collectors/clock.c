/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/clock.h"

#include "collectors/host.h"

struct clock_quality clock_judge(const struct timex *t, int state)
{
	struct clock_quality q;

	/* STA_NANO tells the unit of the offset; the one that corrected the clock last has set it. */
	q.offset_seconds = (double)t->offset / (t->status & STA_NANO ? 1e9 : 1e6);
	q.synchronized = state != TIME_ERROR && !(t->status & STA_UNSYNC);
	return q;
}

static int collect(void *state, const struct collect_ctx *ctx, struct err *e)
{
	struct timex t = {.modes = 0};
	struct entity *host = host_entity(ctx);
	struct clock_quality q;
	int r;

	(void)state;
	if (!ctx->live)
		return COLLECTOR_ABSENT;
	r = adjtimex(&t);
	if (r < 0)
		return err_sys(e, "adjtimex");
	if (!host)
		return 0;
	q = clock_judge(&t, r);
	entity_gauge(host, HOST_clock_offset_seconds, q.offset_seconds);
	entity_gauge(host, HOST_clock_synchronized, q.synchronized);
	return 0;
}

const struct collector collector_clock = {
	.name = "clock",
	.doc = "Offset of the clock and whether a time service keeps it right",
	.state_size = 0,
	.collect = collect,
};
