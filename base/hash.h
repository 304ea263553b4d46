/* SPDX-License-Identifier: Apache-2.0
 *
 * Fingerprints and signatures, as lower-case hexadecimal text (OpenSSL's libcrypto).
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* 64 digits and a NUL. */
enum { HASH_SHA256_HEX_SIZE = 65 };

/* SHA-256 (FIPS 180-4) of n bytes. Aborts without memory. */
void hash_sha256_hex(char to[HASH_SHA256_HEX_SIZE], const void *data, size_t n);

/* The same of bytes that come in pieces. Aborts without memory, so never NULL. */
struct hash_sha256;
struct hash_sha256 *hash_sha256_new(void);
void hash_sha256_update(struct hash_sha256 *h, const void *data, size_t n);
/* Once: afterwards the hash can only be freed. */
void hash_sha256_final(struct hash_sha256 *h, char to[HASH_SHA256_HEX_SIZE]);
void hash_sha256_free(struct hash_sha256 *h); /* NULL is fine */
DEFINE_CLEANUP(struct hash_sha256 *, hash_sha256_free);

/* HMAC-SHA256 (RFC 2104) of n bytes with a key of any length, which may be empty. */
void hash_hmac_sha256_hex(
	char to[HASH_SHA256_HEX_SIZE], const void *key, size_t key_len, const void *data, size_t n);

/* The same of bytes that come in pieces. The key is copied, and wiped at the end. Aborts without memory, so never
 * NULL. */
struct hash_hmac;
struct hash_hmac *hash_hmac_sha256_new(const void *key, size_t key_len);
void hash_hmac_update(struct hash_hmac *h, const void *data, size_t n);
/* Once: afterwards it can only be freed. */
void hash_hmac_final(struct hash_hmac *h, char to[HASH_SHA256_HEX_SIZE]);
void hash_hmac_free(struct hash_hmac *h); /* NULL is fine */
DEFINE_CLEANUP(struct hash_hmac *, hash_hmac_free);

/* Whether n bytes are the same, in a time that does not tell where they differ. */
bool hash_equal(const void *a, const void *b, size_t n);
/* The same of texts of any length, which it does not tell either. */
bool hash_equal_text(const char *a, const char *b);

#endif
