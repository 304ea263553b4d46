/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/limit.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

enum { NUMBER_MAX = 40 };

/* How a kind of number is called in a message. */
static const struct {
	const char *what, *example;
} expected[] = {
	[UNIT_NONE] = {"a number", "100"},
	[UNIT_PERCENT] = {"a percentage", "90"},
	[UNIT_BYTES] = {"a size", "5G"},
	[UNIT_BYTES_PER_SECOND] = {"a size per second", "10M"},
	[UNIT_PER_SECOND] = {"a number per second", "100"},
	[UNIT_SECONDS] = {"a duration", "5m"},
	[UNIT_CORES] = {"a number of cores", "1.5"},
	[UNIT_CELSIUS] = {"a temperature in degrees Celsius", "80"},
	[UNIT_BOOLEAN] = {"1 (yes) or 0 (no)", "0"},
};

struct suffix {
	const char *name;
	double factor;
};

static const struct suffix percents[] = {{"%", 1}, {NULL, 0}};
static const struct suffix rates[] = {{"/s", 1}, {NULL, 0}};
static const struct suffix temperatures[] = {{"C", 1}, {"°C", 1}, {NULL, 0}};
static const struct suffix cores[] = {{"core", 1}, {"cores", 1}, {NULL, 0}};
static const struct suffix durations[] = {{"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600},
	{"d", 86400}, {"w", 604800}, {"y", 31536000}, {NULL, 0}};
static const struct suffix plain[] = {{NULL, 0}};

static const struct suffix *suffixes_of(enum metric_unit unit)
{
	switch (unit) {
	case UNIT_PERCENT:
		return percents;
	case UNIT_PER_SECOND:
		return rates;
	case UNIT_SECONDS:
		return durations;
	case UNIT_CORES:
		return cores;
	case UNIT_CELSIUS:
		return temperatures;
	default:
		return plain;
	}
}

/* "", "k", "MB", "GiB" and, for rates, "/s" behind it. */
static bool size_factor(const char *s, bool per_second, double *out)
{
	static const char letters[] = "kmgt";
	const char *letter = *s ? strchr(letters, *s | 0x20) : NULL;

	*out = 1;
	if (letter) {
		*out = ldexp(1, 10 * (int)(letter - letters + 1));
		s++;
		if (s[0] == 'i' && s[1] == 'B')
			s++;
	}
	if (*s == 'B')
		s++;
	return !*s || (per_second && strcmp(s, "/s") == 0);
}

static bool find_factor(const char *s, enum metric_unit unit, double *out)
{
	if (unit == UNIT_BYTES || unit == UNIT_BYTES_PER_SECOND)
		return size_factor(s, unit == UNIT_BYTES_PER_SECOND, out);
	*out = 1;
	if (!*s)
		return true;
	for (const struct suffix *x = suffixes_of(unit); x->name; x++) {
		*out = x->factor;
		if (strcmp(x->name, s) == 0)
			return true;
	}
	return false;
}

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

static bool parse_number(const char *text, enum metric_unit unit, double *out)
{
	char number[NUMBER_MAX], suffix[NUMBER_MAX];
	const char *rest;
	double v, factor;
	size_t n;

	text = skip_blanks(text);
	n = strspn(text, "+-.0123456789");
	rest = skip_blanks(text + n);
	if (n >= sizeof(number) || !str_copy(suffix, sizeof(suffix), rest))
		return false;
	memcpy(number, text, n);
	number[n] = '\0';
	for (n = strlen(suffix); n && strchr(" \t", suffix[n - 1]); n--)
		suffix[n - 1] = '\0';
	if (str_to_double(number, &v, NULL) < 0 || !find_factor(suffix, unit, &factor))
		return false;
	v *= factor;
	if (!isfinite(v))
		return false;
	*out = v + 0.0; /* no negative zero */
	return true;
}

int limit_parse_value(const char *text, enum metric_unit unit, double *out, struct err *e)
{
	if (parse_number(text, unit, out))
		return 0;
	return err_set(e, EINVAL, "\"%.60s\" is not %s such as \"%s\"", text, expected[unit].what,
		expected[unit].example);
}

static enum limit_op parse_op(const char **text)
{
	const char *s = *text;
	bool above = *s == '>', equal;

	if (*s != '>' && *s != '<')
		return LIMIT_NONE;
	equal = s[1] == '=';
	s = skip_blanks(s + 1 + equal);
	*text = s;
	if (str_starts(s, "+-") || str_starts(s, "±")) {
		*text = s + 2; /* both are two bytes */
		return above ? LIMIT_BEYOND : LIMIT_WITHIN;
	}
	if (above)
		return equal ? LIMIT_AT_LEAST : LIMIT_ABOVE;
	return equal ? LIMIT_AT_MOST : LIMIT_BELOW;
}

int limit_parse(const char *text, enum metric_unit unit, struct limit *out, struct err *e)
{
	const char *s = skip_blanks(text);
	struct limit l = {LIMIT_NONE, 0};

	if (!*s) {
		*out = l;
		return 0;
	}
	l.op = parse_op(&s);
	if (l.op == LIMIT_NONE || !parse_number(s, unit, &l.value))
		return err_set(e, EINVAL,
			"\"%.60s\" is not a limit: expected >, >=, < or <= and %s, such as \"> "
			"%s\"",
			text, expected[unit].what, expected[unit].example);
	if ((l.op == LIMIT_BEYOND || l.op == LIMIT_WITHIN) && l.value < 0)
		return err_set(e, EINVAL, "\"%.60s\": expected no sign behind +-", text);
	*out = l;
	return 0;
}

bool limit_is_upwards(const struct limit *l)
{
	return l->op == LIMIT_ABOVE || l->op == LIMIT_AT_LEAST || l->op == LIMIT_BEYOND;
}

struct limit limit_opposite(const struct limit *l)
{
	static const enum limit_op opposites[] = {
		[LIMIT_NONE] = LIMIT_NONE,
		[LIMIT_ABOVE] = LIMIT_AT_MOST,
		[LIMIT_AT_LEAST] = LIMIT_BELOW,
		[LIMIT_BELOW] = LIMIT_AT_LEAST,
		[LIMIT_AT_MOST] = LIMIT_ABOVE,
		[LIMIT_BEYOND] = LIMIT_WITHIN,
		[LIMIT_WITHIN] = LIMIT_BEYOND,
	};

	return (struct limit){opposites[l->op], l->value};
}

/* With a point: no zeros at the end. */
static void trim(char *text)
{
	size_t n = strlen(text);

	if (!strchr(text, '.'))
		return;
	while (text[n - 1] == '0')
		n--;
	if (text[n - 1] == '.')
		n--;
	text[n] = '\0';
}

/* `exact`: a limit is shown as it was written. */
static void print_number(char *to, size_t size, double v, bool exact)
{
	double a = fabs(v);

	if (exact || a >= 1e15) {
		(void)snprintf(to, size, "%.10g", v);
	} else if (a < 1) {
		(void)snprintf(to, size, "%.3g", v);
	} else {
		(void)snprintf(to, size, "%.*f", a >= 100 ? 0 : a >= 10 ? 1 : 2, v);
		trim(to);
	}
}

static void print_bytes(char *to, size_t size, double v, bool exact, const char *behind)
{
	static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	char number[NUMBER_MAX];
	size_t i = 0;

	for (; fabs(v) >= 1023.5 && i + 1 < sizeof(names) / sizeof(*names); i++)
		v /= 1024;
	print_number(number, sizeof(number), v, exact);
	(void)snprintf(to, size, "%s %s%s", number, names[i], behind);
}

/* "90m", "24h", "3d": a limit in the greatest unit that says it exactly. */
static bool print_round_duration(char *to, size_t size, double s)
{
	static const struct {
		const char *name;
		double seconds, least;
	} units[] = {{"d", 86400, 2}, {"h", 3600, 1}, {"m", 60, 1}};

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		double n = s / units[i].seconds;

		if (n < units[i].least || n > 1e6 || fmod(s, units[i].seconds) != 0)
			continue;
		(void)snprintf(to, size, "%.0f%s", n, units[i].name);
		return true;
	}
	return false;
}

static void print_duration(char *to, size_t size, double v, bool exact)
{
	char number[NUMBER_MAX];
	double s = fabs(v);
	const char *sign = v < 0 ? "-" : "";

	if (exact && print_round_duration(number, sizeof(number), s))
		(void)snprintf(to, size, "%s%s", sign, number);
	else if (s >= 60) {
		str_human_duration(number, sizeof(number), s < 1e15 ? (int64_t)s : INT64_MAX);
		(void)snprintf(to, size, "%s%s", sign, number);
	} else {
		bool small = s > 0 && s < 1;

		print_number(number, sizeof(number), small ? s * 1000 : s, exact);
		(void)snprintf(to, size, "%s%s%s", sign, number, small ? "ms" : "s");
	}
}

static void print_finite(char *to, size_t size, double v, enum metric_unit unit, bool exact)
{
	static const char *const behind[] = {
		[UNIT_NONE] = "",
		[UNIT_PERCENT] = " %",
		[UNIT_PER_SECOND] = "/s",
		[UNIT_CORES] = " cores",
		[UNIT_CELSIUS] = " °C",
	};
	char number[NUMBER_MAX];

	switch (unit) {
	case UNIT_BYTES:
		print_bytes(to, size, v, exact, "");
		break;
	case UNIT_BYTES_PER_SECOND:
		print_bytes(to, size, v, exact, "/s");
		break;
	case UNIT_SECONDS:
		print_duration(to, size, v, exact);
		break;
	case UNIT_BOOLEAN:
		(void)snprintf(to, size, "%s", v > 0.5 ? "yes" : "no");
		break;
	default:
		print_number(number, sizeof(number), v, exact);
		(void)snprintf(to, size, "%s%s", number, behind[unit]);
	}
}

void limit_print_value(char *to, size_t size, double v, enum metric_unit unit)
{
	if (isnan(v))
		(void)str_copy(to, size, "unknown");
	else if (isinf(v))
		(void)str_copy(to, size, unit == UNIT_SECONDS ? "never" : "infinite");
	else
		print_finite(to, size, v, unit, false);
}

void limit_print(char *to, size_t size, const struct limit *l, enum metric_unit unit)
{
	static const char *const words[] = {
		[LIMIT_NONE] = "",
		[LIMIT_ABOVE] = "above ",
		[LIMIT_AT_LEAST] = "at least ",
		[LIMIT_BELOW] = "below ",
		[LIMIT_AT_MOST] = "at most ",
		[LIMIT_BEYOND] = "beyond ±",
		[LIMIT_WITHIN] = "within ±",
	};
	char value[LIMIT_TEXT_MAX];

	if (l->op == LIMIT_NONE) {
		(void)str_copy(to, size, "");
		return;
	}
	/* "> 0" and "< 1" of a yes or no. */
	if (unit == UNIT_BOOLEAN) {
		(void)str_copy(to, size, limit_holds(l, 1) ? "yes" : "no");
		return;
	}
	print_finite(value, sizeof(value), l->value, unit, true);
	(void)snprintf(to, size, "%s%s", words[l->op], value);
}
