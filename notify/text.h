/* SPDX-License-Identifier: Apache-2.0
 *
 * Text from outside made safe for where it goes: cut at what a provider counts, never inside a
 * character, with "…" where something was cut; escaped so that nothing in it is interpreted. Input
 * is valid UTF-8 (event.h sees to that). All add to a buffer. Pure.
 */
#ifndef NOTIFY_TEXT_H
#define NOTIFY_TEXT_H

#include <stddef.h>

#include "base/buf.h"

/* Length in UTF-16 code units, as Telegram and Discord count. */
size_t text_utf16_len(const char *s);

/* At most max_bytes / max_chars / max_units, the "…" included. */
void text_cut_bytes(struct buf *b, const char *s, size_t max_bytes);
void text_cut_chars(struct buf *b, const char *s, size_t max_chars);
void text_cut_utf16(struct buf *b, const char *s, size_t max_units);
/* The same, cut at the end of a line where one is near: "…(12 more lines)". */
void text_cut_lines_utf16(struct buf *b, const char *s, size_t max_units);

/* & < > " ' as entities: HTML text and attributes. */
void text_add_html(struct buf *b, const char *s);
/* Slack's mrkdwn: & < > as entities, and a zero-width space into what would start a mention, a link
 * or formatting (* _ ~ ` at word edges, @channel). */
void text_add_mrkdwn(struct buf *b, const char *s);
/* Markdown as Discord, Teams, Gotify and ntfy read it: a backslash before what would be interpreted;
 * mentions (@everyone, <@1>) broken. */
void text_add_markdown(struct buf *b, const char *s);
/* RFC 2047 encoded words for a mail header, folded, when it is not plain ASCII; else as it is.
 * Control characters become spaces. `used` columns of the first line are taken already. */
void text_add_mail_header(struct buf *b, const char *s, size_t used);
/* One of the above (not the mail header) over as much of s as gives at most max_units in the end, cut
 * as by text_cut_lines_utf16(). */
typedef void (*text_escape_fn)(struct buf *b, const char *s);
void text_cut_escaped(struct buf *b, const char *s, size_t max_units, text_escape_fn escape);

/* "%XX" for all but unreserved characters (RFC 3986). */
void text_add_percent(struct buf *b, const char *s);

#endif
