/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <assert.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHA256_SIZE = 32 };

static void put_hex(char to[HASH_SHA256_HEX_SIZE], const unsigned char digest[SHA256_SIZE])
{
	for (size_t i = 0; i < SHA256_SIZE; i++)
		(void)snprintf(to + 2 * i, 3, "%02x", digest[i]);
}

void hash_sha256_hex(char to[HASH_SHA256_HEX_SIZE], const void *data, size_t n)
{
	unsigned char digest[SHA256_SIZE];

	if (EVP_Digest(data, n, digest, NULL, EVP_sha256(), NULL) != 1)
		abort();
	put_hex(to, digest);
}

struct hash_sha256 {
	EVP_MD_CTX *md;
};

struct hash_sha256 *hash_sha256_new(void)
{
	struct hash_sha256 *h = calloc(1, sizeof(*h));

	if (!h || !(h->md = EVP_MD_CTX_new()) || EVP_DigestInit_ex(h->md, EVP_sha256(), NULL) != 1)
		abort();
	return h;
}

void hash_sha256_update(struct hash_sha256 *h, const void *data, size_t n)
{
	if (EVP_DigestUpdate(h->md, data, n) != 1)
		abort();
}

void hash_sha256_final(struct hash_sha256 *h, char to[HASH_SHA256_HEX_SIZE])
{
	unsigned char digest[SHA256_SIZE];

	if (EVP_DigestFinal_ex(h->md, digest, NULL) != 1)
		abort();
	put_hex(to, digest);
}

void hash_sha256_free(struct hash_sha256 *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->md);
	free(h);
}

void hash_hmac_sha256_hex(
	char to[HASH_SHA256_HEX_SIZE], const void *key, size_t key_len, const void *data, size_t n)
{
	unsigned char digest[SHA256_SIZE];

	assert(key_len <= INT_MAX);
	/* With a NULL key OpenSSL would go on with the key of the call before. */
	if (!HMAC(EVP_sha256(), key ? key : "", (int)key_len, data, n, digest, NULL))
		abort();
	put_hex(to, digest);
}

struct hash_hmac {
	EVP_MAC_CTX *mac;
};

struct hash_hmac *hash_hmac_sha256_new(const void *key, size_t key_len)
{
	struct hash_hmac *h = calloc(1, sizeof(*h));
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end()};

	if (!h || !mac || !(h->mac = EVP_MAC_CTX_new(mac)))
		abort();
	EVP_MAC_free(mac);
	/* Without a key it would wait for one. */
	if (EVP_MAC_init(h->mac, key ? key : (const void *)"", key_len, params) != 1)
		abort();
	return h;
}

void hash_hmac_update(struct hash_hmac *h, const void *data, size_t n)
{
	if (EVP_MAC_update(h->mac, data, n) != 1)
		abort();
}

void hash_hmac_final(struct hash_hmac *h, char to[HASH_SHA256_HEX_SIZE])
{
	unsigned char digest[SHA256_SIZE];
	size_t n;

	if (EVP_MAC_final(h->mac, digest, &n, sizeof(digest)) != 1 || n != sizeof(digest))
		abort();
	put_hex(to, digest);
}

void hash_hmac_free(struct hash_hmac *h)
{
	if (!h)
		return;
	EVP_MAC_CTX_free(h->mac); /* wipes the key */
	free(h);
}

bool hash_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

bool hash_equal_text(const char *a, const char *b)
{
	unsigned char x[SHA256_SIZE], y[SHA256_SIZE];

	if (EVP_Digest(a, strlen(a), x, NULL, EVP_sha256(), NULL) != 1 ||
		EVP_Digest(b, strlen(b), y, NULL, EVP_sha256(), NULL) != 1)
		abort();
	return hash_equal(x, y, sizeof(x));
}
