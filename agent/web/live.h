/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /api/v1/live: each sample, pushed to browsers as server-sent events
 * (https://html.spec.whatwg.org/#server-sent-events).
 *
 * The daemon is subscribed to exactly while somebody listens, to what all listeners together want.
 * A listener that does not keep up misses samples, it never makes the queue longer: at most the
 * sample being sent and the newest one wait.
 */
#ifndef AGENT_WEB_LIVE_H
#define AGENT_WEB_LIVE_H

#include <jansson.h>

#include "agent/web/web.h"

enum {
	LIVE_STREAMS_MAX = 16,
	LIVE_FILTERS_MAX = 50,
	LIVE_BEAT_MS = 15 * 1000,
	/* A stream ends after this time; browsers come back at once, with a credential that is
	 * looked at again. */
	LIVE_AGE_MAX_MS = 3600 * 1000,
};

struct live;

struct live *live_new(struct web *w);
/* No stream may be left. NULL is fine. */
void live_free(struct live *l);

/* A sample came from the daemon. */
void live_sample(struct live *l, const json_t *message);
/* Alerts, silences, events or deliveries changed: {"firing":1,"worst":"critical"}. Every stream is
 * told, and each new one at its beginning; one that does not keep up gets the newest. */
void live_alerts(struct live *l, const json_t *message);
/* A run of a backup or a deploy began, went on or ended: {"event":"backup","run":{..}}, {"event":"deploy","deploy":{..}}.
 * Every stream is told; one that does not keep up gets the newest of each (run_news.h). */
void live_run(struct live *l, const json_t *message);
/* Ends all streams: somebody's right to listen may have ended. */
void live_end_all(struct live *l);

#endif
