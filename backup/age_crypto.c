/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/age_crypto.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

static void must(bool good)
{
	if (!good)
		abort();
}

void age_random(void *to, size_t n)
{
	must(n <= INT_MAX && RAND_priv_bytes(to, (int)n) == 1);
}

void age_wipe(void *p, size_t n)
{
	OPENSSL_cleanse(p, n);
}

void age_hkdf(uint8_t to[AGE_KEY_BYTES], const void *secret, size_t secret_len, const void *salt,
	size_t salt_len, const char *info)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	/* The library reads what these point to and does not change it. */
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret, secret_len),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, salt_len),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, strlen(info)),
		OSSL_PARAM_construct_end(),
	};

	must(ctx && EVP_KDF_derive(ctx, to, AGE_KEY_BYTES, params) == 1);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
}

void age_hmac(
	uint8_t to[AGE_KEY_BYTES], const uint8_t key[AGE_KEY_BYTES], const void *data, size_t n)
{
	must(HMAC(EVP_sha256(), key, AGE_KEY_BYTES, data, n, to, NULL) != NULL);
}

void age_x25519_public(uint8_t to[AGE_KEY_BYTES], const uint8_t secret[AGE_KEY_BYTES])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, AGE_KEY_BYTES);
	size_t n = AGE_KEY_BYTES;

	must(key && EVP_PKEY_get_raw_public_key(key, to, &n) == 1 && n == AGE_KEY_BYTES);
	EVP_PKEY_free(key);
}

int age_x25519(uint8_t to[AGE_KEY_BYTES], const uint8_t secret[AGE_KEY_BYTES],
	const uint8_t point[AGE_KEY_BYTES], struct err *e)
{
	static const uint8_t zero[AGE_KEY_BYTES];
	EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, AGE_KEY_BYTES);
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, point, AGE_KEY_BYTES);
	EVP_PKEY_CTX *ctx = own ? EVP_PKEY_CTX_new(own, NULL) : NULL;
	size_t n = AGE_KEY_BYTES;
	bool good;

	must(ctx && peer && EVP_PKEY_derive_init(ctx) == 1);
	good = EVP_PKEY_derive_set_peer(ctx, peer) == 1 && EVP_PKEY_derive(ctx, to, &n) == 1 &&
	       n == AGE_KEY_BYTES && CRYPTO_memcmp(to, zero, AGE_KEY_BYTES) != 0;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	EVP_PKEY_free(own);
	return good ? 0 : err_set(e, EBADMSG, "a public key of low order");
}

int age_scrypt(uint8_t to[AGE_KEY_BYTES], const char *passphrase,
	const uint8_t salt[AGE_SALT_BYTES], int log_n, struct err *e)
{
	static const char label[] = "age-encryption.org/v1/scrypt";
	uint8_t full[sizeof(label) - 1 + AGE_SALT_BYTES];
	uint64_t n = (uint64_t)1 << log_n;
	/* The library's own limit is 32 MiB. */
	uint64_t max_memory = n * 1024 + 1024 * 1024;

	assert(log_n > 0 && log_n < 32);
	memcpy(full, label, sizeof(label) - 1);
	memcpy(full + sizeof(label) - 1, salt, AGE_SALT_BYTES);
	if (EVP_PBE_scrypt(passphrase, strlen(passphrase), full, sizeof(full), n, 8, 1, max_memory,
		    to, AGE_KEY_BYTES) != 1)
		return err_set(e, ENOMEM, "the passphrase needs %llu MiB of memory",
			(unsigned long long)(n / 1024));
	return 0;
}

struct age_cipher {
	EVP_CIPHER_CTX *ctx;
};

struct age_cipher *age_cipher_new(const uint8_t key[AGE_KEY_BYTES], bool encrypts)
{
	struct age_cipher *c = calloc(1, sizeof(*c));

	must(c && (c->ctx = EVP_CIPHER_CTX_new()));
	must(EVP_CipherInit_ex(c->ctx, EVP_chacha20_poly1305(), NULL, key, NULL, encrypts) == 1);
	return c;
}

void age_cipher_free(struct age_cipher *c)
{
	if (!c)
		return;
	EVP_CIPHER_CTX_free(c->ctx); /* wipes the key */
	free(c);
}

void age_seal(struct age_cipher *c, const uint8_t nonce[AGE_NONCE_BYTES], const void *plain,
	size_t n, uint8_t *to)
{
	int len = 0;

	must(n <= INT_MAX && EVP_EncryptInit_ex(c->ctx, NULL, NULL, NULL, nonce) == 1);
	must(n == 0 || EVP_EncryptUpdate(c->ctx, to, &len, plain, (int)n) == 1);
	must((size_t)len == n && EVP_EncryptFinal_ex(c->ctx, to + n, &len) == 1);
	must(EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_GET_TAG, AGE_TAG_BYTES, to + n) == 1);
}

int age_open(struct age_cipher *c, const uint8_t nonce[AGE_NONCE_BYTES], const uint8_t *sealed,
	size_t n, uint8_t *to)
{
	uint8_t tag[AGE_TAG_BYTES];
	int len = 0;

	must(n >= AGE_TAG_BYTES && n <= INT_MAX);
	n -= AGE_TAG_BYTES;
	memcpy(tag, sealed + n, AGE_TAG_BYTES);
	must(EVP_DecryptInit_ex(c->ctx, NULL, NULL, NULL, nonce) == 1);
	must(EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_SET_TAG, AGE_TAG_BYTES, tag) == 1);
	must(n == 0 || EVP_DecryptUpdate(c->ctx, to, &len, sealed, (int)n) == 1);
	if (EVP_DecryptFinal_ex(c->ctx, tag, &len) == 1)
		return 0;
	age_wipe(to, n);
	return -EBADMSG;
}

static const uint8_t first_nonce[AGE_NONCE_BYTES];

void age_wrap(uint8_t to[AGE_WRAPPED_BYTES], const uint8_t key[AGE_KEY_BYTES],
	const uint8_t file_key[AGE_FILE_KEY_BYTES])
{
	_cleanup_(age_cipher_free_p) struct age_cipher *c = age_cipher_new(key, true);

	age_seal(c, first_nonce, file_key, AGE_FILE_KEY_BYTES, to);
}

int age_unwrap(uint8_t file_key[AGE_FILE_KEY_BYTES], const uint8_t key[AGE_KEY_BYTES],
	const uint8_t wrapped[AGE_WRAPPED_BYTES])
{
	_cleanup_(age_cipher_free_p) struct age_cipher *c = age_cipher_new(key, false);

	return age_open(c, first_nonce, wrapped, AGE_WRAPPED_BYTES, file_key);
}
