/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/channel.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

void outgoing_init(struct outgoing *o)
{
	memset(o, 0, sizeof(*o));
	buf_init(&o->body, OUTGOING_BODY_MAX);
}

void outgoing_done(struct outgoing *o)
{
	free(o->method);
	free(o->url);
	for (size_t i = 0; i < o->n_headers; i++)
		free(o->headers[i]);
	buf_done(&o->body);
	free(o->from);
	for (size_t i = 0; i < CHANNEL_TO_MAX; i++)
		free(o->to[i]);
	outgoing_init(o);
}

void outgoing_header(struct outgoing *o, const char *fmt, ...)
{
	struct buf line = BUF_INIT(OUTGOING_BODY_MAX);
	va_list ap;
	int n;
	char *to;

	assert(o->n_headers < OUTGOING_HEADERS_MAX);
	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	to = buf_reserve(&line, (size_t)n);
	assert(to); /* headers are short: what is in them was cut before */
	va_start(ap, fmt);
	(void)vsnprintf(to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	/* A line end would start a header of its own. */
	for (char *p = to; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	buf_grew(&line, (size_t)n);
	o->headers[o->n_headers++] = buf_take(&line);
}

/* The option of that name as `needs` calls it. */
static bool is_set(const struct channel *c, const char *option)
{
	const struct {
		const char *name, *value;
	} texts[] = {
		{"url", c->url},
		{"secret", c->secret},
		{"user", c->user},
		{"from", c->from},
		{"to", c->n_to ? c->to[0] : NULL},
		{"thread", c->thread},
		{"security", c->security},
		{"server_type", c->server_type},
		{"template", c->template},
		{"command", c->command ? c->command[0] : NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (strcmp(texts[i].name, option) == 0)
			return texts[i].value && texts[i].value[0];
	abort(); /* a type needs an option that there is not */
}

static int check_needs(const struct channel *c, struct err *e)
{
	const char *p = c->type->needs ? c->type->needs : "";

	while (*p) {
		size_t n = strcspn(p, " ");
		_cleanup_(free_p) char *option = str_ndup(p, n);

		if (!is_set(c, option))
			return err_set(e, EINVAL, "%s is missing", option);
		p += n + strspn(p + n, " ");
	}
	return 0;
}

/* What goes into addresses, headers and the envelope of a mail. */
static int check_characters(const char *name, const char *value, struct err *e)
{
	if (!value)
		return 0;
	for (const char *p = value; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(e, EINVAL, "%s has a control character in it", name);
	if (strcmp(name, "url") == 0 && strchr(value, ' '))
		return err_set(e, EINVAL, "url has a space in it");
	return 0;
}

static int check_all_characters(const struct channel *c, struct err *e)
{
	int r = check_characters("url", c->url, e);

	r = r ? r : check_characters("secret", c->secret, e);
	r = r ? r : check_characters("user", c->user, e);
	r = r ? r : check_characters("from", c->from, e);
	r = r ? r : check_characters("thread", c->thread, e);
	for (size_t i = 0; r == 0 && i < c->n_to; i++)
		r = check_characters("to", c->to[i], e);
	return r;
}

int channel_check(const struct channel *c, struct err *e)
{
	int r = 0;

	if (!c->type)
		r = err_set(e, EINVAL, "type is missing");
	r = r ? r : check_needs(c, e);
	r = r ? r : check_all_characters(c, e);
	if (r == 0 && c->type->check)
		r = c->type->check(c, e);
	return r ? err_wrap(e, r, "channel \"%s\"", c->name) : 0;
}

int channel_check_url(const struct channel *c, struct err *e)
{
	const char *host;

	if (!c->url)
		return 0;
	if (!str_starts(c->url, "http://") && !str_starts(c->url, "https://"))
		return err_set(e, EINVAL, "url must begin with https:// or http://");
	host = strstr(c->url, "://") + 3;
	if (!*host || *host == '/')
		return err_set(e, EINVAL, "url has no host name in it");
	return 0;
}

/* Patterns that only exclude let the rest through. */
static bool fits(const struct rule_patterns *p, const char *s)
{
	bool otherwise = true;

	for (size_t i = 0; i < p->n; i++)
		if (p->list[i][0] != '!')
			otherwise = false;
	return str_matches_any(p->list, p->n, s, otherwise);
}

/* Listed for whoever asks later, no news. */
static bool is_note(const char *kind)
{
	return str_starts(kind, "audit.");
}

/* A channel without patterns, or with "*", gets what is news. */
static bool names_notes(const struct rule_patterns *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (str_starts(p->list[i], "audit."))
			return true;
	return false;
}

bool channel_wants(const struct channel *c, const struct event *ev)
{
	_cleanup_(free_p) char *entity = NULL;

	if (ev->severity < c->min_severity || (ev->is_end && !c->recoveries))
		return false;
	if (c->type->takes && !c->type->takes(ev))
		return false;
	if (!fits(&c->events, ev->kind) || (is_note(ev->kind) && !names_notes(&c->events)))
		return false;
	if (!ev->class[0] || !c->entities.n)
		return true;
	entity = str_format("%s/%s", ev->class, ev->entity);
	return fits(&c->entities, entity);
}

int64_t channel_quiet_until(const struct channel *c, enum severity s, int64_t now_ms)
{
	if (s >= c->quiet_below)
		return 0;
	return quiet_until(c->quiet, c->n_quiet, (time_t)(now_ms / 1000));
}
