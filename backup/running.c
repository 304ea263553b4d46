/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/running.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "backup/redact.h"
#include "backup/stop.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/str.h"

enum { LAST_LINES_MAX = 380 }; /* leaves room in an error for the name and what callers add */

static char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return str_dup(slash && slash[1] ? slash + 1 : path);
}

static int *copy_statuses(const int *list)
{
	size_t n = 0;
	int *copy;

	if (!list)
		return NULL;
	while (list[n])
		n++;
	copy = calloc(n + 1, sizeof(*copy));
	if (!copy)
		abort();
	memcpy(copy, list, n * sizeof(*copy));
	return copy;
}

void running_init(struct running *r, const struct running_ops *ops, const struct running_options *o)
{
	memset(r, 0, sizeof(*r));
	r->ops = ops;
	r->name = base_name(o->command->name ? o->command->name : o->command->argv[0]);
	r->also_good = copy_statuses(o->command->also_good);
	buf_init(&r->tail, 2 * (size_t)RUNNING_STDERR_KEPT);
	buf_init(&r->said, 4 * (size_t)RUNNING_STDERR_KEPT);
	r->collects = o->collects;
	r->collect = o->collect;
	r->deadline_ms = o->deadline_ms;
	r->deadline_at = o->deadline_ms > 0 ? clock_mono_ms() + o->deadline_ms : 0;
}

void running_done(struct running *r)
{
	free(r->name);
	free(r->also_good);
	buf_done(&r->tail);
	buf_done(&r->said);
}

void running_add_stderr(struct running *r, const void *data, size_t n)
{
	const char *bytes = data;

	if (n > RUNNING_STDERR_KEPT) {
		bytes += n - RUNNING_STDERR_KEPT;
		n = RUNNING_STDERR_KEPT;
		r->tail_cut = true;
		buf_clear(&r->tail);
	}
	if (r->tail.len + n > r->tail.max) {
		buf_consume(&r->tail, r->tail.len + n - RUNNING_STDERR_KEPT);
		r->tail_cut = true;
	}
	buf_add(&r->tail, bytes, n);
}

void running_add_stdout(struct running *r, const void *data, size_t n)
{
	if (!r->collect || r->collect_overflow)
		return;
	buf_add(r->collect, data, n);
	r->collect_overflow = r->collect->overflow;
}

const char *running_stderr(struct running *r)
{
	buf_clear(&r->said);
	redact_text(buf_str(&r->tail), r->tail.len, r->tail_cut, &r->said);
	if (r->said.len > PLACE_STDERR_MAX)
		buf_consume(&r->said, r->said.len - PLACE_STDERR_MAX);
	for (size_t i = 0; i < r->said.len; i++)
		if (!r->said.data[i])
			r->said.data[i] = '?';
	return buf_str(&r->said);
}

int running_left_ms(const struct running *r)
{
	int64_t left;

	if (!r->deadline_at)
		return -1;
	left = r->deadline_at - clock_mono_ms();
	return left < 0 ? 0 : left > 3600 * 1000 ? 3600 * 1000 : (int)left;
}

int running_check(const struct running *r, struct err *e)
{
	int err = stop_check(e);
	char after[32];

	if (err < 0 || !r->deadline_at || clock_mono_ms() < r->deadline_at)
		return err;
	str_from_duration_ms(after, sizeof(after), r->deadline_ms);
	return err_set(e, ETIMEDOUT, "%s: not done after %s", r->name, after);
}

/* The last lines that fit, joined by "; ". */
static void last_lines(const char *text, struct buf *out)
{
	size_t n = strlen(text);
	const char *from;

	while (n && (text[n - 1] == '\n' || text[n - 1] == '\r' || text[n - 1] == ' '))
		n--;
	from = n > LAST_LINES_MAX ? text + n - LAST_LINES_MAX : text;
	if (from > text) {
		const char *line = memchr(from, '\n', n - (size_t)(from - text));

		if (line)
			from = line + 1;
	}
	for (; from < text + n; from++) {
		unsigned char c = (unsigned char)*from;

		if (c == '\n') {
			buf_adds(out, "; ");
			/* Hints stand under what they belong to, moved to the right. */
			from += strspn(from + 1, " \t");
		} else if (c == '\t') {
			buf_addc(out, ' ');
		} else if (c != '\r') {
			buf_addc(out, c < ' ' || c == 0x7f ? '?' : (char)c);
		}
	}
}

int running_error(struct running *r, int code, const char *what, struct err *e)
{
	struct buf words = BUF_INIT(4 * LAST_LINES_MAX);
	size_t name = strlen(r->name);
	const char *said;

	last_lines(running_stderr(r), &words);
	said = buf_str(&words);
	/* Most tools begin with their own name. */
	if (str_starts(said, r->name) && str_starts(said + name, ": "))
		said += name + 2;
	(void)err_set(e, code, "%s: %s%s%s", r->name, what, *said ? ": " : "", said);
	buf_done(&words);
	return -code;
}

static bool is_good(const struct running *r)
{
	if (!WIFEXITED(r->status))
		return false;
	if (WEXITSTATUS(r->status) == 0)
		return true;
	for (const int *s = r->also_good; s && *s; s++)
		if (*s == WEXITSTATUS(r->status))
			return true;
	return false;
}

int running_verdict(struct running *r, struct err *e)
{
	char what[64];

	if (is_good(r))
		return 0;
	child_describe(what, sizeof(what), r->status);
	return running_error(r, EREMOTEIO, what, e);
}
