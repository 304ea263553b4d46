/* SPDX-License-Identifier: Apache-2.0
 *
 * The heartbeat: at each whole multiple of the interval (by the wall clock, so that samples fall on
 * the rows of the RRD files) runs the collectors, sweeps what is gone, stores, and tells the
 * daemon. The first sample comes at once and only sets the baseline of the counters; the second
 * follows a second later and is shown, not stored.
 */
#ifndef AGENT_SAMPLING_H
#define AGENT_SAMPLING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "agent/own_cost.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/problem.h"
#include "collectors/clock_guard.h"
#include "collectors/containers.h"
#include "collectors/sampler.h"
#include "collectors/store.h"

typedef void (*sampling_fn)(void *user);
/* The pid of the web process, for the agent's own figures; 0: none. */
typedef pid_t (*sampling_web_pid_fn)(void *user);

struct sampling {
	/* Set by the owner before sampling_start(). */
	struct loop *loop;
	int64_t interval_ms;
	struct registry *registry;
	struct problems *problems;
	struct sampler *sampler;
	struct containers *containers; /* may be NULL */
	struct store *store; /* may be NULL: no history */
	registry_gone_fn on_gone; /* with `user`: an entity leaves; in any sample */
	/* In any sample, before what is gone leaves: others put in what they measured. May be NULL. */
	sampling_fn on_collect;
	/* A regular sample: not the one that is only shown, nor one taken while the clock is in
	 * doubt. Counted as part of the sample's time. */
	sampling_fn on_regular;
	sampling_fn on_sample; /* any sample, at its end */
	sampling_web_pid_fn web_pid;
	void *user;

	/* For others to read. */
	time_t time; /* stamp of the last sample; 0: none yet */
	int64_t last_mono_ms;

	/* Its own. */
	struct loop_timer *timer;
	struct loop_timer *first;
	struct loop_timer *work; /* one waiting file per turn */
	struct clock_guard guard;
	struct own_cost cost;
};

void sampling_start(struct sampling *s, int64_t last_stored_wall_ms);
void sampling_stop(struct sampling *s);

#endif
