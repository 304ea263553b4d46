/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/fields.h"

#include "base/clock.h"
#include "notify/message.h"

void fields_text(const struct term *t, const char *name, const char *value, struct buf *out)
{
	size_t width = t->columns > 40 ? t->columns - FIELDS_NAME_WIDTH : 28;

	if (!*value)
		return;
	term_style(t, TERM_BOLD, out);
	term_add(out, name, FIELDS_NAME_WIDTH);
	term_style(t, TERM_PLAIN, out);
	term_add_wrapped(out, value, width, FIELDS_NAME_WIDTH);
	buf_addc(out, '\n');
}

void fields_time(const struct term *t, const char *name, int64_t ms, struct buf *out)
{
	char text[64] = "";

	if (ms)
		message_time(text, sizeof(text), ms, clock_wall_ms());
	fields_text(t, name, text, out);
}
