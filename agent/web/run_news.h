/* SPDX-License-Identifier: Apache-2.0
 *
 * The newest word on each run of a backup and on each deploy, for the streams of live.c: what a slow reader did not get in
 * time is replaced by what came later of the same one, so nothing piles up. Pure.
 */
#ifndef AGENT_WEB_RUN_NEWS_H
#define AGENT_WEB_RUN_NEWS_H

#include <jansson.h>
#include <stdint.h>

#include "agent/web/frame.h"

enum {
	/* Runs and deploys kept. More than that at once: the oldest news gives way, and browsers that did not have
	 * it yet see it with the next list they fetch. */
	RUN_NEWS_MAX = 32,
	/* Of one event. What makes one larger are its lists, which are left out then. */
	RUN_NEWS_BYTES_MAX = 64 * 1024,
};

struct run_news {
	struct run_word {
		const struct run_kind *kind;
		int64_t run;
		uint64_t serial; /* grows with each word; 0: free */
		struct frame *frame;
	} words[RUN_NEWS_MAX];
	uint64_t last; /* serial of the newest word */
};

void run_news_done(struct run_news *n);
/* Takes in {"event":"backup","run":{..}} or {"event":"deploy","deploy":{..}} of the daemon; anything else is ignored. The
 * document of a deploy, which may be large, is never told. */
void run_news_put(struct run_news *n, const json_t *message);
/* The oldest word that is newer than *serial, which becomes its own; NULL: there is none. Borrowed. */
struct frame *run_news_after(const struct run_news *n, uint64_t *serial);

#endif
