/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/email_html.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "notify/text.h"

enum { TEXT_MAX = 256 * 1024 };

/* White on each of them, and each of them on white and on black, can be read. */
static const char *colour_of(enum severity s, bool is_end)
{
	static const char *const colours[] = {"#1d6fb8", "#b35900", "#c62828"};

	return is_end ? "#2e7d32" : colours[s];
}

#define MUTED "color:#7a7a7a;"
#define CELL "padding:3px 0;vertical-align:top;"

/* Escaped, with its lines kept: not every mail program knows pre-wrap. */
static void add_lines(struct buf *b, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		_cleanup_(free_p) char *line = str_ndup(text, n);

		text_add_html(b, line);
		if (text[n])
			buf_adds(b, "<br>\n");
		text += n + (text[n] == '\n');
	}
}

/* The word, white on the colour of how bad it is, and the server beside it. */
static void add_bar(struct buf *b, const char *word, const char *colour, const char *host)
{
	buf_addf(b,
		"<table role=\"presentation\" width=\"100%%\" cellpadding=\"0\" cellspacing=\"0\" "
		"border=\"0\">"
		"<tr><td bgcolor=\"%s\" style=\"background-color:%s;color:#ffffff;padding:8px 14px;"
		"border-radius:4px;font-size:14px;font-weight:bold;letter-spacing:.04em\">%s",
		colour, colour, word);
	buf_adds(b, "<span style=\"font-weight:normal;letter-spacing:0\"> &nbsp;");
	text_add_html(b, host);
	buf_adds(b, "</span></td></tr></table>\n");
}

static void add_facts(struct buf *b, const struct event *ev)
{
	if (ev->n_facts == 0)
		return;
	buf_adds(b, "<table cellpadding=\"0\" cellspacing=\"0\" border=\"0\" "
		    "style=\"margin:0 0 16px;font-size:14px\">\n");
	for (size_t i = 0; i < ev->n_facts; i++) {
		buf_adds(b, "<tr><td style=\"" CELL "padding-right:18px;" MUTED "\">");
		text_add_html(b, ev->facts[i].name);
		buf_adds(b, "</td><td style=\"" CELL "word-break:break-word\">");
		add_lines(b, ev->facts[i].value);
		buf_adds(b, "</td></tr>\n");
	}
	buf_adds(b, "</table>\n");
}

static void add_button(struct buf *b, const char *link, const char *words)
{
	if (!*link)
		return;
	buf_adds(b, "<p style=\"margin:0 0 16px\"><a href=\"");
	text_add_html(b, link);
	buf_addf(b,
		"\" style=\"display:inline-block;padding:8px 14px;border:1px solid #7a7a7a;"
		"border-radius:4px;color:#3b82c4;text-decoration:none;font-size:14px\">%s</a></"
		"p>\n",
		words);
}

static void add_one(struct buf *b, const struct message *m, const char *picture_id)
{
	const struct event *ev = m->events[0];
	_cleanup_(buf_done) struct buf link = BUF_INIT(TEXT_MAX);

	add_bar(b, message_word(ev), colour_of(ev->severity, ev->is_end), m->host);
	buf_adds(b, "<h1 style=\"font-size:19px;line-height:1.35;font-weight:600;margin:16px 0 "
		    "12px;word-break:break-word\">");
	text_add_html(b, *ev->title ? ev->title : ev->kind);
	buf_adds(b, "</h1>\n");
	if (*ev->text) {
		buf_adds(b, "<p style=\"margin:0 0 16px;word-break:break-word\">");
		add_lines(b, ev->text);
		buf_adds(b, "</p>\n");
	}
	add_facts(b, ev);
	if (picture_id)
		buf_addf(b,
			"<p style=\"margin:0 0 16px\"><img src=\"cid:%s\" alt=\"Chart\" "
			"style=\"max-width:100%%;height:auto;border:0\"></p>\n",
			picture_id);
	message_link(m, ev, &link);
	add_button(b, buf_str(&link), "Open in the dashboard");
}

/* A line of the list: the word in its colour, then what there is to say. */
static void add_row(struct buf *b, const struct message *m, const struct event *ev)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(TEXT_MAX), link = BUF_INIT(TEXT_MAX);
	const char *word = message_word(ev);

	message_line(ev, &line);
	message_link(m, ev, &link);
	buf_addf(b,
		"<tr><td style=\"" CELL "padding-right:12px;font-size:11px;line-height:20px\">"
		"<span style=\"background-color:%s;color:#ffffff;padding:2px 6px;border-radius:3px;"
		"font-weight:bold;white-space:nowrap\">%s</span></td><td style=\"" CELL
		"word-break:break-word\">",
		colour_of(ev->severity, ev->is_end), word);
	if (link.len > 0) {
		buf_adds(b, "<a href=\"");
		text_add_html(b, buf_str(&link));
		buf_adds(b, "\" style=\"color:inherit;text-decoration:none\">");
	}
	text_add_html(b, buf_str(&line) + strlen(word) + 1);
	buf_adds(b, link.len > 0 ? "</a></td></tr>\n" : "</td></tr>\n");
}

static void add_list(struct buf *b, const struct message *m)
{
	_cleanup_(buf_done) struct buf title = BUF_INIT(TEXT_MAX);
	bool is_end = message_is_end(m);
	enum severity worst = message_severity(m);
	static const char *const words[] = {"INFO", "WARNING", "CRITICAL"};

	message_title(m, &title);
	add_bar(b, is_end ? "OK" : words[worst], colour_of(worst, is_end), buf_str(&title));
	buf_adds(b, "<table cellpadding=\"0\" cellspacing=\"0\" border=\"0\" "
		    "style=\"margin:16px 0;font-size:14px\">\n");
	for (size_t i = 0; i < m->n; i++)
		add_row(b, m, m->events[i]);
	buf_adds(b, "</table>\n");
	add_button(b, m->url ? m->url : "", "Open the dashboard");
}

static void add_notes(struct buf *b, const struct message *m)
{
	_cleanup_(buf_done) struct buf notes = BUF_INIT(TEXT_MAX);
	char when[64];

	buf_adds(b, "<p style=\"margin:0;font-size:13px;" MUTED "\">");
	message_notes(m, &notes);
	add_lines(b, buf_str(&notes));
	if (notes.len > 0)
		buf_adds(b, "<br>\n");
	message_time(when, sizeof(when), m->events[m->n - 1]->time_ms, m->now_ms);
	text_add_html(b, m->host);
	buf_addf(b, ", %s</p>\n", when);
}

void email_html(struct buf *b, const struct message *m, const char *picture_id)
{
	buf_adds(b, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
		    "<meta name=\"color-scheme\" content=\"light dark\">\n"
		    "<meta name=\"supported-color-schemes\" content=\"light dark\">\n"
		    "</head><body style=\"margin:0;padding:12px\">\n"
		    "<div style=\"max-width:640px;font:15px/1.45 -apple-system,'Segoe UI',Roboto,"
		    "Helvetica,Arial,sans-serif\">\n");
	if (m->n == 1)
		add_one(b, m, picture_id);
	else
		add_list(b, m);
	add_notes(b, m);
	buf_adds(b, "</div>\n</body></html>\n");
}
