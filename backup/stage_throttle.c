/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "backup/stage.h"
#include "base/clock.h"

enum { SECOND_MS = 1000 };

struct throttle {
	struct pace pace;
	struct net *net;
	int never; /* a descriptor that is never readable, to wait for time alone */
};

double pace_pass(struct pace *p, size_t n, double now_ms)
{
	/* A pause of the dump is no credit for a flood afterwards. */
	if (p->due_ms < now_ms - PACE_BURST_MS)
		p->due_ms = now_ms - PACE_BURST_MS;
	p->due_ms += (double)n * SECOND_MS / (double)p->bytes_per_s;
	return p->due_ms > now_ms ? p->due_ms - now_ms : 0;
}

int throttle_new(int64_t bytes_per_s, struct net *net, struct throttle **out, struct err *e)
{
	_cleanup_(throttle_free_p) struct throttle *t = NULL;

	*out = NULL;
	if (bytes_per_s <= 0)
		return 0;
	t = calloc(1, sizeof(*t));
	if (!t)
		abort();
	t->pace.bytes_per_s = bytes_per_s;
	t->net = net;
	t->never = eventfd(0, EFD_CLOEXEC);
	if (t->never < 0)
		return err_sys(e, "eventfd");
	*out = TAKE_PTR(t);
	return 0;
}

void throttle_free(struct throttle *t)
{
	if (!t)
		return;
	close_p(&t->never);
	free(t);
}

int throttle_pass(struct throttle *t, size_t n, struct err *e)
{
	int64_t until_ms, now_ms;

	if (!t)
		return 0;
	now_ms = clock_mono_ms();
	until_ms = now_ms + (int64_t)ceil(pace_pass(&t->pace, n, (double)now_ms));
	for (; now_ms < until_ms; now_ms = clock_mono_ms()) {
		int r = net_wait(t->net, t->never, (int)(until_ms - now_ms), e);

		if (r < 0)
			return r;
	}
	return 0;
}
