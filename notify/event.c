/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/event.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static const char cut_mark[] = "…";
static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* C0, DEL, and C1 (U+0080 to U+009F). */
static bool is_control(const char *s, size_t n)
{
	unsigned char c = (unsigned char)s[0];

	return (n == 1 && (c < 0x20 || c == 0x7f)) ||
	       (n == 2 && c == 0xc2 && (unsigned char)s[1] < 0xa0);
}

/* One character of the input as it may stay: *out, *n bytes of it. Returns how many were read. */
static size_t clean_char(const char *s, bool lines, const char **out, size_t *n)
{
	size_t len = str_utf8_char(s);

	if (len == 0) {
		*out = replacement;
		*n = sizeof(replacement) - 1;
		return 1;
	}
	*out = s;
	*n = len;
	if (!is_control(s, len))
		return len;
	*n = 1;
	*out = lines && (*s == '\n' || *s == '\r') ? "\n" : " ";
	return s[0] == '\r' && s[1] == '\n' ? 2 : len;
}

/* A new text of at most max bytes, valid UTF-8. `lines`: line ends stay, as "\n". */
static char *clean(const char *s, size_t max, bool lines)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(max);
	const size_t mark = sizeof(cut_mark) - 1;
	size_t fits = 0; /* up to where there is room for the mark behind */

	while (*s) {
		const char *p;
		size_t n;

		s += clean_char(s, lines, &p, &n);
		if (b.len + n > max) {
			b.len = fits;
			buf_add(&b, cut_mark, mark);
			break;
		}
		buf_add(&b, p, n);
		if (b.len + mark <= max)
			fits = b.len;
	}
	return buf_take(&b);
}

static void replace(char **member, char *text)
{
	free(*member);
	*member = text;
}

struct event *event_new(const char *kind, enum severity severity, const char *key)
{
	struct event *ev = calloc(1, sizeof(*ev));

	if (!ev)
		abort();
	ev->kind = clean(kind, EVENT_FACT_MAX, false);
	ev->severity = severity;
	ev->key = clean(key, EVENT_KEY_MAX - 1, false);
	ev->host = str_dup("");
	ev->title = str_dup("");
	ev->text = str_dup("");
	ev->rule = str_dup("");
	ev->class = str_dup("");
	ev->entity = str_dup("");
	ev->metric = str_dup("");
	ev->unit = str_dup("");
	ev->link = str_dup("");
	ev->value = NAN;
	ev->limit = NAN;
	ev->chart.limit = NAN;
	return ev;
}

void event_free(struct event *ev)
{
	if (!ev)
		return;
	free(ev->kind);
	free(ev->key);
	free(ev->host);
	free(ev->title);
	free(ev->text);
	for (size_t i = 0; i < ev->n_facts; i++) {
		free(ev->facts[i].name);
		free(ev->facts[i].value);
	}
	free(ev->chart.class);
	free(ev->chart.entity);
	free(ev->chart.metric);
	free(ev->rule);
	free(ev->class);
	free(ev->entity);
	free(ev->metric);
	free(ev->unit);
	free(ev->link);
	free(ev);
}

static __attribute__((format(printf, 1, 0))) char *format(const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	return text;
}

void event_title(struct event *ev, const char *fmt, ...)
{
	_cleanup_(free_p) char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = format(fmt, ap);
	va_end(ap);
	replace(&ev->title, clean(text, EVENT_TITLE_MAX, false));
}

void event_text(struct event *ev, const char *fmt, ...)
{
	_cleanup_(free_p) char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = format(fmt, ap);
	va_end(ap);
	replace(&ev->text, clean(text, EVENT_TEXT_MAX, true));
}

void event_fact(struct event *ev, const char *name, const char *fmt, ...)
{
	_cleanup_(free_p) char *text = NULL;
	va_list ap;

	if (ev->n_facts == EVENT_FACTS_MAX)
		return;
	va_start(ap, fmt);
	text = format(fmt, ap);
	va_end(ap);
	ev->facts[ev->n_facts++] = (struct event_fact){
		.name = clean(name, EVENT_FACT_NAME_MAX, false),
		.value = clean(text, EVENT_FACT_MAX, false),
	};
}

void event_set(char **member, const char *text)
{
	replace(member, clean(text ? text : "", EVENT_FACT_MAX, false));
}
