/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /api/v1/deploys/{deploy}/log: what the hooks of a deploy print, as text, or followed as server-sent events
 * (https://html.spec.whatwg.org/#server-sent-events) whose id is the offset to go on from.
 *
 * The daemon is asked for the next piece only when the one before was taken, so a reader that does not keep up holds one
 * piece here, however much is printed meanwhile.
 */
#ifndef AGENT_WEB_LOG_STREAM_H
#define AGENT_WEB_LOG_STREAM_H

#include <jansson.h>
#include <stdbool.h>

#include "agent/web/web.h"
#include "base/buf.h"

enum {
	LOG_STREAMS_MAX = 16,
	LOG_STREAM_BEAT_MS = 15 * 1000,
	/* As long as a live stream (live.h). */
	LOG_STREAM_AGE_MAX_MS = 3600 * 1000,
	/* Of one event: the daemon's pieces are 256 KiB, and a line may be as short as its end. */
	LOG_STREAM_EVENT_MAX = 4 * 1024 * 1024,
};

struct log_streams;

struct log_streams *log_streams_new(struct web *w);
/* No stream may be left. NULL is fine. */
void log_streams_free(struct log_streams *l);

/* {"event":"deploy.log","deploy":N,"size":N}, or {"event":"deploy","deploy":{"id":N}}: it has more to say, or has ended. */
void log_streams_changed(struct log_streams *l, const json_t *message);
/* Somebody's right to listen may have ended. */
void log_streams_end_all(struct log_streams *l);

/* Lines as an event `log`; every end of a line, also a bare CR, begins another data field. Pure. */
void log_stream_write_event(struct buf *b, const char *lines, int64_t next);

#endif
