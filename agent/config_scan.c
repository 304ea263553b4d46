/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config_scan.h"

#include <errno.h>
#include <string.h>

static char closing(char bracket)
{
	return bracket == '{' ? '}' : bracket == '[' ? ']' : ')';
}

static int open_bracket(struct config_scan *s, char c, unsigned line, struct err *e)
{
	if (s->depth == CONFIG_SCAN_DEPTH)
		return err_set(e, EINVAL, "groups are nested deeper than %d", CONFIG_SCAN_DEPTH);
	s->open[s->depth].bracket = c;
	s->open[s->depth++].line = line;
	return 0;
}

static int close_bracket(struct config_scan *s, char c, struct err *e)
{
	char opened;

	if (s->depth == 0)
		return err_set(e, EINVAL, "'%c' closes nothing", c);
	opened = s->open[s->depth - 1].bracket;
	if (closing(opened) != c)
		return err_set(e, EINVAL, "'%c' where '%c' was expected", c, closing(opened));
	s->depth--;
	return 0;
}

/* Whether a string may stand here. libconfig forgets to free one that may not. */
static bool takes_string(const struct config_scan *s)
{
	char inside = '{';

	if (s->depth)
		inside = s->open[s->depth - 1].bracket;
	if (s->last == '=' || s->last == ':' || s->last == '"')
		return true;
	return inside != '{' && s->last && strchr("[(,", s->last);
}

/* One character of code; *skip becomes how many more belong to it. */
static int scan_code(struct config_scan *s, const char *p, const char *end, unsigned line,
	size_t *skip, struct err *e)
{
	char next = '\0';

	if (p + 1 < end)
		next = p[1];
	if (*p == '#' || (*p == '/' && next == '/')) {
		*skip = (size_t)(end - p) - 1;
	} else if (*p == '/' && next == '*') {
		s->state = SCAN_COMMENT;
		s->comment_line = line;
		*skip = 1;
	} else if (*p == '"') {
		s->state = SCAN_STRING;
		if (!takes_string(s))
			return err_set(e, EINVAL,
				"a string is not expected here; is there a '=' or ',' missing?");
	} else if (strchr("{[(", *p)) {
		return open_bracket(s, *p, line, e);
	} else if (strchr("}])", *p)) {
		return close_bracket(s, *p, e);
	} else if (*p == '=' || *p == ':') {
		s->n_settings++;
	}
	return 0;
}

int config_scan_line(
	struct config_scan *s, const char *text, size_t n, unsigned line, struct err *e)
{
	const char *end = text + n;

	for (const char *p = text; p < end; p++) {
		size_t skip = 0;
		int r = 0;

		if (*p == '\0')
			return err_set(e, EINVAL, "a NUL byte; this is not a text file");
		if (s->state == SCAN_CODE) {
			r = scan_code(s, p, end, line, &skip, e);
			if (s->state != SCAN_COMMENT && !strchr("#/ \t\r\f", *p))
				s->last = *p;
		} else if (s->state == SCAN_STRING) {
			if (*p == '"')
				s->state = SCAN_CODE;
			skip = *p == '\\' && p + 1 < end;
		} else if (*p == '*' && p + 1 < end && p[1] == '/') {
			s->state = SCAN_CODE;
			skip = 1;
		}
		if (r < 0)
			return r;
		p += skip;
	}
	if (s->state == SCAN_STRING)
		return err_set(e, EINVAL, "a string is not closed in its line");
	return 0;
}

int config_scan_end(const struct config_scan *s, unsigned *line, struct err *e)
{
	if (s->state == SCAN_COMMENT) {
		*line = s->comment_line;
		return err_set(e, EINVAL, "the comment that begins here is never closed");
	}
	if (s->depth) {
		char bracket = s->open[s->depth - 1].bracket;

		*line = s->open[s->depth - 1].line;
		return err_set(e, EINVAL, "the '%c' opened here is never closed; expected '%c'",
			bracket, closing(bracket));
	}
	return 0;
}
