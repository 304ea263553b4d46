/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/form_field.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { NAME_SIZE = 32, OUT_BYTES = 4096 };

struct form_field {
	char name[NAME_SIZE];
	enum { IN_NAME, IN_VALUE, IN_OTHER } where;
	char seen[NAME_SIZE]; /* of the name that is being read, as far as it fits */
	size_t n_seen;
	bool is_there;
	int digits; /* of a percent sign: 0 outside of one, else 1 + those that came */
	unsigned char byte; /* what they say */
};

struct form_field *form_field_new(const char *name)
{
	struct form_field *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	(void)str_copy(f->name, sizeof(f->name), name);
	return f;
}

void form_field_free(struct form_field *f)
{
	free(f);
}

bool form_field_is_there(const struct form_field *f)
{
	return f->is_there && f->digits == 0;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int end_name(struct form_field *f, bool has_value)
{
	bool ours = f->n_seen == strlen(f->name) && memcmp(f->seen, f->name, f->n_seen) == 0;

	f->n_seen = 0;
	f->where = ours && has_value ? IN_VALUE : IN_OTHER;
	if (ours && f->is_there)
		return -EBADMSG;
	f->is_there |= ours;
	return 0;
}

static int add_to_name(struct form_field *f, char c)
{
	if (c == '=')
		return end_name(f, true);
	if (c == '%' || c == '+')
		return -EBADMSG;
	if (f->n_seen < sizeof(f->seen))
		f->seen[f->n_seen++] = c;
	return 0;
}

/* 1: *byte is one of the value; 0: not yet. */
static int add_to_value(struct form_field *f, char c, char *byte)
{
	int digit = hex_value(c);

	if (f->digits == 0 && c != '%') {
		*byte = (char)(c == '+' ? ' ' : c);
		return 1;
	}
	if (f->digits > 0 && digit < 0)
		return -EBADMSG;
	if (f->digits > 0)
		f->byte = (unsigned char)(f->byte << 4 | digit);
	f->digits = (f->digits + 1) % 3;
	*byte = (char)f->byte;
	return f->digits == 0;
}

static int add_one(struct form_field *f, char c, char *byte)
{
	int r = 0;

	if (c == '&') {
		if (f->digits)
			return -EBADMSG;
		if (f->where == IN_NAME)
			r = end_name(f, false);
		f->where = IN_NAME;
		return r;
	}
	if (f->where == IN_NAME)
		return add_to_name(f, c);
	return f->where == IN_VALUE ? add_to_value(f, c, byte) : 0;
}

int form_field_add(struct form_field *f, const void *data, size_t n, form_field_fn fn, void *user)
{
	const char *in = data;
	char out[OUT_BYTES];
	size_t n_out = 0;

	for (size_t i = 0; i < n; i++) {
		int r = add_one(f, in[i], &out[n_out]);

		if (r < 0)
			return r;
		n_out += (size_t)r;
		if (n_out == sizeof(out)) {
			fn(user, out, n_out);
			n_out = 0;
		}
	}
	if (n_out)
		fn(user, out, n_out);
	return 0;
}
