/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/body.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "deploy-hooks/form_field.h"

bool body_is_form(const char *content_type)
{
	static const char form[] = "application/x-www-form-urlencoded";
	size_t n = sizeof(form) - 1;

	if (!content_type || strncasecmp(content_type, form, n) != 0)
		return false;
	return strchr("; \t", content_type[n]) != NULL; /* a parameter, or the end */
}

void form_reader_init(struct form_reader *f, const struct body_reader *from)
{
	f->from = from;
	f->field = form_field_new("payload");
	f->at = f->len = 0;
	f->ended = false;
}

void form_reader_done(struct form_reader *f)
{
	form_field_free(f->field);
	f->field = NULL;
}

/* Never more than came in, so it fits. */
static void on_value(void *user, const void *data, size_t n)
{
	struct form_reader *f = user;

	memcpy(f->out + f->len, data, n);
	f->len += n;
}

/* Some more of the field: 1, or 0 at the end. */
static int refill(struct form_reader *f, struct err *e)
{
	char piece[sizeof(f->out)];
	ssize_t n = f->from->read(f->from->user, piece, sizeof(piece), e);

	if (n < 0)
		return (int)n;
	f->at = f->len = 0;
	f->ended = n == 0;
	if (f->ended && !form_field_is_there(f->field))
		return err_set(e, EBADMSG, "the form has no whole field \"payload\"");
	if (form_field_add(f->field, piece, (size_t)n, on_value, f) < 0)
		return err_set(e, EBADMSG, "the form is none, or has two fields \"payload\"");
	return !f->ended;
}

ssize_t form_reader_read(void *form_reader, void *to, size_t n, struct err *e)
{
	struct form_reader *f = form_reader;
	size_t take;

	while (f->at == f->len && !f->ended) {
		int r = refill(f, e);

		if (r < 0)
			return r;
	}
	take = f->len - f->at < n ? f->len - f->at : n;
	memcpy(to, f->out + f->at, take);
	f->at += take;
	return (ssize_t)take;
}
