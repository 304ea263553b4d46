/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/s3_ops.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

/* Hands items on without the store's prefix. */
struct filter {
	size_t prefix;
	store_list_fn object;
	s3_item_fn upload;
	void *user;
};

static int on_item(void *user, const struct store_object *o, const char *id)
{
	const struct filter *f = user;
	struct store_object below = *o;

	if (strlen(o->key) <= f->prefix)
		return 0;
	(void)str_copy(below.key, sizeof(below.key), o->key + f->prefix);
	return f->object ? f->object(f->user, &below) : f->upload(f->user, &below, id);
}

/* One page into the filter; what follows it is left in `page`. The markers are copied: the answer is parsed into the page that they
 * came from. */
static int get_page(struct s3 *s, const char *prefix, bool uploads, bool cleans_up,
	struct filter *f, struct s3_page *page, struct err *e)
{
	struct s3_page before = *page;
	struct s3_call c;
	int r;

	s3_call_init(&c, s, "GET", NULL);
	c.root = uploads ? "ListMultipartUploadsResult" : "ListBucketResult";
	s3_call_query(&c, "encoding-type", "url");
	s3_call_query(&c, "prefix", prefix);
	if (uploads)
		s3_call_query(&c, "uploads", "");
	else
		s3_call_query(&c, "list-type", "2");
	if (*before.next)
		s3_call_query(&c, uploads ? "key-marker" : "continuation-token", before.next);
	if (*before.next_id)
		s3_call_query(&c, "upload-id-marker", before.next_id);
	r = s3_call_run(&c, cleans_up, e);
	if (r == 0)
		r = s3_page_parse(
			buf_str(&c.answer.body), c.answer.body.len, uploads, on_item, f, page, e);
	s3_call_done(&c);
	return r;
}

static int list(struct s3 *s, const char *prefix, bool uploads, bool cleans_up, struct filter *f,
	struct err *e)
{
	_cleanup_(free_p) char *whole = str_format("%s%s", s->settings.prefix, prefix);
	struct s3_page page = {.next = ""};
	int r;

	f->prefix = strlen(s->settings.prefix);
	do
		r = get_page(s, whole, uploads, cleans_up, f, &page, e);
	while (r == 0 && page.is_truncated);
	return r;
}

int s3_list(struct s3 *s, const char *prefix, store_list_fn fn, void *user, struct err *e)
{
	return list(s, prefix, false, false, &(struct filter){.object = fn, .user = user}, e);
}

int s3_list_uploads(
	struct s3 *s, const char *prefix, bool cleans_up, s3_item_fn fn, void *user, struct err *e)
{
	return list(s, prefix, true, cleans_up, &(struct filter){.upload = fn, .user = user}, e);
}
