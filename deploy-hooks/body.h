/* SPDX-License-Identifier: Apache-2.0
 *
 * The body of a delivery, read from its start on, in pieces. Most senders post JSON as it is; some can be told to post a form
 * whose field `payload` has it (application/x-www-form-urlencoded). form_reader reads that field as if it were the
 * body, by the same form_field.h that verify.h checks it with.
 */
#ifndef DEPLOY_HOOKS_BODY_H
#define DEPLOY_HOOKS_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct form_field;

struct body_reader {
	/* Bytes of the body from the start on; 0 at the end, -errno. */
	ssize_t (*read)(void *user, void *to, size_t n, struct err *e);
	void *user;
};

/* Whether a Content-Type says that the body is a form; NULL: no. */
bool body_is_form(const char *content_type);

struct form_reader {
	const struct body_reader *from;
	struct form_field *field;
	char out[4096]; /* decoded, not yet read */
	size_t at, len;
	bool ended;
};

/* `from` must stay. Aborts without memory. */
void form_reader_init(struct form_reader *f, const struct body_reader *from);
void form_reader_done(struct form_reader *f);
/* The function of a body_reader over a form_reader. -EBADMSG: there is no field `payload`, or two, or no form. */
ssize_t form_reader_read(void *form_reader, void *to, size_t n, struct err *e);

#endif
