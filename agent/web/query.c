/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/query.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes in place; the result is never longer. Only in a query '+' is a space. */
static int decode(char *s, char plus, const char *what, struct err *e)
{
	char *to = s;

	for (; *s; s++) {
		int high, low;

		if (*s != '%') {
			*to++ = *s == '+' ? plus : *s;
			continue;
		}
		high = hex_digit(s[1]);
		low = high < 0 ? -1 : hex_digit(s[2]);
		if (low < 0)
			return err_set(e, EINVAL, "the %s has a broken %% escape", what);
		if (high == 0 && low == 0)
			return err_set(e, EINVAL, "the %s has a NUL byte", what);
		*to++ = (char)(high << 4 | low);
		s += 2;
	}
	*to = '\0';
	return 0;
}

static bool is_utf8(const char *s)
{
	while (*s) {
		size_t n = str_utf8_char(s);

		if (n == 0)
			return false;
		s += n;
	}
	return true;
}

static int decode_param(char *piece, struct query_param *out, struct err *e)
{
	char *value = strchr(piece, '=');
	int r;

	if (value)
		*value++ = '\0';
	else
		value = piece + strlen(piece);
	r = decode(piece, ' ', "query", e);
	if (r == 0)
		r = decode(value, ' ', "query", e);
	if (r == 0 && (!is_utf8(piece) || !is_utf8(value)))
		r = err_set(e, EINVAL, "the query is not UTF-8");
	*out = (struct query_param){piece, value};
	return r;
}

int query_decode_segment(const char *text, size_t len, char **out, struct err *e)
{
	char *s = str_ndup(text, len);
	int r = decode(s, '+', "path", e);

	if (r == 0 && !is_utf8(s))
		r = err_set(e, EINVAL, "the path is not UTF-8");
	if (r < 0)
		free(s);
	else
		*out = s;
	return r;
}

static size_t count_pieces(const char *text)
{
	size_t n = 1;

	for (; *text; text++)
		n += *text == '&';
	return n;
}

int query_parse(const char *text, struct query *out, struct err *e)
{
	struct query q = {NULL, 0, NULL};
	char *rest, *piece;
	size_t most = count_pieces(text);
	int r = 0;

	if (most > QUERY_PARAMS_MAX)
		return err_set(e, E2BIG, "the query has more than %d parameters", QUERY_PARAMS_MAX);
	q.params = calloc(most, sizeof(*q.params));
	if (!q.params)
		abort();
	rest = q.text = str_dup(text);
	while (r == 0 && (piece = strsep(&rest, "&")))
		if (*piece)
			r = decode_param(piece, &q.params[q.n++], e);
	if (r < 0)
		query_done(&q);
	else
		*out = q;
	return r;
}

void query_done(struct query *q)
{
	free(q->params);
	free(q->text);
	*q = (struct query){NULL, 0, NULL};
}

const char *query_next(const struct query *q, const char *name, size_t *at)
{
	while (*at < q->n) {
		const struct query_param *p = &q->params[(*at)++];

		if (strcmp(p->name, name) == 0)
			return p->value;
	}
	return NULL;
}

const char *query_get(const struct query *q, const char *name)
{
	size_t at = 0;

	return query_next(q, name, &at);
}

int query_i64(const struct query *q, const char *name, int64_t otherwise, int64_t min, int64_t max,
	int64_t *out, struct err *e)
{
	const char *text = query_get(q, name);
	int64_t v = otherwise;

	if (text && (str_to_i64(text, &v, NULL) < 0 || v < min || v > max))
		return err_set(e, EINVAL, "%s must be a whole number from %" PRId64 " to %" PRId64,
			name, min, max);
	*out = v;
	return 0;
}
