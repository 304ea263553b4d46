/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/frame.h"

#include <stdlib.h>
#include <string.h>

struct frame *frame_take(struct buf *b)
{
	struct frame *f = malloc(sizeof(*f));

	if (!f)
		abort();
	f->refs = 1;
	f->len = b->len;
	f->text = buf_take(b);
	return f;
}

struct frame *frame_of(const char *text)
{
	struct buf b = BUF_INIT(strlen(text) + 1);

	buf_adds(&b, text);
	return frame_take(&b);
}

struct frame *frame_ref(struct frame *f)
{
	f->refs++;
	return f;
}

void frame_unref(struct frame *f)
{
	if (!f || --f->refs > 0)
		return;
	free(f->text);
	free(f);
}
