/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <assert.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool str_copy(char *to, size_t size, const char *from)
{
	size_t n = strlen(from);

	assert(size > 0);
	if (n < size) {
		memcpy(to, from, n + 1);
		return true;
	}
	n = size - 1;
	while (n > 0 && ((unsigned char)from[n] & 0xc0) == 0x80)
		n--;
	memcpy(to, from, n);
	to[n] = '\0';
	return false;
}

char *str_dup(const char *s)
{
	return s ? str_ndup(s, strlen(s)) : NULL;
}

char *str_ndup(const char *s, size_t n)
{
	char *p = malloc(n + 1);

	if (!p)
		abort();
	memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *str_format(const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&p, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	return p;
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

size_t str_utf8_char(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n;
	uint32_t c;

	if (p[0] == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		n = 2;
		c = p[0] & 0x1fU;
	} else if ((p[0] & 0xf0) == 0xe0) {
		n = 3;
		c = p[0] & 0x0fU;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		n = 4;
		c = p[0] & 0x07U;
	} else {
		return 0;
	}
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fU);
	}
	if ((n == 3 && c < 0x800) || (n == 4 && c < 0x10000) || c > 0x10ffff)
		return 0;
	return c >= 0xd800 && c <= 0xdfff ? 0 : n;
}

/* Digits at the start of s; *end is where they stop. */
static int take_u64(const char *s, const char **end, uint64_t *out)
{
	uint64_t v = 0;
	const char *p = s;

	for (; *p >= '0' && *p <= '9'; p++) {
		uint64_t d = (uint64_t)(*p - '0');

		if (v > (UINT64_MAX - d) / 10)
			return -ERANGE;
		v = v * 10 + d;
	}
	if (p == s)
		return -EINVAL;
	*end = p;
	*out = v;
	return 0;
}

/* Digits that fill `digits`, which ends `whole`, a number as it was written. */
static int to_u64(const char *digits, const char *whole, uint64_t *out, struct err *e)
{
	const char *end;
	uint64_t v;
	int r = take_u64(digits, &end, &v);

	if (r == -ERANGE)
		return err_set(e, ERANGE, "\"%s\" is too large", whole);
	if (r < 0 || *end)
		return err_set(e, EINVAL, "\"%s\" is not a whole number", whole);
	*out = v;
	return 0;
}

int str_to_u64(const char *s, uint64_t *out, struct err *e)
{
	return to_u64(s, s, out, e);
}

int str_to_i64(const char *s, int64_t *out, struct err *e)
{
	bool negative = *s == '-';
	uint64_t v;
	int r = to_u64(s + negative, s, &v, e);

	if (r < 0)
		return r;
	if (v > (uint64_t)INT64_MAX + negative)
		return err_set(e, ERANGE, "\"%s\" is too %s", s, negative ? "small" : "large");
	/* The least number has no positive counterpart. */
	*out = negative ? -(int64_t)(v / 2) - (int64_t)(v - v / 2) : (int64_t)v;
	return 0;
}

int str_to_double(const char *s, double *out, struct err *e)
{
	char *end;
	double v;

	/* strtod alone would take hexadecimal, "inf" and leading spaces. */
	if (!*s || strspn(s, "+-.0123456789eE") != strlen(s))
		return err_set(e, EINVAL, "\"%s\" is not a number", s);
	errno = 0;
	v = strtod(s, &end);
	if (end == s || *end)
		return err_set(e, EINVAL, "\"%s\" is not a number", s);
	if (errno == ERANGE || !isfinite(v))
		return err_set(e, ERANGE, "\"%s\" is out of range", s);
	*out = v;
	return 0;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit duration_units[] = {{"y", 31536000000}, {"w", 604800000}, {"d", 86400000},
	{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

int str_to_duration_ms(const char *s, int64_t *out_ms, struct err *e)
{
	const char *unit;
	uint64_t v;

	if (take_u64(s, &unit, &v) < 0)
		return err_set(e, EINVAL,
			"\"%s\" is not a duration such as \"20s\", \"5m\", \"12h\", \"2d\"", s);
	if (v == 0 && !*unit) {
		*out_ms = 0;
		return 0;
	}
	for (size_t i = 0; i < sizeof(duration_units) / sizeof(*duration_units); i++) {
		if (strcmp(unit, duration_units[i].name) != 0)
			continue;
		if (v > (uint64_t)INT64_MAX / duration_units[i].factor)
			return err_set(e, ERANGE, "\"%s\" is too long", s);
		*out_ms = (int64_t)(v * duration_units[i].factor);
		return 0;
	}
	return err_set(
		e, EINVAL, "\"%s\" is not a duration such as \"20s\", \"5m\", \"12h\", \"2d\"", s);
}

int str_to_size_bytes(const char *s, uint64_t *out_bytes, struct err *e)
{
	static const char letters[] = "kmgt";
	const char *unit;
	const char *letter = NULL;
	uint64_t v;
	unsigned shift = 0;

	if (take_u64(s, &unit, &v) < 0)
		goto bad;
	if (*unit && *unit != 'B') {
		letter = strchr(letters, *unit | 0x20);
		if (!letter)
			goto bad;
		shift = 10U * (unsigned)(letter - letters + 1);
		unit++;
		if (*unit == 'i' && unit[1] == 'B')
			unit++;
	}
	if (*unit == 'B')
		unit++;
	if (*unit)
		goto bad;
	if (v > UINT64_MAX >> shift)
		return err_set(e, ERANGE, "\"%s\" is too large", s);
	*out_bytes = v << shift;
	return 0;
bad:
	return err_set(e, EINVAL, "\"%s\" is not a size such as \"512k\", \"10M\", \"2G\"", s);
}

void str_from_duration_ms(char *to, size_t size, int64_t ms)
{
	uint64_t v = (uint64_t)(ms < 0 ? 0 : ms);

	for (size_t i = 0; i < sizeof(duration_units) / sizeof(*duration_units); i++) {
		const struct unit *u = &duration_units[i];

		if (v && v % u->factor == 0) {
			(void)snprintf(to, size, "%" PRIu64 "%s", v / u->factor, u->name);
			return;
		}
	}
	(void)snprintf(to, size, "0s");
}

void str_human_bytes(char *to, size_t size, double bytes)
{
	static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	size_t i = 0;

	while (fabs(bytes) >= 1023.5 && i + 1 < sizeof(names) / sizeof(*names)) {
		bytes /= 1024;
		i++;
	}
	(void)snprintf(
		to, size, i > 0 && fabs(bytes) < 9.95 ? "%.1f %s" : "%.0f %s", bytes, names[i]);
}

void str_human_duration(char *to, size_t size, int64_t s)
{
	if (s < 0)
		s = 0;
	if (s >= 86400)
		(void)snprintf(to, size, "%" PRId64 "d %" PRId64 "h", s / 86400, s % 86400 / 3600);
	else if (s >= 3600)
		(void)snprintf(to, size, "%" PRId64 "h %" PRId64 "m", s / 3600, s % 3600 / 60);
	else if (s >= 60)
		(void)snprintf(to, size, "%" PRId64 "m %" PRId64 "s", s / 60, s % 60);
	else
		(void)snprintf(to, size, "%" PRId64 "s", s);
}

bool str_matches_any(const char *const *patterns, size_t n, const char *s, bool otherwise)
{
	for (size_t i = 0; i < n; i++) {
		bool negative = patterns[i][0] == '!';

		if (fnmatch(patterns[i] + negative, s, 0) == 0)
			return !negative;
	}
	return otherwise;
}

size_t str_distance(const char *a, const char *b)
{
	size_t row[64];
	size_t n = strlen(a), m = strlen(b);

	if (n > 63 || m > 63)
		return SIZE_MAX;
	for (size_t j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t best = corner + (a[i - 1] != b[j - 1]);

			corner = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[m];
}
