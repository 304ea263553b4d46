/* SPDX-License-Identifier: Apache-2.0
 *
 * The operations that are one request, and the options: those of an S3 store, as far as Signature V2 has them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/args.h"
#include "backup/libs3.h"
#include "base/cleanup.h"
#include "base/str.h"

enum { OBJECTS = 900 }; /* that a stream is to fit into */

int libs3_remove(struct store *s, const char *key, struct err *e)
{
	const struct libs3_request r = {.what = LIBS3_DELETE, .key = key};
	struct libs3_answer a;
	int x = libs3_do((struct libs3 *)s, &r, &a, e);

	return x == -ENOENT ? 0 : x;
}

static int libs3_abandon(struct store *s, const char *key, const char *token, struct err *e)
{
	(void)token;
	return libs3_remove(s, key, e);
}

/* The objects of a page; keys without the store's prefix. */
static int tell(const struct libs3 *s, struct libs3_page *page, store_list_fn fn, void *user)
{
	size_t skip = strlen(s->settings.prefix);
	int r = 0;

	for (size_t i = 0; i < page->n && r == 0; i++) {
		struct store_object o = page->objects[i];

		memmove(o.key, o.key + skip, strlen(o.key + skip) + 1);
		r = fn(user, &o);
	}
	return r;
}

static int libs3_list(
	struct store *store, const char *prefix, store_list_fn fn, void *user, struct err *e)
{
	struct libs3 *s = (struct libs3 *)store;
	struct libs3_page *page = calloc(1, sizeof(*page));
	struct libs3_request r = {.what = LIBS3_LIST, .key = prefix, .page = page};
	char after[sizeof(page->objects[0].key)] = "";
	struct libs3_answer a;
	int x = 0;

	if (!page)
		abort();
	do {
		r.after = *after ? after : NULL;
		x = libs3_do(s, &r, &a, e);
		if (x == 0 && page->too_long)
			x = err_set(e, E2BIG, "a key is longer than 511 characters");
		if (x == 0 && page->n)
			(void)str_copy(after, sizeof(after), page->objects[page->n - 1].key);
		if (x == 0)
			x = tell(s, page, fn, user);
	} while (x == 0 && page->is_truncated && page->n);
	free(page);
	return x;
}

/* --- the doctor */

static int probe(struct libs3 *s, const char *key, struct err *e)
{
	static const char text[] = "a test of the agent; it can be removed\n";
	_cleanup_(buf_done) struct buf back = BUF_INIT(1024);
	struct journal *journal = s->journal;
	int r;

	s->journal = NULL;
	r = store_put(&s->store, key, text, sizeof(text) - 1, NULL, e);
	s->journal = journal;
	if (r == 0)
		r = store_get(&s->store, key, &back, e);
	if (r == 0 && strcmp(buf_str(&back), text) != 0)
		r = err_set(e, EBADMSG, "what was read is not what was written");
	return r;
}

int libs3_check(struct store *store, store_check_fn fn, void *user, struct err *e)
{
	struct libs3 *s = (struct libs3 *)store;
	bool is_tls = strcmp(s->settings.scheme, "https://") == 0;
	struct err why = {""};
	char hex[7], key[40];
	int r;

	args_random_hex(hex);
	(void)snprintf(key, sizeof(key), "agent-check-%s", hex);
	r = probe(s, key, &why);
	fn(user, "write and read", r == 0, r == 0 ? "an object came back as it was" : why.msg,
		r == 0 ? NULL : "check endpoint, bucket and the keys' rights");
	if (r == 0) {
		r = libs3_remove(store, key, &why);
		fn(user, "delete", r == 0 || !store->may_delete,
			r == 0 ? "it could be removed" : why.msg,
			r == 0 ? NULL
			       : "let the keys delete objects, or set delete = \"lifecycle\"");
	}
	fn(user, "privacy", true,
		is_tls ? "libs3 does not check the server's certificate"
		       : "what is sent is not encrypted on the way",
		"set encrypt in the jobs, or use type = \"s3\" if the store knows Signature V4");
	(void)e;
	return 0;
}

/* --- settings */

static int refuse(const json_t *settings, struct err *e)
{
	static const char *const none[] = {"ca_file", "checksum", "max_parts", "object_lock",
		"object_lock_for", "region", "sse", "sse_key_id", "storage_class"};

	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		if (json_object_get(settings, none[i]))
			return err_set(e, EINVAL,
				"%s: a store of type libs3 has none; type = \"s3\" has", none[i]);
	if (!json_object_get(settings, "endpoint"))
		return err_set(e, EINVAL, "endpoint: is missing");
	return 0;
}

static int read_settings(const json_t *settings, struct s3_settings *out, struct err *e)
{
	int r = refuse(settings, e);

	if (r == 0)
		r = s3_settings_from_json(settings, out, e);
	if (r < 0)
		return r;
	if (*out->base_path) {
		s3_settings_done(out);
		return err_set(e, EINVAL, "endpoint: libs3 takes no path in it");
	}
	out->max_parts = OBJECTS;
	return 0;
}

int libs3_check_settings(const json_t *settings, struct err *e)
{
	struct s3_settings s;
	int r = read_settings(settings, &s, e);

	if (r == 0)
		s3_settings_done(&s);
	return r;
}

static void libs3_free(struct store *store)
{
	struct libs3 *s = (struct libs3 *)store;

	libs3_end();
	s3_credentials_clear(&s->keys);
	s3_settings_done(&s->settings);
	free(s);
}

int libs3_open(
	const json_t *settings, const struct store_context *c, struct store **out, struct err *e)
{
	static const struct store_ops ops = {.upload = libs3_upload,
		.read = libs3_read,
		.list = libs3_list,
		.remove = libs3_remove,
		.abandon = libs3_abandon,
		.check = libs3_check,
		.free = libs3_free};
	struct libs3 *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		abort();
	r = read_settings(settings, &s->settings, e);
	if (r == 0) {
		r = libs3_begin(s->settings.host, e);
		if (r < 0)
			s3_settings_done(&s->settings);
	}
	if (r < 0) {
		free(s);
		return r;
	}
	s->store.ops = &ops;
	s->store.name = s->settings.name;
	s->store.may_delete = s->settings.may_delete;
	s->secret_read = c->secret_read;
	s->journal = c->journal;
	*out = &s->store;
	return 0;
}
