/* SPDX-License-Identifier: Apache-2.0
 *
 * Text on its way to browsers, shared by all streams that send it (live.c).
 */
#ifndef AGENT_WEB_FRAME_H
#define AGENT_WEB_FRAME_H

#include <stddef.h>

#include "base/buf.h"

struct frame {
	unsigned refs;
	size_t len;
	char *text;
};

/* What is in the buffer, which is empty afterwards. With one reference, the caller's. */
struct frame *frame_take(struct buf *b);
struct frame *frame_of(const char *text);
/* Returns `f`. */
struct frame *frame_ref(struct frame *f);
/* NULL is fine. */
void frame_unref(struct frame *f);

#endif
