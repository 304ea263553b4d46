/* SPDX-License-Identifier: Apache-2.0
 *
 * The store libs3: store_libs3.c makes one request at a time with the library, libs3_*.c make operations of them.
 */
#ifndef BACKUP_LIBS3_H
#define BACKUP_LIBS3_H

#include <stdbool.h>

#include "backup/s3_credentials.h"
#include "backup/s3_settings.h"
#include "backup/store.h"

enum {
	LIBS3_PAGE_MAX = 1000,
	LIBS3_PIECE_BYTES = 4 * 1024 * 1024, /* of one request when reading */
};

struct libs3 {
	struct store store;
	struct s3_settings settings;
	struct s3_credentials keys;
	bool has_keys;
	secret_read_fn secret_read;
	struct journal *journal;
};

enum libs3_outcome {
	LIBS3_OK,
	LIBS3_NO_KEY,
	LIBS3_NO_BUCKET,
	LIBS3_DENIED,
	LIBS3_WRONG_KEYS,
	LIBS3_AGAIN, /* may pass */
	LIBS3_FAILED,
};

struct libs3_answer {
	int64_t bytes, modified_ms;
	char etag[128];
	char words[300]; /* what the server, or the library, says */
};

struct libs3_page {
	struct store_object objects[LIBS3_PAGE_MAX];
	size_t n;
	bool is_truncated;
	bool too_long; /* a key is longer than any of ours */
};

/* --- store_libs3.c. Keys are whole, with the prefix. One attempt each. */

/* Loads the library for the process, until as many ends. -ENOENT: it is not there. */
int libs3_begin(const char *host, struct err *e);
void libs3_end(void);
/* md5: base64, of the data. */
enum libs3_outcome libs3_put(const struct libs3 *s, const char *key, const void *data, size_t n,
	const char *md5, struct libs3_answer *a);
/* Exactly n bytes from offset, n > 0. */
enum libs3_outcome libs3_get(const struct libs3 *s, const char *key, int64_t offset, int64_t n,
	struct buf *to, struct libs3_answer *a);
enum libs3_outcome libs3_head(const struct libs3 *s, const char *key, struct libs3_answer *a);
enum libs3_outcome libs3_delete(const struct libs3 *s, const char *key, struct libs3_answer *a);
enum libs3_outcome libs3_list_page(const struct libs3 *s, const char *prefix, const char *after,
	struct libs3_page *page, struct libs3_answer *a);

/* --- libs3_call.c: with further attempts, and errors */

/* One of these is done. */
struct libs3_request {
	enum { LIBS3_PUT, LIBS3_GET, LIBS3_HEAD, LIBS3_DELETE, LIBS3_LIST } what;
	const char *key; /* without the store's prefix; of a list: what they begin with */
	const void *data;
	size_t n;
	const char *md5;
	int64_t offset, bytes;
	struct buf *to;
	const char *after;
	struct libs3_page *page;
};
/* -ENOENT no such object, -ENXIO no such bucket, -EPERM, -EACCES wrong keys, -ECANCELED, -EREMOTEIO. */
int libs3_do(struct libs3 *s, const struct libs3_request *r, struct libs3_answer *a, struct err *e);

/* An object. -ENOENT only in a bucket that is there, which the answer of one request does not say. */
int libs3_look(struct libs3 *s, const char *key, struct libs3_answer *a, struct err *e);

/* --- libs3_settings.c */

int libs3_open(
	const json_t *settings, const struct store_context *c, struct store **out, struct err *e);
int libs3_check_settings(const json_t *settings, struct err *e);

/* --- libs3_upload.c, libs3_read.c, libs3_check.c */

int libs3_upload(struct store *s, const char *key, const struct upload_options *o,
	struct upload **out, struct err *e);
int libs3_read(struct store *s, const char *key, int64_t offset, int64_t bytes, struct reader **out,
	struct err *e);
int libs3_remove(struct store *s, const char *key, struct err *e);
int libs3_check(struct store *s, store_check_fn fn, void *user, struct err *e);

#endif
