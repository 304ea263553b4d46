/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/channel.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* More than any answer that is kept (CHANNEL_ANSWER_MAX) with a sentence around it. */
enum { WHY_INPUT_MAX = 80 * 1024 };

/* One line without runs of spaces, valid UTF-8 (it is stored and shown as JSON), in place. */
static void tidy(char *s)
{
	char *to = s;
	size_t n;

	for (const char *p = s; *p; p += n) {
		bool blank = (unsigned char)*p <= 0x20 || *p == 0x7f;

		n = str_utf8_char(p);
		if (blank && (to == s || to[-1] == ' ')) {
			n = 1;
		} else if (blank || n == 0) {
			*to++ = blank ? ' ' : '?';
			n = 1;
		} else {
			memmove(to, p, n);
			to += n;
		}
	}
	while (to > s && to[-1] == ' ')
		to--;
	*to = '\0';
}

static void copy_cut(char *to, size_t size, const char *from)
{
	static const char dots[] = "\xe2\x80\xa6"; /* … */
	size_t n;

	if (str_copy(to, size, from))
		return;
	(void)str_copy(to, size - strlen(dots), from);
	n = strlen(to);
	memcpy(to + n, dots, sizeof(dots));
}

void channel_why(const struct channel *c, struct verdict_of *out, const char *fmt, ...)
{
	_cleanup_(free_p) char *text = malloc(WHY_INPUT_MAX);
	va_list ap;

	if (!text)
		abort();
	va_start(ap, fmt);
	(void)vsnprintf(text, WHY_INPUT_MAX, fmt, ap);
	va_end(ap);
	/* Before it is cut: half a secret would not be found. */
	channel_redact(c, text, WHY_INPUT_MAX);
	tidy(text);
	copy_cut(out->why, sizeof(out->why), text);
}

static enum verdict verdict_of_status(long status)
{
	if (status >= 200 && status < 300)
		return VERDICT_SENT;
	if (status == 408 || status == 425 || status == 429 || status >= 500 || status < 200)
		return VERDICT_RETRY;
	/* Redirects are not followed: the address is not the right one. */
	if (status < 400 || status == 401 || status == 403 || status == 404 || status == 405 ||
		status == 407 || status == 410)
		return VERDICT_BROKEN;
	return VERDICT_REFUSED;
}

void channel_judge_http(const struct answer *a, struct verdict_of *out)
{
	memset(out, 0, sizeof(*out));
	out->retry_after_ms = -1;
	out->verdict = verdict_of_status(a->status);
	if (a->error) /* a certificate does not mend itself */
		out->verdict = a->error == -EPROTO ? VERDICT_BROKEN : VERDICT_RETRY;
	if (out->verdict == VERDICT_RETRY)
		out->retry_after_ms = a->retry_after_ms;
	if (a->error)
		(void)snprintf(out->why, sizeof(out->why), "no answer");
	else
		(void)snprintf(out->why, sizeof(out->why), "HTTP %ld", a->status);
}

void channel_judge(const struct channel *c, const struct answer *a, struct verdict_of *out)
{
	const char *body = a->body + strspn(a->body, " \t\r\n");

	channel_judge_http(a, out);
	if (a->error)
		channel_why(c, out, "%s", a->message && a->message[0] ? a->message : "no answer");
	else if (*body == '<')
		channel_why(c, out, "HTTP %ld, and a web page instead of an answer", a->status);
	else if (*body)
		channel_why(c, out, "HTTP %ld: %s", a->status, body);
}
