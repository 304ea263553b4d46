/* SPDX-License-Identifier: Apache-2.0
 *
 * The S3 store: the table of its operations, which live in s3_*.c (s3_ops.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/s3_ops.h"
#include "base/str.h"

struct store_of_s3 {
	struct store store;
	struct s3 s3;
};

static struct s3 *of(struct store *s)
{
	return &((struct store_of_s3 *)s)->s3;
}

static int s3_op_upload(struct store *s, const char *key, const struct upload_options *o,
	struct upload **out, struct err *e)
{
	return s3_upload_new(of(s), key, o, out, e);
}

static int s3_op_read(struct store *s, const char *key, int64_t offset, int64_t bytes,
	struct reader **out, struct err *e)
{
	return s3_read(of(s), key, offset, bytes, out, e);
}

static int s3_op_list(
	struct store *s, const char *prefix, store_list_fn fn, void *user, struct err *e)
{
	return s3_list(of(s), prefix, fn, user, e);
}

static int s3_op_remove(struct store *s, const char *key, struct err *e)
{
	return s3_remove(of(s), key, false, e);
}

static int s3_op_abandon(struct store *s, const char *key, const char *token, struct err *e)
{
	return *token ? s3_abort(of(s), key, token, e) : s3_abort_all(of(s), key, e);
}

struct unfinished {
	store_list_fn fn;
	void *user;
};

/* An id that is too long for the place is left out: abandon() then finds it by the key, which nobody else uses. */
static int on_upload(void *user, const struct store_object *o, const char *id)
{
	const struct unfinished *u = user;
	struct store_object with_id = *o;

	if (!str_copy(with_id.etag, sizeof(with_id.etag), id))
		*with_id.etag = '\0';
	return u->fn(u->user, &with_id);
}

static int s3_op_unfinished(
	struct store *s, const char *prefix, store_list_fn fn, void *user, struct err *e)
{
	struct unfinished u = {fn, user};

	return s3_list_uploads(of(s), prefix, false, on_upload, &u, e);
}

static int s3_op_check(struct store *s, store_check_fn fn, void *user, struct err *e)
{
	return s3_check(of(s), fn, user, e);
}

static void s3_op_free(struct store *s)
{
	s3_done(of(s));
	free(s);
}

static int s3_open(
	const json_t *settings, const struct store_context *c, struct store **out, struct err *e)
{
	static const struct store_ops ops = {s3_op_upload, s3_op_read, s3_op_list, s3_op_remove,
		s3_op_abandon, s3_op_unfinished, s3_op_check, s3_op_free};
	struct store_of_s3 *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		abort();
	r = s3_init(&s->s3, settings, c, e);
	if (r < 0) {
		free(s);
		return r;
	}
	s->s3.store = &s->store;
	s->store.ops = &ops;
	s->store.name = s->s3.settings.name;
	s->store.may_delete = s->s3.settings.may_delete;
	s->store.lock_ms = s->s3.settings.lock_ms;
	*out = &s->store;
	return 0;
}

static int s3_check_settings(const json_t *settings, struct err *e)
{
	struct s3_settings s;
	int r = s3_settings_from_json(settings, &s, e);

	if (r == 0)
		s3_settings_done(&s);
	return r;
}

const struct store_type store_s3 = {
	.name = "s3", .open = s3_open, .check_settings = s3_check_settings};
