/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/counts.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/str.h"

static const struct count *find(const struct counts *c, const char *name)
{
	for (size_t i = 0; i < c->n_items; i++)
		if (strcmp(c->items[i].name, name) == 0)
			return &c->items[i];
	return NULL;
}

void counts_set(struct counts *c, const char *name, int64_t n, bool loose)
{
	struct count *item = (struct count *)find(c, name);

	if (!item) {
		if (c->n_items == COUNTS_MAX)
			return;
		item = &c->items[c->n_items++];
		(void)str_copy(item->name, sizeof(item->name), name);
	}
	item->n = n;
	item->loose = loose;
}

int64_t counts_get(const struct counts *c, const char *name)
{
	const struct count *item = find(c, name);

	return item ? item->n : -1;
}

int counts_compare(const struct counts *want, const struct counts *have, struct err *e)
{
	struct buf text = BUF_INIT(sizeof(e->msg) - 1);

	for (size_t i = 0; i < want->n_items; i++) {
		const struct count *w = &want->items[i];
		int64_t n = counts_get(have, w->name);

		if (w->loose || n == w->n)
			continue;
		buf_addf(&text, "%s%s: %" PRId64 " were dumped, ", text.len ? "; " : "", w->name,
			w->n);
		if (n < 0)
			buf_adds(&text, "they cannot be counted");
		else
			buf_addf(&text, "%" PRId64 " are there", n);
	}
	if (text.len) {
		(void)err_set(e, EBADMSG, "%s", buf_str(&text));
		buf_done(&text);
		return -EBADMSG;
	}
	return 0;
}

/* "1 tables" is nobody's English. */
static void add_name(struct buf *out, const struct count *c)
{
	size_t n = strlen(c->name);

	if (c->n != 1 || n < 3 || c->name[n - 1] != 's')
		buf_adds(out, c->name);
	else if (str_ends(c->name, "ies"))
		buf_addf(out, "%.*sy", (int)(n - 3), c->name);
	else if (str_ends(c->name, "xes"))
		buf_addf(out, "%.*s", (int)(n - 2), c->name);
	else
		buf_addf(out, "%.*s", (int)(n - 1), c->name);
}

void counts_describe(const struct counts *c, struct buf *out)
{
	for (size_t i = 0; i < c->n_items; i++) {
		buf_addf(out, "%s%s%" PRId64 " ", i ? ", " : "", c->items[i].loose ? "about " : "",
			c->items[i].n);
		add_name(out, &c->items[i]);
	}
}

json_t *counts_to_json(const struct counts *c)
{
	json_t *j = json_object();

	for (size_t i = 0; i < c->n_items; i++) {
		json_t *n = json_integer(c->items[i].n);

		if (c->items[i].loose)
			n = json_pack("{s:o}", "about", n);
		(void)json_object_set_new(j, c->items[i].name, n);
	}
	return j;
}

static bool name_is_valid(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n < COUNTS_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_ ") == n;
}

int counts_from_json(const json_t *j, struct counts *out, struct err *e)
{
	struct counts c = {.n_items = 0};
	const char *name;
	json_t *value;

	if (!json_is_object(j))
		return err_set(e, EBADMSG, "counts are no object");
	if (json_object_size(j) > COUNTS_MAX)
		return err_set(e, EBADMSG, "more than %d counts", COUNTS_MAX);
	json_object_foreach((json_t *)j, name, value)
	{
		bool loose = json_is_object(value);
		const json_t *n = loose ? json_object_get(value, "about") : value;

		if (!name_is_valid(name))
			return err_set(e, EBADMSG, "a count has no proper name");
		if (!json_is_integer(n) || json_integer_value(n) < 0)
			return err_set(e, EBADMSG, "count of %s is no number", name);
		counts_set(&c, name, json_integer_value(n), loose);
	}
	*out = c;
	return 0;
}
