/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/random.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void put_hex(char *to, const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)snprintf(to + 2 * i, 3, "%02x", bytes[i]);
}

void random_hex(char *to, size_t n_bytes)
{
	unsigned char bytes[64];

	assert(n_bytes <= sizeof(bytes));
	if (getrandom(bytes, n_bytes, 0) != (ssize_t)n_bytes)
		abort();
	put_hex(to, bytes, n_bytes);
}

void sha256_hex(char to[SHA256_HEX_SIZE], const char *text)
{
	unsigned char digest[32];

	if (EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL) != 1)
		abort();
	put_hex(to, digest, sizeof(digest));
}

bool secrets_equal(const char *a, const char *b)
{
	char x[SHA256_HEX_SIZE], y[SHA256_HEX_SIZE];

	/* Digests have one length, so not even the length of the secret shows. */
	sha256_hex(x, a);
	sha256_hex(y, b);
	return CRYPTO_memcmp(x, y, sizeof(x)) == 0;
}
