/* SPDX-License-Identifier: Apache-2.0
 *
 * The operations of the S3 store (store.h), a file each; store_s3.c puts them together. Keys are below the prefix.
 */
#ifndef BACKUP_S3_OPS_H
#define BACKUP_S3_OPS_H

#include "backup/s3_call.h"
#include "backup/store.h"

/* s3_upload.c */
int s3_upload_new(struct s3 *s, const char *key, const struct upload_options *o,
	struct upload **out, struct err *e);

/* s3_object.c */
enum { S3_TIME_SIZE = 32 };
/* The end of a lock that begins now. */
void s3_lock_until(const struct s3 *s, char until[S3_TIME_SIZE]);
/* Headers of a new object: class, encryption, lock. `until`, of S3_TIME_SIZE, takes the text of the lock's end; NULL: no lock. */
void s3_object_headers(struct s3_call *c, const struct upload_options *o, char *until);
/* For a body that the store shall keep a checksum of. */
void s3_checksum_header(struct s3_call *c, const struct s3_payload *p);
/* As s3_call.check of a body: -EAGAIN when the ETag of the answer shows that it arrived damaged. An ETag that is no MD5 (of a store that
 * encrypts with keys of its own, for one) says nothing. */
int s3_check_etag(struct s3_call *c, struct err *e);

/* s3_complete.c */
struct s3_part_done {
	char etag[100];
	char checksum[S3_BASE64_SIZE];
};
struct s3_parts {
	struct s3_part_done *at;
	size_t n, room;
};
/* Makes an object of the parts. After a failure, also -ECANCELED, the object may be there or not. After 0 s3_confirm() tells
 * whether it is. */
int s3_complete(struct s3 *s, const char *key, const char *upload_id, const struct s3_parts *parts,
	struct err *e);
/* An object as HEAD tells it. */
struct s3_seen {
	int64_t bytes; /* -1: it does not say */
	char etag[128];
	bool is_locked; /* has a retention */
	bool is_encrypted; /* with server-side encryption, as it says */
};
/* -ENOENT. */
int s3_head(struct s3 *s, const char *key, struct s3_seen *out, struct err *e);
/* The object is there, has so many bytes, and is locked when the settings say so: what is not yet (Ceph leaves the lock out when the
 * parts become an object) gets its lock now. */
int s3_confirm(struct s3 *s, const char *key, int64_t bytes, struct s3_seen *out, struct err *e);

/* s3_lock.c */
int s3_lock(struct s3 *s, const char *key, struct err *e);

/* s3_abandon.c. These clean up: they go on after a stop request. */
/* Until the store says that there is no such upload. */
int s3_abort(struct s3 *s, const char *key, const char *upload_id, struct err *e);
/* All that are unfinished under that very key. */
int s3_abort_all(struct s3 *s, const char *key, struct err *e);
int s3_remove(struct s3 *s, const char *key, bool cleans_up, struct err *e);

/* s3_read.c */
int s3_read(struct s3 *s, const char *key, int64_t offset, int64_t bytes, struct reader **out,
	struct err *e);

/* s3_list.c */
int s3_list(struct s3 *s, const char *prefix, store_list_fn fn, void *user, struct err *e);
/* The id is complete here, in store_object it may not fit. */
int s3_list_uploads(
	struct s3 *s, const char *prefix, bool cleans_up, s3_item_fn fn, void *user, struct err *e);

/* s3_check.c */
int s3_check(struct s3 *s, store_check_fn fn, void *user, struct err *e);

#endif
