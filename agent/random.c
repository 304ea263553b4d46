/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/random.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"

void random_hex(char *to, size_t n_bytes)
{
	unsigned char bytes[64];

	assert(n_bytes <= sizeof(bytes));
	if (getrandom(bytes, n_bytes, 0) != (ssize_t)n_bytes)
		abort();
	for (size_t i = 0; i < n_bytes; i++)
		(void)snprintf(to + 2 * i, 3, "%02x", bytes[i]);
}

bool secrets_equal(const char *a, const char *b)
{
	char x[HASH_SHA256_HEX_SIZE], y[HASH_SHA256_HEX_SIZE];

	/* Digests have one length, so not even the length of the secret shows. */
	hash_sha256_hex(x, a, strlen(a));
	hash_sha256_hex(y, b, strlen(b));
	return CRYPTO_memcmp(x, y, sizeof(x)) == 0;
}
