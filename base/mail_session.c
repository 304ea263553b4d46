/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mail_session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

enum {
	REPLY_MAX = 8 * 1024,
	REFUSED_MAX = 4 * 1024,
};

void mail_session_init(struct mail_session *s)
{
	*s = (struct mail_session){.command = "", .reply_whole = true};
	buf_init(&s->reply, REPLY_MAX);
	buf_init(&s->refused, REFUSED_MAX);
}

void mail_session_done(struct mail_session *s)
{
	buf_done(&s->reply);
	buf_done(&s->refused);
}

static size_t line_length(const char *line, size_t len)
{
	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	return len;
}

static bool is_command(const struct mail_session *s, const char *verb)
{
	return strncasecmp(s->command, verb, strlen(verb)) == 0;
}

void mail_session_command(struct mail_session *s, const char *line, size_t len)
{
	static const char *const shown[] = {"EHLO", "HELO", "STARTTLS", "MAIL", "RCPT", "DATA"};

	len = line_length(line, len);
	if (len >= 4 && strncasecmp(line, "QUIT", 4) == 0)
		s->over = true;
	if (s->over)
		return;
	s->command[0] = '\0';
	/* All others may hold the password. */
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		if (len >= strlen(shown[i]) && strncasecmp(line, shown[i], strlen(shown[i])) == 0)
			(void)snprintf(s->command, sizeof(s->command), "%.*s", (int)len, line);
}

/* A full mailbox (RFC 3463: x.2.2) stays so for days, and the others can get it. 4.2.0 and 4.2.1 are
 * what greylisting and limits of a rate say: those pass. */
static bool mailbox_is_full(const struct mail_session *s)
{
	const char *text = buf_str(&s->reply);

	return strlen(text) > 8 && strncmp(text + 4, "4.2.2", 5) == 0;
}

static void remember_refused(struct mail_session *s)
{
	const char *begin = strchr(s->command, '<');
	const char *end = strrchr(s->command, '>');

	if (s->refused.len > 0)
		buf_adds(&s->refused, "; ");
	if (begin && end && end > begin)
		buf_addf(&s->refused, "%.*s: ", (int)(end - begin - 1), begin + 1);
	for (const char *c = buf_str(&s->reply); *c; c++)
		buf_addc(&s->refused, *c == '\n' ? ' ' : *c);
}

static bool judge_recipient(struct mail_session *s)
{
	if (s->status < 400) {
		s->accepted++;
		return true;
	}
	s->stopped = s->status < 500 && !mailbox_is_full(s);
	remember_refused(s);
	return !s->stopped;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_reply(const char *line, size_t len)
{
	return len >= 3 && line[0] >= '2' && line[0] <= '5' && is_digit(line[1]) &&
	       is_digit(line[2]);
}

bool mail_session_reply(struct mail_session *s, const char *line, size_t len)
{
	len = line_length(line, len);
	if (!is_reply(line, len))
		return true;
	if (s->taken || s->stopped || s->over)
		return true;
	if (s->reply_whole)
		buf_clear(&s->reply);
	else
		buf_addc(&s->reply, '\n');
	buf_add(&s->reply, line, len);
	s->reply_whole = len == 3 || line[3] != '-';
	if (!s->reply_whole)
		return true;
	s->status = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
	if (is_command(s, "RCPT"))
		return judge_recipient(s);
	if (is_command(s, "DATA") && s->status != 354)
		s->taken = s->status < 400;
	return true;
}

/* Which kind of refusal the last reply is. */
static int refusal(const struct mail_session *s)
{
	if (s->stopped || s->status < 500)
		return EAGAIN;
	if (s->status == 530 || s->status == 534 || s->status == 535 || s->status == 538)
		return EACCES;
	/* curl says the size with MAIL, so one that is too large may be refused there. */
	if (is_command(s, "DATA") || (is_command(s, "MAIL") && s->status == 552))
		return EBADMSG;
	return EPERM;
}

int mail_session_outcome(
	const struct mail_session *s, int error, const char *message, char *to, size_t size)
{
	if (error == 0 || s->taken) {
		(void)str_copy(to, size, buf_str(&s->refused));
		return 0;
	}
	if (s->status < 400) {
		(void)str_copy(to, size, message);
		return error;
	}
	/* The reply itself is shown besides. */
	(void)snprintf(to, size, "%s", *s->command ? s->command : message);
	return error == EACCES && s->status >= 500 ? EACCES : refusal(s);
}
