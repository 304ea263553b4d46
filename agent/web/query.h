/* SPDX-License-Identifier: Apache-2.0
 *
 * The query of a URL: "a=1&b=%2Fvar&a=2" as a list of names and values. Pure. Follows the URL
 * standard's application/x-www-form-urlencoded (https://url.spec.whatwg.org/#urlencoded-parsing):
 * '+' is a space, %XX a byte, names may repeat, empty pieces are skipped, "a" is "a=". Stricter
 * than it in one way: broken escapes, NUL and text that is not UTF-8 are refused.
 */
#ifndef AGENT_WEB_QUERY_H
#define AGENT_WEB_QUERY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Enough for 200 entities and 30 metrics of /api/v1/series. */
enum { QUERY_PARAMS_MAX = 300 };

struct query_param {
	const char *name;
	const char *value;
};

struct query {
	struct query_param *params;
	size_t n;
	char *text; /* what the parameters point into */
};

/* -EINVAL for a broken escape, NUL or UTF-8; -E2BIG for too many parameters. `out` is to be
 * freed by query_done() after success. */
int query_parse(const char *text, struct query *out, struct err *e);
/* Zeroed memory is an empty query. */
void query_done(struct query *q);

/* The first value of that name, or NULL. */
const char *query_get(const struct query *q, const char *name);
/* Walks the values of a name: start with *at = 0; NULL at the end. */
const char *query_next(const struct query *q, const char *name, size_t *at);

/* A segment of a path, `len` bytes as sent: the decoded text, owned by the caller. '+' is no space
 * here. -EINVAL as above. */
int query_decode_segment(const char *text, size_t len, char **out, struct err *e);

/* A whole number between min and max; `otherwise` when the parameter is absent. -EINVAL with a
 * message that names the parameter and its range. */
int query_i64(const struct query *q, const char *name, int64_t otherwise, int64_t min, int64_t max,
	int64_t *out, struct err *e);

#endif
