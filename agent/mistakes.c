/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/mistakes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

void mistakes_done(struct mistakes *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->list[i]);
	free(m->list);
	*m = (struct mistakes){NULL, 0, 0};
}

void mistakes_add(struct mistakes *m, const char *file, unsigned line, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (m->n == MISTAKES_MAX) {
		m->more++;
		return;
	}
	if (!m->list) {
		m->list = calloc(MISTAKES_MAX, sizeof(*m->list));
		if (!m->list)
			abort();
	}
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* A value may hold anything; a mistake is one line on a terminal or in the log. */
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	if (file && line)
		m->list[m->n++] = str_format("%s:%u: %s", file, line, text);
	else if (file)
		m->list[m->n++] = str_format("%s: %s", file, text);
	else
		m->list[m->n++] = str_dup(text);
}

size_t mistakes_count(const struct mistakes *m)
{
	return m->n + m->more;
}

bool mistakes_name(const struct mistakes *m, const char *name)
{
	_cleanup_(free_p) char *words = str_format(": %s", name);

	for (size_t i = 0; i < m->n; i++) {
		const char *at = strstr(m->list[i], words);

		if (at && strchr(":.", at[strlen(words)]))
			return true;
	}
	return false;
}
