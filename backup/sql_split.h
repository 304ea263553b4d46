/* SPDX-License-Identifier: Apache-2.0
 *
 * Cuts a script into statements at the semicolons that are none of a text's, a name's or a comment's. Only for small scripts that
 * are held whole: roles and users. Pure.
 */
#ifndef BACKUP_SQL_SPLIT_H
#define BACKUP_SQL_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

enum sql_dialect {
	SQL_POSTGRESQL, /* "" around names, '' in texts, E'..' with backslashes, $$..$$; lines of psql that begin with a backslash are
			   statements of their own */
	SQL_MYSQL, /* `` around names, backslashes in texts */
};

struct sql_script {
	const char *at, *end;
	enum sql_dialect dialect;
};

/* The next statement without leading blanks and comments, with its semicolon; not NUL-terminated. False at the end, where a
 * statement without semicolon counts too. */
bool sql_next(struct sql_script *s, const char **text, size_t *len);

/* Whether `text` begins with these words, in capitals and with one space between; *rest is what follows, blanks skipped. Words
 * themselves may have any case and space in the text. */
bool sql_begins(const char *text, size_t len, const char *words, const char **rest);
/* Reads a name at *text (before `end`), quoted or not, and moves behind it. False when there is none or it is too long. */
bool sql_name(const char **text, const char *end, char quote, char *to, size_t size);

#endif
