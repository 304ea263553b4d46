/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/redact.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static char *secrets[REDACT_MAX];
static size_t n_added;

void redact_add(const char *secret)
{
	size_t n = secret ? strlen(secret) : 0;

	while (n && (secret[n - 1] == '\n' || secret[n - 1] == '\r'))
		n--;
	if (n < REDACT_MIN)
		return;
	if (n > REDACT_BYTES_MAX)
		n = REDACT_BYTES_MAX;
	for (size_t i = 0; i < REDACT_MAX && secrets[i]; i++)
		if (strlen(secrets[i]) == n && memcmp(secrets[i], secret, n) == 0)
			return;
	free(secrets[n_added % REDACT_MAX]);
	secrets[n_added++ % REDACT_MAX] = str_ndup(secret, n);
}

/* Length of the longest secret that begins here; 0: none does. */
static size_t secret_at(const char *text, size_t n)
{
	size_t longest = 0;

	for (size_t i = 0; i < REDACT_MAX && secrets[i]; i++) {
		size_t len = strlen(secrets[i]);

		if (len <= n && len > longest && memcmp(text, secrets[i], len) == 0)
			longest = len;
	}
	return longest;
}

static size_t longest_secret(void)
{
	size_t longest = 0;

	for (size_t i = 0; i < REDACT_MAX && secrets[i]; i++)
		if (strlen(secrets[i]) > longest)
			longest = strlen(secrets[i]);
	return longest;
}

void redact_text(const char *text, size_t n, bool cut, struct buf *out)
{
	size_t longest = longest_secret();
	size_t skip = cut && longest ? longest - 1 : 0;

	for (size_t i = 0; i < n;) {
		size_t len = secret_at(text + i, n - i);

		if (len && i + len > skip)
			buf_adds(out, "***");
		else if (!len && i >= skip)
			buf_addc(out, text[i]);
		i += len ? len : 1;
	}
}
