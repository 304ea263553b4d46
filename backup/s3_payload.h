/* SPDX-License-Identifier: Apache-2.0
 *
 * What S3 wants to know of a body beside its bytes: SHA-256 for the signature, MD5 against damage on the way, on wish a
 * checksum that the store keeps. Fed piece by piece while a part fills, so that each byte is read while it is in the cache, and
 * computed once for all attempts. Pure.
 */
#ifndef BACKUP_S3_PAYLOAD_H
#define BACKUP_S3_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

enum s3_checksum { S3_CHECKSUM_NONE, S3_CHECKSUM_CRC32C, S3_CHECKSUM_SHA256 };

enum { S3_MD5_HEX_SIZE = 33, S3_BASE64_SIZE = 48 };

struct s3_payload {
	const void *data; /* the owner's */
	size_t len;
	char sha256_hex[HASH_SHA256_HEX_SIZE];
	char md5_hex[S3_MD5_HEX_SIZE];
	char md5_base64[S3_BASE64_SIZE];
	char checksum_base64[S3_BASE64_SIZE]; /* "" for none */
};

struct s3_digest;

struct s3_digest *s3_digest_new(enum s3_checksum c); /* never NULL */
void s3_digest_free(struct s3_digest *d); /* NULL is fine */
void s3_digest_add(struct s3_digest *d, const void *data, size_t n);
/* All but `data` and `len`; it begins anew afterwards. */
void s3_digest_end(struct s3_digest *d, struct s3_payload *out);

void s3_payload_of(struct s3_payload *out, enum s3_checksum c, const void *data, size_t n);

/* "CRC32C", "SHA256"; NULL for none. */
const char *s3_checksum_name(enum s3_checksum c);
/* CRC-32C (Castagnoli, RFC 3720 appendix B.4); begins with crc 0. */
uint32_t s3_crc32c(uint32_t crc, const void *data, size_t n);

#endif
