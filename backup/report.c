/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

struct report {
	int fd;
	bool silent; /* nobody listens any more */
	int64_t progress_ms; /* when it was said last */
	int warnings;
};

struct report *report_new(int fd)
{
	struct report *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->fd = fd;
	return r;
}

void report_free(struct report *r)
{
	free(r);
}

static void write_all(struct report *r, const char *text, size_t n)
{
	while (n && !r->silent) {
		ssize_t w = write(r->fd, text, n);

		if (w < 0 && errno != EINTR)
			r->silent = true;
		if (w > 0) {
			text += w;
			n -= (size_t)w;
		}
	}
}

json_t *report_text(const char *s)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(64 * 1024);

	for (size_t n; *s; s += n ? n : 1) {
		n = str_utf8_char(s);
		buf_add(&b, n ? s : "\xEF\xBF\xBD", n ? n : 3);
	}
	return json_string(buf_str(&b));
}

void report_line(struct report *r, const char *type, json_t *line)
{
	json_t *whole = json_pack("{s:s}", "type", type);
	_cleanup_(free_p) char *text = NULL;
	size_t n;

	if (whole && json_object_update(whole, line) == 0)
		text = json_dumps(whole, JSON_COMPACT | JSON_PRESERVE_ORDER);
	json_decref(whole);
	json_decref(line);
	if (!text)
		return;
	/* The line end takes the place of the NUL, so that a line is one write(). */
	n = strlen(text);
	text[n] = '\n';
	write_all(r, text, n + 1);
}

void report_stage(struct report *r, const char *stage, const char *member, const char *store)
{
	json_t *line = json_pack("{s:s}", "stage", stage);

	if (member)
		json_object_set_new(line, "member", json_string(member));
	if (store)
		json_object_set_new(line, "store", json_string(store));
	r->progress_ms = 0;
	report_line(r, "stage", line);
}

void report_progress(
	struct report *r, int64_t plain_bytes, int64_t stored_bytes, int64_t expected_bytes)
{
	int64_t now = clock_mono_ms();

	if (r->progress_ms && now - r->progress_ms < REPORT_PROGRESS_MS)
		return;
	r->progress_ms = now;
	report_line(r, "progress",
		json_pack("{s:I, s:I, s:I}", "plain_bytes", (json_int_t)plain_bytes, "stored_bytes",
			(json_int_t)stored_bytes, "expected_bytes", (json_int_t)expected_bytes));
}

void report_warning(struct report *r, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (r->warnings++ >= REPORT_WARNINGS_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report_line(r, "warning", json_pack("{s:o}", "text", report_text(text)));
}
