/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

static void encode(struct buf *out, const unsigned char *data, size_t n)
{
	/* EVP_EncodeBlock() adds a NUL. */
	char *to = buf_reserve(out, (n + 2) / 3 * 4 + 1);

	assert(n <= INT_MAX);
	if (to)
		buf_grew(out, (size_t)EVP_EncodeBlock((unsigned char *)to, data, (int)n));
}

void base64_encode(struct buf *out, const void *data, size_t n, size_t line)
{
	const unsigned char *bytes = data;
	size_t step = line ? line / 4 * 3 : n;

	assert(!line || line >= 4);
	for (size_t i = 0; i < n; i += step) {
		encode(out, bytes + i, n - i < step ? n - i : step);
		if (line)
			buf_adds(out, "\r\n");
	}
}

int base64_decode(struct buf *out, const char *text, size_t n, struct err *e)
{
	size_t pad = 0;
	char *to;
	int got;

	if (n == 0)
		return 0;
	while (pad < 2 && text[n - 1 - pad] == '=')
		pad++;
	/* libcrypto takes = anywhere. */
	if (memchr(text, '=', n - pad))
		return err_set(e, EINVAL, "this is not base64");
	to = n % 4 == 0 && n <= INT_MAX ? buf_reserve(out, n / 4 * 3) : NULL;
	if (!to && out->overflow)
		return err_set(e, EMSGSIZE, "the text is too long");
	got = to ? EVP_DecodeBlock((unsigned char *)to, (const unsigned char *)text, (int)n) : -1;
	/* Leading and trailing space is skipped there, and would shorten the result. */
	if (got < 0 || (size_t)got != n / 4 * 3)
		return err_set(e, EINVAL, "this is not base64");
	buf_grew(out, (size_t)got - pad);
	return 0;
}
