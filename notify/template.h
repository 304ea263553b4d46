/* SPDX-License-Identifier: Apache-2.0
 *
 * The body of a webhook as the user wrote it: text with names in double braces, {{title}}, that are
 * replaced by what an event says, each escaped for where it stands. No conditions, no loops. Pure.
 */
#ifndef NOTIFY_TEMPLATE_H
#define NOTIFY_TEMPLATE_H

#include "base/buf.h"
#include "base/err.h"
#include "notify/message.h"

enum { TEMPLATE_MAX = 64 * 1024 };

/* How a text is escaped. Decided by the content type. */
enum template_form {
	TEMPLATE_JSON, /* inside a string the template has put in quotes; numbers stand alone */
	TEMPLATE_FORM, /* %XX */
	TEMPLATE_MARKUP, /* & < > " ' as entities */
	TEMPLATE_PLAIN, /* as it is */
};

/* "application/json", also with parameters ("; charset=utf-8"); NULL is JSON. -EINVAL: a type that
 * nothing is known about. */
int template_form_of(const char *content_type, enum template_form *out, struct err *e);

/* Finds names that are not known (with the nearest one that is), braces without an end, and, for
 * JSON, a template that is none when it is filled in. -EINVAL with the line. */
int template_check(const char *text, enum template_form form, struct err *e);

/* Fills in for the first event of the message. -EINVAL as above; -EMSGSIZE past the bound of `out`.
 * Unknown numbers are `null` in JSON, else nothing. */
int template_fill(const char *text, enum template_form form, const struct message *m,
	struct buf *out, struct err *e);

#endif
