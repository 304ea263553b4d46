/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/prometheus_text.h"

#include <math.h>

/* The value of a label: backslash, quote and newline are escaped. */
static void add_escaped(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '\\' || *s == '"')
			buf_addc(b, '\\');
		if (*s == '\n')
			buf_adds(b, "\\n");
		else
			buf_addc(b, *s);
	}
}

void prometheus_label(struct buf *b, const char *name, const char *value)
{
	if (b->len)
		buf_addc(b, ',');
	buf_adds(b, name);
	buf_adds(b, "=\"");
	add_escaped(b, value);
	buf_addc(b, '"');
}

void prometheus_value(struct buf *b, double v)
{
	if (fabs(v) < 9007199254740992.0)
		buf_add_json_number(b, v);
	else
		buf_addf(b, "%.17g", v);
}

void prometheus_head(struct buf *b, const char *name, const char *doc, const char *type)
{
	buf_adds(b, "# HELP ");
	buf_adds(b, name);
	buf_addc(b, ' ');
	for (; *doc; doc++) {
		if (*doc == '\\')
			buf_addc(b, '\\');
		if (*doc == '\n')
			buf_adds(b, "\\n");
		else
			buf_addc(b, *doc);
	}
	buf_addf(b, "\n# TYPE %s %s\n", name, type);
}
