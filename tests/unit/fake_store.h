/* SPDX-License-Identifier: Apache-2.0
 *
 * A store in memory for tests of what stands on stores: it counts and notes each call, and fails the one it is told to.
 */
#ifndef TESTS_UNIT_FAKE_STORE_H
#define TESTS_UNIT_FAKE_STORE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/stop.h"
#include "backup/store.h"
#include "base/str.h"

enum { FAKE_OBJECTS_MAX = 4000 };

struct fake_object {
	char *key;
	struct buf data;
	int64_t modified_ms;
	bool is_locked;
	char token[32]; /* of what is unfinished */
};

struct fake_store {
	struct store store;
	struct fake_object objects[FAKE_OBJECTS_MAX], unfinished[100];
	size_t n_objects, n_unfinished;
	int64_t room; /* of each object */
	int calls, fail_at; /* that call, counted from 1, fails with -EIO; 0: none */
	bool stay_broken; /* and all after it */
	int reads, lists;
	bool forbid_removal; /* -EPERM */
	size_t lose_bytes; /* that each commit forgets */
	const char *unlisted; /* a key that lists leave out */
	int64_t clock_ms; /* modified_ms of what is made */
	struct buf log; /* "upload KEY\n", "commit KEY\n", "remove KEY\n", "abandon KEY TOKEN\n" */
};

struct fake_upload {
	struct upload upload;
	struct fake_store *s;
	char *key;
	struct buf data;
	bool is_finished, is_committed;
};

static inline int fake_call(struct fake_store *f, struct err *e)
{
	f->calls++;
	if (stop_check(e) < 0)
		return -ECANCELED;
	if (f->fail_at && (f->calls == f->fail_at || (f->stay_broken && f->calls > f->fail_at)))
		return err_set(e, EIO, "the fake store fails at call %d", f->calls);
	return 0;
}

static inline struct fake_object *fake_find(struct fake_object *o, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(o[i].key, key) == 0)
			return &o[i];
	return NULL;
}

static inline bool fake_has(struct fake_store *f, const char *key)
{
	return fake_find(f->objects, f->n_objects, key) != NULL;
}

static inline void fake_drop(struct fake_object *o, size_t *n, struct fake_object *gone)
{
	free(gone->key);
	buf_done(&gone->data);
	*gone = o[--*n];
}

static inline struct fake_object *fake_add(
	struct fake_store *f, const char *key, const void *data, size_t n)
{
	struct fake_object *o = &f->objects[f->n_objects++];

	if (f->n_objects >= FAKE_OBJECTS_MAX)
		abort();
	memset(o, 0, sizeof(*o));
	o->key = str_dup(key);
	o->modified_ms = f->clock_ms;
	buf_init(&o->data, 1 << 24);
	buf_add(&o->data, data, n);
	return o;
}

static inline int fake_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	struct fake_upload *u = (struct fake_upload *)s;
	int r = fake_call(u->s, e);

	if (r < 0)
		return r;
	if ((int64_t)n > u->upload.room || u->is_finished)
		abort(); /* the caller broke the contract */
	buf_add(&u->data, data, n);
	u->upload.room -= (int64_t)n;
	return 0;
}

static inline int fake_finish(struct sink *s, struct err *e)
{
	struct fake_upload *u = (struct fake_upload *)s;

	u->is_finished = true;
	return fake_call(u->s, e);
}

static inline void fake_upload_free(struct sink *s)
{
	struct fake_upload *u = (struct fake_upload *)s;

	if (!u->is_committed)
		buf_addf(&u->s->log, "abort %s\n", u->key);
	free(u->key);
	buf_done(&u->data);
	free(u);
}

static const struct sink_ops fake_sink_ops = {fake_write, fake_finish, fake_upload_free};

static inline int fake_commit(struct upload *up, struct store_object *out, struct err *e)
{
	struct fake_upload *u = (struct fake_upload *)up;
	int r = fake_call(u->s, e);

	if (r < 0)
		return r;
	if (!u->is_finished)
		abort();
	if (fake_has(u->s, u->key))
		return err_set(e, EEXIST, "%s is there already", u->key);
	(void)fake_add(u->s, u->key, buf_str(&u->data), u->data.len - u->s->lose_bytes);
	buf_addf(&u->s->log, "commit %s\n", u->key);
	u->is_committed = true;
	(void)str_copy(out->key, sizeof(out->key), u->key);
	out->bytes = (int64_t)(u->data.len - u->s->lose_bytes);
	(void)str_copy(out->etag, sizeof(out->etag), "\"tag\"");
	return 0;
}

static inline int fake_upload(struct store *s, const char *key, const struct upload_options *o,
	struct upload **out, struct err *e)
{
	struct fake_store *f = (struct fake_store *)s;
	struct fake_upload *u;
	int r = fake_call(f, e);

	(void)o;
	if (r < 0)
		return r;
	u = calloc(1, sizeof(*u));
	if (!u)
		abort();
	u->upload.sink.ops = &fake_sink_ops;
	u->upload.room = f->room;
	u->upload.commit = fake_commit;
	u->s = f;
	u->key = str_dup(key);
	buf_init(&u->data, 1 << 24);
	buf_addf(&f->log, "upload %s\n", key);
	*out = &u->upload;
	return 0;
}

struct fake_reader {
	struct reader reader;
	struct buf data;
	size_t at;
};

static inline ssize_t fake_read(struct reader *r, void *to, size_t n, struct err *e)
{
	struct fake_reader *f = (struct fake_reader *)r;
	size_t left = f->data.len - f->at;

	(void)e;
	if (n > left)
		n = left;
	memcpy(to, buf_str(&f->data) + f->at, n);
	f->at += n;
	return (ssize_t)n;
}

static inline void fake_reader_free(struct reader *r)
{
	buf_done(&((struct fake_reader *)r)->data);
	free(r);
}

static const struct reader_ops fake_reader_ops = {fake_read, fake_reader_free};

static inline int fake_open(struct store *s, const char *key, int64_t offset, int64_t bytes,
	struct reader **out, struct err *e)
{
	struct fake_store *f = (struct fake_store *)s;
	struct fake_object *o = fake_find(f->objects, f->n_objects, key);
	struct fake_reader *reader;
	int r = fake_call(f, e);

	f->reads++;
	if (r < 0)
		return r;
	if (!o)
		return err_set(e, ENOENT, "%s is not there", key);
	if (bytes >= 0 && o->data.len != (size_t)bytes)
		return err_set(e, EBADMSG, "%s has another length", key);
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		abort();
	reader->reader.ops = &fake_reader_ops;
	buf_init(&reader->data, 1 << 24);
	buf_add(&reader->data, buf_str(&o->data) + offset, o->data.len - (size_t)offset);
	*out = &reader->reader;
	return 0;
}

static inline int fake_compare(const void *a, const void *b)
{
	return strcmp(((const struct fake_object *)a)->key, ((const struct fake_object *)b)->key);
}

static inline int fake_list_some(struct fake_object *objects, size_t n, const char *unlisted,
	const char *prefix, store_list_fn fn, void *user)
{
	if (n)
		qsort(objects, n, sizeof(*objects), fake_compare);
	for (size_t i = 0; i < n; i++) {
		struct store_object o = {.bytes = (int64_t)objects[i].data.len,
			.modified_ms = objects[i].modified_ms};
		int r;

		if (!str_starts(objects[i].key, prefix) ||
			(unlisted && strcmp(objects[i].key, unlisted) == 0))
			continue;
		(void)str_copy(o.key, sizeof(o.key), objects[i].key);
		(void)str_copy(o.etag, sizeof(o.etag), objects[i].token);
		r = fn(user, &o);
		if (r)
			return r;
	}
	return 0;
}

static inline int fake_list(
	struct store *s, const char *prefix, store_list_fn fn, void *user, struct err *e)
{
	struct fake_store *f = (struct fake_store *)s;
	int r = fake_call(f, e);

	f->lists++;
	return r < 0 ? r : fake_list_some(f->objects, f->n_objects, f->unlisted, prefix, fn, user);
}

static inline int fake_unfinished(
	struct store *s, const char *prefix, store_list_fn fn, void *user, struct err *e)
{
	struct fake_store *f = (struct fake_store *)s;
	int r = fake_call(f, e);

	return r < 0 ? r : fake_list_some(f->unfinished, f->n_unfinished, NULL, prefix, fn, user);
}

static inline int fake_remove(struct store *s, const char *key, struct err *e)
{
	struct fake_store *f = (struct fake_store *)s;
	struct fake_object *o = fake_find(f->objects, f->n_objects, key);
	int r = fake_call(f, e);

	if (r < 0)
		return r;
	buf_addf(&f->log, "remove %s\n", key);
	if (f->forbid_removal)
		return err_set(e, EPERM, "AccessDenied");
	if (o && o->is_locked)
		return err_set(e, EBUSY, "locked");
	if (o)
		fake_drop(f->objects, &f->n_objects, o);
	return 0;
}

static inline int fake_abandon(struct store *s, const char *key, const char *token, struct err *e)
{
	struct fake_store *f = (struct fake_store *)s;
	struct fake_object *o = fake_find(f->unfinished, f->n_unfinished, key);
	int r = fake_call(f, e);

	if (r < 0)
		return r;
	buf_addf(&f->log, "abandon %s %s\n", key, token);
	if (o)
		fake_drop(f->unfinished, &f->n_unfinished, o);
	return 0;
}

static const struct store_ops fake_store_ops = {
	.upload = fake_upload,
	.read = fake_open,
	.list = fake_list,
	.remove = fake_remove,
	.abandon = fake_abandon,
	.unfinished = fake_unfinished,
};

static inline struct fake_store *fake_store_new(const char *name)
{
	struct fake_store *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->store.ops = &fake_store_ops;
	f->store.name = name;
	f->store.may_delete = true;
	f->room = 1 << 24;
	buf_init(&f->log, 1 << 20);
	return f;
}

static inline void fake_store_free(struct fake_store *f)
{
	while (f->n_objects)
		fake_drop(f->objects, &f->n_objects, f->objects);
	while (f->n_unfinished)
		fake_drop(f->unfinished, &f->n_unfinished, f->unfinished);
	buf_done(&f->log);
	free(f);
}

DEFINE_CLEANUP(struct fake_store *, fake_store_free);

static inline void fake_add_unfinished(
	struct fake_store *f, const char *key, const char *token, int64_t modified_ms)
{
	struct fake_object *o = &f->unfinished[f->n_unfinished++];

	memset(o, 0, sizeof(*o));
	o->key = str_dup(key);
	o->modified_ms = modified_ms;
	(void)str_copy(o->token, sizeof(o->token), token);
	buf_init(&o->data, 1);
}

#endif
