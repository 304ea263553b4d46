/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/deploy_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/str.h"
#include "deploy-hooks/mask.h"
#include "deploy-hooks/plain_text.h"

enum {
	STAGE_SIZE = 32,
	WRITE_BYTES = 65536, /* as many are written at once */
	OUT_MAX = 4 * WRITE_BYTES,
	/* The greatest line of the file: each byte may become four. */
	LINE_IN_FILE_MAX = 4 * PLAIN_TEXT_MAX + 256,
};

/* A part of an endless line is taken when a whole secret behind it would be in sight. */
_Static_assert(PLAIN_TEXT_MAX >= DEPLOY_LOG_LINE_MAX + 2 * MASK_MATCH_MAX,
	"a secret may stand across parts");

struct deploy_log {
	int fd;
	uint64_t size;
	uint64_t head_end, hole_end; /* what is left out; head_end 0: nothing yet */
	bool is_full; /* no holes here: what comes is left out */
	uint64_t lost; /* bytes, since the last that could be written */
	int why_lost; /* errno */
	struct plain_text text;
	char stage[STAGE_SIZE]; /* of the line in `text` */
	struct mask *mask;
	unsigned char marks[PLAIN_TEXT_MAX];
	struct buf out;
	char time[24];
	int64_t time_s; /* what `time` says */
};

/* Where the first line begins at or after `offset`; where there is none, what was left out, or the end. */
static uint64_t line_start(const struct deploy_log *l, uint64_t offset)
{
	_cleanup_(free_p) char *bytes = malloc(LINE_IN_FILE_MAX);
	uint64_t from = offset ? offset - 1 : 0;
	ssize_t n;

	if (!bytes)
		abort();
	n = pread(l->fd, bytes, LINE_IN_FILE_MAX, (off_t)from);
	for (ssize_t i = 0; i < n; i++) {
		if (bytes[i] == '\0')
			return from + (uint64_t)i;
		if (bytes[i] == '\n')
			return from + (uint64_t)i + 1;
	}
	return n > 0 ? from + (uint64_t)n : offset;
}

/* Makes the hole longer when the tail has become too long. */
static void leave_out(struct deploy_log *l)
{
	uint64_t kept = (uint64_t)DEPLOY_LOG_HEAD_BYTES + DEPLOY_LOG_TAIL_BYTES;
	uint64_t end;

	if (l->size < kept + DEPLOY_LOG_STEP_BYTES ||
		l->size - l->hole_end < (uint64_t)DEPLOY_LOG_TAIL_BYTES + DEPLOY_LOG_STEP_BYTES)
		return;
	if (!l->head_end)
		l->head_end = line_start(l, DEPLOY_LOG_HEAD_BYTES);
	end = line_start(l, l->size - DEPLOY_LOG_TAIL_BYTES);
	if (end <= l->head_end)
		return;
	if (fallocate(l->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)l->head_end,
		    (off_t)(end - l->head_end)) < 0)
		l->is_full = true;
	else
		l->hole_end = end;
}

/* False: some are lost. */
static bool write_bytes(struct deploy_log *l, const char *data, size_t n)
{
	while (n > 0) {
		ssize_t r = pwrite(l->fd, data, n, (off_t)l->size);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0) {
			l->lost += n;
			l->why_lost = errno;
			return false;
		}
		data += r;
		n -= (size_t)r;
		l->size += (uint64_t)r;
	}
	return true;
}

static void write_lost(struct deploy_log *l)
{
	char line[200];
	uint64_t lost = l->lost;

	(void)snprintf(line, sizeof(line),
		"\n%s agent | %" PRIu64 " bytes could not be stored: %s\n", l->time, lost,
		strerror(l->why_lost));
	if (write_bytes(l, line, strlen(line)))
		l->lost = 0;
	else
		l->lost = lost;
}

static void write_out(struct deploy_log *l)
{
	if (l->is_full)
		l->lost += l->out.len;
	else if (l->lost)
		write_lost(l);
	if (!l->is_full) {
		(void)write_bytes(l, buf_str(&l->out), l->out.len);
		leave_out(l);
	}
	buf_clear(&l->out);
}

static void add_byte_as_text(struct buf *b, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	const char text[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};

	buf_add(b, text, sizeof(text));
}

/* One character: as it is where it is text. Returns its length. */
static size_t add_character(struct buf *b, const char *at)
{
	size_t n = str_utf8_char(at);
	unsigned char c = (unsigned char)*at;
	/* The second set of control characters, which some terminals heed. */
	bool is_control = (n == 1 && (c < 0x20 || c == 0x7f) && c != '\t') ||
			  (n == 2 && c == 0xc2 && (unsigned char)at[1] < 0xa0);

	if (n > 0 && !is_control) {
		buf_add(b, at, n);
		return n;
	}
	n = n ? n : 1;
	for (size_t i = 0; i < n; i++)
		add_byte_as_text(b, (unsigned char)at[i]);
	return n;
}

/* How many of these bytes are plain text: nearly all of a log is, and goes in one piece. */
static size_t plain_run(const struct deploy_log *l, size_t from, size_t to)
{
	size_t i = from;

	while (i < to && !l->marks[i] && l->text.line[i] >= 0x20 && l->text.line[i] < 0x7f)
		i++;
	return i - from;
}

/* The first n bytes of what there is, as a line. */
static void add_line(struct deploy_log *l, size_t n, int64_t now_ms)
{
	if (now_ms / 1000 != l->time_s || !*l->time) {
		l->time_s = now_ms / 1000;
		clock_rfc3339(l->time, sizeof(l->time), (time_t)l->time_s);
	}
	buf_addf(&l->out, "%s %s | ", l->time, l->stage);
	for (size_t i = 0; i < n;) {
		size_t run = plain_run(l, i, n);

		if (run) {
			buf_add(&l->out, l->text.line + i, run);
			i += run;
			continue;
		}
		if (!l->marks[i]) {
			i += add_character(&l->out, l->text.line + i);
			continue;
		}
		buf_add(&l->out, "***", 3);
		while (i < n && l->marks[i])
			i++;
	}
	buf_addc(&l->out, '\n');
	plain_text_taken(&l->text, n);
	if (l->out.len >= WRITE_BYTES)
		write_out(l);
}

/* Where a line that is too long is cut: not within a secret, nor within a character. */
static size_t cut_at(const struct deploy_log *l)
{
	size_t n = DEPLOY_LOG_LINE_MAX;

	while (n < l->text.n && l->marks[n - 1] && l->marks[n])
		n++;
	if (n > DEPLOY_LOG_LINE_MAX)
		return n;
	while (n > DEPLOY_LOG_LINE_MAX - 4 && ((unsigned char)l->text.line[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static void find_secrets(struct deploy_log *l)
{
	memset(l->marks, 0, l->text.n);
	mask_find(l->mask, l->text.line, l->text.n, l->marks);
}

/* The line is whole: all of it, in parts if need be. */
static void end_line(struct deploy_log *l, int64_t now_ms)
{
	do {
		find_secrets(l);
		add_line(l, l->text.n > DEPLOY_LOG_LINE_MAX ? cut_at(l) : l->text.n, now_ms);
	} while (l->text.n > 0);
}

void deploy_log_add(
	struct deploy_log *l, const char *stage, const void *data, size_t n, int64_t now_ms)
{
	const char *bytes = data;

	if (strcmp(stage, l->stage) != 0) {
		deploy_log_flush(l, now_ms);
		(void)str_copy(l->stage, sizeof(l->stage), stage);
	}
	for (size_t i = 0; i < n; i++) {
		i += plain_text_add_run(&l->text, bytes + i, n - i - 1);
		switch (plain_text_add(&l->text, bytes[i])) {
		case PLAIN_TEXT_MORE:
			break;
		case PLAIN_TEXT_LINE:
			end_line(l, now_ms);
			break;
		case PLAIN_TEXT_FULL:
			find_secrets(l);
			add_line(l, cut_at(l), now_ms);
			break;
		}
	}
	write_out(l);
}

void deploy_log_flush(struct deploy_log *l, int64_t now_ms)
{
	l->text.state = PLAIN_TEXT;
	l->text.returned = false;
	if (l->text.n > 0)
		end_line(l, now_ms);
	write_out(l);
}

void deploy_log_say(struct deploy_log *l, const char *stage, const char *text, int64_t now_ms)
{
	deploy_log_flush(l, now_ms);
	deploy_log_add(l, stage, text, strlen(text), now_ms);
	deploy_log_flush(l, now_ms);
}

void deploy_log_hide(struct deploy_log *l, const char *secret)
{
	mask_add(l->mask, secret);
}

uint64_t deploy_log_size(const struct deploy_log *l)
{
	return l->size;
}

/* A crash may have left half a line. */
static void end_last_line(struct deploy_log *l)
{
	char last = '\n';

	if (l->size > 0 && pread(l->fd, &last, 1, (off_t)l->size - 1) == 1 && last != '\n')
		(void)write_bytes(l, "\n", 1);
}

void deploy_log_close(struct deploy_log *l)
{
	if (!l)
		return;
	deploy_log_flush(l, clock_wall_ms());
	if (l->is_full)
		write_lost(l);
	if (l->fd >= 0)
		(void)close(l->fd);
	mask_free(l->mask);
	explicit_bzero(l->text.line, sizeof(l->text.line));
	buf_done(&l->out);
	free(l);
}

int deploy_log_open(const char *path, struct deploy_log **out, struct err *e)
{
	_cleanup_(deploy_log_close_p) struct deploy_log *l = calloc(1, sizeof(*l));
	_cleanup_(free_p) char *folder = str_dup(path);
	char *slash = strrchr(folder, '/');
	struct stat st;
	int r = 0;

	if (!l)
		abort();
	l->fd = -1;
	l->mask = mask_new();
	buf_init(&l->out, OUT_MAX);
	if (slash && slash > folder) {
		*slash = '\0';
		r = fs_mkdirs(folder, 0700, e);
	}
	if (r < 0)
		return r;
	l->fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (l->fd < 0 || fstat(l->fd, &st) < 0)
		return err_sys(e, "log %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "log %s is not a regular file", path);
	l->size = (uint64_t)st.st_size;
	end_last_line(l);
	*out = TAKE_PTR(l);
	return 0;
}
