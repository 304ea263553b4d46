/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "backup/stage.h"
#include "base/clock.h"

enum { SECOND_MS = 1000, BURST_MS = 100 };

struct throttle {
	int64_t bytes_per_s;
	struct net *net;
	int never; /* a descriptor that is never readable, to wait for time alone */
	/* When all that passed would have, at exactly the rate. */
	double due_ms;
};

int throttle_new(int64_t bytes_per_s, struct net *net, struct throttle **out, struct err *e)
{
	_cleanup_(throttle_free_p) struct throttle *t = NULL;

	*out = NULL;
	if (bytes_per_s <= 0)
		return 0;
	t = calloc(1, sizeof(*t));
	if (!t)
		abort();
	t->bytes_per_s = bytes_per_s;
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
	double now;

	if (!t)
		return 0;
	now = (double)clock_mono_ms();
	/* A pause of the dump is no credit for a flood afterwards. */
	if (t->due_ms < now - BURST_MS)
		t->due_ms = now - BURST_MS;
	t->due_ms += (double)n * SECOND_MS / (double)t->bytes_per_s;
	while (t->due_ms > now) {
		int r = net_wait(t->net, t->never, (int)(t->due_ms - now) + 1, e);

		if (r < 0)
			return r;
		now = (double)clock_mono_ms();
	}
	return 0;
}
