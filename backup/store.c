/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/store.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

const struct store_type *const store_types[] = {
	&store_directory, &store_libs3, &store_rclone, &store_s3, NULL};

const struct store_type *store_type_find(const char *name)
{
	for (const struct store_type *const *t = store_types; *t; t++)
		if (strcmp((*t)->name, name) == 0)
			return *t;
	return NULL;
}

int store_open(
	const json_t *settings, const struct store_context *c, struct store **out, struct err *e)
{
	const char *name = json_string_value(json_object_get(settings, "name"));
	const char *type = json_string_value(json_object_get(settings, "type"));
	const struct store_type *t = type ? store_type_find(type) : NULL;
	int r;

	if (!name)
		return err_set(e, EINVAL, "a store without a name");
	if (!t)
		return err_set(e, EINVAL, "store \"%s\": type: there is no kind of store \"%s\"",
			name, type ? type : "");
	r = t->open(settings, c, out, e);
	assert(r < 0 || ((*out)->ops && (*out)->name));
	return err_wrap(e, r, "store \"%s\"", name);
}

void store_free(struct store *s)
{
	if (s)
		s->ops->free(s);
}

int store_put(struct store *s, const char *key, const void *data, size_t n,
	const struct upload_options *o, struct err *e)
{
	struct upload_options options = o ? *o : (struct upload_options){.content_type = NULL};
	struct store_object made;
	struct upload *u;
	int r;

	options.expected_bytes = (int64_t)n;
	r = s->ops->upload(s, key, &options, &u, e);
	if (r < 0)
		return r;
	if ((uint64_t)n > (uint64_t)u->room)
		r = err_set(e, EFBIG, "%s: %zu bytes are too many for one object", key, n);
	if (r == 0)
		r = sink_write(&u->sink, data, n, e);
	if (r == 0)
		r = sink_finish(&u->sink, e);
	if (r == 0)
		r = upload_commit(u, &made, e);
	upload_free(u);
	return r;
}

int store_get(struct store *s, const char *key, struct buf *out, struct err *e)
{
	_cleanup_(reader_free_p) struct reader *r = NULL;
	char piece[16384];
	ssize_t n = s->ops->read(s, key, 0, -1, &r, e);

	if (n < 0)
		return (int)n;
	buf_clear(out);
	while ((n = reader_read(r, piece, sizeof(piece), e)) > 0) {
		buf_add(out, piece, (size_t)n);
		if (out->overflow)
			return err_set(e, EFBIG, "%s: larger than %zu bytes", key, out->max);
	}
	return (int)n;
}
