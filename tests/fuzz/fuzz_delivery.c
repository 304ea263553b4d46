/* SPDX-License-Identifier: Apache-2.0
 *
 * What a stranger posts: a line "PROVIDER EVENT" or "PROVIDER EVENT form" (a space in EVENT is a plus), then the body. Whole and in single bytes it must
 * mean the same; whatever is accepted must stand before the daemon, which checks it again.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "deploy-hooks/filter.h"
#include "deploy-hooks/provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	char provider[16], event[64];
	bool is_form;
	const uint8_t *body;
	size_t n, at, piece;
};

static const char *header(void *user, const char *name, bool *twice)
{
	const struct input *in = user;

	*twice = false;
	if (strcasecmp(name, "Content-Type") == 0)
		return in->is_form ? "application/x-www-form-urlencoded" : "application/json";
	return strstr(name, "Event") ? in->event : NULL;
}

static ssize_t read_body(void *user, void *to, size_t n, struct err *e)
{
	struct input *in = user;
	size_t take = in->n - in->at;

	(void)e;
	take = take < n ? take : n;
	take = take < in->piece ? take : in->piece;
	memcpy(to, in->body + in->at, take);
	in->at += take;
	return (ssize_t)take;
}

/* Up to the space or the end of the line; what is left. */
static size_t word(const uint8_t *data, size_t size, char *to, size_t room)
{
	size_t n = 0;

	while (n < size && data[n] != ' ' && data[n] != '\n')
		n++;
	if (n < room)
		memcpy(to, data, n);
	return n + (n < size && data[n] == ' ');
}

static void check(const struct delivery *d)
{
	static const char *const all[] = {"**"};
	const struct filter f = {all, 1, all, 1, all, 1, true};

	assert(d->n_changes > 0 && d->n_changes <= DELIVERY_CHANGES_MAX);
	assert(delivery_text_is_clean(d->repository) && delivery_text_is_clean(d->actor));
	for (size_t i = 0; i < d->n_changes; i++) {
		const struct delivery_change *c = &d->changes[i];
		enum filter_verdict v = filter_judge(&f, c);
		struct deploy deploy = {.document = NULL};
		json_t *j = delivery_change_to_json(d, c);

		if (v == FILTER_DEPLOY || v == FILTER_ASK_GIT)
			assert(delivery_change_from_json(j, &deploy, NULL) == 0);
		json_decref(j);
		json_decref(deploy.document);
	}
}

static bool same(const struct delivery *a, const struct delivery *b)
{
	if (a->n_changes != b->n_changes || a->cut != b->cut)
		return false;
	for (size_t i = 0; i < a->n_changes; i++) {
		json_t *x = delivery_change_to_json(a, &a->changes[i]);
		json_t *y = delivery_change_to_json(b, &b->changes[i]);
		bool equal = json_equal(x, y) && a->changes[i].n_files == b->changes[i].n_files;

		json_decref(x);
		json_decref(y);
		if (!equal)
			return false;
	}
	return true;
}

static int parse(const struct provider *p, struct input *in, size_t piece, struct delivery *d)
{
	const struct headers h = {header, in};
	const struct body_reader reader = {read_body, in};
	struct err e = {""};
	int r;

	in->at = 0;
	in->piece = piece;
	r = p->parse(&h, &reader, d, &e);
	assert(r == 0 || (r < 0 && *e.msg && d->n_changes == 0));
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct delivery whole, bytes;
	const uint8_t *end = memchr(data, '\n', size);
	struct input in = {.event = ""};
	const struct provider *p;
	size_t n, line = end ? (size_t)(end - data) : 0;
	char form[8] = "";

	if (!end)
		return 0;
	n = word(data, line, in.provider, sizeof(in.provider));
	n += word(data + n, line - n, in.event, sizeof(in.event));
	(void)word(data + n, line - n, form, sizeof(form));
	for (char *c = in.event; *c; c++)
		*c = *c == '+' ? ' ' : *c;
	in.is_form = strcmp(form, "form") == 0;
	in.body = end + 1;
	in.n = size - line - 1;
	p = provider_find(in.provider);
	if (!p)
		return 0;
	if (parse(p, &in, SIZE_MAX, &whole) != parse(p, &in, 1, &bytes) || !same(&whole, &bytes))
		abort();
	if (whole.n_changes)
		check(&whole);
	delivery_done(&whole);
	delivery_done(&bytes);
	return 0;
}
