/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_line.h"

#include <string.h>
#include <time.h>

#include "agent/term.h"

enum { STAMP = 20 }; /* "2026-11-21T03:00:00Z" */

/* The number of `n` digits; -1 when they are none. */
static int digits(const char *s, size_t n)
{
	int value = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		value = value * 10 + s[i] - '0';
	}
	return value;
}

/* 0: it is no time. */
static int64_t stamp(const char *s)
{
	static const char like[] = "0000-00-00T00:00:00Z";
	struct tm t = {0};

	for (size_t i = 0; i < STAMP; i++)
		if (like[i] == '0' ? s[i] < '0' || s[i] > '9' : s[i] != like[i])
			return 0;
	t.tm_year = digits(s, 4) - 1900;
	t.tm_mon = digits(s + 5, 2) - 1;
	t.tm_mday = digits(s + 8, 2);
	t.tm_hour = digits(s + 11, 2);
	t.tm_min = digits(s + 14, 2);
	t.tm_sec = digits(s + 17, 2);
	return timegm(&t);
}

/* How many bytes "2026-11-21T03:00:00Z build | " takes; 0 when the line does not begin like that. */
static size_t take_head(const char *line, size_t n, struct deploy_line *out)
{
	const char *bar = memmem(line, n, " | ", 3);
	size_t len;

	if (!bar || bar - line <= STAMP || !(out->time_s = stamp(line)) || line[STAMP] != ' ')
		return 0;
	len = (size_t)(bar - line) - STAMP - 1;
	if (len >= sizeof(out->stage)) {
		out->time_s = 0;
		return 0;
	}
	memcpy(out->stage, line + STAMP + 1, len);
	out->stage[len] = '\0';
	return (size_t)(bar - line) + 3;
}

const char *deploy_line_next(const char *text, struct deploy_line *out)
{
	size_t n = strcspn(text, "\n"), head, len;

	if (!*text)
		return NULL;
	out->time_s = 0;
	*out->stage = '\0';
	head = take_head(text, n, out);
	len = n - head < sizeof(out->text) ? n - head : sizeof(out->text) - 1;
	memcpy(out->text, text + head, len);
	out->text[len] = '\0';
	return text + n + (text[n] == '\n');
}

/* "" when it is not known. */
static void local_time(char *to, size_t size, int64_t time_s, int64_t now_s)
{
	time_t t = (time_t)time_s, now = (time_t)now_s;
	struct tm tm = {0}, today = {0};
	bool is_today;

	*to = '\0';
	if (!time_s || !localtime_r(&t, &tm) || !localtime_r(&now, &today))
		return;
	is_today = tm.tm_yday == today.tm_yday && tm.tm_year == today.tm_year;
	if (strftime(to, size, is_today ? "%H:%M:%S " : "%Y-%m-%d %H:%M:%S ", &tm) == 0)
		*to = '\0';
}

static void add_json(const struct deploy_line *line, struct buf *out)
{
	time_t t = (time_t)line->time_s;
	struct tm tm;
	char text[32];

	buf_addc(out, '{');
	if (t && gmtime_r(&t, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		buf_addf(out, "\"time\":\"%s\",", text);
	buf_adds(out, "\"stage\":");
	buf_add_json_string(out, line->stage);
	buf_adds(out, ",\"text\":");
	buf_add_json_string(out, line->text);
	buf_adds(out, "}\n");
}

void deploy_line_print(const char *text, bool json, int64_t now_s, struct buf *out)
{
	struct deploy_line line;
	char at[32];

	while ((text = deploy_line_next(text, &line))) {
		if (json) {
			add_json(&line, out);
			continue;
		}
		local_time(at, sizeof(at), line.time_s, now_s);
		buf_adds(out, at);
		if (*line.stage) {
			term_add(out, line.stage, 0);
			buf_adds(out, " | ");
		}
		term_add(out, line.text, 0);
		buf_addc(out, '\n');
	}
}
