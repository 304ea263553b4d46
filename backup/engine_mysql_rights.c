/* SPDX-License-Identifier: Apache-2.0
 *
 * What SHOW GRANTS answers: lines like
 *   GRANT SELECT, TRIGGER ON `shop`.* TO `backup`@`localhost`
 * where the database is a pattern with % and _, and a backslash in front of those that are meant.
 */
#include <string.h>

#include "backup/engine_mysql.h"
#include "backup/sql_split.h"
#include "base/cleanup.h"

/* Each is a bit of a set. */
static const char *const needed[] = {"SELECT", "SHOW VIEW", "TRIGGER", "EVENT"};
enum {
	RIGHTS_NEEDED = (1 << ARRAY_LEN(needed)) - 1,
	RIGHT_ROUTINES = 1 << 8, /* sees procedures and functions of others */
	RIGHTS_ALL = RIGHTS_NEEDED | RIGHT_ROUTINES,
};

static bool is_like(const char *pattern, const char *text)
{
	for (; *pattern; pattern++, text++) {
		if (*pattern == '%') {
			while (*text && !is_like(pattern + 1, text))
				text++;
			return is_like(pattern + 1, text);
		}
		if (*pattern == '\\' && pattern[1])
			pattern++;
		else if (*pattern == '_' && *text)
			continue;
		if (*pattern != *text)
			return false;
	}
	return *text == '\0';
}

/* `p`: what stands behind ON. */
static bool is_scope(const char *p, const char *end, const char *database, bool *everywhere)
{
	char pattern[2 * MYSQL_NAME_MAX];

	*everywhere = end - p >= 4 && memcmp(p, "*.* ", 4) == 0;
	if (*everywhere)
		return true;
	return sql_name(&p, end, '`', pattern, sizeof(pattern)) && end - p >= 3 &&
	       memcmp(p, ".* ", 3) == 0 && is_like(pattern, database);
}

static bool is_item(const char *p, const char *end, const char *name)
{
	size_t n = strlen(name);

	while (p < end && *p == ' ')
		p++;
	return (size_t)(end - p) == n && memcmp(p, name, n) == 0;
}

/* "SELECT, SHOW VIEW, TRIGGER" */
static int rights_in(const char *p, const char *end, bool everywhere)
{
	int rights = 0;

	while (p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		const char *stop = comma ? comma : end;

		if (is_item(p, stop, "ALL PRIVILEGES"))
			rights |= RIGHTS_ALL;
		if (is_item(p, stop, "SHOW_ROUTINE") || is_item(p, stop, "SHOW CREATE ROUTINE") ||
			(everywhere && is_item(p, stop, "SELECT")))
			rights |= RIGHT_ROUTINES;
		for (size_t i = 0; i < ARRAY_LEN(needed); i++)
			if (is_item(p, stop, needed[i]))
				rights |= 1 << i;
		p = comma ? comma + 1 : end;
	}
	return rights;
}

static int rights_of_line(const char *line, size_t len, const char *database)
{
	const char *rest, *on, *end = line + len;
	bool everywhere;

	if (!sql_begins(line, len, "GRANT", &rest))
		return 0;
	on = memmem(rest, (size_t)(end - rest), " ON ", 4);
	if (!on || !is_scope(on + 4, end, database, &everywhere))
		return 0;
	return rights_in(rest, on, everywhere);
}

void mysql_missing_rights(
	const char *grants, const char *database, struct buf *missing, bool *routines)
{
	int have = 0;

	while (*grants) {
		size_t len = strcspn(grants, "\n");

		have |= rights_of_line(grants, len, database);
		grants += len + (grants[len] == '\n');
	}
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (!(have & 1 << i))
			buf_addf(missing, "%s%s", missing->len ? ", " : "", needed[i]);
	*routines = have & RIGHT_ROUTINES;
}
