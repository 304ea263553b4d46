/* SPDX-License-Identifier: Apache-2.0
 *
 * AWS Signature Version 4 in the Authorization header, as S3 wants it: the path is encoded once and never
 * normalised (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html). Path and query of the request line
 * come from here too, so that what is sent is what was signed. Pure.
 */
#ifndef BACKUP_SIGV4_H
#define BACKUP_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { SIGV4_PAIRS_MAX = 32, SIGV4_DATE_SIZE = 17 };

/* Of nothing, for requests without a body. */
#define SIGV4_EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct sigv4_pair {
	const char *name, *value;
};

struct sigv4_request {
	const char *method;
	const char *path; /* not encoded, with the leading slash */
	const struct sigv4_pair *query; /* not encoded, in any order */
	size_t n_query;
	/* All that are to be signed; "host" and "x-amz-date" must be among them. In any order and case; a name at
	 * most once. */
	const struct sigv4_pair *headers;
	size_t n_headers;
	const char *payload_sha256; /* hexadecimal */
};

struct sigv4_keys {
	const char *access_key_id, *secret_access_key;
	const char *region, *service;
};

/* "20130524T000000Z" */
void sigv4_date(char to[SIGV4_DATE_SIZE], int64_t time_s);

/* Everything but A-Z a-z 0-9 - . _ ~ as %XX; a slash too unless `keep_slash`. */
void sigv4_encode(struct buf *out, const char *s, bool keep_slash);
/* "a=1&b=", sorted by the encoded names; at most SIGV4_PAIRS_MAX. */
void sigv4_query(struct buf *out, const struct sigv4_pair *query, size_t n);
void sigv4_canonical_request(struct buf *out, const struct sigv4_request *r);
/* The value of the Authorization header. */
void sigv4_authorization(
	struct buf *out, const struct sigv4_request *r, const struct sigv4_keys *k);

#endif
