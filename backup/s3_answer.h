/* SPDX-License-Identifier: Apache-2.0
 *
 * What S3 says, out of its XML (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html). Pure.
 */
#ifndef BACKUP_S3_ANSWER_H
#define BACKUP_S3_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "backup/store.h"
#include "base/err.h"

enum { S3_UPLOAD_ID_MAX = 2048, S3_TOKEN_MAX = 4096 };

/* <Error>; all "" when the body is none. */
struct s3_error {
	char code[64];
	char message[256];
	char region[64]; /* where the bucket is, when that is what is wrong */
	char endpoint[256];
};
void s3_error_parse(const char *body, size_t n, struct s3_error *out);

/* Whether the body is one whole document with this element as its root. */
bool s3_answer_is(const char *body, size_t n, const char *root);
/* The text of one element ("InitiateMultipartUploadResult/UploadId") into `to`; "" when it is not there or does not fit.
 * -EBADMSG. */
int s3_answer_text(
	const char *body, size_t n, const char *path, char *to, size_t size, struct err *e);
/* How often an element is in it. -EBADMSG. */
int s3_answer_count(const char *body, size_t n, const char *path, size_t *out, struct err *e);

/* One page of ListObjectsV2 or of ListMultipartUploads. What follows it is in `next` (continuation token; key marker) and
 * `next_id` (upload id marker); both "" at the end. */
struct s3_page {
	char next[S3_TOKEN_MAX];
	char next_id[S3_UPLOAD_ID_MAX];
	bool is_truncated;
};
/* The key is that in the bucket, decoded. `id`: the upload's; NULL for objects. */
typedef int (*s3_item_fn)(void *user, const struct store_object *o, const char *id);
int s3_page_parse(const char *body, size_t n, bool uploads, s3_item_fn fn, void *user,
	struct s3_page *out, struct err *e);

/* "2026-11-21T05:06:07.000Z" in milliseconds; 0 when it is none. */
int64_t s3_time_ms(const char *text);
/* Decodes %XX in place. */
void s3_url_decode(char *s);

#endif
