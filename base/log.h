/* SPDX-License-Identifier: Apache-2.0
 *
 * Log lines on stderr. When stderr is the journal (JOURNAL_STREAM) each line starts with its
 * priority in the form of sd-daemon(3), "<4>"; on a terminal or in a file it starts with the local
 * time and the level. Only main, the daemon, the commands and state machines log; everything below
 * returns errors. Newlines and control characters in a message are written as '?': one call is one
 * line.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

/* The numbers are those of syslog(3). */
enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/* `who` (static storage) is put before each message, such as "web"; NULL for none. Level
 * default: info. */
void log_init(enum log_level max_level, const char *who);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
