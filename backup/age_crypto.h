/* SPDX-License-Identifier: Apache-2.0
 *
 * The primitives of age (age.h), all OpenSSL's: HKDF-SHA-256 (RFC 5869), X25519 (RFC 7748), scrypt (RFC 7914),
 * ChaCha20-Poly1305 (RFC 8439), HMAC-SHA-256. A failure of the library itself, such as no memory, aborts.
 */
#ifndef BACKUP_AGE_CRYPTO_H
#define BACKUP_AGE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

enum {
	AGE_KEY_BYTES = 32, /* of X25519, of the ciphers, of MACs */
	AGE_FILE_KEY_BYTES = 16,
	AGE_SALT_BYTES = 16,
	AGE_NONCE_BYTES = 12,
	AGE_TAG_BYTES = 16,
	AGE_WRAPPED_BYTES = AGE_FILE_KEY_BYTES + AGE_TAG_BYTES,
};

void age_random(void *to, size_t n);
void age_wipe(void *p, size_t n);

void age_hkdf(uint8_t to[AGE_KEY_BYTES], const void *secret, size_t secret_len, const void *salt,
	size_t salt_len, const char *info);
void age_hmac(
	uint8_t to[AGE_KEY_BYTES], const uint8_t key[AGE_KEY_BYTES], const void *data, size_t n);

/* The public key of a secret one. */
void age_x25519_public(uint8_t to[AGE_KEY_BYTES], const uint8_t secret[AGE_KEY_BYTES]);
/* -EBADMSG for a point of low order, whose result would be the same for all secrets. */
int age_x25519(uint8_t to[AGE_KEY_BYTES], const uint8_t secret[AGE_KEY_BYTES],
	const uint8_t point[AGE_KEY_BYTES], struct err *e);

/* The key of a passphrase: N = 2^log_n, r = 8, p = 1; takes 2^log_n KiB meanwhile, -ENOMEM without. */
int age_scrypt(uint8_t to[AGE_KEY_BYTES], const char *passphrase,
	const uint8_t salt[AGE_SALT_BYTES], int log_n, struct err *e);

/* A cipher with its key, in one direction. */
struct age_cipher;
struct age_cipher *age_cipher_new(const uint8_t key[AGE_KEY_BYTES], bool encrypts);
void age_cipher_free(struct age_cipher *c); /* NULL is fine */
DEFINE_CLEANUP(struct age_cipher *, age_cipher_free);
/* n bytes become n + AGE_TAG_BYTES. */
void age_seal(struct age_cipher *c, const uint8_t nonce[AGE_NONCE_BYTES], const void *plain,
	size_t n, uint8_t *to);
/* n bytes, the tag in them, become n - AGE_TAG_BYTES. -EBADMSG: not authentic; `to` is wiped. */
int age_open(struct age_cipher *c, const uint8_t nonce[AGE_NONCE_BYTES], const uint8_t *sealed,
	size_t n, uint8_t *to);

/* The file's key under another key, which is used once. */
void age_wrap(uint8_t to[AGE_WRAPPED_BYTES], const uint8_t key[AGE_KEY_BYTES],
	const uint8_t file_key[AGE_FILE_KEY_BYTES]);
int age_unwrap(uint8_t file_key[AGE_FILE_KEY_BYTES], const uint8_t key[AGE_KEY_BYTES],
	const uint8_t wrapped[AGE_WRAPPED_BYTES]);

#endif
