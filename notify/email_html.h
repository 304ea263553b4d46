/* SPDX-License-Identifier: Apache-2.0
 *
 * A message as an HTML page for mail programs: one column, tables, inline styles, no background of
 * its own, so that dark mode works; complete without pictures. Every text is escaped. Pure.
 */
#ifndef NOTIFY_EMAIL_HTML_H
#define NOTIFY_EMAIL_HTML_H

#include "base/buf.h"
#include "notify/message.h"

/* `picture_id`: of the attached picture ("cid:ID"); NULL for none. */
void email_html(struct buf *b, const struct message *m, const char *picture_id);

#endif
