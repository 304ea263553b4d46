/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/rclone.h"
#include "base/cleanup.h"
#include "base/str.h"

struct rclone_listing {
	struct store_object *objects;
	size_t n, size;
};

static void listing_done(struct rclone_listing *l)
{
	free(l->objects);
}

static struct store_object *listing_add(struct rclone_listing *l)
{
	if (l->n == l->size) {
		l->size = l->size ? 2 * l->size : 64;
		l->objects = reallocarray(l->objects, l->size, sizeof(*l->objects));
		if (!l->objects)
			abort();
	}
	memset(&l->objects[l->n], 0, sizeof(*l->objects));
	return &l->objects[l->n++];
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct store_object *)a)->key, ((const struct store_object *)b)->key);
}

/* `folder` stands in front of the paths of the answer. Objects that are not ours may have any name. */
static void take(
	struct rclone_listing *l, const json_t *item, const char *folder, const char *prefix)
{
	const char *path = json_string_value(json_object_get(item, "Path"));
	_cleanup_(free_p) char *key = str_format("%s%s", folder, path ? path : "");
	struct rclone_object o;
	struct store_object *made;

	if (!path || !str_starts(key, prefix) || strlen(key) >= sizeof(made->key) ||
		rclone_read_object(item, NULL, &o, NULL) < 0)
		return;
	made = listing_add(l);
	(void)str_copy(made->key, sizeof(made->key), key);
	made->bytes = o.bytes;
	made->modified_ms = o.modified_ms;
}

/* `within`: what the store's prefix and the key's have in front of the last slash; keys are what is behind the store's prefix. */
static int ask(struct rclone *s, const char *within, struct buf *text, struct err *e)
{
	static const char *const words[] = {
		"lsjson", "--recursive", "--files-only", "--no-mimetype", "--fast-list", NULL};
	struct rclone root = *s;
	_cleanup_(buf_done) struct buf path = BUF_INIT(4096);

	root.prefix = "";
	rclone_path(&root, within, &path);
	return rclone_run(s, words, buf_str(&path), text, e);
}

static int parse(const char *text, const struct rclone *s, const char *within, const char *prefix,
	struct rclone_listing *l, struct err *e)
{
	_cleanup_(free_p) char *whole = str_format("%s%s", s->prefix, prefix);
	json_t *list = json_loads(text, 0, NULL);
	const json_t *item;
	size_t i, skip = strlen(s->prefix);

	if (!json_is_array(list)) {
		json_decref(list);
		return err_set(e, EBADMSG, "rclone's list is none");
	}
	json_array_foreach(list, i, item) take(l, item, within, whole);
	json_decref(list);
	for (i = 0; i < l->n; i++) {
		char *key = l->objects[i].key;

		memmove(key, key + skip, strlen(key + skip) + 1);
	}
	if (l->n)
		qsort(l->objects, l->n, sizeof(*l->objects), by_key);
	return 0;
}

int rclone_list(struct store *s, const char *prefix, store_list_fn fn, void *user, struct err *e)
{
	struct rclone *rclone = (struct rclone *)s;
	_cleanup_(listing_done) struct rclone_listing l = {NULL, 0, 0};
	_cleanup_(buf_done) struct buf text = BUF_INIT(RCLONE_ANSWER_MAX);
	_cleanup_(free_p) char *within = str_format("%s%s", rclone->prefix, prefix);
	char *slash = strrchr(within, '/');
	struct err why = {""};
	int r = rclone_ask_features(rclone, e);

	if (r < 0)
		return r;
	*(slash ? slash + 1 : within) = '\0';
	r = ask(rclone, within, &text, &why);
	/* A folder that is not there yet holds nothing. */
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = parse(buf_str(&text), rclone, within, prefix, &l, &why);
	if (r < 0)
		return err_set(e, -r, "%s", why.msg);
	for (size_t i = 0; i < l.n && r == 0; i++)
		r = fn(user, &l.objects[i]);
	return r;
}
