/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct {
	enum log_level max;
	const char *who;
	bool journal;
} log_state = {LOG_LEVEL_INFO, NULL, false};

/* The variable names the journal's socket as DEVICE:INODE; a terminal started from a service
 * inherits it, but has another stderr (systemd.exec(5)). */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char ours[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	(void)snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, ours) == 0;
}

void log_init(enum log_level max_level, const char *who)
{
	log_state.max = max_level;
	log_state.who = who;
	log_state.journal = stderr_is_journal();
}

static const char *level_name(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "error";
	case LOG_LEVEL_WARNING:
		return "warning";
	case LOG_LEVEL_INFO:
		return "info";
	case LOG_LEVEL_DEBUG:
		return "debug";
	}
	return "?";
}

static size_t put_prefix(char *line, size_t size, enum log_level level)
{
	char when[32] = "";
	time_t now = time(NULL);
	struct tm tm;
	int n;

	if (log_state.journal) {
		n = snprintf(line, size, "<%d>", (int)level);
	} else {
		if (localtime_r(&now, &tm))
			(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
		n = snprintf(line, size, "%s %-7s ", when, level_name(level));
	}
	if (log_state.who)
		n += snprintf(line + n, size - (size_t)n, "%s: ", log_state.who);
	return (size_t)n;
}

__attribute__((format(printf, 2, 0))) static void log_write(
	enum log_level level, const char *fmt, va_list ap)
{
	char line[2048];
	size_t start, n;
	int r;

	if (level > log_state.max)
		return;
	start = n = put_prefix(line, sizeof(line) / 2, level);
	r = vsnprintf(line + n, sizeof(line) - n - 1, fmt, ap);
	if (r < 0)
		return;
	n += (size_t)r < sizeof(line) - n - 1 ? (size_t)r : sizeof(line) - n - 2;
	for (size_t i = start; i < n; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0)
		return; /* there is nowhere left to say so */
}

#define DEFINE_LOG(name, level)                                                                    \
	void name(const char *fmt, ...)                                                            \
	{                                                                                          \
		va_list ap;                                                                        \
                                                                                                   \
		va_start(ap, fmt);                                                                 \
		log_write(level, fmt, ap);                                                         \
		va_end(ap);                                                                        \
	}

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warning, LOG_LEVEL_WARNING)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)
