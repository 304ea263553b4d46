/* SPDX-License-Identifier: Apache-2.0
 *
 * Mail as bytes: headers and bodies (RFC 5322, 2045, 2047). Lines end with CRLF and have at most 998
 * characters whatever is put in; no text can start a header or a part of its own. Pure.
 */
#ifndef NOTIFY_EMAIL_MIME_H
#define NOTIFY_EMAIL_MIME_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Text as quoted-printable lines. Each \n becomes a line end. */
void mime_quoted_printable(struct buf *b, const char *text);

/* "Name: text", encoded and folded when need be. */
void mime_header(struct buf *b, const char *name, const char *text);
/* "Name: Display Name <address>"; display "" for none. */
void mime_address_header(struct buf *b, const char *name, const char *display, const char *address);
/* "Name: a@b, c@d", one on a line. */
void mime_addresses_header(struct buf *b, const char *name, const char *const *addresses, size_t n);
/* "Date: Sat, 21 Nov 2026 08:56:08 +0100": English whatever the locale, local time. */
void mime_date_header(struct buf *b, int64_t time_ms);

/* Never occurs in an encoded body: no encoding used here makes "=_". */
#define MIME_BOUNDARY "=_agent_"
/* "Content-Type: multipart/KIND; boundary=..." and the empty line; `level` numbers the boundary. */
void mime_multipart(struct buf *b, const char *kind, int level);
void mime_next_part(struct buf *b, int level);
void mime_last_part(struct buf *b, int level);
/* A part of text, UTF-8, with its headers. */
void mime_text_part(struct buf *b, const char *kind, const char *text);
/* A picture that HTML refers to as "cid:ID". */
void mime_png_part(struct buf *b, const char *id, const void *png, size_t len);

#endif
