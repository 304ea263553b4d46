/* SPDX-License-Identifier: Apache-2.0
 *
 * The contract of a store, and the table of the types there are. Keys are below the store's prefix, of
 * A-Z a-z 0-9 . _ - / and %XX escapes. An object exists whole or not at all; two objects never share a key. To add a type: one file
 * store_NAME.c, one row in store.c.
 */
#ifndef BACKUP_STORE_H
#define BACKUP_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backup/net.h"
#include "backup/stream.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"

struct store;
struct upload;

/* Reads a secret as agent/secret.h does; given by who starts the worker's work. */
typedef int (*secret_read_fn)(const char *source, struct buf *out, struct err *e);

struct store_object {
	char key[512];
	int64_t bytes;
	int64_t modified_ms; /* 0: not known */
	char etag[128]; /* "" when there is none */
};

struct upload_options {
	/* What is expected to come, for the size of the parts; 0: not known. */
	int64_t expected_bytes;
	const char *content_type; /* NULL: application/octet-stream */
	bool is_manifest;
};

/* Called for each object or unfinished upload; non-zero ends the listing and is returned. */
typedef int (*store_list_fn)(void *user, const struct store_object *o);

/* One thing the doctor looked at. cure NULL: all is well. ok with a cure: it works, but could be better. */
typedef void (*store_check_fn)(
	void *user, const char *what, bool ok, const char *text, const char *cure);

struct store_ops {
	/* An upload to a key nobody else uses. What is remembered in the journal about it (an upload id) is
	 * given to journal_note() by the store before the first byte that costs anything. */
	int (*upload)(struct store *s, const char *key, const struct upload_options *o,
		struct upload **out, struct err *e);
	/* Bytes from `offset` to the end of the object, whose length must be `bytes` (-1: not known). Resumes by itself when the
	 * connection is cut. -ENOENT. */
	int (*read)(struct store *s, const char *key, int64_t offset, int64_t bytes,
		struct reader **out, struct err *e);
	/* All objects whose key begins with prefix, by key. */
	int (*list)(
		struct store *s, const char *prefix, store_list_fn fn, void *user, struct err *e);
	/* 0 also when it is not there. -EPERM: the store does not let us; -EBUSY: locked by the store. */
	int (*remove)(struct store *s, const char *key, struct err *e);
	/* Ends what `key` and `token` (from journal_note()) say was begun and not finished; token "" means: whatever is
	 * unfinished under that key. 0 also when nothing is left. */
	int (*abandon)(struct store *s, const char *key, const char *token, struct err *e);
	/* Unfinished uploads under a prefix; key, modified_ms, and the token in `etag`. NULL: cannot be. */
	int (*unfinished)(
		struct store *s, const char *prefix, store_list_fn fn, void *user, struct err *e);
	/* For the doctor: everything that can be tried without harm. */
	int (*check)(struct store *s, store_check_fn fn, void *user, struct err *e);
	void (*free)(struct store *s);
};

struct store {
	const struct store_ops *ops;
	const char *name; /* that the user gave it; borrowed from settings */
	bool may_delete; /* `delete = agent` */
	int64_t lock_ms; /* object lock that each new object gets; 0 */
	/* Something of an upload that failed could not be removed, and might be later: the journal of the run must stay. Set by
	 * the store, and by who removes completed objects. */
	bool left_behind;
};

/* A stream into one object. Embedded first in the type's own struct. */
struct upload {
	struct sink
		sink; /* finish(): nothing is held back but the end; free(): aborts unless committed */
	/* How many more bytes this object can take; the caller goes on in a further segment. */
	int64_t room;
	/* Completes it: after 0 the object exists, was looked at, and has the size that was written.
	 * *out: key, bytes, etag. */
	int (*commit)(struct upload *u, struct store_object *out, struct err *e);
};

static inline int upload_commit(struct upload *u, struct store_object *out, struct err *e)
{
	return u->commit(u, out, e);
}

static inline void upload_free(struct upload *u) /* NULL is fine */
{
	if (u)
		sink_free(&u->sink);
}

struct journal;

struct store_context {
	struct net *net; /* transfers of all stores of this process */
	secret_read_fn secret_read;
	struct journal *journal; /* NULL: none is kept (reading only) */
	int64_t bandwidth_bytes; /* a second, 0: any */
	/* Something a person who waits should hear before the end of it: that a store is away and is tried again. NULL: nobody is. */
	void (*notice)(void *user, const char *text);
	void *notice_user;
};

struct store_type {
	const char *name;
	/* `settings` has the options of the block as JSON members with the options' names, and "name"; borrowed, outlives the
	 * store. Does not connect. -EINVAL: "OPTION: what is wrong". */
	int (*open)(const json_t *settings, const struct store_context *c, struct store **out,
		struct err *e);
	/* The same check without opening or reading secrets. */
	int (*check_settings)(const json_t *settings, struct err *e);
};

extern const struct store_type store_directory, store_libs3, store_rclone, store_s3;

/* Alphabetical, ended by NULL (store.c). */
extern const struct store_type *const store_types[];
const struct store_type *store_type_find(const char *name);

/* By the settings' "type". What goes wrong is told with the store's name in front. */
int store_open(
	const json_t *settings, const struct store_context *c, struct store **out, struct err *e);
void store_free(struct store *s); /* NULL is fine */
DEFINE_CLEANUP(struct store *, store_free);

/* A small object from memory; whole or not at all. `o` may be NULL. */
int store_put(struct store *s, const char *key, const void *data, size_t n,
	const struct upload_options *o, struct err *e);
/* A small object into memory; -EFBIG past out->max. */
int store_get(struct store *s, const char *key, struct buf *out, struct err *e);

#endif
