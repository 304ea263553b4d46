/* SPDX-License-Identifier: Apache-2.0
 *
 * The check of the channels: nothing is sent, and no server is asked.
 */
#include <stdio.h>

#include "agent/doctor_checks.h"
#include "base/clock.h"
#include "base/str.h"

/* "ops (slack): last sent 3m 5s ago". */
static void describe(const struct sender_status *s, struct buf *out)
{
	int64_t now_ms = clock_wall_ms();
	char ago[64];

	buf_addf(
		out, "%s%s (%s): ", out->len ? "; " : "", s->channel->name, s->channel->type->name);
	if (s->state.failures) {
		str_human_duration(ago, sizeof(ago), (now_ms - s->state.last_failed_ms) / 1000);
		buf_addf(out, "failed %u time%s, last %s ago: %s", s->state.failures,
			s->state.failures == 1 ? "" : "s", ago, s->state.last_error);
	} else if (s->state.last_sent_ms) {
		str_human_duration(ago, sizeof(ago), (now_ms - s->state.last_sent_ms) / 1000);
		buf_addf(out, "last sent %s ago", ago);
	} else {
		buf_adds(out, "nothing sent yet");
	}
}

static void judge(const struct sender_status *list, size_t n, struct doctor_finding *f)
{
	_cleanup_(buf_done) struct buf good = BUF_INIT(400);
	_cleanup_(buf_done) struct buf bad = BUF_INIT(400);
	char cure[128] = "";

	for (size_t i = 0; i < n; i++) {
		bool failing = list[i].state.failures > 0;

		describe(&list[i], failing ? &bad : &good);
		if (failing && !*cure)
			(void)snprintf(cure, sizeof(cure),
				"agent notify test %.64s prints the provider's own answer.",
				list[i].channel->name);
	}
	if (bad.len)
		doctor_fault(f, DOCTOR_FAILED, cure, "%s", buf_str(&bad));
	else
		doctor_ok(f, "%s", buf_str(&good));
}

void doctor_channels(const struct doctor_context *c, struct doctor_finding *f)
{
	struct sender_status list[CHANNELS_MAX];
	size_t n = config_names(c->config, "channels", NULL, 0);

	if (n == 0)
		doctor_ok(f, "none is set up: alerts are shown on the dashboard only");
	else if (!c->sender)
		doctor_ok(f, "%zu set up", n);
	else
		judge(list, sender_status(c->sender, list, CHANNELS_MAX), f);
}
