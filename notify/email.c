/* SPDX-License-Identifier: Apache-2.0
 *
 * Email over SMTP. Text and HTML, with the chart inside. The events of one story are one thread in
 * a mailbox: they all refer to the same Message-ID, which is made of the story's key and is of no
 * mail. A mail's own Message-ID is made of what is in it, so a repeat after an answer that got lost
 * can be recognised as one.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/mail.h"
#include "base/str.h"
#include "notify/channel_types.h"
#include "notify/email_html.h"
#include "notify/email_mime.h"
#include "notify/text.h"

enum {
	SUBJECT_MAX_CHARS = 200,
	PICTURE_MAX = 128 * 1024, /* with it and the longest texts a mail fits OUTGOING_BODY_MAX */
	ID_MAX = 200,
};

/* "a@b" or "Name <a@b>" into its two parts; address "" when there is none. */
static void split_address(const char *s, char *display, size_t display_size, char *address)
{
	const char *open = strchr(s, '<');
	const char *close = open ? strchr(open, '>') : NULL;
	size_t n = open ? (size_t)(open - s) : 0;

	*display = *address = '\0';
	if (!open) {
		(void)snprintf(address, MAIL_ADDRESS_MAX + 1, "%s", s);
		return;
	}
	if (!close || close[1])
		return;
	(void)snprintf(address, MAIL_ADDRESS_MAX + 1, "%.*s", (int)(close - open - 1), open + 1);
	while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '"'))
		n--;
	while (n > 0 && (*s == ' ' || *s == '"')) {
		s++;
		n--;
	}
	(void)snprintf(display, display_size, "%.*s", (int)n, s);
}

static int check_address(const char *option, const char *s, struct err *e)
{
	char display[256], address[MAIL_ADDRESS_MAX + 1];

	split_address(s, display, sizeof(display), address);
	for (const char *p = address; *p; p++)
		if ((unsigned char)*p >= 0x80)
			return err_set(e, EINVAL,
				"%s: \"%s\" has letters that addresses must not have; write the "
				"domain in its xn-- form",
				option, s);
	if (!mail_is_address(address))
		return err_set(e, EINVAL, "%s: \"%s\" is not a mail address", option, s);
	return 0;
}

static const char *security_of(const struct channel *c)
{
	return c->security ? c->security : "starttls";
}

static int check_server(const struct channel *c, struct err *e)
{
	bool implicit = strncasecmp(c->url, "smtps://", 8) == 0;
	const char *host = strstr(c->url, "://");

	if (!host || (!implicit && strncasecmp(c->url, "smtp://", 7) != 0))
		return err_set(e, EINVAL, "the mail server must begin with smtp:// or smtps://");
	if (!host[3] || strchr("/:?", host[3]))
		return err_set(e, EINVAL, "the mail server has no name");
	if (strchr(host, '@'))
		return err_set(e, EINVAL,
			"user and password do not belong into the mail server's address");
	if (implicit != (strcmp(security_of(c), "tls") == 0))
		return err_set(e, EINVAL, "security \"%s\" does not fit %s", security_of(c),
			implicit ? "smtps://" : "smtp://");
	if (c->user && !c->secret)
		return err_set(e, EINVAL, "user without a password: password_file is missing");
	return 0;
}

static int check(const struct channel *c, struct err *e)
{
	int r = check_server(c, e);

	r = r ? r : check_address("from", c->from, e);
	for (size_t i = 0; r == 0 && i < c->n_to; i++)
		r = check_address("to", c->to[i], e);
	return r;
}

/* FNV-1a: short names for long keys, not a defence. */
static uint64_t hash(uint64_t h, const void *data, size_t n)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3ULL;
	return h;
}

static const uint64_t hash_begin = 0xcbf29ce484222325ULL;

/* Event times make it different from what another installation, or one before this, has sent. */
static uint64_t hash_of_content(const struct message *m)
{
	uint64_t h = hash(hash_begin, &m->n_more, sizeof(m->n_more));

	for (size_t i = 0; i < m->n; i++) {
		h = hash(h, &m->events[i]->id, sizeof(m->events[i]->id));
		h = hash(h, &m->events[i]->time_ms, sizeof(m->events[i]->time_ms));
	}
	return h;
}

/* What may stand in a Message-ID without quotes. */
static void add_atom(char *to, size_t size, const char *s)
{
	size_t n = 0;

	for (; *s && n + 1 < size; s++)
		to[n++] = (char)(isalnum((unsigned char)*s) && (unsigned char)*s < 0x80 ? *s : '-');
	to[n] = '\0';
}

struct ids {
	char mail[ID_MAX], story[ID_MAX], picture[ID_MAX];
};

static void make_ids(const struct message *m, const char *from, struct ids *ids)
{
	const char *domain = strrchr(from, '@') + 1;
	const struct event *ev = m->events[0];
	char host[64];

	add_atom(host, sizeof(host), m->host);
	(void)snprintf(ids->mail, sizeof(ids->mail), "agent.%lld.%llx.%s@%.100s",
		(long long)m->delivery_id, (unsigned long long)hash_of_content(m), host, domain);
	(void)snprintf(ids->picture, sizeof(ids->picture), "chart.%llx@%.100s",
		(unsigned long long)hash_of_content(m), domain);
	ids->story[0] = '\0';
	if (m->n == 1 && *ev->key)
		(void)snprintf(ids->story, sizeof(ids->story), "agent.story.%llx.%s@%.100s",
			(unsigned long long)hash(hash_begin, ev->key, strlen(ev->key)), host,
			domain);
}

static void add_subject(struct buf *b, const struct message *m)
{
	_cleanup_(buf_done) struct buf title = BUF_INIT(OUTGOING_BODY_MAX);
	_cleanup_(buf_done) struct buf cut = BUF_INIT(OUTGOING_BODY_MAX);

	message_title(m, &title);
	text_cut_chars(&cut, buf_str(&title), SUBJECT_MAX_CHARS);
	mime_header(b, "Subject", buf_str(&cut));
}

/* For filters of the reader's mail program. */
static void add_marks(struct buf *b, const struct message *m)
{
	char kind[64];
	size_t n = 0;

	for (const char *p = m->events[0]->kind; *p && n + 1 < sizeof(kind); p++)
		kind[n++] = (char)(*p > ' ' && *p <= '~' ? *p : '-');
	kind[n] = '\0';
	buf_addf(b, "X-Agent-Severity: %s\r\n",
		message_is_end(m) ? "ok" : severity_name(message_severity(m)));
	if (m->n == 1 && n > 0)
		buf_addf(b, "X-Agent-Kind: %s\r\n", kind);
	if (message_severity(m) == SEVERITY_CRITICAL)
		buf_adds(b, "Importance: high\r\n");
}

static void add_headers(struct buf *b, const struct channel *c, const struct message *m,
	const struct outgoing *out, const struct ids *ids)
{
	char display[256], address[MAIL_ADDRESS_MAX + 1];

	split_address(c->from, display, sizeof(display), address);
	mime_address_header(b, "From", *display ? display : m->host, address);
	mime_addresses_header(b, "To", (const char *const *)out->to, c->n_to);
	add_subject(b, m);
	mime_date_header(b, m->now_ms);
	buf_addf(b, "Message-ID: <%s>\r\n", ids->mail);
	if (*ids->story)
		buf_addf(b, "In-Reply-To: <%s>\r\nReferences: <%s>\r\n", ids->story, ids->story);
	buf_adds(b, "Auto-Submitted: auto-generated\r\n");
	add_marks(b, m);
	buf_adds(b, "MIME-Version: 1.0\r\n");
}

static void add_plain(struct buf *b, const struct message *m)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(OUTGOING_BODY_MAX);
	_cleanup_(buf_done) struct buf rest = BUF_INIT(OUTGOING_BODY_MAX);

	message_title(m, &text);
	message_plain(m, &rest);
	if (rest.len > 0)
		buf_adds(&text, "\n\n");
	buf_adds(&text, buf_str(&rest));
	mime_text_part(b, "plain", buf_str(&text));
}

/* Text and HTML of the same. */
static void add_alternatives(
	struct buf *b, const struct message *m, const char *picture_id, int level)
{
	_cleanup_(buf_done) struct buf html = BUF_INIT(OUTGOING_BODY_MAX);

	mime_multipart(b, "alternative", level);
	mime_next_part(b, level);
	add_plain(b, m);
	mime_next_part(b, level);
	email_html(&html, m, picture_id);
	mime_text_part(b, "html", buf_str(&html));
	mime_last_part(b, level);
}

static void add_body(struct buf *b, const struct message *m, const struct ids *ids, bool picture)
{
	if (!picture) {
		add_alternatives(b, m, NULL, 1);
		return;
	}
	mime_multipart(b, "related", 1);
	mime_next_part(b, 1);
	add_alternatives(b, m, ids->picture, 2);
	mime_next_part(b, 1);
	mime_png_part(b, ids->picture, m->picture, m->picture_len);
	mime_last_part(b, 1);
}

static void set_envelope(struct outgoing *out, const struct channel *c)
{
	char display[256], address[MAIL_ADDRESS_MAX + 1];

	out->transport = TRANSPORT_MAIL;
	out->url = str_dup(c->url);
	out->require_tls = strcmp(security_of(c), "none") != 0;
	split_address(c->from, display, sizeof(display), address);
	out->from = str_dup(address);
	for (size_t i = 0; i < c->n_to; i++) {
		split_address(c->to[i], display, sizeof(display), address);
		out->to[i] = str_dup(address);
	}
}

static int build(const struct channel *c, const struct channel_memory *memory,
	const struct message *m, bool plain, struct outgoing *out, struct err *e)
{
	bool picture = c->pictures && m->n == 1 && m->picture && m->picture_len <= PICTURE_MAX;
	struct ids ids;

	(void)memory;
	set_envelope(out, c);
	make_ids(m, out->from, &ids);
	add_headers(&out->body, c, m, out, &ids);
	if (plain)
		add_plain(&out->body, m);
	else
		add_body(&out->body, m, &ids, picture);
	if (out->body.overflow)
		return err_set(e, EMSGSIZE, "the mail is larger than %d bytes", OUTGOING_BODY_MAX);
	return 0;
}

static void judge_broken(const struct channel *c, const struct answer *a, struct verdict_of *out)
{
	const char *words = *a->body && a->status >= 400 ? a->body : a->message;

	out->verdict = VERDICT_BROKEN;
	if (a->error == -EACCES && !c->user)
		channel_why(
			c, out, "the mail server wants a login (user, password_file): %s", words);
	else if (a->error == -EACCES)
		channel_why(c, out, "the mail server refuses the login (user, password_file): %s",
			words);
	else if (a->error == -EPERM && str_starts(a->message, "MAIL"))
		channel_why(c, out, "the mail server refuses the sender %s: %s", c->from, words);
	else if (a->error == -EPERM && str_starts(a->message, "RCPT"))
		channel_why(c, out, "the mail server refuses every recipient: %s", words);
	else
		channel_why(c, out, "the mail server refuses this server: %s", words);
}

/* TLS: curl's words, and what to do about it. */
static void judge_tls(const struct channel *c, const struct answer *a, struct verdict_of *out)
{
	const char *message = a->message ? a->message : "";

	out->verdict = VERDICT_BROKEN;
	/* The cure comes first: what is shown may be cut. */
	if (strcasestr(message, "certificate") || strcasestr(message, "subject name"))
		channel_why(c, out,
			"the mail server's certificate is not trusted (its authority: ca_file; its "
			"name: server): %s",
			message);
	else if (strcmp(security_of(c), "starttls") == 0)
		channel_why(c, out,
			"the mail server offers no STARTTLS, so nothing was sent (wrong port? or "
			"security = \"tls\", port 465): %s",
			message);
	else
		channel_why(c, out,
			"no TLS with the mail server (wrong port? or security = \"starttls\", port "
			"587): %s",
			message);
}

static void judge(const struct channel *c, const struct answer *a, struct verdict_of *out)
{
	const char *message = a->message ? a->message : "";

	memset(out, 0, sizeof(*out));
	out->retry_after_ms = -1;
	out->verdict = VERDICT_RETRY;
	switch (-a->error) {
	case 0:
		out->verdict = VERDICT_SENT;
		out->partly = *message != '\0';
		channel_why(c, out, *message ? "sent, but not to all: %s" : "%s",
			*message ? message : a->body);
		break;
	case EAGAIN:
		channel_why(c, out, "the mail server says to try later: %s", a->body);
		break;
	case EACCES:
	case EPERM:
		judge_broken(c, a, out);
		break;
	case EPROTO:
		judge_tls(c, a, out);
		break;
	case EBADMSG:
		/* Perhaps it is the picture or the HTML; if not, that is how it ends. */
		out->verdict = VERDICT_PLAIN;
		channel_why(c, out, "the mail server refuses the message: %s", a->body);
		break;
	default:
		channel_why(c, out, "%s", *message ? message : "no answer");
		break;
	}
}

const struct channel_type channel_email = {
	.name = "email",
	.doc = "Mail over SMTP, with the chart inside.",
	.flags = CHANNEL_PICTURES,
	.per_minute = 20,
	.needs = "url from to",
	.check = check,
	.build = build,
	.judge = judge,
};
